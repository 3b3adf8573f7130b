"""The first read models: orders, fills, trades, transfers, candles, totals, notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _smalls(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.SmallInteger(), nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _origin() -> list[sa.Column[int]]:
    return [*_integers("seq"), sa.Column("idx", sa.Integer(), nullable=False), *_integers("ts")]


def upgrade() -> None:
    checkpoint = op.create_table(
        "checkpoint",
        sa.Column("id", sa.Integer(), primary_key=True),
        *_integers("seq", "ts"),
        *_texts("journal"),
    )
    op.bulk_insert(checkpoint, [{"id": 1, "seq": 0, "ts": 0, "journal": ""}])
    _orders()
    _trades()
    _money()
    op.create_table(
        "candles",
        *_integers("instrument", "length", "begin", "seq", "open", "high", "low", "close"),
        *_texts("volume", "turnover"),
        *_integers("trades"),
        sa.PrimaryKeyConstraint("instrument", "length", "begin"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notices",
        *_origin(),
        *_integers("instrument"),
        *_texts("kind", "reason"),
        sa.PrimaryKeyConstraint("seq", "idx"),
        sqlite_with_rowid=False,
    )


def _orders() -> None:
    op.create_table(
        "orders",
        *_integers("order_id"),
        *_origin(),
        *_integers("account", "epoch", "instrument"),
        *_texts("client_order_id"),
        *_smalls("side", "type", "tif", "stp", "is_post_only"),
        *_integers("display", "expires", "quantity", "limit_price", "leaves"),
        *_texts("value", "fee"),
        *_smalls("done"),
        *_integers("changed_seq"),
        sa.Column("changed_idx", sa.Integer(), nullable=False),
        *_integers("changed_ts"),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.create_index("orders_by_account", "orders", ["account", "order_id"])
    op.create_table(
        "rejections",
        *_origin(),
        *_integers("account", "epoch"),
        *_texts("instrument", "client_order_id", "side", "type", "tif", "display", "quantity"),
        *_texts("limit_price", "reason", "bound", "actual", "unit"),
        sa.PrimaryKeyConstraint("seq", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_index("rejections_by_account", "rejections", ["account", "seq"])


def _trades() -> None:
    op.create_table(
        "fills",
        *_integers("account", "trade_id"),
        *_smalls("is_taker"),
        *_origin(),
        *_integers("epoch", "order_id", "instrument"),
        *_smalls("side"),
        *_integers("price", "quantity", "leaves"),
        *_texts("fee"),
        sa.PrimaryKeyConstraint("account", "trade_id", "is_taker"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trades",
        *_integers("trade_id"),
        *_origin(),
        *_integers("instrument"),
        *_smalls("side"),
        *_integers("price", "quantity"),
        *_texts("fee"),
        sa.PrimaryKeyConstraint("trade_id"),
    )
    op.create_index("trades_by_instrument", "trades", ["instrument", "trade_id"])
    op.create_table(
        "trade_totals",
        *_integers("account", "instrument", "seq"),
        *_texts("bought", "sold", "paid", "received", "fees", "collected"),
        sa.PrimaryKeyConstraint("account", "instrument"),
        sqlite_with_rowid=False,
    )


def _money() -> None:
    op.create_table(
        "transfers",
        *_origin(),
        *_integers("source", "source_epoch", "target", "target_epoch", "asset"),
        *_texts("amount", "kind", "reference"),
        sa.PrimaryKeyConstraint("seq", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_index("transfers_by_source", "transfers", ["source", "seq", "idx"])
    op.create_index("transfers_by_target", "transfers", ["target", "seq", "idx"])
    op.create_table(
        "transfer_totals",
        *_integers("account", "asset", "seq"),
        *_texts("paid_in", "paid_out"),
        sa.PrimaryKeyConstraint("account", "asset"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "epochs",
        *_integers("account", "epoch"),
        *_origin(),
        sa.PrimaryKeyConstraint("account", "epoch"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for name in ("epochs", "transfer_totals", "transfers", "trade_totals", "trades", "fills"):
        op.drop_table(name)
    for name in ("rejections", "orders", "notices", "candles", "checkpoint"):
        op.drop_table(name)
