"""P2 and P3: one order through risk check, hold, match, settlement of both sides, fees and events.

The engine is driven through ``Engine.apply`` with a ``Record`` built per message inside the timed
loop, as its edge would; the peers only match.
"""

from __future__ import annotations

import gc
import time

from bench import workload
from exchange.core.commands import (
    Command,
    Deposit,
    ListAsset,
    ListInstrument,
    OpenAccount,
    RegisterUser,
)
from exchange.core.engine import Engine
from exchange.core.messages import CancelOrder, Event, PlaceOrder, Record, Rejected, Traded
from exchange.core.terms import GTC, LIMIT, MARKET, STP_NONE
from exchange.core.terms import IOC as IOC_ORDER

FIRST_ACCOUNT = 3  # fees, external and house come first
ORDER_TYPES = {workload.LIMIT: LIMIT, workload.IOC: LIMIT, workload.MARKET: MARKET}


def market() -> Engine:
    """A book with ``workload.ACCOUNTS`` funded accounts; fees are charged, limits are off."""
    engine = Engine()
    setup: list[Command] = [
        ListAsset(symbol="BTC", exponent=8),
        ListAsset(symbol="USD", exponent=2),
        ListInstrument(
            symbol="BTC-USD",
            name="bench",
            venue="BENCH",
            base=0,
            quote=1,
            tick_units=1,
            price_decimals=1,
            lot_units=1,
            quantity_decimals=1,
            fees=((200, 500),),
        ),
    ]
    setup += [RegisterUser(name=f"u{i}") for i in range(workload.ACCOUNTS)]
    setup += [OpenAccount(name=f"a{i}", owner=i + 1, is_exempt=True) for i in range(workload.ACCOUNTS)]
    for i in range(workload.ACCOUNTS):
        setup += [Deposit(account=FIRST_ACCOUNT + i, asset=asset, amount=1 << 58) for asset in (0, 1)]
    for command in setup:
        events = engine.apply(Record(engine.state.seq + 1, 0, 0, command))
        assert not isinstance(events[-1], Rejected)
    return engine


def commands(work: workload.Workload) -> list[tuple[int, Command]]:
    """(actor, command) per message."""
    made: list[tuple[int, Command]] = []
    for op, oid, acct, side, price, quantity in work.messages():
        account = FIRST_ACCOUNT + acct
        if op == workload.CANCEL:
            made.append((acct + 1, CancelOrder(account, oid)))
            continue
        tif = GTC if op == workload.LIMIT else IOC_ORDER
        order = PlaceOrder(
            account,
            0,
            side + 1,
            ORDER_TYPES[op],
            quantity,
            price,
            tif,
            0,
            0,
            False,
            STP_NONE,
        )
        made.append((acct + 1, order))
    return made


def trades_of(events: list[Event]) -> list[tuple[int, int, int, int]]:
    return [
        (e.maker_order_id, e.taker_order_id, e.price, e.quantity) for e in events if isinstance(e, Traded)
    ]


def is_right(work: workload.Workload) -> bool:
    """Does the engine reproduce the workload's trades?"""
    engine = market()
    count = notional = digest = 0
    for actor, command in commands(work):
        for trade in trades_of(engine.apply(Record(engine.state.seq + 1, 0, actor, command))):
            count += 1
            notional += trade[2] * trade[3]
            digest = workload.fold(digest, *trade)
    expect = work.expect
    return (count, notional, digest, len(engine.state.live_orders())) == (
        expect.trades,
        expect.notional,
        expect.digest,
        expect.resting,
    )


def seconds(work: workload.Workload) -> float:
    """Process time of the whole workload."""
    engine = market()
    made = commands(work)
    apply, seq = engine.apply, engine.state.seq
    gc.collect()
    gc.disable()
    start = time.process_time()
    for actor, command in made:
        seq += 1
        apply(Record(seq, 0, actor, command))
    spent = time.process_time() - start
    gc.enable()
    return spent


def latencies_ns(work: workload.Workload) -> list[int]:
    """Wall nanoseconds of each ``apply``, sorted, with the collector set as the owner sets it."""
    from exchange.runtime.recovery import tune_collector

    engine = market()
    made = commands(work)
    apply, seq, clock = engine.apply, engine.state.seq, time.perf_counter_ns
    thresholds = gc.get_threshold()
    tune_collector()
    spent = []
    for actor, command in made:
        seq += 1
        record = Record(seq, 0, actor, command)
        start = clock()
        apply(record)
        spent.append(clock() - start)
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    spent.sort()
    return spent
