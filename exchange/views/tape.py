"""Time and sales: the last trades of one instrument, newest last."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from exchange.core.messages import Event, Traded
from exchange.core.terms import InstrumentId, Seq, Side, TradeId
from exchange.core.units import Lots, Nanos, Ticks

PRINTS_MAX = 500


class Print(NamedTuple):
    """One trade as everybody may see it.  side: the taker's."""

    trade_id: TradeId
    ts: Nanos
    price: Ticks
    quantity: Lots
    side: Side


class Tape:
    """last: price of the newest print, 0 before the first.   moved: sign of the last price change."""

    __slots__ = ("instrument", "last", "last_trade_id", "moved", "prints")

    def __init__(self, instrument: InstrumentId, prints_max: int = PRINTS_MAX) -> None:
        self.instrument = instrument
        self.prints: deque[Print] = deque(maxlen=prints_max)
        self.last: Ticks = 0
        self.moved = 0
        self.last_trade_id: TradeId = 0

    def load(self, prints: Iterable[Print]) -> None:
        """Oldest first."""
        for print_ in prints:
            self.add(print_)

    def add(self, print_: Print) -> bool:
        """False for a print that is here already."""
        if print_.trade_id <= self.last_trade_id:
            return False
        self.last_trade_id = print_.trade_id
        if self.last and print_.price != self.last:
            self.moved = 1 if print_.price > self.last else -1
        self.last = print_.price
        self.prints.append(print_)
        return True

    def fold(self, seq: Seq, ts: Nanos, event: Event) -> bool:
        del seq
        if not isinstance(event, Traded) or event.instrument != self.instrument:
            return False
        return self.add(Print(event.trade_id, ts, event.price, event.quantity, event.taker_side))
