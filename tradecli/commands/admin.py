"""``tradecli admin``: run the exchange itself."""

from typing import Annotated, Any

import typer

from exchange.codec import event_to_json
from exchange.core.commands import (
    Command,
    HaltInstrument,
    RegisterUser,
    ResetAccount,
    ResumeInstrument,
    SetAccountLimits,
    SetFeeTier,
    SetRole,
    SuspendAccount,
)
from exchange.core.terms import ROLES
from exchange.core.units import OPEN_ORDERS_MAX
from exchange.directory import time_text
from tradecli.context import Session, session_of, verb
from tradecli.errors import choose

app = typer.Typer()

Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="The instrument.")]
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; kept in the journal.")]


@verb(app, "tradecli admin reset main --yes", "tradecli admin reset main --dry-run")
def reset(
    context: typer.Context,
    account: Account,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; send nothing.")] = False,
) -> None:
    """Cancel its orders, send its balances outside, start a new epoch; history stays.  Asks first."""
    session = session_of(context)
    number = session.directory.account_id(account)
    if is_dry_run:
        session.show(session.query("balances", account=account))
        return
    session.confirm(f"Reset account {account}: cancel its orders and empty it?")
    act(session, ResetAccount(account=number))


@verb(app, "tradecli admin report", "tradecli admin report -o json")
def report(context: typer.Context) -> None:
    """The exchange at a glance: accounts, orders, trades and what the exchange itself holds."""
    session = session_of(context)
    row = dict(session.query("status"))
    for account in session.query("accounts"):
        if account["kind"] != "client":
            balances = session.query("balances", account=account["account"])
            row[account["kind"]] = {line["asset"]: line["posted"] for line in balances}
    session.show_object(row)


@verb(app, "tradecli admin halt BTC-USDC --reason 'price feed broken'")
def halt(context: typer.Context, symbol: Symbol, reason: Reason = "") -> None:
    """Stop trading in an instrument; orders stay, cancels stay allowed."""
    session = session_of(context)
    act(session, HaltInstrument(instrument=session.directory.instrument(symbol).instrument_id, reason=reason))


@verb(app, "tradecli admin resume BTC-USDC")
def resume(context: typer.Context, symbol: Symbol) -> None:
    """Open trading again."""
    session = session_of(context)
    act(session, ResumeInstrument(instrument=session.directory.instrument(symbol).instrument_id))


@verb(app, "tradecli admin suspend savings --reason 'lost key'", "tradecli admin suspend savings --lift")
def suspend(
    context: typer.Context,
    account: Account,
    reason: Reason = "",
    is_lifted: Annotated[bool, typer.Option("--lift", help="Let it trade again.")] = False,
) -> None:
    """Keep an account from placing orders; cancels stay allowed."""
    session = session_of(context)
    number = session.directory.account_id(account)
    act(session, SuspendAccount(account=number, is_suspended=not is_lifted, reason=reason))


@verb(app, "tradecli admin fee-tier savings 1")
def fee_tier(
    context: typer.Context,
    account: Account,
    tier: Annotated[int, typer.Argument(metavar="TIER", help="0 is the first; see `market instruments`.")],
) -> None:
    """Put an account into a fee tier; orders placed from now on pay it."""
    session = session_of(context)
    act(session, SetFeeTier(account=session.directory.account_id(account), tier=tier))


@verb(app, "tradecli admin limits savings --open-orders 20")
def limits(
    context: typer.Context,
    account: Account,
    open_orders: Annotated[int, typer.Option(min=0, help="How many orders may rest.")] = OPEN_ORDERS_MAX,
    is_exempt: Annotated[bool, typer.Option("--exempt", help="No instrument or open-order limits.")] = False,
) -> None:
    """Set an account's limits."""
    session = session_of(context)
    number = session.directory.account_id(account)
    act(session, SetAccountLimits(account=number, open_orders_max=open_orders, is_exempt=is_exempt))


@verb(app, "tradecli admin user alice --role broker")
def user(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 40 letters, digits, '_', '-', '.', ':'.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help=", ".join(ROLES[1:-1]))] = "client",
) -> None:
    """Register a user."""
    act(session_of(context), RegisterUser(name=name, role=ROLES.index(choose("role", role, ROLES[1:-1]))))


@verb(app, "tradecli admin role alice admin")
def role(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="USER", help="The user.")],
    role: Annotated[str, typer.Argument(metavar="ROLE", help=", ".join(ROLES[1:-1]))],
) -> None:
    """Give a user another role."""
    session = session_of(context)
    number = ROLES.index(choose("role", role, ROLES[1:-1]))
    act(session, SetRole(user=session.directory.user_id(name), role=number))


@verb(app, "tradecli admin users")
def users(context: typer.Context) -> None:
    """All users and their roles."""
    session = session_of(context)
    session.show(session.query("users"))


def act(session: Session, command: Command) -> None:
    """Send a command and show the events it caused."""
    receipt = session.send(command)
    events: list[dict[str, Any]] = [event_to_json(event, session.directory) for event in receipt.events]
    row = {"ok": True, "seq": receipt.seq, "time": time_text(receipt.ts), "events": events}
    session.show_object(row, *(_sentence(event) for event in events if event["event"] != "book.level"))


def _sentence(event: dict[str, Any]) -> str:
    words = [
        f"{name} {value}" for name, value in event.items() if name != "event" and value not in ("", None)
    ]
    return f"{event['event'].replace('.', ' ').replace('_', ' ')}: {', '.join(words)}"
