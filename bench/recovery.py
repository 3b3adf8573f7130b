"""P6: first accepted order after a restart with a large state and a journal tail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exchange.adapters.clock import SystemClock
from exchange.adapters.store import open_exchange
from exchange.core.commands import Command, Deposit, ListAsset, ListInstrument, OpenAccount, RegisterUser
from exchange.core.messages import PlaceOrder
from exchange.core.terms import BUY, LIMIT, SELL
from exchange.runtime.sequencer import Exchange

BATCH = 1_000
FIRST_ACCOUNT = 3  # fees, external and house come first


def order(number: int, accounts: int) -> PlaceOrder:
    """A resting order; even accounts hold the base asset and sell, odd ones buy; 2,000 levels."""
    account = number % accounts
    is_sell = account % 2 == 0
    price = 30_001 + number % 1_000 if is_sell else 30_000 - number % 1_000
    return PlaceOrder(FIRST_ACCOUNT + account, 0, SELL if is_sell else BUY, LIMIT, 1 + number % 50, price)


def commit(store: Exchange, commands: list[Command]) -> None:
    for at in range(0, len(commands), BATCH):
        store.commit([(0, command) for command in commands[at : at + BATCH]])


def grow(store: Exchange, accounts: int, orders: int) -> None:
    commands: list[Command] = [
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
        ),
        RegisterUser(name="owner"),
    ]
    for i in range(accounts):
        commands.append(OpenAccount(name=f"a{i}", owner=1, is_exempt=True))
        commands.append(Deposit(account=FIRST_ACCOUNT + i, asset=i % 2, amount=1 << 50))
    commit(store, commands)
    commit(store, [order(i, accounts) for i in range(orders)])


def measure(accounts: int, orders: int, tail: int, rounds: int) -> list[float]:
    """Wall seconds of new processes from their start to the first durable answer."""
    home = tempfile.mkdtemp(prefix="tradecli-recovery-")
    me = [sys.executable, "-m", "bench.recovery", home]
    try:
        subprocess.run([*me, str(accounts), str(orders), str(tail)], check=True)
        os.sync()
        spent = []
        for _ in range(rounds):
            start = time.perf_counter()
            with subprocess.Popen(me, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                answer = process.stdout.readline()
                spent.append(time.perf_counter() - start)
            assert answer == "accepted\n"
        return spent
    finally:
        shutil.rmtree(home)


def build(home: Path, accounts: int, orders: int, tail: int) -> None:
    store = open_exchange(home, SystemClock())
    grow(store, accounts, orders)
    store.snapshot()
    commit(store, [order(i, accounts) for i in range(tail)])
    store.snapshot_seq = store.state.seq  # closing takes no snapshot: the tail is to be replayed
    store.close()


def restart(home: Path) -> None:
    store = open_exchange(home, SystemClock())
    receipt = store.commit([(0, order(0, 2))])[0]
    print("accepted" if receipt.reject is None else receipt.reject.reason, flush=True)
    store.snapshot_seq = store.state.seq
    store.close()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        restart(Path(sys.argv[1]))
    else:
        build(Path(sys.argv[1]), *(int(argument) for argument in sys.argv[2:]))
