"""What widgets tell the screen.  Those that come in bursts let a newer one take their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual.message import Message

if TYPE_CHECKING:
    from tradecli.drafts import ModifyDraft, OrderDraft


Act: TypeAlias = Callable[[], None]


class InstrumentPicked(Message):
    """The dashboard turns to this instrument."""

    bubble: ClassVar[bool] = True

    def __init__(self, instrument: int) -> None:
        super().__init__()
        self.instrument = instrument


class PricePicked(Message):
    """A price level was chosen for an order.  side: of the order that would trade against it."""

    def __init__(self, price: int, side: int) -> None:
        super().__init__()
        self.price = price
        self.side = side


class OrderPicked(Message):
    """Enter on a working order."""

    def __init__(self, order_id: int) -> None:
        super().__init__()
        self.order_id = order_id


class WatchlistOrdered(Message):
    """The person put the watchlist into another order; symbols from the top, the sort key."""

    def __init__(self, symbols: list[str], sort: str) -> None:
        super().__init__()
        self.symbols = symbols
        self.sort = sort


class TicketChanged(Message):
    """The ticket holds another order than before; None while a field is wrong."""

    def __init__(self, draft: OrderDraft | ModifyDraft | None) -> None:
        super().__init__()
        self.draft = draft

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TicketChanged)


class TicketConfirmed(Message):
    """Send it.  Posted once per review."""

    def __init__(self, draft: OrderDraft | ModifyDraft) -> None:
        super().__init__()
        self.draft = draft


class TicketClosed(Message):
    """The person left the ticket without sending."""


class LineEntered(Message):
    """A line of the command bar."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line


class LineLeft(Message):
    """The command bar was left without a command."""


class HintsChanged(Message):
    """The focus moved: other keys apply."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, HintsChanged)
