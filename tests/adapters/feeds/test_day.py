"""The headless driver with a scripted feed: times, counts, digests and refusals."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from exchange.adapters.feeds.day import DAY_START, Day, DayResult, run_day
from exchange.client import Receipt
from exchange.codec import EventDigest, state_digest
from exchange.core.commands import Deposit, ListAsset, ListInstrument, OpenAccount, RegisterUser, Tick
from exchange.core.engine import Engine
from exchange.core.messages import CancelOrder, Command, PlaceOrder, Record
from exchange.core.state.root import State
from exchange.core.terms import BUY, DAY_ORDER, GTC, LIMIT, SELL, SYSTEM_USER
from exchange.core.units import DAY, SECOND, Nanos
from exchange.directory import time_text
from exchange.errors import DataError, ExchangeError
from exchange.runtime.ports import Request

ANN, BEN = 3, 4  # accounts; each of the user with this number less two
SETUP: list[Request] = [
    (SYSTEM_USER, command)
    for command in (
        ListAsset(symbol="USDC", exponent=6),
        ListAsset(symbol="BTC", exponent=8),
        ListInstrument(
            symbol="BTC-USDC",
            name="Bitcoin",
            venue="TEST",
            base=1,
            quote=0,
            tick_units=1,
            price_decimals=2,
            lot_units=1,
            quantity_decimals=3,
            reference=10_000,
        ),
        RegisterUser(name="ann"),
        RegisterUser(name="ben"),
        OpenAccount(name="ann", owner=1),
        OpenAccount(name="ben", owner=2),
    )
]
FUNDS: list[Request] = [
    (SYSTEM_USER, Deposit(account=account, asset=asset, amount=10**12))
    for account in (ANN, BEN)
    for asset in (0, 1)
]


def order(account: int, side: int, limit: int, tif: int = GTC) -> Request:
    return account - 2, PlaceOrder(account, 0, side, LIMIT, 5, limit, tif)


class Script:
    """A feed of given requests at given seconds.  answers: what it was told."""

    def __init__(self, *steps: tuple[int, list[Request]], needs: Sequence[Request] = tuple(FUNDS)) -> None:
        self.steps = [(DAY_START + second * SECOND, requests) for second, requests in steps]
        self.needs = list(needs)
        self.times: list[Nanos] = []
        self.answers: list[list[Receipt]] = []

    def prepare(self, state: State) -> list[Request]:
        needs, self.needs = self.needs, []
        return needs

    def due(self) -> Nanos | None:
        return self.steps[0][0] if self.steps else None

    def step(self, state: State, now: Nanos) -> list[Request]:
        self.times.append(now)
        return self.steps.pop(0)[1]

    def answered(self, receipts: Sequence[Receipt]) -> None:
        self.answers.append(list(receipts))


def play(feed: Script, seconds: int = 10) -> DayResult:
    return run_day(feed, commands=SETUP, start=DAY_START, until=DAY_START + seconds * SECOND)


TRADE = ((1, [order(ANN, SELL, 10_100)]), (3, [order(BEN, BUY, 10_200), order(BEN, BUY, 9_000)]))


def test_the_day_starts_on_a_fixed_monday() -> None:
    assert time_text(DAY_START) == "2026-01-05T00:00:00.000000Z"


def test_steps_are_stamped_with_their_due_time() -> None:
    feed = Script(*TRADE)
    result = play(feed)
    assert feed.times == [DAY_START + SECOND, DAY_START + 3 * SECOND]
    assert [[receipt.ts for receipt in answer] for answer in feed.answers] == [
        [feed.times[0]],
        [feed.times[1]] * 2,
    ]
    assert result.trades == 1
    assert result.last == {"BTC-USDC": 10_100}


def test_the_result_counts_everything() -> None:
    result = play(Script(*TRADE))
    assert result.seq == len(SETUP) + len(FUNDS) + 3
    assert result.seq == result.state.seq
    assert result.rejects == 0
    assert result.events > result.seq
    assert result.seconds == 3  # the feed ended before the day did
    assert result.state_digest == state_digest(result.state)


def test_a_step_at_the_end_is_taken_and_a_later_one_is_not() -> None:
    feed = Script((10, [order(ANN, SELL, 10_100)]), (11, [order(BEN, BUY, 10_100)]))
    result = play(feed)
    assert len(feed.times) == 1
    assert result.trades == 0
    assert result.seconds == 10


def test_a_day_that_outlasts_its_steps_is_over_at_its_end() -> None:
    assert play(Script((1, []), (60, [])), seconds=30).seconds == 30


def test_a_step_due_in_the_past_does_not_turn_the_clock_back() -> None:
    feed = Script((5, [order(ANN, SELL, 10_100)]), (2, [order(BEN, BUY, 10_100)]))
    assert play(feed).trades == 1
    assert feed.times == [DAY_START + 5 * SECOND] * 2


def test_a_refused_request_is_answered_and_counted() -> None:
    feed = Script((1, [(1, CancelOrder(ANN, 99)), order(ANN, SELL, 10_100)]))
    result = play(feed)
    (answer,) = feed.answers
    assert answer[0].reject is not None
    assert answer[0].reject.reason == "order.unknown"
    assert answer[1].reject is None
    assert answer[1].order_id == 1
    assert result.rejects == 1


def test_timers_fire_inside_the_day() -> None:
    feed = Script((1, [order(ANN, SELL, 10_100, DAY_ORDER)]), (DAY // SECOND + 1, [(SYSTEM_USER, Tick())]))
    result = play(feed, seconds=2 * DAY // SECOND)
    assert result.state.live_orders() == []
    assert result.rejects == 0


def test_the_digest_is_the_chain_over_records_and_events() -> None:
    result = play(Script((0, [])))
    engine, digest = Engine(), EventDigest()
    for seq, (actor, command) in enumerate(SETUP + FUNDS, start=1):
        record = Record(seq, DAY_START, actor, command)
        digest.add(record, engine.apply(record))
    assert result.digest == digest.hexdigest()


def test_equal_days_have_equal_digests_and_others_do_not() -> None:
    days = [play(Script(*TRADE)) for _ in range(2)]
    assert days[0].digest == days[1].digest
    assert days[0].state_digest == days[1].state_digest
    later = play(Script((2, TRADE[0][1]), TRADE[1]))
    dearer = play(Script((1, [order(ANN, SELL, 10_101)]), TRADE[1]))
    assert len({days[0].digest, later.digest, dearer.digest}) == 3


def test_progress_is_told_about_once_a_second_and_at_the_end() -> None:
    told: list[tuple[Nanos, Nanos]] = []
    steps: list[tuple[int, list[Request]]] = [(second, []) for second in (1, 1, 2, 3, 3)]
    run_day(
        Script(*steps),
        commands=SETUP,
        start=DAY_START,
        until=DAY_START + 10 * SECOND,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(n * SECOND, 10 * SECOND) for n in (1, 2, 3)] + [(3 * SECOND, 3 * SECOND)]


def test_a_refused_set_up_is_an_error() -> None:
    wrong: list[Request] = [*SETUP, (SYSTEM_USER, RegisterUser(name="ann"))]
    with pytest.raises(DataError, match="set-up command 8 was refused: a user with this name exists"):
        run_day(Script(), commands=wrong, start=DAY_START, until=DAY_START)


def test_a_feed_that_cannot_get_ready_is_an_error() -> None:
    broke = Script(needs=[(1, Deposit(account=BEN, asset=0, amount=1))])
    with pytest.raises(ExchangeError, match="cannot get ready: your role does not allow"):
        play(broke)


def test_a_feed_that_is_never_ready_is_an_error() -> None:
    class Restless(Script):
        def prepare(self, state: State) -> list[Request]:
            return [(SYSTEM_USER, Tick())]

    with pytest.raises(ExchangeError, match="not ready after"):
        play(Restless())


def test_a_day_can_be_driven_by_hand() -> None:
    day = Day(DAY_START)
    commands: list[Command] = [ListAsset(symbol="USDC", exponent=6), ListAsset(symbol="USDC", exponent=2)]
    receipts = day.send([(SYSTEM_USER, command) for command in commands])
    assert [receipt.reject is None for receipt in receipts] == [True, False]
    assert (day.rejects, day.state.seq) == (1, 2)
