"""The one table: every action can be carried out, no key means two things."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.errors import ConfigError
from tradecli.tui.actions import (
    ACTIONS,
    BY_NAME,
    DASHBOARD,
    SCOPES,
    bindings,
    checked_keymap,
    hint_key,
    key_text,
    keys_of,
    read_keymap,
)
from tradecli.tui.screens.dashboard import DashboardScreen
from tradecli.tui.widgets.blotter import BlotterPane
from tradecli.tui.widgets.chart import Chart
from tradecli.tui.widgets.order_book import OrderBook
from tradecli.tui.widgets.watchlist import Watchlist

PREFIX_KEYS = {"ctrl+b", "ctrl+s", "ctrl+a"}  # of tmux, of terminals' flow control, of screen


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "keymap.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_default_key_has_two_meanings() -> None:
    assert checked_keymap({}) == {}


def test_no_default_key_is_a_multiplexers_prefix() -> None:
    keys = {key for action in ACTIONS for key in keys_of(action.name, {})}
    assert not keys & PREFIX_KEYS


def test_names_are_unique_and_scopes_known() -> None:
    assert len(BY_NAME) == len(ACTIONS)
    assert {action.scope for action in ACTIONS} == {DASHBOARD, *SCOPES}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_is_carried_out_where_its_key_works(action) -> None:  # type: ignore[no-untyped-def]
    owners = {
        DASHBOARD: (DashboardScreen,),
        "list": (Watchlist, OrderBook, BlotterPane),
        "watchlist": (Watchlist,),
        "blotter": (BlotterPane,),
        "chart": (Chart,),
    }[action.scope]
    for owner in owners:
        assert callable(getattr(owner, f"action_{action.name}", None)), owner.__name__


def test_bindings_come_from_the_table() -> None:
    found = {binding.id: binding.key for binding in bindings("chart")}  # type: ignore[union-attr]
    assert found["pan_left"] == BY_NAME["pan_left"].keys
    assert set(found) == {action.name for action in ACTIONS if action.scope == "chart"}


def test_a_keymap_file_gives_other_keys(tmp_path: Path) -> None:
    keymap = read_keymap(write(tmp_path, 'buy = "f5"\nsell = ["f6", "/"]\nsymbol = "f7"\n'))
    assert keymap == {"buy": "f5", "sell": "f6,slash", "symbol": "f7"}
    assert key_text("sell", keymap) == "f6 /"
    assert hint_key("buy", keymap) == "f5"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('buy = "s"', "key 's' is both buy and sell"),
        ('cursor_up = "b"', "key 'b' is both buy and cursor_up"),
        ('by = "b"', "there is no action 'by'; did you mean buy?"),
        ("buy = 5", "a key is a text"),
        ("buy = []", "a key is a text"),
        ('buy = "', "Unterminated string"),
    ],
)
def test_a_keymap_that_cannot_be_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=r"keymap\.toml") as caught:
        read_keymap(path)
    assert why in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        read_keymap(tmp_path / "none.toml")


def test_the_same_key_may_serve_two_panes() -> None:
    assert checked_keymap({"tab_left": "comma", "crosshair_left": "comma"})


def test_keys_read_as_they_are_typed() -> None:
    assert key_text("zoom_in", {}) == "= +"
    assert key_text("pan_left", {}) == "⇧← H"
    assert key_text("help", {}) == "?"
