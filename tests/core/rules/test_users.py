from __future__ import annotations

import pytest

from exchange.core import commands as c
from exchange.core.terms import HOUSE, ROLE_ADMIN, ROLE_CLIENT, ROLE_COMPLIANCE, ROLE_SUPER_ADMIN
from tests.reference.desk import ALICE, Desk, reason


def test_ids_count_up() -> None:
    desk = Desk()
    (registered,) = desk.send(c.RegisterUser(name="carol"))
    (opened,) = desk.send(c.OpenAccount(name="carol", owner=registered.user))
    assert (registered.user, opened.account) == (3, 5)
    assert desk.state.user_names["carol"] == 3
    assert desk.state.account_names["carol"] == 5


@pytest.mark.parametrize(
    ("own_role", "given", "allowed"),
    [
        (ROLE_ADMIN, ROLE_CLIENT, True),
        (ROLE_ADMIN, ROLE_COMPLIANCE, False),
        (ROLE_ADMIN, ROLE_SUPER_ADMIN, False),
        (ROLE_SUPER_ADMIN, ROLE_SUPER_ADMIN, True),
        (ROLE_SUPER_ADMIN, ROLE_COMPLIANCE, True),
    ],
)
def test_nobody_hands_out_a_role_he_may_not_set(own_role: int, given: int, allowed: bool) -> None:
    desk = Desk()
    desk.state.users[1].role = own_role
    answer = desk.send(c.RegisterUser(name="carol", role=given), actor=1)
    assert reason(answer) == ("" if allowed else "access.denied")


def test_a_new_role_counts_from_the_next_command_on() -> None:
    desk = Desk()
    halt = c.HaltInstrument(instrument=0)
    assert reason(desk.send(halt, actor=1)) == "access.denied"
    desk.send(c.SetRole(user=1, role=ROLE_ADMIN))
    assert reason(desk.send(halt, actor=1)) == ""
    desk.send(c.SetRole(user=1, role=ROLE_CLIENT))
    assert reason(desk.send(c.ResumeInstrument(instrument=0), actor=1)) == "access.denied"


def test_house_accounts_are_opened_by_admins_for_anybody() -> None:
    desk = Desk()
    (opened,) = desk.send(c.OpenAccount(name="pit", owner=1, kind=HOUSE, is_exempt=True))
    account = desk.state.accounts[opened.account]
    assert (account.kind, account.is_exempt, account.owner) == (HOUSE, True, 1)


def test_limits_and_suspension_are_kept_on_the_account() -> None:
    desk = Desk()
    desk.send(c.SetAccountLimits(account=ALICE, open_orders_max=0, is_exempt=True))
    desk.send(c.SuspendAccount(account=ALICE, reason="check"))
    desk.send(c.SetFeeTier(account=ALICE, tier=9))
    account = desk.state.accounts[ALICE]
    assert (account.open_orders_max, account.is_exempt, account.is_suspended, account.fee_tier) == (
        0,
        True,
        True,
        9,
    )
    desk.send(c.SuspendAccount(account=ALICE, is_suspended=False))
    assert not account.is_suspended
