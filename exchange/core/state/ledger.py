"""Accounts and their balances: double entry with pending holds.

Every movement takes from one balance and gives to another, so each asset sums to zero over all
accounts.  A hold is a pending debit: it stays in ``posted`` and lowers what is available.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional

from mypy_extensions import mypyc_attr

from exchange.core.messages import PlaceOrder
from exchange.core.terms import EXTERNAL
from exchange.core.units import OPEN_ORDERS_MAX, Minor, Nanos

if TYPE_CHECKING:
    from exchange.core.state.order import Order


@mypyc_attr(acyclic=True)
class Balance:
    """One asset of one account.  available = posted - held, never below zero but outside."""

    __slots__ = ("held", "posted")

    def __init__(self, posted: Minor = 0, held: Minor = 0) -> None:
        self.posted = posted
        self.held = held


@mypyc_attr(acyclic=True)
class ClientOrder:
    """What a client order id was first used for."""

    __slots__ = ("command", "order_id", "ts")

    def __init__(self, order_id: int, ts: Nanos, command: PlaceOrder) -> None:
        self.order_id = order_id
        self.ts = ts
        self.command = command


class Account:
    """Balances by asset id, open orders in order of arrival, and what the account may do."""

    __slots__ = (
        "account_id",
        "balances",
        "client_orders",
        "epoch",
        "fee_tier",
        "first_order",
        "is_exempt",
        "is_suspended",
        "kind",
        "last_order",
        "name",
        "open_orders",
        "open_orders_max",
        "owner",
    )

    def __init__(self, account_id: int, name: str, owner: int, kind: int) -> None:
        self.account_id = account_id
        self.name = name
        self.owner = owner
        self.kind = kind
        self.balances: list[Optional[Balance]] = []
        self.client_orders: dict[str, ClientOrder] = {}
        self.open_orders = 0
        self.open_orders_max = OPEN_ORDERS_MAX
        self.first_order: Optional[Order] = None
        self.last_order: Optional[Order] = None
        self.fee_tier = 0
        self.epoch = 0
        self.is_exempt = False
        self.is_suspended = False

    def balance(self, asset: int) -> Balance:
        """The balance of an asset, opened at zero when first touched."""
        balances = self.balances
        while len(balances) <= asset:
            balances.append(None)
        found = balances[asset]
        if found is None:
            found = Balance()
            balances[asset] = found
        return found

    def available(self, asset: int) -> Minor:
        if asset >= len(self.balances):
            return 0
        found = self.balances[asset]
        return 0 if found is None else found.posted - found.held


def move(source: Account, target: Account, asset: int, amount: Minor) -> None:
    """Post one transfer.  The caller has checked the available balance."""
    debit = source.balance(asset)
    debit.posted -= amount
    target.balance(asset).posted += amount
    assert debit.posted >= debit.held or source.kind == EXTERNAL


def trial_balance(accounts: Sequence[Account], assets: int) -> list[Minor]:
    """Sum over all accounts per asset; all zero, or the ledger is broken."""
    sums = [0] * assets
    for account in accounts:
        for asset, balance in enumerate(account.balances):
            if balance is not None:
                sums[asset] += balance.posted
    return sums
