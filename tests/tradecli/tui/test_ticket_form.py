"""The order ticket as a state machine."""

from __future__ import annotations

import pytest

from exchange.core.messages import PlaceOrder
from exchange.core.terms import BUY, DAY_ORDER, FOK, GTC, GTD, IOC, LIMIT, MARKET, MARKET_TO_LIMIT, SELL
from exchange.core.units import SECOND
from exchange.directory import Directory
from exchange.views.blotter import OpenOrder
from tests.tradecli.tui.memory import founded
from tradecli.drafts import ModifyDraft, OrderDraft
from tradecli.tui.arming import ARM_NS
from tradecli.tui.line_edit import LineEdit
from tradecli.tui.ticket_form import Stage, TicketForm

DIRECTORY = Directory.of(founded().state)


class Watch:
    now = 0

    def __call__(self) -> int:
        return self.now


def form_of(side: int = BUY, **texts: str) -> TicketForm:
    """A ticket with its text fields filled in and its choices turned."""
    form = TicketForm(DIRECTORY, 0, side, Watch(), quote=lambda symbol: {"symbol": symbol, "ask": "64000.00"})
    for name, text in texts.items():
        field = form.fields[name]
        if field.choices:
            field.at = field.choices.index(text)
        else:
            field.edit = LineEdit(text)
    form.update()
    return form


def draft_of(form: TicketForm) -> OrderDraft:
    assert isinstance(form.draft, OrderDraft), form.problem
    return form.draft


def press(form: TicketForm, *keys: str) -> None:
    for key in keys:
        form.key(key, key if len(key) == 1 else None)


def test_a_limit_order() -> None:
    draft = draft_of(form_of(quantity="0.5", limit="64250.50"))
    assert (draft.side, draft.type, draft.quantity, draft.limit, draft.tif) == (
        BUY,
        LIMIT,
        50_000,
        6_425_050,
        GTC,
    )
    assert not draft.is_post_only


@pytest.mark.parametrize(
    ("kind", "tif", "expected"),
    [
        ("market", "ioc", (MARKET, IOC)),
        ("market to limit", "day", (MARKET_TO_LIMIT, DAY_ORDER)),
        ("limit", "fok", (LIMIT, FOK)),
    ],
)
def test_types_and_times_in_force(kind: str, tif: str, expected: tuple[int, int]) -> None:
    draft = draft_of(form_of(quantity="1", limit="64000", type=kind, tif=tif))
    assert (draft.type, draft.tif) == expected


def test_every_extra_of_a_resting_order() -> None:
    draft = draft_of(
        form_of(SELL, quantity="1", limit="64000", tif="gtd", expires="2026-03-01", post="yes", display="0.1")
    )
    assert (draft.side, draft.tif, draft.display, draft.is_post_only) == (SELL, GTD, 10_000, True)
    assert draft.expires > 1_772_000_000 * SECOND


def test_only_fields_that_mean_something_are_shown() -> None:
    def names(**texts: str) -> list[str]:
        return [field.name for field in form_of(quantity="1", limit="64000", **texts).shown()]

    assert names() == ["quantity", "limit", "type", "side", "tif", "post", "display"]
    assert names(tif="ioc") == ["quantity", "limit", "type", "side", "tif"]
    assert names(type="market") == ["quantity", "type", "side", "tif"]
    assert "expires" in names(tif="gtd")


@pytest.mark.parametrize(
    ("texts", "field", "why"),
    [
        ({"quantity": "0", "limit": "64000"}, "quantity", "above zero"),
        ({"quantity": "-1", "limit": "64000"}, "quantity", "not"),
        ({"quantity": "nan", "limit": "64000"}, "quantity", "positive decimal"),
        ({"quantity": "1e9", "limit": "64000"}, "quantity", "positive decimal"),
        ({"quantity": "0.000001", "limit": "64000"}, "quantity", "lot size of 0.00001"),
        ({"quantity": "1", "limit": "64000.001"}, "limit", "tick size of 0.01"),
        ({"quantity": "9" * 40, "limit": "64000"}, "quantity", "above the limit"),
        ({"quantity": "1", "limit": "64000", "display": "x"}, "display", "positive decimal"),
        ({"quantity": "1", "limit": "64000", "tif": "gtd", "expires": "soon"}, "expires", "is not like"),
        ({"quantity": "1 @ 5", "limit": "64000"}, "quantity", "blank"),
    ],
)
def test_a_wrong_field_is_named(texts: dict[str, str], field: str, why: str) -> None:
    form = form_of(**texts)
    assert form.draft is None
    assert form.problem[0] == field
    assert why in form.problem[1]


