"""From the ticket to the exchange and back: opening it, previews, sending once, the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from exchange.client import Client, Receipt
from exchange.core.messages import Command
from exchange.core.terms import BUY, Side
from exchange.core.units import Ticks
from exchange.errors import ConnectionLost, ExchangeError, NotFound
from exchange.views.blotter import OpenOrder
from tradecli.drafts import ModifyDraft, OrderDraft
from tradecli.tui.desk import ClientIds, Preview, Previewer, outcome_text
from tradecli.tui.link import ORDERS, Link, State
from tradecli.tui.mirror import Mirror
from tradecli.tui.ticket_form import Stage, TicketForm
from tradecli.tui.widgets.order_ticket import OrderTicket

PREVIEW_AGAIN_NS: Final = 250_000_000

Notice = Callable[[str, str], None]  # text, palette field


class Ticketing:
    """notice: shows a sentence.   changed: called when the ticket opened or closed."""

    def __init__(
        self,
        link: Link,
        mirror: Mirror,
        ticket: OrderTicket,
        ids: ClientIds,
        notice: Notice,
        changed: Callable[[], None],
    ) -> None:
        self.link = link
        self.mirror = mirror
        self.ticket = ticket
        self.notice = notice
        self.changed = changed
        self._now = link.now
        self._previewer = Previewer(link, self._previewed)
        self._previewed_at = 0
        self._command: Command | None = None
        ticket.client_order_id = ids.draw

    def quote(self, symbol: str) -> Mapping[str, Any]:
        """Row of the query ``quote`` from what the screen knows; amounts in money are turned into
        lots at these prices."""
        mirror = self.mirror
        info = mirror.directory.instrument(symbol)
        number = info.instrument_id
        if number != mirror.selected:
            mark = mirror.marks.get(number, 0)
            text = mirror.directory.price_text(number, mark) if mark else None
            return {"symbol": symbol, "bid": text, "ask": text}
        bid, ask = mirror.depth.bids.best(), mirror.depth.asks.best()
        price = mirror.directory.price_text
        return {
            "symbol": symbol,
            "bid": price(number, bid) if bid else None,
            "ask": price(number, ask) if ask else None,
        }

    def symbol_of(self, order_id: int, client_order_id: str) -> str:
        """Raises NotFound for an order that is not working."""
        for order in self.mirror.blotter.orders.values():
            if order.order_id == order_id or (client_order_id and order.client_order_id == client_order_id):
                return self.mirror.directory.instruments[order.instrument].symbol
        raise NotFound(f"there is no working order {order_id or client_order_id!r}")

    def open(self, side: Side, price: Ticks = 0) -> None:
        """A new order in the selected instrument; without a price it joins the best of its side."""
        mirror = self.mirror
        if mirror.selected < 0:
            return
        form = TicketForm(mirror.directory, mirror.selected, side, self._now, quote=self.quote)
        best = (mirror.depth.bids if side == BUY else mirror.depth.asks).best()
        limit = price or best or mirror.marks.get(mirror.selected, 0)
        if limit:
            form.set_limit(limit)
        self._show(form)

    def open_for(self, order: OpenOrder) -> None:
        """Change a working order."""
        directory = self.mirror.directory
        self._show(TicketForm(directory, order.instrument, order.side, self._now, order=order))

    def open_with(self, draft: OrderDraft | ModifyDraft) -> None:
        """An order spelled in the command bar, ready for review."""
        directory = self.mirror.directory
        if isinstance(draft, OrderDraft):
            form = TicketForm(directory, draft.instrument, draft.side, self._now, quote=self.quote)
            form.fill(draft)
        else:
            order = self.mirror.blotter.orders[draft.order_id]
            form = TicketForm(directory, order.instrument, order.side, self._now, order=order)
            form.fill_change(draft)
        self._show(form)
        self.review()

    def _show(self, form: TicketForm) -> None:
        self.ticket.form = form
        self.changed()
        self.preview()

    def close(self) -> None:
        self._previewer.stop()
        self.ticket.form = None
        self.changed()

    def review(self) -> None:
        form = self.ticket.form
        if form is not None:
            form.review(self.ticket.client_order_id())
            self.ticket.redraw()

    def preview(self) -> None:
        """Ask what the order as it stands would do."""
        form = self.ticket.form
        self._command = None
        if form is None or form.draft is None:
            self._previewer.stop()
            return
        self._command = form.draft.command(self.mirror.account)
        self._previewed_at = self._now()
        self._previewer.ask(self._command, self.mirror.directory)

    def market_moved(self) -> None:
        """The book changed under an open ticket."""
        form = self.ticket.form
        is_waiting = form is not None and form.stage in (Stage.EDIT, Stage.REVIEW)
        if is_waiting and self._now() - self._previewed_at >= PREVIEW_AGAIN_NS:
            self.preview()

    def _previewed(self, command: Command, answer: Preview) -> None:
        form = self.ticket.form
        if form is not None and command is self._command and form.stage in (Stage.EDIT, Stage.REVIEW):
            form.preview = answer
            self.ticket.redraw()

    def send_ticket(self, draft: OrderDraft | ModifyDraft) -> None:
        """The confirmed order.  Its client order id makes a second sending harmless."""
        form = self.ticket.form
        command = draft.command(self.mirror.account)

        def done(receipts: list[Receipt]) -> None:
            receipt = receipts[0]
            is_placed = receipt.reject is None or receipt.reject.reason == "order.exists"
            text, color = outcome_text(receipt, command, self.mirror.directory)
            if self.ticket.form is form and form is not None:
                if is_placed:
                    self.close()
                else:
                    form.reopen(text)
                    self.ticket.redraw()
            self.notice(text, color)

        def failed(error: ExchangeError) -> None:
            if form is not None and self.ticket.form is form:
                if isinstance(error, ConnectionLost):
                    form.lost(
                        f"no answer: {error}. Whether it was placed is unknown; sending it again is safe."
                    )
                else:
                    form.reopen(str(error))
                self.ticket.redraw()
            self.notice(str(error), "error")

        self.send([command], done, failed)

    def send_now(self, *commands: Command) -> None:
        """Cancels and closing orders, in their order: the answer is a notice, of the last refusal if
        there is one."""

        def done(receipts: list[Receipt]) -> None:
            answers = list(zip(receipts, commands, strict=True))
            refused = [answer for answer in answers if answer[0].reject is not None]
            receipt, command = (refused or answers)[-1]
            self.notice(*outcome_text(receipt, command, self.mirror.directory))

        self.send(commands, done, lambda error: self.notice(str(error), "error"))

    def send(
        self,
        commands: Sequence[Command],
        done: Callable[[list[Receipt]], None],
        failed: Callable[[ExchangeError], None],
    ) -> None:
        if self.link.state is not State.LIVE:
            failed(ConnectionLost("not connected: nothing was sent"))
            return

        def work(client: Client) -> list[Receipt]:
            return client.send(commands)

        self.link.call(ORDERS, work, done, failed)
