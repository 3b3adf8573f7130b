from __future__ import annotations

from exchange.core.engine import Engine
from exchange.core.messages import PlaceOrder, Record
from exchange.core.state.copying import dump, fork, load
from exchange.core.terms import BUY, DAY_ORDER, LIMIT, SELL
from exchange.core.units import SECOND
from tests.reference.audit import audit
from tests.reference.desk import ALICE, BOB, Desk
from tests.reference.differential import queue


def traded() -> Desk:
    """A book with a half-used iceberg, a partly filled order, timers and client order ids."""
    desk = Desk()
    desk.place(ALICE, SELL, 10, 101, display=4)
    desk.place(ALICE, SELL, 3, 101)
    desk.place(BOB, BUY, 6, 101)
    desk.place(BOB, BUY, 5, 99, tif=DAY_ORDER)
    desk.place(BOB, BUY, 5, 98, tif=5, expires=desk.now + SECOND)
    desk.send(PlaceOrder(ALICE, 0, SELL, LIMIT, 2, 99, client_order_id="a-1"))
    return desk


def test_a_loaded_state_is_the_dumped_one() -> None:
    state = traded().state
    loaded = load(dump(state))
    assert dump(loaded) == dump(state)
    audit(loaded)
    assert queue(loaded.books[0].asks) == queue(state.books[0].asks)
    assert queue(loaded.books[0].bids) == queue(state.books[0].bids)
    assert loaded.timers.next_due == state.timers.next_due
    assert loaded.account_names == state.account_names
    assert list(loaded.accounts[ALICE].client_orders) == ["a-1"]


def test_an_empty_state_survives() -> None:
    state = Engine().state
    assert dump(load(dump(state))) == dump(state)


def test_a_dump_holds_nothing_but_lists_of_plain_values() -> None:
    def check(value: object) -> None:
        if type(value) in (list, tuple):
            for item in value:
                check(item)
        else:
            assert type(value) in (int, str, bool)

    check(dump(traded().state))


def test_a_fork_can_trade_without_the_original_noticing() -> None:
    desk = traded()
    state = desk.state
    before = dump(state)
    forked = fork(state, 0, (0, BOB))
    command = PlaceOrder(BOB, 0, BUY, LIMIT, 50, 105)
    on_fork = Engine(forked).apply(Record(state.seq + 1, state.ts, 2, command))
    assert dump(state) == before
    assert [type(event) for event in desk.send(command)] == [type(event) for event in on_fork]
    assert dump(state)[4] == dump(forked)[4]
