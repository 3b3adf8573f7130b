"""A made-up market on the real engine: every kind of order, money movement, reset and refusal."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from exchange.adapters.sql.projector import Projector
from exchange.client import Update
from exchange.core import commands as c
from exchange.core.engine import Engine
from exchange.core.messages import Command, Record
from exchange.core.terms import (
    BUY,
    DAY_ORDER,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    SELL,
)
from exchange.core.units import SECOND
from exchange.directory import Directory

START = 1_795_000_000 * SECOND  # 2026-11-18T09:46:40Z
SYSTEM = 0
STEPS = (0, 1000, 10**6, 10**7, 10**8, 10**9, 10**9, 2 * 10**9, 40 * SECOND)


class Market:
    """The engine with everything it ever answered."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.updates: list[Update] = []
        self.records: list[Record] = []
        self.ts = START

    def send(self, command: Command, actor: int = SYSTEM, after: int = 1000) -> Update:
        """after: nanoseconds since the record before."""
        self.ts += after
        record = Record(self.engine.state.seq + 1, self.ts, actor, command)
        update = Update(record.seq, record.ts, self.engine.apply(record))
        self.updates.append(update)
        self.records.append(record)
        return update

    @property
    def directory(self) -> Directory:
        return Directory.of(self.engine.state)

    def found(self) -> None:
        """Assets USDC, BTC, INR, TCS; BTC-USDC (0), TCS-INR (1); accounts amy (3), bob (4), cat, cat2."""
        for symbol, exponent in (("USDC", 6), ("BTC", 8), ("INR", 2), ("TCS", 0)):
            self.send(c.ListAsset(symbol=symbol, exponent=exponent))
        self.send(
            c.ListInstrument(
                symbol="BTC-USDC",
                name="Bitcoin",
                venue="LOCAL",
                base=1,
                quote=0,
                tick_units=1,
                price_decimals=2,
                lot_units=1,
                quantity_decimals=4,
                fees=((100, 500), (0, 333)),
            )
        )
        self.send(
            c.ListInstrument(
                symbol="TCS-INR",
                name="Tata",
                venue="NSE",
                base=3,
                quote=2,
                tick_units=5,
                price_decimals=2,
                lot_units=1,
                quantity_decimals=0,
                fees=((33, 777),),
            )
        )
        for name in ("amy", "bob", "cat"):
            self.send(c.RegisterUser(name=name))
        for name, owner in (("amy", 1), ("bob", 2), ("cat", 3), ("cat2", 3)):
            self.send(c.OpenAccount(name=name, owner=owner))
        for account in (3, 4, 5, 6):
            self.fund(account)

    def fund(self, account: int) -> None:
        for asset, amount in ((0, 10**13), (1, 10**11), (2, 10**10), (3, 10**6)):
            self.send(c.Deposit(account=account, asset=asset, amount=amount, reference="start"))

    def limit(self, account: int, side: int, price: int, quantity: int, **rest: object) -> Update:
        instrument = rest.pop("instrument", 0)
        order = c.PlaceOrder(account, instrument, side, LIMIT, quantity, price, **rest)  # type: ignore[arg-type]
        return self.send(order)


def play(market: Market, random: Random, count: int) -> None:
    """Send random commands; many are refused, which is part of the point."""
    for _ in range(count):
        command, actor = _random_command(market, random)
        market.send(command, actor, after=random.choice(STEPS))


def _random_command(market: Market, random: Random) -> tuple[Command, int]:
    account = random.choice((3, 4, 5, 6))
    owner = {3: 1, 4: 2, 5: 3, 6: 3}[account]
    roll = random.random()
    if roll < 0.72:
        return _random_order(market, random, account), owner
    if roll < 0.9:
        return _random_change(market, random, account), owner
    if roll < 0.97:
        return _random_money(random, account), owner
    return random.choice(
        (
            c.HaltInstrument(instrument=random.randrange(2), reason="test"),
            *(c.ResumeInstrument(instrument=n % 2) for n in range(6)),
            c.SetFeeTier(account=account, tier=random.randrange(3)),
            c.SuspendAccount(account=account),
            *(c.SuspendAccount(account=n, is_suspended=False) for n in (3, 4, 5, 6)),
            c.CancelAll(account=account, instrument=random.choice((-1, 0))),
            c.ResetAccount(account=random.choice((account, 3))),
            c.Tick(),
        )
    ), SYSTEM


