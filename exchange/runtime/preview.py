"""Exact preview: the engine itself applies the order to a copy-on-write fork of the book.

What it says is what would happen if the order came next, to the last unit; nothing is sent.
"""

from __future__ import annotations

from typing import Any

from exchange.codec import event_to_json, reject_to_json
from exchange.core.engine import Engine
from exchange.core.messages import (
    CancelOrder,
    Command,
    Event,
    ModifyOrder,
    OrderAccepted,
    OrderDone,
    OrderModified,
    PlaceOrder,
    Record,
    Rejected,
    ReplaceOrder,
    Traded,
)
from exchange.core.state.book import Book
from exchange.core.state.copying import fork
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.terms import BUY, FEES_ACCOUNT, SIDES
from exchange.core.units import PPM, half_even_div
from exchange.directory import Directory
from exchange.errors import DataError

PREVIEWED = (PlaceOrder, CancelOrder, ModifyOrder, ReplaceOrder)


class Preview:
    """The events the command would cause and the state after it; both of a throw-away fork."""

    __slots__ = ("before", "command", "events", "reject", "state")

    def __init__(self, before: State, state: State, command: Command, events: list[Event]) -> None:
        self.before = before
        self.state = state
        self.command = command
        self.events = events
        rejects = [e.reject for e in events if isinstance(e, Rejected) and e.command is command]
        self.reject = rejects[0] if rejects else None

    def row(self, directory: Directory) -> dict[str, Any]:
        """The answer of the query ``preview``: decimals as text, ``ok`` false with the reject."""
        if self.reject is not None:
            return {"ok": False, **reject_to_json(self.reject, self.command, directory)}
        return {"ok": True, **_Outcome(self, directory).row()}


def preview(engine: Engine, actor: int, command: Command, ts: int) -> Preview:
    """Apply an order command at ts on a fork.  Timers due before ts must have fired.

    Raises DataError for a command that concerns no single book.
    """
    state = engine.state
    assert state.timers.next_due > ts
    if not isinstance(command, PREVIEWED):
        raise DataError("only order.place, order.modify, order.replace and order.cancel have a preview")
    instrument = instrument_of(state, command)
    if state.book(instrument) is None or state.account(command.account) is None:
        return Preview(state, state, command, _refused(state, actor, command, ts))
    forked = fork(state, instrument, (FEES_ACCOUNT, command.account))
    events = Engine(forked).apply(Record(state.seq + 1, max(ts, state.ts), actor, command))
    return Preview(state, forked, command, events)


def instrument_of(state: State, command: Command) -> int:
    """The instrument an order command is about; -1 if it names none that exists."""
    if isinstance(command, PlaceOrder):
        return command.instrument
    order_id = getattr(command, "order_id", 0)
    account = state.account(getattr(command, "account", -1))
    if not order_id and account is not None:
        known = account.client_orders.get(getattr(command, "client_order_id", ""))
        order_id = known.order_id if known is not None else 0
    order = state.order(order_id)
    return order.book.instrument.instrument_id if order is not None else -1


def _refused(state: State, actor: int, command: Command, ts: int) -> list[Event]:
    """The reject of a command that reaches no book; an empty exchange refuses it the same way."""
    bare = State()
    bare.users, bare.accounts, bare.books = state.users, state.accounts, state.books
    bare.seq, bare.ts = state.seq, state.ts
    bare.order_base, bare.orders = state.order_base, state.orders
    return Engine(bare).apply(Record(bare.seq + 1, max(ts, bare.ts), actor, command))


