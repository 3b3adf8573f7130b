"""``tradecli portfolio``: positions and profit and loss."""

import typer

from tradecli.context import session_of, verb

app = typer.Typer()


@verb(app, "tradecli portfolio positions")
def positions(context: typer.Context) -> None:
    """What the account holds, its average price and what it is worth now."""
    session = session_of(context)
    session.show(session.query("positions", account=session.account_name))


@verb(app, "tradecli portfolio pnl -o json")
def pnl(context: typer.Context) -> None:
    """Realised and unrealised profit and loss, and fees, by instrument."""
    session = session_of(context)
    session.show(session.query("pnl", account=session.account_name))
