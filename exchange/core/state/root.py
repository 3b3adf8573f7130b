"""State: the one mutable root of the exchange.  Knows no rule; finds, adds, forks, dumps, loads."""

from __future__ import annotations

from typing import Final, Optional

from exchange.core.instrument import Asset, Instrument
from exchange.core.messages import PlaceOrder
from exchange.core.state.book import Book
from exchange.core.state.ledger import Account, ClientOrder
from exchange.core.state.order import Order
from exchange.core.state.timers import Timers
from exchange.core.state.user import User
from exchange.core.terms import (
    EXTERNAL,
    EXTERNAL_ACCOUNT,
    FEES,
    FEES_ACCOUNT,
    HOUSE,
    HOUSE_ACCOUNT,
    ROLE_SYSTEM,
    SYSTEM_USER,
)
from exchange.core.units import CLIENT_ID_WINDOW, CLIENT_IDS_MAX

TRIM: Final = 65_536  # finished order ids are cut from the front of the table in steps of this power of two


class State:
    """Everything the exchange knows.  Ids are dense counters, so tables are lists by id."""

    __slots__ = (
        "account_names",
        "accounts",
        "asset_symbols",
        "assets",
        "books",
        "last_trade_id",
        "next_order_id",
        "order_base",
        "orders",
        "seq",
        "symbols",
        "timers",
        "ts",
        "user_names",
        "users",
    )

    def __init__(self) -> None:
        self.seq = 0
        self.ts = 0
        self.next_order_id = 1
        self.last_trade_id = 0
        self.users: list[User] = []
        self.user_names: dict[str, int] = {}
        self.accounts: list[Account] = []
        self.account_names: dict[str, int] = {}
        self.assets: list[Asset] = []
        self.asset_symbols: dict[str, int] = {}
        self.books: list[Book] = []  # by instrument id
        self.symbols: dict[str, int] = {}
        self.orders: list[Optional[Order]] = [None]  # by order id - order_base
        self.order_base = 0
        self.timers = Timers()

    def found(self) -> None:
        """The users and accounts every exchange has."""
        self.add_user("system", ROLE_SYSTEM)
        for account_id, name, kind in (
            (FEES_ACCOUNT, "fees", FEES),
            (EXTERNAL_ACCOUNT, "external", EXTERNAL),
            (HOUSE_ACCOUNT, "house", HOUSE),
        ):
            assert self.add_account(name, SYSTEM_USER, kind).account_id == account_id

    def add_user(self, name: str, role: int) -> User:
        user = User(len(self.users), name, role)
        self.users.append(user)
        self.user_names[name] = user.user_id
        return user

    def add_account(self, name: str, owner: int, kind: int) -> Account:
        account = Account(len(self.accounts), name, owner, kind)
        self.accounts.append(account)
        self.account_names[name] = account.account_id
        return account

    def add_asset(self, symbol: str, exponent: int) -> Asset:
        asset = Asset(len(self.assets), symbol, exponent)
        self.assets.append(asset)
        self.asset_symbols[symbol] = asset.asset_id
        return asset

    def add_instrument(self, instrument: Instrument) -> Book:
        book = Book(instrument)
        assert instrument.instrument_id == len(self.books)
        self.books.append(book)
        self.symbols[instrument.symbol] = instrument.instrument_id
        return book

    def user(self, user_id: int) -> User | None:
        return self.users[user_id] if 0 <= user_id < len(self.users) else None

    def account(self, account_id: int) -> Account | None:
        return self.accounts[account_id] if 0 <= account_id < len(self.accounts) else None

    def asset(self, asset_id: int) -> Asset | None:
        return self.assets[asset_id] if 0 <= asset_id < len(self.assets) else None

    def book(self, instrument_id: int) -> Book | None:
        return self.books[instrument_id] if 0 <= instrument_id < len(self.books) else None

    def order(self, order_id: int) -> Order | None:
        """A live order; None when it is done or never was."""
        index = order_id - self.order_base
        return self.orders[index] if 0 <= index < len(self.orders) else None

    def new_order_id(self) -> int:
        order_id = self.next_order_id
        self.next_order_id = order_id + 1
        self.orders.append(None)
        if order_id & (TRIM - 1) == 0:
            self._trim()
        return order_id

    def keep(self, order: Order) -> None:
        """Enter a live order into the table and its account's list."""
        self.orders[order.order_id - self.order_base] = order
        account = order.account
        account.open_orders += 1
        tail = account.last_order
        if tail is None:
            account.first_order = order
        else:
            tail.later = order
            order.earlier = tail
        account.last_order = order

    def forget(self, order: Order) -> None:
        """Take a finished order out of the table and its account's list."""
        self.orders[order.order_id - self.order_base] = None
        account = order.account
        account.open_orders -= 1
        before, after = order.earlier, order.later
        if before is None:
            account.first_order = after
        else:
            before.later = after
        if after is None:
            account.last_order = before
        else:
            after.earlier = before
        order.earlier = None
        order.later = None

    def remember(self, account: Account, order_id: int, command: PlaceOrder) -> None:
        """Keep the client order id for at least a day and as long as its order lives.

        Beyond that, and beyond ``CLIENT_IDS_MAX``, the oldest go first.
        """
        known = account.client_orders
        known[command.client_order_id] = ClientOrder(order_id, self.ts, command)
        while True:
            first = next(iter(known))
            oldest = known[first]
            is_wanted = oldest.ts > self.ts - CLIENT_ID_WINDOW or self.order(oldest.order_id) is not None
            if len(known) <= CLIENT_IDS_MAX and (is_wanted or oldest.order_id == order_id):
                return
            del known[first]

    def live_orders(self) -> list[Order]:
        return [order for order in self.orders if order is not None]

    def _trim(self) -> None:
        orders = self.orders
        dead = 0
        while dead < len(orders) - 1 and orders[dead] is None:  # the last one is about to be used
            dead += 1
        if dead >= TRIM:
            del orders[:dead]
            self.order_base += dead
