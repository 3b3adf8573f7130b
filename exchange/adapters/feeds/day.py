"""The headless driver: a whole day of any feed on a fresh engine, in virtual time, as fast as it goes.

Nothing here reads a clock, so the same feed and the same set-up give the same bytes on any day and
any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from exchange.client import Receipt
from exchange.codec import EventDigest, state_digest
from exchange.core.engine import Engine
from exchange.core.messages import Event, Record, Reject, Rejected, Traded
from exchange.core.state.root import State
from exchange.core.terms import REASONS
from exchange.core.units import MICRO, SECOND, Nanos, Ticks
from exchange.errors import DataError, ExchangeError
from exchange.runtime.ports import Feed, Request

DAY_START: Final[Nanos] = 1_767_571_200 * SECOND  # 2026-01-05T00:00:00Z, a Monday
ROUNDS_MAX: Final = 1_000  # of a feed's preparation
PROGRESS: Final[Nanos] = SECOND  # market time between two reports

Progress = Callable[[Nanos, Nanos], None]  # market time done, market time in all


class DayResult(NamedTuple):
    """seq: records in all.   events, trades, rejects: how many.   digest: of each record and its events.
    last: ticks of the last trade by symbol, 0 before one.   seconds: whole ones of market time.
    """

    seq: int
    events: int
    trades: int
    rejects: int
    digest: str
    state_digest: str
    last: dict[str, Ticks]
    seconds: int
    state: State


class Day:
    """One engine with a virtual clock; its records carry the clock's time."""

    __slots__ = ("_digest", "_engine", "events", "now", "rejects", "state", "trades")

    def __init__(self, start: Nanos) -> None:
        assert start % MICRO == 0
        self._engine = Engine()
        self._digest = EventDigest()
        self.state = self._engine.state
        self.now = start
        self.events = 0
        self.trades = 0
        self.rejects = 0

    def send(self, requests: Iterable[Request]) -> list[Receipt]:
        """Apply at the present virtual time."""
        receipts: list[Receipt] = []
        for actor, command in requests:
            record = Record(self.state.seq + 1, self.now, actor, command)
            events = self._engine.apply(record)
            self._digest.add(record, events)
            receipts.append(Receipt(record.seq, record.ts, events, self._count(record, events)))
        return receipts

    def _count(self, record: Record, events: list[Event]) -> Reject | None:
        """The reject of the command itself, if it has one; a due timer may have another."""
        self.events += len(events)
        for event in events:
            if isinstance(event, Traded):
                self.trades += 1
        final = events[-1] if events else None
        if isinstance(final, Rejected) and final.command is record.command:
            self.rejects += 1
            return final.reject
        return None

    def result(self, start: Nanos) -> DayResult:
        state = self.state
        return DayResult(
            seq=state.seq,
            events=self.events,
            trades=self.trades,
            rejects=self.rejects,
            digest=self._digest.hexdigest(),
            state_digest=state_digest(state),
            last={book.instrument.symbol: book.last for book in state.books},
            seconds=(self.now - start) // SECOND,
            state=state,
        )


def run_day(
    feed: Feed,
    *,
    commands: Iterable[Request],
    start: Nanos,
    until: Nanos,
    progress: Progress | None = None,
) -> DayResult:
    """Set up, prepare the feed and drive it from start to until, both engine time.

    Steps stamped up to and including ``until`` are taken; a feed may end sooner.
    Raises DataError for a refused set-up command, ExchangeError for a feed that cannot get ready.
    """
    day = Day(start)
    for receipt in day.send(commands):
        if receipt.reject is not None:
            raise DataError(f"set-up command {receipt.seq} was refused: {REASONS[receipt.reject.reason]}")
    _prepare(day, feed)
    reported = start
    while (due := feed.due()) is not None and due <= until:
        if due > day.now:
            day.now = due
        feed.answered(day.send(feed.step(day.state, day.now)))
        if progress is not None and day.now - reported >= PROGRESS:
            reported = day.now
            progress(day.now - start, until - start)
    if feed.due() is not None:
        day.now = max(day.now, until)
    if progress is not None:
        progress(day.now - start, day.now - start)
    return day.result(start)


def _prepare(day: Day, feed: Feed) -> None:
    for _ in range(ROUNDS_MAX):
        requests = feed.prepare(day.state)
        if not requests:
            return
        for receipt in day.send(requests):
            if receipt.reject is not None:
                raise ExchangeError(f"the feed cannot get ready: {REASONS[receipt.reject.reason]}")
    raise ExchangeError(f"the feed is not ready after {ROUNDS_MAX} rounds of preparation")
