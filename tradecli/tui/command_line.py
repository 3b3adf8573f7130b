"""What a line of the command bar asks for: an order in the shared grammar, or a mnemonic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from exchange.core.terms import InstrumentId
from exchange.directory import Directory
from exchange.errors import NotFound
from tradecli.drafts import Draft
from tradecli.errors import InputError
from tradecli.parse import parse_order_line
from tradecli.tui.actions import BY_NAME, DASHBOARD
from tradecli.tui.mirror import CHART_TIMEFRAMES
from tradecli.tui.theme import PALETTES
from tradecli.tui.widgets.blotter import TABS

ORDER_VERBS: Final = ("buy", "b", "sell", "s", "cancel", "modify", "replace")
HELP: Final = (
    ("buy BTC-USDC 0.5 @ 64000", "an order"),
    ("cancel 12 | cancel all", "take orders out"),
    ("modify 12 0.4 @ 64100", "change an order"),
    ("gp BTC-USDC 5m", "turn chart and book"),
    ("orders, fills, positions, balances", "a tab"),
    ("theme light", "or dark, color-blind"),
    ("help, quit", "any action by name"),
)


class OrderLine(NamedTuple):
    draft: Draft


class Turn(NamedTuple):
    """Another instrument, another timeframe, or both.  instrument: -1 keeps it; timeframe: "" too."""

    instrument: InstrumentId
    timeframe: str


class ShowTab(NamedTuple):
    tab: str


class UseTheme(NamedTuple):
    name: str


class Run(NamedTuple):
    """An action of the table, by name."""

    action: str


Intent: TypeAlias = OrderLine | Turn | ShowTab | UseTheme | Run
Quote: TypeAlias = Callable[[str], Mapping[str, Any]]
SymbolOf: TypeAlias = Callable[[int, str], str]


def read_line(line: str, directory: Directory, quote: Quote, symbol_of: SymbolOf) -> Intent:
    """Raises InputError pointing at the word at fault, NotFound for an order that is not there."""
    words = line.split()
    verb = words[0].lower() if words else ""
    if verb in ORDER_VERBS:
        return OrderLine(parse_order_line(line, directory, quote, symbol_of))
    if verb in ("gp", "go"):
        return _turn(line, words[1:], directory)
    if verb in TABS and len(words) == 1:
        return ShowTab(verb)
    if verb == "theme" and len(words) == 2:
        if words[1].lower() not in PALETTES:
            raise _at(line, words[1], f"themes are {', '.join(PALETTES)}")
        return UseTheme(words[1].lower())
    action = verb.replace("-", "_")
    if len(words) == 1 and action in BY_NAME and BY_NAME[action].scope == DASHBOARD:
        return Run(action)
    if len(words) <= 2 and (words[-1] in CHART_TIMEFRAMES or _is_instrument(words[0], directory)):
        return _turn(line, words, directory)
    first = ", ".join(("buy", "sell", "cancel", "modify", "gp", *TABS, "theme", "help", "quit"))
    raise _at(line, words[0], f"a line starts with a symbol or one of {first}")


def _turn(line: str, words: list[str], directory: Directory) -> Turn:
    instrument, timeframe = -1, ""
    for word in words:
        if word in CHART_TIMEFRAMES:
            timeframe = word
            continue
        try:
            instrument = directory.instrument(word).instrument_id
        except NotFound as error:
            raise _at(line, word, str(error)) from None
    if instrument < 0 and not timeframe:
        raise InputError("say a symbol or a timeframe", line, len(line) + 1, len(line) + 2)
    return Turn(instrument, timeframe)


def _is_instrument(word: str, directory: Directory) -> bool:
    try:
        directory.instrument(word)
    except NotFound:
        return False
    return True


def _at(line: str, word: str, message: str) -> InputError:
    start = line.find(word)
    return InputError(message, line, start, start + len(word))
