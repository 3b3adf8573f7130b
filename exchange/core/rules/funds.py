"""Money that moves outside of trading: deposit, withdraw, transfer."""

from __future__ import annotations

from exchange.core.commands import Command, Deposit, Transfer, Withdraw
from exchange.core.events import Event, Transferred
from exchange.core.messages import Reject
from exchange.core.rules.access import may_act
from exchange.core.rules.text import is_plain
from exchange.core.state.ledger import Account, move
from exchange.core.state.root import State
from exchange.core.terms import EXTERNAL_ACCOUNT
from exchange.core.units import MINOR_MAX, TEXT_LENGTH_MAX, Minor


def check_amount(state: State, asset: int, amount: Minor, reference: str) -> Reject | None:
    if state.asset(asset) is None:
        return Reject("asset.unknown")
    if not 0 < amount < MINOR_MAX:
        return Reject("funds.amount_range", MINOR_MAX, amount, "Minor:asset")
    if not is_plain(reference, TEXT_LENGTH_MAX):
        return Reject("text.invalid", TEXT_LENGTH_MAX, len(reference), "int")
    return None


def _account(
    state: State, actor: int, kind: type[Command], account_id: int
) -> tuple[Reject | None, Account | None]:
    account = state.account(account_id)
    if account is None:
        return Reject("account.unknown"), None
    if not may_act(state, actor, kind, account):
        return Reject("access.denied"), None
    return None, account


def deposit(state: State, actor: int, command: Deposit, out: list[Event]) -> Reject | None:
    reject, account = _account(state, actor, Deposit, command.account)
    if account is None:
        return reject
    if account.account_id == EXTERNAL_ACCOUNT:
        return Reject("funds.same_account")
    reject = check_amount(state, command.asset, command.amount, command.reference)
    if reject is not None:
        return reject
    # From here on nothing can fail.
    external = state.accounts[EXTERNAL_ACCOUNT]
    _post(external, account, command.asset, command.amount, "deposit", command.reference, out)
    return None


def withdraw(state: State, actor: int, command: Withdraw, out: list[Event]) -> Reject | None:
    reject, account = _account(state, actor, Withdraw, command.account)
    if account is None:
        return reject
    if account.account_id == EXTERNAL_ACCOUNT:
        return Reject("funds.same_account")
    reject = check_amount(state, command.asset, command.amount, command.reference)
    if reject is None:
        reject = _check_available(account, command.asset, command.amount)
    if reject is not None:
        return reject
    # From here on nothing can fail.
    external = state.accounts[EXTERNAL_ACCOUNT]
    _post(account, external, command.asset, command.amount, "withdrawal", command.reference, out)
    return None


def transfer(state: State, actor: int, command: Transfer, out: list[Event]) -> Reject | None:
    reject, source = _account(state, actor, Transfer, command.source)
    if source is None:
        return reject
    target = state.account(command.target)
    if target is None or target.account_id == EXTERNAL_ACCOUNT:
        return Reject("account.unknown")
    if target is source:
        return Reject("funds.same_account")
    reject = check_amount(state, command.asset, command.amount, command.reference)
    if reject is None:
        reject = _check_available(source, command.asset, command.amount)
    if reject is not None:
        return reject
    # From here on nothing can fail.
    _post(source, target, command.asset, command.amount, "transfer", command.reference, out)
    return None


def _check_available(account: Account, asset: int, amount: Minor) -> Reject | None:
    if account.is_suspended:
        return Reject("access.suspended")
    available = account.available(asset)
    if available < amount:
        return Reject("funds.insufficient", available, amount, "Minor:asset")
    return None


def _post(
    source: Account,
    target: Account,
    asset: int,
    amount: Minor,
    kind: str,
    reference: str,
    out: list[Event],
) -> None:
    move(source, target, asset, amount)
    out.append(
        Transferred(
            source=source.account_id,
            target=target.account_id,
            asset=asset,
            amount=amount,
            kind=kind,
            reference=reference,
        )
    )


def send_home(state: State, account: Account, out: list[Event]) -> None:
    """Move every positive balance outside; part of an account reset."""
    external = state.accounts[EXTERNAL_ACCOUNT]
    for asset, balance in enumerate(account.balances):
        if balance is not None and balance.posted > 0:
            _post(account, external, asset, balance.posted, "reset", "", out)
