from __future__ import annotations

import pytest

from exchange.core.messages import PlaceOrder
from exchange.core.state.ledger import ClientOrder
from exchange.core.state.order import Order
from exchange.core.state.root import TRIM, State
from exchange.core.terms import BUY, LIMIT
from exchange.core.units import CLIENT_ID_WINDOW, CLIENT_IDS_MAX
from tests.reference.audit import audit
from tests.reference.desk import ALICE, Desk


def test_every_exchange_is_founded_with_the_same_accounts() -> None:
    state = State()
    state.found()
    assert [(user.name, user.role) for user in state.users] == [("system", 7)]
    assert [(a.account_id, a.name, a.owner) for a in state.accounts] == [
        (0, "fees", 0),
        (1, "external", 0),
        (2, "house", 0),
    ]
    assert state.account_names == {"fees": 0, "external": 1, "house": 2}


def test_unknown_ids_find_nothing() -> None:
    state = State()
    state.found()
    for number in (-2, -1, 1, 99, 1 << 70):
        assert state.user(number) is None
        assert state.asset(number) is None
        assert state.book(number) is None
        assert state.order(number) is None
    for number in (-1, 3):
        assert state.account(number) is None
    assert state.order(0) is None


def test_order_ids_count_up_and_finished_orders_are_forgotten() -> None:
    desk = Desk()
    one, two = desk.buy(ALICE, 5, 100), desk.buy(ALICE, 5, 99)
    assert (one, two) == (1, 2)
    order = desk.order(one)
    desk.state.forget(order)
    assert desk.state.order(one) is None
    assert [order.order_id for order in desk.state.live_orders()] == [two]


def live(state: State, desk: Desk) -> Order:
    """A live order straight in the table, without a book."""
    order = Order(
        state.new_order_id(), 0, state.accounts[ALICE], desk.book, PlaceOrder(ALICE, 0, BUY, LIMIT, 1, 1), 1
    )
    state.keep(order)
    return order


def test_the_order_table_is_cut_where_every_order_is_finished() -> None:
    """The order that triggers the cut must find its place."""
    desk = Desk()
    state = desk.state
    for _ in range(TRIM - 1):
        state.new_order_id()
    order_id = desk.buy(ALICE, 5, 100)
    assert order_id == TRIM
    assert len(state.orders) < 3
    assert desk.order(order_id).leaves == 5
    audit(state)
    assert desk.buy(ALICE, 5, 99) == TRIM + 1
    audit(state)


def test_a_live_order_stops_the_cut() -> None:
    desk = Desk()
    state = desk.state
    old = live(state, desk)
    for _ in range(2 * TRIM):
        state.new_order_id()
    assert state.order(old.order_id) is old
    state.forget(old)
    for _ in range(TRIM):
        state.new_order_id()
    assert state.order_base > TRIM
    assert state.order(old.order_id) is None
    assert live(state, desk).order_id == 3 * TRIM + 2


def test_an_account_lists_its_open_orders_oldest_first() -> None:
    desk = Desk()
    orders = [desk.order(desk.buy(ALICE, 1, 100 - at)) for at in range(4)]
    account = desk.state.accounts[ALICE]
    assert account.open_orders == 4
    for gone in (orders[1], orders[0], orders[3]):
        desk.book.remove(gone)
        gone.quote_balance.held -= gone.hold
        desk.state.forget(gone)
        audit(desk.state)
    assert account.first_order is account.last_order is orders[2]


def remember(state: State, client_order_id: str, order_id: int, ts: int) -> list[str]:
    """The ids the account knows afterwards."""
    account, state.ts = state.accounts[ALICE], ts
    command = PlaceOrder(ALICE, 0, BUY, LIMIT, 5, 100, client_order_id=client_order_id)
    state.remember(account, order_id, command)
    assert account.client_orders[client_order_id].order_id == order_id
    assert account.client_orders[client_order_id].ts == ts
    return list(account.client_orders)


def test_client_order_ids_are_kept_for_a_day_oldest_first() -> None:
    state = Desk().state
    remember(state, "a", 1, 1_000)
    remember(state, "b", 2, 2_000)
    assert remember(state, "c", 3, CLIENT_ID_WINDOW + 999) == ["a", "b", "c"]
    assert remember(state, "d", 4, CLIENT_ID_WINDOW + 1_000) == ["b", "c", "d"]
    assert remember(state, "e", 5, 3 * CLIENT_ID_WINDOW) == ["e"]


def test_the_client_order_id_of_a_live_order_is_kept_and_with_it_those_behind() -> None:
    desk = Desk()
    state = desk.state
    order = live(state, desk)
    remember(state, "gone", 98, 1_000)
    remember(state, "live", order.order_id, 1_000)
    remember(state, "behind", 99, 1_000)
    late = 9 * CLIENT_ID_WINDOW
    assert remember(state, "new", 100, late) == ["live", "behind", "new"]
    state.forget(order)
    assert remember(state, "last", 101, late) == ["new", "last"]


@pytest.mark.slow
def test_client_order_ids_are_bounded_even_of_live_orders() -> None:
    desk = Desk()
    order = live(desk.state, desk)
    known = ClientOrder(order.order_id, 1_000, order.command)
    desk.state.accounts[ALICE].client_orders.update((f"c{at}", known) for at in range(CLIENT_IDS_MAX))
    kept = remember(desk.state, "last", 2, 1_001)
    assert (len(kept), kept[0], kept[-1]) == (CLIENT_IDS_MAX, "c1", "last")
