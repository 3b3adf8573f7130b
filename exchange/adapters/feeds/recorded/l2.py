"""Recorded Binance depth and trade streams as external liquidity.

The depth stream says how much rests at a price: one order of the recorded book per level, more
joins behind it, less is taken from the newest.  A trade is an immediate-or-cancel order of the
recorded taker and may hit a person's order that stands first; the next depth update makes the
levels it touched, and those a person has taken from, again what is recorded.  The streams are put
in the order of the exchange's own clock: a trade comes before the depth update that contains it.

Lines: ``receive_ns {json}``, https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final, NamedTuple

from exchange.adapters.feeds.recorded.desk import Demand, Desk
from exchange.adapters.feeds.recorded.ladder import Ladder
from exchange.adapters.feeds.recorded.source import Source, decimals_of, scaled, shown, whole
from exchange.adapters.feeds.recorded.timeline import Timeline
from exchange.client import Receipt
from exchange.core.messages import LevelChanged, OrderAccepted, OrderDone, Traded
from exchange.core.state.root import State
from exchange.core.terms import BUY, SELF_TRADE, SELL
from exchange.core.units import Lots, Nanos, Ticks
from exchange.directory import decimal_text
from exchange.runtime.ports import Request

DECIMALS: Final = 8  # of every price and quantity on this exchange
MILLI: Final = 1_000_000
WINDOW: Final = 1_000  # milliseconds by which the two streams may arrive out of step
EARLY_MAX: Final = 1_000  # depth updates that may come before the snapshot they belong to
BEST: Final = "bookTicker"

Level = tuple[int, int]  # price and quantity, 10**-8


class Trade(NamedTuple):
    """side: of the aggressor.   at: milliseconds of the exchange's clock."""

    line: int
    at: int
    side: int
    price: int
    quantity: int


class Depth(NamedTuple):
    """first, last: update ids.   is_whole: a snapshot, which replaces everything."""

    line: int
    at: int
    first: int
    last: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    is_whole: bool = False


class Best(NamedTuple):
    """Best bid and ask after the update of this id."""

    line: int
    update: int
    bid: Level
    ask: Level


def read_lines(source: Source) -> Iterator[Trade | Depth | Best]:
    """In the order of arrival.  A snapshot carries the time of the update before it.

    Raises DataError with the line for anything else.
    """
    before = at = 0
    for line, text in source.lines():
        try:
            stamp, space, body = text.partition(" ")
            received = whole(stamp, "receive time") if space else 0
            if not space or received < before:
                raise ValueError(
                    "the receive time goes back" if space else "a line is a time, a space and JSON"
                )
            message = _message(line, at, _object(body))
        except ValueError as why:
            raise source.error(str(why), line) from None
        before = received
        if not isinstance(message, Best):
            at = max(at, message.at)
        yield message


