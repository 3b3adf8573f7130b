"""LOBSTER message files (NASDAQ order by order) as a feed.

Each recorded order is an order of the recorded book; an execution is an immediate-or-cancel order
of the recorded taker, so a person's order that stands first is hit instead.  Afterwards the
recorded order is as small as the recording says.  Hidden executions, crosses and halts leave the
visible book as it is.  With the orderbook file the book starts from its first row and follows the
levels its rows show, also those whose orders entered out of sight of the message file.

Formats: LOBSTER output description, https://lobsterdata.com/info/DataStructure.php
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from exchange.adapters.feeds.recorded.desk import Demand, Desk, Own
from exchange.adapters.feeds.recorded.ladder import Ladder
from exchange.adapters.feeds.recorded.source import Source, scaled, shown, whole
from exchange.adapters.feeds.recorded.timeline import Timeline
from exchange.client import Receipt
from exchange.core.instrument import Instrument
from exchange.core.state.root import State
from exchange.core.terms import BUY, SELL
from exchange.core.units import Lots, Nanos, Ticks
from exchange.directory import decimal_text
from exchange.runtime.ports import Request

ADD: Final = 1
REDUCE: Final = 2
DELETE: Final = 3
EXECUTE: Final = 4
TYPES: Final = range(1, 8)
VISIBLE: Final = (ADD, REDUCE, DELETE, EXECUTE)
PRICE_DECIMALS: Final = 4
PRICE_UNIT: Final = 10**PRICE_DECIMALS
DUMMY: Final = "9999999999"  # price of an empty level, with a minus on the bid side
DEMAND: Final = Demand(tick_units=1, price_decimals=2)

Level = tuple[int, int]  # price in ten-thousandths, size in shares


class Message(NamedTuple):
    """price: ten-thousandths.   side: of the resting order."""

    line: int
    ts: Nanos
    type: int
    name: int
    size: int
    price: int
    side: int


class Row(NamedTuple):
    """The book after a message, best level first."""

    asks: list[Level]
    bids: list[Level]


def is_message(fields: Sequence[str]) -> bool:
    """Do the fields of a line look like a message?"""
    return len(fields) == 6 and fields[1] in ("1", "2", "3", "4", "5", "6", "7") and fields[5] in ("1", "-1")


def read_messages(source: Source) -> Iterator[Message]:
    """Raises DataError with the line for anything else."""
    before = 0
    for line, text in source.lines():
        try:
            message = _message(line, text.split(","))
            if message.ts < before:
                raise ValueError("the time goes back")
        except ValueError as why:
            raise source.error(str(why), line) from None
        before = message.ts
        yield message


def _message(line: int, fields: list[str]) -> Message:
    if len(fields) != 6:
        raise ValueError(f"a message has 6 fields, not {len(fields)}")
    time, kind, name, size, price, direction = fields
    number = whole(kind, "type")
    if number not in TYPES:
        raise ValueError(f"type {number} is not 1 to 7")
    if direction not in ("1", "-1"):
        raise ValueError(f"direction {shown(direction)} is not 1 or -1")
    side = BUY if direction == "1" else SELL
    if number not in VISIBLE:
        return Message(line, scaled(time, 9, "time"), number, 0, 0, 0, side)
    lots, ticks = whole(size, "size"), whole(price, "price")
    if not lots or not ticks:
        raise ValueError("size and price must be above zero")
    return Message(line, scaled(time, 9, "time"), number, whole(name, "order id"), lots, ticks, side)


def read_rows(source: Source) -> Iterator[Row]:
    """Raises DataError with the line for anything else."""
    width = 0
    for line, text in source.lines():
        fields = text.split(",")
        width = width or len(fields)
        try:
            if len(fields) % 4 or len(fields) != width:
                raise ValueError(
                    f"a row has 4 fields per level, {width} like the first row, not {len(fields)}"
                )
            yield Row(_levels(fields[0::4], fields[1::4]), _levels(fields[2::4], fields[3::4]))
        except ValueError as why:
            raise source.error(str(why), line) from None


def _levels(prices: list[str], sizes: list[str]) -> list[Level]:
    return [
        (whole(price, "price"), whole(size, "size"))
        for price, size in zip(prices, sizes, strict=True)
        if price.removeprefix("-") != DUMMY and size != "0"
    ]


def levels_of(source: Source) -> int:
    """Levels on each side of an orderbook file."""
    for _, text in islice(source.lines(), 1):
        return len(text.split(",")) // 4
    raise source.error("is empty")


class LobsterFeed:
    """Feed (``exchange.runtime.ports``) of a message file and, if given, its orderbook file.

    Without the orderbook file the book starts empty, and what happens to orders from before the
    file is left out: their queue is not known.
    """

    def __init__(self, messages: Path, instrument: str, book: Path | None = None) -> None:
        """Reads both files once.  Raises DataError for a line that is not of their format."""
        self.source = Source(messages)
        self.rows = None if book is None else Source(book)
        self.desk = Desk(instrument, DEMAND)
        self._check()
        self._ladder = Ladder(self.desk)
        self._named: dict[int, Own] = {}
        self._messages = read_messages(self.source)
        self._next = next(self._messages, None)
        self._row_of = iter(()) if self.rows is None else read_rows(self.rows)
        self._is_seeded = self.rows is None
        self._is_fit = False
        self._timeline = Timeline()
        self._ts: Nanos = 0
        self._touched: Own | None = None
        self._row: Row | None = None

    def _check(self) -> None:
        count = sum(1 for _ in read_messages(self.source))
        if not count:
            raise self.source.error("is empty")
        if self.rows is not None:
            rows = sum(1 for _ in read_rows(self.rows))
            if rows != count:
                raise self.rows.error(f"has {rows} rows for {count} messages")

    def prepare(self, state: State) -> list[Request]:
        requests = self.desk.prepare(state)
        if not requests and not self._is_fit:
            self._check_fit(self.desk.instrument)
            self._is_fit = True
        return requests

    def due(self) -> Nanos | None:
        if self._touched is not None or self._row is not None:
            return self._timeline.due(self._ts)
        return None if self._next is None else self._timeline.due(self._next.ts)

    def step(self, state: State, now: Nanos) -> list[Request]:
        """One message, or what its answers leave to put right."""
        self.desk.state = state
        if self._touched is not None:
            self._shrink(self._touched)
        elif self._row is not None:
            self._follow(BUY, self._row.bids)
            self._follow(SELL, self._row.asks)
            self._row = None
        elif self._next is not None:
            self._ts = self._next.ts
            self._timeline.reach(self._ts, now)
            message, self._next = self._next, next(self._messages, None)
            self._row = next(self._row_of, None)
            if self._is_seeded:
                self._play(message)
            self._is_seeded = True  # the first row is the book after the first message
        return self.desk.flush()

    def answered(self, receipts: Sequence[Receipt]) -> None:
        self.desk.answered(receipts)

    def _play(self, message: Message) -> None:
        if message.type not in VISIBLE:
            return
        side, price, size = message.side, self._ticks(message.price), self._lots(message.size)
        if message.type == ADD:
            self._named[message.name] = Own(side, price, size, message.name)
            self._ladder.place(self._named[message.name])
            return
        own = self._named.get(message.name)
        if own is not None:
            own.size = 0 if message.type == DELETE else max(0, own.size - size)
            self._touched = own
            if not own.size:
                del self._named[message.name]
        if message.type == EXECUTE:
            if own is not None or self.rows is not None:
                self.desk.take(SELL if side == BUY else BUY, price, size)
        elif own is None:
            self._ladder.lessen(side, price, size)
        else:
            self._shrink(own)

    def _shrink(self, own: Own) -> None:
        """A person may have stood in front: the recorded order gets as small as recorded all the same."""
        self._touched = None
        if self.desk.leaves(own) > own.size:
            self.desk.change(own, own.size)
        if not own.size:
            self._ladder.remove(own)

    def _follow(self, side: int, levels: list[Level]) -> None:
        wanted = {self._ticks(price): self._lots(size) for price, size in levels}
        if not wanted:
            return
        self._ladder.drop_outside(side, set(wanted), min(wanted) if side == BUY else max(wanted))
        for price, size in wanted.items():
            if self._ladder.leaves(side, price) != size:
                self._ladder.settle(side, price, size)

    def _ticks(self, price: int) -> Ticks:
        instrument = self.desk.instrument
        power: int = 10**instrument.price_decimals
        return price * power // (PRICE_UNIT * instrument.tick_units)

    def _lots(self, size: int) -> Lots:
        instrument = self.desk.instrument
        power: int = 10**instrument.quantity_decimals
        return size * power // instrument.lot_units

    def _check_fit(self, instrument: Instrument) -> None:
        tick = PRICE_UNIT * instrument.tick_units
        power: int = 10**instrument.price_decimals
        shares: int = 10**instrument.quantity_decimals
        for message in read_messages(self.source):
            if message.price * power % tick:
                what = f"price {decimal_text(message.price, PRICE_DECIMALS)}"
            elif message.size * shares % instrument.lot_units:
                what = f"size {message.size}"
            else:
                continue
            raise self.source.error(self.desk.misfit(what), message.line)
