"""Named live queries: rows straight from the state, decimals as text.  History is in the read models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchange.codec import command_from_json
from exchange.core.state.book import Book, BookSide
from exchange.core.state.copying import queue
from exchange.core.state.ledger import Account
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.terms import (
    ACCOUNT_KINDS,
    MARKET_STATUSES,
    ORDER_TYPES,
    ROLES,
    SIDES,
    TIMES_IN_FORCE,
)
from exchange.directory import Directory, directory_rows, time_text
from exchange.errors import NotFound
from exchange.runtime.preview import queue_ahead

Query = Callable[..., Any]

DEPTH_MAX = 500


def directory(state: State) -> dict[str, Any]:
    return directory_rows(state)


def status(state: State) -> dict[str, Any]:
    return {
        "seq": state.seq,
        "time": time_text(state.ts) if state.ts else None,
        "instruments": len(state.books),
        "halted": sum(book.status != 1 for book in state.books),
        "accounts": len(state.accounts),
        "open_orders": sum(account.open_orders for account in state.accounts),
        "trades": state.last_trade_id,
    }


def instruments(state: State) -> list[dict[str, Any]]:
    text = Directory.of(state)
    return [_instrument_row(text, state.books[i]) for i in range(len(state.books))]


def _instrument_row(text: Directory, book: Book) -> dict[str, Any]:
    instrument = book.instrument
    number = instrument.instrument_id
    maker, taker = instrument.fees[0]
    return {
        "symbol": instrument.symbol,
        "name": instrument.name,
        "venue": instrument.venue,
        "base": text.asset_symbol(instrument.base),
        "quote": text.asset_symbol(instrument.quote),
        "tick": text.price_text(number, 1),
        "lot": text.quantity_text(number, 1),
        "multiplier": instrument.multiplier,
        "maker_ppm": maker,
        "taker_ppm": taker,
        "band_ppm": instrument.band_ppm,
        "quantity_min": text.quantity_text(number, instrument.quantity_min),
        "quantity_max": text.quantity_text(number, instrument.quantity_max)
        if instrument.quantity_max
        else None,
        "notional_min": text.money_text(instrument.quote, instrument.notional_min),
        "notional_max": text.money_text(instrument.quote, instrument.notional_max)
        if instrument.notional_max
        else None,
        "status": MARKET_STATUSES[book.status],
        "last": text.price_text(number, book.last) if book.last else None,
    }


def quote(state: State, instrument: str) -> dict[str, Any]:
    text = Directory.of(state)
    return _quote_row(text, _book(state, text, instrument))


def quotes(state: State) -> list[dict[str, Any]]:
    """One row per instrument."""
    text = Directory.of(state)
    return [_quote_row(text, book) for book in state.books]


def _quote_row(text: Directory, book: Book) -> dict[str, Any]:
    number = book.instrument.instrument_id
    bid, ask = book.best_bid(), book.best_ask()
    return {
        "symbol": book.instrument.symbol,
        "bid": text.price_text(number, bid) if bid else None,
        "bid_quantity": text.quantity_text(number, book.bids.at(bid).shown) if bid else None,
        "ask": text.price_text(number, ask) if ask else None,
        "ask_quantity": text.quantity_text(number, book.asks.at(-ask).shown) if ask else None,
        "last": text.price_text(number, book.last) if book.last else None,
        "reference": text.price_text(number, book.instrument.reference)
        if book.instrument.reference
        else None,
        "status": MARKET_STATUSES[book.status],
    }


def depth(state: State, instrument: str, levels: int = 10) -> dict[str, Any]:
    """Best first; each level as [price, displayed quantity, orders]."""
    text = Directory.of(state)
    book = _book(state, text, instrument)
    count = max(1, min(levels, DEPTH_MAX))
    return {
        "symbol": book.instrument.symbol,
        "seq": state.seq,
        "status": MARKET_STATUSES[book.status],
        "last": text.price_text(book.instrument.instrument_id, book.last) if book.last else None,
        "bids": _levels(text, book, book.bids, 1, count),
        "asks": _levels(text, book, book.asks, -1, count),
    }


def _levels(text: Directory, book: Book, side: BookSide, sign: int, count: int) -> list[list[Any]]:
    number = book.instrument.instrument_id
    rows = []
    for key in reversed(side.keys[-count:]):
        level = side.at(key)
        price, shown = text.price_text(number, sign * key), text.quantity_text(number, level.shown)
        rows.append([price, shown, level.orders])
    return rows


def orders(state: State, account: str | None = None, instrument: str | None = None) -> list[dict[str, Any]]:
    """Open orders, oldest first."""
    text = Directory.of(state)
    number = None if instrument is None else text.instrument(instrument).instrument_id
    if account is None:
        found = state.live_orders()
    else:
        found = account_orders(state.accounts[text.account_id(account)])
    return [
        order_row(text, order)
        for order in found
        if number is None or order.book.instrument.instrument_id == number
    ]


def account_orders(account: Account) -> list[Order]:
    found = []
    order = account.first_order
    while order is not None:
        found.append(order)
        order = order.later
    return found


def order_row(text: Directory, order: Order) -> dict[str, Any]:
    """An open order as every surface shows it."""
    number = order.book.instrument.instrument_id
    return {
        "order_id": order.order_id,
        "client_order_id": order.command.client_order_id or None,
        "account": text.account_name(order.account.account_id),
        "symbol": order.book.instrument.symbol,
        "side": SIDES[order.side],
        "type": ORDER_TYPES[order.command.type],
        "tif": TIMES_IN_FORCE[order.command.tif],
        "quantity": text.quantity_text(number, order.quantity),
        "filled": text.quantity_text(number, order.filled),
        "leaves": text.quantity_text(number, order.leaves),
        "limit": text.price_text(number, order.limit) if order.limit else None,
        "display": text.quantity_text(number, order.command.display) if order.command.display else None,
        "queue_ahead": text.quantity_text(number, queue_ahead(order)),
        "status": "partially_filled" if order.filled else "new",
        "time": time_text(order.ts),
    }


def order(state: State, order_id: int = 0, account: str = "", client_order_id: str = "") -> dict[str, Any]:
    """One open order.  Raises NotFound when it is done or never was."""
    text = Directory.of(state)
    if not order_id and client_order_id:
        known = state.accounts[text.account_id(account)].client_orders.get(client_order_id)
        order_id = known.order_id if known else 0
    found = state.order(order_id)
    if found is None:
        raise NotFound(f"there is no open order {order_id or client_order_id}")
    return order_row(text, found)


def accounts(state: State) -> list[dict[str, Any]]:
    return [
        {
            "account": account.name,
            "owner": state.users[account.owner].name,
            "kind": ACCOUNT_KINDS[account.kind],
            "fee_tier": account.fee_tier,
            "open_orders": account.open_orders,
            "open_orders_max": account.open_orders_max,
            "suspended": account.is_suspended,
            "epoch": account.epoch,
        }
        for account in state.accounts
    ]


def users(state: State) -> list[dict[str, Any]]:
    return [{"user": user.name, "role": ROLES[user.role]} for user in state.users]


def balances(state: State, account: str) -> list[dict[str, Any]]:
    """Assets the account has touched."""
    text = Directory.of(state)
    found = state.accounts[text.account_id(account)]
    return [
        {
            "account": found.name,
            "asset": text.asset_symbol(asset),
            "posted": text.money_text(asset, balance.posted),
            "held": text.money_text(asset, balance.held),
            "available": text.money_text(asset, balance.posted - balance.held),
        }
        for asset, balance in enumerate(found.balances)
        if balance is not None
    ]


def book_orders(state: State, instrument: str, levels: int = 10) -> list[dict[str, Any]]:
    """The queue itself: every order of the best levels in the order it trades."""
    text = Directory.of(state)
    book = _book(state, text, instrument)
    rows = []
    for side, keys in ((book.bids, book.bids.keys), (book.asks, book.asks.keys)):
        for key in reversed(keys[-levels:]):
            rows += [order_row(text, order) for order in queue(side, key)]
    return rows


def _book(state: State, text: Directory, instrument: str) -> Book:
    return state.books[text.instrument(instrument).instrument_id]


def previewed(exchange: Any, actor: int, order: dict[str, Any]) -> dict[str, Any]:
    """order: the JSON of one order command."""
    text = Directory.of(exchange.state)
    command = command_from_json(order, text)
    row: dict[str, Any] = exchange.preview(actor, command).row(text)
    return row


QUERIES: dict[str, Query] = {
    "accounts": accounts,
    "balances": balances,
    "book_orders": book_orders,
    "depth": depth,
    "directory": directory,
    "instruments": instruments,
    "order": order,
    "orders": orders,
    "quote": quote,
    "quotes": quotes,
    "status": status,
    "users": users,
}


def answer(exchange: Any, actor: int, name: str, params: dict[str, Any]) -> Any:
    """Run a live query.  exchange: a ``Sequencer``-like with ``state`` and ``preview``.

    Raises NotFound for an unknown name, DataError for parameters that do not fit.
    """
    from exchange.errors import DataError

    if name == "preview":
        return previewed(exchange, actor, **params)
    if name not in QUERIES:
        raise NotFound(f"there is no query {name!r}; there are: {', '.join(sorted(QUERIES))}, preview")
    try:
        return QUERIES[name](exchange.state, **params)
    except TypeError as error:
        raise DataError(f"query {name}: {error}") from None
