"""Lines of the command bar."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.directory import Directory
from exchange.errors import NotFound
from tests.tradecli.tui.memory import founded
from tradecli.drafts import CancelAllDraft, CancelDraft, ModifyDraft, OrderDraft
from tradecli.errors import InputError
from tradecli.tui.command_line import HELP, Intent, OrderLine, Run, ShowTab, Turn, UseTheme, read_line

DIRECTORY = Directory.of(founded().state)


def quote(symbol: str) -> dict[str, Any]:
    return {"symbol": symbol, "bid": "64000.00", "ask": "64001.00"}


def symbol_of(order_id: int, client_order_id: str) -> str:
    del client_order_id
    if order_id != 12:
        raise NotFound(f"there is no working order {order_id}")
    return "BTC-USDC"


def read(line: str) -> Intent:
    return read_line(line, DIRECTORY, quote, symbol_of)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("buy BTC-USDC 0.5 @ 64000", OrderDraft),
        ("SELL eth $1000", OrderDraft),
        ("cancel 12", CancelDraft),
        ("cancel all btc", CancelAllDraft),
        ("modify 12 0.4 @ 64100", ModifyDraft),
    ],
)
def test_orders_are_read_by_the_shared_grammar(line: str, kind: type) -> None:
    intent = read(line)
    assert isinstance(intent, OrderLine)
    assert isinstance(intent.draft, kind)


@pytest.mark.parametrize(
    ("line", "intent"),
    [
        ("gp btc 5m", Turn(0, "5m")),
        ("gp 1h", Turn(-1, "1h")),
        ("go AAPL", Turn(2, "")),
        ("tcs", Turn(3, "")),
        ("eth 1d", Turn(1, "1d")),
        ("15m", Turn(-1, "15m")),
        ("positions", ShowTab("positions")),
        ("theme LIGHT", UseTheme("light")),
        ("help", Run("help")),
        ("zoom-in", Run("zoom_in")),
    ],
)
def test_mnemonics(line: str, intent: Intent) -> None:
    assert read(line) == intent


@pytest.mark.parametrize(
    ("line", "start", "why"),
    [
        ("gp nowhere", 3, "there is no instrument 'nowhere'"),
        ("gp", 3, "say a symbol"),
        ("theme pink", 6, "themes are dark, light, color-blind"),
        ("frobnicate", 0, "a line starts with"),
        ("buy btc-usdc x", 13, "x"),
        ("cursor_up", 0, "a line starts with"),
    ],
)
def test_the_word_at_fault_is_pointed_at(line: str, start: int, why: str) -> None:
    with pytest.raises(InputError) as caught:
        read(line)
    assert caught.value.start == start
    assert why in caught.value.message


def test_an_order_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="no working order 99"):
        read("modify 99 1")


def test_every_line_of_the_help_can_be_typed() -> None:
    for lines, _ in HELP:
        for line in lines.replace(",", "|").split("|"):
            read(line.strip())
