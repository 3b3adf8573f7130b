"""The account's working orders, fills, positions and balances: four tabs of one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.strip import Strip

from exchange.core.terms import InstrumentId
from exchange.core.units import Ticks
from exchange.directory import Directory
from exchange.views.blotter import Blotter
from exchange.views.equity import Holding
from exchange.views.portfolio import Position
from tradecli.tui.actions import bindings
from tradecli.tui.messages import InstrumentPicked, OrderPicked
from tradecli.tui.theme import ink
from tradecli.tui.widgets.positions import (
    BALANCE_COLUMNS,
    FILL_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    balance_lines,
    fill_lines,
    order_lines,
    position_lines,
)
from tradecli.tui.widgets.surface import Row, Surface
from tradecli.tui.widgets.table import Column, Line, head_strip, line_strip, widths_of

HEAD_ROWS: Final = 2
TABS: Final = ("orders", "fills", "positions", "balances")
DONE_SHOWN: Final = 20
COLUMNS: Final[dict[str, tuple[Column, ...]]] = {
    "orders": ORDER_COLUMNS,
    "fills": FILL_COLUMNS,
    "positions": POSITION_COLUMNS,
    "balances": BALANCE_COLUMNS,
}
EMPTY: Final = {
    "orders": "no orders yet: b buys, s sells",
    "fills": "no fills yet",
    "positions": "no open positions",
    "balances": "no balances",
}


class BlotterPane(Surface, can_focus=True):
    """marks: price per instrument that values the positions."""

    BINDINGS = bindings("list", "blotter")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.blotter = Blotter(-1)
        self.positions: Mapping[InstrumentId, Position] = {}
        self.holdings: list[Holding] = []
        self.marks: Mapping[InstrumentId, Ticks] = {}
        self.directory = Directory([], [], [], [])
        self.tab = TABS[0]
        self.cursor = 0
        self._top = 0
        self._lines: list[Line] = []
        self._key = 0
        self._tab_ends: list[int] = []

    def draw(self, width: int, height: int) -> list[Strip]:
        self._lines = self._build()
        self._follow()
        lines, columns = self._lines, COLUMNS[self.tab]
        page = max(height - HEAD_ROWS, 1)
        self._top = max(0, min(self._top, self.cursor, len(lines) - page))
        self._top = max(self._top, self.cursor - page + 1)
        strips = [self._tabs(width)]
        if not lines:
            style = self.ink(self.palette.dim)
            return [
                *strips,
                Row().strip(width, style),
                Row().add(f"  {EMPTY[self.tab]}", style).strip(width, style),
            ]
        widths = widths_of(columns, lines, width)
        strips.append(head_strip(self, columns, widths, width))
        for at, line in enumerate(lines[self._top : self._top + page], start=self._top):
            is_cursor = at == self.cursor and self.has_focus
            shade = (
                self.palette.cursor if is_cursor else self.palette.panel_alt if at % 2 else self.palette.panel
            )
            strips.append(line_strip(self, columns, widths, line, shade))
        return strips

    def _build(self) -> list[Line]:
        makers: dict[str, Callable[[], list[Line]]] = {
            "orders": self._order_lines,
            "fills": lambda: fill_lines(self.blotter.fills, self.directory),
            "positions": lambda: position_lines(self.positions, self.directory, self.marks),
            "balances": lambda: balance_lines(self.holdings, self.directory),
        }
        return makers[self.tab]()

    def _order_lines(self) -> list[Line]:
        done = list(self.blotter.done)[-DONE_SHOWN:]
        return order_lines(self.blotter.orders.values(), done, self.directory, self.marks)

    def _follow(self) -> None:
        """The cursor stays on its order while others come and go above it."""
        if self._key:
            at = next((at for at, line in enumerate(self._lines) if line.key == self._key), -1)
            if at >= 0:
                self.cursor = at
        self.cursor = max(0, min(self.cursor, len(self._lines) - 1))
        self._key = self._lines[self.cursor].key if self._lines else 0

    def _tabs(self, width: int) -> Strip:
        palette = self.palette
        background = palette.title_focus if self.has_focus else palette.title
        counts = {
            "orders": len(self.blotter.orders),
            "fills": len(self.blotter.fills),
            "positions": sum(1 for position in self.positions.values() if position.quantity),
            "balances": len(self.holdings),
        }
        row = Row().add(" 4 ", ink(palette.text, background, bold=True))
        self._tab_ends = []
        for name in TABS:
            is_open = name == self.tab
            color = palette.text if is_open else palette.dim
            shade = palette.panel if is_open else background
            row.add(f" {name.capitalize()} ", ink(color, shade, bold=is_open))
            row.add(f"{counts[name]} ", ink(palette.own if counts[name] and is_open else palette.dim, shade))
            self._tab_ends.append(row.width)
        return row.strip(width, ink(palette.dim, background))

    @property
    def selected_order(self) -> int:
        """Id of the working order under the cursor, 0 if there is none."""
        return self._key if self.tab == "orders" else 0

    def show_tab(self, tab: str) -> None:
        self.tab = tab
        self.cursor, self._key = 0, 0
        self.redraw()

    def next_tab(self, by: int = 1) -> None:
        self.show_tab(TABS[(TABS.index(self.tab) + by) % len(TABS)])

    def action_tab_left(self) -> None:
        self.next_tab(-1)

    def action_tab_right(self) -> None:
        self.next_tab()

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
        self._to(len(self._lines) - 1)

    def _to(self, cursor: int) -> None:
        self.cursor = max(0, min(len(self._lines) - 1, cursor))
        self._key = self._lines[self.cursor].key if self._lines else 0
        self.redraw()

    def action_choose(self) -> None:
        if not self._lines:
            return
        if self.tab == "orders" and self._key:
            self.post_message(OrderPicked(self._key))
        elif self.tab == "positions":
            self.post_message(InstrumentPicked(self._key - 1))

    def on_click(self, event: Click) -> None:
        if event.y == 0:
            for name, end in zip(TABS, self._tab_ends, strict=True):
                if event.x < end:
                    self.show_tab(name)
                    return
            return
        at = event.y - HEAD_ROWS + self._top
        if event.y >= HEAD_ROWS and at < len(self._lines):
            self._to(at)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self._to(self.cursor - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self._to(self.cursor + 1)