def test_what_is_missing_is_asked_for_on_enter_only() -> None:
    form = form_of(limit="64000")
    assert form.problem == ("quantity", "")
    form.focus = "type"
    assert not form.review("id-1")
    assert form.problem == ("quantity", "quantity is missing")
    assert form.focused.name == "quantity"


def test_an_amount_of_money_becomes_lots() -> None:
    draft = draft_of(form_of(quantity="$640", type="market"))
    assert draft.quantity == 1_000


def test_keys_move_and_turn() -> None:
    form = form_of(quantity="1", limit="64000")
    press(form, "tab", "tab", "right")
    assert form.fields["type"].value == "market"
    press(form, "tab", "s")
    assert form.side == SELL
    press(form, "tab", "space", "left", "left")
    assert form.fields["tif"].value == "gtd"
    press(form, "up", "up", "up")
    assert form.focused.name == "quantity"


def test_typing_replaces_what_was_proposed() -> None:
    form = form_of(quantity="1", limit="64000")
    press(form, "down", "6", "5", "0", "0", "0")
    assert form.fields["limit"].value == "65000"
    assert draft_of(form).limit == 6_500_000


def test_plus_and_minus_move_the_limit_by_a_tick() -> None:
    form = form_of(quantity="1", limit="64000")
    form.focus = "limit"
    press(form, "plus", "plus", "minus")
    assert form.fields["limit"].value == "64000.01"


def test_review_locks_the_order_and_gives_it_an_id() -> None:
    form = form_of(quantity="1", limit="64000")
    assert form.review("id-1")
    assert form.stage is Stage.REVIEW
    assert draft_of(form).client_order_id == "id-1"


def test_it_is_confirmed_once_and_not_at_once() -> None:
    form = form_of(quantity="1", limit="64000")
    form.review("id-1")
    assert form.confirm() is None
    assert isinstance(form.now, Watch)
    form.now.now += ARM_NS
    draft = form.confirm()
    assert draft is not None
    assert isinstance(draft.command(3), PlaceOrder)
    assert form.stage is Stage.SENT
    form.now.now += ARM_NS
    assert form.confirm() is None


def test_an_edited_order_gets_another_id() -> None:
    form = form_of(quantity="1", limit="64000")
    form.review("id-1")
    form.reopen("funds.insufficient: too small")
    assert form.problem == ("", "funds.insufficient: too small")
    press(form, "end", "0")
    form.review("id-2")
    assert draft_of(form).client_order_id == "id-2"


def test_an_order_without_an_answer_is_sent_again_as_it_was() -> None:
    form = form_of(quantity="1", limit="64000")
    form.review("id-1")
    assert isinstance(form.now, Watch)
    form.now.now += ARM_NS
    first = form.confirm()
    form.lost("no answer")
    assert form.confirm() is None
    form.now.now += ARM_NS
    assert form.confirm() is first


def test_changing_a_working_order_tells_only_what_changes() -> None:
    order = OpenOrder(7, 0, 6_400_000, PlaceOrder(3, 0, SELL, LIMIT, 50_000, 6_400_000))
    form = TicketForm(DIRECTORY, 0, SELL, Watch(), order=order)
    assert [field.name for field in form.shown()] == ["quantity", "limit"]
    assert form.draft is None
    assert form.problem == ("", "change quantity or limit")
    form.fields["limit"].edit = LineEdit("64100")
    form.update()
    assert isinstance(form.draft, ModifyDraft)
    assert (form.draft.order_id, form.draft.quantity, form.draft.limit) == (7, 0, 6_410_000)
    form.fields["quantity"].edit = LineEdit("none")
    form.update()
    assert form.problem[0] == "quantity"


def test_a_spelled_order_fills_the_fields() -> None:
    draft = OrderDraft(SELL, 0)
    draft.type, draft.quantity, draft.limit, draft.tif = LIMIT, 50_000, 6_400_000, GTD
    draft.expires, draft.display, draft.is_post_only, draft.stp = 1_800_000_000 * SECOND, 10_000, True, 2
    form = form_of()
    form.fill(draft)
    assert form.draft is draft
    form.update()
    again = draft_of(form)
    assert again is not draft
    for name in ("side", "type", "quantity", "limit", "tif", "expires", "display", "is_post_only"):
        assert getattr(again, name) == getattr(draft, name), name


def test_pasted_text_goes_into_the_field() -> None:
    form = form_of(limit="64000")
    form.paste(" 0.25\n")
    assert draft_of(form).quantity == 25_000
