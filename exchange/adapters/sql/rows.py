"""Database rows as the rows of a query: names for numbers, decimals and times as text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from exchange.core.state.order import DONE_STATUS
from exchange.core.terms import DONE_REASONS, ORDER_TYPES, SIDES, TIMES_IN_FORCE
from exchange.core.units import LOTS_MAX, TICKS_MAX
from exchange.directory import Directory, time_text
from exchange.views.portfolio import average_text


def order_row(text: Directory, row: Row[Any]) -> dict[str, Any]:
    number = row.instrument
    info = text.instruments[number]
    filled = row.quantity - row.leaves
    return {
        "order_id": row.order_id,
        "client_order_id": row.client_order_id or None,
        "account": text.account_name(row.account),
        "symbol": info.symbol,
        "side": SIDES[row.side],
        "type": ORDER_TYPES[row.type],
        "tif": TIMES_IN_FORCE[row.tif],
        "quantity": text.quantity_text(number, row.quantity),
        "filled": text.quantity_text(number, filled),
        "leaves": text.quantity_text(number, row.leaves),
        "limit": text.price_text(number, row.limit_price) if row.limit_price else None,
        "display": text.quantity_text(number, row.display) if row.display else None,
        "average_price": average_text(info, row.value, filled) if filled else None,
        "fee": text.money_text(info.quote, row.fee),
        "status": status_of(row.done, filled),
        "reason": DONE_REASONS[row.done] or None,
        "time": time_text(row.ts),
        "changed": time_text(row.changed_ts),
        "seq": row.seq,
        "epoch": row.epoch,
    }


def status_of(done: int, filled: int) -> str:
    """FIX 39.  done: 0 while the order works."""
    if done:
        return DONE_STATUS[done]
    return "partially_filled" if filled else "new"


def rejection_row(text: Directory, row: Row[Any]) -> dict[str, Any]:
    """A refused order in the columns of an order; what was asked may name no instrument at all."""
    is_listed = 0 <= row.instrument < len(text.instruments)
    is_sized = is_listed and abs(row.quantity) <= LOTS_MAX and abs(row.limit_price) <= TICKS_MAX
    number = row.instrument
    quantity = text.quantity_text(number, row.quantity) if is_sized else str(row.quantity)
    limit = text.price_text(number, row.limit_price) if is_sized else str(row.limit_price)
    display = text.quantity_text(number, row.display) if is_sized else str(row.display)
    return {
        "order_id": None,
        "client_order_id": row.client_order_id or None,
        "account": text.account_name(row.account),
        "symbol": text.instruments[number].symbol if is_listed else f"#{number}",
        "side": _name(SIDES, row.side),
        "type": _name(ORDER_TYPES, row.type),
        "tif": _name(TIMES_IN_FORCE, row.tif),
        "quantity": quantity,
        "filled": text.quantity_text(number, 0) if is_listed else "0",
        "leaves": text.quantity_text(number, 0) if is_listed else "0",
        "limit": limit if row.limit_price else None,
        "display": display if row.display else None,
        "average_price": None,
        "fee": text.money_text(text.instruments[number].quote, 0) if is_listed else "0",
        "status": "rejected",
        "reason": row.reason,
        "time": time_text(row.ts),
        "changed": time_text(row.ts),
        "seq": row.seq,
        "epoch": row.epoch,
    }


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 < number < len(names) else f"#{number}"


def fill_row(text: Directory, row: Row[Any]) -> dict[str, Any]:
    number = row.instrument
    info = text.instruments[number]
    return {
        "trade_id": row.trade_id,
        "order_id": row.order_id,
        "client_order_id": row.client_order_id or None,
        "account": text.account_name(row.account),
        "symbol": info.symbol,
        "side": SIDES[row.side],
        "price": text.price_text(number, row.price),
        "quantity": text.quantity_text(number, row.quantity),
        "value": text.money_text(info.quote, row.price * row.quantity * info.unit),
        "fee": text.money_text(info.quote, row.fee),
        "currency": text.asset_symbol(info.quote),
        "liquidity": "taker" if row.is_taker else "maker",
        "leaves": text.quantity_text(number, row.leaves),
        "time": time_text(row.ts),
        "seq": row.seq,
        "epoch": row.epoch,
    }


def trade_row(text: Directory, row: Row[Any]) -> dict[str, Any]:
    """side: the taker's."""
    return {
        "trade_id": row.trade_id,
        "symbol": text.instruments[row.instrument].symbol,
        "side": SIDES[row.side],
        "price": text.price_text(row.instrument, row.price),
        "quantity": text.quantity_text(row.instrument, row.quantity),
        "time": time_text(row.ts),
        "seq": row.seq,
    }


def notice_row(text: Directory, row: Row[Any]) -> dict[str, Any]:
    return {
        "time": time_text(row.ts),
        "symbol": text.instruments[row.instrument].symbol,
        "kind": row.kind,
        "reason": row.reason or None,
        "seq": row.seq,
    }
