"""A fresh engine with one instrument and rich accounts, built by ordinary commands.

What a conformance run needs before the first outside message: the accounts are exempt from limits,
there are no fees, and one tick times one lot is one minor unit.
"""

from __future__ import annotations

from collections.abc import Sequence

from exchange.core.commands import (
    Command,
    Deposit,
    ListAsset,
    ListInstrument,
    OpenAccount,
    RegisterUser,
)
from exchange.core.engine import Engine
from exchange.core.messages import Event, Record, Rejected
from exchange.core.terms import SYSTEM_USER

INSTRUMENT = 0  # of the only instrument
FUNDS = 1 << 61  # minor units of each asset an account starts with


class Market:
    """accounts: ids of the accounts, one user each.   actors: the users."""

    __slots__ = ("accounts", "actors", "engine")

    def __init__(self, names: Sequence[str]) -> None:
        self.engine = Engine()
        self.actors: list[int] = []
        self.accounts: list[int] = []
        for symbol in ("BASE", "QUOTE"):
            self.must(ListAsset(symbol=symbol, exponent=0))
        self.must(
            ListInstrument(
                symbol="BASE-QUOTE",
                name="",
                venue="",
                base=0,
                quote=1,
                tick_units=1,
                price_decimals=0,
                lot_units=1,
                quantity_decimals=0,
            )
        )
        state = self.engine.state
        for name in names:
            user, account = len(state.users), len(state.accounts)
            self.must(RegisterUser(name=name))
            self.must(OpenAccount(name=name, owner=user, is_exempt=True))
            for asset in (0, 1):
                self.must(Deposit(account=account, asset=asset, amount=FUNDS))
            self.actors.append(user)
            self.accounts.append(account)

    def apply(self, actor: int, command: Command) -> list[Event]:
        state = self.engine.state
        return self.engine.apply(Record(state.seq + 1, state.ts, actor, command))

    def must(self, command: Command) -> None:
        """A set-up command by the system user that cannot be refused."""
        for event in self.apply(SYSTEM_USER, command):
            assert not isinstance(event, Rejected), event.reject.reason
