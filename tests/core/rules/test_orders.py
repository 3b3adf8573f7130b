"""Handlers whose point is not visible in a scenario table; the tables hold the rest."""

from __future__ import annotations

from exchange.core import commands as c
from exchange.core.events import OrderAccepted
from exchange.core.messages import PlaceOrder
from exchange.core.terms import BUY, GTD, LIMIT, SELL
from exchange.core.units import GTD_HORIZON, LOTS_MAX, MICRO, TICKS_MAX
from tests.reference.audit import audit
from tests.reference.desk import ALICE, BOB, USDC, Desk, accepted, reason


def test_the_accepted_event_carries_the_command_itself() -> None:
    desk = Desk()
    command = PlaceOrder(ALICE, 0, BUY, LIMIT, 5, 100, client_order_id="a-1")
    event = next(e for e in desk.send(command, actor=1) if isinstance(e, OrderAccepted))
    assert event.order is command
    assert desk.order(event.order_id).command is command


def test_only_timers_and_the_exchange_expire_orders() -> None:
    desk = Desk()
    order_id = desk.buy(ALICE, 5, 100)
    for actor in (1, 2, 99):
        assert reason(desk.send(c.ExpireOrder(order_id=order_id), actor=actor)) == "access.denied"
    assert desk.order(order_id).leaves == 5
    assert reason(desk.send(c.ExpireOrder(order_id=order_id))) == ""
    assert desk.state.order(order_id) is None


def test_the_largest_order_is_refused_by_its_value_not_by_an_overflow() -> None:
    desk = Desk()
    (rejected,) = desk.place(ALICE, BUY, LOTS_MAX, TICKS_MAX)
    value = LOTS_MAX * TICKS_MAX * desk.book.instrument.unit
    assert rejected.reject.reason == "funds.insufficient"
    assert rejected.reject.actual == value + -(-value * 500 // 1_000_000)
    audit(desk.state)


def test_money_to_the_last_unit_is_enough_and_one_less_is_not() -> None:
    for short in (0, 1):
        desk = Desk()
        desk.send(c.Withdraw(account=ALICE, asset=USDC, amount=10**9 - 10_005 + short))
        events = desk.place(ALICE, BUY, 10, 100)
        assert reason(events) == ("funds.insufficient" if short else "")


def test_a_refused_change_leaves_order_queue_and_hold_alone() -> None:
    desk = Desk()
    first, second = desk.buy(ALICE, 5, 100), desk.buy(BOB, 5, 100)
    held = desk.order(first).hold
    for command in (
        c.ModifyOrder(ALICE, first, quantity=LOTS_MAX, limit=TICKS_MAX),
        c.ReplaceOrder(ALICE, first, LOTS_MAX, TICKS_MAX),
        c.ModifyOrder(ALICE, first, quantity=-5),
    ):
        assert reason(desk.send(command))
    order = desk.order(first)
    assert (order.limit, order.leaves, order.hold, order.next) == (100, 5, held, desk.order(second))
    audit(desk.state)


def test_a_change_of_both_sides_of_the_limit_is_judged_as_one() -> None:
    """Shrinking with a new limit is no shrinking in place: it may trade."""
    desk = Desk()
    desk.sell(BOB, 3, 101)
    order_id = desk.buy(ALICE, 10, 100)
    desk.send(c.ModifyOrder(ALICE, order_id, quantity=5, limit=101))
    order = desk.order(order_id)
    assert (order.filled, order.leaves, order.limit) == (3, 2, 101)


def test_client_order_ids_name_the_order_until_it_ends() -> None:
    desk = Desk()
    order_id = accepted(desk.send(PlaceOrder(ALICE, 0, BUY, LIMIT, 5, 100, client_order_id="a")))
    assert reason(desk.send(c.ModifyOrder(ALICE, 0, "a", quantity=4))) == ""
    assert desk.order(order_id).leaves == 4
    assert reason(desk.send(c.CancelOrder(ALICE, 0, "b"))) == "order.unknown"
    assert reason(desk.send(c.CancelOrder(ALICE, 0, ""))) == "order.unknown"
    assert reason(desk.send(c.CancelOrder(BOB, 0, "a"))) == "order.unknown"
    assert reason(desk.send(c.CancelOrder(ALICE, 0, "a"))) == ""


def test_cancel_all_takes_orders_of_one_account_oldest_first() -> None:
    desk = Desk()
    mine = [desk.buy(ALICE, 1, 100 - at) for at in range(5)]
    other = desk.sell(BOB, 1, 200)
    events = desk.send(c.CancelAll(account=ALICE, side=BUY), actor=1)
    assert [event.order_id for event in events if hasattr(event, "reason")] == mine
    assert [order.order_id for order in desk.state.live_orders()] == [other]
    assert desk.send(c.CancelAll(account=ALICE, side=SELL)) == []


def test_expiry_is_a_whole_microsecond_within_the_horizon() -> None:
    for wait, limit in ((MICRO + 1, 0), (2 * MICRO - 1, 0), (GTD_HORIZON + 1, GTD_HORIZON), (0, GTD_HORIZON)):
        desk = Desk()
        (rejected,) = desk.place(ALICE, BUY, 5, 100, tif=GTD, expires=desk.now + wait)
        assert rejected.reject.reason == "order.expiry_invalid"
        assert rejected.reject.limit == (desk.now + limit if limit else 0)
        assert (rejected.reject.actual, rejected.reject.unit) == (desk.now + wait, "Nanos")
        assert accepted(desk.place(ALICE, BUY, 5, 100, tif=GTD, expires=desk.now + MICRO)) == 1


def test_a_replacement_asked_for_again_names_the_order_it_made() -> None:
    desk = Desk()
    first = desk.buy(ALICE, 5, 100)
    command = c.ReplaceOrder(ALICE, first, 4, 0, "b")
    second = accepted(desk.send(command))
    for again, expected in (
        (command, "order.exists"),
        (c.ReplaceOrder(ALICE, first, 4, 100, "b"), "order.exists"),
        (c.ReplaceOrder(ALICE, first, 4, 101, "b"), "order.exists_with_different_fields"),
        (c.ReplaceOrder(ALICE, first, 5, 0, "b"), "order.exists_with_different_fields"),
    ):
        (rejected,) = desk.send(again)
        assert (rejected.reject.reason, rejected.order_id) == (expected, second)
        assert (rejected.reject.limit, rejected.reject.actual) == (second, second)
    (rejected,) = desk.send(c.ReplaceOrder(ALICE, first, 4, 0, "c"))
    assert (rejected.reject.reason, rejected.order_id, rejected.reject.actual) == ("order.unknown", 0, first)
