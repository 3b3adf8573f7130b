"""What must be true of the state after every record, and of the event stream as a whole."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import ceil

from exchange.core.commands import ExpireOrder
from exchange.core.engine import Engine
from exchange.core.events import Event, LevelChanged, OrderAccepted, OrderDone, OrderModified, Traded
from exchange.core.rules.matching import expires_of
from exchange.core.rules.settlement import required_hold
from exchange.core.state.book import Book, BookSide
from exchange.core.state.ledger import Account, trial_balance
from exchange.core.state.order import DONE_STATUS, TRANSITIONS, Order
from exchange.core.state.root import State
from exchange.core.state.timers import NEVER
from exchange.core.terms import BUY, EXTERNAL, LIMIT, MARKET, SELL, STP_NONE
from exchange.core.units import PPM

Depth = list[tuple[int, int, int]]  # (price, displayed lots, orders), best first


def audit(state: State) -> None:
    """Every invariant one state can show."""
    assert not any(trial_balance(state.accounts, len(state.assets)))
    resting = [order for book in state.books for order in audit_book(book)]
    live = state.live_orders()
    assert sorted(order.order_id for order in live) == sorted(order.order_id for order in resting)
    holds: dict[tuple[int, int], int] = defaultdict(int)
    of_account: dict[int, list[int]] = defaultdict(list)
    for order in live:
        audit_order(state, order)
        instrument = order.book.instrument
        asset = instrument.quote if order.side == BUY else instrument.base
        holds[order.account.account_id, asset] += order.hold
        of_account[order.account.account_id].append(order.order_id)
    for account in state.accounts:
        assert open_orders(account) == of_account[account.account_id]
        assert account.open_orders == len(of_account[account.account_id])
        for asset, balance in enumerate(account.balances):
            if balance is not None:
                assert balance.held == holds[account.account_id, asset]
                assert balance.held >= 0
                assert balance.held <= balance.posted or account.kind == EXTERNAL
    audit_timers(state, live)


def audit_book(book: Book) -> list[Order]:
    """Levels, queues and totals of one book; returns its orders."""
    assert not book.best_bid() or not book.best_ask() or book.best_bid() < book.best_ask()
    return audit_side(book, book.bids, BUY) + audit_side(book, book.asks, SELL)


def audit_side(book: Book, side: BookSide, which: int) -> list[Order]:
    assert side.keys == sorted(set(side.keys))
    assert [level.key for level in side.ladder] == side.keys == sorted(side.keys)
    found: list[Order] = []
    for key in side.keys:
        level = side.at(key)
        orders: list[Order] = []
        before, order = None, level.head
        while order is not None:
            assert order.level is level
            assert order.prev is before
            assert order.book is book
            assert order.side == which
            assert order.limit == (key if which == BUY else -key)
            orders.append(order)
            before, order = order, order.next
        assert level.key == key
        assert level.tail is before
        assert orders
        assert level.orders == len(orders)
        assert level.shown == sum(order.shown for order in orders)
        found += orders
    return found


def audit_order(state: State, order: Order) -> None:
    assert order.quantity == order.filled + order.leaves
    assert 0 < order.shown <= order.leaves
    assert order.shown == order.leaves or order.shown <= order.command.display
    assert order.hold == required_hold(order, order.leaves)
    assert order.fee_paid == -(-order.fee_numerator // PPM)
    assert order.base_balance is order.account.balances[order.book.instrument.base]
    assert order.quote_balance is order.account.balances[order.book.instrument.quote]
    assert state.order(order.order_id) is order
    assert order.command.type != MARKET


def open_orders(account: Account) -> list[int]:
    found: list[int] = []
    before, order = None, account.first_order
    while order is not None:
        assert order.account is account
        assert order.earlier is before
        found.append(order.order_id)
        before, order = order, order.later
    assert account.last_order is before
    return found


def audit_timers(state: State, live: list[Order]) -> None:
    pending = {number: (due, command) for due, number, command in state.timers.pending()}
    assert sorted(pending) == sorted(order.timer for order in live if order.timer)
    for order in live:
        assert bool(order.timer) == bool(expires_of(order))
        if order.timer:
            due, command = pending[order.timer]
            assert isinstance(command, ExpireOrder)
            assert command.order_id == order.order_id
            assert command.due == due > state.ts
    assert state.timers.next_due == min((due for due, _ in pending.values()), default=NEVER)


def depth(book: Book, side: int) -> Depth:
    """The displayed levels of one side, best first."""
    half, sign = (book.bids, 1) if side == BUY else (book.asks, -1)
    levels = [half.at(key) for key in reversed(half.keys)]
    return [(sign * level.key, level.shown, level.orders) for level in levels]


class Life:
    """What the events have told of one order."""

    def __init__(self, event: OrderAccepted, rates: tuple[int, int]) -> None:
        self.order = event.order
        self.status = "new"
        self.quantity = event.order.quantity
        self.filled = 0
        self.cost = 0
        self.fees = 0
        self.numerator = 0
        self.rates = rates


class Fold:
    """Reads the events alone and keeps what they imply: order lives, depth, legal transitions."""

    def __init__(self) -> None:
        self.lives: dict[int, Life] = {}
        self.live: set[int] = set()
        self.levels: dict[tuple[int, int, int], tuple[int, int]] = {}
        self.transitions: set[tuple[str, str]] = set()
        self.endings: set[int] = set()
        self.trades = 0

    def take(self, engine: Engine, events: list[Event]) -> None:
        """The events of one record, and the state after it."""
        for event in events:
            if isinstance(event, OrderAccepted):
                self._accepted(engine.state, event)
            elif isinstance(event, Traded):
                self._traded(engine.state, event)
            elif isinstance(event, OrderModified):
                life = self.lives[event.order_id]
                self._become(life, life.status if life.filled else "new")
                life.quantity = event.quantity
                assert event.leaves == life.quantity - life.filled > 0
            elif isinstance(event, OrderDone):
                self._done(event)
            elif isinstance(event, LevelChanged):
                self._level(event)
        self._check_holds(engine.state, events)

    def _accepted(self, state: State, event: OrderAccepted) -> None:
        account, book = state.accounts[event.order.account], state.books[event.order.instrument]
        fees = book.instrument.fees
        assert event.order_id not in self.lives
        assert event.limit if event.order.type == LIMIT else event.order.limit == 0
        self.live.add(event.order_id)
        self.lives[event.order_id] = Life(event, fees[min(account.fee_tier, len(fees) - 1)])

    def _traded(self, state: State, event: Traded) -> None:
        self.trades += 1
        assert event.trade_id == self.trades
        assert event.quantity > 0
        assert event.price > 0
        taker, maker = self.lives[event.taker_order_id], self.lives[event.maker_order_id]
        owners = [state.accounts[life.order.account].owner for life in (taker, maker)]
        assert owners[0] != owners[1] or taker.order.stp == STP_NONE
        assert taker.order.side == event.taker_side != maker.order.side
        value = event.price * event.quantity * state.books[event.instrument].instrument.unit
        for life, fee, leaves, rate in (
            (maker, event.maker_fee, event.maker_leaves, maker.rates[0]),
            (taker, event.taker_fee, event.taker_leaves, taker.rates[1]),
        ):
            life.filled += event.quantity
            assert leaves == life.quantity - life.filled >= 0
            life.numerator += value * rate
            life.fees += fee
            assert 0 <= fee <= value
            assert life.fees == ceil(Fraction(life.numerator, PPM))
            life.cost += value + fee
            self._become(life, "filled" if leaves == 0 else "partially_filled")

    def _done(self, event: OrderDone) -> None:
        life = self.lives[event.order_id]
        status = DONE_STATUS[event.reason]
        self.endings.add(event.reason)
        if status == "filled":
            assert event.leaves == 0
            assert life.status == "filled"
        else:
            self._become(life, status)
        assert life.filled + event.leaves == life.quantity
        self.live.remove(event.order_id)

    def _become(self, life: Life, status: str) -> None:
        assert status in TRANSITIONS[life.status], (life.status, status)
        self.transitions.add((life.status, status))
        life.status = status

    def _level(self, event: LevelChanged) -> None:
        key = (event.instrument, event.side, event.price)
        assert (event.quantity == 0) == (event.orders == 0)
        if event.orders:
            self.levels[key] = (event.quantity, event.orders)
        else:
            self.levels.pop(key, None)

    def _check_holds(self, state: State, events: list[Event]) -> None:
        """The hold announced on acceptance covers all that became of the order at once."""
        for event in events:
            if not isinstance(event, OrderAccepted):
                continue
            life, order = self.lives[event.order_id], state.order(event.order_id)
            left = 0 if order is None else order.hold
            if event.order.side == BUY:
                assert life.cost + left <= event.hold
            else:
                lot_minor = state.books[event.order.instrument].instrument.lot_minor
                assert life.filled * lot_minor + left <= event.hold

    def depth(self, instrument: int, side: int) -> Depth:
        found = [(p, *level) for (i, s, p), level in self.levels.items() if (i, s) == (instrument, side)]
        return sorted(found, reverse=side == BUY)

    def check_state(self, state: State) -> None:
        """The fold of the events shows the very books and the very live orders."""
        for instrument, book in enumerate(state.books):
            for side in (BUY, SELL):
                assert self.depth(instrument, side) == depth(book, side)
        assert self.live == {order.order_id for order in state.live_orders()}
