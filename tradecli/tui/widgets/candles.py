"""Candles, axes and marks as character cells: the pure part of the chart.

A cell is two half rows high: bodies are half blocks, wicks are lines that begin and end at half
rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from exchange.core.units import DAY, SECOND, Nanos, Ticks
from exchange.views.candles import MINUTE, Candle

# (upper half, lower half): 0 empty, 1 wick, 2 body.
GLYPHS: Final[dict[tuple[int, int], str]] = {
    (0, 0): " ",
    (1, 0): "╵",
    (0, 1): "╷",
    (1, 1): "│",
    (2, 0): "▀",
    (0, 2): "▄",
    (2, 2): "█",
}
# Cells of a body and of a whole slot, from narrow to wide.
ZOOMS: Final = ((1, 1), (1, 2), (2, 3), (3, 4), (5, 6))
NICE: Final = (1, 2, 5)
LABEL_SECONDS: Final = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200)


class Scale:
    """Prices to half rows; half row 0 is at the top."""

    __slots__ = ("halves", "high", "low")

    def __init__(self, low: Ticks, high: Ticks, rows: int) -> None:
        """A margin of a twentieth stays free above and below; a flat line stands in the middle."""
        margin = max((high - low) // 20, 1)
        self.low = low - margin
        self.high = high + margin
        self.halves = max(rows * 2, 1)

    def half(self, price: Ticks) -> int:
        """May lie outside 0..halves-1 for prices outside the range."""
        return (self.high - price) * self.halves // max(self.high - self.low, 1)

    def row(self, price: Ticks) -> int:
        return self.half(price) // 2

    def price(self, row: int) -> Ticks:
        """Price at the middle of a row."""
        return self.high - (2 * row + 1) * (self.high - self.low) // self.halves

    def labels(self, gap: int) -> list[Ticks]:
        """Round prices about ``gap`` rows apart."""
        span = self.high - self.low
        least = span * gap * 2 // self.halves
        step = nice_step(max(least, 1))
        first = -(-self.low // step) * step
        return list(range(first, self.high + 1, step))


def nice_step(least: int) -> int:
    """The smallest 1, 2 or 5 times a power of ten that is not below."""
    power = 1
    while True:
        for factor in NICE:
            if factor * power >= least:
                return factor * power
        power *= 10


def column(candle: Candle, scale: Scale, rows: int) -> list[tuple[int, int]]:
    """(upper, lower) per row of one candle: 0 empty, 1 wick, 2 body.

    No glyph has half a body and half a wick.  Where a wick goes on beyond the row the body fills it,
    so that the two touch; a wick of less than a row beside its body is left out.
    """
    top, bottom = scale.half(candle.high), scale.half(candle.low)
    body_top = scale.half(max(candle.open, candle.close))
    body_bottom = scale.half(min(candle.open, candle.close))
    halves = [0] * (rows * 2 + 1)
    for at in range(max(top, 0), min(bottom, rows * 2 - 1) + 1):
        halves[at] = 2 if body_top <= at <= body_bottom else 1
    cells = []
    for row in range(rows):
        upper, lower = halves[2 * row], halves[2 * row + 1]
        if upper == 1 and lower == 2:
            upper = 2 if row and halves[2 * row - 1] == 1 else 0
        elif upper == 2 and lower == 1:
            lower = 2 if halves[2 * row + 2] == 1 else 0
        cells.append((upper, lower))
    return cells


def time_label(begin: Nanos, length: Nanos) -> str:
    """Clock for candles within a day, date for longer ones; the first of a day shows its date."""
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(begin // SECOND, UTC)
    if length >= DAY or length == 0:
        return moment.strftime("%d %b %y")
    if begin % DAY == 0:
        return moment.strftime("%d %b")
    if begin % MINUTE:
        return moment.strftime("%H:%M:%S")
    return moment.strftime("%H:%M")


def time_marks(candles: Sequence[Candle], slot: int, length: Nanos) -> list[tuple[int, str]]:
    """(column, text) of labels that do not touch each other, on round times where there are any."""
    marks: list[tuple[int, str]] = []
    free_from = 0
    apart = _apart(length, slot)
    for at, candle in enumerate(candles):
        is_round = candle.begin % apart == 0 if apart else True
        if not is_round:
            continue
        text = time_label(candle.begin, length)
        left = at * slot
        if left >= free_from:
            marks.append((left, text))
            free_from = left + len(text) + 4
    return marks


def _apart(length: Nanos, slot: int) -> Nanos:
    """Distance of the labels: the first round time that leaves about twelve cells between them."""
    if not length or length >= DAY:
        return 0
    for seconds in LABEL_SECONDS:
        if seconds * SECOND >= length and seconds * SECOND // length * slot >= 12:
            return seconds * SECOND
    return DAY
