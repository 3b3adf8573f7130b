"""A preview says what would happen next, to the last unit, and leaves the exchange as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exchange.codec import state_digest
from exchange.core import commands as c
from exchange.core.engine import Engine
from exchange.core.events import Event, Traded
from exchange.core.messages import Record
from exchange.core.state.root import State
from exchange.directory import Directory
from exchange.errors import DataError
from exchange.runtime.preview import preview
from tests.reference.desk import ALICE, BOB, Desk
from tests.reference.differential import row
from tests.reference.replays import records
from tests.reference.streams import opening
from tests.scenarios.stage import played, tables

PREVIEWED = (c.PlaceOrder, c.CancelOrder, c.ModifyOrder, c.ReplaceOrder)
Balances = list[tuple[int, int, int, int]]


def balances(state: State, accounts: set[int]) -> Balances:
    return [
        (account, asset, balance.posted, balance.held)
        for account in sorted(accounts)
        for asset, balance in enumerate(state.accounts[account].balances)
        if balance is not None and (balance.posted or balance.held)
    ]


def check_told(told: dict[str, Any], events: list[Event], text: Directory) -> None:
    """The sums a person reads are those of the fills; each trade has one taker."""
    trades = [event for event in events if isinstance(event, Traded)]
    number = text.instrument(told["symbol"]).instrument_id
    quote = text.instruments[number].quote
    assert told["filled"] == text.quantity_text(number, sum(trade.quantity for trade in trades))
    assert told["fee"] == text.money_text(quote, sum(trade.taker_fee for trade in trades))
    assert sum(Decimal(level["quantity"]) for level in told["fills"]) == Decimal(told["filled"])
    prices = [text.price_text(number, trade.price) for trade in trades]
    assert [level["price"] for level in told["fills"]] == list(dict.fromkeys(prices))


def check_previews(journal: list[Record], every: int) -> int:
    """Preview each order command of a journal just before it happens; how many there were."""
    engine, done = Engine(), 0
    for record in journal:
        state, foreseen = engine.state, None
        if isinstance(record.command, PREVIEWED) and record.seq % every == 0:
            if state.timers.next_due <= record.ts:
                engine.apply(Record(state.seq + 1, record.ts, 0, c.Tick()))
            before = state_digest(state)
            foreseen = preview(engine, record.actor, record.command, record.ts)
            told = foreseen.row(Directory.of(state))
            assert state_digest(state) == before
        events = engine.apply(Record(state.seq + 1, record.ts, record.actor, record.command))
        if foreseen is not None:
            assert [row(event) for event in foreseen.events] == [row(event) for event in events]
            assert told["ok"] == (foreseen.reject is None)
            if foreseen.reject is None:
                check_told(told, events, Directory.of(state))
                accounts = {record.command.account, 0}
                assert balances(foreseen.state, accounts) == balances(engine.state, accounts)
            done += 1
    return done


@pytest.mark.parametrize("seed", [31, 32])
def test_preview_is_what_then_happens(seed: int) -> None:
    assert check_previews(records(seed, 1_200), every=1) > 700


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2_000, 2_010))
def test_preview_is_what_then_happens_in_a_long_stream(seed: int) -> None:
    check_previews(records(seed, 5_000), every=3)


@pytest.mark.parametrize("path", [p for p in tables() if p.stem != "capacity"], ids=lambda path: path.stem)
def test_preview_foresees_every_row_of_the_scenarios(path) -> None:
    check_previews(played(path).records, every=1)


def test_a_replacement_that_trades_in_full_has_a_preview() -> None:
    """Neither the old nor the new order is there afterwards."""
    desk = Desk()
    order_id = desk.buy(ALICE, 5, 100)
    desk.sell(BOB, 5, 101)
    told = preview(desk.engine, 1, c.ReplaceOrder(ALICE, order_id, 5, 101), desk.now).row(
        Directory.of(desk.state)
    )
    assert (told["ok"], told["filled"], told["done"], told["resting_at"]) == (True, "0.005", "filled", None)


def test_only_order_commands_have_a_preview() -> None:
    engine = Engine()
    for wait, actor, command in opening():
        engine.apply(Record(engine.state.seq + 1, engine.state.ts + wait, actor, command))
    for command in (c.Tick(), c.CancelAll(account=3), c.ResetAccount(account=3)):
        with pytest.raises(DataError):
            preview(engine, 1, command, engine.state.ts)
