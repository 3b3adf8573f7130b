"""Events to rows, without a database: what one transaction of the projector writes.

``Needs`` says which rows the events change, ``Known`` holds what the database has of them, and
``Batch`` folds the events on top.  Tuples follow the columns of ``tables``; ``Exact`` columns
are given as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.client import Update
from exchange.core.events import AccountReset, InstrumentHalted, InstrumentResumed, Transferred
from exchange.core.messages import (
    Event,
    OrderAccepted,
    OrderDone,
    OrderModified,
    PlaceOrder,
    Rejected,
    Traded,
)
from exchange.core.terms import BUY, FEES_ACCOUNT, SELL, AccountId, AssetId, InstrumentId, OrderId
from exchange.core.units import CLIENT_ID_LENGTH_MAX, DAY, Nanos
from exchange.views.candles import HOUR, MINUTE, Candle, aggregate, begin_of

Row = tuple[Any, ...]

LENGTHS = (MINUTE, HOUR, DAY)

# A retry answered with its first order is no order, and what a stranger asks for in somebody's
# name is not part of that account's history.
UNTOLD = frozenset({"order.exists", "access.denied", "account.unknown"})


class UnknownOrder(Exception):
    """An order changes that was never accepted."""


class OrderRow:
    """The changing part of an order.  is_new: accepted in this batch."""

    __slots__ = ("done", "fee", "first", "idx", "leaves", "limit", "quantity", "seq", "ts", "value")

    def __init__(self, quantity: int, limit: int, leaves: int) -> None:
        self.quantity = quantity
        self.limit = limit
        self.leaves = leaves
        self.value = 0
        self.fee = 0
        self.done = 0
        self.seq = 0
        self.idx = 0
        self.ts = 0
        self.first: Row | None = None  # the columns that never change, of an order new to the database

    def changes(self) -> Row:
        return (
            self.quantity,
            self.limit,
            self.leaves,
            str(self.value),
            str(self.fee),
            self.done,
            self.seq,
            self.idx,
            self.ts,
        )


class TradeTotal:
    __slots__ = ("bought", "collected", "fees", "paid", "received", "seq", "sold")

    def __init__(
        self,
        bought: int = 0,
        sold: int = 0,
        paid: int = 0,
        received: int = 0,
        fees: int = 0,
        collected: int = 0,
    ) -> None:
        self.bought = bought
        self.sold = sold
        self.paid = paid
        self.received = received
        self.fees = fees
        self.collected = collected
        self.seq = 0


class TransferTotal:
    __slots__ = ("paid_in", "paid_out", "seq")

    def __init__(self, paid_in: int = 0, paid_out: int = 0) -> None:
        self.paid_in = paid_in
        self.paid_out = paid_out
        self.seq = 0


class Needs:
    """Keys of rows that may exist already and that the updates change."""

    __slots__ = ("accounts", "assets", "instruments", "orders", "ts")

    def __init__(self, updates: Sequence[Update]) -> None:
        self.orders: set[OrderId] = set()
        self.accounts: set[AccountId] = set()  # that trade
        self.assets: set[AccountId] = set()  # that pay or are paid
        self.instruments: set[InstrumentId] = set()  # that trade
        self.ts: Nanos = updates[0].ts
        accepted: set[OrderId] = set()
        for update in updates:
            for event in update.events:
                if isinstance(event, Traded):
                    self.orders.add(event.maker_order_id)
                    self.orders.add(event.taker_order_id)
                    self.accounts.add(event.maker_account)
                    self.accounts.add(event.taker_account)
                    self.instruments.add(event.instrument)
                elif isinstance(event, OrderDone | OrderModified):
                    self.orders.add(event.order_id)
                elif isinstance(event, OrderAccepted):
                    accepted.add(event.order_id)
                elif isinstance(event, Transferred):
                    self.assets.add(event.source)
                    self.assets.add(event.target)
        self.orders -= accepted
        if self.accounts:
            self.accounts.add(FEES_ACCOUNT)


class Known:
    """What the database has of the needed rows; candles by (instrument, length)."""

    __slots__ = ("candles", "epochs", "orders", "trade_totals", "transfer_totals")

    def __init__(self, epochs: dict[AccountId, int]) -> None:
        self.epochs = epochs
        self.orders: dict[OrderId, OrderRow] = {}
        self.candles: dict[tuple[InstrumentId, Nanos], Candle] = {}
        self.trade_totals: dict[tuple[AccountId, InstrumentId], TradeTotal] = {}
        self.transfer_totals: dict[tuple[AccountId, AssetId], TransferTotal] = {}


class Batch:
    """Rows of consecutive records.  Raises UnknownOrder if ``known`` lacks one they change."""

    def __init__(self, known: Known) -> None:
        self.epochs: dict[AccountId, int] = dict(known.epochs)
        self._known = known
        self._orders = known.orders
        self._changed: dict[OrderId, OrderRow] = {}
        self._trade_totals: dict[tuple[AccountId, InstrumentId], TradeTotal] = {}
        self._transfer_totals: dict[tuple[AccountId, AssetId], TransferTotal] = {}
        self._minutes: dict[tuple[InstrumentId, Nanos], Candle] = {}
        self.fills: list[Row] = []
        self.trades: list[Row] = []
        self.transfers: list[Row] = []
        self.rejections: list[Row] = []
        self.notices: list[Row] = []
        self.epoch_rows: list[Row] = []

    def fold(self, update: Update) -> None:
        seq, ts = update.seq, update.ts
        for idx, event in enumerate(update.events):
            if isinstance(event, OrderAccepted):
                self._accepted((seq, idx, ts), event)
            elif isinstance(event, Traded):
                self._traded((seq, idx, ts), event)
            elif isinstance(event, OrderDone):
                row = self._change(event.order_id, (seq, idx, ts))
                row.leaves = event.leaves
                row.done = event.reason
            elif isinstance(event, OrderModified):
                row = self._change(event.order_id, (seq, idx, ts))
                row.quantity, row.limit, row.leaves = event.quantity, event.limit, event.leaves
            else:
                self._rare((seq, idx, ts), event)

    def _accepted(self, origin: tuple[int, int, int], event: OrderAccepted) -> None:
        order = event.order
        row = OrderRow(order.quantity, event.limit, order.quantity)
        row.first = (
            event.order_id,
            *origin,
            order.account,
            self.epochs.get(order.account, 0),
            order.instrument,
            order.client_order_id,
            order.side,
            order.type,
            order.tif,
            order.stp,
            int(order.is_post_only),
            order.display,
            order.expires,
        )
        self._orders[event.order_id] = row
        self._change(event.order_id, origin)

    def _change(self, order_id: OrderId, origin: tuple[int, int, int]) -> OrderRow:
        row = self._orders.get(order_id)
        if row is None:
            raise UnknownOrder(order_id)
        row.seq, row.idx, row.ts = origin
        self._changed[order_id] = row
        return row

    def _traded(self, origin: tuple[int, int, int], event: Traded) -> None:
        instrument, price, quantity = event.instrument, event.price, event.quantity
        seq, _, ts = origin
        fees = event.maker_fee + event.taker_fee
        self.trades.append(
            (event.trade_id, *origin, instrument, event.taker_side, price, quantity, str(fees))
        )
        maker_side = SELL if event.taker_side == BUY else BUY
        maker = (event.maker_account, event.maker_order_id, maker_side, event.maker_leaves, event.maker_fee)
        taker = (
            event.taker_account,
            event.taker_order_id,
            event.taker_side,
            event.taker_leaves,
            event.taker_fee,
        )
        for is_taker, (account, order_id, side, leaves, fee) in enumerate((maker, taker)):
            epoch = self.epochs.get(account, 0)
            self.fills.append(
                (
                    *(account, event.trade_id, is_taker),
                    *origin,
                    *(epoch, order_id, instrument, side, price, quantity, leaves, str(fee)),
                )
            )
            row = self._change(order_id, origin)
            row.leaves = leaves
            row.value += price * quantity
            row.fee += fee
            total = self._trade_total(account, instrument, seq)
            total.fees += fee
            if side == BUY:
                total.bought += quantity
                total.paid += price * quantity
            else:
                total.sold += quantity
                total.received += price * quantity
        if fees:
            self._trade_total(FEES_ACCOUNT, instrument, seq).collected += fees
        key = (instrument, begin_of(ts, MINUTE))
        candle = self._minutes.get(key)
        if candle is None:
            candle = self._minutes[key] = Candle(key[1], price)
        candle.trade(seq, price, quantity)

    def _trade_total(self, account: AccountId, instrument: InstrumentId, seq: int) -> TradeTotal:
        key = (account, instrument)
        total = self._trade_totals.get(key)
        if total is None:
            total = self._known.trade_totals.get(key) or TradeTotal()
            self._trade_totals[key] = total
        total.seq = seq
        return total

    def _transfer_total(self, account: AccountId, asset: AssetId, seq: int) -> TransferTotal:
        key = (account, asset)
        total = self._transfer_totals.get(key)
        if total is None:
            total = self._known.transfer_totals.get(key) or TransferTotal()
            self._transfer_totals[key] = total
        total.seq = seq
        return total

    def _rare(self, origin: tuple[int, int, int], event: Event) -> None:
        if isinstance(event, Transferred):
            source, target, asset = event.source, event.target, event.asset
            self.transfers.append(
                (
                    *origin,
                    *(source, self.epochs.get(source, 0), target, self.epochs.get(target, 0)),
                    *(asset, str(event.amount), event.kind, event.reference),
                )
            )
            self._transfer_total(source, asset, origin[0]).paid_out += event.amount
            self._transfer_total(target, asset, origin[0]).paid_in += event.amount
        elif isinstance(event, Rejected):
            self._rejected(origin, event)
        elif isinstance(event, AccountReset):
            self.epochs[event.account] = event.epoch
            self.epoch_rows.append((event.account, event.epoch, *origin))
        elif isinstance(event, InstrumentHalted):
            self.notices.append((*origin, event.instrument, "halted", event.reason))
        elif isinstance(event, InstrumentResumed):
            self.notices.append((*origin, event.instrument, "resumed", ""))

    def _rejected(self, origin: tuple[int, int, int], event: Rejected) -> None:
        order, reject = event.command, event.reject
        if not isinstance(order, PlaceOrder) or reject.reason in UNTOLD:
            return
        asked = (order.side, order.type, order.tif, order.display, order.quantity, order.limit)
        self.rejections.append(
            (
                *origin,
                order.account,
                self.epochs.get(order.account, 0),
                str(order.instrument),
                _storable(order.client_order_id),
                *(str(int(number)) for number in asked),
                reject.reason,
                str(reject.limit),
                str(reject.actual),
                reject.unit,
            )
        )

    def new_orders(self) -> list[Row]:
        return [row.first + row.changes() for row in self._changed.values() if row.first is not None]

    def changed_orders(self) -> list[Row]:
        """Changes, then the order id."""
        return [(*row.changes(), i) for i, row in self._changed.items() if row.first is None]

    def candles(self) -> list[Row]:
        """Minutes, hours and days, each on top of what the database had."""
        by_instrument: dict[InstrumentId, list[Candle]] = {}
        for (instrument, _), minute in self._minutes.items():
            by_instrument.setdefault(instrument, []).append(minute)
        rows = []
        for instrument, minutes in by_instrument.items():
            for length in LENGTHS:
                made = aggregate(minutes, length)
                before = self._known.candles.get((instrument, length))
                if before is not None and before.begin == made[0].begin:
                    before.absorb(made[0])
                    made[0] = before
                rows += [_candle_row(instrument, length, candle) for candle in made]
        return rows

    def trade_totals(self) -> list[Row]:
        rows = []
        for key, total in self._trade_totals.items():
            lots = (str(total.bought), str(total.sold))
            money = (str(total.paid), str(total.received), str(total.fees), str(total.collected))
            rows.append((*key, total.seq, *lots, *money))
        return rows

    def transfer_totals(self) -> list[Row]:
        return [(*key, t.seq, str(t.paid_in), str(t.paid_out)) for key, t in self._transfer_totals.items()]


def _candle_row(instrument: InstrumentId, length: Nanos, candle: Candle) -> Row:
    prices = (candle.open, candle.high, candle.low, candle.close)
    sums = (str(candle.volume), str(candle.turnover), candle.trades)
    return (instrument, length, candle.begin, candle.seq, *prices, *sums)


def _storable(text: str) -> str:
    """A refused client order id may be anything; what no database takes is replaced, the rest cut."""
    clean = text[: CLIENT_ID_LENGTH_MAX + 1].encode("utf-8", "replace").decode()
    return clean.replace("\0", "?")
