"""Tables of the read models.  Everything here can be rebuilt from the journal.

Every row names the record (and the event in it) it came from.  Prices are ticks, quantities lots,
times nanoseconds: they fit 64 bits by the limits of the core.  Money and sums do not have to, so
they are kept as text through ``Exact``; nothing ever sums or sorts them in SQL.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
)

REVISION: Final = "0001"  # the newest migration; a file at any other is rebuilt

metadata: Final = MetaData()


class Exact(TypeDecorator[int]):
    """An integer of any size, as decimal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:
        del dialect
        return None if value is None else int(value)


def _integer(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _small(name: str) -> Column[int]:
    return Column(name, SmallInteger, nullable=False)


def _exact(name: str) -> Column[int]:
    return Column(name, Exact, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _origin() -> tuple[Column[int], Column[int], Column[int]]:
    """Sequence number of the record, index of the event in it, engine time."""
    return _integer("seq"), Column("idx", Integer, nullable=False), _integer("ts")


# One row.  journal: identity of the journal the rows come from, "" if nobody said.
checkpoint: Final = Table(
    "checkpoint",
    metadata,
    Column("id", Integer, primary_key=True),
    _integer("seq"),
    _integer("ts"),
    _text("journal"),
)

# done: reason the order ended, 0 while it works.   value: sum of ticks times lots over its fills.
# changed_*: the last event that changed the row.
orders: Final = Table(
    "orders",
    metadata,
    _integer("order_id"),
    *_origin(),
    _integer("account"),
    _integer("epoch"),
    _integer("instrument"),
    _text("client_order_id"),
    _small("side"),
    _small("type"),
    _small("tif"),
    _small("stp"),
    _small("is_post_only"),
    _integer("display"),
    _integer("expires"),
    _integer("quantity"),
    _integer("limit_price"),
    _integer("leaves"),
    _exact("value"),
    _exact("fee"),
    _small("done"),
    _integer("changed_seq"),
    Column("changed_idx", Integer, nullable=False),
    _integer("changed_ts"),
    PrimaryKeyConstraint("order_id"),
    Index("orders_by_account", "account", "order_id"),
)

# Orders that were refused, as they were asked: their numbers were never checked, so they are exact.
rejections: Final = Table(
    "rejections",
    metadata,
    *_origin(),
    _integer("account"),
    _integer("epoch"),
    _exact("instrument"),
    _text("client_order_id"),
    _exact("side"),
    _exact("type"),
    _exact("tif"),
    _exact("display"),
    _exact("quantity"),
    _exact("limit_price"),
    _text("reason"),
    _exact("bound"),
    _exact("actual"),
    _text("unit"),
    PrimaryKeyConstraint("seq", "idx"),
    Index("rejections_by_account", "account", "seq"),
    sqlite_with_rowid=False,
)

# One row per account and trade; an account that trades with itself has one as maker, one as taker.
fills: Final = Table(
    "fills",
    metadata,
    _integer("account"),
    _integer("trade_id"),
    _small("is_taker"),
    *_origin(),
    _integer("epoch"),
    _integer("order_id"),
    _integer("instrument"),
    _small("side"),
    _integer("price"),
    _integer("quantity"),
    _integer("leaves"),
    _exact("fee"),
    PrimaryKeyConstraint("account", "trade_id", "is_taker"),
    sqlite_with_rowid=False,
)

# The public tape.  side: the taker's.   fee: what both sides paid.
trades: Final = Table(
    "trades",
    metadata,
    _integer("trade_id"),
    *_origin(),
    _integer("instrument"),
    _small("side"),
    _integer("price"),
    _integer("quantity"),
    _exact("fee"),
    PrimaryKeyConstraint("trade_id"),
    Index("trades_by_instrument", "instrument", "trade_id"),
)

transfers: Final = Table(
    "transfers",
    metadata,
    *_origin(),
    _integer("source"),
    _integer("source_epoch"),
    _integer("target"),
    _integer("target_epoch"),
    _integer("asset"),
    _exact("amount"),
    _text("kind"),
    _text("reference"),
    PrimaryKeyConstraint("seq", "idx"),
    Index("transfers_by_source", "source", "seq", "idx"),
    Index("transfers_by_target", "target", "seq", "idx"),
    sqlite_with_rowid=False,
)

# Histories of an account after its resets; the first, epoch 0, has no row.
epochs: Final = Table(
    "epochs",
    metadata,
    _integer("account"),
    _integer("epoch"),
    *_origin(),
    PrimaryKeyConstraint("account", "epoch"),
    sqlite_with_rowid=False,
)

# length, begin: nanoseconds.  Minutes, hours and days; the other timeframes are made of these.
candles: Final = Table(
    "candles",
    metadata,
    _integer("instrument"),
    _integer("length"),
    _integer("begin"),
    _integer("seq"),
    _integer("open"),
    _integer("high"),
    _integer("low"),
    _integer("close"),
    _exact("volume"),
    _exact("turnover"),
    _integer("trades"),
    PrimaryKeyConstraint("instrument", "length", "begin"),
    sqlite_with_rowid=False,
)

notices: Final = Table(
    "notices",
    metadata,
    *_origin(),
    _integer("instrument"),
    _text("kind"),
    _text("reason"),
    PrimaryKeyConstraint("seq", "idx"),
    sqlite_with_rowid=False,
)

# What an account ever traded in an instrument: lots bought and sold, ticks times lots paid and
# received, quote minor units of fees paid and, by the fee account, collected.
trade_totals: Final = Table(
    "trade_totals",
    metadata,
    _integer("account"),
    _integer("instrument"),
    _integer("seq"),
    _exact("bought"),
    _exact("sold"),
    _exact("paid"),
    _exact("received"),
    _exact("fees"),
    _exact("collected"),
    PrimaryKeyConstraint("account", "instrument"),
    sqlite_with_rowid=False,
)

# What was ever transferred to and from an account, in minor units.
transfer_totals: Final = Table(
    "transfer_totals",
    metadata,
    _integer("account"),
    _integer("asset"),
    _integer("seq"),
    _exact("paid_in"),
    _exact("paid_out"),
    PrimaryKeyConstraint("account", "asset"),
    sqlite_with_rowid=False,
)
