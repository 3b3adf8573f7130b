"""A full or broken disk at any write or sync: no answer that is not durable, no second try."""

from __future__ import annotations

import errno
import random
from typing import NamedTuple

import pytest

from exchange.adapters.clock import VirtualClock
from exchange.adapters.journal import RESERVE, JournalOptions
from exchange.codec import state_digest
from exchange.core.commands import Deposit, PlaceOrder
from exchange.core.terms import BUY, GTD, LIMIT
from exchange.core.units import SECOND
from exchange.errors import JournalFailed
from exchange.runtime.ports import JournalFull
from exchange.runtime.sequencer import Exchange
from tests.simulation.machine import Machine
from tests.simulation.store import SMALL, feed, open_on, recovered_on
from tests.simulation.workload import BETWEEN, START, blocks, digests, records, requests

CUT = blocks(requests(5, 120), 5)
DIGESTS = digests(records(CUT))


class Outcome(NamedTuple):
    machine: Machine
    exchange: Exchange | None
    acked: int
    error: JournalFailed | None


def run(machine: Machine, options: JournalOptions = SMALL) -> Outcome:
    """Feed the workload until it ends or the disk does.  No exchange: it failed to open or close."""
    acked: list[int] = []
    exchange = None
    try:
        exchange = open_on(machine, options=options)
        feed(exchange, CUT, acked)
    except JournalFailed as error:
        return Outcome(machine, exchange, max(acked, default=0), error)
    try:
        exchange.close()
    except JournalFailed as error:
        return Outcome(machine, None, acked[-1], error)
    return Outcome(machine, exchange, acked[-1], None)


def steps() -> range:
    return range(1, run(Machine()).machine.steps + 1)


def check_restart(machine: Machine, acked: int) -> int:
    """Recover after the process is gone, and once more after a power loss; the last sequence."""
    _, _, recovered = recovered_on(machine.killed())
    seq = recovered.engine.state.seq
    assert acked <= seq
    assert state_digest(recovered.engine.state) == DIGESTS[seq]
    later = machine.after_power_loss(random.Random(seq), 0.0)
    assert recovered_on(later)[2].engine.state.seq == seq
    return seq


def test_a_broken_disk_at_any_step_ends_the_exchange() -> None:
    met = set()
    for number in steps():
        machine = Machine()
        machine.faults[number] = errno.EIO
        outcome = run(machine)
        met.update(machine.struck)
        assert machine.struck
        if outcome.error is not None and outcome.exchange is not None:
            taken = machine.steps
            for _ in range(2):
                with pytest.raises(JournalFailed):
                    outcome.exchange.commit(CUT[0])
                with pytest.raises(JournalFailed):
                    outcome.exchange.preview(0, CUT[0][0][1])
            assert machine.steps == taken  # never tried again
            outcome.exchange.close()
        check_restart(machine, outcome.acked)
    assert met >= {"write", "sync", "rename", "sync folder", "create", "remove", "read"}


def test_a_disk_that_breaks_while_recovering_is_recovered_later() -> None:
    machine = Machine()
    exchange = open_on(machine)
    feed(exchange, CUT[:20])
    seq = exchange.stage(CUT[20]).last_seq
    torn = machine.after_power_loss(random.Random(2), 0.5)
    for number in range(1, 30):
        broken = torn.after_power_loss(random.Random(1), 1.0)
        broken.faults[number] = errno.EIO
        try:
            recovered_on(broken)
        except JournalFailed:
            assert broken.struck
        assert exchange.journal.durable_seq <= check_restart(broken, 0) <= seq


