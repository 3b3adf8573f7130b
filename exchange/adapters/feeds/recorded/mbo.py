"""CME market by order, as Databento writes it, as a feed of individual orders.

Adds, modifies and cancels are orders of the recorded book; a trade is an immediate-or-cancel order
of the recorded taker.  Orders before the opening auction would cross, so they are only kept until
it is over and then enter the book in the order of their priority.  A modify that changes the price
or makes the order larger loses its place, one that makes it smaller does not.

Format: Databento MBO schema, https://databento.com/docs/schemas-and-data-formats/mbo
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exchange.adapters.feeds.recorded.desk import Demand, Desk, Own
from exchange.adapters.feeds.recorded.ladder import Ladder
from exchange.adapters.feeds.recorded.source import Source, decimals_of, scaled, shown, whole
from exchange.adapters.feeds.recorded.timeline import Timeline
from exchange.client import Receipt
from exchange.core.messages import OrderDone, Traded
from exchange.core.state.root import State
from exchange.core.terms import BUY, SELF_TRADE, SELL
from exchange.core.units import Lots, Nanos, Ticks
from exchange.directory import decimal_text
from exchange.runtime.ports import Request

HEADER: Final = "ts_event_ns,sequence,action,side,price,size,order_id,flags"
PRICE_DECIMALS: Final = 9
ACTIONS: Final = "ACMTFR"
SIDES: Final = {"B": BUY, "A": SELL, "N": 0}
LAST: Final = 128  # flag of the last record of an exchange event
SNAPSHOT: Final = 32  # flag of the opening snapshot
SEED_MAX: Final = 1_000  # orders that enter the book in one step
CONTRACTS: Final = {"ES": 50, "NQ": 20, "YM": 5, "RTY": 50, "CL": 1000, "GC": 100, "MES": 5, "MNQ": 2}

Fill = tuple[int, Lots, Ticks]  # order id of the recording, size, price


class Entry(NamedTuple):
    """One record.  price: 10**-9.   side: 0 for none; of the aggressor for a trade.

    fills: of a trade, the resting orders it hit, as recorded.
    """

    line: int
    ts: Nanos
    action: str
    side: int
    price: int
    size: int
    name: int
    flags: int
    fills: tuple[tuple[int, int, int], ...] = ()


class Extent(NamedTuple):
    """opening: line up to which orders are only kept.   tick: largest that fits all prices, 10**-9.

    decimals: of the tick.   records: after the opening.
    """

    opening: int
    tick: int
    decimals: int
    records: int


def read_entries(source: Source) -> Iterator[Entry]:
    """Fills come inside the trade before them.  Raises DataError with the line for anything else."""
    before = 0
    trade: Entry | None = None
    fills: list[tuple[int, int, int]] = []
    for line, text in source.lines():
        if line == 1:
            if text != HEADER:
                raise source.error(f"the columns are not {HEADER}", line)
            continue
        try:
            entry = _entry(line, text.split(","))
            if entry.ts < before:
                raise ValueError("the time goes back")
        except ValueError as why:
            raise source.error(str(why), line) from None
        before = entry.ts
        if entry.action == "F":
            if trade is not None and entry.name != trade.name:  # an order that rested may be the aggressor
                fills.append((entry.name, entry.size, entry.price))
            continue
        if trade is not None:
            yield trade._replace(fills=tuple(fills))
        trade, fills = (entry, []) if entry.action == "T" else (None, [])
        if trade is None:
            yield entry
    if trade is not None:
        yield trade._replace(fills=tuple(fills))


def _entry(line: int, fields: list[str]) -> Entry:
    if len(fields) != 8:
        raise ValueError(f"a record has 8 fields, not {len(fields)}")
    ts, _, action, side, price, size, name, flags = fields
    if len(action) != 1 or action not in ACTIONS:
        raise ValueError(f"action {shown(action)} is none of {', '.join(ACTIONS)}")
    if side not in SIDES:
        raise ValueError(f"side {shown(side)} is none of A, B and N")
    entry = Entry(
        line,
        whole(ts, "ts_event_ns"),
        action,
        SIDES[side],
        0 if action == "R" else scaled(price, PRICE_DECIMALS, "price"),
        0 if action == "R" else whole(size, "size"),
        whole(name, "order_id"),
        whole(flags, "flags"),
    )
    if action in "ACM" and not entry.side:
        raise ValueError("an order has side A or B")
    if action in "AMT" and not (entry.price and entry.size):
        raise ValueError("price and size must be above zero")
    return entry


def extent_of(source: Source) -> Extent:
    """Reads the whole file.  Raises DataError."""
    from math import gcd

    tick = opening = count = records = 0
    first: Entry | None = None
    is_open = False
    for entry in read_entries(source):
        count += 1
        records += 1
        if entry.price % (tick or entry.price or 1) or not tick:
            tick = gcd(tick, entry.price)
        if entry.action == "T" and first is None:
            first = entry
        if entry.flags & SNAPSHOT or (first is not None and not first.side and not is_open):
            opening = entry.line
            records = 0
            is_open = first is not None and bool(entry.flags & LAST)
    if not count:
        raise source.error("is empty")
    if not tick:
        raise source.error("has no price")
    decimals = decimals_of(f"{tick // 10**PRICE_DECIMALS}.{tick % 10**PRICE_DECIMALS:09d}")
    return Extent(opening, tick, decimals, records)


class MboFeed:
    """Feed (``exchange.runtime.ports``) of one file.

    trades, exact: recorded trades, and those whose fills came out as recorded.   crossed: recorded
    orders that would have traded on entry.
    """

    def __init__(self, path: Path, instrument: str) -> None:
        """Reads the file once.  Raises DataError for a line that is not of its format."""
        self.source = Source(path)
        self.extent = extent_of(self.source)
        self.trades = 0
        self.exact = 0
        self.crossed = 0
        decimals = self.extent.decimals
        units = self.extent.tick // 10 ** (PRICE_DECIMALS - decimals)
        root = instrument.rstrip("0123456789")[:-1]  # a symbol ends with month letter and year
        self.desk = Desk(instrument, Demand(units, decimals, multiplier=CONTRACTS.get(root, 1)))
        self._ladder = Ladder(self.desk, self._entered)
        self._entries = read_entries(self.source)
        self._next = next(self._entries, None)
        self._kept: dict[int, Own] = {}
        self._live: dict[int, Own] = {}
        self._timeline = Timeline()
        self._ts: Nanos = 0
        self._late: list[Entry] = []
        self._fills: list[Fill] = []
        self._trade: Entry | None = None  # whose fills are to be put right
        self._is_fit = False

    def prepare(self, state: State) -> list[Request]:
        requests = self.desk.prepare(state)
        if not requests and not self._is_fit:
            self._check_fit()
            self._is_fit = True
            self._keep()
        return requests

    def due(self) -> Nanos | None:
        if self._kept or self._trade is not None:
            return self._timeline.due(self._ts)
        return None if self._next is None else self._timeline.due(self._next.ts)

    def step(self, state: State, now: Nanos) -> list[Request]:
        """Some of the opening book, one record, or what a trade leaves to put right."""
        self.desk.state = state
        if self._kept:
            self._timeline.reach(self._ts, now)
            self._seed()
        elif self._trade is not None:
            self._put_right(self._trade)
        elif self._next is not None:
            entry, self._next = self._next, next(self._entries, None)
            self._ts = entry.ts
            self._timeline.reach(entry.ts, now)
            self._play(entry)
        return self.desk.flush()

    def answered(self, receipts: Sequence[Receipt]) -> None:
        self.desk.answered(receipts)

    # -- the opening book ------------------------------------------------------------------------

    def _keep(self) -> None:
        """Follow the orders up to the opening without trading; a dictionary keeps their priority."""
        while self._next is not None and self._next.line <= self.extent.opening:
            entry, self._next = self._next, next(self._entries, None)
            self._ts = entry.ts
            own = self._kept.get(entry.name)
            if entry.action == "R":
                self._kept.clear()
            elif entry.action == "A" or (entry.action == "M" and own is None):
                self._kept[entry.name] = self._own(entry)
            elif own is not None and entry.action == "C":
                own.size -= self._lots(entry.size)
                if own.size <= 0:
                    del self._kept[entry.name]
            elif own is not None and entry.action == "M":
                if self._ticks(entry.price) != own.price or self._lots(entry.size) > own.size:
                    del self._kept[entry.name]
                self._kept[entry.name] = self._own(entry)

    def _seed(self) -> None:
        for name in list(self._kept)[:SEED_MAX]:
            own = self._kept.pop(name)
            self._live[name] = own
            self._ladder.place(own)

    def _entered(self, receipt: Receipt) -> None:
        for event in receipt.events:
            if isinstance(event, Traded) or (isinstance(event, OrderDone) and event.reason == SELF_TRADE):
                self.crossed += 1
                return

    # -- one record ------------------------------------------------------------------------------

    def _play(self, entry: Entry) -> None:
        if entry.action in "AM" and not entry.flags & LAST:
            self._late.append(entry)  # what it would cross is canceled later in the same event
            return
        self._act(entry)
        if entry.flags & LAST:
            late, self._late = self._late, []
            for entry in late:
                self._act(entry)

    def _act(self, entry: Entry) -> None:
        own = self._live.get(entry.name)
        if entry.action == "A" or (entry.action == "M" and own is None):
            self._live[entry.name] = self._own(entry)
            self._ladder.place(self._live[entry.name])
        elif entry.action == "M" and own is not None:
            self._modify(own, self._ticks(entry.price), self._lots(entry.size))
        elif entry.action == "C" and own is not None:
            self._reduce(own, self._lots(entry.size))
        elif entry.action == "R":
            self.desk.cancel_all()
            self._live.clear()
            self._ladder.levels.clear()
        elif entry.action == "T" and entry.side:
            self._trade = entry
            self._fills = []
            self.desk.take(entry.side, self._ticks(entry.price), self._lots(entry.size), self._taken)

    def _modify(self, own: Own, price: Ticks, size: Lots) -> None:
        leaves = self.desk.leaves(own)
        if not leaves or price != own.price or size > leaves:
            self._ladder.remove(own)
            own.size = size
            if leaves:
                self.desk.change(own, size, price, self._entered)
                self._ladder.levels.setdefault((own.side, own.price), []).append(own)
            else:  # filled to the end, and shows its next slice
                own.price = price
                self._ladder.place(own)
        else:
            self.desk.change(own, size)

    def _reduce(self, own: Own, size: Lots) -> None:
        """A cancel after a fill tells what the fill has done already."""
        own.size = max(0, own.size - size)
        if self.desk.leaves(own) > own.size:
            self.desk.change(own, own.size)
        if not own.size:
            del self._live[own.name]
            self._ladder.remove(own)

    # -- trades ----------------------------------------------------------------------------------

    def _taken(self, receipt: Receipt) -> None:
        """Fills of the recorded book's orders; a person's have no name there."""
        for event in receipt.events:
            if isinstance(event, Traded):
                maker_side = SELL if event.taker_side == BUY else BUY
                level = self._ladder.levels.get((maker_side, event.price), ())
                names = [own.name for own in level if own.order_id == event.maker_order_id]
                self._fills.append((names[0] if names else 0, event.quantity, event.price))

    def _put_right(self, trade: Entry) -> None:
        """Recorded orders that traded without being recorded so get their lots and place back."""
        self._trade = None
        recorded = [(name, self._lots(size), self._ticks(price)) for name, size, price in trade.fills]
        self.trades += 1
        if self._fills == recorded:
            self.exact += 1
            return
        due: dict[int, Lots] = {}
        for name, size, _ in recorded:
            due[name] = due.get(name, 0) + size
        maker_side = SELL if trade.side == BUY else BUY
        for price in sorted({price for _, _, price in (*self._fills, *recorded)}):
            self._restore(self._ladder.levels.get((maker_side, price), []), due)

    def _restore(self, level: list[Own], due: dict[int, Lots]) -> None:
        """Only where nobody else stands in the queue may those behind be moved, too."""
        alive = [order for own in level if (order := self.desk.order(own)) is not None]
        others = alive[0].level.orders - len(alive) if alive and alive[0].level else 0
        lacking = False
        for own in list(level):
            recorded = own.size
            wanted = max(0, recorded - due.get(own.name, 0))
            leaves = self.desk.leaves(own)
            lacks = leaves < wanted
            lacking = lacking or lacks
            if leaves > wanted:
                self.desk.change(own, wanted)
            elif wanted and (lacks if others else lacking):
                if leaves:
                    self.desk.change(own, 0)
                own.size = wanted
                self.desk.place(own)
                level.remove(own)
                level.append(own)
            own.size = recorded  # the records after the trade count from here

    # -- sizes -----------------------------------------------------------------------------------

    def _own(self, entry: Entry) -> Own:
        return Own(entry.side, self._ticks(entry.price), self._lots(entry.size), entry.name)

    def _ticks(self, price: int) -> Ticks:
        instrument = self.desk.instrument
        power: int = 10**instrument.price_decimals
        return price * power // (10**PRICE_DECIMALS * instrument.tick_units)

    def _lots(self, size: int) -> Lots:
        instrument = self.desk.instrument
        power: int = 10**instrument.quantity_decimals
        return size * power // instrument.lot_units

    def _check_fit(self) -> None:
        instrument = self.desk.instrument
        tick = 10**PRICE_DECIMALS * instrument.tick_units
        power: int = 10**instrument.price_decimals
        contracts: int = 10**instrument.quantity_decimals
        if not self.extent.tick * power % tick and not contracts % instrument.lot_units:
            return
        for entry in read_entries(self.source):
            if entry.price * power % tick or entry.size * contracts % instrument.lot_units:
                what = f"price {decimal_text(entry.price, PRICE_DECIMALS)} or size {entry.size}"
                raise self.source.error(self.desk.misfit(what), entry.line)
