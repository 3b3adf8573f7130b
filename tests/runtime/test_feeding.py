"""A feed in front of the sequencer: made ready, stepped when due, run through time already past."""

from __future__ import annotations

import pytest

from exchange.adapters.clock import VirtualClock
from exchange.core.commands import Deposit, OpenAccount, RegisterUser
from exchange.core.units import SECOND
from exchange.errors import ExchangeError
from exchange.runtime import feeding
from exchange.runtime.feeding import prepare, run_until, stage_due
from exchange.runtime.pace import Pace
from tests.contracts.memory import ACCOUNT, START, MemoryJournal, ScriptedFeed, founded, order


def test_what_a_feed_lacks_is_sent_until_it_lacks_nothing() -> None:
    exchange = founded(MemoryJournal(), VirtualClock(START))
    feed = ScriptedFeed([], [[(0, RegisterUser(name="mm"))], [(0, OpenAccount(name="mm", owner=2))]])
    prepare(exchange, feed)
    assert exchange.state.accounts[-1].name == "mm"
    assert not exchange.undelivered


def test_a_feed_that_cannot_have_what_it_needs_is_an_error() -> None:
    exchange = founded(MemoryJournal(), VirtualClock(START))
    feed = ScriptedFeed([], [[(0, Deposit(account=99, asset=0, amount=1))]])
    with pytest.raises(ExchangeError, match=r"cannot get ready: account.unknown"):
        prepare(exchange, feed)


def test_a_feed_that_is_never_ready_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "PREPARATIONS_MAX", 3)
    exchange = founded(MemoryJournal(), VirtualClock(START))
    needs = [[(0, Deposit(account=ACCOUNT, asset=0, amount=1))]] * 3
    with pytest.raises(ExchangeError, match="not ready after 3 rounds"):
        prepare(exchange, ScriptedFeed([], needs))


def test_due_steps_are_staged_in_order_with_their_answers() -> None:
    exchange = founded(MemoryJournal(), VirtualClock(START))
    feed = ScriptedFeed(
        [(START, [order(1), order(2)]), (START, []), (START + 1, [order(3)]), (START + 9, [order(4)])]
    )
    batches = list(stage_due(exchange, feed, START + 1, 100))
    assert [len(staged.records) for staged in batches] == [2, 1]
    assert [[r.seq for r in receipts] for receipts in feed.answers] == [[7, 8], [], [9]]
    assert feed.due() == START + 9


def test_a_feed_that_is_behind_takes_a_bounded_part() -> None:
    exchange = founded(MemoryJournal(), VirtualClock(START))
    feed = ScriptedFeed([(START, [order(1), order(2)])] * 10)
    assert len(list(stage_due(exchange, feed, START, 5))) == 3


def test_the_past_is_run_at_its_own_times_and_made_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "BATCH_MAX", 2)
    journal = MemoryJournal()
    pace = Pace(VirtualClock(START + 100 * SECOND))
    pace.hold(START)
    exchange = founded(journal, pace)
    times = [START + n * SECOND for n in (1, 2, 3, 50, 51)]
    feed = ScriptedFeed([(time, [order(1)]) for time in times])
    before = journal.syncs
    run_until(exchange, feed, pace, START + 50 * SECOND)
    assert [record.ts for record in journal.records[6:]] == times[:4]
    assert journal.durable_seq == journal.last_seq == 10
    assert journal.syncs == before + 2
    assert not exchange.undelivered
    assert exchange.now() == START + 50 * SECOND
    assert feed.due() == times[4]


def test_an_empty_past_leaves_the_clock_at_its_end() -> None:
    pace = Pace(VirtualClock(START))
    exchange = founded(MemoryJournal(), pace)
    run_until(exchange, ScriptedFeed([]), pace, START + SECOND)
    assert pace.now() == START + SECOND
