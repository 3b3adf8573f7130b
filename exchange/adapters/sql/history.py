"""What happened, as rows of text: the named queries over the read models.

Each query sees one moment.  Names are looked up and numbers written by the ``Directory`` of the
caller, which must know every instrument and account the rows speak of.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from exchange.adapters.sql import tables
from exchange.adapters.sql.projector import candle_of_row
from exchange.adapters.sql.rows import fill_row, notice_row, order_row, rejection_row, trade_row
from exchange.adapters.sql.statement import Page, statement_rows
from exchange.core.terms import AccountId
from exchange.core.units import DAY, MICRO, SECOND, Nanos, Ticks
from exchange.directory import Directory
from exchange.errors import DataError, NotFound
from exchange.views.candles import CANDLES_MAX, HOUR, MINUTE, TIMEFRAMES, aggregate, length_of
from exchange.views.portfolio import Portfolio

Rows = list[dict[str, Any]]

LIMIT_MAX: Final = 10_000
PORTFOLIOS_MAX: Final = 64  # accounts whose positions are kept between queries
FILLS_AT_ONCE: Final = 10_000
DAYS_IN_MONTH_MAX: Final = 31
ORDER_ID_MAX: Final = (1 << 63) - 1
KINDS: Final[dict[str, type]] = {
    "account": str,
    "all": bool,
    "asset": str,
    "client_order_id": str,
    "instrument": str,
    "limit": int,
    "marks": dict,
    "order_id": int,
    "since": str,
    "timeframe": str,
}
NAMES: Final[dict[type, str]] = {str: "text", bool: "true or false", int: "a whole number", dict: "a table"}


class History:
    """Reads of the file the projector writes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lock = asyncio.Lock()
        self._portfolios: OrderedDict[AccountId, tuple[int, Portfolio]] = OrderedDict()
        self._queries: dict[str, Callable[..., Awaitable[Any]]] = {
            "candles": self.candles,
            "fills": self.fills,
            "notices": self.notices,
            "order": self.order,
            "order_history": self.order_history,
            "pnl": self.pnl,
            "positions": self.positions,
            "statement": self.statement,
            "trades": self.trades,
        }

    async def query(self, name: str, directory: Directory, **params: Any) -> Any:
        """Raises NotFound for an unknown name, account, instrument or order, DataError for
        parameters that do not fit."""
        if name not in self._queries:
            raise NotFound(f"there is no query {name!r}; there are: {', '.join(sorted(self._queries))}")
        _check(name, params)
        try:
            answer = self._queries[name](directory, **params)
        except TypeError as error:  # raised by the call itself: a coroutine has not begun to run
            raise DataError(f"query {name}: {error}") from None
        return await answer

    async def order_history(
        self,
        text: Directory,
        account: str,
        instrument: str | None = None,
        limit: int = 100,
        all: bool = False,
    ) -> Rows:
        """Orders and refused orders, newest first.  all=True: before the last reset too."""
        number, count = text.account_id(account), checked(limit)
        only = None if instrument is None else text.instrument(instrument).instrument_id
        orders, refused = tables.orders, tables.rejections
        found = select(orders).where(orders.c.account == number)
        found = found.order_by(orders.c.order_id.desc()).limit(count)
        turned = select(refused).where(refused.c.account == number)
        turned = turned.order_by(refused.c.seq.desc(), refused.c.idx.desc()).limit(count)
        if only is not None:
            found = found.where(orders.c.instrument == only)
            turned = turned.where(refused.c.instrument == only)
        async with self._engine.begin() as connection:
            if not all:
                epoch = await epoch_of(connection, number)
                found, turned = found.where(orders.c.epoch == epoch), turned.where(refused.c.epoch == epoch)
            accepted = [((r.seq, r.idx), order_row(text, r)) for r in await connection.execute(found)]
            rejected = [((r.seq, r.idx), rejection_row(text, r)) for r in await connection.execute(turned)]
        merged = sorted(accepted + rejected, key=lambda item: item[0], reverse=True)
        return [row for _, row in merged[:count]]

    async def order(
        self, text: Directory, order_id: int = 0, account: str = "", client_order_id: str = ""
    ) -> dict[str, Any]:
        """One order, finished or not, by id or by its account and client order id."""
        table = tables.orders
        query = select(table).where(table.c.order_id == min(order_id, ORDER_ID_MAX))
        if not order_id and client_order_id:
            query = select(table).where(table.c.account == text.account_id(account))
            query = query.where(table.c.client_order_id == client_order_id)
            query = query.order_by(table.c.order_id.desc()).limit(1)
        async with self._engine.begin() as connection:
            found = (await connection.execute(query)).one_or_none()
        if found is None:
            raise NotFound(f"there is no order {order_id or client_order_id!r}")
        return order_row(text, found)

    async def fills(
        self,
        text: Directory,
        account: str,
        instrument: str | None = None,
        limit: int = 100,
        all: bool = False,
    ) -> Rows:
        """Newest first.  all=True: before the last reset too."""
        number, count = text.account_id(account), checked(limit)
        table, orders = tables.fills, tables.orders
        query = (
            select(table, orders.c.client_order_id)
            .join(orders, orders.c.order_id == table.c.order_id)
            .where(table.c.account == number)
            .order_by(table.c.trade_id.desc(), table.c.is_taker.desc())
            .limit(count)
        )
        if instrument is not None:
            query = query.where(table.c.instrument == text.instrument(instrument).instrument_id)
        async with self._engine.begin() as connection:
            if not all:
                query = query.where(table.c.epoch == await epoch_of(connection, number))
            return [fill_row(text, row) for row in await connection.execute(query)]

    async def trades(self, text: Directory, instrument: str, limit: int = 100) -> Rows:
        """The public tape, newest first."""
        number = text.instrument(instrument).instrument_id
        return await self._rows(text, tables.trades, "trade_id", trade_row, (number, checked(limit)))

    async def notices(self, text: Directory, instrument: str | None = None, limit: int = 100) -> Rows:
        """Halts and resumptions, newest first."""
        number = None if instrument is None else text.instrument(instrument).instrument_id
        return await self._rows(text, tables.notices, "seq", notice_row, (number, checked(limit)))

    async def candles(
        self, text: Directory, instrument: str, timeframe: str = "1m", limit: int = 200
    ) -> Rows:
        """Oldest first; stretches without a trade are left out."""
        number, length = text.instrument(instrument).instrument_id, length_of(timeframe)
        count = checked(limit, CANDLES_MAX)
        base, ratio = base_of(timeframe)
        table = tables.candles
        query = (
            select(table)
            .where(table.c.instrument == number, table.c.length == base)
            .order_by(table.c.begin.desc())
            .limit(count * ratio)
        )
        async with self._engine.begin() as connection:
            found = (await connection.execute(query)).all()
        made = aggregate((candle_of_row(row) for row in reversed(found)), length)
        return [candle.row(text, number) for candle in made[-count:]]

    async def statement(
        self,
        text: Directory,
        account: str,
        asset: str | None = None,
        limit: int = 100,
        since: str | None = None,
        all: bool = False,
    ) -> Rows:
        """Postings with running balances, oldest first: the newest ``limit`` of them.

        since: ISO-8601, UTC unless it says otherwise.   all=True: before the last reset too.
        """
        number, count = text.account_id(account), checked(limit)
        kept = -1 if asset is None else text.asset_id(asset)
        begin = 0 if since is None else time_of(since)
        async with self._engine.begin() as connection:
            epoch = -1 if all else await epoch_of(connection, number)
            return await statement_rows(connection, text, Page(number, kept, count, begin, epoch))

    async def positions(self, text: Directory, account: str, marks: dict[int, Ticks] | None = None) -> Rows:
        """Open positions since the last reset.  marks: ticks by instrument id, else the last trade."""
        portfolio, known = await self._portfolio(text, text.account_id(account))
        return portfolio.position_rows({**known, **(marks or {})})

    async def pnl(self, text: Directory, account: str, marks: dict[int, Ticks] | None = None) -> Rows:
        """Profit per symbol and currency since the last reset.  marks: as in ``positions``."""
        portfolio, known = await self._portfolio(text, text.account_id(account))
        return portfolio.pnl_rows({**known, **(marks or {})})

    async def _rows(
        self,
        text: Directory,
        table: Table,
        order: str,
        show: Callable[[Directory, Row[Any]], dict[str, Any]],
        part: tuple[int | None, int],
    ) -> Rows:
        instrument, limit = part
        query = select(table).order_by(table.c[order].desc()).limit(limit)
        if instrument is not None:
            query = query.where(table.c.instrument == instrument)
        async with self._engine.begin() as connection:
            return [show(text, row) for row in await connection.execute(query)]

    async def _portfolio(self, text: Directory, account: AccountId) -> tuple[Portfolio, dict[int, Ticks]]:
        """Positions up to now, folded on from where the last query left them, and the last prices."""
        async with self._lock, self._engine.begin() as connection:
            epoch = await epoch_of(connection, account)
            kept = self._portfolios.pop(account, None)
            portfolio = kept[1] if kept is not None and kept[0] == epoch else Portfolio(account, text)
            portfolio.directory = text
            while await _fold_fills(connection, portfolio, epoch):
                pass
            self._portfolios[account] = (epoch, portfolio)
            if len(self._portfolios) > PORTFOLIOS_MAX:
                self._portfolios.popitem(last=False)
            marks = {i: await _last_price(connection, i) for i in portfolio.positions}
        return portfolio, marks


