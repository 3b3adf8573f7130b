"""The candle chart: price axis on the right, volume below, own orders as lines, own fills as marks,
a crosshair that reads out one candle."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from textual.events import Click, Leave, MouseMove, MouseScrollDown, MouseScrollUp
from textual.strip import Strip

from exchange.core.terms import BUY, Side
from exchange.core.units import Lots, Ticks
from exchange.directory import Directory
from exchange.views.blotter import Fill
from exchange.views.candles import Candle, Candles, begin_of
from tradecli.tui.actions import bindings
from tradecli.tui.figures import DOWN, EIGHTHS, UP, compact, grouped, percent, trimmed
from tradecli.tui.theme import Palette, ink
from tradecli.tui.widgets.candles import GLYPHS, ZOOMS, Scale, column, time_label, time_marks
from tradecli.tui.widgets.surface import Row, Surface

LABEL_GAP: Final = 4
SHORT_HEIGHT: Final = 12

# One cell of the plot: glyph, palette field of the text, palette field of the background.
Cell = tuple[str, str, str]
Label = tuple[str, str, str]  # text, palette field of the text, palette field of the background
PlotRow = tuple[list[Cell], Label | None, int, bool]  # cells, label, width, is dimmed
EMPTY: Final[Cell] = (" ", "faint", "panel")


class Chart(Surface, can_focus=True):
    """own: remaining lots by (side, price).   back: candles hidden on the right, 0 at the newest.
    cross: candles between the crosshair and the right edge, -1 when it is off."""

    BINDINGS = bindings("chart")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.candles = Candles(-1)
        self.directory = Directory([], [], [], [])
        self.own: dict[tuple[Side, Ticks], Lots] = {}
        self.fills: Sequence[Fill] = ()
        self.zoom = 1
        self.back = 0
        self.cross = -1
        self.is_loading = True
        self._plot_width = 0
        self._kept: dict[int, tuple[PlotRow, Palette, Strip]] = {}  # drawn rows by y

    def draw(self, width: int, height: int) -> list[Strip]:
        number = self.candles.instrument
        if number < 0:
            return [self.title_row(width, "2 Chart")]
        shown = self._shown(width)
        title = self._title(width, shown)
        if not shown or height < 5:
            style = self.ink(self.palette.dim)
            text = "loading candles" if self.is_loading else "no trades yet in this instrument"
            return [title, Row().strip(width, style), Row().add(f"  {text}", style).strip(width, style)]
        volume_rows = 0 if height < SHORT_HEIGHT else max(2, height // 7)
        rows = height - 2 - volume_rows
        scale = self._scale(shown, rows)
        cells = self._plot(shown, scale, rows)
        labels = self._labels(scale, rows)
        cells += self._volume(shown, volume_rows)
        if volume_rows:
            labels[rows] = (self._most_text(shown, width), "faint", "panel")
        lines = [self._line(y, (row, labels.get(y), width, self.is_dimmed)) for y, row in enumerate(cells)]
        return [title, *lines, self._time_axis(shown, width)]

    def _shown(self, width: int) -> list[Candle]:
        """The candles that fit, oldest first; also settles the width of the plot."""
        number = self.candles.instrument
        texts = (candle.high for candle in islice(reversed(self.candles.candles), 50))
        widest = max((len(grouped(self.directory.price_text(number, price))) for price in texts), default=8)
        self._plot_width = max(width - widest - 2, 1)
        _, slot = ZOOMS[self.zoom]
        count = self._plot_width // slot
        have = len(self.candles.candles)
        self.back = max(0, min(self.back, have - 1))
        end = have - self.back
        return list(islice(self.candles.candles, max(end - count, 0), end))

    def _scale(self, shown: Sequence[Candle], rows: int) -> Scale:
        return Scale(min(c.low for c in shown), max(c.high for c in shown), rows)

    def _plot(self, shown: Sequence[Candle], scale: Scale, rows: int) -> list[list[Cell]]:
        body, slot = ZOOMS[self.zoom]
        offset = self._plot_width - len(shown) * slot
        cells = [[EMPTY] * self._plot_width for _ in range(rows)]
        for y in self._grid_rows(scale, rows):
            cells[y] = [("┈", "faint", "panel") if x % 2 else EMPTY for x in range(self._plot_width)]
        self._own_lines(cells, scale, rows)
        for at, candle in enumerate(shown):
            color = "up" if candle.close >= candle.open else "down"
            left = offset + at * slot
            middle = left + (body - 1) // 2
            for y, halves in enumerate(column(candle, scale, rows)):
                if halves == (0, 0):
                    continue
                if 2 in halves:
                    cells[y][left : left + body] = [(GLYPHS[halves], color, "panel")] * body
                else:
                    cells[y][middle] = (GLYPHS[halves], color, "panel")
        self._fill_marks(cells, scale, shown, offset)
        self._crosshair(cells, offset, len(shown))
        return cells

    def _grid_rows(self, scale: Scale, rows: int) -> list[int]:
        return [y for y in (scale.row(price) for price in scale.labels(LABEL_GAP)) if 0 <= y < rows]

    def _own_lines(self, cells: list[list[Cell]], scale: Scale, rows: int) -> None:
        for (side, price), lots in self.own.items():
            y = scale.row(price)
            if not 0 <= y < rows:
                continue
            text = trimmed(self.directory.quantity_text(self.candles.instrument, lots))
            label = f" {UP if side == BUY else DOWN} {text} "
            cells[y] = [("╌", "own", "panel")] * self._plot_width
            for x, glyph in enumerate(label[: self._plot_width]):
                cells[y][x] = (glyph, "inverse", "own")

    def _fill_marks(
        self, cells: list[list[Cell]], scale: Scale, shown: Sequence[Candle], offset: int
    ) -> None:
        """A triangle under the candle of a purchase, above that of a sale."""
        body, slot = ZOOMS[self.zoom]
        at_begin = {candle.begin: at for at, candle in enumerate(shown)}
        for fill in reversed(self.fills):
            if fill.ts < shown[0].begin:
                return
            at = at_begin.get(begin_of(fill.ts, self.candles.length))
            if fill.instrument != self.candles.instrument or at is None:
                continue
            candle = shown[at]
            is_buy = fill.side == BUY
            y = scale.row(candle.low) + 1 if is_buy else scale.row(candle.high) - 1
            if 0 <= y < len(cells):
                cells[y][offset + at * slot + (body - 1) // 2] = (UP if is_buy else DOWN, "own", "panel")

    def _crosshair(self, cells: list[list[Cell]], offset: int, count: int) -> None:
        if self.cross < 0 or not count:
            return
        body, slot = ZOOMS[self.zoom]
        self.cross = min(self.cross, count - 1)
        x = offset + (count - 1 - self.cross) * slot + (body - 1) // 2
        for row in cells:
            glyph, color, _ = row[x]
            row[x] = ("┊" if glyph in " ┈" else glyph, "accent" if glyph in " ┈" else color, "cursor")

    def _labels(self, scale: Scale, rows: int) -> dict[int, Label]:
        """Text and colours of the price axis by row; own orders and the last price win."""
        number = self.candles.instrument

        def text(price: Ticks) -> str:
            return grouped(self.directory.price_text(number, price))

        labels = {scale.row(price): (text(price), "dim", "panel") for price in scale.labels(LABEL_GAP)}
        for _, price in self.own:
            labels[scale.row(price)] = (text(price), "inverse", "own")
        newest = self.candles.candles[-1]
        color = "up" if newest.close >= newest.open else "down"
        labels[scale.row(newest.close)] = (text(newest.close), "inverse", color)
        return {y: label for y, label in labels.items() if 0 <= y < rows}

    def _line(self, y: int, plot_row: PlotRow) -> Strip:
        """One row of the plot with its label; as kept from the last frame if nothing in it moved."""
        palette = self.palette
        kept = self._kept.get(y)
        if kept is not None and kept[1] is palette and kept[0] == plot_row:
            return kept[2]
        cells, label, width, _ = plot_row
        row = Row()
        at = 0
        while at < len(cells):
            end, color = _run_end(cells, at)
            style = self.ink(getattr(palette, color), getattr(palette, cells[at][2]))
            row.add("".join([cell[0] for cell in cells[at:end]]), style)
            at = end
        if label is not None:
            text, color, background = label
            style = self.ink(getattr(palette, color), getattr(palette, background), bold=color == "inverse")
            row.add(f" {text.rjust(width - self._plot_width - 2)} ", style)
        strip = row.strip(width, self.ink(palette.dim))
        self._kept[y] = (plot_row, palette, strip)
        return strip

    def _volume(self, shown: Sequence[Candle], rows: int) -> list[list[Cell]]:
        """Bars in eighths of a row under their candles."""
        body, slot = ZOOMS[self.zoom]
        most = max(candle.volume for candle in shown) or 1
        left = self._plot_width - len(shown) * slot
        heights = [max(candle.volume * rows * 8 // most, 1 if candle.volume else 0) for candle in shown]
        colors = ["up_bar" if candle.close >= candle.open else "down_bar" for candle in shown]
        cells = []
        for y in range(rows):
            floor = (rows - 1 - y) * 8
            row = [EMPTY] * self._plot_width
            for at, (height, color) in enumerate(zip(heights, colors, strict=True)):
                if height > floor:
                    x = left + at * slot
                    row[x : x + body] = [(EIGHTHS[min(height - floor, 8)], color, "panel")] * body
            cells.append(row)
        return cells

    def _most_text(self, shown: Sequence[Candle], width: int) -> str:
        most = max(candle.volume for candle in shown)
        text = self.directory.quantity_text(self.candles.instrument, most)
        return compact(text, width - self._plot_width - 2)

    def _time_axis(self, shown: Sequence[Candle], width: int) -> Strip:
        palette = self.palette
        _, slot = ZOOMS[self.zoom]
        offset = self._plot_width - len(shown) * slot
        row = Row()
        for x, text in time_marks(shown, slot, self.candles.length):
            if offset + x + len(text) <= self._plot_width:
                row.fill(offset + x, self.ink(palette.dim)).add(text, self.ink(palette.dim))
        if self.back:
            row.fill(self._plot_width, self.ink(palette.dim))
            row.add(f" ◀ {self.back} back", self.ink(palette.accent))
        return row.strip(width, self.ink(palette.dim))

    def _title(self, width: int, shown: Sequence[Candle]) -> Strip:
        """Symbol and timeframe, then the candle under the crosshair, else the newest."""
        palette = self.palette
        background = palette.title_focus if self.has_focus else palette.title
        info = self.directory.instruments[self.candles.instrument]
        row = Row().add(f" 2 {info.symbol} ", ink(palette.text, background, bold=True))
        row.add(f"{self.candles.timeframe} ", ink(palette.accent, background, bold=True))
        if not shown:
            return row.strip(width, ink(palette.dim, background))
        at = len(shown) - 1 - min(self.cross, len(shown) - 1) if self.cross >= 0 else -1
        candle = shown[at]
        color = palette.up if candle.close >= candle.open else palette.down
        number = info.instrument_id
        names = (("O", candle.open), ("H", candle.high), ("L", candle.low), ("C", candle.close))
        prices = [(name, grouped(self.directory.price_text(number, price))) for name, price in names]
        glyph = UP if candle.close >= candle.open else DOWN
        volume = compact(self.directory.quantity_text(number, candle.volume), 9)
        rest = [(glyph, percent(candle.close - candle.open, candle.open)), ("V", volume)]
        moment = [("", self._moment(candle))] if self.cross >= 0 else []
        pieces = [*moment, *prices, *rest]
        if row.width + sum(len(name) + len(text) + 1 for name, text in pieces[:-1]) >= width:
            pieces = [*moment, prices[-1], *rest]
        for name, text in pieces:
            if row.width + len(name) + len(text) + 2 > width:
                break
            row.add(f" {name}", ink(palette.dim, background)).add(text, ink(color, background))
        return row.strip(width, ink(palette.dim, background))

    def _moment(self, candle: Candle) -> str:
        day, clock = time_label(candle.begin, 0), time_label(candle.begin, self.candles.length)
        return day if clock in day else f"{day} {clock}"

    def set_zoom(self, by: int) -> None:
        self.zoom = max(0, min(len(ZOOMS) - 1, self.zoom + by))
        self.redraw()

    def pan(self, by: int) -> None:
        """Candles into the past; negative comes back."""
        self.back = max(0, min(len(self.candles.candles) - 1, self.back + by))
        self.redraw()

    def action_crosshair_left(self) -> None:
        self._cross_to(self.cross + 1)

    def action_crosshair_right(self) -> None:
        self._cross_to(max(self.cross - 1, 0))

    def _cross_to(self, cross: int) -> None:
        count = self._plot_width // ZOOMS[self.zoom][1]
        if cross >= count:
            self.pan(1)
            cross = count - 1
        self.cross = cross
        self.redraw()

    def action_crosshair_off(self) -> None:
        self.cross = -1
        self.redraw()

    def action_pan_left(self) -> None:
        self.pan(10)

    def action_pan_right(self) -> None:
        self.pan(-10)

    def action_to_now(self) -> None:
        self.back, self.cross = 0, -1
        self.redraw()

    def on_mouse_move(self, event: MouseMove) -> None:
        slot = ZOOMS[self.zoom][1]
        cross = (self._plot_width - 1 - event.x) // slot
        if event.x < self._plot_width and cross != self.cross:
            self.cross = max(cross, 0)
            self.redraw()

    def on_leave(self, event: Leave) -> None:
        del event
        if self.cross >= 0 and not self.has_focus:
            self.action_crosshair_off()

    def on_click(self, event: Click) -> None:
        event.stop()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.set_zoom(1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.set_zoom(-1)


def _run_end(cells: list[Cell], at: int) -> tuple[int, str]:
    """End and colour of the run that begins here; a blank goes with any colour."""
    glyph, color, background = cells[at]
    is_open = glyph == " "
    end = at + 1
    while end < len(cells) and cells[end][2] == background:
        glyph, other, _ = cells[end]
        if glyph != " " and other != color:
            if not is_open:
                break
            color = other
        is_open = is_open and glyph == " "
        end += 1
    return end, color
