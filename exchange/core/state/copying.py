"""The state as plain lists and back, and forks for previews.

Orders are written level by level in queue order, so a loaded book has the same priorities.
"""

from __future__ import annotations

from typing import Any

from exchange.core.commands import KINDS, command_of, row_of
from exchange.core.instrument import Instrument
from exchange.core.messages import PlaceOrder
from exchange.core.state.book import Book, BookSide
from exchange.core.state.ledger import Account, Balance, ClientOrder
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.state.timers import NEVER, Timers

INSTRUMENT_FIELDS = (
    "instrument_id",
    "symbol",
    "name",
    "venue",
    "base",
    "quote",
    "tick_units",
    "price_decimals",
    "lot_units",
    "quantity_decimals",
    "multiplier",
    "unit",
    "lot_minor",
    "fees",
    "quantity_min",
    "quantity_max",
    "notional_min",
    "notional_max",
    "band_ppm",
    "reference",
    "session_open",
    "session_close",
    "session_days",
)
ACCOUNT_FIELDS = (
    "account_id",
    "name",
    "owner",
    "kind",
    "open_orders_max",
    "fee_tier",
    "epoch",
    "is_exempt",
    "is_suspended",
)


def dump(state: State) -> list[Any]:
    """Everything as nested lists of ints, strings and booleans, in one canonical order."""
    return [
        [state.seq, state.ts, state.next_order_id, state.last_trade_id],
        [[user.user_id, user.name, user.role] for user in state.users],
        [[asset.symbol, asset.exponent] for asset in state.assets],
        [_dump_account(account) for account in state.accounts],
        [_dump_book(book) for book in state.books],
        [state.timers.last, [[due, n, KINDS[type(c)], row_of(c)] for due, n, c in state.timers.pending()]],
    ]


def _dump_account(account: Account) -> list[Any]:
    return [
        [getattr(account, name) for name in ACCOUNT_FIELDS],
        [[asset, b.posted, b.held] for asset, b in enumerate(account.balances) if b is not None],
        [[key, used.order_id, used.ts, row_of(used.command)] for key, used in account.client_orders.items()],
    ]


def _dump_book(book: Book) -> list[Any]:
    instrument = book.instrument
    return [
        [getattr(instrument, name) for name in INSTRUMENT_FIELDS],
        [book.status, book.last, book.halt_reason],
        _dump_side(book.bids),
        _dump_side(book.asks),
    ]


def _dump_side(side: BookSide) -> list[list[Any]]:
    return [_dump_order(order) for key in side.keys for order in queue(side, key)]


def _dump_order(order: Order) -> list[Any]:
    """Field by field rather than by name: a snapshot may hold a million of these."""
    asked = order.command
    return [
        order.account.account_id,
        [
            asked.account,
            asked.instrument,
            asked.side,
            asked.type,
            asked.quantity,
            asked.limit,
            asked.tif,
            asked.display,
            asked.expires,
            asked.is_post_only,
            asked.stp,
            asked.client_order_id,
        ],
        order.order_id,
        order.ts,
        order.limit,
        order.leaves,
        order.shown,
        order.filled,
        order.hold,
        order.fee_numerator,
        order.fee_paid,
        order.maker_ppm,
        order.taker_ppm,
        order.timer,
    ]


def queue(side: BookSide, key: int) -> list[Order]:
    """The orders of one level, oldest first."""
    found: list[Order] = []
    order = side.at(key).head
    while order is not None:
        found.append(order)
        order = order.next
    return found


def load(rows: list[Any]) -> State:
    """The inverse of ``dump``."""
    (seq, ts, next_order_id, last_trade_id), users, assets, accounts, books, timers = rows
    state = State()
    state.seq, state.ts, state.next_order_id, state.last_trade_id = seq, ts, next_order_id, last_trade_id
    for _, name, role in users:
        state.add_user(name, role)
    for symbol, exponent in assets:
        state.add_asset(symbol, exponent)
    for row in accounts:
        _load_account(state, row)
    live: list[Order] = []
    for row in books:
        _load_book(state, row, live)
    live.sort(key=_order_id)
    _fill_table(state, live)
    last, pending = timers
    state.timers = _load_timers(last, pending)
    return state


def _order_id(order: Order) -> int:
    return order.order_id


def _load_account(state: State, row: list[Any]) -> None:
    fields, balances, client_orders = row
    values = dict(zip(ACCOUNT_FIELDS, fields, strict=True))
    account = state.add_account(values["name"], values["owner"], values["kind"])
    for name in ACCOUNT_FIELDS[4:]:
        setattr(account, name, values[name])
    for asset, posted, held in balances:
        balance = account.balance(asset)
        balance.posted, balance.held = posted, held
    for key, order_id, ts, command in client_orders:
        account.client_orders[key] = ClientOrder(order_id, ts, PlaceOrder(*command))


