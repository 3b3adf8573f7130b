"""A matching engine written to be obviously right: one list of orders, scanned for everything.

Holds, levels and queues are worked out anew each time they are asked for; fees are fractions of
the whole.  Events are plain tuples ``(name, value, ...)`` in the order of the event's fields.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil
from typing import Any

BUY, SELL = 1, 2
MARKET, LIMIT, MARKET_TO_LIMIT = 1, 2, 3
GTC, IOC, FOK, DAY, GTD = 1, 2, 3, 4, 5
CANCEL_NEWEST, CANCEL_OLDEST, CANCEL_BOTH, DECREMENT, NO_PREVENTION = 1, 2, 3, 4, 5
FILLED, CANCELED, EXPIRED, IOC_REMAINDER, NO_LIQUIDITY, SELF_TRADE, REPLACED, RESET = range(1, 9)
MILLION = 1_000_000
TICKS_MAX = 1 << 40
FEE_ACCOUNT = 0

Row = tuple[Any, ...]


@dataclass
class NaiveOrder:
    """rank: its place in the queue, None while it does not rest.   fills: (value, fee ppm) of each."""

    order_id: int
    account: int
    owner: int
    instrument: int
    side: int
    type: int
    tif: int
    limit: int
    quantity: int
    display: int
    expires: int
    is_post_only: bool
    stp: int
    client_order_id: str
    maker_ppm: int
    taker_ppm: int
    leaves: int
    shown: int = 0
    rank: int | None = None
    due: int = 0
    timer: int = 0
    fills: list[tuple[int, int]] = field(default_factory=list)

    @property
    def filled(self) -> int:
        return self.quantity - self.leaves


@dataclass
class Listing:
    """What the matching needs to know of an instrument."""

    base: int
    quote: int
    unit: int
    lot_minor: int
    fees: tuple[tuple[int, int], ...]
    rules: dict[str, int]
    is_open: bool = True
    last: int = 0


def fee_of(fills: list[tuple[int, int]]) -> int:
    """The fee of all fills together, rounded up once."""
    return ceil(Fraction(sum(value * ppm for value, ppm in fills), MILLION))


class NaiveBook:
    """Every book of the exchange in one list, and the money the fills move."""

    def __init__(self) -> None:
        self.listings: list[Listing] = []
        self.orders: list[NaiveOrder] = []  # live ones, oldest first
        self.posted: Counter[tuple[int, int]] = Counter()  # by (account, asset)
        self.ranks = 0
        self.trades = 0
        self.events: list[Row] = []

    def rehearsal(self) -> NaiveBook:
        """A copy on which an order can be tried."""
        copy = NaiveBook()
        copy.listings = [replace(listing) for listing in self.listings]
        copy.orders = [replace(order, fills=list(order.fills)) for order in self.orders]
        copy.posted = self.posted.copy()
        copy.ranks = self.ranks
        return copy

    # What follows from the list of orders

    def queue(self, instrument: int, side: int) -> list[NaiveOrder]:
        """Resting orders, best price first, oldest first within a price."""
        resting = [
            order
            for order in self.orders
            if order.rank is not None and order.instrument == instrument and order.side == side
        ]
        sign = -1 if side == BUY else 1
        return sorted(resting, key=lambda order: (sign * order.limit, order.rank))

    def best(self, instrument: int, side: int) -> int:
        queue = self.queue(instrument, side)
        return queue[0].limit if queue else 0

    def level(self, instrument: int, side: int, price: int) -> tuple[int, int]:
        """(displayed lots, number of orders) at a price."""
        at = [order for order in self.queue(instrument, side) if order.limit == price]
        return sum(order.shown for order in at), len(at)

    def hold_for(self, order: NaiveOrder, leaves: int, limit: int) -> int:
        listing = self.listings[order.instrument]
        if order.side == SELL:
            return leaves * listing.lot_minor
        value = limit * leaves * listing.unit
        dearer = max(order.maker_ppm, order.taker_ppm)
        return value + fee_of([*order.fills, (value, dearer)]) - fee_of(order.fills)

    def hold(self, order: NaiveOrder) -> int:
        return 0 if order.rank is None else self.hold_for(order, order.leaves, order.limit)

    def held(self, account: int, asset: int) -> int:
        total = 0
        for order in self.orders:
            listing = self.listings[order.instrument]
            if order.account == account and asset == (listing.quote if order.side == BUY else listing.base):
                total += self.hold(order)
        return total

    def available(self, account: int, asset: int) -> int:
        return self.posted[account, asset] - self.held(account, asset)

    def band(self, instrument: int) -> tuple[int, int]:
        listing = self.listings[instrument]
        reference = listing.last or listing.rules["reference"]
        if not listing.rules["band_ppm"] or not reference:
            return 1, TICKS_MAX
        width = reference * listing.rules["band_ppm"] // MILLION
        return max(1, reference - width), min(TICKS_MAX, reference + width)

    # What orders do

    def emit(self, name: str, *values: Any) -> None:
        self.events.append((name, *values))

    def emit_level(self, order: NaiveOrder) -> None:
        shown, orders = self.level(order.instrument, order.side, order.limit)
        self.emit("book.level", order.instrument, order.side, order.limit, shown, orders)

    def emit_modified(self, order: NaiveOrder, kept_priority: bool) -> None:
        self.emit(
            "order.modified",
            order.order_id,
            order.account,
            order.instrument,
            order.side,
            order.quantity,
            order.limit,
            order.leaves,
            self.hold_for(order, order.leaves, order.limit),
            kept_priority,
        )

    def finish(self, order: NaiveOrder, reason: int) -> None:
        self.orders = [other for other in self.orders if other is not order]
        self.emit("order.done", order.order_id, order.account, order.instrument, reason, order.leaves)

    def take_out(self, order: NaiveOrder, reason: int) -> None:
        self.finish(order, reason)
        self.emit_level(order)

    def rest(self, order: NaiveOrder) -> None:
        self.ranks += 1
        order.rank = self.ranks
        order.shown = min(order.display or order.leaves, order.leaves)

    def enter(self, order: NaiveOrder) -> None:
        """Match an order that does not rest, then let it rest or end."""
        is_stopped = self.sweep(order)
        if order.leaves == 0:
            self.finish(order, FILLED)
        elif is_stopped:
            self.finish(order, SELF_TRADE)
        elif order.type == MARKET:
            self.finish(order, NO_LIQUIDITY)
        elif order.tif in (IOC, FOK):
            self.finish(order, IOC_REMAINDER)
        else:
            self.rest(order)
            self.emit_level(order)

    def sweep(self, order: NaiveOrder) -> bool:
        """Trade while prices cross; True if self-trade prevention stopped the order."""
        low, high = self.band(order.instrument)
        other = SELL if order.side == BUY else BUY
        while order.leaves:
            queue = self.queue(order.instrument, other)
            if not queue:
                return False
            price = queue[0].limit
            if order.side == BUY and price > (order.limit or high):
                return False
            if order.side == SELL and price < (order.limit or low):
                return False
            before = self.level(order.instrument, other, price)
            is_stopped = self.sweep_level(order, other, price)
            if self.level(order.instrument, other, price) != before:
                self.emit_level(queue[0])
            if is_stopped:
                return True
        return False

    def sweep_level(self, order: NaiveOrder, side: int, price: int) -> bool:
        while order.leaves:
            at = [maker for maker in self.queue(order.instrument, side) if maker.limit == price]
            if not at:
                return False
            if order.stp != NO_PREVENTION and at[0].owner == order.owner:
                if self.prevent(order, at[0]):
                    return True
            else:
                self.trade(order, at[0], min(at[0].shown, order.leaves))
        return False

    def prevent(self, order: NaiveOrder, maker: NaiveOrder) -> bool:
        """Both belong to one owner.  True if the taker must stop."""
        if order.stp == CANCEL_NEWEST:
            return True
        if order.stp == DECREMENT and maker.leaves > order.leaves:
            maker.quantity -= order.leaves
            maker.leaves -= order.leaves
            maker.shown = min(maker.shown, maker.leaves)
            self.emit_modified(maker, kept_priority=True)
            return True
        self.finish(maker, SELF_TRADE)
        if order.stp == DECREMENT and order.leaves > maker.leaves:
            order.quantity -= maker.leaves
            order.leaves -= maker.leaves
            self.emit_modified(order, kept_priority=True)
            return False
        return order.stp != CANCEL_OLDEST

    def trade(self, taker: NaiveOrder, maker: NaiveOrder, quantity: int) -> None:
        listing = self.listings[taker.instrument]
        price = maker.limit
        value = price * quantity * listing.unit
        fees = {}
        for order, ppm in ((maker, maker.maker_ppm), (taker, taker.taker_ppm)):
            before = fee_of(order.fills)
            order.fills.append((value, ppm))
            fees[order.order_id] = fee_of(order.fills) - before
            order.leaves -= quantity
        maker.shown -= quantity
        buyer, seller = (taker, maker) if taker.side == BUY else (maker, taker)
        lots_minor = quantity * listing.lot_minor
        self.posted[buyer.account, listing.base] += lots_minor
        self.posted[seller.account, listing.base] -= lots_minor
        self.posted[buyer.account, listing.quote] -= value + fees[buyer.order_id]
        self.posted[seller.account, listing.quote] += value - fees[seller.order_id]
        self.posted[FEE_ACCOUNT, listing.quote] += sum(fees.values())
        listing.last = price
        self.trades += 1
        self.emit(
            "trade",
            self.trades,
            taker.instrument,
            price,
            quantity,
            taker.side,
            maker.order_id,
            maker.account,
            fees[maker.order_id],
            maker.leaves,
            taker.order_id,
            taker.account,
            fees[taker.order_id],
            taker.leaves,
        )
        if maker.leaves == 0:
            self.finish(maker, FILLED)
        elif maker.shown == 0:
            self.rest(maker)  # the next slice of an iceberg, at the back of the queue

    def would_trade(self, order: NaiveOrder) -> tuple[int, int]:
        """(lots, value) the order would trade at once: tried on a copy."""
        copy = self.rehearsal()
        copy.sweep(replace(order, fills=list(order.fills)))
        trades = [row for row in copy.events if row[0] == "trade"]
        unit = self.listings[order.instrument].unit
        return sum(row[4] for row in trades), sum(row[3] * row[4] * unit for row in trades)
