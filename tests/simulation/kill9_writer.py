"""Commits the seeded workload to a real store for as long as it lives; each line is one answer.

python kill9_writer.py HOME SEED
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from exchange.adapters.journal import JournalOptions
from exchange.adapters.store import StoreOptions, open_exchange
from exchange.runtime.sequencer import SequencerOptions
from tests.simulation.workload import BETWEEN, START, requests

COUNT = 6_000
LARGEST = 5
OPTIONS = StoreOptions(
    journal=JournalOptions(segment_bytes=8_192, growth_bytes=4_096),
    sequencer=SequencerOptions(snapshot_every=60, snapshot_share=0),
)


class Clock:
    """Advances with what has been written, so that timers fire."""

    def __init__(self) -> None:
        self.seq = 0

    def now(self) -> int:
        return START + self.seq * BETWEEN


def main(home: Path, seed: int) -> None:
    rng = random.Random()
    clock = Clock()
    exchange = open_exchange(home, clock, options=OPTIONS)
    stream = requests(seed, COUNT)
    os.write(1, b"open\n")
    while exchange.state.seq < COUNT:
        clock.seq = exchange.state.seq
        receipts = exchange.commit(stream[clock.seq : clock.seq + rng.randint(1, LARGEST)])
        os.write(1, f"{receipts[-1].seq}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
