"""One account's orders and fills, folded from events.

Every number comes from the events as it stands there, so an update that a snapshot has seen
already leads back to the same rows.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from exchange.core.messages import (
    Event,
    OrderAccepted,
    OrderDone,
    OrderModified,
    PlaceOrder,
    Traded,
)
from exchange.core.terms import (
    BUY,
    SELL,
    AccountId,
    DoneReason,
    InstrumentId,
    OrderId,
    Seq,
    Side,
    TradeId,
)
from exchange.core.units import Lots, Minor, Nanos, Ticks

FILLS_MAX = 1_000
DONE_MAX = 200


class OpenOrder:
    """A working order.  quantity: total, filled part included.   limit: 0 for a market order."""

    __slots__ = (
        "client_order_id",
        "display",
        "expires",
        "instrument",
        "is_post_only",
        "leaves",
        "limit",
        "order_id",
        "quantity",
        "side",
        "tif",
        "ts",
        "type",
    )

    def __init__(self, order_id: OrderId, ts: Nanos, limit: Ticks, order: PlaceOrder) -> None:
        self.order_id = order_id
        self.ts = ts
        self.limit = limit
        self.client_order_id = order.client_order_id
        self.instrument = order.instrument
        self.side = order.side
        self.type = order.type
        self.tif = order.tif
        self.quantity: Lots = order.quantity
        self.leaves: Lots = order.quantity
        self.display: Lots = order.display
        self.expires: Nanos = order.expires
        self.is_post_only = order.is_post_only

    @property
    def filled(self) -> Lots:
        return self.quantity - self.leaves


class Fill(NamedTuple):
    """One execution of an own order.  fee: quote minor units."""

    trade_id: TradeId
    ts: Nanos
    instrument: InstrumentId
    order_id: OrderId
    side: Side
    price: Ticks
    quantity: Lots
    fee: Minor
    is_maker: bool

    def value(self, unit: Minor) -> Minor:
        """unit: quote minor units of one tick times one lot."""
        return self.price * self.quantity * unit


class Done(NamedTuple):
    """A finished order with its end."""

    ts: Nanos
    reason: DoneReason
    order: OpenOrder


class Blotter:
    """orders: working ones, oldest first.   fills, done: newest last, bounded."""

    __slots__ = ("account", "done", "fills", "last_trade_id", "orders")

    def __init__(self, account: AccountId) -> None:
        self.account = account
        self.orders: dict[OrderId, OpenOrder] = {}
        self.fills: deque[Fill] = deque(maxlen=FILLS_MAX)
        self.done: deque[Done] = deque(maxlen=DONE_MAX)
        self.last_trade_id: TradeId = 0

    def load(self, orders: list[OpenOrder], fills: list[Fill]) -> None:
        """Oldest first, both; takes the place of everything known."""
        self.orders = {order.order_id: order for order in orders}
        self.fills.clear()
        self.done.clear()
        self.last_trade_id = 0
        for fill in fills:
            self._fill(fill)

    def fold(self, seq: Seq, ts: Nanos, event: Event) -> bool:
        del seq
        if isinstance(event, Traded):
            if event.maker_account != self.account and event.taker_account != self.account:
                return False
            return self._traded(ts, event)
        if isinstance(event, OrderAccepted):
            if event.order.account != self.account:
                return False
            self.orders[event.order_id] = OpenOrder(event.order_id, ts, event.limit, event.order)
            return True
        if isinstance(event, OrderDone):
            order = self.orders.pop(event.order_id, None)
            if order is None:
                return False
            order.leaves = event.leaves
            self.done.append(Done(ts, event.reason, order))
            return True
        if isinstance(event, OrderModified):
            order = self.orders.get(event.order_id)
            if order is None:
                return False
            order.quantity, order.limit, order.leaves = event.quantity, event.limit, event.leaves
            return True
        return False

    def working_at(self, instrument: InstrumentId) -> dict[tuple[Side, Ticks], Lots]:
        """Remaining lots of the own limit orders in one book, by side and price."""
        found: dict[tuple[Side, Ticks], Lots] = {}
        for order in self.orders.values():
            if order.instrument == instrument and order.limit:
                key = (order.side, order.limit)
                found[key] = found.get(key, 0) + order.leaves
        return found

    def _traded(self, ts: Nanos, event: Traded) -> bool:
        maker_side = SELL if event.taker_side == BUY else BUY
        ends = (
            (event.maker_account, event.maker_order_id, maker_side, event.maker_fee, event.maker_leaves),
            (
                event.taker_account,
                event.taker_order_id,
                event.taker_side,
                event.taker_fee,
                event.taker_leaves,
            ),
        )
        is_known = event.trade_id <= self.last_trade_id
        for account, order_id, side, fee, leaves in ends:
            if account != self.account:
                continue
            order = self.orders.get(order_id)
            if order is not None:
                order.leaves = leaves
            if not is_known:
                is_maker = order_id == event.maker_order_id
                place = (event.trade_id, ts, event.instrument, order_id)
                self._fill(Fill(*place, side, event.price, event.quantity, fee, is_maker))
        return True

    def _fill(self, fill: Fill) -> None:
        self.fills.append(fill)
        self.last_trade_id = max(self.last_trade_id, fill.trade_id)
