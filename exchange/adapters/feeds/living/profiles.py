"""What kind of market an instrument is: how much it moves, how wide it is, how busy it is."""

from __future__ import annotations

from typing import Final, NamedTuple

from exchange.core.instrument import Instrument
from exchange.core.units import DAY


class Profile(NamedTuple):
    """hour_ppm: standard deviation of an hour's return in a calm regime.
    step_ppm: distance of two price levels of the makers, before rounding to ticks.
    pace: percent of the agents' natural rate.   common: percent of the returns' deviation that the
    whole group shares.   jump_minutes: average minutes between two jumps.
    """

    name: str
    hour_ppm: int
    step_ppm: int
    pace: int
    common: int
    jump_minutes: int


CRYPTO: Final = Profile("crypto", hour_ppm=7_500, step_ppm=55, pace=100, common=75, jump_minutes=35)
FUTURES: Final = Profile("futures", hour_ppm=3_600, step_ppm=45, pace=45, common=0, jump_minutes=90)
EQUITY: Final = Profile("equity", hour_ppm=2_800, step_ppm=35, pace=55, common=60, jump_minutes=120)

# Whole units of the quote asset that make an everyday order; other assets take the default.
CLIP_DEFAULT: Final = 6_000
CLIPS: Final[dict[str, int]] = {
    "BTC": 1,
    "ETH": 2,
    "INR": 300_000,
    "JPY": 700_000,
    "CNY": 40_000,
    "HKD": 40_000,
}


def profile_of(instrument: Instrument) -> Profile:
    """A continuous session means crypto, a contract multiplier futures, all else is an equity."""
    length = (instrument.session_close - instrument.session_open) % DAY
    if length == 0 and instrument.session_days == 127:
        return CRYPTO
    if instrument.multiplier > 1 or instrument.venue in FUTURES_VENUES:
        return FUTURES
    return EQUITY


FUTURES_VENUES: Final = ("MCX", "NCDEX", "GIFT", "SGX", "CME")
