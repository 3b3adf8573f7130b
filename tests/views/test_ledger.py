"""The ledger rebuilt from events agrees with the engine, whatever was sent; and tampering shows."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core import commands as c
from exchange.core.engine import Engine
from exchange.core.events import Transferred
from exchange.core.messages import Command, Event, Record
from exchange.core.terms import BUY, EXTERNAL_ACCOUNT, GTC, IOC, LIMIT, MARKET, SELL
from exchange.core.units import SECOND
from exchange.directory import Directory
from exchange.views.ledger import LedgerView

ACCOUNTS = (3, 4, 5)
SET_UP: tuple[Command, ...] = (
    c.ListAsset(symbol="USD", exponent=2),
    c.ListAsset(symbol="AAA", exponent=3),
    c.ListAsset(symbol="BBB", exponent=0),
    c.ListInstrument(
        symbol="AAA-USD",
        name="",
        venue="",
        base=1,
        quote=0,
        tick_units=5,
        price_decimals=1,
        lot_units=2,
        quantity_decimals=1,
        multiplier=3,
        fees=((17, 1234), (0, 333_333)),
    ),
    c.ListInstrument(
        symbol="BBB-AAA",
        name="",
        venue="",
        base=2,
        quote=1,
        tick_units=1,
        price_decimals=2,
        lot_units=1,
        quantity_decimals=0,
        fees=((1000, 0),),
    ),
    c.RegisterUser(name="u"),
    c.RegisterUser(name="v"),
    c.OpenAccount(name="one", owner=1),
    c.OpenAccount(name="two", owner=2),
    c.OpenAccount(name="three", owner=2),
    *(
        c.Deposit(account=account, asset=asset, amount=10**9, reference="")
        for account in ACCOUNTS
        for asset in range(3)
    ),
)


def random_command(random: Random, engine: Engine) -> Command:
    """Mostly orders around one price; some money, resets and refused nonsense."""
    account, roll = random.choice(ACCOUNTS), random.random()
    live = engine.state.live_orders()
    if roll < 0.65 or not live:
        is_market = random.random() < 0.15
        return c.PlaceOrder(
            account,
            random.randrange(2),
            random.choice((BUY, SELL)),
            MARKET if is_market else LIMIT,
            random.randint(1, 60),
            0 if is_market else random.randint(95, 105),
            IOC if is_market or random.random() < 0.2 else GTC,
            stp=random.randint(1, 5),
        )
    order = random.choice(live)
    owner = order.account.account_id
    if roll < 0.85:
        quantity, limit = random.randint(1, 80), random.randint(94, 106)
        return random.choice(
            (
                c.CancelOrder(owner, order.order_id),
                c.ModifyOrder(owner, order.order_id, quantity=quantity),
                c.ModifyOrder(owner, order.order_id, quantity=quantity, limit=limit),
                c.ReplaceOrder(owner, order.order_id, quantity, limit),
            )
        )
    money = {"asset": random.randrange(3), "amount": random.choice((1, 999, 10**6, 10**10))}
    return random.choice(
        (
            c.Deposit(account=account, **money),
            c.Withdraw(account=account, **money),
            c.Transfer(source=account, target=random.choice((2, *ACCOUNTS)), **money),
            c.SetFeeTier(account=account, tier=random.randrange(2)),
            c.ResetAccount(account=account) if random.random() < 0.3 else c.CancelAll(account=account),
        )
    )


def day(seed: int, count: int) -> Iterator[tuple[Engine, Record, list[Event]]]:
    engine, random = Engine(), Random(seed)
    for seq in range(1, len(SET_UP) + count + 1):
        command = SET_UP[seq - 1] if seq <= len(SET_UP) else random_command(random, engine)
        record = Record(seq, seq * SECOND, 0, command)
        yield engine, record, engine.apply(record)


def rebuilt(seed: int, count: int) -> tuple[Engine, LedgerView]:
    played = list(day(seed, count))
    engine = played[-1][0]
    view = LedgerView(Directory.of(engine.state))
    for _, record, events in played:
        view.fold(record.seq, events)
    return engine, view


class TestAgreement:
    @given(st.integers(0, 2**32))
    @settings(max_examples=15, deadline=None)
    def test_every_balance_agrees_after_every_record(self, seed: int) -> None:
        view: LedgerView | None = None
        for engine, record, events in day(seed, 120):
            if view is None or len(view.directory.instruments) < len(engine.state.books):
                view = LedgerView(Directory.of(engine.state)) if view is None else view
                view.directory = Directory.of(engine.state)
            for event in events:
                view.fold(record.seq, [event])
                assert not any(view.sums().values())
            assert view.compare(engine.state) is None

    def test_a_long_day_agrees(self) -> None:
        engine, view = rebuilt(7, 4000)
        assert view.compare(engine.state) is None
        assert view.postings > 2000
        assert view.seq == engine.state.seq
        for account in engine.state.accounts:
            for asset, balance in enumerate(account.balances):
                if balance is not None:
                    assert view.balance(account.account_id, asset) == balance.posted
        fees = engine.state.accounts[0]
        assert fees.balances[0] is not None
        assert fees.balances[0].posted > 0

    def test_the_outside_world_holds_minus_everything_paid_in(self) -> None:
        engine, view = rebuilt(8, 300)
        for asset in range(3):
            inside = sum(view.balance(account.account_id, asset) for account in engine.state.accounts)
            assert inside == 0
            assert view.balance(EXTERNAL_ACCOUNT, asset) < 0


class TestTampering:
    @pytest.mark.parametrize("amount", [1, -1])
    def test_the_first_wrong_balance_is_named(self, amount: int) -> None:
        engine, view = rebuilt(9, 300)
        for account, asset in ((5, 0), (4, 2)):
            balance = engine.state.accounts[account].balances[asset]
            assert balance is not None
            balance.posted += amount
        found = view.compare(engine.state)
        assert found is not None
        assert (found.what, found.account, found.asset) == ("posted", 4, 2)
        assert found.actual - found.expected == amount
        assert 0 < found.seq <= engine.state.seq
        text = found.text(view.directory)
        assert text.startswith(
            f"account two: posted BBB is {found.actual}, the journal says {found.expected}"
        )
        assert text.endswith(f"last posting at sequence {found.seq}")

    def test_a_hold_without_an_order_is_named(self) -> None:
        engine, view = rebuilt(10, 300)
        balance = engine.state.accounts[3].balances[1]
        assert balance is not None
        balance.held += 1
        found = view.compare(engine.state)
        assert found is not None
        assert (found.what, found.account, found.asset) == ("held", 3, 1)
        assert found.actual == found.expected + 1

    def test_a_hidden_event_shows(self) -> None:
        played = list(day(11, 200))
        engine = played[-1][0]
        moving = [i for i, (_, _, events) in enumerate(played) if any(hasattr(e, "amount") for e in events)]
        for hidden in (moving[0], moving[-1]):
            view = LedgerView(Directory.of(engine.state))
            for number, (_, record, events) in enumerate(played):
                view.fold(record.seq, [] if number == hidden else events)
            found = view.compare(engine.state)
            assert found is not None
            assert found.what == "posted"

    def test_an_overdrawn_account_is_named(self) -> None:
        engine = Engine()
        view = LedgerView(Directory.of(engine.state))
        for seq, command in enumerate(SET_UP, 1):
            view.fold(seq, engine.apply(Record(seq, seq * SECOND, 0, command)))
            view.directory = Directory.of(engine.state)
        debit = c.Transfer(source=3, target=4, asset=0, amount=1)
        events = engine.apply(Record(len(SET_UP) + 1, len(SET_UP) * SECOND, 0, debit))
        for event in events:
            event.amount = 2 * 10**9  # type: ignore[attr-defined]
        view.fold(len(SET_UP) + 1, events)
        for account, posted in ((3, -(10**9)), (4, 3 * 10**9)):
            balance = engine.state.accounts[account].balances[0]
            assert balance is not None
            balance.posted = posted
        found = view.compare(engine.state)
        assert found is not None
        assert (found.what, found.account, found.actual) == ("available", 3, -(10**9))

    def test_a_posting_to_nobody_is_named(self) -> None:
        engine, view = rebuilt(12, 50)
        stray = Transferred(source=1, target=99, asset=0, amount=5, kind="deposit", reference="")
        view.fold(engine.state.seq + 1, [stray])
        external = engine.state.accounts[1].balances[0]
        assert external is not None
        external.posted -= 5
        found = view.compare(engine.state)
        assert found is not None
        assert (found.what, found.account, found.expected, found.actual) == ("posted", 99, 5, 0)
        assert "account #99" in found.text(view.directory)
