"""The command line's root: global options, lazily mounted groups, and what every failure looks like.

Importing this module and showing help must stay cheap: a command's module is imported when it is
called, and the table below is all the root's help needs.
"""

# Annotations are values here: as strings Typer would evaluate each of them twice at every start.
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_command_from_info

from tradecli import failures, render
from tradecli.context import Options, Session
from tradecli.errors import choose

if TYPE_CHECKING:
    from exchange.client import Client

# name: (module in tradecli.commands, command in it or "" for the whole group, help line)
VERBS: Final[dict[str, tuple[str, str, str]]] = {
    "buy": ("order", "buy", "Buy, in one line."),
    "sell": ("order", "sell", "Sell, in one line."),
    "order": ("order", "", "Place, change, cancel and list orders."),
    "market": ("market", "", "Instruments, quotes, books, trades and candles."),
    "account": ("account", "", "Accounts, balances, deposits, withdrawals and transfers."),
    "portfolio": ("portfolio", "", "Positions and profit and loss."),
    "ledger": ("ledger", "", "Rebuild every balance from the journal."),
    "journal": ("journal", "", "Verify, print, measure and mend the journal."),
    "admin": ("admin", "", "Reset, report, halt, suspend, fees and limits."),
    "demo": ("demo", "demo", "A living market, on the screen or headless."),
    "replay": ("demo", "replay", "Replay recorded data as the market."),
    "stream": ("stream", "stream", "Write events as NDJSON, as they happen."),
    "submit": ("stream", "submit", "Read commands as NDJSON, answer one line each."),
    "run": (
        "stream",
        "run",
        "Run a file of commands through a fresh engine in memory: same file, same bytes out.",
    ),
    "conformance": ("conformance", "", "Run outside suites and recorded books through the engine."),
    "doctor": ("setup", "doctor", "Check the installation, the store and the machine."),
    "config": ("config", "", "Show the settings and where each comes from."),
    "version": ("setup", "version", "Show the version."),
    "help": ("setup", "help", "Help on a topic or a command."),
    "_owner": ("setup", "_owner", ""),
}
HIDDEN: Final = ("_owner",)
WITH_VALUE: Final = ("-o", "--output", "--account", "--profile", "--home", "--config")
JOINED: Final = tuple(f"{option}=" for option in WITH_VALUE[1:])
FLAGS: Final = ("--json", "-q", "--quiet", "-y", "--yes", "--no-color", "--debug")


class Commands(Mapping[str, Any]):
    """Commands by name, each built when it is first asked for."""

    def __init__(self, names: list[str], build: Callable[[str], Any]) -> None:
        self._names = names
        self._build = build
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._built:
            self._built[name] = self._build(name)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(name for name in self._names if not name.startswith("_"))

    def __len__(self) -> int:
        return len(self._names)


class Root(TyperGroup):
    """Shows its help from the table above, without importing a single command."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name][2]) for name in VERBS if name not in HIDDEN])


def load(name: str) -> Any:
    """The command or group of one row of the table."""
    from importlib import import_module

    module, command, _ = VERBS[name]
    app: typer.Typer = import_module(f"tradecli.commands.{module}").app
    infos = {info.name or _name(info.callback): info for info in app.registered_commands}
    commands = Commands(list(infos), lambda name: _built(infos[name]))
    if command:
        return commands[command]
    group = TyperGroup(
        name=name, help=VERBS[name][2], commands=None, no_args_is_help=True, rich_markup_mode=None
    )
    group.commands = commands  # type: ignore[assignment]
    return group


def _name(callback: Callable[..., Any] | None) -> str:
    assert callback is not None
    return callback.__name__.strip("_").replace("_", "-")


def _built(info: Any) -> Any:
    return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


def root(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FORMAT", help="table, json, ndjson or csv.")
    ] = "table",
    is_json: Annotated[bool, typer.Option("--json", help="Same as -o json.")] = False,
    account: Annotated[str, typer.Option(metavar="NAME", help="Whose orders and balances.")] = "",
    profile: Annotated[str, typer.Option(metavar="NAME", help="Settings and store of this name.")] = "",
    home: Annotated[str, typer.Option(metavar="DIR", help="Folder of the store.")] = "",
    config: Annotated[str, typer.Option(metavar="FILE", help="Settings file.")] = "",
    is_quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Data and errors only.")] = False,
    is_yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask for confirmation.")] = False,
    is_plain: Annotated[bool, typer.Option("--no-color", help="No colour; so does NO_COLOR.")] = False,
    is_debug: Annotated[bool, typer.Option("--debug", help="Show where a bug happened.")] = False,
    is_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Trade on a living local exchange, from the shell and from a dashboard.

    Without a command the dashboard opens; where the output is not a terminal, a status table.
    """
    failures.Detail.is_wanted = is_debug
    render.Style.is_quiet = is_quiet
    render.Style.is_coloured = not (is_plain or os.environ.get("NO_COLOR"))
    chosen = "json" if is_json else choose("output", output, render.FORMATS)
    options = Options(chosen, account, profile or None, home or None, config or None, is_yes)
    session = Session(options, context.obj)
    context.obj = session
    context.call_on_close(session.close)
    if is_version or context.invoked_subcommand is None:
        from tradecli.commands import setup

        setup.show_version(session) if is_version else setup.open_screen(session)
        raise typer.Exit


def application() -> Any:
    """The root command."""
    app = typer.Typer(
        cls=Root,
        rich_markup_mode=None,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="\b\nExamples:\n"
        "  tradecli buy BTC-USDC 0.5 @ 64250.50 gtc\n"
        "  tradecli market quote -o json\n"
        "  tradecli help exit-codes",
    )
    app.callback(invoke_without_command=True)(root)
    command: Any = get_command(app)
    command.commands = Commands(list(VERBS), load)
    return command


def hoisted(arguments: list[str]) -> list[str]:
    """Global options moved to the front, so that they may stand anywhere before ``--``."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*front, *rest, word, *words]
        if word in WITH_VALUE:
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        elif word in FLAGS or word.startswith(JOINED) or (word[:2] == "-o" and word[2:] in render.FORMATS):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]


def run(arguments: list[str], client: "Client | None" = None) -> int:
    """One command line.  Returns the exit code of ``context.EXIT_CODES``.

    client: used instead of opening the exchange the options name.
    """
    line = hoisted(arguments)
    try:
        code = _invoked(line, client)
        sys.stdout.flush()
    except BrokenPipeError:
        failures.silence()
        return 141
    return code


def _invoked(line: list[str], client: "Client | None") -> int:
    try:
        command = application()
        with command.make_context("tradecli", list(line), obj=client) as context:
            command.invoke(context)
    except typer.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost loop: a person gets one line, not a traceback
        return failures.explain(error, line)
    return 0


def main() -> None:
    sys.exit(run(sys.argv[1:]))
