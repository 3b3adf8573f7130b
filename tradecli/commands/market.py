"""``tradecli market``: what can be traded and what it trades at."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from exchange.client import Update
from exchange.core.events import LevelChanged, Traded
from exchange.directory import time_text
from exchange.views.candles import TIMEFRAMES
from tradecli import render
from tradecli.context import Session, session_of, verb
from tradecli.errors import InputError, expected

app = typer.Typer()

Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="Any case; a prefix will do if it is unique.")]
Symbols = Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="Default: all of them.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many rows at most, the newest.")]


@verb(app, "tradecli market instruments -o csv")
def instruments(context: typer.Context) -> None:
    """What is listed: tick, lot, fees, bands and status."""
    session = session_of(context)
    columns = ("symbol", "venue", "tick", "lot", "maker_ppm", "taker_ppm", "last", "status", "name")
    session.show(session.query("instruments"), *(columns if session.options.output == "table" else ()))


@verb(app, "tradecli market quote BTC-USDC", "tradecli market quote -o json")
def quote(context: typer.Context, symbols: Symbols = None) -> None:
    """Best bid and ask, last price and status."""
    session = session_of(context)
    wanted = [session.directory.instrument(symbol).symbol for symbol in symbols or []]
    rows = session.query("quotes")
    session.show([row for row in rows if not wanted or row["symbol"] in wanted])


@verb(app, "tradecli market book BTC-USDC --levels 5", "tradecli market book AAPL -o json")
def book(
    context: typer.Context,
    symbol: Symbol,
    levels: Annotated[int, typer.Option(min=1, max=500, help="Levels of each side.")] = 10,
) -> None:
    """The price levels of both sides, best first."""
    session = session_of(context)
    depth = session.query("depth", instrument=session.directory.instrument(symbol).symbol, levels=levels)
    if session.options.output in ("json", "ndjson"):
        session.show_object(depth)
    else:
        session.show(_ladder(depth))


@verb(app, "tradecli market trades BTC-USDC --limit 20")
def trades(context: typer.Context, symbol: Symbol, limit: Limit = 20) -> None:
    """The newest trades."""
    session = session_of(context)
    session.show(session.query("trades", instrument=session.directory.instrument(symbol).symbol, limit=limit))


@verb(app, "tradecli market candles BTC-USDC --timeframe 5m --limit 12 -o csv")
def candles(
    context: typer.Context,
    symbol: Symbol,
    timeframe: Annotated[
        str, typer.Option("--timeframe", "--interval", metavar="TIMEFRAME", help=", ".join(TIMEFRAMES))
    ] = "1m",
    limit: Limit = 60,
) -> None:
    """Open, high, low, close and volume of each interval."""
    session = session_of(context)
    name = session.directory.instrument(symbol).symbol
    if timeframe not in TIMEFRAMES:
        raise InputError(f"timeframe {timeframe[:20]!r}: expected {expected(timeframe, list(TIMEFRAMES))}")
    session.show(session.query("candles", instrument=name, timeframe=timeframe, limit=limit))


@verb(app, "tradecli market watch BTC-USDC", "tradecli market watch -o ndjson --count 100")
def watch(
    context: typer.Context,
    symbols: Symbols = None,
    count: Annotated[int, typer.Option(min=0, help="Stop after this many lines; 0: never.")] = 0,
) -> None:
    """A line for every change of a best price and every trade, until interrupted."""
    session = session_of(context)
    updates = session.watch()  # before anything is asked: it starts the exchange if there is none
    wanted = {session.directory.instrument(symbol).instrument_id for symbol in symbols or []}
    for number, row in enumerate(_changes(session, updates, wanted), 1):
        if session.options.output == "table":
            render.write_line("  ".join(f"{render.cell_text(value):<12}" for value in row.values()).rstrip())
        else:
            render.write_line(render.json_text(row))
        if number == count:
            return


def _ladder(depth: dict[str, Any]) -> list[dict[str, Any]]:
    """Both sides beside each other, best first."""
    bids, asks = depth["bids"], depth["asks"]
    rows = []
    for place in range(max(len(bids), len(asks))):
        bid = bids[place] if place < len(bids) else (None, None, None)
        ask = asks[place] if place < len(asks) else (None, None, None)
        rows.append(
            {
                "bid_orders": bid[2],
                "bid_quantity": bid[1],
                "bid": bid[0],
                "ask": ask[0],
                "ask_quantity": ask[1],
                "ask_orders": ask[2],
            }
        )
    return rows


def _changes(session: Session, updates: Iterator[Update], wanted: set[int]) -> Iterator[dict[str, Any]]:
    directory = session.directory
    shown: dict[int, tuple[Any, ...]] = {}
    for update in updates:
        touched = {
            event.instrument: isinstance(event, Traded)
            for event in update.events
            if isinstance(event, LevelChanged | Traded) and (not wanted or event.instrument in wanted)
        }
        for instrument in touched:
            row = session.query("quote", instrument=directory.instruments[instrument].symbol)
            best = (row["bid"], row["bid_quantity"], row["ask"], row["ask_quantity"], row["last"])
            if shown.get(instrument) != best:
                shown[instrument] = best
                yield {"time": time_text(update.ts), **row}
