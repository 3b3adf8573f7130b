"""The panes of the dashboard, and how what the mirror holds gets into them."""

from __future__ import annotations

from typing import Final

from textual.strip import Strip

from tradecli.tui.link import Link, State
from tradecli.tui.mirror import Changes, Mirror
from tradecli.tui.theme import Palette, ink
from tradecli.tui.widgets.account_bar import STALE_NS, AccountBar, Status
from tradecli.tui.widgets.blotter import BlotterPane
from tradecli.tui.widgets.chart import Chart
from tradecli.tui.widgets.command_bar import CommandBar
from tradecli.tui.widgets.order_book import OrderBook
from tradecli.tui.widgets.order_ticket import OrderTicket
from tradecli.tui.widgets.surface import Row, Surface
from tradecli.tui.widgets.tape import TapePane
from tradecli.tui.widgets.watchlist import Watchlist

WIDTH_MIN: Final = 60
HEIGHT_MIN: Final = 20
VALUE_NS: Final = 250_000_000  # prices move too fast to read profits that follow each of them
BOOK_COLUMN_MIN: Final = 76
SIDE_COLUMNS_MIN: Final = 110


class Banner(Surface):
    """Why nothing moves."""

    text = ""

    def draw(self, width: int, height: int) -> list[Strip]:
        del height
        style = ink(self.palette.inverse, self.palette.error, bold=True)
        return [Row().left(f" {self.text}", width, style).strip(width, style)]


class TooSmall(Surface):
    """What stands there instead when there is no room."""

    def draw(self, width: int, height: int) -> list[Strip]:
        style = self.ink(self.palette.text)
        blank = Row().strip(width, style)
        lines = [f"{width} x {height} is too small", f"the dashboard needs {WIDTH_MIN} x {HEIGHT_MIN}"]
        rows = [blank] * max((height - 2) // 2, 0)
        return rows + [Row().add(line.center(width)[:width], style).strip(width, style) for line in lines]


class Panes:
    """dirty: what changed since the panes were last drawn."""

    def __init__(self, mirror: Mirror, link: Link, badge: str) -> None:
        self.account_bar = AccountBar(id="status")
        self.banner = Banner(id="banner")
        self.watchlist = Watchlist(id="watchlist", classes="pane")
        self.chart = Chart(id="chart", classes="pane")
        self.book = OrderBook(id="book", classes="pane")
        self.blotter = BlotterPane(id="blotter", classes="pane")
        self.tape = TapePane(id="tape", classes="pane")
        self.bar = CommandBar(id="bar")
        self.ticket = OrderTicket(id="ticket")
        self.too_small = TooSmall(id="too-small")
        self.dirty = Changes()
        self.current_at = link.now()
        self._mirror = mirror
        self._link = link
        self._badge = badge
        self._worth = ("", "", "")
        self._is_valued_anew = False
        self._valued_at = 0

    @property
    def body(self) -> tuple[Surface, ...]:
        return (self.watchlist, self.chart, self.book, self.tape, self.blotter)

    @property
    def all(self) -> tuple[Surface, ...]:
        return (*self.body, self.account_bar, self.banner, self.bar, self.ticket, self.too_small)

    def named(self, name: str) -> Surface:
        return next(pane for pane in self.body if pane.id == name)

    def show(self, palette: Palette) -> None:
        for surface in self.all:
            surface.show(palette)

    def dim(self, *, is_dimmed: bool) -> None:
        """Old data look old."""
        for pane in self.body:
            if pane.is_dimmed != is_dimmed:
                pane.is_dimmed = is_dimmed
                pane.redraw()

    def refill(self) -> None:
        """After a snapshot: every pane has new objects to draw."""
        mirror = self._mirror
        directory = mirror.directory
        for pane in (self.watchlist, self.chart, self.book, self.blotter, self.tape):
            pane.directory = directory
        self.blotter.blotter = mirror.blotter
        self.blotter.holdings = mirror.holdings
        self.blotter.positions = mirror.positions
        self.blotter.marks = mirror.marks
        self.watchlist.selected = mirror.selected
        if mirror.wishes.sort:
            self.watchlist.order, self.watchlist.sort = mirror.wishes.symbols, mirror.wishes.sort
        self.tape.tape = mirror.tape
        self.chart.candles = mirror.candles
        self.chart.is_loading = mirror.is_chart_loading
        self.dirty.mark_all()
        self.draw()

    def draw(self) -> None:
        """Redraw what is dirty; each pane repaints only the rows that differ."""
        dirty, mirror = self.dirty, self._mirror
        if dirty.account:
            self.chart.own = self.book.own = mirror.own_orders()
            self.chart.fills = mirror.own_fills()
        if dirty.quotes:
            self.watchlist.rows = mirror.watched()
            self.watchlist.redraw()
        if dirty.book or dirty.market or dirty.account:
            self.book.depth = mirror.depth
            self.book.last = mirror.marks.get(mirror.selected, 0)
            self.book.moved = mirror.moves.get(mirror.selected, 0)
            self.book.status = mirror.statuses.get(mirror.selected, "open")
            self.book.redraw()
        if dirty.market or dirty.account:
            self.chart.redraw()
        if dirty.market:
            self.tape.redraw()
        self._is_valued_anew |= dirty.quotes and self.blotter.tab in ("orders", "positions")
        is_time = self._link.now() - self._valued_at >= VALUE_NS
        if dirty.account or dirty.funds or (self._is_valued_anew and is_time):
            self._is_valued_anew, self._valued_at = False, self._link.now()
            self.blotter.redraw()
        if dirty.quotes or dirty.funds:
            self._worth = mirror.worth()
        self.dirty = Changes()

    def draw_status(self, wall: int) -> None:
        mirror, link = self._mirror, self._link
        is_live = link.state is State.LIVE
        equity, day, currency = self._worth
        self.account_bar.status = Status(
            badge=self._badge,
            account=mirror.account_name,
            is_connected=is_live,
            equity=equity,
            day=day,
            currency=currency,
            latency=link.latency,
            seq=mirror.seq,
            age=max(link.now() - self.current_at, 0) if is_live else 0,
            now=wall,
        )
        self.account_bar.redraw()
        is_stale = self.account_bar.status.age > STALE_NS
        warning = "prices are old: orders may surprise" if is_stale else ""
        if not is_live:
            warning = "not connected: orders are blocked"
        if warning != self.ticket.warning:
            self.ticket.warning = warning
            self.ticket.redraw()
