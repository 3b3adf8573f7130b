"""Real recorded markets with a person in the queue: filled when the queue ahead is gone, never before."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.adapters.feeds.recorded import open_feed
from exchange.conformance.stage import Stage
from exchange.core.state.order import Order
from exchange.core.terms import BUY, IOC, SELL
from tests.adapters.feeds.recorded_person import Person, is_balanced, run

FEEDS = {
    "lobster": ("lobster/AMZN_2012-06-21_L10_message_20k.csv.gz", "AMZN"),
    "mbo": ("l3/ESH4_2023-12-25_mbo.csv.gz", "ESH4"),
    "l2": ("l2/BTCUSDT_spot_2024-08-08_feed.jsonl.gz", "BTC-USDT"),
}
BOOK = "lobster/AMZN_2012-06-21_L10_orderbook_20k.csv.gz"
WARM_UP = 800  # steps
ROUNDS = 15
PATIENCE = 250  # steps an order is watched


def stage_of(folder: Path, kind: str) -> Stage:
    file, symbol = FEEDS[kind]
    book = folder / BOOK if kind == "lobster" else None
    return Stage(open_feed(folder / file, instrument=symbol, book=book))


def ids_ahead(order: Order) -> list[int]:
    """Orders that trade before this one at its price."""
    found = []
    earlier = order.prev
    while earlier is not None:
        found.append(earlier.order_id)
        earlier = earlier.prev
    return found


@pytest.mark.parametrize("kind", FEEDS)
def test_a_person_waits_for_the_queue_ahead(shared_data: Path, kind: str) -> None:
    stage = stage_of(shared_data, kind)
    run(stage, WARM_UP)
    person = Person(stage)
    book = stage.state.books[0]
    filled = 0
    for number in range(ROUNDS):
        side = BUY if number % 2 else SELL
        name = person.place(side, book.best_bid() if side == BUY else book.best_ask(), 1)
        for _ in range(PATIENCE):
            order = person.order(name)
            if order is None:
                filled += 1
                break
            ahead = ids_ahead(order)
            stage.step()
            if person.order(name) is None:
                assert not any(stage.state.order(number) for number in ahead)
        else:
            person.cancel(name)
    assert filled > 0
    assert stage.refused == {}
    assert is_balanced(stage)


@pytest.mark.parametrize("kind", FEEDS)
def test_taking_liquidity_leaves_the_ledger_balanced(shared_data: Path, kind: str) -> None:
    stage = stage_of(shared_data, kind)
    run(stage, WARM_UP)
    person = Person(stage)
    book = stage.state.books[0]
    for number in range(ROUNDS):
        side = BUY if number % 2 else SELL
        price = book.best_ask() + 5 if side == BUY else book.best_bid() - 5
        before = stage.state.last_trade_id
        person.place(side, price, 3, IOC)
        assert stage.state.last_trade_id > before
        run(stage, 20)
    assert stage.refused == {}
    assert is_balanced(stage)


@pytest.mark.parametrize("name", ["GOOG_daily_2004_2013", "SPY_1min_2013-10-04_11", "EURUSD_daily_quotes"])
def test_recorded_bars_run_to_their_end(shared_data: Path, name: str) -> None:
    stage = Stage(open_feed(shared_data / f"ohlcv/{name}.csv.gz", instrument=name.partition("_")[0]))
    assert run(stage) > 8_000
    assert stage.refused == {}
    assert is_balanced(stage)
