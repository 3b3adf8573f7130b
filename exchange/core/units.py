"""Integer units of the core, named rounding and every hard limit.

The aliases say what an ``int`` counts; nothing in the core is ever a float.  They are plain
aliases rather than ``NewType`` because a ``NewType`` call costs a Python call in compiled code.
"""

from __future__ import annotations

from typing import Final, TypeAlias

Ticks: TypeAlias = int  # price, in steps of the instrument's tick size
Lots: TypeAlias = int  # quantity, in steps of the instrument's lot size
Minor: TypeAlias = int  # money, in the smallest unit of one asset
Ppm: TypeAlias = int  # rate, parts per million
Nanos: TypeAlias = int  # time since the Unix epoch, UTC; whole microseconds by contract

PPM: Final = 1_000_000
MICRO: Final = 1_000
SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND

TICKS_MAX: Final = 1 << 40
LOTS_MAX: Final = 1 << 50
MINOR_MAX: Final = 1 << 62  # larger amounts still add up: Python integers do not wrap
EXPONENT_MAX: Final = 18
ASSETS_MAX: Final = 10_000
INSTRUMENTS_MAX: Final = 10_000
ACCOUNTS_MAX: Final = 1_000_000
USERS_MAX: Final = 1_000_000
OPEN_ORDERS_MAX: Final = 10_000  # default per account
CLIENT_IDS_MAX: Final = 1 << 20  # remembered client order ids per account
CLIENT_ID_LENGTH_MAX: Final = 36
CLIENT_ID_WINDOW: Final = DAY
NAME_LENGTH_MAX: Final = 40
TEXT_LENGTH_MAX: Final = 200
FEE_TIERS_MAX: Final = 10
FEE_PPM_MAX: Final = PPM
GTD_HORIZON: Final = 366 * DAY


def floor_div(value: int, divisor: int) -> int:
    """Rounded towards minus infinity: what a customer is paid."""
    assert divisor > 0
    return value // divisor


def ceil_div(value: int, divisor: int) -> int:
    """Rounded towards plus infinity: fees and holds, so the exchange never under-collects."""
    assert divisor > 0
    return -(-value // divisor)


def half_even_div(value: int, divisor: int) -> int:
    """Rounded to the nearest integer, ties to the even one: averages for display."""
    assert divisor > 0
    quotient, rest = divmod(value, divisor)
    twice = 2 * rest
    if twice > divisor or (twice == divisor and quotient & 1):
        return quotient + 1
    return quotient
