"""``tradecli conformance``: outside suites and recorded books through the real engine."""

from pathlib import Path
from typing import Annotated

import typer

from tradecli import render
from tradecli.context import session_of, verb
from tradecli.failures import BUG

app = typer.Typer()

File = Annotated[Path, typer.Argument(metavar="FILE", help="Plain, .gz or .xz.", show_default=False)]


@verb(app, "tradecli conformance matching normal_seed23.csv.xz -o json")
def matching(context: typer.Context, file: File) -> None:
    """Play the matching suite's messages; the SHA-256 of every report line, to compare with the published."""
    from exchange.conformance.matching import matching as play

    with render.progress("bytes") as advance:
        row = play(file, advance)
    session_of(context).show_object(row)


@verb(app, "tradecli conformance edge-cases edge_cases.json")
def edge_cases(context: typer.Context, file: File) -> None:
    """Play the suite's short sequences; exit 70 if a report line or a best price differs."""
    from exchange.conformance.matching import edge_cases as play

    row = play(file)
    session_of(context).show_object(row)
    if row["failed"]:
        raise typer.Exit(BUG)


@verb(app, "tradecli conformance lobster AMZN_message.csv.gz AMZN_orderbook.csv.gz -o json")
def lobster(
    context: typer.Context,
    messages: Annotated[Path, typer.Argument(metavar="MESSAGES", help="LOBSTER messages.")],
    book: Annotated[Path, typer.Argument(metavar="BOOK", help="The orderbook file that goes with them.")],
) -> None:
    """Each row of the book, one message later: how many are exact."""
    from exchange.conformance.books import lobster as play

    with render.progress("messages") as advance:
        row = play(messages, book, advance)
    session_of(context).show_object(row)


@verb(app, "tradecli conformance mbo ESH4_mbo.csv.gz -o json")
def mbo(context: typer.Context, file: File) -> None:
    """CME market by order: trades with fills exactly as recorded, and crossed books."""
    from exchange.conformance.books import mbo as play

    with render.progress("records") as advance:
        row = play(file, advance)
    session_of(context).show_object(row)


@verb(app, "tradecli conformance l2 BTCUSDT_feed.jsonl.gz -o json")
def l2(context: typer.Context, feed: File) -> None:
    """Recorded Binance streams: best prices equal to the exchange's own at the same update."""
    from exchange.conformance.books import l2 as play

    with render.progress("updates") as advance:
        row = play(feed, advance)
    session_of(context).show_object(row)
