"""Drives the engine and the naive exchange with one stream and compares everything they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.core import commands as c
from exchange.core.engine import Engine
from exchange.core.events import EVENTS, Event, Traded
from exchange.core.messages import Record, Reject
from exchange.core.rules.matching import fillable
from exchange.core.rules.risk import effective_limit, sweep_bound
from exchange.core.state.root import State
from exchange.core.terms import BUY, SELL
from tests.reference.audit import Fold, audit, depth
from tests.reference.naive_book import Row
from tests.reference.naive_desk import NaiveDesk
from tests.reference.streams import Crowd, Step, opening

NAMES = {cls: name for name, cls in EVENTS.values()}


def row(event: Event) -> Row:
    """An event as the naive exchange writes it."""
    return (NAMES[type(event)], *(_plain(getattr(event, name)) for name, _ in event.FIELDS))


def _plain(value: Any) -> Any:
    if isinstance(value, Reject):
        return (value.reason, value.limit, value.actual, value.unit)
    if isinstance(value, c.Command):
        return show(value)
    return value


class Pair:
    """Both exchanges side by side; raises AssertionError at the first difference."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.naive = NaiveDesk()
        self.fold = Fold()
        self.rejected: dict[str, int] = {}

    def take(self, step: Step) -> list[Event]:
        wait, actor, command = step
        state = self.engine.state
        record = Record(state.seq + 1, state.ts + wait, actor, command)
        expected = [tuple(_plain(value) for value in row) for row in self.naive.apply(record)]
        forecast = self._forecast(record)
        events = self.engine.apply(record)
        seen = [row(event) for event in events]
        assert seen == expected, difference(seen, expected)
        if forecast is not None and not (seen and seen[-1][0] == "rejected"):
            assert forecast == self._outcome(events)
        for event in seen:
            if event[0] == "rejected":
                self.rejected[event[1][0]] = self.rejected.get(event[1][0], 0) + 1
        self.fold.take(self.engine, events)
        return events

    def check(self) -> None:
        """Compare the states; every record, or every few where time is short."""
        state = self.engine.state
        audit(state)
        self.fold.check_state(state)
        self._compare(state)

    def _compare(self, state: State) -> None:
        for account, each in enumerate(state.accounts):
            for asset in range(len(state.assets)):
                balance = each.balances[asset] if asset < len(each.balances) else None
                posted, held = (balance.posted, balance.held) if balance else (0, 0)
                assert posted == self.naive.posted[account, asset]
                if posted or held:
                    assert held == self.naive.held(account, asset)
        for instrument, book in enumerate(state.books):
            for side in (BUY, SELL):
                assert queue(book.bids if side == BUY else book.asks) == [
                    (order.order_id, order.leaves, order.shown)
                    for order in self.naive.queue(instrument, side)
                ]
                assert len(depth(book, side)) == len({o.limit for o in self.naive.queue(instrument, side)})

    def _forecast(self, record: Record) -> tuple[int, int] | None:
        """What ``fillable`` says an order will trade, unless a timer fires first."""
        state, command = self.engine.state, record.command
        if not isinstance(command, c.PlaceOrder) or state.timers.next_due <= record.ts:
            return None
        account, book = state.account(command.account), state.book(command.instrument)
        if account is None or book is None or command.side not in (BUY, SELL):
            return None
        bound = sweep_bound(book, command.side, effective_limit(command, book))
        return fillable(book, account.owner, command.side, command.quantity, bound, command.stp)

    def _outcome(self, events: list[Event]) -> tuple[int, int]:
        trades = [event for event in events if isinstance(event, Traded)]
        unit = {at: book.instrument.unit for at, book in enumerate(self.engine.state.books)}
        return (
            sum(trade.quantity for trade in trades),
            sum(trade.quantity * trade.price * unit[trade.instrument] for trade in trades),
        )


def queue(side: Any) -> list[tuple[int, int, int]]:
    """(order id, leaves, shown) in the order in which they will trade."""
    found = []
    for key in reversed(side.keys):
        order = side.at(key).head
        while order is not None:
            found.append((order.order_id, order.leaves, order.shown))
            order = order.next
    return found


def difference(seen: list[Row], expected: list[Row]) -> str:
    lines = ["the engine and the naive exchange differ"]
    for at in range(max(len(seen), len(expected))):
        one = seen[at] if at < len(seen) else None
        two = expected[at] if at < len(expected) else None
        lines += [f"  engine {one}", f"  naive  {two}"] if one != two else [f"  both   {one}"]
    return "\n".join(lines)


def run(steps: Sequence[Step], every: int = 1) -> Pair:
    pair = Pair()
    for at, step in enumerate(steps):
        pair.take(step)
        if at % every == 0:
            pair.check()
    pair.check()
    return pair


def run_crowd(seed: int, count: int, every: int = 1) -> Pair:
    """A stream drawn while it runs.  A failure is shrunk and told with its seed."""
    crowd, pair, steps = Crowd(seed), Pair(), opening()
    first = len(steps)
    try:
        for step in steps:
            pair.take(step)
        for at in range(count):
            crowd.orders_seen = pair.engine.state.next_order_id - 1
            crowd.live = [(order.order_id, order.account) for order in pair.naive.orders]
            steps.append(crowd.step())
            pair.take(steps[-1])
            if at % every == 0:
                pair.check()
        pair.check()
    except Exception as failure:
        shortest = shrink(steps[first:])
        told = "\n".join(f"  +{wait} user {actor}: {show(command)}" for wait, actor, command in shortest)
        raise AssertionError(
            f"seed {seed}, shortest stream after the opening:\n{told}\n{failure!r}"
        ) from failure
    return pair


def shrink(steps: list[Step]) -> list[Step]:
    """The same failure with as few steps as can be found by leaving parts out."""

    def fails(kept: list[Step]) -> bool:
        try:
            run([*opening(), *kept])
        except Exception:  # noqa: BLE001 - any failure counts, a crash of the engine most of all
            return True
        return False

    size = len(steps) // 2
    while size:
        at = 0
        while at < len(steps):
            without = steps[:at] + steps[at + size :]
            if fails(without):
                steps = without
            else:
                at += size
        size //= 2
    return steps


def show(command: c.Command) -> str:
    fields = ", ".join(f"{name}={getattr(command, name)!r}" for name, _ in command.FIELDS)
    return f"{type(command).__name__}({fields})"
