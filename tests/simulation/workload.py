"""A seeded stream of every kind of command, and what the engine alone makes of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from exchange.codec import state_digest
from exchange.core.commands import (
    AmendInstrument,
    CancelAll,
    CancelOrder,
    Command,
    Deposit,
    HaltInstrument,
    ListAsset,
    ListInstrument,
    ModifyOrder,
    OpenAccount,
    PlaceOrder,
    RegisterUser,
    ReplaceOrder,
    ResetAccount,
    ResumeInstrument,
    SetAccountLimits,
    SetFeeTier,
    SetRole,
    SuspendAccount,
    Tick,
    Transfer,
    Withdraw,
)
from exchange.core.engine import Engine
from exchange.core.messages import Record
from exchange.core.terms import BUY, GTC, GTD, IOC, LIMIT, MARKET, ROLE_CLIENT, SELL
from exchange.core.units import SECOND
from exchange.runtime.ports import Request

START = 1_700_000_000 * SECOND
BETWEEN = SECOND // 100  # engine time from one block to the next
ACCOUNTS = (3, 4, 5)


def opening() -> list[Request]:
    """Two assets, a book, three funded accounts of three users."""
    requests: list[Request] = [
        (0, ListAsset(symbol="BTC", exponent=8)),
        (0, ListAsset(symbol="USDC", exponent=6)),
        (
            0,
            ListInstrument(
                symbol="BTC-USDC",
                name="Bitcoin",
                venue="CENTRAL",
                base=0,
                quote=1,
                tick_units=1,
                price_decimals=2,
                lot_units=1,
                quantity_decimals=4,
                fees=((1_000, 2_000), (500, 1_500)),
            ),
        ),
    ]
    for number, account in enumerate(ACCOUNTS, 1):
        requests.append((0, RegisterUser(name=f"user{number}", role=ROLE_CLIENT)))
        requests.append((0, OpenAccount(name=f"account{number}", owner=number)))
        requests += [(0, Deposit(account=account, asset=asset, amount=10**13)) for asset in (0, 1)]
    return requests


def requests(seed: int, count: int) -> list[Request]:
    """The opening, then mostly orders, and now and then everything else."""
    rng = random.Random(seed)
    made = opening()
    while len(made) < count:
        account = rng.choice(ACCOUNTS)
        command = _order(rng, account, len(made)) if rng.random() < 0.8 else _other(rng, account, len(made))
        actor = account - 2 if isinstance(command, PlaceOrder | CancelOrder | ModifyOrder) else 0
        made.append((actor, command))
    return made[:count]


def blocks(made: Sequence[Request], seed: int, largest: int = 4) -> list[list[Request]]:
    """The stream cut into commits of 1 to ``largest``."""
    rng = random.Random(seed)
    rest = list(made)
    cut = []
    while rest:
        size = rng.randint(1, largest)
        cut.append(rest[:size])
        rest = rest[size:]
    return cut


def records(cut: Sequence[Sequence[Request]]) -> list[Record]:
    """As a sequencer stamps them whose clock advances ``BETWEEN`` from block to block."""
    made: list[Record] = []
    for number, block in enumerate(cut):
        for actor, command in block:
            made.append(Record(len(made) + 1, START + number * BETWEEN, actor, command))
    return made


def digests(stream: Sequence[Record]) -> list[str]:
    """State digest after no record, one record, two ..."""
    engine = Engine()
    made = [state_digest(engine.state)]
    for record in stream:
        engine.apply(record)
        made.append(state_digest(engine.state))
    return made


def _order(rng: random.Random, account: int, number: int) -> Command:
    side = rng.choice((BUY, SELL))
    limit = 10_000 + rng.randint(-30, 30)
    some = rng.randint(1, 8)
    draw = rng.random()
    if draw < 0.45:
        return PlaceOrder(account, 0, side, LIMIT, some, limit, GTC, client_order_id=f"c{number}")
    if draw < 0.55:  # expires a few blocks later
        due = START + (number + rng.randint(1, 20)) * BETWEEN
        return PlaceOrder(account, 0, side, LIMIT, some, limit, GTD, expires=due)
    if draw < 0.62:
        return PlaceOrder(account, 0, side, LIMIT, some + 5, limit, GTC, display=2)
    if draw < 0.70:
        return PlaceOrder(account, 0, side, MARKET, some, 0, IOC)
    if draw < 0.85:
        return CancelOrder(account, max(1, number - rng.randint(1, 25)))
    if draw < 0.95:
        return ModifyOrder(account, max(1, number - rng.randint(1, 25)), quantity=some, limit=limit)
    return ReplaceOrder(account, max(1, number - rng.randint(1, 25)), some, limit)


def _other(rng: random.Random, account: int, number: int) -> Command:
    return rng.choice(
        (
            Deposit(account=account, asset=1, amount=rng.randint(1, 10**6), reference="más"),
            Withdraw(account=account, asset=0, amount=rng.randint(1, 10**6)),
            Transfer(source=account, target=2, asset=1, amount=rng.randint(1, 10**6)),
            HaltInstrument(instrument=0, reason="test"),
            ResumeInstrument(instrument=0),
            ResumeInstrument(instrument=0),
            CancelAll(account=account, side=rng.choice((0, BUY, SELL))),
            SuspendAccount(account=account, is_suspended=False),
            SetAccountLimits(account=account, open_orders_max=rng.randint(5, 50)),
            SetFeeTier(account=account, tier=rng.randint(0, 1)),
            SetRole(user=1, role=ROLE_CLIENT),
            ResetAccount(account=2),
            RegisterUser(name=f"late{number}"),
            AmendInstrument(
                instrument=0,
                fees=((1_000, 2_000), (rng.randint(0, 900), 1_500)),
                quantity_min=1,
                quantity_max=0,
                notional_min=0,
                notional_max=0,
                band_ppm=0,
                reference=0,
                session_open=0,
                session_close=0,
                session_days=127,
            ),
            Tick(),
        )
    )
