"""Markets to trade in: the living one and recorded ones, on the screen or headless."""

import sys
from typing import Annotated, Any

import typer

from tradecli import render
from tradecli.context import session_of, verb
from tradecli.errors import InputError
from tradecli.parse import parse_duration

app = typer.Typer()

Headless = Annotated[bool, typer.Option("--headless", help="No screen.")]
Until = Annotated[str, typer.Option(metavar="DURATION", help="Market time to run, as fast as it goes.")]
Speed = Annotated[float | None, typer.Option(min=0.01, max=1000, help="Market seconds per second.")]


@verb(
    app,
    "tradecli demo",
    "tradecli demo --seed 7 --until 10m --headless -o json",
)
def demo(
    context: typer.Context,
    seed: Annotated[int | None, typer.Option(min=0, help="Same seed, same day, on any machine.")] = None,
    speed: Speed = None,
    until: Until = "",
    is_headless: Headless = False,
) -> None:
    """A living market, on the screen or headless."""
    from exchange.fresh import living_day

    session = session_of(context)
    config = session.settings({"market.feed": "living", "market.seed": seed, "market.speed": speed})
    if is_headless and until:
        length = parse_duration(until)
        with render.progress("market seconds") as advance:
            session.show_object(living_day(config, length, advance))
    elif is_headless:
        from exchange.bootstrap import run_owner

        run_owner(config, is_staying=True)
    else:
        open_dashboard(config)


@verb(
    app,
    "tradecli replay AMZN_message.csv.gz --instrument AMZN --speed 10",
    "tradecli replay feed.jsonl.gz --instrument BTC-USDC --headless -o json",
)
def replay(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Recorded data, plain, .gz or .xz.")],
    instrument: Annotated[str, typer.Option(metavar="SYMBOL", help="What it trades as.")],
    speed: Speed = None,
    is_headless: Headless = False,
    kind: Annotated[str, typer.Option("--format", metavar="KIND", help="lobster, mbo, l2 or bars.")] = "",
    book: Annotated[str, typer.Option(metavar="FILE", help="Orderbook file of LOBSTER messages.")] = "",
) -> None:
    """Replay recorded data as the market.

    Headless without a speed it runs through a fresh engine in memory as fast as it goes.  With one,
    and on the screen, it is the market of the store: your orders queue and trade with it.
    """
    from exchange.recording import Recording, recorded_day, serve_recording, start_recording

    session = session_of(context)
    config = session.settings({"market.feed": "none", "market.speed": speed})
    recording = Recording(file, instrument.upper(), kind, book)
    if is_headless and speed is None:
        with render.progress("market seconds") as advance:
            session.show_object(recorded_day(recording, config, advance))
    elif is_headless:
        session.show_object(serve_recording(recording, config, is_ending=True))
    else:
        check_screen()
        render.say(f"reading {file}")
        first, _ = start_recording(recording, config)
        open_dashboard(config, lambda: open_attached(config), recording.instrument)
        first.close()


def open_attached(config: Any) -> Any:
    from exchange.bootstrap import open_client

    return open_client(config, attach_only=True)


def open_dashboard(config: Any, connect: Any = None, symbol: str = "") -> None:
    check_screen()
    from tradecli.tui.app import run

    run(config, connect, symbol)


def check_screen() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the screen needs a terminal: add --headless to run without one")
