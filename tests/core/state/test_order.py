from __future__ import annotations

from exchange.core.messages import PlaceOrder
from exchange.core.state.order import DONE_STATUS, TRANSITIONS, Order
from exchange.core.terms import BUY, DONE_REASONS, LIMIT
from tests.reference.desk import ALICE, Desk


def test_finished_orders_stay_finished() -> None:
    finished = {status for status, nexts in TRANSITIONS.items() if not nexts}
    assert finished == {"filled", "canceled", "expired", "replaced"}


def test_every_status_is_known_and_reached_from_new() -> None:
    reached = {"new"}
    while more := {nxt for one in reached for nxt in TRANSITIONS[one]} - reached:
        reached |= more
    assert reached == set(TRANSITIONS)


def test_every_ending_has_a_status() -> None:
    assert set(DONE_STATUS) == set(range(1, len(DONE_REASONS)))
    assert set(DONE_STATUS.values()) <= {status for status, nexts in TRANSITIONS.items() if not nexts}


def test_a_new_order_is_whole_and_holds_nothing_yet() -> None:
    desk = Desk()
    account = desk.state.accounts[ALICE]
    order = Order(7, 5_000, account, desk.book, PlaceOrder(ALICE, 0, BUY, LIMIT, 9, 100), 100)
    assert (order.leaves, order.filled, order.quantity, order.hold, order.timer) == (9, 0, 9, 0, 0)
    assert order.quote_balance is account.balances[0]
    assert order.base_balance is account.balances[1]
    order.filled, order.leaves = 4, 3
    assert order.quantity == 7
