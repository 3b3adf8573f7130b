"""The engine against the naive exchange: the same events, balances and queues, command by command.

After each record every invariant is checked as well: money sums to zero, holds add up, books are
not crossed, levels and queues agree, timers belong to orders, ``fillable`` said what would trade.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core import commands as c
from exchange.core.messages import Command
from exchange.core.state.order import TRANSITIONS
from exchange.core.terms import BUY, DONE_REASONS, REASONS, SELL
from exchange.core.units import MICRO
from tests.reference.differential import run, run_crowd
from tests.reference.streams import OWNERS, Step, opening

SEEDS = range(1, 9)
COMMANDS_EACH = 2_500
# Reasons a random stream of this length need not meet; the scenario tables reach each of them.
RARE = {
    "account.limit",
    "account.name_invalid",
    "account.name_taken",
    "asset.exists",
    "asset.invalid",
    "asset.limit",
    "instrument.exists",
    "instrument.fractional_unit",
    "instrument.limit",
    "user.limit",
    "user.name_invalid",
    "user.name_taken",
    "user.role_invalid",
    "user.unknown",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_engine_does_what_the_naive_exchange_does(seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - told when the test fails
    pair = run_crowd(seed, COMMANDS_EACH)
    assert pair.fold.trades > 100


def test_a_stream_meets_every_transition_and_nearly_every_reason() -> None:
    """Guards the generator: a stream that no longer gets anywhere would prove nothing."""
    pairs = [run_crowd(seed, COMMANDS_EACH, every=COMMANDS_EACH) for seed in (21, 22, 23, 24, 25, 26)]
    seen = {transition for pair in pairs for transition in pair.fold.transitions}
    assert seen == {(one, two) for one, nexts in TRANSITIONS.items() for two in nexts}
    assert {reason for pair in pairs for reason in pair.rejected} >= set(REASONS) - RARE
    assert {reason for pair in pairs for reason in pair.fold.endings} == set(range(1, len(DONE_REASONS)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1_000, 1_020))
def test_a_long_stream_does_the_same(seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - told when the test fails
    run_crowd(seed, 10_000, every=7)


PRICES = st.integers(98, 102)
QUANTITIES = st.integers(1, 9)
ACCOUNTS = st.sampled_from((3, 4, 5, 6))


@st.composite
def placed(draw: st.DrawFn) -> c.PlaceOrder:
    """Orders of two owners that meet within five ticks; few of them are refused."""
    kind = draw(st.sampled_from((2, 2, 2, 2, 1, 3)))
    tif = draw(st.sampled_from({1: (1, 2, 3), 2: (1, 1, 1, 2, 3, 4), 3: (1, 4)}[kind]))
    quantity = draw(QUANTITIES)
    rests = kind == 2 and tif in (1, 4)
    return c.PlaceOrder(
        draw(ACCOUNTS),
        0,
        draw(st.sampled_from((BUY, SELL))),
        kind,
        quantity,
        draw(PRICES) if kind == 2 else 0,
        tif,
        draw(st.integers(0, quantity - 1)) if rests else 0,
        0,
        rests and draw(st.booleans()) and draw(st.booleans()),
        draw(st.integers(1, 5)),
    )


NUMBERS = st.integers(1, 25)
CHANGED: st.SearchStrategy[Command] = st.one_of(
    placed(),
    placed(),
    st.builds(c.CancelOrder, ACCOUNTS, NUMBERS),
    st.builds(c.ModifyOrder, ACCOUNTS, NUMBERS, st.just(""), st.integers(0, 12), st.just(0) | PRICES),
    st.builds(c.ReplaceOrder, ACCOUNTS, NUMBERS, QUANTITIES, st.just(0) | PRICES),
)


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(st.lists(CHANGED, min_size=5, max_size=30))
def test_any_short_stream_of_orders_does_the_same(commands: list[Command]) -> None:
    steps: list[Step] = [(MICRO, OWNERS[command.account], command) for command in commands]
    run([*opening(), *steps])
