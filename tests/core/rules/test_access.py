from __future__ import annotations

import pytest

from exchange.core import commands as c
from exchange.core.commands import COMMANDS
from exchange.core.rules.access import may_act, operate, owns, right
from exchange.core.terms import ROLES
from tests.reference.desk import ALICE, BOB, Desk

CLIENTS = ("client", "broker", "master")
ADMINS = ("admin", "super_admin", "system")
OWNERS_DO = {
    c.PlaceOrder,
    c.CancelOrder,
    c.ModifyOrder,
    c.ReplaceOrder,
    c.CancelAll,
    c.Deposit,
    c.Withdraw,
    c.Transfer,
    c.OpenAccount,
    c.ResetAccount,
}
ADMINS_DO = {
    c.ListAsset,
    c.ListInstrument,
    c.AmendInstrument,
    c.HaltInstrument,
    c.ResumeInstrument,
    c.RegisterUser,
    c.SuspendAccount,
    c.SetAccountLimits,
    c.SetFeeTier,
}


def expected(role: str, kind: type[c.Command], is_own: bool) -> bool:
    """The access table in words."""
    if kind is c.Tick:
        return role != "compliance"
    if kind in (c.ExpireOrder, c.Skip):
        return role == "system"
    if kind is c.SetRole:
        return role in ("super_admin", "system")
    if kind in OWNERS_DO:
        return role in ADMINS or (role in CLIENTS and is_own)
    assert kind in ADMINS_DO
    return role in ADMINS


@pytest.mark.parametrize("role", ROLES[1:])
@pytest.mark.parametrize("kind", [cls for _, cls in COMMANDS.values()], ids=lambda cls: cls.__name__)
def test_every_cell_of_the_access_table(role: str, kind: type[c.Command]) -> None:
    desk = Desk()
    desk.state.users[1].role = ROLES.index(role)
    mine, other = desk.state.accounts[ALICE], desk.state.accounts[BOB]
    if kind in OWNERS_DO:
        assert may_act(desk.state, 1, kind, mine) is expected(role, kind, is_own=True)
        assert may_act(desk.state, 1, kind, other) is expected(role, kind, is_own=False)
    else:
        assert (operate(desk.state, 1, kind) is None) is expected(role, kind, is_own=False)


@pytest.mark.parametrize("role", ROLES[1:])
def test_the_short_way_never_allows_more_than_the_table(role: str) -> None:
    desk = Desk()
    desk.state.users[1].role = ROLES.index(role)
    mine, other = desk.state.accounts[ALICE], desk.state.accounts[BOB]
    assert owns(desk.state, 1, mine) is (role != "compliance")
    assert not owns(desk.state, 1, other)
    for kind in (c.PlaceOrder, c.CancelOrder, c.ModifyOrder, c.ReplaceOrder):
        assert may_act(desk.state, 1, kind, mine) is owns(desk.state, 1, mine)


@pytest.mark.parametrize("actor", [-1, 99, 1 << 40])
def test_nobody_may_do_nothing(actor: int) -> None:
    desk = Desk()
    for _, kind in COMMANDS.values():
        assert right(desk.state, actor, kind) == 0
    reject = operate(desk.state, actor, c.Tick)
    assert reject is not None
    assert reject.reason == "access.denied"
