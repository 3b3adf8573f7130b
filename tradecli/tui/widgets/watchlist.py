"""The instruments with last price, change of the day and the shape of the last hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.strip import Strip

from exchange.core.units import Minor, Ticks
from exchange.directory import Directory
from tradecli.tui.actions import bindings
from tradecli.tui.figures import DOWN, FLAT, UP, compact, grouped, percent, sparkline
from tradecli.tui.messages import InstrumentPicked, WatchlistOrdered
from tradecli.tui.widgets.surface import Row, Surface

SORTS: Final = ("my order", "symbol", "change", "turnover")
HEAD_ROWS: Final = 2
SPARK_CELLS: Final = 12
SPARK_MIN: Final = 4
SYMBOL_MAX: Final = 14
PRICE_CELLS: Final = 9
CHANGE_CELLS: Final = 8


class Watched(NamedTuple):
    """One line.  last, open: 0 before the first trade (of the day).   closes: of the last minutes.

    turnover: value traded today.   status: open or halted.
    """

    instrument: int
    last: Ticks
    open: Ticks
    moved: int
    closes: Sequence[Ticks]
    turnover: Minor
    status: str


class Watchlist(Surface, can_focus=True):
    """rows: in the person's own order.   selected: the instrument the dashboard shows."""

    BINDINGS = bindings("list", "watchlist")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.rows: list[Watched] = []
        self.order: list[str] = []
        self.directory = Directory([], [], [], [])
        self.selected = -1
        self.sort = SORTS[0]
        self.cursor = 0
        self._top = 0

    def shown(self) -> list[Watched]:
        """The rows as sorted now."""
        directory = self.directory
        symbol = {row.instrument: directory.instruments[row.instrument].symbol for row in self.rows}
        if self.sort == "symbol":
            return sorted(self.rows, key=lambda row: symbol[row.instrument])
        if self.sort == "change":
            return sorted(self.rows, key=_change_ppm, reverse=True)
        if self.sort == "turnover":
            return sorted(self.rows, key=lambda row: row.turnover, reverse=True)
        places = {name: at for at, name in enumerate(self.order)}
        return sorted(
            self.rows, key=lambda row: places.get(symbol[row.instrument], len(places) + row.instrument)
        )

    def draw(self, width: int, height: int) -> list[Strip]:
        rows = self.shown()
        page = max(height - HEAD_ROWS, 1)
        self.cursor = max(0, min(self.cursor, len(rows) - 1))
        self._top = max(0, min(self._top, self.cursor, len(rows) - page))
        self._top = max(self._top, self.cursor - page + 1)
        lines = [self.title_row(width, "1 Watchlist", f"S {self.sort}"), self._heads(width)]
        for at, row in enumerate(rows[self._top : self._top + page], start=self._top):
            lines.append(self._watched_row(width, row, is_cursor=at == self.cursor))
        return lines

    def _cells(self, width: int) -> tuple[int, int]:
        """Cells of symbol and sparkline; the sparkline goes first when there is no room."""
        left = width - 1 - PRICE_CELLS - CHANGE_CELLS
        symbols = (self.directory.instruments[row.instrument].symbol for row in self.rows)
        longest = min(max((len(symbol) for symbol in symbols), default=0), SYMBOL_MAX)
        spark = min(SPARK_CELLS, left - longest - 3)
        return (left - spark - 2, spark) if spark >= SPARK_MIN else (left, 0)

    def _heads(self, width: int) -> Strip:
        style = self.ink(self.palette.faint)
        symbol, spark = self._cells(width)
        row = Row().left(" symbol", symbol + 1, style)
        row.right("last", PRICE_CELLS, style).right("day", CHANGE_CELLS, style)
        if spark:
            row.add(" ", style).left("hour", spark, style).add(" ", style)
        return row.strip(width, style)

    def _watched_row(self, width: int, watched: Watched, *, is_cursor: bool) -> Strip:
        palette = self.palette
        info = self.directory.instruments[watched.instrument]
        is_selected = watched.instrument == self.selected
        background = palette.cursor if is_cursor and self.has_focus else palette.panel
        symbol, spark = self._cells(width)
        plain = self.ink(palette.text, background)
        row = Row()
        row.add("▌" if is_selected else " ", self.ink(palette.accent, background))
        is_halted = watched.status != "open"
        row.left(info.symbol, symbol, self.ink(palette.text, background, bold=is_selected))
        last = grouped(self.directory.price_text(info.instrument_id, watched.last)) if watched.last else "-"
        row.right(compact(last, PRICE_CELLS), PRICE_CELLS, plain)
        change = watched.last - watched.open if watched.open and watched.last else 0
        color = palette.up if change > 0 else palette.down if change < 0 else palette.dim
        glyph = UP if change > 0 else DOWN if change < 0 else FLAT
        text = percent(change, watched.open)
        day = f"{glyph}{text.rjust(CHANGE_CELLS - 2)}" if text else ""
        if is_halted:
            row.right("halted", CHANGE_CELLS, self.ink(palette.warn, background, bold=True))
        else:
            row.right(day, CHANGE_CELLS, self.ink(color, background))
        if spark:
            row.add(" ", plain).left(sparkline(watched.closes, spark), spark, self.ink(color, background))
        return row.strip(width, plain)

    def action_cursor_up(self) -> None:
        self._to(self.cursor - 1)

    def action_cursor_down(self) -> None:
        self._to(self.cursor + 1)

    def action_page_up(self) -> None:
        self._to(self.cursor - max(self.size.height - HEAD_ROWS, 1))

    def action_page_down(self) -> None:
        self._to(self.cursor + max(self.size.height - HEAD_ROWS, 1))

    def action_cursor_first(self) -> None:
        self._to(0)

    def action_cursor_last(self) -> None:
        self._to(len(self.rows) - 1)

    def _to(self, cursor: int) -> None:
        self.cursor = max(0, min(len(self.rows) - 1, cursor))
        self.redraw()

    def action_choose(self) -> None:
        rows = self.shown()
        if rows:
            self.post_message(InstrumentPicked(rows[self.cursor].instrument))

    def action_move_up(self) -> None:
        self._swap(-1)

    def action_move_down(self) -> None:
        self._swap(1)

    def _swap(self, by: int) -> None:
        """Moving a row keeps the order on screen as the person's own."""
        symbols = [self.directory.instruments[row.instrument].symbol for row in self.shown()]
        at, to = self.cursor, self.cursor + by
        if not 0 <= to < len(symbols):
            return
        symbols[at], symbols[to] = symbols[to], symbols[at]
        self.order, self.sort, self.cursor = symbols, SORTS[0], to
        self.post_message(WatchlistOrdered(symbols, self.sort))
        self.redraw()

    def next_sort(self) -> None:
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self.post_message(WatchlistOrdered(self.order, self.sort))
        self.redraw()

    def on_click(self, event: Click) -> None:
        at = event.y - HEAD_ROWS + self._top
        if event.y >= HEAD_ROWS and at < len(self.rows):
            self._to(at)
            self.action_choose()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self._to(self.cursor - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self._to(self.cursor + 1)


def _change_ppm(row: Watched) -> int:
    return (row.last - row.open) * 1_000_000 // row.open if row.open and row.last else 0
