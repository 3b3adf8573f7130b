"""Receipts and previews in words: the row a program reads and the lines a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exchange.core.events import Event, OrderAccepted, OrderDone, OrderModified, Traded
from exchange.core.messages import PlaceOrder
from exchange.core.terms import DONE_REASONS, FILLED, LIMIT, ORDER_TYPES, SIDES, TIMES_IN_FORCE
from exchange.core.units import half_even_div
from exchange.directory import Directory, time_text

if TYPE_CHECKING:
    from exchange.client import Receipt


def order_row(receipt: Receipt, directory: Directory) -> dict[str, Any]:
    """What became of the order a receipt is about.  fills: those of this very command."""
    row: dict[str, Any] = {"ok": True, "seq": receipt.seq, "time": time_text(receipt.ts)}
    accepted = next((e for e in receipt.events if isinstance(e, OrderAccepted)), None)
    modified = next((e for e in receipt.events if isinstance(e, OrderModified)), None)
    if accepted is not None:
        row |= _accepted(accepted, directory)
        order_id, instrument, total = accepted.order_id, accepted.order.instrument, accepted.order.quantity
        leaves = total
    elif modified is not None:
        row |= _modified(modified, directory)
        order_id, instrument, total = modified.order_id, modified.instrument, modified.quantity
        leaves = modified.leaves
    else:
        return {**row, **_ended(receipt, directory)}
    fills = [e for e in receipt.events if isinstance(e, Traded) and e.taker_order_id == order_id]
    if fills:
        leaves = fills[-1].taker_leaves
    done = next((e for e in receipt.events if isinstance(e, OrderDone) and e.order_id == order_id), None)
    if done is not None:
        leaves = done.leaves
    return {
        **row,
        **_fills(fills, instrument, directory),
        "leaves": directory.quantity_text(instrument, leaves),
        "status": _status(done, is_filled_partly=leaves < total),
        "done": DONE_REASONS[done.reason] if done is not None else None,
    }


def order_lines(row: dict[str, Any]) -> list[str]:
    """Two or three lines about an ``order_row``."""
    if "code" in row:
        return [
            f"order {row['order_id']} was placed before with this client order id; nothing was sent again"
        ]
    if "status" not in row:
        return [f"order {row['order_id']} {row['done']}, {row['leaves']} {row['symbol']} not filled"]
    name = f" ({row['client_order_id']})" if row.get("client_order_id") else ""
    lines = [f"order {row['order_id']}{name}  {terms_text(row)}  {row['status'].replace('_', ' ')}"]
    if row["fills"]:
        lines.append(f"  filled {row['filled']} at {row['average_price']} on average, fee {row['fee']}")
    if row["done"] is None:
        lines.append(f"  {row['leaves']} rests in the book")
    elif row["done"] != "filled":
        lines.append(f"  {row['leaves']} not filled: {row['done'].replace('_', ' ')}")
    return lines


def terms_text(row: dict[str, Any]) -> str:
    """``buy 0.500 BTC-USDC @ 64250.50 gtc`` of any row about an order."""
    price = f"@ {row['limit']}" if row.get("limit") else str(row.get("type", "")).replace("_", " ")
    return " ".join(
        str(word) for word in (row["side"], row["quantity"], row["symbol"], price, row.get("tif")) if word
    )


def canceled_rows(events: Sequence[Event], directory: Directory) -> list[dict[str, Any]]:
    """The orders that ended."""
    return [
        {
            "order_id": event.order_id,
            "account": directory.account_name(event.account),
            "symbol": directory.instruments[event.instrument].symbol,
            "leaves": directory.quantity_text(event.instrument, event.leaves),
            "done": DONE_REASONS[event.reason],
        }
        for event in events
        if isinstance(event, OrderDone)
    ]


def preview_lines(row: dict[str, Any]) -> list[str]:
    """What would happen: fills by level, average, fee, slippage, the rest, balances."""
    lines = [f"preview  {row['side']} {row['symbol']}: nothing was sent"]
    for level in row["fills"]:
        lines.append(f"  fills {level['quantity']} @ {level['price']}  fee {level['fee']}")
    if row["fills"]:
        slippage = f", slippage {row['slippage_bps']} bps" if row["slippage_bps"] is not None else ""
        lines.append(
            f"  average {row['average_price']}, notional {row['notional']}, fee {row['fee']}{slippage}"
        )
    if row["resting_at"] is not None:
        lines.append(f"  rests {row['resting']} @ {row['resting_at']} behind {row['queue_ahead']}")
    elif row["done"] not in (None, "filled"):
        lines.append(f"  ends: {row['done'].replace('_', ' ')}")
    for asset in row["balances"]:
        lines.append(
            f"  {asset['asset']}  available {asset['available_before']} -> {asset['available_after']}"
            f"  held {asset['held_before']} -> {asset['held_after']}"
        )
    return lines


def _accepted(event: OrderAccepted, directory: Directory) -> dict[str, Any]:
    order: PlaceOrder = event.order
    is_priced = order.type == LIMIT or event.limit > 0
    return {
        "order_id": event.order_id,
        "client_order_id": order.client_order_id or None,
        "account": directory.account_name(order.account),
        "symbol": directory.instruments[order.instrument].symbol,
        "side": SIDES[order.side],
        "type": ORDER_TYPES[order.type],
        "tif": TIMES_IN_FORCE[order.tif],
        "quantity": directory.quantity_text(order.instrument, order.quantity),
        "limit": directory.price_text(order.instrument, event.limit) if is_priced else None,
    }


def _modified(event: OrderModified, directory: Directory) -> dict[str, Any]:
    return {
        "order_id": event.order_id,
        "account": directory.account_name(event.account),
        "symbol": directory.instruments[event.instrument].symbol,
        "side": SIDES[event.side],
        "quantity": directory.quantity_text(event.instrument, event.quantity),
        "limit": directory.price_text(event.instrument, event.limit),
        "kept_priority": event.kept_priority,
    }


def _fills(fills: list[Traded], instrument: int, directory: Directory) -> dict[str, Any]:
    quantity = sum(fill.quantity for fill in fills)
    value = sum(fill.price * fill.quantity for fill in fills)
    quote = directory.instruments[instrument].quote
    return {
        "filled": directory.quantity_text(instrument, quantity),
        "average_price": directory.price_text(instrument, half_even_div(value, quantity)) if fills else None,
        "fee": directory.money_text(quote, sum(fill.taker_fee for fill in fills)),
        "fills": [
            {
                "trade_id": fill.trade_id,
                "price": directory.price_text(instrument, fill.price),
                "quantity": directory.quantity_text(instrument, fill.quantity),
                "fee": directory.money_text(quote, fill.taker_fee),
            }
            for fill in fills
        ],
    }


def _status(done: OrderDone | None, *, is_filled_partly: bool) -> str:
    """FIX 39 OrdStatus."""
    if done is None:
        return "partially_filled" if is_filled_partly else "new"
    return "filled" if done.reason == FILLED else "canceled"


def _ended(receipt: Receipt, directory: Directory) -> dict[str, Any]:
    """Of a cancel, the order that ended; of a repeated client order id, the first order's id."""
    if receipt.reject is not None:
        return {"order_id": receipt.order_id, "code": receipt.reject.reason}
    return canceled_rows(receipt.events, directory)[-1]
