"""``tradecli journal``: the one log, verified, printed, measured and mended."""

from typing import Annotated, Any

import typer

from tradecli import render
from tradecli.context import session_of, verb

app = typer.Typer()
BAD_DATA = 65


@verb(app, "tradecli journal verify")
def verify(context: typer.Context) -> None:
    """Check hash chain, checksums, order and watermark; exit 65 on damage."""
    from exchange.operations import verify_journal

    session = session_of(context)
    with render.progress("verifying the journal") as advance:
        row = verify_journal(session.config, advance)
    verdict = "intact" if row["ok"] else f"DAMAGED: {row['problem']}"
    counts = f"  {row['records']} records in {row['segments']} segments, {row['bytes']} bytes"
    session.show_object(row, f"journal {verdict}", counts, f"  chain {row['chain']}")
    if not row["ok"]:
        raise typer.Exit(BAD_DATA)


@verb(app, "tradecli journal cat --since 100 --until 120", "tradecli journal cat | tradecli run -")
def cat(
    context: typer.Context,
    since: Annotated[int, typer.Option(min=1, help="First sequence number.")] = 1,
    until: Annotated[int, typer.Option(min=0, help="Last sequence number; 0: the newest.")] = 0,
    is_raw: Annotated[
        bool, typer.Option("--raw", help="Integers as stored, without running the engine.")
    ] = False,
) -> None:
    """Print the commands as NDJSON, as `run` and `submit` read them."""
    from exchange.operations import write_raw_records, write_records

    def write(row: dict[str, Any]) -> None:
        render.write_line(render.json_text(row))

    write_all = write_raw_records if is_raw else write_records
    write_all(session_of(context).config, since, until or None, write)


@verb(app, "tradecli journal stats -o json")
def stats(context: typer.Context) -> None:
    """Records, bytes, times and commands by kind."""
    from exchange.operations import journal_stats

    session = session_of(context)
    session.show_object(journal_stats(session.config))


@verb(app, "tradecli journal skip 4711 --reason 'breaks the engine'")
def skip(
    context: typer.Context,
    seq: Annotated[int, typer.Argument(min=1, metavar="SEQ", help="The record.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with the journal.")],
) -> None:
    """Mark a record the engine breaks on, so that it is passed over.  Asks first."""
    from exchange.operations import skip_record

    session = session_of(context)
    session.confirm(f"Pass over record {seq} for good?")
    skip_record(session.config, seq, reason)
    session.show_object({"ok": True, "seq": seq, "reason": reason}, f"record {seq} will be passed over")


@verb(app, "tradecli journal repair --truncate-to 4710 --yes")
def repair(
    context: typer.Context,
    truncate_to: Annotated[int, typer.Option(min=0, metavar="SEQ", help="The last record to keep.")],
) -> None:
    """Give up every record after one; what is cut is put aside.  Asks first."""
    from exchange.operations import repair_journal

    session = session_of(context)
    session.confirm(f"Give up every record after {truncate_to}?")
    row = {"ok": True, **repair_journal(session.config, truncate_to)}
    session.show_object(
        row, f"the journal ends at {truncate_to} now", *(f"  put aside: {n}" for n in row["removed"])
    )
