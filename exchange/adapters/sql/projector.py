"""The only writer of the read models: updates in, rows out, exactly once by sequence number.

Rows and the checkpoint change in one transaction.  What is behind the checkpoint is skipped,
what leaves a gap is refused.  It runs behind the acknowledgement and never in front of it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Table, and_, bindparam, func, make_url, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from exchange.adapters.sql import tables
from exchange.adapters.sql.database import Checkpoint, Prepared, open_file
from exchange.adapters.sql.fold import (
    LENGTHS,
    Batch,
    Known,
    Needs,
    OrderRow,
    Row,
    TradeTotal,
    TransferTotal,
    UnknownOrder,
)
from exchange.client import Update
from exchange.core.terms import AccountId
from exchange.errors import ExchangeError
from exchange.views.candles import Candle, begin_of

RECORDS_MAX: Final = 1_000  # per transaction
EVENTS_MAX: Final = 20_000  # one transaction ends after the record that passes it
KEYS_MAX: Final = 500  # per SELECT ... IN

ORDER_CHANGES: Final = (
    "quantity",
    "limit_price",
    "leaves",
    "value",
    "fee",
    "done",
    "changed_seq",
    "changed_idx",
    "changed_ts",
)

INSERTED: Final = (
    tables.orders,
    tables.fills,
    tables.trades,
    tables.transfers,
    tables.rejections,
    tables.notices,
    tables.epochs,
)
OVERWRITTEN: Final = (tables.candles, tables.trade_totals, tables.transfer_totals)


class Projector:
    """seq: the last record whose rows are in the database."""

    def __init__(self, engine: AsyncEngine, known: Checkpoint) -> None:
        self.engine = engine
        self.seq = known.seq
        self.ts = known.ts
        self._writer = engine.execution_options(is_writer=True)
        self._lock = asyncio.Lock()
        self._epochs: dict[AccountId, int] | None = None
        self._statements = _statements(engine.url.drivername)

    @classmethod
    async def open(cls, path: Path, journal: str = "", end: int | None = None) -> Projector:
        """Make the file anew if it is missing, damaged, of another schema or of another journal.

        end: last sequence number of the journal.  Raises ExchangeError if the file is ahead of it.
        """
        engine, known = await open_file(path, journal)
        if end is not None and known.seq > end:
            await engine.dispose()
            raise ExchangeError(
                f"{path}: the read models stand at sequence {known.seq}, the journal ends at {end}: "
                "they belong to another journal or its tail is lost; move the file away to rebuild it"
            )
        return cls(engine, known)

    async def close(self) -> None:
        await self.engine.dispose()

    async def fold(self, updates: Iterable[Update]) -> int:
        """Write what is new, at most ``RECORDS_MAX`` records per transaction; returns their number.

        Known records may come again.  Raises ExchangeError for a gap, or when a known record has
        another time than before: then the rows are of another journal.
        """
        folded = 0
        async with self._lock:
            batch: list[Update] = []
            events = 0
            for item in updates:
                if item.seq <= self.seq:
                    self._check_known(item)
                    continue
                expected = self.seq + len(batch) + 1
                if item.seq != expected:
                    raise ExchangeError(
                        f"the read models need record {expected} next and were given {item.seq}: "
                        "catch up from the journal first"
                    )
                batch.append(item)
                events += len(item.events)
                if len(batch) >= RECORDS_MAX or events >= EVENTS_MAX:
                    folded += await self._write(batch)
                    batch, events = [], 0
            if batch:
                folded += await self._write(batch)
        return folded

    def _check_known(self, item: Update) -> None:
        if item.seq == self.seq and item.ts != self.ts:
            raise ExchangeError(
                f"record {item.seq} has another time than the one in the read models: "
                "they belong to another journal; move the file away to rebuild it"
            )

    async def _write(self, updates: list[Update]) -> int:
        last = updates[-1]
        try:
            async with self._writer.begin() as connection:
                batch = Batch(await self._load(connection, Needs(updates)))
                for item in updates:
                    batch.fold(item)
                await self._save(connection, batch)
                await connection.execute(
                    update(tables.checkpoint)
                    .where(tables.checkpoint.c.id == 1)
                    .values(seq=last.seq, ts=last.ts)
                )
        except UnknownOrder as error:
            raise ExchangeError(
                f"the read models at sequence {self.seq} do not know order {error}: "
                "move the file away to rebuild it"
            ) from error
        except SQLAlchemyError as error:
            raise ExchangeError(f"the read models stopped at sequence {self.seq}: {error}") from error
        self.seq, self.ts = last.seq, last.ts
        self._epochs = batch.epochs
        return len(updates)

    async def _save(self, connection: AsyncConnection, batch: Batch) -> None:
        for name, rows in (
            ("orders", batch.new_orders()),
            ("fills", batch.fills),
            ("trades", batch.trades),
            ("transfers", batch.transfers),
            ("rejections", batch.rejections),
            ("notices", batch.notices),
            ("epochs", batch.epoch_rows),
            ("candles", batch.candles()),
            ("trade_totals", batch.trade_totals()),
            ("transfer_totals", batch.transfer_totals()),
        ):
            await _run(connection, self._statements[name], rows)
        await _run(connection, self._statements["order changes"], batch.changed_orders())

    async def _load(self, connection: AsyncConnection, needs: Needs) -> Known:
        if self._epochs is None:
            self._epochs = await _epochs(connection)
        known = Known(self._epochs)
        for part in _parts(needs.orders):
            await _load_orders(connection, part, known)
        for part in _parts(needs.accounts):
            await _load_trade_totals(connection, part, needs.instruments, known)
        for part in _parts(needs.assets):
            await _load_transfer_totals(connection, part, known)
        for part in _parts(needs.instruments):
            await _load_candles(connection, part, needs.ts, known)
        return known


def _parts(keys: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(keys)
    return (ordered[at : at + KEYS_MAX] for at in range(0, len(ordered), KEYS_MAX))


async def _run(connection: AsyncConnection, statement: Prepared, rows: list[Row]) -> None:
    if rows:
        await connection.exec_driver_sql(statement.sql, rows)


@functools.cache
def _statements(driver: str) -> dict[str, Prepared]:
    """Every write by table name, and the update of known orders."""
    dialect = make_url(f"{driver}://").get_dialect()()
    prepared = {}
    for table in INSERTED:
        prepared[table.name] = Prepared(dialect, _insert(dialect, table).on_conflict_do_nothing())
    for table in OVERWRITTEN:
        keys = [column.name for column in table.primary_key]
        insert = _insert(dialect, table)
        rest = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys}
        prepared[table.name] = Prepared(dialect, insert.on_conflict_do_update(index_elements=keys, set_=rest))
    change = (
        update(tables.orders)
        .where(tables.orders.c.order_id == bindparam("which"))
        .values({name: bindparam(f"new_{name}") for name in ORDER_CHANGES})
    )
    prepared["order changes"] = Prepared(dialect, change)
    assert prepared["order changes"].names == [*(f"new_{name}" for name in ORDER_CHANGES), "which"]
    return prepared


def _insert(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


async def _epochs(connection: AsyncConnection) -> dict[AccountId, int]:
    table = tables.epochs
    found = await connection.execute(
        select(table.c.account, func.max(table.c.epoch)).group_by(table.c.account)
    )
    return {row[0]: row[1] for row in found}


async def _load_orders(connection: AsyncConnection, part: list[int], known: Known) -> None:
    table = tables.orders
    for row in await connection.execute(select(table).where(table.c.order_id.in_(part))):
        order = OrderRow(row.quantity, row.limit_price, row.leaves)
        order.value, order.fee, order.done = row.value, row.fee, row.done
        known.orders[row.order_id] = order


async def _load_trade_totals(
    connection: AsyncConnection, part: list[int], instruments: set[int], known: Known
) -> None:
    table = tables.trade_totals
    query = select(table).where(table.c.account.in_(part))
    if len(instruments) <= KEYS_MAX:
        query = query.where(table.c.instrument.in_(sorted(instruments)))
    for row in await connection.execute(query):
        total = TradeTotal(row.bought, row.sold, row.paid, row.received, row.fees, row.collected)
        known.trade_totals[(row.account, row.instrument)] = total


async def _load_transfer_totals(connection: AsyncConnection, part: list[int], known: Known) -> None:
    table = tables.transfer_totals
    for row in await connection.execute(select(table).where(table.c.account.in_(part))):
        known.transfer_totals[(row.account, row.asset)] = TransferTotal(row.paid_in, row.paid_out)


async def _load_candles(connection: AsyncConnection, part: list[int], ts: int, known: Known) -> None:
    """Time never goes back, so only the candles open at the first record can be there already."""
    table = tables.candles
    open_now: list[ColumnElement[bool]] = [
        and_(table.c.length == length, table.c.begin == begin_of(ts, length)) for length in LENGTHS
    ]
    for row in await connection.execute(select(table).where(table.c.instrument.in_(part), or_(*open_now))):
        known.candles[(row.instrument, row.length)] = candle_of_row(row)


def candle_of_row(row: Any) -> Candle:
    candle = Candle(row.begin, row.open)
    candle.high, candle.low, candle.close = row.high, row.low, row.close
    candle.volume, candle.turnover, candle.trades = row.volume, row.turnover, row.trades
    candle.seq = row.seq
    return candle
