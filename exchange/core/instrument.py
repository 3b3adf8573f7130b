"""What is traded: sizes, currencies, fees, limits and session of one listing."""

from __future__ import annotations

from exchange.core.units import DAY, PPM, Lots, Minor, Nanos, Ppm, Ticks, ceil_div


class Asset:
    """exponent: decimals of the smallest unit."""

    __slots__ = ("asset_id", "exponent", "symbol")

    def __init__(self, asset_id: int, symbol: str, exponent: int) -> None:
        self.asset_id = asset_id
        self.symbol = symbol
        self.exponent = exponent


class Instrument:
    """One listing.

    unit: quote minor units of one tick times one lot, whole by the listing rule.
    lot_minor: base minor units of one lot.   fees: (maker, taker) ppm per tier.
    Limits of 0 mean none.  Sessions are nanoseconds of the UTC day; days: bit 0 is Monday.
    """

    __slots__ = (
        "band_ppm",
        "base",
        "fees",
        "instrument_id",
        "lot_minor",
        "lot_units",
        "multiplier",
        "name",
        "notional_max",
        "notional_min",
        "price_decimals",
        "quantity_decimals",
        "quantity_max",
        "quantity_min",
        "quote",
        "reference",
        "session_close",
        "session_days",
        "session_open",
        "symbol",
        "tick_units",
        "unit",
        "venue",
    )

    def __init__(self, instrument_id: int, symbol: str, name: str, venue: str, base: int, quote: int) -> None:
        self.instrument_id = instrument_id
        self.symbol = symbol
        self.name = name
        self.venue = venue
        self.base = base
        self.quote = quote
        self.tick_units = 1
        self.price_decimals = 0
        self.lot_units = 1
        self.quantity_decimals = 0
        self.multiplier = 1
        self.unit = 1
        self.lot_minor = 1
        self.fees: tuple[tuple[Ppm, Ppm], ...] = ((0, 0),)
        self.quantity_min: Lots = 1
        self.quantity_max: Lots = 0
        self.notional_min: Minor = 0
        self.notional_max: Minor = 0
        self.band_ppm: Ppm = 0
        self.reference: Ticks = 0
        self.session_open = 0
        self.session_close = 0
        self.session_days = 127

    def session_end(self, ts: Nanos) -> Nanos:
        """The first session close after ts, where DAY orders expire.  No days: the UTC day's end."""
        midnight = ts - ts % DAY
        close = self.session_close or DAY
        opens_before = close <= self.session_open  # the session runs over midnight
        for ahead in range(9):
            day = midnight + ahead * DAY
            weekday = (day // DAY + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
            begins = (weekday - 1) % 7 if opens_before else weekday
            if self.session_days >> begins & 1 and day + close > ts:
                return day + close
        return midnight + DAY


def notional(price: Ticks, quantity: Lots, instrument: Instrument) -> Minor:
    """Value in quote minor units; exact."""
    return price * quantity * instrument.unit


def fee_of(amount: Minor, rate: Ppm) -> Minor:
    """Rounded up: the exchange never under-collects."""
    return ceil_div(amount * rate, PPM)
