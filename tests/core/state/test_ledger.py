from __future__ import annotations

import pytest

from exchange.core.state.ledger import Account, Balance, move, trial_balance
from exchange.core.terms import CLIENT, EXTERNAL


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
