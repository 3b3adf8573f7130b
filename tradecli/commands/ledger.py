"""``tradecli ledger``: the books against the journal."""

import typer

from tradecli import render
from tradecli.context import session_of, verb

app = typer.Typer()
BAD_DATA = 65


@verb(app, "tradecli ledger verify", "tradecli ledger verify -o json")
def verify(context: typer.Context) -> None:
    """Rebuild every balance from the journal; name the first that differs.  Exit 65 if one does."""
    from exchange.operations import verify_ledger

    session = session_of(context)
    with render.progress("replaying the journal") as advance:
        row = verify_ledger(session.config, advance)
    verdict = "clean" if row["ok"] else f"WRONG: {row['mismatch']}"
    session.show_object(
        row,
        f"ledger {verdict}",
        f"  {row['records']} records, {row['postings']} postings, {row['accounts']} accounts",
        *(f"  sum of {asset} over all accounts: {total}" for asset, total in row["sums"].items()),
    )
    if not row["ok"]:
        raise typer.Exit(BAD_DATA)
