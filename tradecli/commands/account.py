"""``tradecli account``: accounts and the money in them."""

from typing import Annotated, Any

import typer

from exchange.core.commands import Command, Deposit, OpenAccount, Transfer, Withdraw
from exchange.core.events import Transferred
from exchange.directory import time_text
from tradecli.context import Session, session_of, verb
from tradecli.errors import InputError
from tradecli.parse import plain_number

app = typer.Typer()

Asset = Annotated[str, typer.Argument(metavar="ASSET", help="Currency or coin, such as USDC.")]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="Above zero, with the asset's decimals.")]
Reference = Annotated[str, typer.Option(metavar="TEXT", help="Free text for the statement.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "--preview", help="Say what would happen; send nothing.")]
LOOSE = {"ignore_unknown_options": True}  # a negative amount is ours to explain


@verb(app, "tradecli account new savings")
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 40 letters, digits, '_', '-', '.', ':'.")],
    owner: Annotated[str, typer.Option(metavar="USER", help="Whose it is.")] = "local",
) -> None:
    """Open an account."""
    session = session_of(context)
    receipt = session.send(OpenAccount(name=name, owner=session.directory.user_id(owner)))
    row = {"ok": True, "seq": receipt.seq, "time": time_text(receipt.ts), "account": name, "owner": owner}
    session.show_object(row, f"account {name} opened for {owner}")


@verb(app, "tradecli account list -o json", name="list")
def list_accounts(context: typer.Context) -> None:
    """All accounts, the exchange's own included."""
    session = session_of(context)
    session.show(session.query("accounts"))


@verb(app, "tradecli account balance", "tradecli account balance USDC --account savings")
def balance(
    context: typer.Context,
    asset: Annotated[str, typer.Argument(metavar="[ASSET]", help="Only this one.")] = "",
) -> None:
    """Posted, held and available of every asset the account has touched."""
    session = session_of(context)
    wanted = session.directory.asset_symbol(session.directory.asset_id(asset)) if asset else ""
    rows = session.query("balances", account=session.account_name)
    session.show([row for row in rows if wanted in ("", row["asset"])])


@verb(app, "tradecli account deposit USDC 10000", context_settings=LOOSE)
def deposit(
    context: typer.Context,
    asset: Asset,
    amount: Amount,
    reference: Reference = "",
    is_dry_run: DryRun = False,
) -> None:
    """Pay in from outside."""
    session = session_of(context)
    number, minor = money(session, asset, amount)
    command = Deposit(account=session.account, asset=number, amount=minor, reference=reference)
    move(session, command, is_dry_run=is_dry_run)


@verb(app, "tradecli account withdraw USDC 250.50 --yes", context_settings=LOOSE)
def withdraw(
    context: typer.Context,
    asset: Asset,
    amount: Amount,
    reference: Reference = "",
    is_dry_run: DryRun = False,
) -> None:
    """Pay out to the outside; asks first."""
    session = session_of(context)
    number, minor = money(session, asset, amount)
    command = Withdraw(account=session.account, asset=number, amount=minor, reference=reference)
    if not is_dry_run:
        session.confirm(f"Withdraw {amount} {asset.upper()} from account {session.account_name}?")
    move(session, command, is_dry_run=is_dry_run)


@verb(app, "tradecli account transfer savings USDC 100", context_settings=LOOSE)
def transfer(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Where it goes.")],
    asset: Asset,
    amount: Amount,
    reference: Reference = "",
    is_dry_run: DryRun = False,
) -> None:
    """Move money to another account."""
    session = session_of(context)
    number, minor = money(session, asset, amount)
    accounts = {"source": session.account, "target": session.directory.account_id(target)}
    command = Transfer(**accounts, asset=number, amount=minor, reference=reference)
    move(session, command, is_dry_run=is_dry_run)


@verb(app, "tradecli account statement --limit 20", "tradecli account statement --asset USDC -o csv")
def statement(
    context: typer.Context,
    asset: Annotated[str, typer.Option(metavar="ASSET", help="Only this one.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows at most, the newest.")] = 50,
) -> None:
    """Every movement of money with the balance after it."""
    session = session_of(context)
    chosen = {"asset": session.directory.asset_symbol(session.directory.asset_id(asset))} if asset else {}
    session.show(session.query("statement", account=session.account_name, limit=limit, **chosen))


def money(session: Session, asset: str, amount: str) -> tuple[int, int]:
    """(asset id, minor units).  Raises InputError, or NotFound for the asset."""
    from exchange.errors import DataError

    number = session.directory.asset_id(asset)
    try:
        return number, session.directory.parse_money(number, plain_number("amount", amount))
    except DataError as error:
        raise InputError(str(error)) from None


def move(session: Session, command: Command, *, is_dry_run: bool) -> None:
    """Send a movement of money and show what moved."""
    from exchange.codec import command_to_json

    if is_dry_run:
        row = command_to_json(command, session.directory)
        session.show_object({"ok": True, "dry_run": True, **row})
        return
    receipt = session.send(command)
    row = {"ok": True, "seq": receipt.seq, "time": time_text(receipt.ts), **moved(session, receipt.events)}
    session.show_object(
        row, f"{row['kind']} of {row['amount']} {row['asset']}: {row['source']} -> {row['target']}"
    )


def moved(session: Session, events: Any) -> dict[str, Any]:
    event = next(event for event in events if isinstance(event, Transferred))
    text = session.directory
    return {
        "kind": event.kind,
        "source": text.account_name(event.source),
        "target": text.account_name(event.target),
        "asset": text.asset_symbol(event.asset),
        "amount": text.money_text(event.asset, event.amount),
        "reference": event.reference or None,
    }
