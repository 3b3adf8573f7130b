"""The exchange as a Unix filter: events out, commands in, and a file of commands run reproducibly."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from tradecli import render
from tradecli.context import session_of, verb
from tradecli.errors import InputError, choose

app = typer.Typer()
PARTLY_FAILED = 8

Input = Annotated[str, typer.Argument(metavar="FILE", help="NDJSON commands; - is standard input.")]


@verb(
    app,
    "tradecli stream | jq -c 'select(.event==\"trade\")'",
    "tradecli stream --since 0 --count 100",
)
def stream(
    context: typer.Context,
    since: Annotated[int, typer.Option(min=-1, help="Start after this sequence number; default: now.")] = -1,
    only: Annotated[
        str, typer.Option(metavar="NAMES", help="Events to write, such as trade,order.done.")
    ] = "",
    count: Annotated[int, typer.Option(min=0, help="Stop after this many lines; 0: never.")] = 0,
) -> None:
    """Write events as NDJSON, as they happen."""
    from exchange.codec import event_to_json
    from exchange.core.events import EVENTS

    session = session_of(context)
    names = [name for name, _ in EVENTS.values()]
    wanted = [choose("event", name, names) for name in only.split(",")] if only else names
    written = 0
    for update in session.watch(None if since < 0 else since):
        session.learn(update.events)
        for event in update.events:
            row = event_to_json(event, session.directory)
            if row["event"] not in wanted:
                continue
            render.write_line(render.json_text({"seq": update.seq, "ts": update.ts // 1000, **row}))
            written += 1
            if written == count:
                return
        sys.stdout.flush()


@verb(app, 'echo \'{"op":"order.cancel_all"}\' | tradecli submit -', "tradecli submit orders.ndjson")
def submit(context: typer.Context, file: Input = "-") -> None:
    """Read commands as NDJSON, answer one line each; exit 8 if any of them failed."""
    from tradecli.ndjson import Filter, batches

    session = session_of(context)
    with opened(file) as source:
        work = Filter(session.client, session.account_name)
        for lines in batches(source):
            for row in work.answers(lines):
                render.write_line(render.json_text(row))
            sys.stdout.flush()
    if work.failed:
        raise typer.Exit(PARTLY_FAILED)


@verb(app, "tradecli run day.ndjson > out.ndjson", "tradecli journal cat | tradecli run -")
def run(context: typer.Context, file: Input) -> None:
    """Run a file of commands through a fresh engine in memory: same file, same bytes out."""
    from exchange.fresh import fresh_exchange
    from tradecli.ndjson import Filter, batches, is_whole_journal

    session = session_of(context)
    with opened(file) as source:
        chunks = batches(source)
        first = next(chunks, [])
        exchange = fresh_exchange(session.config, is_empty=is_whole_journal(first))
        work = Filter(exchange, session.account_name, exchange.stamp)
        for lines in chain([first], chunks):
            for row in work.answers(lines):
                render.write_line(render.json_text(row))
    render.write_line(render.json_text(exchange.summary()))
    if work.failed:
        raise typer.Exit(PARTLY_FAILED)


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """Raises InputError where a person's keyboard would have to be the input."""
    if file == "-":
        if sys.stdin.isatty():
            raise InputError("commands are read from standard input: pipe a file into it, or name one")
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as source:
        yield source
