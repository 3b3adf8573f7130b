"""The order book as a ladder: price in the middle, bids on its left, asks on its right, and one's
own orders on the outer edges.  Spread and balance of the two sides stand between them."""

from __future__ import annotations

from typing import Final, NamedTuple

from rich.style import Style
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.strip import Strip

from exchange.core.terms import BUY, SELL, Side
from exchange.core.units import PPM, Lots, Ticks, half_even_div
from exchange.directory import Directory
from exchange.views.depth import Depth
from exchange.views.depth import Row as Level
from tradecli.tui.actions import bindings
from tradecli.tui.figures import DOWN, FLAT, UP, compact, grouped, share, trimmed
from tradecli.tui.messages import PricePicked
from tradecli.tui.theme import Palette, ink
from tradecli.tui.widgets.surface import Row, Surface, right_aligned

STEPS: Final = (1, 2, 5, 10, 20, 50, 100, 500, 1_000)
HEAD_ROWS: Final = 2
MIDDLE_ROWS: Final = 2
IMBALANCE_LEVELS: Final = 10
OWN_CELLS: Final = 6
OWN_CELLS_NARROW: Final = 5
NARROW_WIDTH: Final = 40
KEPT_MAX: Final = 512


class Look(NamedTuple):
    """Everything a level's row shows.  filled: cells of its bar."""

    instrument: int
    side: Side
    price: Ticks
    lots: Lots
    filled: int
    own: str
    is_cursor: bool
    is_last: bool


