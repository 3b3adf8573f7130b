"""OHLCV bars as quotes around the path each bar implies.

A bar is walked open, nearer extreme, other extreme, close, a quarter of its interval each.  On the
way up the recorded book asks the price of the path and bids one spread below; on the way down it
bids that price and asks one spread above.  Then the recorded taker trades a quarter of the volume
at that price, so the last price draws the same bar again and a person's order at a price the bar
reached is filled.  Each quote shows twice what is traded.  The spread is 100 ppm of the price, at
least one tick.  Bid and ask bars are quoted as they are; without volume a quote shows 1,000 lots and
one lot trades.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exchange.adapters.feeds.recorded.bar_file import DECIMALS, Bar, Prices, extent_of, read_bars
from exchange.adapters.feeds.recorded.desk import Demand, Desk, Own
from exchange.adapters.feeds.recorded.source import Source
from exchange.adapters.feeds.recorded.timeline import Timeline
from exchange.client import Receipt
from exchange.core.state.root import State
from exchange.core.terms import BUY, SELL
from exchange.core.units import LOTS_MAX, PPM, Lots, Nanos, Ticks
from exchange.directory import decimal_text
from exchange.runtime.ports import Request

SPREAD_PPM: Final = 100
STATIONS: Final = 4  # of the path
NOMINAL: Final[Lots] = 1_000  # shown where the file has no volume
PRICE_DECIMALS_MIN: Final = 2  # of the tick it lists: round prices need not stay round
LOT_DECIMALS_MAX: Final = 4  # a finer volume is rounded down


class Quote(NamedTuple):
    """side: of the aggressor that trades ``size`` at the touch; none for size 0."""

    ts: Nanos
    bid: Ticks
    ask: Ticks
    side: int
    size: Lots
    shown: Lots


def path(bar: Prices) -> tuple[int, int, int, int]:
    """open, nearer extreme, other extreme, close; from the low up if both are as near."""
    first, high, low, last = bar
    if high - first < first - low:
        return first, high, low, last
    return first, low, high, last


class BarFeed:
    """Feed (``exchange.runtime.ports``) of one file."""

    def __init__(self, file: Path, instrument: str) -> None:
        """Reads the file once.  Raises DataError for a line that is not of its format."""
        self.source = Source(file)
        self.extent = extent_of(self.source)
        decimals = min(self.extent.volume_decimals, LOT_DECIMALS_MAX)
        prices = max(PRICE_DECIMALS_MIN, self.extent.price_decimals)
        self.desk = Desk(instrument, Demand(1, prices, 1, decimals))
        self._quotes: Iterator[Quote] = iter(())
        self._next: Quote | None = None
        self._resting: list[Own] = []
        self._timeline = Timeline()
        self._is_fit = False

    def prepare(self, state: State) -> list[Request]:
        requests = self.desk.prepare(state)
        if not requests and not self._is_fit:
            self._check_fit()
            self._is_fit = True
            self._quotes = self._walk()
            self._next = next(self._quotes, None)
        return requests

    def due(self) -> Nanos | None:
        return None if self._next is None else self._timeline.due(self._next.ts)

    def step(self, state: State, now: Nanos) -> list[Request]:
        """One quote and its trade."""
        self.desk.state = state
        quote = self._next
        if quote is not None:
            self._next = next(self._quotes, None)
            self._timeline.reach(quote.ts, now)
            for own in self._resting:
                if self.desk.leaves(own):
                    self.desk.change(own, 0)
            sides = ((BUY, quote.bid), (SELL, quote.ask))
            self._resting = [self.desk.place(Own(side, price, quote.shown)) for side, price in sides]
            if quote.size:
                self.desk.take(quote.side, quote.ask if quote.side == BUY else quote.bid, quote.size)
        return self.desk.flush()

    def answered(self, receipts: Sequence[Receipt]) -> None:
        self.desk.answered(receipts)

    def _walk(self) -> Iterator[Quote]:
        side, last = BUY, 0
        for bar in read_bars(self.source):
            size, shown = self._sizes(bar)
            for station, (low, high) in enumerate(zip(path(bar.bid), path(bar.ask), strict=True)):
                bid, ask = self._ticks(low), self._ticks(high)
                if bid + ask != last:
                    side = BUY if bid + ask > last else SELL
                last = bid + ask
                if bid >= ask:
                    spread = max(1, bid * SPREAD_PPM // PPM)
                    bid, ask = (max(1, ask - spread), ask) if side == BUY else (bid, bid + spread)
                ts = bar.ts + station * self.extent.interval // STATIONS
                yield Quote(ts, bid, ask, side, size, shown)

    def _sizes(self, bar: Bar) -> tuple[Lots, Lots]:
        """Traded and shown at each station."""
        if bar.volume < 0:
            return 1, NOMINAL
        instrument = self.desk.instrument
        power: int = 10**instrument.quantity_decimals
        lots = bar.volume * power // (10**DECIMALS * instrument.lot_units)
        size = min(lots // STATIONS, LOTS_MAX // 2)
        return size, max(1, 2 * size)

    def _ticks(self, price: int) -> Ticks:
        instrument = self.desk.instrument
        power: int = 10**instrument.price_decimals
        return price * power // (10**DECIMALS * instrument.tick_units)

    def _check_fit(self) -> None:
        instrument = self.desk.instrument
        tick = 10**DECIMALS * instrument.tick_units
        power: int = 10**instrument.price_decimals
        for bar in read_bars(self.source):
            for price in (*bar.bid, *bar.ask):
                if price * power % tick:
                    what = f"price {decimal_text(price, DECIMALS).rstrip('0')}"
                    raise self.source.error(self.desk.misfit(what), bar.line)
