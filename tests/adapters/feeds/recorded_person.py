"""A person with money beside a recorded market."""

from __future__ import annotations

from exchange.client import Receipt
from exchange.conformance.stage import Stage
from exchange.core.commands import Deposit, OpenAccount, RegisterUser
from exchange.core.messages import CancelOrder, Command, PlaceOrder
from exchange.core.state.ledger import trial_balance
from exchange.core.state.order import Order
from exchange.core.terms import GTC, LIMIT, SYSTEM_USER
from exchange.core.units import Lots, Ticks

FUNDS = 1 << 50


class Person:
    """Trades the first instrument of the stage."""

    def __init__(self, stage: Stage, name: str = "person") -> None:
        self.stage = stage
        state = stage.state
        self.user, self.account = len(state.users), len(state.accounts)
        self._send(SYSTEM_USER, RegisterUser(name=name))
        self._send(SYSTEM_USER, OpenAccount(name=name, owner=self.user))
        instrument = state.books[0].instrument
        for asset in (instrument.base, instrument.quote):
            self._send(SYSTEM_USER, Deposit(account=self.account, asset=asset, amount=FUNDS))

    def place(self, side: int, price: Ticks, size: Lots, tif: int = GTC) -> int:
        """Returns the order id."""
        return self._send(self.user, PlaceOrder(self.account, 0, side, LIMIT, size, price, tif)).order_id

    def cancel(self, order_id: int) -> None:
        self._send(self.user, CancelOrder(self.account, order_id))

    def order(self, order_id: int) -> Order | None:
        return self.stage.state.order(order_id)

    def leaves(self, order_id: int) -> Lots:
        order = self.order(order_id)
        return 0 if order is None else order.leaves

    def _send(self, actor: int, command: Command) -> Receipt:
        receipt = self.stage.apply(actor, command)
        assert receipt.reject is None, receipt.reject.reason
        return receipt


def run(stage: Stage, steps: int = 1 << 30) -> int:
    """Take at most so many steps; returns how many there were."""
    taken = 0
    while taken < steps and stage.step():
        taken += 1
    return taken


def depth(stage: Stage, side: str) -> list[tuple[Ticks, Lots]]:
    """(price, displayed lots), best first."""
    book = stage.state.books[0]
    half = book.bids if side == "bids" else book.asks
    return [(abs(key), half.level(key).shown) for key in reversed(half.keys)]


def is_balanced(stage: Stage) -> bool:
    state = stage.state
    return not any(trial_balance(state.accounts, len(state.assets)))
