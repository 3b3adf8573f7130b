from __future__ import annotations

import pytest

from exchange.core import commands as c
from exchange.core.events import LevelChanged, OrderDone, Traded
from exchange.core.messages import PlaceOrder
from exchange.core.rules.matching import expires_of, fillable
from exchange.core.terms import (
    BUY,
    LIMIT,
    SELL,
    STP_CANCEL_NEWEST,
    STP_CANCEL_OLDEST,
    STP_DECREMENT,
    STP_NONE,
)
from exchange.core.units import DAY, SECOND
from tests.reference.desk import ALICE, BOB, Desk
from tests.reference.differential import queue

ALICES, BOBS = 1, 2  # users
BOTH = 3


@pytest.fixture
def desk() -> Desk:
    """Asks: Bob 3 @ 100, Alice 4 @ 100, Bob an iceberg of 6 showing 2 @ 101."""
    made = Desk()
    made.sell(BOB, 3, 100)
    made.sell(ALICE, 4, 100)
    made.place(BOB, SELL, 6, 101, display=2)
    return made


@pytest.mark.parametrize(
    ("owner", "quantity", "limit", "stp", "lots"),
    [
        (99, 100, 99, STP_CANCEL_NEWEST, 0),
        (99, 100, 100, STP_CANCEL_NEWEST, 7),
        (99, 100, 101, STP_CANCEL_NEWEST, 13),
        (99, 5, 101, STP_CANCEL_NEWEST, 5),
        (ALICES, 100, 101, STP_CANCEL_NEWEST, 3),
        (ALICES, 100, 101, BOTH, 3),
        (ALICES, 100, 101, STP_CANCEL_OLDEST, 9),
        (ALICES, 100, 101, STP_DECREMENT, 9),
        (ALICES, 7, 101, STP_DECREMENT, 3),
        (ALICES, 8, 101, STP_DECREMENT, 4),
        (ALICES, 100, 101, STP_NONE, 13),
        (BOBS, 100, 101, STP_CANCEL_NEWEST, 0),
        (BOBS, 100, 101, STP_CANCEL_OLDEST, 4),
    ],
)
def test_fillable_counts_what_would_trade(
    desk: Desk, owner: int, quantity: int, limit: int, stp: int, lots: int
) -> None:
    found, value = fillable(desk.book, owner, BUY, quantity, -limit, stp)
    assert found == lots
    assert lots * 1_000 <= value <= lots * 1_010


def test_a_level_is_told_once_per_sweep_however_many_orders_it_loses() -> None:
    desk = Desk()
    for _ in range(5):
        desk.sell(ALICE, 1, 100)
    levels = [event for event in desk.place(BOB, BUY, 5, 100) if isinstance(event, LevelChanged)]
    assert [(level.side, level.price, level.quantity, level.orders) for level in levels] == [
        (SELL, 100, 0, 0)
    ]


def test_a_partly_filled_maker_keeps_its_place() -> None:
    desk = Desk()
    first, second = desk.sell(ALICE, 5, 100), desk.sell(ALICE, 5, 100)
    desk.buy(BOB, 3, 100)
    assert queue(desk.book.asks) == [(first, 2, 2), (second, 5, 5)]


def test_trade_numbers_count_up_without_gaps() -> None:
    desk = Desk()
    for limit in (100, 101, 102):
        desk.sell(ALICE, 1, limit)
    trades = [event for event in desk.place(BOB, BUY, 3, 105) if isinstance(event, Traded)]
    assert [trade.trade_id for trade in trades] == [1, 2, 3]
    assert [trade.taker_leaves for trade in trades] == [2, 1, 0]


def test_resting_orders_expire_by_their_time_in_force() -> None:
    desk = Desk(session_close=10 * 3600 * SECOND)
    ends = []
    for tif, expires in ((1, 0), (4, 0), (5, desk.now + 7 * SECOND)):
        desk.place(ALICE, BUY, 1, 100, tif=tif, expires=expires)
        ends.append(expires_of(desk.order(len(ends) + 1)))
    start = 19_786 * DAY
    assert ends == [0, start + 10 * 3600 * SECOND, start + 7 * SECOND]


def test_an_order_that_trades_at_once_leaves_no_timer() -> None:
    desk = Desk()
    desk.sell(ALICE, 5, 100)
    desk.place(BOB, BUY, 5, 100, tif=5, expires=desk.now + SECOND)
    assert desk.state.timers.pending() == []
    assert desk.send(c.Tick(), wait=2 * SECOND) == []


def test_a_sweep_through_the_whole_book_leaves_it_empty() -> None:
    desk = Desk()
    for limit in range(100, 150):
        desk.sell(ALICE, 2, limit)
    events = desk.send(PlaceOrder(BOB, 0, BUY, 1, 200))
    assert (desk.book.asks.keys, desk.book.asks.ladder) == ([], [])
    assert sum(isinstance(event, Traded) for event in events) == 50
    (end,) = (event for event in events if isinstance(event, OrderDone) and event.order_id == 51)
    assert end.leaves == 100
    assert desk.send(PlaceOrder(BOB, 0, BUY, LIMIT, 1, 1))
