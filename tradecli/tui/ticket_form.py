"""The order ticket as a state machine: fields, keys, the order they spell, and its confirmation.

No widget and no client: the ticket widget draws it, the dashboard carries out what it asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from exchange.core.terms import BUY, ORDER_TYPES, SIDES, TIMES_IN_FORCE, InstrumentId, Side
from exchange.core.units import Ticks
from exchange.directory import Directory, time_text
from exchange.errors import DataError
from exchange.views.blotter import OpenOrder
from tradecli.drafts import ModifyDraft, OrderDraft
from tradecli.errors import InputError
from tradecli.parse import parse_order_line, plain_number
from tradecli.tui.arming import Arming
from tradecli.tui.line_edit import LineEdit

Draft: TypeAlias = OrderDraft | ModifyDraft
Quote: TypeAlias = Callable[[str], Mapping[str, Any]]

TYPE_CHOICES: Final = ("limit", "market", "market to limit")
TYPE_WORDS: Final = {"market": "mkt", "market to limit": "mtl"}


class Stage(Enum):
    EDIT = "edit"
    REVIEW = "review"
    SENT = "sent"
    UNKNOWN = "unknown"  # the connection broke under way: the same order may be sent again


class Field:
    """A line of text, or one of several choices.  unit: shown behind it."""

    __slots__ = ("at", "choices", "edit", "label", "name", "unit")

    def __init__(self, name: str, label: str, choices: tuple[str, ...] = (), unit: str = "") -> None:
        self.name = name
        self.label = label
        self.choices = choices
        self.at = 0
        self.edit = LineEdit()
        self.unit = unit

    @property
    def value(self) -> str:
        return self.choices[self.at] if self.choices else self.edit.text.strip()

    def turn(self, by: int) -> None:
        self.at = (self.at + by) % len(self.choices)


class TicketForm:
    """problem: (field name or "", text) of what is wrong, or why the exchange refused.

    preview: the answer of the query ``preview`` for the draft as it stands, None while it is under
    way.   order: the working order when this changes one, else None.
    """

    def __init__(
        self,
        directory: Directory,
        instrument: InstrumentId,
        side: Side,
        now: Callable[[], int],
        *,
        order: OpenOrder | None = None,
        quote: Quote | None = None,
    ) -> None:
        info = directory.instruments[instrument]
        self.directory = directory
        self.info = info
        self.now = now
        self.order = order
        self.quote = quote
        self.stage = Stage.EDIT
        self.arming = Arming(now)
        self.problem = ("", "")
        self.preview: Mapping[str, Any] | None = None
        self.draft: Draft | None = None
        self.focus = "quantity"
        base, quoted = directory.asset_symbol(info.base), directory.asset_symbol(info.quote)
        tifs = tuple(TIMES_IN_FORCE[1:])
        self.fields = {
            field.name: field
            for field in (
                Field("quantity", "Quantity", unit=base),
                Field("limit", "Limit", unit=quoted),
                Field("type", "Type", TYPE_CHOICES),
                Field("side", "Side", ("buy", "sell")),
                Field("tif", "In force", tifs),
                Field("expires", "Until", unit="UTC"),
                Field("post", "Post only", ("no", "yes")),
                Field("display", "Show only", unit=base),
            )
        }
        self.fields["side"].at = 0 if side == BUY else 1
        if order is not None:
            self._fill_from(order)
        self.focused.edit.select()
        self.update()

    def _fill_from(self, order: OpenOrder) -> None:
        number = order.instrument
        self.fields["quantity"].edit = LineEdit(self.directory.quantity_text(number, order.quantity))
        self.fields["limit"].edit = LineEdit(self.directory.price_text(number, order.limit))
        self.fields["tif"].at = order.tif - 1

    def fill(self, draft: OrderDraft) -> None:
        """Take over an order spelled elsewhere, such as in the command bar."""
        number = self.info.instrument_id
        self.fields["side"].at = 0 if draft.side == BUY else 1
        self.fields["type"].at = ("limit", "market", "market_to_limit").index(ORDER_TYPES[draft.type])
        self.fields["quantity"].edit = LineEdit(self.directory.quantity_text(number, draft.quantity))
        if draft.limit:
            self.set_limit(draft.limit)
        self.fields["tif"].at = draft.tif - 1
        self.fields["post"].at = int(draft.is_post_only)
        if draft.expires:
            self.fields["expires"].edit = LineEdit(f"{time_text(draft.expires)[:19]}Z")
        if draft.display:
            self.fields["display"].edit = LineEdit(self.directory.quantity_text(number, draft.display))
        self.update()
        self.draft = draft

    def fill_change(self, draft: ModifyDraft) -> None:
        """Take over a change spelled elsewhere."""
        number = self.info.instrument_id
        if draft.quantity:
            self.fields["quantity"].edit = LineEdit(self.directory.quantity_text(number, draft.quantity))
        if draft.limit:
            self.fields["limit"].edit = LineEdit(self.directory.price_text(number, draft.limit))
        self.update()
        self.draft = draft

    def set_limit(self, price: Ticks) -> None:
        self.fields["limit"].edit = LineEdit(self.directory.price_text(self.info.instrument_id, price))
        self.update()

    @property
    def side(self) -> Side:
        return SIDES.index(self.fields["side"].value)

    def shown(self) -> list[Field]:
        """The fields that mean something for this kind of order, from the top."""
        if self.order is not None:
            return [self.fields["quantity"], self.fields["limit"]]
        kind, tif = self.fields["type"].value, self.fields["tif"].value
        names = ["quantity", *(["limit"] if kind == "limit" else []), "type", "side", "tif"]
        if tif == "gtd":
            names.append("expires")
        if kind == "limit" and tif not in ("ioc", "fok"):
            names += ["post", "display"]
        return [self.fields[name] for name in names]

    @property
    def focused(self) -> Field:
        shown = self.shown()
        return next((field for field in shown if field.name == self.focus), shown[0])

    def key(self, key: str, character: str | None) -> bool:
        """A key in the editing stage; True if the order may have changed."""
        field = self.focused
        if key in ("down", "tab", "up", "shift+tab"):
            names = [shown.name for shown in self.shown()]
            by = 1 if key in ("down", "tab") else -1
            self.focus = names[(names.index(field.name) + by) % len(names)]
            self.focused.edit.select()
            return False
        if field.choices:
            if key in ("left", "right", "space"):
                field.turn(-1 if key == "left" else 1)
            elif not self._choose_by_letter(field, character):
                return False
        elif key in ("plus", "minus") and field.name == "limit":
            self._step_limit(1 if key == "plus" else -1)
        elif not field.edit.key(key, character):
            return False
        self.update()
        return True

    def paste(self, text: str) -> None:
        if self.stage is Stage.EDIT and not self.focused.choices:
            self.focused.edit.insert(text.strip())
            self.update()

    @staticmethod
    def _choose_by_letter(field: Field, character: str | None) -> bool:
        ahead = [*range(field.at + 1, len(field.choices)), *range(field.at + 1)]
        for at in ahead:
            if character and field.choices[at].startswith(character.lower()):
                field.at = at
                return True
        return False

    def _step_limit(self, by: int) -> None:
        number = self.info.instrument_id
        try:
            price = self.directory.parse_price(number, plain_number("limit", self.fields["limit"].value))
        except (InputError, DataError):
            return
        if price + by > 0:
            self.set_limit(price + by)

    def update(self) -> None:
        """Spell the order anew after a change."""
        self.preview = None
        self.problem = ("", "")
        try:
            self.draft = self._changed_order() if self.order is not None else self._new_order()
        except (InputError, DataError) as error:
            self.draft = None
            if not self.problem[1]:
                self.problem = ("", str(error))

    def _new_order(self) -> OrderDraft | None:
        """The fields as one line of the order grammar, so that ticket and command line agree."""
        shown = self.shown()
        words: list[tuple[str, str]] = [("", self.fields["side"].value), ("", self.info.symbol)]
        for field in shown:
            if field.choices:
                continue
            if not field.value and field.name == "display":
                continue
            if not field.value or " " in field.value:
                self.problem = (field.name, "" if not field.value else f"{field.label} has a blank in it")
                return None
            lead = {"limit": "@", "display": "iceberg"}.get(field.name)
            words += [("", lead)] if lead and field.name != "expires" else []
            if field.name != "expires":
                words.append((field.name, field.value))
        kind, tif = self.fields["type"].value, self.fields["tif"].value
        words += [("type", TYPE_WORDS[kind])] if kind in TYPE_WORDS else []
        words.append(("tif", tif))
        words += [("expires", self.fields["expires"].value)] if tif == "gtd" else []
        words += [("post", "post")] if self.fields["post"] in shown and self.fields["post"].at else []
        try:
            draft = parse_order_line(" ".join(word for _, word in words), self.directory, self.quote)
        except InputError as error:
            self.problem = (_field_at(words, error.start), error.message)
            raise
        assert isinstance(draft, OrderDraft)
        return draft

    def _changed_order(self) -> ModifyDraft | None:
        assert self.order is not None
        number = self.info.instrument_id
        draft = ModifyDraft(self.order.order_id, "", number)
        for name, parse in (
            ("quantity", self.directory.parse_quantity),
            ("limit", self.directory.parse_price),
        ):
            try:
                value = parse(number, plain_number(name, self.fields[name].value))
            except (InputError, DataError) as error:
                self.problem = (name, str(error))
                raise
            setattr(draft, name, 0 if value == getattr(self.order, name) else value)
        if not draft.quantity and not draft.limit:
            self.problem = ("", "change quantity or limit")
            return None
        return draft

    def review(self, client_order_id: str) -> bool:
        """Enter: lock the order and arm the confirmation.  False while a field is wrong or missing."""
        if self.draft is None:
            missing = self.problem[0]
            if missing and not self.problem[1]:
                self.problem = (missing, f"{self.fields[missing].label.lower()} is missing")
                self.focus = missing
            return False
        if isinstance(self.draft, OrderDraft) and not self.draft.client_order_id:
            self.draft.client_order_id = client_order_id
        self.stage = Stage.REVIEW
        self.arming = Arming(self.now)
        return True

    def confirm(self, *, is_sure: bool = False) -> Draft | None:
        """y: the order to send, once; None for a press that does not count.   is_sure: no delay."""
        if self.stage not in (Stage.REVIEW, Stage.UNKNOWN) or not (is_sure or self.arming.press()):
            return None
        self.stage = Stage.SENT
        return self.draft

    def reopen(self, problem: str = "") -> None:
        """Back to editing, with the reason if the exchange refused."""
        self.stage = Stage.EDIT
        preview = self.preview
        self.update()
        self.preview = preview
        self.problem = ("", problem)

    def lost(self, problem: str) -> None:
        """The answer never came; the order keeps its client order id, so sending it again is safe."""
        self.stage = Stage.UNKNOWN
        self.arming = Arming(self.now)
        self.problem = ("", problem)


def _field_at(words: list[tuple[str, str]], start: int) -> str:
    """Name of the field whose word stands at this column of the joined line."""
    column = 0
    for name, word in words:
        if start <= column + len(word):
            return name
        column += len(word) + 1
    return ""
