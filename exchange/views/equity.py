"""What an account is worth in one currency, and what it has gained since the day began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exchange.core.terms import BUY, AssetId, InstrumentId
from exchange.core.units import DAY, Lots, Minor, Nanos, Ticks
from exchange.directory import Directory, InstrumentInfo
from exchange.views.blotter import Fill

Marks = Mapping[InstrumentId, Ticks]


class Holding(NamedTuple):
    """One balance of an account, in minor units."""

    asset: AssetId
    posted: Minor
    held: Minor


def equity(directory: Directory, balances: Mapping[AssetId, Minor], marks: Marks, currency: AssetId) -> Minor:
    """Money in the currency plus every asset that has a price in it, at the mark.

    balances: posted minor units.   An asset with several such listings counts once, at the mark of
    the first one that has any.   Rounded down, asset by asset.
    """
    total = balances.get(currency, 0)
    counted: set[AssetId] = {currency}
    for info in directory.instruments:
        mark = marks.get(info.instrument_id, 0)
        if info.quote != currency or info.base in counted or not mark:
            continue
        counted.add(info.base)
        total += balances.get(info.base, 0) * mark * info.unit // info.lot_minor
    return total


def day_begin(ts: Nanos) -> Nanos:
    return ts - ts % DAY


class DayTrades:
    """Own fills of one UTC day in one instrument.  net: lots bought minus sold.

    paid: quote minor units spent minus received, fees included.
    """

    __slots__ = ("net", "paid")

    def __init__(self) -> None:
        self.net: Lots = 0
        self.paid: Minor = 0

    def add(self, fill: Fill, unit: Minor) -> None:
        sign = 1 if fill.side == BUY else -1
        self.net += sign * fill.quantity
        self.paid += sign * fill.value(unit) + fill.fee


def day_trades(fills: Iterable[Fill], directory: Directory, begin: Nanos) -> dict[InstrumentId, DayTrades]:
    """The fills from ``begin`` on, added up by instrument."""
    found: dict[InstrumentId, DayTrades] = {}
    for fill in fills:
        if fill.ts >= begin:
            unit = directory.instruments[fill.instrument].unit
            found.setdefault(fill.instrument, DayTrades()).add(fill, unit)
    return found


def day_profit(info: InstrumentInfo, held: Lots, today: DayTrades | None, mark: Ticks, begin: Ticks) -> Minor:
    """Gain since the day began, after fees.

    held: position now.   begin: price the day began at; what was held then gains from there, what
    was traded since gains from its own price.
    """
    traded, paid = (today.net, today.paid) if today is not None else (0, 0)
    overnight = (held - traded) * (mark - begin) * info.unit
    return overnight + traded * mark * info.unit - paid