def test_a_full_disk_at_any_write_makes_it_read_only() -> None:
    refused = 0
    for number in steps():
        machine = Machine()
        machine.faults[number] = errno.ENOSPC
        outcome = run(machine)
        if not isinstance(outcome.error, JournalFull) or outcome.exchange is None:
            check_restart(machine, outcome.acked)
            continue
        exchange = outcome.exchange
        refused += 1
        seq = exchange.state.seq
        assert seq == outcome.acked  # what was refused changed nothing
        assert state_digest(exchange.state) == DIGESTS[seq]
        with pytest.raises(JournalFull, match=r"read-only|no room"):
            exchange.commit(CUT[0])
        exchange.close()
        for kept in (0.0, 0.5, 1.0):  # and never comes back
            later = machine.after_power_loss(random.Random(number), kept)
            assert recovered_on(later)[2].engine.state.seq == seq
        assert check_restart(machine, outcome.acked) == seq
    assert refused > 50


def test_a_disk_that_fills_up_leaves_room_for_a_clean_stop_and_a_restart() -> None:
    machine = Machine(capacity=16_000)
    options = SMALL._replace(reserve_bytes=4_000)
    outcome = run(machine, options)
    exchange = outcome.exchange
    assert isinstance(outcome.error, JournalFull)
    assert exchange is not None
    assert exchange.read_only
    assert exchange.state.seq == outcome.acked > 0
    assert RESERVE in machine.folders["journal"].seen
    exchange.close()
    assert RESERVE not in machine.folders["journal"].seen
    machine.capacity = None
    again = open_on(machine, options=options)
    assert state_digest(again.state) == DIGESTS[outcome.acked]
    assert RESERVE in machine.folders["journal"].seen
    assert not again.read_only


def test_a_store_opened_on_a_full_disk_is_read_only_and_says_so() -> None:
    machine = Machine()
    exchange = open_on(machine)
    feed(exchange, CUT[:10])
    exchange.close()
    machine.capacity = 0
    again = open_on(machine, options=SMALL._replace(reserve_bytes=4_000))
    assert "make room" in again.read_only
    assert again.state.seq == exchange.state.seq
    with pytest.raises(JournalFull, match="make room"):
        again.commit(CUT[10])


def test_a_read_only_exchange_still_previews_before_a_timer_it_cannot_fire() -> None:
    machine = Machine()
    clock = VirtualClock(START)
    exchange = open_on(machine, clock=clock)
    feed(exchange, blocks(requests(1, 15), 1))
    due = START + SECOND
    order = PlaceOrder(3, 0, BUY, LIMIT, 1, 9_000, GTD, expires=due)
    assert exchange.commit([(1, order)])[0].reject is None
    machine.capacity = 0
    with pytest.raises(JournalFull):
        exchange.commit([(0, Deposit(account=3, asset=1, amount=1))] * 100)
    clock.set(due + BETWEEN)
    seq = exchange.state.seq
    assert exchange.preview(1, PlaceOrder(3, 0, BUY, LIMIT, 1, 9_000)).reject is None
    assert exchange.state.seq == seq
    assert exchange.state.timers.next_due == due


def test_a_snapshot_without_room_makes_it_read_only_but_the_commit_stands() -> None:
    machine = Machine()
    exchange = open_on(machine)
    for number in range(1, 60):
        machine.faults[machine.steps + number] = errno.ENOSPC if number > 2 else 0
    machine.faults = {step: code for step, code in machine.faults.items() if code}
    receipts = exchange.commit(CUT[0] * 5)
    assert receipts[-1].seq == exchange.journal.durable_seq
    assert "snapshot" in exchange.read_only
    with pytest.raises(JournalFull):
        exchange.commit(CUT[0])


def test_bytes_lost_by_a_failed_sync_are_written_again_by_the_next_start() -> None:
    machine = Machine()
    exchange = open_on(machine)
    feed(exchange, CUT[:8])
    staged = exchange.stage(CUT[8])
    machine.faults[machine.steps + 1] = errno.EIO
    with pytest.raises(JournalFailed):
        exchange.sync()
    assert recovered_on(machine.killed())[2].engine.state.seq == staged.last_seq
    later = machine.after_power_loss(random.Random(1), 0.0)
    assert recovered_on(later)[2].engine.state.seq == staged.last_seq
