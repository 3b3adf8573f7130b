"""The sequencer: place, time, durability before answers, timers, previews, snapshots, stopping."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exchange.adapters.clock import VirtualClock
from exchange.adapters.journal import JournalOptions
from exchange.adapters.journal_tools import verify
from exchange.adapters.snapshots import FileSnapshots
from exchange.adapters.store import JOURNAL, StoreOptions, open_exchange
from exchange.client import Update
from exchange.codec import state_digest
from exchange.core.commands import Deposit, RegisterUser, Tick, Transfer
from exchange.core.engine import HANDLERS, Engine
from exchange.core.events import EVENTS
from exchange.core.messages import CancelOrder, Command, Event, OrderDone, PlaceOrder, Rejected
from exchange.core.terms import BUY, EXPIRED, GTD, LIMIT, SELL
from exchange.core.units import MICRO, SECOND
from exchange.errors import ConnectionLost, DataError
from exchange.runtime.recovery import PoisonRecord
from exchange.runtime.sequencer import Exchange, SequencerOptions
from tests.simulation.machine import Machine
from tests.simulation.store import INSTANCE, journal_on, open_on, stored
from tests.simulation.workload import START, opening

FAR = 10**9
SEGMENTS = JournalOptions(segment_bytes=20_000, growth_bytes=5_000, is_ahead=True)


def opened(machine: Machine | None = None, clock: VirtualClock | None = None, every: int = FAR) -> Exchange:
    exchange = open_on(machine or Machine(), clock=clock or VirtualClock(START), every=every)
    exchange.commit(opening())
    return exchange


def buy(quantity: int = 1, limit: int = 9_000, *, client_order_id: str = "") -> tuple[int, Command]:
    return 1, PlaceOrder(3, 0, BUY, LIMIT, quantity, limit, client_order_id=client_order_id)


def sell(quantity: int = 1, limit: int = 9_000) -> tuple[int, Command]:
    return 2, PlaceOrder(4, 0, SELL, LIMIT, quantity, limit)


def expiring(due: int) -> tuple[int, Command]:
    return 1, PlaceOrder(3, 0, BUY, LIMIT, 1, 9_000, GTD, expires=due)


# -- place and time ----------------------------------------------------------------------------


def test_commands_are_numbered_in_order_and_answered_in_order() -> None:
    exchange = opened()
    first = exchange.state.seq + 1
    receipts = exchange.commit([buy(), buy(limit=0), sell(), buy()])
    assert [receipt.seq for receipt in receipts] == [first, first + 1, first + 2, first + 3]
    assert [receipt.reject is None for receipt in receipts] == [True, False, True, True]
    assert exchange.commit([]) == []


def test_engine_time_is_the_wall_clock_in_whole_microseconds_and_never_goes_back() -> None:
    clock = VirtualClock(START)
    exchange = opened(clock=clock)
    seen = []
    for now in (START + 1_999, START + 5_000, START - SECOND, START + 5_001, START + 86_400 * SECOND, START):
        clock.set(now)
        seen.append(exchange.commit([buy(), buy()])[1].ts)
    day = START + 86_400 * SECOND
    assert seen == [START + 1_000, START + 5_000, START + 5_000, START + 5_000, day, day]
    assert all(ts % MICRO == 0 for ts in seen)


def test_engine_time_stays_after_a_restart_under_a_clock_set_back() -> None:
    machine = Machine()
    exchange = opened(machine)
    exchange.close()
    again = open_on(machine, clock=VirtualClock(START - 3_600 * SECOND))
    assert again.commit([buy()])[0].ts == START


def test_a_receipt_carries_the_reject_of_its_own_command_and_the_time_in_the_engine() -> None:
    clock = VirtualClock(START)
    exchange = opened(clock=clock)
    exchange.commit([expiring(START + SECOND)])
    clock.set(START + SECOND)
    receipt = exchange.commit([(1, CancelOrder(3, 1))])[0]
    assert receipt.reject is not None
    assert receipt.reject.reason == "order.unknown"
    kinds = [type(event) for event in receipt.events]
    assert kinds[-1] is Rejected
    assert OrderDone in kinds  # the timer's event belongs to the record that let time pass
    assert receipt.engine_ns == 1  # the stopwatch here counts its readings


def test_a_repeated_client_order_id_answers_with_the_first_order() -> None:
    exchange = opened()
    first, again = exchange.commit([buy(client_order_id="a"), buy(client_order_id="a")])
    assert again.reject is not None
    assert again.reject.reason == "order.exists"
    assert again.order_id == first.order_id > 0


# -- durability before answers -----------------------------------------------------------------


def test_listeners_hear_of_a_batch_after_it_is_durable() -> None:
    exchange = opened()
    heard: list[tuple[int, int]] = []

    def listen(updates: list[Update]) -> None:
        assert updates[-1].seq <= exchange.journal.durable_seq
        heard.extend((update.seq, len(update.events)) for update in updates)

    exchange.listeners.append(listen)
    staged = exchange.stage([buy(), buy(limit=0)])
    assert exchange.undelivered
    exchange.sync()
    assert heard == []
    receipts = exchange.deliver(staged)
    assert heard == [(receipt.seq, len(receipt.events)) for receipt in receipts]
    assert not exchange.undelivered


def test_nothing_is_delivered_before_its_sync() -> None:
    exchange = opened()
    staged = exchange.stage([buy()])
    with pytest.raises(AssertionError):
        exchange.deliver(staged)


def test_staging_goes_on_while_a_batch_is_under_way() -> None:
    exchange = opened()
    heard: list[int] = []
    exchange.listeners.append(lambda updates: heard.extend(update.seq for update in updates))
    first = exchange.stage([buy()])
    exchange.sync()
    second = exchange.stage([sell()])
    assert exchange.deliver(first)[0].order_id == 1
    assert heard == [first.last_seq]
    with pytest.raises(AssertionError):
        exchange.deliver(second)
    exchange.sync()
    assert exchange.deliver(second)[0].reject is None
    assert heard == [first.last_seq, second.last_seq]


def test_an_owner_stages_while_a_thread_syncs(tmp_path: Path) -> None:
    exchange = open_exchange(tmp_path, VirtualClock(START), options=StoreOptions(SEGMENTS, freeze=False))
    exchange.commit(opening())
    begin = exchange.state.seq
    heard: list[int] = []
    exchange.listeners.append(lambda updates: heard.extend(update.seq for update in updates))
    answered: list[int] = []
    with ThreadPoolExecutor(1) as thread:
        waiting = exchange.stage([buy()])
        for _ in range(300):
            syncing = thread.submit(exchange.sync)
            following = exchange.stage([buy(), sell()])
            syncing.result()
            answered += [receipt.seq for receipt in exchange.deliver(waiting)]
            waiting = following
    exchange.close()
    assert answered == list(range(begin + 1, begin + 600))
    assert heard == list(range(begin + 1, begin + 602))
    assert verify(tmp_path).problem == ""
    assert len(list((tmp_path / JOURNAL).glob("*.journal"))) >= 3


def test_what_cannot_be_written_is_refused_and_the_exchange_goes_on() -> None:
    exchange = opened()
    digest = state_digest(exchange.state)
    with pytest.raises(DataError, match="Deposit cannot be written"):
        exchange.commit([buy(), (0, Deposit(account=3, asset=1, amount=1, reference="\ud800"))])
    assert state_digest(exchange.state) == digest
    assert exchange.commit([buy()])[0].reject is None


# -- timers and previews -----------------------------------------------------------------------


def test_a_tick_is_written_only_when_a_timer_is_due() -> None:
    machine, clock = Machine(), VirtualClock(START)
    exchange = opened(machine, clock)
    exchange.commit([expiring(START + SECOND)])
    seq = exchange.state.seq
    exchange.tick()
    assert exchange.state.seq == seq
    clock.set(START + SECOND)
    heard: list[Event] = []
    exchange.listeners.append(lambda updates: heard.extend(e for update in updates for e in update.events))
    exchange.tick()
    exchange.tick()
    assert exchange.state.seq == seq + 1
    assert isinstance(stored(machine)[-1].command, Tick)
    assert [event.reason for event in heard if isinstance(event, OrderDone)] == [EXPIRED]


def test_a_tick_during_a_sync_is_delivered_with_the_next_batch() -> None:
    clock = VirtualClock(START)
    exchange = opened(clock=clock)
    heard: list[int] = []
    exchange.listeners.append(lambda updates: heard.extend(update.seq for update in updates))
    first = exchange.stage([expiring(START + SECOND)])
    exchange.sync()
    clock.set(START + SECOND)
    exchange.tick()
    exchange.deliver(first)
    assert heard == [first.last_seq]
    assert exchange.undelivered
    exchange.commit([buy()])
    assert heard == [first.last_seq, first.last_seq + 1, first.last_seq + 2]


def test_a_preview_changes_nothing_but_fires_timers_that_are_due() -> None:
    clock = VirtualClock(START)
    exchange = opened(clock=clock)
    exchange.commit([sell(5, 9_100), expiring(START + SECOND)])
    before = state_digest(exchange.state)
    found = exchange.preview(*buy(3, 9_100))
    assert found.reject is None
    assert {type(event) for event in found.events} >= {EVENTS[1][1], EVENTS[2][1]}
    assert state_digest(exchange.state) == before
    clock.set(START + SECOND)
    seq = exchange.state.seq
    exchange.preview(*buy())
    assert exchange.state.seq == seq + 1
    assert exchange.state.accounts[3].open_orders == 0


def test_a_preview_is_what_then_happens() -> None:
    exchange = opened()
    exchange.commit([sell(2, 9_050), sell(5, 9_100)])
    found = exchange.preview(*buy(4, 9_100))
    receipt = exchange.commit([buy(4, 9_100)])[0]
    assert [type(event) for event in found.events] == [type(event) for event in receipt.events]
    assert found.state.accounts[3].available(1) == exchange.state.accounts[3].available(1)


# -- snapshots ---------------------------------------------------------------------------------


class Watch:
    def __init__(self) -> None:
        self.now = 0
        self.step = 0

    def __call__(self) -> int:
        self.now += self.step
        return self.now


def timed(watch: Watch, **options: int) -> tuple[Exchange, Machine]:
    machine = Machine()
    journal = journal_on(machine)
    assert list(journal.recover()) == []
    snapshots = FileSnapshots(machine.disk("snapshots"), INSTANCE)
    exchange = Exchange(
        Engine(), journal, VirtualClock(START), snapshots, SequencerOptions(stopwatch=watch, **options)
    )
    return exchange, machine


def kept(machine: Machine) -> int:
    return len(machine.folders["snapshots"].seen)


def test_a_snapshot_is_due_after_so_many_commands() -> None:
    exchange, machine = timed(Watch(), snapshot_every=20)
    exchange.commit(opening())
    assert kept(machine) == 0
    exchange.commit([buy()] * 5)
    assert (kept(machine), exchange.snapshot_seq) == (1, 20)
    exchange.commit([buy()] * 19)
    assert kept(machine) == 1
    exchange.commit([buy()])
    assert kept(machine) == 2


def test_a_snapshot_is_due_after_a_time_if_enough_is_new() -> None:
    watch = Watch()
    exchange, machine = timed(watch, snapshot_min=20)
    exchange.commit(opening())
    watch.now += 60 * SECOND
    exchange.commit([buy()])
    assert kept(machine) == 0
    exchange.commit([buy()] * 10)
    assert kept(machine) == 1
    exchange.commit([buy()] * 100)
    assert kept(machine) == 1
    watch.now += 15 * SECOND
    exchange.commit([buy()])
    assert kept(machine) == 2


def test_snapshots_take_no_more_than_their_share_of_the_time() -> None:
    watch = Watch()
    exchange, machine = timed(watch, snapshot_every=5)
    watch.step = SECOND  # each reading of the watch takes a second: so does a snapshot
    exchange.commit(opening())
    assert kept(machine) == 1
    watch.step = 0
    exchange.commit([buy()] * 10)
    assert kept(machine) == 1
    watch.now += 50 * SECOND
    exchange.commit([buy()])
    assert kept(machine) == 2


def test_a_stop_keeps_a_snapshot_only_if_enough_is_new() -> None:
    exchange, machine = timed(Watch(), snapshot_at_stop=20)
    exchange.commit(opening())
    exchange.close()
    assert kept(machine) == 0
    exchange, machine = timed(Watch(), snapshot_at_stop=15)
    exchange.commit(opening())
    exchange.close()
    assert kept(machine) == 1


def test_a_snapshot_never_runs_ahead_of_the_journal() -> None:
    exchange = opened()
    exchange.stage([buy()])
    with pytest.raises(AssertionError):
        exchange.begin_snapshot()
    exchange.sync()
    with pytest.raises(AssertionError):
        exchange.begin_snapshot()


def test_the_rest_of_a_snapshot_may_be_done_later() -> None:
    machine = Machine()
    exchange = opened(machine)
    seq, digest = exchange.state.seq, state_digest(exchange.state)
    keep = exchange.begin_snapshot()
    exchange.commit([buy()])
    keep()
    newest = FileSnapshots(machine.disk("snapshots"), INSTANCE).newest()
    assert newest is not None
    assert (newest.position.seq, newest.digest) == (seq, digest)
    exchange.close()
    assert open_on(machine).state.seq == seq + 1


def test_a_ledger_that_does_not_add_up_is_not_saved() -> None:
    exchange = opened()
    exchange.state.accounts[3].balance(1).posted += 1
    with pytest.raises(AssertionError, match="sum to zero"):
        exchange.snapshot()


# -- stopping ----------------------------------------------------------------------------------


def test_after_a_stop_nothing_is_accepted_but_what_is_under_way_is_answered() -> None:
    machine = Machine()
    exchange = opened(machine)
    staged = exchange.stage([buy()])
    exchange.stop()
    with pytest.raises(ConnectionLost, match="stopping"):
        exchange.stage([buy()])
    exchange.sync()
    assert exchange.deliver(staged)[0].reject is None
    exchange.close()
    assert len(stored(machine)) == staged.last_seq


def test_close_finishes_what_is_under_way() -> None:
    machine = Machine()
    exchange = opened(machine)
    heard: list[int] = []
    exchange.listeners.append(lambda updates: heard.extend(update.seq for update in updates))
    last = exchange.stage([buy(), buy()]).last_seq
    exchange.close()
    exchange.close()
    assert heard == [last - 1, last]
    assert len(stored(machine)) == last


def test_close_runs_what_was_asked_for_even_after_a_failure() -> None:
    exchange = opened()
    done: list[str] = []
    exchange.at_close += [lambda: done.append("a"), lambda: done.append("b")]
    exchange.close()
    assert done == ["a", "b"]


def test_a_command_that_breaks_the_engine_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    def boom(*_: object) -> None:
        raise ZeroDivisionError("boom")

    machine = Machine()
    exchange = opened(machine)
    monkeypatch.setitem(HANDLERS, Transfer, boom)
    seq = exchange.state.seq
    poison = Transfer(source=3, target=4, asset=1, amount=1)
    with pytest.raises(
        PoisonRecord, match=f"sequence {seq + 2} .Transfer.*ZeroDivisionError: boom"
    ) as caught:
        exchange.commit([buy(), (0, poison), buy()])
    assert caught.value.seq == seq + 2
    assert caught.value.exit_code == 70
    for attempt in (lambda: exchange.commit([buy()]), lambda: exchange.preview(*buy())):
        with pytest.raises(PoisonRecord):
            attempt()
    written = machine.steps
    exchange.close()
    assert machine.steps == written


def test_users_registered_in_one_block_can_be_used_by_the_next_command_of_it() -> None:
    exchange = opened()
    user = len(exchange.state.users)
    receipts = exchange.commit([(0, RegisterUser(name="zoe")), (user, CancelOrder(3, 1))])
    assert receipts[0].reject is None
    assert receipts[1].reject is not None
