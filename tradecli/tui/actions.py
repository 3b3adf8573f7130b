"""The one table of actions: bindings, footer, palette and help are made from it.

An action of a scope works while that pane has the focus, one of the scope ``dashboard`` anywhere.
A keymap file gives other keys; a clash refuses to load, since a key that might buy or sell
depending on luck must not exist.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from exchange.errors import ConfigError

if TYPE_CHECKING:
    from textual.binding import BindingType

DASHBOARD: Final = "dashboard"


class Action(NamedTuple):
    """keys: comma separated, as the toolkit names them.   hint: short text for the footer, "" none."""

    name: str
    keys: str
    help: str
    group: str
    scope: str = DASHBOARD
    hint: str = ""


ACTIONS: Final[tuple[Action, ...]] = (
    Action("buy", "b", "open the order ticket to buy", "Trade", hint="buy"),
    Action("sell", "s", "open the order ticket to sell", "Trade", hint="sell"),
    Action("cancel", "x", "cancel the selected order", "Trade", hint="cancel"),
    Action("cancel_all", "X", "cancel every working order", "Trade"),
    Action("flatten", "F", "cancel everything and close every position", "Trade"),
    Action("modify", "m", "change the selected order", "Trade", hint="modify"),
    Action("symbol", "slash", "find an instrument", "Market", hint="symbol"),
    Action("command", "colon", "type an order or a command", "Market", hint="command"),
    Action("timeframe_shorter", "left_square_bracket", "shorter candles", "Chart"),
    Action("timeframe_longer", "right_square_bracket", "longer candles", "Chart"),
    Action("zoom_out", "minus", "more, narrower candles", "Chart"),
    Action("zoom_in", "equals_sign,plus", "fewer, wider candles", "Chart"),
    Action("depth_step", "d", "coarser levels in the book, then fine again", "Market"),
    Action("sort", "S", "sort the watchlist by another column", "Market"),
    Action("next_tab", "o", "next tab of the blotter", "View"),
    Action("pane_watchlist", "1", "go to the watchlist", "View"),
    Action("pane_chart", "2", "go to the chart", "View"),
    Action("pane_book", "3", "go to the order book", "View"),
    Action("pane_blotter", "4", "go to the blotter", "View"),
    Action("pane_tape", "5", "go to the tape", "View"),
    Action("maximize", "z", "the focused pane alone, and back", "View", hint="zoom"),
    Action("theme", "t", "next theme: dark, light, color-blind", "View"),
    Action("help", "question_mark", "this page", "Program", hint="help"),
    Action("quit", "q", "leave; asks when orders are working", "Program", hint="quit"),
    Action("cursor_up", "up,k", "move up", "Lists", "list"),
    Action("cursor_down", "down,j", "move down", "Lists", "list"),
    Action("page_up", "pageup", "a page up", "Lists", "list"),
    Action("page_down", "pagedown", "a page down", "Lists", "list"),
    Action("cursor_first", "home,g", "to the top", "Lists", "list"),
    Action("cursor_last", "end,G", "to the end", "Lists", "list"),
    Action("choose", "enter", "open an instrument, a price, an order", "Lists", "list", hint="open"),
    Action("move_up", "shift+up,K", "move the instrument up", "Watchlist", "watchlist"),
    Action("move_down", "shift+down,J", "move the instrument down", "Watchlist", "watchlist"),
    Action("tab_left", "left,h", "tab to the left", "Blotter", "blotter"),
    Action("tab_right", "right,l", "tab to the right", "Blotter", "blotter"),
    Action("crosshair_left", "left,h", "crosshair one candle back", "Crosshair", "chart"),
    Action("crosshair_right", "right,l", "crosshair one candle on", "Crosshair", "chart"),
    Action("pan_left", "shift+left,H", "back in time", "Crosshair", "chart", hint="back"),
    Action("pan_right", "shift+right,L", "on in time", "Crosshair", "chart", hint="on"),
    Action("to_now", "end,G", "to the newest candle", "Crosshair", "chart", hint="now"),
    Action("crosshair_off", "escape", "crosshair off", "Crosshair", "chart"),
)
BY_NAME: Final = {action.name: action for action in ACTIONS}
SCOPES: Final = ("list", "watchlist", "blotter", "chart")
# Scopes whose keys are live at the same time on one pane.
TOGETHER: Final = (
    (DASHBOARD, "list", "watchlist"),
    (DASHBOARD, "list", "blotter"),
    (DASHBOARD, "chart"),
)
SHOWN_KEYS: Final = {
    "slash": "/",
    "colon": ":",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "minus": "-",
    "equals_sign": "=",
    "plus": "+",
    "question_mark": "?",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "Enter",
    "escape": "Esc",
    "home": "Home",
    "end": "End",
}
MODIFIERS: Final = {"ctrl": "^", "shift": "⇧", "alt": "⌥"}
TYPED_KEYS: Final = {shown: key for key, shown in SHOWN_KEYS.items() if len(shown) == 1}


def bindings(*scopes: str) -> list[BindingType]:
    from textual.binding import Binding

    return [
        Binding(action.keys, action.name, action.help, show=False, id=action.name)
        for action in ACTIONS
        if action.scope in scopes
    ]


def keys_of(name: str, keymap: Mapping[str, str]) -> list[str]:
    return [key.strip() for key in keymap.get(name, BY_NAME[name].keys).split(",")]


def key_text(name: str, keymap: Mapping[str, str]) -> str:
    """The action's keys as a person reads them."""
    return " ".join(shown_key(key) for key in keys_of(name, keymap))


def hint_key(name: str, keymap: Mapping[str, str]) -> str:
    """The first of the action's keys."""
    return shown_key(keys_of(name, keymap)[0])


def shown_key(key: str) -> str:
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    names = [MODIFIERS.get(modifier, modifier) for modifier in modifiers]
    return "".join(names) + SHOWN_KEYS.get(last, last)


def read_keymap(path: Path) -> dict[str, str]:
    """Keys by action from a TOML file of ``action = "key"`` or ``action = ["key", "key"]``.

    Raises ConfigError for a file, an action or a clash that cannot be.
    """
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    keymap: dict[str, str] = {}
    for name, value in table.items():
        keys = [key for key in (value if isinstance(value, list) else [value]) if isinstance(key, str)]
        if not keys or not all(key.strip() for key in keys):
            raise ConfigError(f'{path}: {name}: a key is a text such as "b" or "ctrl+n"')
        keymap[name] = ",".join(TYPED_KEYS.get(key, key) for key in keys)
    try:
        return checked_keymap(keymap)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def checked_keymap(keymap: Mapping[str, str]) -> dict[str, str]:
    """Raises ConfigError for an unknown action or a key with two meanings."""
    for name in keymap:
        if name not in BY_NAME:
            close = difflib.get_close_matches(name, BY_NAME, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; actions: {', '.join(BY_NAME)}"
            raise ConfigError(f"there is no action {name!r}{hint}")
    for scopes in TOGETHER:
        owners: dict[str, str] = {}
        for action in ACTIONS:
            if action.scope not in scopes:
                continue
            for key in keys_of(action.name, keymap):
                other = owners.setdefault(key, action.name)
                if other != action.name:
                    raise ConfigError(f"key {shown_key(key)!r} is both {other} and {action.name}")
    return dict(keymap)
