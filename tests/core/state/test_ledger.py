from __future__ import annotations

import pytest

from exchange.core.messages import PlaceOrder
from exchange.core.state.ledger import Account, Balance, ClientOrder, move, trial_balance
from exchange.core.terms import CLIENT, EXTERNAL
from exchange.core.units import CLIENT_ID_WINDOW, CLIENT_IDS_MAX

COMMAND = PlaceOrder(3, 0, 1, 2, 5, 100)


def account(kind: int = CLIENT) -> Account:
    return Account(3, "alice", 1, kind)


def test_balances_open_at_zero_and_stay_the_same_object() -> None:
    alice = account()
    assert alice.available(5) == 0
    assert alice.balances == []
    balance = alice.balance(5)
    assert (balance.posted, balance.held) == (0, 0)
    assert alice.balance(5) is balance
    assert alice.available(4) == 0
    assert alice.balances[:5] == [None] * 5


def test_what_is_held_is_not_available() -> None:
    alice = account()
    alice.balances.append(Balance(100, 40))
    assert alice.available(0) == 60


def test_a_move_takes_from_one_and_gives_to_the_other() -> None:
    outside, alice, bob = account(EXTERNAL), account(), account()
    move(outside, alice, 1, 100)
    move(alice, bob, 1, 30)
    assert [each.balance(1).posted for each in (outside, alice, bob)] == [-100, 70, 30]
    assert trial_balance([outside, alice, bob], 3) == [0, 0, 0]


def test_moving_more_than_is_free_is_a_bug() -> None:
    alice, bob = account(), account()
    with pytest.raises(AssertionError):
        move(alice, bob, 0, 1)
    alice = account()
    alice.balances.append(Balance(100, 40))
    with pytest.raises(AssertionError):
        move(alice, bob, 0, 61)


def test_trial_balance_shows_what_is_missing() -> None:
    alice = account()
    alice.balance(1).posted = 7
    assert trial_balance([alice], 2) == [0, 7]


def test_client_order_ids_are_kept_for_a_day_oldest_first() -> None:
    alice = account()
    alice.remember("a", 1, 1_000, COMMAND)
    alice.remember("b", 2, 2_000, COMMAND)
    alice.remember("c", 3, CLIENT_ID_WINDOW + 999, COMMAND)
    assert list(alice.client_orders) == ["a", "b", "c"]
    alice.remember("d", 4, CLIENT_ID_WINDOW + 1_000, COMMAND)
    assert list(alice.client_orders) == ["b", "c", "d"]
    alice.remember("e", 5, 3 * CLIENT_ID_WINDOW, COMMAND)
    assert list(alice.client_orders) == ["e"]
    assert (alice.client_orders["e"].order_id, alice.client_orders["e"].ts) == (5, 3 * CLIENT_ID_WINDOW)


@pytest.mark.slow
def test_client_order_ids_are_bounded() -> None:
    alice, known = account(), ClientOrder(1, 1_000, COMMAND)
    alice.client_orders.update((f"c{number}", known) for number in range(CLIENT_IDS_MAX))
    alice.remember("last", 2, 1_001, COMMAND)
    assert len(alice.client_orders) == CLIENT_IDS_MAX
    assert "c0" not in alice.client_orders
    assert "last" in alice.client_orders