def _object(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (json.JSONDecodeError, RecursionError):
        raise ValueError("what follows the time is not JSON") from None
    inner = found.get("data", found) if isinstance(found, dict) else None
    if not isinstance(inner, dict):
        raise ValueError("what follows the time is not a message of a stream")
    return inner


def _message(line: int, at: int, row: dict[str, Any]) -> Trade | Depth | Best:
    try:
        match row.get("e", BEST):
            case "trade":
                price, quantity = _level((row["p"], row["q"]))
                if not price or not quantity or not isinstance(row["m"], bool):
                    raise ValueError("a trade has a price, a quantity and a side")
                return Trade(line, _count(row["T"]), SELL if row["m"] else BUY, price, quantity)
            case "depthUpdate":
                first, last = _count(row["U"]), _count(row["u"])
                if last < first:
                    raise ValueError(f"update ids {first} to {last} go back")
                return Depth(line, _count(row["E"]), first, last, _levels(row["b"]), _levels(row["a"]))
            case "bookTicker" if "lastUpdateId" in row:
                last = _count(row["lastUpdateId"])
                return Depth(line, at, last, last, _levels(row["bids"]), _levels(row["asks"]), is_whole=True)
            case "bookTicker":
                return Best(
                    line, _count(row["u"]), _level((row["b"], row["B"])), _level((row["a"], row["A"]))
                )
            case other:
                raise ValueError(f"stream event {shown(str(other))} is not depthUpdate, trade or bookTicker")
    except KeyError as missing:
        raise ValueError(f"the message has no field {missing}") from None


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{ascii(value)[:40]} is not a whole number")
    return value


def _levels(rows: Any) -> tuple[Level, ...]:
    if not isinstance(rows, list):
        raise ValueError("levels are a list of pairs")
    return tuple([_level(row) for row in rows])


def _level(row: Any) -> Level:
    if not isinstance(row, Sequence) or len(row) != 2 or not all(isinstance(text, str) for text in row):
        raise ValueError(f"a level is a pair of decimal texts, not {ascii(row)[:40]}")
    price = scaled(row[0], DECIMALS, "price")
    if not price:
        raise ValueError("a price must be above zero")
    return price, scaled(row[1], DECIMALS, "quantity")


def in_order(lines: Iterator[Trade | Depth | Best]) -> Iterator[Trade | Depth]:
    """By the exchange's clock, the snapshot first, without what it already contains."""
    waiting: list[tuple[int, int, int, Trade | Depth]] = []
    newest = 0
    for message in _snapshot_first(lines):
        turn = 1 if isinstance(message, Trade) else 0 if message.is_whole else 2
        heappush(waiting, (message.at, turn, message.line, message))
        newest = max(newest, message.at)
        while waiting[0][0] < newest - WINDOW:
            yield heappop(waiting)[3]
    while waiting:
        yield heappop(waiting)[3]


def _snapshot_first(lines: Iterator[Trade | Depth | Best]) -> Iterator[Trade | Depth]:
    early: list[Trade | Depth] = []
    snapshot: Depth | None = None
    events = (message for message in lines if not isinstance(message, Best))
    for message in events:
        if snapshot is None and isinstance(message, Depth) and message.is_whole:
            snapshot = message
        else:
            early.append(message)
        if (snapshot is not None and early) or len(early) >= EARLY_MAX:
            break
    if snapshot is not None:
        at = min((message.at for message in early), default=WINDOW)
        yield snapshot._replace(at=at - WINDOW)  # before all that may still arrive out of step
    for message in early:
        if snapshot is None or isinstance(message, Trade) or message.last > snapshot.last:
            yield message
    yield from events


class Extent(NamedTuple):
    """Decimals in use."""

    price_decimals: int
    quantity_decimals: int


def extent_of(source: Source) -> Extent:
    """Reads the whole file.  Raises DataError."""
    prices = quantities = 0
    ones: set[Level] = set()
    count = 0
    for message in read_lines(source):
        if isinstance(message, Best):
            continue
        count += 1
        if isinstance(message, Trade):
            ones.add((message.price, message.quantity))
        else:
            ones.update(message.bids, message.asks)
        if len(ones) > 1 << 16:
            prices, quantities = _decimals(ones, prices, quantities)
            ones.clear()
    if not count:
        raise source.error("has neither depth updates nor trades")
    return Extent(*_decimals(ones, prices, quantities))


def _decimals(levels: set[Level], prices: int, quantities: int) -> tuple[int, int]:
    for price, quantity in levels:
        if price % 10 ** (DECIMALS - prices):
            prices = _used(price)
        if quantity % 10 ** (DECIMALS - quantities):
            quantities = _used(quantity)
    return prices, quantities


def _used(value: int) -> int:
    return decimals_of(f"0.{value % 10**DECIMALS:0{DECIMALS}d}")


class L2Feed:
    """Feed (``exchange.runtime.ports``) of one file.

    updates: depth updates so far.   last: update id of the newest.   gaps: how often ids were
    missing; the book then starts anew from the update after the gap.
    """

    def __init__(self, path: Path, instrument: str) -> None:
        """Reads the file once.  Raises DataError for a line that is not of its format."""
        self.source = Source(path)
        prices, quantities = extent_of(self.source)
        self.desk = Desk(instrument, Demand(1, prices, 1, quantities))
        self.updates = 0
        self.last = 0
        self.gaps = 0
        self._ladder = Ladder(self.desk, self._entered)
        self._wanted: dict[tuple[int, Ticks], Lots] = {}
        self._dirty: dict[tuple[int, Ticks], None] = {}
        self._lines = in_order(read_lines(self.source))
        self._next = next(self._lines, None)
        self._timeline = Timeline()
        self._last_trade = 0
        self._is_fit = False
        self._power = self._parts = self._tick = self._lot = 1

    def prepare(self, state: State) -> list[Request]:
        requests = self.desk.prepare(state)
        if not requests and not self._is_fit:
            self._check_fit()
            self._is_fit = True
        return requests

    def due(self) -> Nanos | None:
        return None if self._next is None else self._timeline.due(self._next.at * MILLI)

    def step(self, state: State, now: Nanos) -> list[Request]:
        """One trade or one depth update."""
        self.desk.state = state
        message = self._next
        if message is not None:
            self._next = next(self._lines, None)
            self._timeline.reach(message.at * MILLI, now)
            if isinstance(message, Depth):
                self._update(message)
            elif lots := self._lots(message.quantity):
                self.desk.take(message.side, self._ticks(message.price), lots, self._traded)
        return self.desk.flush()

    def answered(self, receipts: Sequence[Receipt]) -> None:
        self.desk.answered(receipts)
        self._last_trade = self.desk.state.last_trade_id

    def _update(self, message: Depth) -> None:
        if self.last and message.first > self.last + 1 and not message.is_whole:
            self.gaps += 1
            self.desk.cancel_all()
            self._ladder.levels.clear()
            self._wanted.clear()
            self._dirty.clear()
        elif message.last <= self.last:
            return
        self.last = message.last
        self.updates += not message.is_whole
        if self._last_trade != self.desk.state.last_trade_id:
            self._look_for_takers()
        changes = {place: self._wanted.get(place, 0) for place in self._dirty}
        if message.is_whole:
            changes.update(dict.fromkeys(self._wanted, 0))
        self._dirty.clear()
        for side, levels in ((BUY, message.bids), (SELL, message.asks)):
            for price, quantity in levels:
                changes[side, self._ticks(price)] = self._lots(quantity)
        # What leaves goes first, so that nothing new meets a level that is no longer there.
        for (side, price), lots in changes.items():
            if lots < self._wanted.get((side, price), 0):
                self._ladder.settle(side, price, lots)
        for (side, price), lots in changes.items():
            if lots >= self._wanted.get((side, price), 0):
                self._ladder.settle(side, price, lots)
            if lots:
                self._wanted[side, price] = lots
            else:
                self._wanted.pop((side, price), None)

    def _look_for_takers(self) -> None:
        """Somebody traded since the last step, perhaps with levels of this book."""
        for (side, price), lots in self._wanted.items():
            if self._ladder.leaves(side, price) != lots:
                self._dirty[side, price] = None

    def _traded(self, receipt: Receipt) -> None:
        for event in receipt.events:
            if isinstance(event, Traded):
                self._dirty[SELL if event.taker_side == BUY else BUY, event.price] = None

    def _entered(self, receipt: Receipt) -> None:
        """A level that a new one crosses is outdated, unless it is a person's that it trades with."""
        is_outdated = False
        for event in receipt.events:
            if isinstance(event, OrderAccepted):
                self._dirty_if_partly(event, receipt)
            elif isinstance(event, OrderDone) and event.reason == SELF_TRADE:
                is_outdated = True
            elif (
                isinstance(event, LevelChanged)
                and is_outdated
                and not self._ladder.leaves(event.side, event.price)
            ):
                self._wanted.pop((event.side, event.price), None)

    def _dirty_if_partly(self, accepted: OrderAccepted, receipt: Receipt) -> None:
        if any(isinstance(event, Traded) for event in receipt.events):
            self._dirty[accepted.order.side, accepted.limit] = None

    # -- sizes -----------------------------------------------------------------------------------

    def _ticks(self, price: int) -> Ticks:
        return price * self._power // self._tick

    def _lots(self, quantity: int) -> Lots:
        """Rounded down: dust below a lot cannot be traded."""
        return quantity * self._parts // self._lot

    def _check_fit(self) -> None:
        instrument = self.desk.instrument
        self._power = 10**instrument.price_decimals
        self._parts = 10**instrument.quantity_decimals
        self._tick = 10**DECIMALS * instrument.tick_units
        self._lot = 10**DECIMALS * instrument.lot_units
        if instrument.tick_units == 1 and instrument.price_decimals >= self.desk.demand.price_decimals:
            return
        for message in read_lines(self.source):
            if isinstance(message, Best):
                continue
            levels = (*message.bids, *message.asks) if isinstance(message, Depth) else ((message.price, 0),)
            for price, _ in levels:
                if price * self._power % self._tick:
                    what = f"price {decimal_text(price, DECIMALS)}"
                    raise self.source.error(self.desk.misfit(what), message.line)
