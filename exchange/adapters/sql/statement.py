"""Account statements: every posting of an account with the balance it left behind.

The newest balance of each asset follows from the totals; the lines are then walked back from it,
so a page costs what it shows and not what came before.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.adapters.sql import tables
from exchange.core.terms import BUY, FEES_ACCOUNT, AccountId, AssetId, OrderId, TradeId
from exchange.core.units import Minor, Nanos
from exchange.directory import Directory, time_text


class Page(NamedTuple):
    """Which part of a statement.  asset -1: all.   since: engine time, 0: from the beginning.
    epoch: the account's current history, -1: all of them."""

    account: AccountId
    asset: AssetId
    limit: int
    since: Nanos
    epoch: int


class Line(NamedTuple):
    """One posting.  place: sequence number, index of the event, number of the posting in it."""

    place: tuple[int, int, int]
    ts: Nanos
    asset: AssetId
    amount: Minor
    kind: str
    epoch: int
    symbol: str | None = None
    trade_id: TradeId | None = None
    order_id: OrderId | None = None
    counterparty: str | None = None
    reference: str | None = None

    def row(self, text: Directory, balance: Minor) -> dict[str, Any]:
        return {
            "time": time_text(self.ts),
            "seq": self.place[0],
            "asset": text.asset_symbol(self.asset),
            "kind": self.kind,
            "amount": text.money_text(self.asset, self.amount),
            "balance": text.money_text(self.asset, balance),
            "symbol": self.symbol,
            "trade_id": self.trade_id,
            "order_id": self.order_id,
            "counterparty": self.counterparty,
            "reference": self.reference,
            "epoch": self.epoch,
        }


async def statement_rows(connection: AsyncConnection, text: Directory, page: Page) -> list[dict[str, Any]]:
    """The newest ``limit`` postings, oldest first.  The connection must see one moment."""
    balances = await balances_of(connection, text, page.account)
    lines = await _fill_lines(connection, text, page)
    lines += await _transfer_lines(connection, text, page)
    if page.account == FEES_ACCOUNT:
        lines += await _income_lines(connection, text, page)
    lines.sort(key=lambda line: line.place, reverse=True)
    rows = []
    for line in lines[: page.limit]:
        balance = balances.get(line.asset, 0)
        rows.append(line.row(text, balance))
        balances[line.asset] = balance - line.amount
    return rows[::-1]


async def balances_of(
    connection: AsyncConnection, text: Directory, account: AccountId
) -> dict[AssetId, Minor]:
    """Posted balances by asset, from what was ever traded and transferred."""
    balances: dict[AssetId, Minor] = {}
    moved = tables.transfer_totals
    for row in await connection.execute(select(moved).where(moved.c.account == account)):
        balances[row.asset] = row.paid_in - row.paid_out
    traded = tables.trade_totals
    for row in await connection.execute(select(traded).where(traded.c.account == account)):
        info = text.instruments[row.instrument]
        base = (row.bought - row.sold) * info.lot_minor
        quote = (row.received - row.paid) * info.unit - row.fees + row.collected
        balances[info.base] = balances.get(info.base, 0) + base
        balances[info.quote] = balances.get(info.quote, 0) + quote
    return balances


async def _fill_lines(connection: AsyncConnection, text: Directory, page: Page) -> list[Line]:
    table = tables.fills
    query = (
        select(table)
        .where(table.c.account == page.account, table.c.ts >= page.since)
        .order_by(table.c.trade_id.desc(), table.c.is_taker.desc())
        .limit(page.limit)
    )
    if page.epoch >= 0:
        query = query.where(table.c.epoch == page.epoch)
    if page.asset >= 0:
        query = query.where(table.c.instrument.in_(_instruments(text, page.asset)))
    lines: list[Line] = []
    for fill in await connection.execute(query):
        lines += [line for line in _postings(text, fill) if page.asset in (-1, line.asset)]
    return lines


def _postings(text: Directory, fill: Row[Any]) -> list[Line]:
    info = text.instruments[fill.instrument]
    sign = 1 if fill.side == BUY else -1
    base = (info.base, sign * fill.quantity * info.lot_minor, "trade")
    quote = (info.quote, -sign * fill.price * fill.quantity * info.unit, "trade")
    moved = [base, quote, (info.quote, -fill.fee, "fee")] if fill.fee else [base, quote]
    return [
        Line(
            (fill.seq, fill.idx, 3 * fill.is_taker + number),
            fill.ts,
            *posting,
            fill.epoch,
            info.symbol,
            fill.trade_id,
            fill.order_id,
        )
        for number, posting in enumerate(moved)
    ]


async def _transfer_lines(connection: AsyncConnection, text: Directory, page: Page) -> list[Line]:
    table = tables.transfers
    lines = []
    for number, (own, epoch, other, sign) in enumerate(
        (
            (table.c.source, table.c.source_epoch, table.c.target, -1),
            (table.c.target, table.c.target_epoch, table.c.source, 1),
        )
    ):
        query = _transfers(page, own, epoch)
        for row in await connection.execute(query):
            counterparty = text.account_name(row._mapping[other])
            lines.append(
                Line(
                    (row.seq, row.idx, number),
                    row.ts,
                    row.asset,
                    sign * row.amount,
                    row.kind,
                    row._mapping[epoch],
                    counterparty=counterparty,
                    reference=row.reference or None,
                )
            )
    return lines


def _transfers(page: Page, own: ColumnElement[int], epoch: ColumnElement[int]) -> Select[Any]:
    table = tables.transfers
    query = (
        select(table)
        .where(own == page.account, table.c.ts >= page.since)
        .order_by(table.c.seq.desc(), table.c.idx.desc())
        .limit(page.limit)
    )
    if page.epoch >= 0:
        query = query.where(epoch == page.epoch)
    if page.asset >= 0:
        query = query.where(table.c.asset == page.asset)
    return query


async def _income_lines(connection: AsyncConnection, text: Directory, page: Page) -> list[Line]:
    """What the fee account collects: one line per trade that costs a fee."""
    table = tables.trades
    query = (
        select(table)
        .where(table.c.fee != 0, table.c.ts >= page.since)
        .order_by(table.c.trade_id.desc())
        .limit(page.limit)
    )
    if page.asset >= 0:
        query = query.where(table.c.instrument.in_(_quoted_in(text, page.asset)))
    lines = []
    for trade in await connection.execute(query):
        info = text.instruments[trade.instrument]
        place = (trade.seq, trade.idx, 6)
        rest = (info.quote, trade.fee, "fee_income", 0, info.symbol, trade.trade_id)
        lines.append(Line(place, trade.ts, *rest))
    return lines


def _instruments(text: Directory, asset: AssetId) -> list[int]:
    return [info.instrument_id for info in text.instruments if asset in (info.base, info.quote)]


def _quoted_in(text: Directory, asset: AssetId) -> list[int]:
    return [info.instrument_id for info in text.instruments if info.quote == asset]
