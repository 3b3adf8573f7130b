"""The program itself: the screen, help topics, version, self-check and the hidden exchange process."""

import os
import sys
from typing import Annotated, Any

import typer

from tradecli import render
from tradecli.context import EXIT_CODES, Session, session_of, verb
from tradecli.errors import InputError
from tradecli.parse import parse_order_line

app = typer.Typer()
TOPICS = ("exit-codes", "orders")


@verb(app, "tradecli version -o json")
def version(context: typer.Context) -> None:
    """Show the version."""
    show_version(session_of(context))


@verb(app, "tradecli help exit-codes", "tradecli help orders", "tradecli help market book", name="help")
def show_help(
    context: typer.Context,
    topic: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC]...", help="exit-codes, orders, or a command.")
    ] = None,
) -> None:
    """Help on a topic or a command."""
    session = session_of(context)
    if topic == ["exit-codes"]:
        session.show([{"code": code, "meaning": meaning} for code, meaning in EXIT_CODES])
    elif topic == ["orders"]:
        render.write_line(grammar())
    else:
        render.write_line(command_help(context, topic or []))


@verb(app, "tradecli doctor", "tradecli doctor -o json")
def doctor(context: typer.Context) -> None:
    """Check the installation, the store and the machine; exit 0 if nothing fails."""
    from exchange.operations import examine

    session = session_of(context)
    rows = [*examine(session.config), terminal_row()]
    session.show([{name: row[name] for name in ("check", "status", "detail")} for row in rows])
    codes = [row["exit_code"] for row in rows if row["status"] == "fail"]
    if codes:
        raise typer.Exit(codes[0])


@verb(app, "tradecli _owner", name="_owner", hidden=True)
def own(
    context: typer.Context,
    file: Annotated[str, typer.Option("--replay", metavar="FILE", help="Recorded data as the market.")] = "",
    instrument: Annotated[str, typer.Option(metavar="SYMBOL", help="What it trades as.")] = "",
    kind: Annotated[str, typer.Option("--format", metavar="KIND", help="Of the file.")] = "",
    book: Annotated[str, typer.Option(metavar="FILE", help="Orderbook file.")] = "",
) -> None:
    """The exchange process: owns the store, serves those who attach, leaves with the last of them."""
    config = session_of(context).config
    if file:
        from exchange.recording import Recording, serve_recording

        serve_recording(Recording(file, instrument, kind, book), config, is_ending=False)
        return
    from exchange.bootstrap import run_owner

    run_owner(config)


def show_version(session: Session) -> None:
    from exchange import __version__, is_compiled

    core = "compiled" if is_compiled() else "interpreted"
    row = {"version": __version__, "core": core, "python": sys.version.split()[0]}
    session.show_object(row, f"tradecli {__version__} ({core} core, Python {row['python']})")


def open_screen(session: Session) -> None:
    """The dashboard; a status table where the output is not a terminal."""
    if sys.stdout.isatty() and sys.stdin.isatty():
        from tradecli.commands.demo import open_dashboard

        open_dashboard(session.config)
        return
    row = session.query("status")
    session.show_object({"exchange": "local", "account": session.account_name, **row})


def grammar() -> str:
    """The one-line order grammar as ``parse_order_line`` documents it."""
    import inspect

    return (inspect.getdoc(parse_order_line) or "").partition("\n\n")[2]


def command_help(context: typer.Context, names: list[str]) -> str:
    """The help text of the command reached by these names; of the root if there are none."""
    found: Any = context.find_root()
    for name in names:
        command = getattr(found.command, "commands", {}).get(name)
        if command is None:
            raise InputError(f"there is no topic or command {' '.join(names)!r}; topics: {', '.join(TOPICS)}")
        found = type(found)(command, parent=found, info_name=name)
    return str(found.get_help())


def terminal_row() -> dict[str, Any]:
    import shutil

    width, height = shutil.get_terminal_size()
    is_screen = sys.stdout.isatty()
    detail = f"{width}x{height}, {os.environ.get('TERM', 'unknown')}, {sys.stdout.encoding}"
    if not is_screen:
        return {"check": "terminal", "status": "ok", "detail": "standard output is not a terminal"}
    is_fit = width >= 80 and height >= 24 and sys.stdout.encoding.lower() == "utf-8"
    status = "ok" if is_fit else "warn"
    return {
        "check": "terminal",
        "status": status,
        "detail": detail if is_fit else f"{detail}; 80x24 UTF-8 needed",
    }
