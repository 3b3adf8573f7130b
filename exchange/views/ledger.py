"""Every balance again, rebuilt from the events alone and compared with what the engine keeps.

It shares no code with the settlement it checks: postings are derived here from trades and
transfers, so a wrong posting in either place shows as a difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from exchange.core.events import Transferred
from exchange.core.messages import Event, Traded
from exchange.core.state.root import State
from exchange.core.terms import BUY, EXTERNAL, FEES_ACCOUNT, AccountId, AssetId, Seq
from exchange.core.units import Minor
from exchange.directory import Directory, decimal_text


class Mismatch(NamedTuple):
    """The first balance that differs.  Amounts in minor units of the asset.

    what: ``posted``, ``held`` (against the holds of the open orders), ``available`` (below zero)
    or ``sum`` (over all accounts; the account is -1).   seq: of its last posting, 0 if it has none.
    """

    what: str
    account: AccountId
    asset: AssetId
    expected: Minor
    actual: Minor
    seq: Seq

    def text(self, directory: Directory) -> str:
        symbol, exponent = directory.assets[self.asset]
        whose = "all accounts" if self.account < 0 else f"account {directory.account_name(self.account)}"
        expected, actual = (decimal_text(value, exponent) for value in (self.expected, self.actual))
        last = f", last posting at sequence {self.seq}" if self.seq else ""
        return f"{whose}: {self.what} {symbol} is {actual}, the journal says {expected}{last}"


class LedgerView:
    """Balances by account and asset.  seq: of the last record folded.   postings: made so far."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.seq: Seq = 0
        self.postings = 0
        self._balances: dict[AccountId, dict[AssetId, Minor]] = {}
        self._last: dict[tuple[AccountId, AssetId], Seq] = {}
        self._sums: dict[AssetId, Minor] = {}

    def fold(self, seq: Seq, events: Iterable[Event]) -> None:
        self.seq = seq
        for event in events:
            if isinstance(event, Traded):
                self._traded(event)
            elif isinstance(event, Transferred):
                self._post(event.source, event.asset, -event.amount)
                self._post(event.target, event.asset, event.amount)

    def balance(self, account: AccountId, asset: AssetId) -> Minor:
        return self._balances.get(account, {}).get(asset, 0)

    def sums(self) -> dict[AssetId, Minor]:
        """Over all accounts per asset, kept with every posting; all zero, or the ledger is broken."""
        return dict(self._sums)

    def compare(self, state: State) -> Mismatch | None:
        """The first difference: a broken sum, then by account and asset.  None if all agree.

        The state must stand at the last record folded.
        """
        for asset, total in self._sums.items():
            if total:
                return Mismatch("sum", -1, asset, 0, total, self.seq)
        holds = _holds(state)
        for account in state.accounts:
            number = account.account_id
            rebuilt = self._balances.get(number, {})
            for asset in range(len(state.assets)):
                kept = account.balances[asset] if asset < len(account.balances) else None
                posted, held = (0, 0) if kept is None else (kept.posted, kept.held)
                expected = rebuilt.get(asset, 0)
                if posted != expected:
                    return self._mismatch("posted", (number, asset), expected, posted)
                if held != holds.get((number, asset), 0):
                    return self._mismatch("held", (number, asset), holds.get((number, asset), 0), held)
                if held > posted and account.kind != EXTERNAL:
                    return self._mismatch("available", (number, asset), 0, posted - held)
        return self._unknown_account(len(state.accounts))

    def _traded(self, event: Traded) -> None:
        info = self.directory.instruments[event.instrument]
        value = event.price * event.quantity * info.unit
        base = event.quantity * info.lot_minor
        maker, taker = event.maker_account, event.taker_account
        buyer, seller = (taker, maker) if event.taker_side == BUY else (maker, taker)
        self._post(seller, info.base, -base)
        self._post(buyer, info.base, base)
        self._post(buyer, info.quote, -value)
        self._post(seller, info.quote, value)
        for account, fee in ((maker, event.maker_fee), (taker, event.taker_fee)):
            if fee:
                self._post(account, info.quote, -fee)
                self._post(FEES_ACCOUNT, info.quote, fee)

    def _post(self, account: AccountId, asset: AssetId, amount: Minor) -> None:
        balances = self._balances.setdefault(account, {})
        balances[asset] = balances.get(asset, 0) + amount
        self._sums[asset] = self._sums.get(asset, 0) + amount
        self._last[(account, asset)] = self.seq
        self.postings += 1

    def _mismatch(
        self, what: str, where: tuple[AccountId, AssetId], expected: Minor, actual: Minor
    ) -> Mismatch:
        return Mismatch(what, *where, expected, actual, self._last.get(where, 0))

    def _unknown_account(self, accounts: int) -> Mismatch | None:
        """A posting to an account the engine does not have."""
        for account in sorted(self._balances):
            if account < 0 or account >= accounts:
                asset, amount = next(iter(self._balances[account].items()))
                return self._mismatch("posted", (account, asset), amount, 0)
        return None


def _holds(state: State) -> dict[tuple[AccountId, AssetId], Minor]:
    """What the open orders hold, by account and asset."""
    holds: dict[tuple[AccountId, AssetId], Minor] = {}
    for order in state.live_orders():
        instrument = order.book.instrument
        asset = instrument.quote if order.side == BUY else instrument.base
        key = (order.account.account_id, asset)
        holds[key] = holds.get(key, 0) + order.hold
    return holds