class Columns:
    """Cells of each column: own, quantity, price, quantity, own."""

    __slots__ = ("own", "price", "quantity", "widths")

    def __init__(self, width: int, price: int) -> None:
        self.price = price + 2
        own = OWN_CELLS if width >= NARROW_WIDTH else OWN_CELLS_NARROW
        self.own = own if width >= self.price + 2 * (own + 5) else 0
        self.quantity = max((width - self.price - 2 * self.own) // 2, 0)
        self.widths = (self.own, self.quantity, self.price)


class OrderBook(Surface, can_focus=True):
    """depth: of instrument -1 until the snapshot is here.   own: remaining lots by (side, price).
    cursor: row of the selected level counted from the best, positive for asks, negative for bids."""

    BINDINGS = bindings("list")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.depth = Depth(-1)
        self.directory = Directory([], [], [], [])
        self.own: dict[tuple[Side, Ticks], Lots] = {}
        self.last: Ticks = 0
        self.moved = 0
        self.status = "open"
        self.step_at = 0
        self.cursor = 0
        self._kept: dict[tuple[Look, tuple[int, int, int], int, bool, Palette], Strip] = {}
        self._levels: tuple[list[Level], list[Level]] = ([], [])  # bids, asks as drawn

    @property
    def step(self) -> Ticks:
        return STEPS[self.step_at]

    def next_step(self) -> None:
        self.step_at = (self.step_at + 1) % len(STEPS)
        self.cursor = 0
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        depth, directory = self.depth, self.directory
        if depth.instrument < 0:
            return [self.title_row(width, "3 Book"), self._note(width, "waiting for the book")]
        rows = max(height - HEAD_ROWS - MIDDLE_ROWS, 0)
        asks = depth.asks.grouped(rows // 2, self.step)
        bids = depth.bids.grouped(rows - rows // 2, self.step)
        self._levels = (bids, asks)
        texts = [directory.price_text(depth.instrument, row[0]) for row in (asks[-1:] + bids[-1:])]
        columns = Columns(width, max((len(grouped(text)) for text in texts), default=8))
        most = max((lots for _, lots, _ in asks + bids), default=1)
        lines = [self._title(width), self._column_heads(width, columns)]
        lines += [self._note(width, "")] * (rows // 2 - len(asks))
        for at in range(len(asks), 0, -1):
            lines.append(self._level_row(columns, width, at, asks[at - 1], most))
        lines += [self._spread_row(width), self._imbalance_row(width)]
        for at, level in enumerate(bids, start=1):
            lines.append(self._level_row(columns, width, -at, level, most))
        return lines

    def _title(self, width: int) -> Strip:
        info = self.directory.instruments[self.depth.instrument]
        right = f"d x{self.step}"
        if self.cursor:
            lots = self._to_cursor()
            text = self.directory.quantity_text(info.instrument_id, lots)
            right = f"Σ {compact(grouped(text), 12)}  {right}"
        return self.title_row(width, f"3 Book {info.symbol}", right)

    def _to_cursor(self) -> Lots:
        """Displayed lots from the best level to the cursor."""
        bids, asks = self._levels
        side = asks if self.cursor > 0 else bids
        return sum(lots for _, lots, _ in side[: abs(self.cursor)])

    def _column_heads(self, width: int, columns: Columns) -> Strip:
        style = self.ink(self.palette.faint)
        row = Row()
        if columns.own:
            row.right("mine ", columns.own, style)
        row.right("bid", columns.quantity, style)
        row.add("price".center(columns.price), style)
        row.left("ask", columns.quantity, style)
        if columns.own:
            row.left(" mine", columns.own, style)
        return row.strip(width, style)

    def _level_row(self, columns: Columns, width: int, at: int, level: Level, most: Lots) -> Strip:
        """As kept from an earlier frame if it looked the same then: most levels stand still."""
        price, lots, _ = level
        side = SELL if at > 0 else BUY
        look = Look(
            self.depth.instrument,
            side,
            price,
            lots,
            -(-lots * columns.quantity // most) if most else 0,
            self._own_text(side, price, columns.own - 1),
            at == self.cursor and self.has_focus,
            self.last == price and bool(self.last),
        )
        key = (look, columns.widths, width, self.is_dimmed, self.palette)
        strip = self._kept.get(key)
        if strip is None:
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            strip = self._kept[key] = self._drawn(look, columns, width)
        return strip

    def _drawn(self, look: Look, columns: Columns, width: int) -> Strip:
        palette = self.palette
        is_ask = look.side == SELL
        background = palette.cursor if look.is_cursor else palette.panel
        plain = self.ink(palette.text, background)
        own_style = ink(palette.own, background, bold=True)
        bar = self.ink(palette.text, palette.down_bar if is_ask else palette.up_bar)
        text = compact(self.directory.quantity_text(look.instrument, look.lots), max(columns.quantity - 1, 1))
        price = grouped(self.directory.price_text(look.instrument, look.price)).center(columns.price)
        color = self.ink(palette.down if is_ask else palette.up, background, bold=look.is_last)
        row = Row()
        if is_ask:
            row.add(" " * (columns.own + columns.quantity), plain).add(price, color)
            self._bar(row, text.ljust(columns.quantity), look.filled, (bar, plain))
            row.add(f" {look.own}".ljust(columns.own)[: columns.own], own_style)
        else:
            if columns.own:
                row.add(right_aligned(look.own, columns.own - 1) + " ", own_style)
            split = columns.quantity - look.filled
            self._bar(row, right_aligned(text, columns.quantity), split, (plain, bar))
            row.add(price, color)
        return row.strip(width, plain)

    @staticmethod
    def _bar(row: Row, text: str, split: int, styles: tuple[Style, Style]) -> None:
        row.add(text[:split], styles[0]).add(text[split:], styles[1])

    def _own_text(self, side: Side, price: Ticks, cells: int) -> str:
        """Own remaining lots of the level, with those of all its ticks when levels are grouped."""
        if not self.own or cells <= 0:
            return ""
        reach = self.step - 1
        low, high = (price, price + reach) if side == BUY else (price - reach, price)
        lots = sum(q for (s, p), q in self.own.items() if s == side and low <= p <= high)
        if not lots:
            return ""
        return compact(trimmed(self.directory.quantity_text(self.depth.instrument, lots)), cells)

    def _spread_row(self, width: int) -> Strip:
        palette = self.palette
        number = self.depth.instrument
        background = palette.title
        row = Row()
        if self.status != "open":
            row.add(f" {self.status.upper()} ", ink(palette.inverse, palette.warn, bold=True))
        if self.last:
            color, glyph = (
                (palette.up, UP)
                if self.moved > 0
                else (palette.down, DOWN)
                if self.moved < 0
                else (palette.dim, FLAT)
            )
            text = grouped(self.directory.price_text(number, self.last))
            row.add(f" {glyph} {text}", self.ink(color, background, bold=True))
        spread = self.depth.spread
        if spread > 0:
            twice_mid = self.depth.bids.best() + self.depth.asks.best()
            tenths = half_even_div(2 * spread * 100_000, twice_mid)
            size = grouped(self.directory.price_text(number, spread))
            text = f"spread {size} · {tenths // 10}.{tenths % 10} bp"
            if row.width + len(text) + 2 > width:
                text = f"{size} · {tenths // 10}.{tenths % 10} bp"
            row.fill(width - len(text) - 1, self.ink(palette.dim, background))
            row.add(text, self.ink(palette.dim, background))
        return row.strip(width, self.ink(palette.dim, background))

    def _imbalance_row(self, width: int) -> Strip:
        palette = self.palette
        ppm = self.depth.imbalance(IMBALANCE_LEVELS)
        left, right = f" {share(ppm)} ", f" {share(PPM - ppm)} "
        cells = max(width - len(left) - len(right), 0)
        bids = half_even_div(cells * ppm, PPM)
        row = Row().add(left, self.ink(palette.up))
        row.add("━" * bids, self.ink(palette.up)).add("━" * (cells - bids), self.ink(palette.down))
        return row.add(right, self.ink(palette.down)).strip(width, self.ink(palette.dim))

    def _note(self, width: int, text: str) -> Strip:
        style = self.ink(self.palette.dim)
        return Row().add(f" {text}" if text else "", style).strip(width, style)

    def action_cursor_up(self) -> None:
        self._move(-1)

    def action_cursor_down(self) -> None:
        self._move(1)

    def action_page_up(self) -> None:
        self._move(-5)

    def action_page_down(self) -> None:
        self._move(5)

    def action_cursor_first(self) -> None:
        self.cursor = len(self._levels[1])
        self.redraw()

    def action_cursor_last(self) -> None:
        self.cursor = -len(self._levels[0])
        self.redraw()

    def _move(self, down: int) -> None:
        """Rows count from the top: the farthest ask is 0, the best bid follows the best ask."""
        bids, asks = self._levels
        if not bids and not asks:
            return
        top = len(asks)
        if self.cursor == 0:
            row = top if down > 0 else top - 1
        else:
            row = (top - self.cursor if self.cursor > 0 else top - self.cursor - 1) + down
        row = max(0, min(top + len(bids) - 1, row))
        self.cursor = top - row if row < top else top - row - 1
        self.redraw()

    def action_choose(self) -> None:
        bids, asks = self._levels
        if self.cursor > 0 and self.cursor <= len(asks):
            self.post_message(PricePicked(asks[self.cursor - 1][0], BUY))
        elif self.cursor < 0 and -self.cursor <= len(bids):
            self.post_message(PricePicked(bids[-self.cursor - 1][0], SELL))

    def on_click(self, event: Click) -> None:
        at = self._row_at(event.y)
        if at:
            self.cursor = at
            self.action_choose()

    def _row_at(self, y: int) -> int:
        """Cursor value of a screen row, 0 for none."""
        rows = max(self.size.height - HEAD_ROWS - MIDDLE_ROWS, 0)
        ask_end = HEAD_ROWS + rows // 2
        bids, asks = self._levels
        if HEAD_ROWS <= y < ask_end and ask_end - y <= len(asks):
            return ask_end - y
        below = y - ask_end - MIDDLE_ROWS + 1
        return -below if 0 < below <= len(bids) else 0

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self._move(-1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self._move(1)