async def _fold_fills(connection: AsyncConnection, portfolio: Portfolio, epoch: int) -> bool:
    """Fold the next fills; False when there were none."""
    table = tables.fills
    query: Select[Any] = (
        select(table)
        .where(table.c.account == portfolio.account, table.c.trade_id > portfolio.last_trade_id)
        .where(table.c.epoch == epoch)
        .order_by(table.c.trade_id, table.c.is_taker)
        .limit(FILLS_AT_ONCE)
    )
    rows = (await connection.execute(query)).all()
    if len(rows) == FILLS_AT_ONCE:
        # Both sides of a trade with oneself must come together.
        last = rows[-1].trade_id
        rows = [row for row in rows if row.trade_id != last]
    for row in rows:
        portfolio.fill(row.instrument, row.side, row.price, row.quantity, row.fee)
    if rows:
        portfolio.last_trade_id = rows[-1].trade_id
    return bool(rows)


async def _last_price(connection: AsyncConnection, instrument: int) -> Ticks:
    table = tables.trades
    query = select(table.c.price).where(table.c.instrument == instrument)
    found: Ticks = (await connection.execute(query.order_by(table.c.trade_id.desc()).limit(1))).scalar_one()
    return found


async def epoch_of(connection: AsyncConnection, account: AccountId) -> int:
    """Number of the account's current history."""
    table = tables.epochs
    newest = func.coalesce(func.max(table.c.epoch), 0)
    found: int = (await connection.execute(select(newest).where(table.c.account == account))).scalar_one()
    return found


def checked(limit: int, most: int = LIMIT_MAX) -> int:
    if not 1 <= limit <= most:
        raise DataError(f"limit {limit!r} is not a whole number from 1 to {most}")
    return limit


def _check(name: str, params: dict[str, Any]) -> None:
    """The kinds of the parameters; whether the query takes them is for the call to say."""
    for key, value in params.items():
        kind = KINDS.get(key, object)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise DataError(f"query {name}: {key} must be {NAMES.get(kind, 'something else')}, not {value!r}")


def base_of(timeframe: str) -> tuple[Nanos, int]:
    """Length of the stored candles a timeframe is made of, and how many of them at most."""
    length = TIMEFRAMES[timeframe]
    if timeframe == "1M":
        return DAY, DAYS_IN_MONTH_MAX
    base = next(base for base in (DAY, HOUR, MINUTE) if length % base == 0)
    return base, length // base


def time_of(text: str) -> Nanos:
    """Raises DataError unless it is an ISO-8601 date or time since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise DataError(f"since {str(text)[:40]!r} is not an ISO-8601 date or time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    past = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (past.days * DAY) + past.seconds * SECOND + past.microseconds * MICRO