class _Outcome:
    """Reads the fork's events from the point of view of the order's own account."""

    def __init__(self, done: Preview, directory: Directory) -> None:
        self.done = done
        self.directory = directory
        self.order_id = _order_id_of(done)
        before = done.before.order(self.order_id)
        after = done.state.order(self.order_id)
        book = done.state.books[instrument_of(done.before, done.command)]
        self.instrument = book.instrument
        self.resting = after
        self.side = self._side(before)
        self.mid_twice = _mid_twice(done.before.books[self.instrument.instrument_id])
        self.fills = [e for e in done.events if isinstance(e, Traded) and e.taker_order_id == self.order_id]

    def _side(self, before: Order | None) -> int:
        if isinstance(self.done.command, PlaceOrder):
            return self.done.command.side
        order = before or self.resting
        if order is None:
            accepted = next(e for e in self.done.events if isinstance(e, OrderAccepted))
            return accepted.order.side
        return order.side

    def row(self) -> dict[str, Any]:
        number = self.instrument.instrument_id
        text = self.directory
        quantity = sum(fill.quantity for fill in self.fills)
        value = sum(fill.price * fill.quantity for fill in self.fills)
        resting = self.resting
        row: dict[str, Any] = {
            "symbol": self.instrument.symbol,
            "side": SIDES[self.side],
            "filled": text.quantity_text(number, quantity),
            "fills": self._levels(),
            "average_price": text.price_text(number, half_even_div(value, quantity)) if quantity else None,
            "notional": text.money_text(self.instrument.quote, value * self.instrument.unit),
            "fee": text.money_text(self.instrument.quote, sum(fill.taker_fee for fill in self.fills)),
            "slippage_bps": self._slippage(value, quantity),
            "resting": text.quantity_text(number, resting.leaves if resting else 0),
            "resting_at": text.price_text(number, resting.limit) if resting else None,
            "queue_ahead": text.quantity_text(number, queue_ahead(resting)) if resting else None,
            "balances": self._balances(),
        }
        ends = [e for e in self.done.events if isinstance(e, OrderDone) and e.order_id == self.order_id]
        row["done"] = event_to_json(ends[0], text)["reason"] if ends else None
        kept = [e for e in self.done.events if isinstance(e, OrderModified)]
        row["kept_priority"] = kept[0].kept_priority if kept else None
        return row

    def _levels(self) -> list[dict[str, str]]:
        """Fills added up by price, in the order they happen."""
        by_price: dict[int, list[int]] = {}
        for fill in self.fills:
            sums = by_price.setdefault(fill.price, [0, 0])
            sums[0] += fill.quantity
            sums[1] += fill.taker_fee
        number = self.instrument.instrument_id
        return [
            {
                "price": self.directory.price_text(number, price),
                "quantity": self.directory.quantity_text(number, quantity),
                "fee": self.directory.money_text(self.instrument.quote, fee),
            }
            for price, (quantity, fee) in by_price.items()
        ]

    def _slippage(self, value: int, quantity: int) -> str | None:
        """Average price against the mid before the order, in basis points; above zero is worse."""
        if not quantity or not self.mid_twice:
            return None
        # (average - mid) / mid, with the average as value / quantity and the mid as a half-tick sum.
        worse = 2 * value - self.mid_twice * quantity
        ppm = half_even_div(worse * PPM, self.mid_twice * quantity) * (1 if self.side == BUY else -1)
        return f"{'-' if ppm < 0 else ''}{abs(ppm) // 100}.{abs(ppm) % 100:02d}"

    def _balances(self) -> list[dict[str, str]]:
        command = self.done.command
        assert isinstance(command, PREVIEWED)
        account = command.account
        rows = []
        for asset in (self.instrument.base, self.instrument.quote):
            row = {"asset": self.directory.asset_symbol(asset)}
            for when, state in (("before", self.done.before), ("after", self.done.state)):
                balances = state.accounts[account].balances
                found = balances[asset] if asset < len(balances) else None
                posted, held = (found.posted, found.held) if found else (0, 0)
                row[f"posted_{when}"] = self.directory.money_text(asset, posted)
                row[f"held_{when}"] = self.directory.money_text(asset, held)
                row[f"available_{when}"] = self.directory.money_text(asset, posted - held)
            rows.append(row)
        return rows


def _order_id_of(done: Preview) -> int:
    for event in done.events:
        if isinstance(event, (OrderAccepted, OrderModified)):
            return event.order_id
    ends = [event for event in done.events if isinstance(event, OrderDone)]
    return ends[-1].order_id if ends else 0


def _mid_twice(book: Book) -> int:
    """Bid plus ask in ticks; the last price twice when a side is empty; 0 if there is no price."""
    bid, ask = book.best_bid(), book.best_ask()
    return bid + ask if bid and ask else 2 * book.last


def queue_ahead(order: Order) -> int:
    """Displayed lots that trade before a resting order at its price."""
    ahead = 0
    earlier = order.prev
    while earlier is not None:
        ahead += earlier.shown
        earlier = earlier.prev
    return ahead