def _load_book(state: State, row: list[Any], live: list[Order]) -> None:
    fields, (status, last, halt_reason), bids, asks = row
    values = dict(zip(INSTRUMENT_FIELDS, fields, strict=True))
    instrument = Instrument(*fields[:6])
    for name in INSTRUMENT_FIELDS[6:]:
        value = values[name]
        setattr(instrument, name, tuple((m, t) for m, t in value) if name == "fees" else value)
    book = state.add_instrument(instrument)
    book.status, book.last, book.halt_reason = status, last, halt_reason
    for row in bids:
        live.append(_load_order(state, book, row))
    for row in asks:
        live.append(_load_order(state, book, row))


def _load_order(state: State, book: Book, row: list[Any]) -> Order:
    account: Account = state.accounts[row[0]]
    asked: PlaceOrder = PlaceOrder(*row[1])
    order = Order(row[2], row[3], account, book, asked, row[4])
    order.leaves = row[5]
    order.shown = row[6]
    order.filled = row[7]
    order.hold = row[8]
    order.fee_numerator = row[9]
    order.fee_paid = row[10]
    order.maker_ppm = row[11]
    order.taker_ppm = row[12]
    order.timer = row[13]
    _rest_as_was(book, order)
    return order


def _rest_as_was(book: Book, order: Order) -> None:
    """Append to the level keeping the shown part, which may be a partly used iceberg slice."""
    shown = order.shown
    level = book.rest(order)
    level.shown += shown - order.shown
    order.shown = shown


def _fill_table(state: State, live: list[Order]) -> None:
    """live: by ascending order id, which is the order of arrival in every account."""
    state.order_base = live[0].order_id if live else state.next_order_id - 1
    state.orders = [None] * (state.next_order_id - state.order_base)
    for order in live:
        state.keep(order)


def _load_timers(last: int, pending: list[Any]) -> Timers:
    timers = Timers()
    for due, number, kind, row in pending:
        timers.heap.append((due, number))
        timers.commands[number] = command_of(kind, row)
    timers.last = last
    timers.next_due = timers.heap[0][0] if timers.heap else NEVER
    return timers


def fork(state: State, instrument: int, accounts: tuple[int, ...]) -> State:
    """A copy that may be changed freely by order commands of these accounts in this instrument.

    The instrument's book, its orders, the accounts that own them and those asked for are copied;
    all else is shared and must not be written.  Cost: proportional to that one book.
    """
    copy = State()
    copy.seq, copy.ts = state.seq, state.ts
    copy.next_order_id, copy.last_trade_id = state.next_order_id, state.last_trade_id
    copy.users, copy.user_names = state.users, state.user_names
    copy.assets, copy.asset_symbols = state.assets, state.asset_symbols
    copy.symbols, copy.account_names = state.symbols, state.account_names
    copy.accounts = list(state.accounts)
    copy.books = list(state.books)
    source = state.books[instrument]
    book = Book(source.instrument)
    book.status, book.last, book.halt_reason = source.status, source.last, source.halt_reason
    copy.books[instrument] = book
    sides = (source.bids, source.asks)
    resting = [order for side in sides for key in side.keys for order in queue(side, key)]
    touched = {**dict.fromkeys(accounts), **dict.fromkeys(order.account.account_id for order in resting)}
    for account_id in touched:
        copy.accounts[account_id] = _fork_account(state.accounts[account_id])
    live = [_fork_order(copy, book, order) for order in resting]
    live.sort(key=_order_id)
    _fill_table(copy, live)
    for account_id in touched:
        copy.accounts[account_id].open_orders = state.accounts[account_id].open_orders
    copy.timers = Timers()
    copy.timers.last = state.timers.last
    return copy


def _fork_account(source: Account) -> Account:
    account = Account(source.account_id, source.name, source.owner, source.kind)
    for balance in source.balances:
        account.balances.append(None if balance is None else Balance(balance.posted, balance.held))
    account.client_orders = dict(source.client_orders)
    account.open_orders_max = source.open_orders_max
    account.fee_tier, account.epoch = source.fee_tier, source.epoch
    account.is_exempt, account.is_suspended = source.is_exempt, source.is_suspended
    return account


def _fork_order(state: State, book: Book, source: Order) -> Order:
    account = state.accounts[source.account.account_id]
    order = Order(source.order_id, source.ts, account, book, source.command, source.limit)
    order.leaves = source.leaves
    order.shown = source.shown
    order.filled = source.filled
    order.hold = source.hold
    order.fee_numerator = source.fee_numerator
    order.fee_paid = source.fee_paid
    order.maker_ppm = source.maker_ppm
    order.taker_ppm = source.taker_ppm
    order.timer = source.timer
    _rest_as_was(book, order)
    return order
