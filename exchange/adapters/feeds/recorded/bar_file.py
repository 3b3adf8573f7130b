"""Bars in a CSV file: a time column, then open, high, low, close and maybe volume, or bid and ask bars.

Column names in any case; the first column is the time whatever its name: a date, an ISO date and
time, or whole seconds, milli-, micro- or nanoseconds since 1970.  A time without a zone counts as
UTC: only the intervals matter to a replay.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from exchange.adapters.feeds.recorded.source import Source, decimals_of, scaled, shown
from exchange.core.units import DAY, SECOND, Nanos

DECIMALS: Final = 18  # prices and volumes are read in units of 10**-18
PRICES: Final = ("open", "high", "low", "close")
TRADES: Final = (*PRICES, "volume")
QUOTES: Final = tuple(f"{side}_{price}" for side in ("bid", "ask") for price in PRICES)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Prices = tuple[int, int, int, int]  # open, high, low, close


class Bar(NamedTuple):
    """bid, ask: the same for bars of trades.   volume: -1 if the file has none."""

    line: int
    ts: Nanos
    bid: Prices
    ask: Prices
    volume: int


class Extent(NamedTuple):
    """interval: shortest time between two bars, a day for a single one.   Decimals in use."""

    interval: Nanos
    price_decimals: int
    volume_decimals: int


def columns_of(header: str) -> tuple[str, ...] | None:
    """TRADES, PRICES or QUOTES; None if it is no header of bars."""
    names = tuple(name.strip().lower() for name in header.split(",")[1:])
    return next((known for known in (TRADES, PRICES, QUOTES) if names == known), None)


def read_bars(source: Source) -> Iterator[Bar]:
    """Raises DataError with the line for a bar that cannot be."""
    columns: tuple[str, ...] | None = None
    before: Nanos | None = None
    for line, text in source.lines():
        if columns is None:
            columns = columns_of(text)
            if columns is None:
                raise source.error(f"the columns are neither time,{','.join(TRADES)} nor of quotes", line)
            continue
        try:
            bar = _bar(line, text.split(","), columns)
            if before is not None and bar.ts <= before:
                raise ValueError("the time does not go on" if bar.ts == before else "the time goes back")
        except ValueError as why:
            raise source.error(str(why), line) from None
        before = bar.ts
        yield bar


def _bar(line: int, fields: list[str], columns: tuple[str, ...]) -> Bar:
    if len(fields) != len(columns) + 1:
        raise ValueError(f"a bar has {len(columns) + 1} fields here, not {len(fields)}")
    values = [scaled(text, DECIMALS, name) for text, name in zip(fields[1:], columns, strict=True)]
    bid = _prices(values[:4])
    ask = _prices(values[4:]) if columns is QUOTES else bid
    return Bar(line, time_of(fields[0]), bid, ask, values[4] if columns is TRADES else -1)


def _prices(values: list[int]) -> Prices:
    first, high, low, last = values
    if not 0 < low <= min(first, last) or high < max(first, last):
        raise ValueError("low must be above zero, open and close between low and high")
    return first, high, low, last


def time_of(text: str) -> Nanos:
    """Nanoseconds since 1970.  Raises ValueError."""
    if text.isascii() and text.isdigit() and 9 <= len(text) <= 19:
        digits = len(text)
        unit = 10**9 if digits < 12 else 10**6 if digits < 15 else 1000 if digits < 18 else 1
        return int(text) * unit
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"time {shown(text)} is neither a date nor a number of seconds") from None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds * 1000


def extent_of(source: Source) -> Extent:
    """Reads the whole file.  Raises DataError."""
    prices = volumes = interval = count = 0
    before = 0
    for bar in read_bars(source):
        if count:
            interval = min(interval or bar.ts - before, bar.ts - before)
        before = bar.ts
        count += 1
        for price in (*bar.bid, *bar.ask):
            if price % 10 ** (DECIMALS - prices):
                prices = _used(price)
        if bar.volume > 0 and bar.volume % 10 ** (DECIMALS - volumes):
            volumes = _used(bar.volume)
    if not count:
        raise source.error("has no bars")
    return Extent(interval or DAY, prices, volumes)


def _used(value: int) -> int:
    return decimals_of(f"0.{value % 10**DECIMALS:0{DECIMALS}d}")
