"""How numbers and times read on the screen: grouped digits, signs with glyphs, bars, sparklines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from exchange.core.units import DAY, PPM, SECOND, half_even_div

UP: Final = "▲"
DOWN: Final = "▼"
FLAT: Final = "•"
EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
SPARKS: Final = "▁▂▃▄▅▆▇█"
MINUS: Final = "-"


@lru_cache(maxsize=8192)
def grouped(text: str) -> str:
    """Thousands separators: "-64250.50" to "-64,250.50"."""
    whole, point, fraction = text.partition(".")
    sign = MINUS if whole.startswith(MINUS) else ""
    digits = whole.lstrip(MINUS)
    if len(digits) <= 3:
        return text
    head = len(digits) % 3 or 3
    groups = [digits[:head], *(digits[i : i + 3] for i in range(head, len(digits), 3))]
    return f"{sign}{','.join(groups)}{point}{fraction}"


def signed(text: str) -> str:
    """Glyph, sign and digits, so that colour is never the only signal: "▲ +58.20"."""
    if text.startswith(MINUS):
        return f"{DOWN} {grouped(text)}"
    if not text.strip("0."):
        return f"{FLAT} {grouped(text)}"
    return f"{UP} +{grouped(text)}"


def trimmed(text: str) -> str:
    """Without the zeros at the end of a fraction: "0.500" to "0.5"."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def cents(text: str) -> str:
    """At most two decimals, the rest cut off: an overview, not a statement."""
    whole, point, fraction = text.partition(".")
    return f"{whole}.{fraction[:2]}" if point else whole


def percent(part: int, whole: int) -> str:
    """A change in percent with two decimals and no sign glyph; "" when there is nothing to compare."""
    if whole <= 0:
        return ""
    hundredths = half_even_div(part * 10_000, whole)
    sign = MINUS if hundredths < 0 else "+" if hundredths else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}%"


def share(ppm: int) -> str:
    return f"{half_even_div(ppm, PPM // 100)}%"


def clock_text(ns: int) -> str:
    """Time of the UTC day to the second."""
    seconds = ns % DAY // SECOND
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def precise_clock_text(ns: int) -> str:
    return f"{clock_text(ns)}.{ns % SECOND // 1_000_000:03d}"


def span_text(ns: int) -> str:
    """A short length of time: "0.4 ms", "85 ms", "2.1 s", "3 min"."""
    if ns < 10_000_000:
        return f"{ns // 100_000 / 10:.1f} ms"
    if ns < SECOND:
        return f"{ns // 1_000_000} ms"
    if ns < 60 * SECOND:
        return f"{ns // (SECOND // 10) / 10:.1f} s"
    return f"{ns // (60 * SECOND)} min"


def sparkline(values: Sequence[int], cells: int) -> str:
    """The last so many values, each as a bar between their lowest and highest."""
    shown = values[-cells:] if cells > 0 else []
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if low == high:
        return SPARKS[3] * len(shown)
    span = high - low
    return "".join(SPARKS[(value - low) * (len(SPARKS) - 1) // span] for value in shown)


def compact(text: str, cells: int) -> str:
    """A decimal that fits: fraction digits go first, then thousands turn into k, M, G, T."""
    if len(text) <= cells:
        return text
    whole, _, fraction = text.partition(".")
    if len(whole) <= cells:
        room = cells - len(whole) - 1
        return f"{whole}.{fraction[:room]}" if room > 0 and fraction else whole
    whole = whole.replace(",", "")
    for power, letter in ((3, "k"), (6, "M"), (9, "G"), (12, "T")):
        head, tail = whole[:-power], whole[-power:]
        if head.strip(MINUS) and len(head) < cells:
            room = cells - len(head) - 2
            return f"{head}.{tail[:room]}{letter}" if room > 0 else f"{head}{letter}"
    return "#" * cells


def refusal_text(row: Mapping[str, Any]) -> str:
    """Why the exchange refuses, with the limit and the actual value where it has them."""
    text = f"{row['code']}: {row['message']}"
    if "limit" in row:
        text += f" (limit {row['limit']}, here {row['actual']})"
    return text
