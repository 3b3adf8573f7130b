"""Time and sales: the newest trade on top, the taker's side as glyph and colour."""

from __future__ import annotations

from itertools import islice

from textual.strip import Strip

from exchange.core.terms import BUY
from exchange.directory import Directory
from exchange.views.tape import Print, Tape
from tradecli.tui.figures import DOWN, UP, clock_text, compact, grouped, precise_clock_text
from tradecli.tui.widgets.surface import Row, Surface

PRECISE_WIDTH = 36


class TapePane(Surface, can_focus=True):
    """tape: of instrument -1 until it is loaded."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.tape = Tape(-1)
        self.directory = Directory([], [], [], [])

    def draw(self, width: int, height: int) -> list[Strip]:
        tape, directory = self.tape, self.directory
        if tape.instrument < 0:
            return [self.title_row(width, "5 Tape")]
        newest = list(islice(reversed(tape.prints), max(height - 1, 0)))
        lines = [self.title_row(width, "5 Tape", directory.instruments[tape.instrument].symbol)]
        lines += [self._print_row(width, directory, tape.instrument, print_) for print_ in newest]
        if not newest:
            style = self.ink(self.palette.dim)
            lines.append(Row().add(" no trades yet", style).strip(width, style))
        return lines

    def _print_row(self, width: int, directory: Directory, instrument: int, print_: Print) -> Strip:
        palette = self.palette
        is_buy = print_.side == BUY
        time = precise_clock_text(print_.ts) if width >= PRECISE_WIDTH else clock_text(print_.ts)
        price = grouped(directory.price_text(instrument, print_.price))
        color = self.ink(palette.up if is_buy else palette.down)
        row = Row().add(f" {time} ", self.ink(palette.dim))
        row.add(UP if is_buy else DOWN, color)
        left = width - row.width - 1
        size = compact(directory.quantity_text(instrument, print_.quantity), max(left - len(price) - 2, 1))
        row.right(price, max(left - max(len(size) + 1, left // 2 - 1), len(price) + 1), color)
        row.right(size, width - row.width - 1, self.ink(palette.text))
        return row.strip(width, color)
