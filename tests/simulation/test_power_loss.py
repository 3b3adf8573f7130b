"""Power lost between any two steps of the store: what was answered is there, what is there was sent."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from exchange.adapters import journal
from exchange.adapters.clock import VirtualClock
from exchange.adapters.journal_format import encode
from exchange.adapters.journal_tools import examine
from exchange.codec import state_digest
from exchange.core.commands import row_of
from exchange.errors import JournalError
from exchange.runtime.ports import Request
from exchange.runtime.recovery import replay
from exchange.runtime.sequencer import Staged
from tests.simulation.machine import Machine
from tests.simulation.store import open_on, recovered_on, stored
from tests.simulation.workload import BETWEEN, START, blocks, digests, records, requests

SEEDS = [int(seed) for seed in os.environ.get("SIM_SEED", "1").split(",")]


class Trial:
    """Runs a workload; at every step draws disks a power loss would leave, and recovers each."""

    def __init__(self, seed: int, count: int, images: int) -> None:
        self.rng = random.Random(seed)
        self.requests = requests(seed, count)
        self.blocks = blocks(self.requests, seed)
        self.digests = digests(records(self.blocks))
        self.images = images
        self.acked = 0
        self.sent = 0
        self.checked = 0
        self.snapshots = 0
        self.segments = 0
        self.is_acked_early = False
        self.is_pipelined = False
        self.meanwhile: Callable[[], None] | None = None
        self.check: Callable[[Machine], None] = self.check_recovery

    def run(self, machine: Machine) -> Machine:
        machine.on_step = self.on_step
        exchange = open_on(machine)
        clock = exchange.clock
        assert isinstance(clock, VirtualClock)
        waiting: list[Staged] = []

        def stage_next() -> None:
            number = next(numbers, None)
            if number is not None:
                clock.set(START + number * BETWEEN)
                self.sent += len(self.blocks[number])
                waiting.append(exchange.stage(self.blocks[number]))

        numbers = iter(range(len(self.blocks)))
        while True:
            if not waiting:
                stage_next()
            if not waiting:
                break
            staged = waiting.pop(0)
            if self.is_acked_early:
                self.acked = self.sent
            if self.is_pipelined and not exchange.snapshot_due:
                self.meanwhile = stage_next
            exchange.sync()
            self.acked = exchange.deliver(staged)[-1].seq
            if waiting:
                continue
            before = exchange.snapshot_seq
            if exchange.snapshot_due:
                exchange.snapshot()
            self.snapshots += exchange.snapshot_seq != before
        exchange.close()
        self.segments = len(machine.folders["journal"].seen) - 1
        return machine

    def on_step(self, machine: Machine) -> None:
        if self.meanwhile is not None:  # in the middle of a sync: what another thread would do
            run, self.meanwhile = self.meanwhile, None
            run()
        for kept in (0.0, 1.0, *[None] * self.images):
            self.checked += 1
            self.check(machine.after_power_loss(self.rng, kept))

    def check_recovery(self, image: Machine) -> None:
        _, _, recovered = recovered_on(image)
        seq = recovered.engine.state.seq
        assert self.acked <= seq <= self.sent
        assert state_digest(recovered.engine.state) == self.digests[seq]
        assert not [note for note in recovered.notes if "damaged" in note]
        if self.checked % 10 == 0:  # what was recovered is durable, and trading goes on
            again = image.after_power_loss(self.rng, 0.0)
            assert recovered_on(again)[2].engine.state.seq == seq
            self.check_going_on(again, self.requests[seq : seq + 6])

    def check_going_on(self, image: Machine, rest: list[Request]) -> None:
        exchange = open_on(image, clock=VirtualClock(exchange_time(image)))
        for request in rest:
            exchange.commit([request])
        later = image.after_power_loss(self.rng, 0.0)
        found = stored(later)
        wanted = self.requests[: len(found)]
        assert len(found) == exchange.state.seq
        assert [(r.actor, row_of(r.command)) for r in found] == [(a, row_of(c)) for a, c in wanted]
        assert state_digest(replay(found).engine.state) == state_digest(exchange.state)
        assert examine(later.disk("journal")).problem == ""


def exchange_time(machine: Machine) -> int:
    return recovered_on(machine)[2].engine.state.ts + BETWEEN


@pytest.mark.parametrize("seed", SEEDS)
def test_power_loss_at_any_step_keeps_all_that_was_answered(seed: int) -> None:
    trial = Trial(seed, count=260, images=2)
    trial.run(Machine())
    assert trial.snapshots >= 20
    assert trial.segments >= 15
    assert trial.checked > 1_500


@pytest.mark.parametrize("seed", SEEDS)
def test_power_loss_while_batches_are_staged_during_a_sync(seed: int) -> None:
    trial = Trial(seed, count=200, images=4)
    trial.is_pipelined = True
    trial.run(Machine())
    assert trial.checked > 1_500


@pytest.mark.slow
@pytest.mark.parametrize("seed", [100, 101])
@pytest.mark.parametrize("is_pipelined", [False, True])
def test_power_loss_at_any_step_keeps_all_that_was_answered_in_many_images(
    seed: int, is_pipelined: bool
) -> None:
    trial = Trial(seed, count=400, images=8)
    trial.is_pipelined = is_pipelined
    trial.run(Machine())
    assert trial.checked > 5_000


@pytest.mark.parametrize("seed", SEEDS)
def test_power_loss_while_recovering_changes_nothing(seed: int) -> None:
    trial = Trial(seed, count=60, images=2)
    nested = 0

    def check(image: Machine) -> None:
        def lose_power_again(inner: Machine) -> None:
            nonlocal nested
            nested += 1
            trial.check_recovery(inner.after_power_loss(trial.rng))

        image.on_step = lose_power_again
        recovered_on(image)

    trial.check = check
    trial.run(Machine())
    assert nested > 300


BUGS = {
    "the journal is not synced": ("file", "journal"),
    "new segments are not synced into their folder": ("folder", "journal"),
    "snapshots are not synced before they get their name": ("file", "snapshots"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug: str) -> None:
    machine = Machine()
    machine.ignored.add(BUGS[bug])
    with pytest.raises((AssertionError, JournalError)):
        Trial(1, count=120, images=4).run(machine)


def test_an_answer_before_the_sync_is_caught() -> None:
    trial = Trial(1, count=60, images=1)
    trial.is_acked_early = True
    with pytest.raises(AssertionError):
        trial.run(Machine())


def test_a_batch_that_claims_too_much_to_be_durable_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "encode", lambda batch, cursor, _: encode(batch, cursor, cursor.seq))
    trial = Trial(1, count=120, images=6)
    trial.is_pipelined = True
    with pytest.raises(JournalError):
        trial.run(Machine())
