"""Every flipped bit is noticed: refused, reported, or made good from an older snapshot."""

from __future__ import annotations

import random

import pytest

from exchange.adapters.journal_tools import examine
from exchange.codec import state_digest
from exchange.errors import ExchangeError
from tests.simulation.machine import Machine
from tests.simulation.store import feed, open_on, recovered_on
from tests.simulation.workload import blocks, requests


def stopped_store() -> tuple[Machine, int, str]:
    """A store after a clean stop, its last sequence and state digest."""
    machine = Machine()
    exchange = open_on(machine, every=16)
    feed(exchange, blocks(requests(3, 40), 3, largest=6))
    exchange.close()
    return machine, exchange.state.seq, state_digest(exchange.state)


def is_noticed(machine: Machine, seq: int, digest: str) -> bool:
    """Asserts that nothing is lost or changed without an error."""
    problem = examine(machine.disk("journal")).problem
    try:
        _, snapshots, recovered = recovered_on(machine)
        snapshots.digests()
    except ExchangeError:
        return True
    assert recovered.engine.state.seq == seq
    assert state_digest(recovered.engine.state) == digest
    return bool(problem or recovered.notes or snapshots.notes)


def unnoticed(bits: range | None) -> tuple[int, list[tuple[str, str, int, int]]]:
    machine, seq, digest = stopped_store()
    rng = random.Random(1)
    assert not is_noticed(machine.after_power_loss(rng, 1.0), seq, digest)
    flips = 0
    silent = []
    for folder in machine.folders:
        for name, inode in machine.folders[folder].seen.items():
            for offset in range(len(inode.seen)):
                if name == "watermark" and offset % 4096 >= 512:
                    continue  # between the copies is nothing
                for bit in bits or (rng.randrange(8),):
                    flips += 1
                    damaged = machine.after_power_loss(rng, 1.0)  # a copy: nothing is lost
                    damaged.folders[folder].seen[name].seen[offset] ^= 1 << bit
                    if not is_noticed(damaged, seq, digest):
                        silent.append((folder, name, offset, bit))
    return flips, silent


def test_a_flipped_bit_in_any_byte_is_noticed() -> None:
    flips, silent = unnoticed(None)
    assert flips > 4_000
    assert silent == []


@pytest.mark.slow
def test_any_flipped_bit_is_noticed() -> None:
    flips, silent = unnoticed(range(8))
    assert flips > 32_000
    assert silent == []
