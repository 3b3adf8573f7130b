"""TradeApp: opens the client, installs the dashboard; settings and clocks come in from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from textual.app import App, SystemCommand
from textual.screen import Screen

from exchange.client import Client
from exchange.config import Config
from tradecli.tui.actions import ACTIONS, DASHBOARD, checked_keymap, read_keymap
from tradecli.tui.link import Lanes, ThreadLanes
from tradecli.tui.panes import BOOK_COLUMN_MIN, SIDE_COLUMNS_MIN
from tradecli.tui.screens.dashboard import DashboardScreen
from tradecli.tui.theme import THEME_PREFIX, themes

KEYMAP_FILE: Final = "keymap.toml"
WIDE_MIN: Final = 150
TALL_MIN: Final = 30


class Options(NamedTuple):
    """badge: LOCAL or the server's name.   hz: screen updates a second, 0 leaves them to the caller.
    keymap: keys by action, checked here.   symbol: the instrument shown first."""

    account: str = "main"
    badge: str = "LOCAL"
    theme: str = "dark"
    hz: int = 20
    confirm: bool = True
    keymap: Mapping[str, str] = {}
    symbol: str = ""


class TradeApp(App[None]):
    """connect: opens a client, blocking.   wall, monotonic: nanoseconds.
    lanes: where blocking work runs; threads unless a test says otherwise."""

    CSS_PATH = Path(__file__).with_name("dashboard.tcss")
    TITLE = "tradecli"
    ALLOW_SELECT = False
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar = []

    def __init__(
        self,
        connect: Callable[[], Client],
        wall: Callable[[], int],
        monotonic: Callable[[], int],
        options: Options | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        """Raises ConfigError for a keymap that cannot be."""
        options = options if options is not None else Options()
        checked_keymap(options.keymap)
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (BOOK_COLUMN_MIN, "-narrow"), (SIDE_COLUMNS_MIN, "-mid")]
        self.HORIZONTAL_BREAKPOINTS.append((WIDE_MIN, "-wide"))
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL_MIN, "-tall")]
        self.options = options
        self.connect = connect
        self.wall = wall
        self.monotonic = monotonic
        self.lanes: Lanes = lanes if lanes is not None else ThreadLanes(self._post)
        for theme in themes():
            self.register_theme(theme)
        self.theme = THEME_PREFIX + options.theme
        self.set_keymap(dict(options.keymap))
        self.dashboard = DashboardScreen(self)

    def _post(self, call: Callable[[], None]) -> None:
        self.call_later(call)

    def get_default_screen(self) -> Screen[None]:
        return self.dashboard

    def on_mount(self) -> None:
        if self.options.hz:
            self.set_interval(1 / self.options.hz, self.dashboard.tick)

    async def action_quit(self) -> None:
        """The toolkit's own key for leaving asks as well."""
        self.dashboard.action_quit()

    def use_theme(self, name: str) -> None:
        self.theme = THEME_PREFIX + name
        self.dashboard.show_theme()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action of the table, and every instrument."""
        if screen is not self.dashboard:
            return
        for action in ACTIONS:
            if action.scope == DASHBOARD:
                run = getattr(self.dashboard, f"action_{action.name}")
                yield SystemCommand(action.name.replace("_", " "), action.help, run)
        for info in self.dashboard.mirror.directory.instruments:
            turn = partial(self.dashboard.turn_to, info.instrument_id)
            yield SystemCommand(info.symbol, f"go to {info.name}", turn)


def run(config: Config, connect: Callable[[], Client] | None = None, symbol: str = "") -> None:
    """The dashboard until it is left.  Starts the exchange as a process of its own if there is none.

    connect: another way to a client.   symbol: the instrument shown first.   Raises ConfigError for
    the settings or the keymap file, and what keeps the exchange from opening at all.
    """
    import time

    from exchange.bootstrap import check_interpreter, open_client

    check_interpreter()
    path = config.home / KEYMAP_FILE
    options = Options(
        account=config.account.name,
        theme=config.ui.theme,
        hz=config.ui.hz,
        confirm=config.ui.confirm,
        keymap=read_keymap(path) if path.exists() else {},
        symbol=symbol,
    )
    opened = connect or partial(open_client, config, start_owner=True)
    # What a person reads off the screen; nothing of it reaches the engine.
    wall = time.time_ns  # noqa: TID251
    app = TradeApp(opened, wall, time.monotonic_ns, options)
    app.run()
    if app.dashboard.link.refusal is not None:
        raise app.dashboard.link.refusal
