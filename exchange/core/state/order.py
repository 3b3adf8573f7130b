"""An order and the legal transitions of its status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Optional

from mypy_extensions import mypyc_attr

from exchange.core.messages import PlaceOrder
from exchange.core.state.ledger import Account, Balance
from exchange.core.terms import (
    CANCELED,
    EXPIRED,
    FILLED,
    IOC_REMAINDER,
    NO_LIQUIDITY,
    REPLACED,
    RESET,
    SELF_TRADE,
)
from exchange.core.units import Lots, Minor, Nanos, Ppm, Ticks

if TYPE_CHECKING:
    from exchange.core.state.book import Book, Level

# Status of an order as its events tell it, FIX 39.  The core keeps only live orders; views fold
# these from OrderAccepted, Traded, OrderModified and OrderDone.
TRANSITIONS: Final[dict[str, tuple[str, ...]]] = {
    "new": ("new", "partially_filled", "filled", "canceled", "expired", "replaced"),
    "partially_filled": ("partially_filled", "filled", "canceled", "expired", "replaced"),
    "filled": (),
    "canceled": (),
    "expired": (),
    "replaced": (),
}
DONE_STATUS: Final[dict[int, str]] = {
    FILLED: "filled",
    CANCELED: "canceled",
    EXPIRED: "expired",
    IOC_REMAINDER: "canceled",
    NO_LIQUIDITY: "canceled",
    SELF_TRADE: "canceled",
    REPLACED: "replaced",
    RESET: "canceled",
}


@mypyc_attr(free_list_len=1)
class Order:
    """A live order.

    command: what was asked; side, limit and size may have moved on since.
    leaves: remaining lots, hidden part included.   shown: what the book displays of it.
    limit: 0 for a market order.   hold: minor units set aside now, quote for a buy, base for a sell.
    fee_numerator: sum of notional * ppm over the fills; fee_paid is its rounded-up share, so the
    fee of n fills is the fee of the whole.   timer: number of its expiry timer, 0 if none.
    """

    __slots__ = (
        "account",
        "base_balance",
        "book",
        "command",
        "earlier",
        "fee_numerator",
        "fee_paid",
        "filled",
        "hold",
        "later",
        "leaves",
        "level",
        "limit",
        "maker_ppm",
        "next",
        "order_id",
        "prev",
        "quote_balance",
        "shown",
        "side",
        "taker_ppm",
        "timer",
        "ts",
    )

    def __init__(
        self, order_id: int, ts: Nanos, account: Account, book: Book, command: PlaceOrder, limit: Ticks
    ) -> None:
        self.order_id = order_id
        self.ts: Nanos = ts
        self.account = account
        self.book = book
        self.command = command
        self.side = command.side
        self.limit: Ticks = limit
        self.leaves: Lots = command.quantity
        self.shown: Lots = 0
        self.filled: Lots = 0
        self.hold: Minor = 0
        self.fee_numerator = 0
        self.fee_paid: Minor = 0
        self.maker_ppm: Ppm = 0
        self.taker_ppm: Ppm = 0
        self.timer = 0
        self.base_balance: Balance = account.balance(book.instrument.base)
        self.quote_balance: Balance = account.balance(book.instrument.quote)
        self.level: Optional[Level] = None
        self.prev: Optional[Order] = None
        self.next: Optional[Order] = None
        self.earlier: Optional[Order] = None
        self.later: Optional[Order] = None

    @property
    def quantity(self) -> Lots:
        """Total, as modified and as shrunk by self-trade prevention."""
        return self.filled + self.leaves
