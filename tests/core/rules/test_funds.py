from __future__ import annotations

from exchange.core import commands as c
from exchange.core.events import Rejected, Transferred
from exchange.core.state.ledger import trial_balance
from exchange.core.terms import EXTERNAL_ACCOUNT
from exchange.core.units import MINOR_MAX
from tests.reference.audit import audit
from tests.reference.desk import ALICE, BOB, USDC, Desk, reason


def test_of_a_thousand_withdrawals_of_everything_one_succeeds() -> None:
    desk = Desk()
    answers = [desk.send(c.Withdraw(account=ALICE, asset=USDC, amount=10**9), actor=1) for _ in range(1_000)]
    assert sum(isinstance(events[0], Transferred) for events in answers) == 1
    assert desk.state.accounts[ALICE].balance(USDC).posted == 0
    audit(desk.state)


def test_deposits_add_up_beyond_sixty_four_bits() -> None:
    desk = Desk()
    for _ in range(9):
        desk.send(c.Deposit(account=ALICE, asset=USDC, amount=MINOR_MAX - 1))
    assert desk.state.accounts[ALICE].balance(USDC).posted == 10**9 + 9 * (MINOR_MAX - 1)
    assert trial_balance(desk.state.accounts, 2) == [0, 0]


def test_the_outside_world_is_no_client() -> None:
    desk = Desk()
    before = desk.state.accounts[EXTERNAL_ACCOUNT].balance(USDC).posted
    for command in (
        c.Deposit(account=EXTERNAL_ACCOUNT, asset=USDC, amount=5),
        c.Withdraw(account=EXTERNAL_ACCOUNT, asset=USDC, amount=5),
        c.Transfer(source=ALICE, target=EXTERNAL_ACCOUNT, asset=USDC, amount=5),
        c.Transfer(source=EXTERNAL_ACCOUNT, target=ALICE, asset=USDC, amount=5),
        c.PlaceOrder(EXTERNAL_ACCOUNT, 0, 1, 2, 1, 100),
        c.ResetAccount(account=EXTERNAL_ACCOUNT),
    ):
        assert isinstance(desk.send(command)[-1], Rejected)
    assert desk.state.accounts[EXTERNAL_ACCOUNT].balance(USDC).posted == before


def test_a_transfer_says_from_whom_to_whom() -> None:
    desk = Desk()
    (moved,) = desk.send(
        c.Transfer(source=ALICE, target=BOB, asset=USDC, amount=7, reference="rent"), actor=1
    )
    assert isinstance(moved, Transferred)
    assert (moved.source, moved.target, moved.amount, moved.kind, moved.reference) == (
        ALICE,
        BOB,
        7,
        "transfer",
        "rent",
    )


def test_a_reset_pays_out_every_asset_and_keeps_the_account() -> None:
    desk = Desk()
    desk.buy(ALICE, 5, 100)
    desk.sell(ALICE, 5, 200)
    events = desk.send(c.ResetAccount(account=ALICE), actor=1)
    assert [event.amount for event in events if isinstance(event, Transferred)] == [10**9, 10**9]
    account = desk.state.accounts[ALICE]
    assert (account.epoch, account.open_orders, account.first_order) == (1, 0, None)
    assert all(balance.posted == balance.held == 0 for balance in account.balances if balance is not None)
    assert reason(desk.send(c.Deposit(account=ALICE, asset=USDC, amount=5), actor=1)) == ""
    audit(desk.state)
