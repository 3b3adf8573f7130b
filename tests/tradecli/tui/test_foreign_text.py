"""Text of other people is shown as it stands or not at all; it never speaks to the terminal."""

from __future__ import annotations

import pytest

from exchange.core.commands import Deposit, HaltInstrument, ListAsset, ListInstrument
from exchange.core.terms import SYSTEM_USER
from tests.tradecli.tui.memory import market_day
from tests.tradecli.tui.stage import Stage, play, text_of
from tradecli.tui.widgets.surface import Surface

MARKUP = "[bold red]x[/] [@click=app.bell]y[/] {z} \\["
WILD = "\x1b]0;owned\x07\x1b[2Jfirst\nsecond\u202edrow"


def texts(stage: Stage) -> str:
    return "".join(text_of(surface) for surface in stage.app.screen.query(Surface))


@pytest.mark.parametrize("name", [MARKUP])
def test_markup_in_names_is_shown_literally(name: str) -> None:
    exchange = market_day()
    listing = ListInstrument(
        symbol="ODD",
        name=name,
        venue="X[i]Y",
        base=5,
        quote=1,
        tick_units=1,
        price_decimals=2,
        lot_units=1,
        quantity_decimals=0,
    )
    receipt = exchange.apply(SYSTEM_USER, listing)
    assert receipt.reject is None, receipt.reject.reason

    async def scene(stage: Stage) -> None:
        await stage.press("slash")
        await stage.type("odd")
        assert name[:20] in stage.top()
        await stage.press("enter", "b")
        assert name[:12] in stage.ticket()

    play(scene, exchange)


def test_escape_bytes_in_names_never_reach_the_terminal() -> None:
    exchange = market_day()
    exchange.state.books[1].instrument.name = WILD  # as a foreign exchange might answer
    exchange.state.books[1].instrument.venue = WILD

    async def scene(stage: Stage) -> None:
        await stage.press("slash")
        await stage.type("eth")
        shown = texts(stage)
        await stage.press("enter", "b")
        shown += texts(stage)
        assert "first" in shown
        assert not set(shown.replace("\n", "")) & set("\x1b\x07\u202e\r")

    play(scene, exchange)


def test_escape_bytes_typed_or_pasted_are_dropped() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("colon")
        await stage.type(WILD)
        await stage.press("enter")
        assert "\x1b" not in texts(stage)
        assert "a line starts with" in stage.bar()

    play(scene)


def test_reasons_and_references_do_no_harm() -> None:
    exchange = market_day()
    exchange.apply(SYSTEM_USER, HaltInstrument(instrument=0, reason=MARKUP))
    exchange.apply(SYSTEM_USER, Deposit(account=3, asset=0, amount=10**8, reference=MARKUP))

    async def scene(stage: Stage) -> None:
        assert "HALTED" in stage.pane("book")

    play(scene, exchange)


def test_wide_and_combining_characters_keep_the_columns() -> None:
    exchange = market_day()
    exchange.apply(SYSTEM_USER, ListAsset(symbol="WIDE", exponent=0))
    exchange.state.books[1].instrument.name = "日本語の名前 e\u0301clair"

    async def scene(stage: Stage) -> None:
        await stage.press("slash")
        for surface in stage.app.screen.query(Surface):
            for y in range(surface.size.height):
                assert surface.render_line(y).cell_length == surface.size.width

    play(scene, exchange)
