"""A pane that draws itself row by row and repaints only the rows that changed.

Measured against a DataTable of the same size a pane like this costs a twentieth of the processor
time, because a change of one row composes one row.
"""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from exchange.directory import safe_text
from tradecli.tui.theme import DARK, Palette, ink

BLANK = Style()


class Row:
    """Styled pieces of one line, left to right; neighbours of one style are merged."""

    __slots__ = ("_segments", "_style", "_text", "width")

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._text: list[str] = []
        self._style = BLANK
        self.width = 0

    def add(self, text: str, style: Style) -> Row:
        if not text:
            return self
        if not text.isprintable():  # the one gate to the terminal: no control character passes
            text = safe_text(text)
        if style is not self._style:
            self._flush()
            self._style = style
        self._text.append(text)
        self.width += len(text) if text.isascii() else cell_len(text)
        return self

    def right(self, text: str, cells: int, style: Style) -> Row:
        """The text at the right end of so many cells, cut on the left if it is too long."""
        return self.add(right_aligned(text, cells), style)

    def left(self, text: str, cells: int, style: Style) -> Row:
        return self.add(set_cell_size(text, max(cells, 0)), style)

    def fill(self, width: int, style: Style) -> Row:
        """Blank up to this column."""
        return self.add(" " * (width - self.width), style) if width > self.width else self

    def strip(self, width: int, style: Style) -> Strip:
        """Exactly so many cells."""
        self.fill(width, style)
        self._flush()
        strip = Strip(self._segments, self.width)
        return strip.crop(0, width) if self.width > width else strip

    def _flush(self) -> None:
        if self._text:
            self._segments.append(Segment("".join(self._text), self._style))
            self._text = []


def right_aligned(text: str, cells: int) -> str:
    if len(text) <= cells:
        return text.rjust(cells)
    return "…" + text[len(text) - cells + 1 :] if cells > 0 else ""


class Surface(Widget):
    """Base of the panes: ``draw`` gives the rows, ``redraw`` shows what differs from the last ones."""

    ALLOW_SELECT: ClassVar[bool] = False
    IS_RAISED: ClassVar[bool] = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.palette: Palette = DARK
        self.is_dimmed = False
        self._rows: list[Strip] = []

    def draw(self, width: int, height: int) -> list[Strip]:
        """Rows from the top; missing ones are blank."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw again and repaint the rows that changed."""
        width, height = self.size
        if not (width and height and self.is_attached):
            return
        rows = self.draw(width, height)[:height]
        if len(rows) < height:
            blank = Strip.blank(width, self.ink(self.palette.text))
            rows += [blank] * (height - len(rows))
        before = self._rows
        self._rows = rows
        if len(before) != height:
            self.refresh()
            return
        changed = [y for y in range(height) if rows[y] != before[y]]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        if y < len(self._rows):
            return self._rows[y]
        return Strip.blank(self.size.width, self.ink(self.palette.text))

    def show(self, palette: Palette) -> None:
        """Take the colours of another theme."""
        self.palette = palette
        self.redraw()

    def ink(self, color: str, background: str = "", *, bold: bool = False) -> Style:
        """Colours for a cell of this pane; while the data is stale every text is dim."""
        palette = self.palette
        background = background or (palette.raised if self.IS_RAISED else palette.panel)
        return ink(palette.faint if self.is_dimmed else color, background, bold=bold)

    def title_row(self, width: int, title: str, right: str = "") -> Strip:
        """The pane's head line: bright while it has the focus."""
        palette = self.palette
        background = palette.title_focus if self.has_focus else palette.title
        row = Row().add(f" {title}", ink(palette.text, background, bold=True))
        if right and row.width + cell_len(right) + 2 <= width:
            row.fill(width - cell_len(right) - 1, ink(palette.dim, background))
            row.add(right, ink(palette.dim, background))
        return row.strip(width, ink(palette.dim, background))

    def on_resize(self, event: Resize) -> None:
        del event
        self.redraw()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.redraw()
