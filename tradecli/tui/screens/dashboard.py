"""The dashboard: lays the panes out, keeps them fresh, and carries out the actions of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen

from exchange.core.commands import CancelAll
from exchange.core.messages import CancelOrder
from exchange.core.terms import BUY, SELL, SIDES, InstrumentId
from exchange.errors import ExchangeError
from tradecli.drafts import ModifyDraft, OrderDraft
from tradecli.errors import InputError
from tradecli.tui import messages
from tradecli.tui.actions import ACTIONS, DASHBOARD, bindings, hint_key
from tradecli.tui.command_line import Intent, OrderLine, Run, ShowTab, Turn, UseTheme, read_line
from tradecli.tui.desk import ClientIds, closing_orders
from tradecli.tui.figures import grouped, span_text, trimmed
from tradecli.tui.link import ORDERS, Link, State
from tradecli.tui.loader import Loader
from tradecli.tui.mirror import CHART_TIMEFRAMES, WATCHLIST, Mirror, Wishes
from tradecli.tui.panes import BOOK_COLUMN_MIN, HEIGHT_MIN, SIDE_COLUMNS_MIN, WIDTH_MIN, Panes
from tradecli.tui.screens.confirm import ConfirmScreen
from tradecli.tui.screens.help import HelpScreen
from tradecli.tui.screens.search import SearchScreen
from tradecli.tui.theme import PALETTES, THEME_PREFIX, palette_of
from tradecli.tui.ticketing import Ticketing
from tradecli.tui.widgets.order_ticket import HEIGHT as TICKET_HEIGHT
from tradecli.tui.widgets.order_ticket import WIDTH as TICKET_WIDTH
from tradecli.tui.widgets.surface import Surface

if TYPE_CHECKING:
    from tradecli.tui.app import TradeApp

NOTICE_NS: Final = 6_000_000_000
PING_NS: Final = 1_000_000_000
FUNDS_NS: Final = 100_000_000
LEFT_PANES: Final = ("watchlist", "chart")  # those that take turns where there are two columns
RIGHT_PANES: Final = ("book", "tape")


class DashboardScreen(Screen[None]):
    BINDINGS = bindings(DASHBOARD)

    def __init__(self, app: TradeApp) -> None:
        super().__init__()
        self.trade_app = app
        self.mirror = Mirror(app.options.account)
        self.link = Link(app.connect, app.lanes, app.monotonic, self._link_changed)
        self.panes = Panes(self.mirror, self.link, app.options.badge)
        self.loader = Loader(self.link, self.mirror, self.panes_filled, self._failed, app.options.symbol)
        self.panes.ticket.is_direct = not app.options.confirm
        ids = ClientIds(app.wall)
        self.ticketing = Ticketing(
            self.link, self.mirror, self.panes.ticket, ids, self.say, self._ticket_changed
        )
        self.left, self.right = "chart", "book"  # in front where panes take turns
        self.front = "chart"  # where there is room for one
        self.alone = ""
        self._focused = "chart"
        self._ping_at = 0
        self._ping_trades = -1
        self._notice_until = 0
        self._funds_at = 0

    def compose(self) -> ComposeResult:
        panes = self.panes
        yield panes.account_bar
        yield panes.banner
        yield Container(*panes.body, id="body")
        yield panes.bar
        yield panes.ticket
        yield panes.too_small

    def on_mount(self) -> None:
        self.panes.chart.focus()
        self.show_theme()
        self.link.open()
        self.tick()

    def on_unmount(self) -> None:
        self.link.close()

    # The clock of the screen.

    def tick(self) -> None:
        """Everything that arrived since the last one, then only what it touched."""
        link, panes, mirror = self.link, self.panes, self.mirror
        now = link.now()
        link.tick()
        updates = link.inbox.take() if link.state is State.LIVE else []
        if updates:
            changes = mirror.fold(updates)
            panes.current_at = now
            panes.dirty.add(changes)
            if changes.book and self.ticketing.ticket.is_open:
                self.ticketing.market_moved()
            if mirror.depth.is_exhausted:
                self.loader.market()
            if changes.directory:
                self.loader.reload()
        if panes.dirty.funds and now - self._funds_at >= FUNDS_NS and link.state is State.LIVE:
            self._funds_at = now
            self.loader.funds()
        if mirror.last_trade_id >= self._ping_trades >= 0:
            panes.current_at, self._ping_trades = max(panes.current_at, self._ping_at), -1
        if link.state is State.LIVE and now - self._ping_at >= PING_NS:
            self._ping(now)
        if self.is_current:
            panes.draw()
        if self._notice_until and now >= self._notice_until:
            self.say("", "text")
        self._show_banner()
        panes.draw_status(self.trade_app.wall())

    def _ping(self, now: int) -> None:
        self._ping_at = now

        def answered(trades: int) -> None:
            self._ping_trades = trades

        self.link.call(ORDERS, lambda client: int(client.query("status")["trades"]), answered)

    def _link_changed(self) -> None:
        if self.link.refusal is not None:
            self.app.exit()
            return
        if self.link.state is State.LIVE:
            self.panes.current_at = self.link.now()
            self.loader.connected()
        self.panes.dim(is_dimmed=self.link.state is not State.LIVE)
        self._show_banner()

    def _show_banner(self) -> None:
        link, banner = self.link, self.panes.banner
        is_shown = link.state is not State.LIVE and bool(link.failure)
        if is_shown:
            wait = (
                "connecting" if link.state is State.CONNECTING else f"next try in {span_text(link.retry_in)}"
            )
            banner.text = f"no connection, orders are blocked - {wait} - {link.failure}"
        banner.set_class(is_shown, "-shown")
        if is_shown:
            banner.redraw()

    def panes_filled(self) -> None:
        self.panes.refill()
        self.panes.draw_status(self.trade_app.wall())

    def _failed(self, why: str) -> None:
        self.say(why, "error")

    def say(self, text: str, color: str) -> None:
        """A sentence in the bottom row, for a while."""
        self._notice_until = self.link.now() + NOTICE_NS if text else 0
        self.panes.bar.notice = (text, color)
        self.panes.bar.redraw()

    # Layout.

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out(event.size.width, event.size.height)

    def lay_out(self, width: int, height: int) -> None:
        """Which panes there is room for; the style sheet does the rest."""
        self.set_class(width < WIDTH_MIN or height < HEIGHT_MIN, "-too-small")
        self.set_class(bool(self.alone), "-alone")
        for pane in self.panes.body:
            pane.set_class(pane.id == self.alone, "-chosen")
            pane.set_class(self._is_away(pane.id or "", width), "-away")
        self._place_ticket(width, height)

    def _is_away(self, name: str, width: int) -> bool:
        if self.alone:
            return name != self.alone
        if width >= SIDE_COLUMNS_MIN or name == "blotter":
            return False
        if width >= BOOK_COLUMN_MIN:
            return name not in (self.left, self.right)
        return name != self.front

    def _place_ticket(self, width: int, height: int) -> None:
        """Beside the book, so that prices stay in sight."""
        ticket = self.panes.ticket
        book = self.panes.book.region
        right = book.x if book.width and book.x >= TICKET_WIDTH else width
        ticket.styles.height = min(TICKET_HEIGHT, height - 2)
        ticket.styles.offset = (max(right - TICKET_WIDTH - 1, 0), max(height - 1 - TICKET_HEIGHT, 1))

    def go_to(self, name: str) -> None:
        """Focus a pane, bringing it in front where panes take turns."""
        if self.alone:
            self.alone = name
        if name != "blotter":
            self.front = name
        self.left = name if name in LEFT_PANES else self.left
        self.right = name if name in RIGHT_PANES else self.right
        self.lay_out(*self.size)
        self.panes.named(name).focus()

    def show_theme(self) -> None:
        self.panes.show(palette_of(self.app.get_css_variables()))  # the kept ones are a step behind
        self.show_hints()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click beside an open ticket or line leaves the keys where they are."""
        holder = self.panes.bar if self.panes.bar.is_open else self.panes.ticket
        if holder.is_open and event.widget is not holder:
            holder.focus()
        elif event.widget in self.panes.body:
            self._focused = event.widget.id or self._focused
        self.show_hints()

    def show_hints(self) -> None:
        """The keys that apply to the focused pane, then those that always do."""
        focused = self.focused
        scopes = {"watchlist": ("list", "watchlist"), "blotter": ("blotter", "list"), "chart": ("chart",)}
        mine = scopes.get(focused.id or "", ()) if focused is not None else ()
        found = [action for action in ACTIONS if action.hint and action.scope == DASHBOARD]
        found += [action for action in ACTIONS if action.hint and action.scope in mine]
        keymap = self.trade_app.options.keymap
        self.panes.bar.hints = [(hint_key(action.name, keymap), action.hint) for action in found]
        self.panes.bar.redraw()

    # Trading.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the ticket or the command bar has the keys, the dashboard's are asleep."""
        del parameters
        is_busy = self.panes.ticket.is_open or self.panes.bar.is_open
        return not is_busy or action not in ASLEEP

    def action_buy(self) -> None:
        self.ticketing.open(BUY)

    def action_sell(self) -> None:
        self.ticketing.open(SELL)

    def action_modify(self) -> None:
        order = self.mirror.blotter.orders.get(self.panes.blotter.selected_order)
        if order is None:
            self.say("select a working order in the blotter first (4)", "warn")
        else:
            self.ticketing.open_for(order)

    def action_cancel(self) -> None:
        order = self.mirror.blotter.orders.get(self.panes.blotter.selected_order)
        if order is None:
            self.say("select a working order in the blotter first (4)", "warn")
            return
        info = self.mirror.directory.instruments[order.instrument]
        number = info.instrument_id
        price = self.mirror.directory.price_text(number, order.limit) if order.limit else "market"
        leaves = trimmed(grouped(self.mirror.directory.quantity_text(number, order.leaves)))
        line = f"#{order.order_id}  {SIDES[order.side]} {leaves} {info.symbol} @ {grouped(price)}"
        command = CancelOrder(self.mirror.account, order.order_id)
        self._confirm("Cancel this order?", [line], "", lambda: self.ticketing.send_now(command))

    def action_cancel_all(self) -> None:
        count = len(self.mirror.blotter.orders)
        if not count:
            self.say("no working orders", "text")
            return
        command = CancelAll(account=self.mirror.account)
        line = f"Working orders in all instruments: {count}. They will be taken out of the books."
        self._confirm("Cancel all orders?", [line], "CANCEL ALL", lambda: self.ticketing.send_now(command))

    def action_flatten(self) -> None:
        """Every working order is canceled, then every position traded away at the market."""
        orders = len(self.mirror.blotter.orders)
        closing = closing_orders(self.mirror)
        if not orders and not closing:
            self.say("nothing to flatten", "text")
            return
        commands = [CancelAll(account=self.mirror.account), *closing]
        lines = [
            f"Working orders to cancel: {orders}.",
            f"Positions to close at any price: {len(closing)}.",
        ]
        self._confirm("Flatten the account?", lines, "FLATTEN", lambda: self.ticketing.send_now(*commands))

    def _confirm(self, title: str, lines: list[str], word: str, act: messages.Act) -> None:
        def answered(is_sure: bool | None) -> None:
            if is_sure:
                act()

        palette = palette_of(self.app.theme_variables)
        self.app.push_screen(ConfirmScreen(title, lines, palette, self.link.now, word), answered)

    def _ticket_changed(self) -> None:
        ticket = self.panes.ticket
        ticket.set_class(ticket.is_open, "-open")
        if ticket.is_open:
            self._place_ticket(*self.size)
            ticket.focus()
        elif self.focused is ticket or self.focused is None:
            self._focus_back()
        ticket.redraw()

    def on_ticket_changed(self, message: messages.TicketChanged) -> None:
        del message
        self.ticketing.preview()

    def on_ticket_confirmed(self, message: messages.TicketConfirmed) -> None:
        self.ticketing.send_ticket(message.draft)

    def on_ticket_closed(self) -> None:
        self.ticketing.close()

    def on_price_picked(self, message: messages.PricePicked) -> None:
        form = self.panes.ticket.form
        if form is not None:
            form.set_limit(message.price)
            self.ticketing.preview()
            self.panes.ticket.redraw()
        else:
            self.ticketing.open(message.side, message.price)

    def on_order_picked(self, message: messages.OrderPicked) -> None:
        del message
        self.action_modify()

    # Market.

    def turn_to(self, instrument: InstrumentId) -> None:
        self.loader.turn_to(instrument)
        self.panes.chart.action_to_now()
        self.panes.refill()

    def on_instrument_picked(self, message: messages.InstrumentPicked) -> None:
        self.turn_to(message.instrument)

    def on_watchlist_ordered(self, message: messages.WatchlistOrdered) -> None:
        self.mirror.wishes = Wishes(message.symbols, message.sort)
        document = self.mirror.wishes._asdict()
        self.link.call(ORDERS, lambda client: client.save(WATCHLIST, WATCHLIST, document), lambda _: None)

    def action_symbol(self) -> None:
        def chosen(instrument: InstrumentId | None) -> None:
            if instrument is not None:
                self.turn_to(instrument)

        palette = palette_of(self.app.theme_variables)
        self.app.push_screen(SearchScreen(self.mirror.directory, palette), chosen)

    def turn_chart(self, timeframe: str) -> None:
        self.loader.turn_chart(timeframe)
        self.panes.chart.action_to_now()
        self.panes.refill()

    def action_timeframe_shorter(self) -> None:
        self._next_timeframe(-1)

    def action_timeframe_longer(self) -> None:
        self._next_timeframe(1)

    def _next_timeframe(self, by: int) -> None:
        at = CHART_TIMEFRAMES.index(self.mirror.timeframe) + by
        if 0 <= at < len(CHART_TIMEFRAMES) and self.mirror.selected >= 0:
            self.turn_chart(CHART_TIMEFRAMES[at])

    def action_zoom_in(self) -> None:
        self.panes.chart.set_zoom(1)

    def action_zoom_out(self) -> None:
        self.panes.chart.set_zoom(-1)

    def action_depth_step(self) -> None:
        self.panes.book.next_step()

    def action_sort(self) -> None:
        self.panes.watchlist.next_sort()

    # Command bar.

    def action_command(self) -> None:
        self.say("", "text")
        self.panes.bar.add_class("-open")
        self.panes.bar.open()

    def _close_bar(self) -> None:
        self.panes.bar.close()
        self.panes.bar.remove_class("-open")
        if not self.panes.ticket.is_open:
            self._focus_back()

    def _focus_back(self) -> None:
        """Where the keys went before a ticket or a line took them."""
        self.panes.named(self._focused).focus()

    def on_line_left(self) -> None:
        self._close_bar()

    def on_line_entered(self, message: messages.LineEntered) -> None:
        try:
            intent = read_line(
                message.line, self.mirror.directory, self.ticketing.quote, self.ticketing.symbol_of
            )
        except InputError as error:
            self.panes.bar.fail(error.start, error.end)
            self.say(error.message, "error")
            return
        except ExchangeError as error:
            self.say(str(error), "error")
            return
        self._close_bar()
        self.carry_out(intent)

    def carry_out(self, intent: Intent) -> None:
        if isinstance(intent, OrderLine):
            draft = intent.draft
            if isinstance(draft, OrderDraft | ModifyDraft):
                self.ticketing.open_with(draft)
            else:
                command = draft.command(self.mirror.account)
                title = "Cancel this order?" if isinstance(command, CancelOrder) else "Cancel these orders?"
                self._confirm(title, [], "", lambda: self.ticketing.send_now(command))
        elif isinstance(intent, Turn):
            if intent.instrument >= 0:
                self.turn_to(intent.instrument)
            if intent.timeframe:
                self.turn_chart(intent.timeframe)
        elif isinstance(intent, ShowTab):
            self.panes.blotter.show_tab(intent.tab)
        elif isinstance(intent, UseTheme):
            self.trade_app.use_theme(intent.name)
        elif isinstance(intent, Run):
            getattr(self, f"action_{intent.action}")()

    # View.

    def action_next_tab(self) -> None:
        self.panes.blotter.next_tab()

    def action_pane_watchlist(self) -> None:
        self.go_to("watchlist")

    def action_pane_chart(self) -> None:
        self.go_to("chart")

    def action_pane_book(self) -> None:
        self.go_to("book")

    def action_pane_blotter(self) -> None:
        self.go_to("blotter")

    def action_pane_tape(self) -> None:
        self.go_to("tape")

    def action_maximize(self) -> None:
        focused = self.focused
        is_pane = isinstance(focused, Surface) and focused in self.panes.body
        self.alone = "" if self.alone or not is_pane else str(focused.id if focused is not None else "")
        self.lay_out(*self.size)

    def action_theme(self) -> None:
        names = list(PALETTES)
        now = self.app.theme.removeprefix(THEME_PREFIX)
        self.trade_app.use_theme(names[(names.index(now) + 1) % len(names)] if now in names else names[0])

    def action_help(self) -> None:
        palette = palette_of(self.app.theme_variables)
        self.app.push_screen(HelpScreen(self.trade_app.options.keymap, palette))

    def action_quit(self) -> None:
        count = len(self.mirror.blotter.orders)
        if not count:
            self.app.exit()
            return
        line = f"Working orders: {count}. They stay in the books and may trade while nobody looks."
        self._confirm("Leave with orders working?", [line], "", self.app.exit)


ASLEEP: Final = frozenset(action.name for action in ACTIONS if action.scope == DASHBOARD)
