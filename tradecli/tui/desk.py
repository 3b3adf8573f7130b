"""Orders on their way out: previews, sending, client order ids, and what the answers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from exchange.client import Client, Receipt
from exchange.codec import command_to_json, reject_to_json
from exchange.core.messages import Command, OrderAccepted, OrderDone, PlaceOrder, Traded
from exchange.core.terms import BUY, DONE_REASONS, IOC, MARKET, SELL, SIDES
from exchange.core.units import MICRO
from exchange.directory import Directory
from exchange.errors import ConnectionLost, ExchangeError
from tradecli.tui.figures import grouped, refusal_text, trimmed
from tradecli.tui.link import ORDERS, Link, State
from tradecli.tui.mirror import Mirror

Preview: TypeAlias = Mapping[str, Any]

DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class ClientIds:
    """Client order ids nobody else draws: the moment the screen opened, and a count.

    now: wall time in nanoseconds.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._stem = _base36(now() // MICRO)
        self._count = 0

    def draw(self) -> str:
        self._count += 1
        return f"ui-{self._stem}-{self._count}"


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, at = divmod(value, 36)
        digits = DIGITS[at] + digits
    return digits or "0"


class Previewer:
    """Keeps one preview under way; while it is, only the newest wish waits.

    changed: called with (command, answer) when there is one for the newest wish.
    """

    def __init__(self, link: Link, changed: Callable[[Command, Preview], None]) -> None:
        self._link = link
        self._changed = changed
        self._wanted: tuple[Command, Mapping[str, Any]] | None = None
        self._is_busy = False

    def ask(self, command: Command, directory: Directory) -> None:
        self._wanted = (command, command_to_json(command, directory))
        if not self._is_busy:
            self._next()

    def stop(self) -> None:
        self._wanted = None

    def _next(self) -> None:
        if self._wanted is None or self._link.state is not State.LIVE:
            self._is_busy = False
            return
        (command, order), self._wanted = self._wanted, None
        self._is_busy = True

        def ask(client: Client) -> Preview:
            answer: Preview = client.query("preview", order=order)
            return answer

        def done(answer: Preview) -> None:
            if self._wanted is None:
                self._changed(command, answer)
            self._next()

        def failed(error: ExchangeError) -> None:
            if self._wanted is None and not isinstance(error, ConnectionLost):
                self._changed(command, {"ok": False, "code": "preview", "message": str(error)})
            self._next()

        self._link.call(ORDERS, ask, done, failed)


def outcome_text(receipt: Receipt, command: Command, directory: Directory) -> tuple[str, str]:
    """One sentence about an answer, and the palette field it is shown in."""
    if receipt.reject is not None:
        if receipt.reject.reason == "order.exists":
            return f"placed already as #{receipt.order_id}", "warn"
        row = reject_to_json(receipt.reject, command, directory)
        return refusal_text(row), "error"
    accepted = next((event for event in receipt.events if isinstance(event, OrderAccepted)), None)
    if accepted is None:
        return _changed_text(receipt), "up"
    order = accepted.order
    symbol = directory.instruments[order.instrument].symbol
    quantity = trimmed(grouped(directory.quantity_text(order.instrument, order.quantity)))
    text = f"#{accepted.order_id} {SIDES[order.side]} {quantity} {symbol}"
    lots = sum(
        event.quantity
        for event in receipt.events
        if isinstance(event, Traded) and event.taker_order_id == accepted.order_id
    )
    ends = [e for e in receipt.events if isinstance(e, OrderDone) and e.order_id == accepted.order_id]
    if lots == order.quantity:
        return f"{text} filled", "up"
    filled = trimmed(grouped(directory.quantity_text(order.instrument, lots)))
    state = DONE_REASONS[ends[0].reason].replace("_", " ") if ends else "working"
    return f"{text} {state}" + (f", {filled} filled" if lots else ""), "warn" if ends else "up"


def _changed_text(receipt: Receipt) -> str:
    ended = [event.order_id for event in receipt.events if isinstance(event, OrderDone)]
    if len(ended) == 1:
        return f"#{ended[0]} canceled"
    return f"{len(ended)} orders canceled" if ended else "done"


def closing_orders(mirror: Mirror) -> list[PlaceOrder]:
    """One market order per open position that trades it away."""
    return [
        PlaceOrder(
            mirror.account,
            number,
            SELL if position.quantity > 0 else BUY,
            MARKET,
            abs(position.quantity),
            tif=IOC,
        )
        for number, position in mirror.positions.items()
        if position.quantity
    ]
