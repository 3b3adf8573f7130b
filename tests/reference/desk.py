"""A small exchange for unit tests: one instrument, two clients with money, commands in one line."""

from __future__ import annotations

from exchange.core import commands as c
from exchange.core.engine import Engine
from exchange.core.events import Event, OrderAccepted, Rejected
from exchange.core.messages import Command, Record
from exchange.core.state.book import Book
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.terms import BUY, LIMIT, SELL
from exchange.core.units import DAY

ALICE, BOB = 3, 4  # accounts; their owners are users 1 and 2
USDC, BTC = 0, 1


class Desk:
    """unit 10 minor per tick and lot, 1 lot = 100_000 minor of BTC; fees 100 and 500 ppm."""

    def __init__(self, fees: tuple[tuple[int, int], ...] = ((100, 500),), **rules: int) -> None:
        self.engine = Engine()
        self.now = 19_786 * DAY
        for symbol, exponent in (("USDC", 6), ("BTC", 8)):
            self.send(c.ListAsset(symbol=symbol, exponent=exponent))
        self.send(
            c.ListInstrument(
                symbol="BTC-USDC",
                name="Bitcoin",
                venue="LOCAL",
                base=BTC,
                quote=USDC,
                tick_units=1,
                price_decimals=2,
                lot_units=1,
                quantity_decimals=3,
                fees=fees,
                **rules,
            )
        )
        for name in ("alice", "bob"):
            self.send(c.RegisterUser(name=name))
            self.send(c.OpenAccount(name=name, owner=len(self.state.users) - 1))
            for asset in (USDC, BTC):
                self.send(c.Deposit(account=len(self.state.accounts) - 1, asset=asset, amount=10**9))

    @property
    def state(self) -> State:
        return self.engine.state

    @property
    def book(self) -> Book:
        return self.state.books[0]

    def send(self, command: Command, actor: int = 0, wait: int = 0) -> list[Event]:
        self.now += wait
        return self.engine.apply(Record(self.state.seq + 1, self.now, actor, command))

    def place(
        self,
        account: int,
        side: int,
        quantity: int,
        limit: int,
        tif: int = 1,
        display: int = 0,
        expires: int = 0,
    ) -> list[Event]:
        return self.send(c.PlaceOrder(account, 0, side, LIMIT, quantity, limit, tif, display, expires))

    def buy(self, account: int, quantity: int, limit: int) -> int:
        """Order id of an accepted limit order."""
        return accepted(self.place(account, BUY, quantity, limit))

    def sell(self, account: int, quantity: int, limit: int) -> int:
        return accepted(self.place(account, SELL, quantity, limit))

    def order(self, order_id: int) -> Order:
        order = self.state.order(order_id)
        assert order is not None
        return order


def accepted(events: list[Event]) -> int:
    return next(event.order_id for event in events if isinstance(event, OrderAccepted))


def reason(events: list[Event]) -> str:
    """Of the reject that ends the events; nothing if the command was taken."""
    last = events[-1] if events else None
    return last.reject.reason if isinstance(last, Rejected) else ""