def _random_money(random: Random, account: int) -> Command:
    amount = random.choice((1, 777, 10**6, 10**9, 1 << 61))
    asset = random.randrange(4)
    return random.choice(
        (
            c.Deposit(account=account, asset=asset, amount=amount, reference="top-up"),
            c.Deposit(account=account, asset=asset, amount=10**12),
            c.Withdraw(account=account, asset=asset, amount=amount),
            c.Transfer(source=account, target=random.choice((2, 3, 4, 9)), asset=asset, amount=amount),
        )
    )


def _random_order(market: Market, random: Random, account: int) -> Command:
    kind = random.choice((LIMIT, LIMIT, LIMIT, LIMIT, MARKET, MARKET_TO_LIMIT))
    tif = random.choice((GTC, GTC, GTC, IOC, FOK, DAY_ORDER, GTD)) if kind == LIMIT else GTC
    quantity = random.choice((1, 2, 3, 5, 8, 13, 100, 0, -4, 1 << 63, 1 << 49))
    if random.random() < 0.97:
        quantity = random.randint(1, 200)
    return c.PlaceOrder(
        account,
        7 if random.random() < 0.01 else random.randrange(2),
        random.choice((BUY, SELL)),
        kind,
        quantity,
        random.randint(960, 1040) if kind == LIMIT else 0,
        tif,
        display=1 if tif == GTC and kind == LIMIT and quantity > 5 and random.random() < 0.2 else 0,
        expires=market.ts // 1000 * 1000 + 90 * SECOND if tif == GTD else 0,
        is_post_only=kind == LIMIT and tif == GTC and random.random() < 0.2,
        stp=random.randint(1, 5),
        client_order_id=_random_client_id(random),
    )


def _random_client_id(random: Random) -> str:
    roll = random.random()
    if roll < 0.5:
        return ""
    return f"id-{random.randrange(3000)}" if roll < 0.98 else "not an id\x1b\ud800"


def _random_change(market: Market, random: Random, account: int) -> Command:
    state = market.engine.state
    own = [order for order in state.live_orders() if order.account.account_id == account]
    order_id = random.choice(own).order_id if own else 0
    quantity, limit = random.randint(1, 250), random.choice((0, random.randint(980, 1020)))
    return random.choice(
        (
            c.CancelOrder(account, order_id),
            c.ModifyOrder(account, order_id, quantity=quantity, limit=limit),
            c.ModifyOrder(account, order_id, quantity=quantity),
            c.ReplaceOrder(account, order_id, quantity, limit),
        )
    )


def random_market(seed: int, count: int) -> Market:
    made = Market()
    made.found()
    play(made, Random(seed), count)
    return made


@pytest.fixture
def market() -> Market:
    made = Market()
    made.found()
    return made


@pytest.fixture
def played() -> Callable[[int, int], Market]:
    """(seed, commands) -> a market after that many random commands."""

    return random_market


def _dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    connection = sqlite3.connect(path)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in names}
    finally:
        connection.close()


@pytest.fixture
def dump() -> Callable[[Path], dict[str, list[tuple[Any, ...]]]]:
    """Every row of every table."""
    return _dump


def _folded(path: Path, updates: list[Update]) -> Path:
    async def fold() -> None:
        projector = await Projector.open(path)
        try:
            await projector.fold(updates)
        finally:
            await projector.close()

    asyncio.run(fold())
    return path


@pytest.fixture
def folded() -> Callable[[Path, list[Update]], Path]:
    """Fold updates into the file with one projector."""
    return _folded
