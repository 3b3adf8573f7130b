"""Market depth of one instrument by price level, folded from level changes.

A level is found by key as in the book: the price for bids, minus the price for asks, so the best
key is the largest and stands last in the sorted key list.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Final, TypeAlias

from exchange.core.messages import Event, LevelChanged
from exchange.core.terms import BUY, InstrumentId, Seq, Side
from exchange.core.units import PPM, Lots, Nanos, Ppm, Ticks

Row: TypeAlias = tuple[Ticks, Lots, int]  # price, displayed quantity, orders

NO_HORIZON: Final = -(1 << 62)


class DepthSide:
    """One side.  horizon: the snapshot was cut below this key, nothing under it is known."""

    __slots__ = ("horizon", "keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.horizon = NO_HORIZON
        self.keys: list[int] = []
        self.levels: dict[int, tuple[Lots, int]] = {}

    def load(self, rows: Iterable[Row], *, is_cut: bool) -> None:
        self.levels = {self.sign * price: (lots, orders) for price, lots, orders in rows}
        self.keys = sorted(self.levels)
        self.horizon = self.keys[0] if is_cut and self.keys else NO_HORIZON

    def set(self, price: Ticks, quantity: Lots, orders: int) -> bool:
        """One level as it is now; 0 orders takes it out."""
        key = self.sign * price
        if key < self.horizon:
            return False
        before = self.levels.get(key)
        if orders == 0:
            if before is None:
                return False
            del self.levels[key]
            del self.keys[bisect_left(self.keys, key)]
            return True
        if before is None:
            if not self.keys or key > self.keys[-1]:
                self.keys.append(key)
            else:
                insort(self.keys, key)
        elif before == (quantity, orders):
            return False
        self.levels[key] = (quantity, orders)
        return True

    def best(self) -> Ticks:
        """0 if there is none."""
        return self.sign * self.keys[-1] if self.keys else 0

    def top(self, count: int) -> list[Row]:
        """Best first."""
        return [(self.sign * key, *self.levels[key]) for key in reversed(self.keys[-count:])]

    def grouped(self, count: int, step: Ticks) -> list[Row]:
        """Best first, prices rounded away from the other side to multiples of ``step``."""
        if step == 1:
            return self.top(count)
        rows: list[Row] = []
        for key in reversed(self.keys):
            bucket = self.sign * (key // step * step)
            lots, orders = self.levels[key]
            if rows and rows[-1][0] == bucket:
                rows[-1] = (bucket, rows[-1][1] + lots, rows[-1][2] + orders)
            elif len(rows) == count:
                break
            else:
                rows.append((bucket, lots, orders))
        return rows

    def quantity_at(self, price: Ticks) -> Lots:
        level = self.levels.get(self.sign * price)
        return level[0] if level else 0

    def quantity_to(self, price: Ticks) -> Lots:
        """Displayed lots at this price and better."""
        first = bisect_left(self.keys, self.sign * price)
        return sum(self.levels[key][0] for key in self.keys[first:])

    @property
    def is_exhausted(self) -> bool:
        """Everything the snapshot knew was taken: load a new one."""
        return self.horizon != NO_HORIZON and (not self.keys or self.keys[-1] <= self.horizon)


class Depth:
    """Both sides.  seq: of the snapshot; older updates are passed over."""

    __slots__ = ("asks", "bids", "instrument", "seq")

    def __init__(self, instrument: InstrumentId) -> None:
        self.instrument = instrument
        self.seq: Seq = 0
        self.bids = DepthSide(1)
        self.asks = DepthSide(-1)

    def load(self, seq: Seq, bids: list[Row], asks: list[Row], levels_max: int) -> None:
        """A snapshot of at most ``levels_max`` levels a side, as it stood after ``seq``."""
        self.seq = seq
        self.bids.load(bids, is_cut=len(bids) >= levels_max)
        self.asks.load(asks, is_cut=len(asks) >= levels_max)

    def fold(self, seq: Seq, ts: Nanos, event: Event) -> bool:
        del ts
        if not isinstance(event, LevelChanged) or event.instrument != self.instrument or seq <= self.seq:
            return False
        return self.side(event.side).set(event.price, event.quantity, event.orders)

    def side(self, side: Side) -> DepthSide:
        return self.bids if side == BUY else self.asks

    @property
    def spread(self) -> Ticks:
        """Best ask minus best bid; 0 while a side is empty."""
        bid, ask = self.bids.best(), self.asks.best()
        return ask - bid if bid and ask else 0

    @property
    def is_exhausted(self) -> bool:
        return self.bids.is_exhausted or self.asks.is_exhausted

    def imbalance(self, levels: int) -> Ppm:
        """Share of the bids in the displayed lots of the best levels of both sides; half if empty."""
        bids = sum(lots for _, lots, _ in self.bids.top(levels))
        asks = sum(lots for _, lots, _ in self.asks.top(levels))
        return bids * PPM // (bids + asks) if bids + asks else PPM // 2
