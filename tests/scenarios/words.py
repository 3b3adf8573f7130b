"""Words, decimals and times of a scenario row, and the long rows that list an instrument."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from exchange.core.commands import AmendInstrument, ListInstrument
from exchange.core.state.root import State
from exchange.core.units import DAY, SECOND

UNITS = {"ns": 1, "us": 1_000, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": DAY}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONDAY_4 = 19_786  # days from 1970 to Monday, 4 March 2024, on which every scenario starts
RULES = (
    "fees",
    "quantity_min",
    "quantity_max",
    "notional_min",
    "notional_max",
    "band_ppm",
    "reference",
    "session_open",
    "session_close",
    "session_days",
)


class Words:
    """The words of one row, taken from the front."""

    def __init__(self, row: str) -> None:
        self.row = row
        self.words = shlex.split(row)

    def __bool__(self) -> bool:
        return bool(self.words)

    def take(self) -> str:
        assert self.words, f"the row ends too early: {self.row}"
        return self.words.pop(0)

    def took(self, *wanted: str) -> str:
        """The next word if it is one of these, else nothing."""
        return self.words.pop(0) if self.words and self.words[0] in wanted else ""

    def text(self) -> str:
        """A text with the escapes of Python; nothing at the end of the row."""
        return self.words.pop(0).encode().decode("unicode_escape") if self.words else ""

    def end(self) -> None:
        assert not self.words, f"not understood: {' '.join(self.words)}"


def steps(text: str, size: Fraction) -> int:
    """A decimal as a whole number of steps."""
    number = Fraction(text.replace("_", "")) / size
    assert number.denominator == 1, f"{text} is no multiple of {size}"
    return int(number)


def size_of(text: str) -> tuple[int, int]:
    """0.05 as (5, 2)."""
    return int(text.replace(".", "")), len(text.partition(".")[2])


def rate_of(text: str) -> int:
    """5bp, 10% or 7ppm in parts per million."""
    for suffix, ppm in (("bp", 100), ("%", 10_000), ("ppm", 1)):
        if text.endswith(suffix):
            return steps(text.removesuffix(suffix), Fraction(1, ppm))
    return int(text)


def time_of_day(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return (int(hours) * 60 + int(minutes)) * UNITS["m"]


def moment(text: str, now: int) -> int:
    """+90m, or a day of March 2024 with a time: mon-04T17:30."""
    if text[0] in "+-":
        number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        return now + int(number) * UNITS[text[len(number) :]]
    day, _, clock = text.partition("T")
    name, _, number = day.partition("-")
    days = MONDAY_4 + int(number) - 4
    assert DAYS[(days + 3) % 7] == name, f"day {number} is no {name}"
    return days * DAY + time_of_day(clock)


def fees_of(text: str) -> tuple[tuple[int, int], ...]:
    """10bp/20bp,0/5bp: maker and taker, one pair per tier."""
    if text == "none":
        return ()
    pairs = [tier.split("/") for tier in text.split(",")]
    return tuple((rate_of(maker), rate_of(taker)) for maker, taker in pairs)


def days_of(text: str) -> int:
    """mon-fri, or a raw number."""
    first, _, last = text.partition("-")
    if first not in DAYS:
        return int(text)
    return sum(1 << at for at in range(DAYS.index(first), DAYS.index(last) + 1))


class Sizes:
    """How the numbers of a listing read."""

    def __init__(self, tick: Fraction, lot: Fraction, minor: Fraction) -> None:
        self.tick = tick
        self.lot = lot
        self.minor = minor

    def readers(self) -> dict[str, Callable[[str], Any]]:
        return {
            "fees": fees_of,
            "quantity_min": lambda text: steps(text, self.lot),
            "quantity_max": lambda text: steps(text, self.lot),
            "notional_min": lambda text: steps(text, self.minor),
            "notional_max": lambda text: steps(text, self.minor),
            "band_ppm": rate_of,
            "reference": lambda text: steps(text, self.tick),
            "session_open": time_of_day,
            "session_close": time_of_day,
            "session_days": days_of,
        }


SHORT = {"min": "quantity_min", "max": "quantity_max", "band": "band_ppm", "days": "session_days"}
SHORT |= {"opens": "session_open", "closes": "session_close", "multiplier": "multiplier"}


def listed(words: Words, state: State) -> ListInstrument:
    """BASE-QUOTE tick 0.01 lot 0.001 [fees ...] [min ...] ...; `of A B` names other assets."""
    symbol = words.text()
    base, _, quote = symbol.partition("-")
    if words.took("of"):
        base, quote = words.take(), words.take()
    tick, lot, name, venue = "1", "1", "", ""
    rest: list[tuple[str, str]] = []
    while words:
        key = words.take()
        if key == "tick":
            tick = words.take()
        elif key == "lot":
            lot = words.take()
        elif key == "name":
            name = words.text()
        elif key == "venue":
            venue = words.text()
        else:
            rest.append((key, words.take()))
    (tick_units, price_decimals), (lot_units, quantity_decimals) = size_of(tick), size_of(lot)
    quote_id = state.asset_symbols.get(quote, 99)
    exponent = state.assets[quote_id].exponent if quote_id < 99 else 0
    sizes = Sizes(Fraction(tick) or Fraction(1), Fraction(lot) or Fraction(1), Fraction(1, 10**exponent))
    return ListInstrument(
        symbol=symbol,
        name=name,
        venue=venue,
        base=state.asset_symbols.get(base, 99),
        quote=quote_id,
        tick_units=tick_units,
        price_decimals=price_decimals,
        lot_units=lot_units,
        quantity_decimals=quantity_decimals,
        **_rules(rest, sizes),
    )


def amended(words: Words, instrument: int, state: State) -> AmendInstrument:
    """Every rule not named stays as it is."""
    book = state.book(instrument)
    listing = state.books[0].instrument if book is None else book.instrument
    rules = {name: getattr(listing, name) for name in RULES}
    exponent = state.assets[listing.quote].exponent
    sizes = Sizes(
        Fraction(listing.tick_units, 10**listing.price_decimals),
        Fraction(listing.lot_units, 10**listing.quantity_decimals),
        Fraction(1, 10**exponent),
    )
    rest = []
    while words:
        rest.append((words.take(), words.take()))
    return AmendInstrument(instrument=instrument, **{**rules, **_rules(rest, sizes)})


def _rules(rest: list[tuple[str, str]], sizes: Sizes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    readers = sizes.readers()
    for key, text in rest:
        if key == "notional":
            low, _, high = text.partition("..")
            found["notional_min"] = readers["notional_min"](low)
            found["notional_max"] = readers["notional_max"](high) if high else 0
            continue
        name = SHORT.get(key, key)
        found[name] = int(text) if name == "multiplier" else readers[name](text)
    return found
