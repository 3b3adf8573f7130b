"""The order ticket: fields above, below them what the exchange says would happen, then the keys."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Final

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from exchange.core.terms import BUY
from tradecli.tui.figures import cents, grouped, refusal_text, trimmed
from tradecli.tui.messages import TicketChanged, TicketClosed, TicketConfirmed
from tradecli.tui.theme import ink
from tradecli.tui.ticket_form import Draft, Field, Stage, TicketForm
from tradecli.tui.widgets.surface import Row, Surface

WIDTH: Final = 46
LABEL_CELLS: Final = 12
FILLS_SHOWN: Final = 3
FIELDS_MAX: Final = 7
PREVIEW_ROWS: Final = 12
ENDS: Final = {
    "ioc_remainder": "the rest is canceled",
    "no_liquidity": "the rest finds nobody to trade with",
    "self_trade": "stops at an order of your own",
    "canceled": "the rest is canceled",
}
HEIGHT: Final = 1 + FIELDS_MAX + 1 + PREVIEW_ROWS + 2


class OrderTicket(Surface, can_focus=True):
    """form: None while the ticket is closed.   client_order_id: draws the next one.
    warning: why orders are not a good idea just now, "" if nothing speaks against it.
    is_direct: Enter sends without a review, as the settings may ask."""

    IS_RAISED = True

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.form: TicketForm | None = None
        self.client_order_id: Callable[[], str] = lambda: ""
        self.warning = ""
        self.is_direct = False

    @property
    def is_open(self) -> bool:
        return self.form is not None

    def draw(self, width: int, height: int) -> list[Strip]:
        """The ticket's own edge in the colour of its side, the rows beside it."""
        form = self.form
        if form is None:
            return []
        palette = self.palette
        edge = Strip([Segment("▎", self.ink(palette.up if form.side == BUY else palette.down))], 1)
        return [Strip.join([edge, row]) for row in self._rows_of(form, width - 1, height)]

    def _rows_of(self, form: TicketForm, width: int, height: int) -> list[Strip]:
        lines = [self._title(form, width)]
        lines += [self._field(form, field, width) for field in form.shown()]
        foot = self._foot(form, width)
        body = self._preview(form, width)
        room = max(height - len(lines) - len(foot), 0)
        blank = Row().strip(width, self.ink(self.palette.text))
        body = [self._rule(width), *body][:room]
        return [*lines, *body, *[blank] * (room - len(body)), *foot]

    def _title(self, form: TicketForm, width: int) -> Strip:
        palette = self.palette
        is_buy = form.side == BUY
        background = palette.up if is_buy else palette.down
        verb = "MODIFY" if form.order is not None else "BUY" if is_buy else "SELL"
        style = ink(palette.inverse, background, bold=True)
        name = f"#{form.order.order_id}" if form.order is not None else form.info.name
        row = Row().add(f" {verb} {form.info.symbol} ", style)
        return row.right(f"{name[: width - row.width - 2]} ", width - row.width, style).strip(width, style)

    def _field(self, form: TicketForm, field: Field, width: int) -> Strip:
        palette = self.palette
        is_focused = form.stage is Stage.EDIT and form.focused is field
        is_wrong = form.problem[0] == field.name and bool(form.problem[1])
        background = palette.cursor if is_focused else palette.raised
        label = palette.error if is_wrong else palette.text if is_focused else palette.dim
        row = Row().left(f" {field.label}", LABEL_CELLS, ink(label, background, bold=is_focused))
        value = ink(palette.text, background, bold=True)
        arrows = ink(palette.accent if is_focused else palette.faint, background)
        if field.choices:
            row.add("◂ ", arrows).add(field.value, value).add(" ▸", arrows)
            return row.strip(width, value)
        caret_style = ink(palette.inverse, palette.text)
        picked = ink(palette.inverse, palette.accent, bold=True)
        room = width - LABEL_CELLS - len(field.unit) - 2
        caret = field.edit.caret
        text = field.edit.text + " "
        first = max(0, caret - room + 1)
        for at, glyph in enumerate(text[first : first + room], start=first):
            is_caret = is_focused and at == caret
            is_picked = is_focused and field.edit.is_selected and at < len(field.edit.text)
            row.add(glyph, caret_style if is_caret else picked if is_picked else value)
        row.fill(width - len(field.unit) - 1, value)
        return row.add(field.unit, ink(palette.dim, background)).strip(width, value)

    def _rule(self, width: int) -> Strip:
        style = self.ink(self.palette.faint)
        return Row().add("─" * width, style).strip(width, style)

    def _text_rows(self, text: str, color: str, width: int) -> list[Strip]:
        style = self.ink(color)
        return [Row().add(f" {line}", style).strip(width, style) for line in textwrap.wrap(text, width - 2)]

    def _preview(self, form: TicketForm, width: int) -> list[Strip]:
        palette = self.palette
        if form.problem[1]:
            return self._text_rows(form.problem[1], palette.error, width)
        if form.draft is None:
            return self._text_rows("type a quantity to see what would happen", palette.dim, width)
        preview = form.preview
        if preview is None:
            return self._text_rows("asking the exchange", palette.faint, width)
        if not preview["ok"]:
            return self._text_rows(refusal_text(preview), palette.error, width)
        return self._outcome(form, preview, width)

    def _outcome(self, form: TicketForm, preview: Mapping[str, Any], width: int) -> list[Strip]:
        """The exact result, a fact per row."""
        currency = form.directory.asset_symbol(form.info.quote)
        rows: list[Strip] = []
        fills = preview["fills"]
        for at, fill in enumerate(fills[:FILLS_SHOWN]):
            text = f"{trimmed(grouped(fill['quantity']))} @ {grouped(fill['price'])}"
            rows.append(
                self._fact(
                    width, "fills now" if at == 0 else "", text, f"fee {grouped(trimmed(fill['fee']))}"
                )
            )
        if len(fills) > FILLS_SHOWN:
            rows.append(self._fact(width, "", f"and {len(fills) - FILLS_SHOWN} more levels"))
        if fills:
            slippage = preview["slippage_bps"]
            right = f"slippage {slippage} bp" if slippage is not None else ""
            rows.append(self._fact(width, "average", grouped(preview["average_price"]), right))
            for label, amount in (("value", preview["notional"]), ("fee", preview["fee"])):
                rows.append(self._fact(width, label, f"{grouped(trimmed(amount))} {currency}"))
        if preview["resting_at"]:
            text = f"{trimmed(grouped(preview['resting']))} @ {grouped(preview['resting_at'])}"
            ahead = preview["queue_ahead"]
            right = f"{trimmed(grouped(ahead))} ahead" if ahead.strip("0.") else "first in line"
            rows.append(self._fact(width, "rests", text, right))
        elif preview["done"] not in (None, "filled"):
            end = ENDS.get(preview["done"], preview["done"].replace("_", " "))
            rows.append(self._fact(width, "then", end))
        if preview["kept_priority"] is not None and form.order is not None:
            kept = (
                "keeps its place in the queue"
                if preview["kept_priority"]
                else "goes to the back of the queue"
            )
            rows.append(self._fact(width, "queue", kept))
        for balance in preview["balances"]:
            rows.append(self._change_row(width, f"free {balance['asset']}", balance, "available"))
            if balance["held_before"] != balance["held_after"]:
                rows.append(self._change_row(width, f"held {balance['asset']}", balance, "held"))
        return rows

    def _change_row(self, width: int, label: str, balance: Mapping[str, str], which: str) -> Strip:
        """Before and after; to the cent where the exact amounts are too long for the row."""
        pair = [grouped(trimmed(balance[f"{which}_{when}"])) for when in ("before", "after")]
        if sum(map(len, pair)) + 4 > width - LABEL_CELLS:
            pair = [cents(amount) for amount in pair]
        before, after = pair
        text = f"{before} → {after}" if before != after else f"{after} unchanged"
        return self._fact(width, label, text)

    def _fact(self, width: int, label: str, text: str, right: str = "") -> Strip:
        palette = self.palette
        dim, plain = self.ink(palette.dim), self.ink(palette.text)
        row = Row().left(f" {label}", LABEL_CELLS, dim).add(text, plain)
        if right and row.width + len(right) + 2 <= width:
            row.fill(width - len(right) - 1, plain).add(right, dim)
        return row.strip(width, plain)

    def _foot(self, form: TicketForm, width: int) -> list[Strip]:
        palette = self.palette
        plain = ink(palette.dim, palette.title)
        key = ink(palette.accent, palette.title, bold=True)
        rows = []
        if self.warning:
            style = ink(palette.inverse, palette.warn, bold=True)
            rows.append(Row().left(f" {self.warning}", width, style).strip(width, style))
        if form.stage in (Stage.REVIEW, Stage.UNKNOWN):
            style = ink(palette.inverse, palette.accent, bold=True)
            verb = "send again" if form.stage is Stage.UNKNOWN else "send this order"
            row = Row().add(f" y  {verb}", style)
            rows.append(row.right("Esc  change ", width - row.width, style).strip(width, style))
        elif form.stage is Stage.SENT:
            rows.append(Row().add(" sent, waiting for the exchange", plain).strip(width, plain))
        else:
            row = Row().add(" Enter", key).add(" review ", plain).add(" ↑↓", key).add(" field ", plain)
            row.add(" ←→", key).add(" choose ", plain).add(" Esc", key).add(" close", plain)
            rows.append(row.strip(width, plain))
        return rows

    def on_key(self, event: events.Key) -> None:
        form = self.form
        if form is None:
            return
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self._escape(form)
        elif form.stage is Stage.EDIT and event.key == "enter":
            if form.review(self.client_order_id()) and self.is_direct:
                self._send(form.confirm(is_sure=True))
        elif form.stage is Stage.EDIT and form.key(event.key, event.character):
            self.post_message(TicketChanged(form.draft))
        elif event.key == "y":
            self._send(form.confirm())
        self.redraw()

    def _send(self, draft: Draft | None) -> None:
        if draft is not None:
            self.post_message(TicketConfirmed(draft))

    def _escape(self, form: TicketForm) -> None:
        if form.stage is Stage.REVIEW:
            form.reopen()
            self.post_message(TicketChanged(form.draft))
        elif form.stage is not Stage.SENT:
            self.post_message(TicketClosed())

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self.form is not None:
            self.form.paste(event.text)
            self.post_message(TicketChanged(self.form.draft))
            self.redraw()

    def on_click(self, event: events.Click) -> None:
        form = self.form
        if form is None or form.stage is not Stage.EDIT:
            return
        shown = form.shown()
        if 0 < event.y <= len(shown):
            field = shown[event.y - 1]
            if field.choices and form.focused is field:
                field.turn(1)
                form.update()
                self.post_message(TicketChanged(form.draft))
            form.focus = field.name
            self.redraw()
