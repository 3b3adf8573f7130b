"""Open, high, low, close and volume per stretch of time, folded from trades.

Minutes are the base; every longer timeframe is the same fold over shorter candles.  A stretch
without a trade has no candle.  All boundaries are UTC; weeks begin on Monday.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from exchange.core.messages import Event, Traded
from exchange.core.terms import InstrumentId, Seq, TradeId
from exchange.core.units import DAY, SECOND, Lots, Nanos, Ticks
from exchange.directory import Directory, time_text
from exchange.errors import DataError

MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
WEEK: Final = 7 * DAY
MONTH: Final = 0  # months differ in length: no multiple of anything
CANDLES_MAX: Final = 5_000

TIMEFRAMES: Final[dict[str, Nanos]] = {
    "1m": MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "4h": 4 * HOUR,
    "1d": DAY,
    "1w": WEEK,
    "1M": MONTH,
}
EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
MONDAY: Final = 4 * DAY  # 1970-01-05, the first Monday of the epoch


def length_of(timeframe: str) -> Nanos:
    """``MONTH`` for a calendar month.  Raises DataError."""
    if timeframe not in TIMEFRAMES:
        raise DataError(f"timeframe {timeframe[:20]!r} is none of {', '.join(TIMEFRAMES)}")
    return TIMEFRAMES[timeframe]


def begin_of(ts: Nanos, length: Nanos) -> Nanos:
    """Start of the stretch that holds ``ts``."""
    if length == MONTH:
        day = date.fromordinal(EPOCH_ORDINAL + ts // DAY)
        return (day.replace(day=1).toordinal() - EPOCH_ORDINAL) * DAY
    if length == WEEK:
        return ts - (ts - MONDAY) % WEEK
    return ts - ts % length


class Candle:
    """Prices in ticks, volume in lots.   turnover: sum of ticks times lots.   seq: of the last trade."""

    __slots__ = ("begin", "close", "high", "low", "open", "seq", "trades", "turnover", "volume")

    def __init__(self, begin: Nanos, price: Ticks) -> None:
        self.begin = begin
        self.open: Ticks = price
        self.high: Ticks = price
        self.low: Ticks = price
        self.close: Ticks = price
        self.volume: Lots = 0
        self.turnover = 0
        self.trades = 0
        self.seq: Seq = 0

    def trade(self, seq: Seq, price: Ticks, quantity: Lots) -> None:
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price
        self.close = price
        self.volume += quantity
        self.turnover += price * quantity
        self.trades += 1
        self.seq = seq

    def absorb(self, later: Candle) -> None:
        """Take in a candle that follows within the same stretch."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.turnover += later.turnover
        self.trades += later.trades
        self.seq = later.seq

    def row(self, directory: Directory, instrument: InstrumentId) -> dict[str, Any]:
        return {
            "time": time_text(self.begin),
            "open": directory.price_text(instrument, self.open),
            "high": directory.price_text(instrument, self.high),
            "low": directory.price_text(instrument, self.low),
            "close": directory.price_text(instrument, self.close),
            "volume": directory.quantity_text(instrument, self.volume),
            "trades": self.trades,
            "seq": self.seq,
        }


def aggregate(candles: Iterable[Candle], length: Nanos) -> list[Candle]:
    """Longer candles from shorter ones, both oldest first."""
    made: list[Candle] = []
    for candle in candles:
        begin = begin_of(candle.begin, length)
        if not made or made[-1].begin != begin:
            longer = Candle(begin, candle.open)
            longer.absorb(candle)
            made.append(longer)
        else:
            made[-1].absorb(candle)
    return made


class Candles:
    """The newest candles of one instrument in one timeframe, oldest first."""

    __slots__ = ("candles", "instrument", "known_seq", "last_trade_id", "length", "timeframe")

    def __init__(
        self, instrument: InstrumentId, timeframe: str = "1m", candles_max: int = CANDLES_MAX
    ) -> None:
        """Raises DataError for an unknown timeframe."""
        self.instrument = instrument
        self.timeframe = timeframe
        self.length = length_of(timeframe)
        self.candles: deque[Candle] = deque(maxlen=candles_max)
        self.known_seq: Seq = 0
        self.last_trade_id: TradeId = 0

    def load(self, candles: Iterable[Candle]) -> None:
        """Take the place of everything known; oldest first.  What they hold is not folded again."""
        self.candles.clear()
        self.candles.extend(candles)
        self.known_seq = self.candles[-1].seq if self.candles else 0
        self.last_trade_id = 0

    def fold(self, seq: Seq, ts: Nanos, event: Event) -> bool:
        if not isinstance(event, Traded) or event.instrument != self.instrument:
            return False
        if seq <= self.known_seq or event.trade_id <= self.last_trade_id:
            return False
        self.last_trade_id = event.trade_id
        begin = begin_of(ts, self.length)
        if not self.candles or self.candles[-1].begin != begin:
            self.candles.append(Candle(begin, event.price))
        self.candles[-1].trade(seq, event.price, event.quantity)
        return True

    def rows(self, directory: Directory) -> list[dict[str, Any]]:
        return [candle.row(directory, self.instrument) for candle in self.candles]


def candle_of(row: dict[str, Any], directory: Directory, instrument: InstrumentId) -> Candle:
    """The candle of a row as ``Candle.row`` writes it; its turnover is not in the row and stays 0."""
    from datetime import datetime

    from exchange.directory import decimal_steps

    info = directory.instruments[instrument]
    moment = datetime.fromisoformat(row["time"])
    candle = Candle(int(moment.timestamp()) * SECOND, directory.parse_price(instrument, row["open"]))
    candle.high = directory.parse_price(instrument, row["high"])
    candle.low = directory.parse_price(instrument, row["low"])
    candle.close = directory.parse_price(instrument, row["close"])
    candle.volume = (decimal_steps(row["volume"], info.quantity_decimals) or 0) // info.lot_units
    candle.trades = row["trades"]
    candle.seq = row["seq"]
    return candle
