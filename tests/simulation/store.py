"""A store on a simulated machine, small enough that segments and snapshots follow each other."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.adapters.clock import VirtualClock
from exchange.adapters.journal import JournalOptions, SegmentJournal
from exchange.adapters.snapshots import FileSnapshots
from exchange.core.messages import Record
from exchange.runtime.ports import Request
from exchange.runtime.recovery import Recovered, recover
from exchange.runtime.sequencer import Exchange, SequencerOptions
from tests.simulation.machine import Machine
from tests.simulation.workload import BETWEEN, START

INSTANCE = bytes(range(16))
SMALL = JournalOptions(segment_bytes=1_500, growth_bytes=700, watermark_ns=3)


class Ticks:
    """A stopwatch that counts how often it was looked at."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


def journal_on(machine: Machine, options: JournalOptions = SMALL) -> SegmentJournal:
    return SegmentJournal(machine.disk("journal"), options, INSTANCE, Ticks())


def recovered_on(
    machine: Machine, options: JournalOptions = SMALL
) -> tuple[SegmentJournal, FileSnapshots, Recovered]:
    journal = journal_on(machine, options)
    snapshots = FileSnapshots(machine.disk("snapshots"), journal.instance, kept=3)
    return journal, snapshots, recover(journal, snapshots)


def open_on(
    machine: Machine, *, options: JournalOptions = SMALL, every: int = 9, clock: VirtualClock | None = None
) -> Exchange:
    """every: commands from snapshot to snapshot."""
    journal, snapshots, recovered = recovered_on(machine, options)
    sequencing = SequencerOptions(
        snapshot_every=every, snapshot_share=0, snapshot_at_stop=10**9, stopwatch=Ticks()
    )
    exchange = Exchange(recovered.engine, journal, clock or VirtualClock(START), snapshots, sequencing)
    exchange.snapshot_seq = recovered.snapshot_seq
    exchange.notes = recovered.notes
    exchange.read_only = journal.refusal
    return exchange


def feed(exchange: Exchange, cut: Sequence[Sequence[Request]], acked: list[int] | None = None) -> None:
    """Commit block by block; ``acked`` gets the sequence of each answer."""
    clock = exchange.clock
    assert isinstance(clock, VirtualClock)
    for number, block in enumerate(cut):
        clock.set(START + number * BETWEEN)
        receipts = exchange.commit(block)
        if acked is not None:
            acked.extend(receipt.seq for receipt in receipts)


def stored(machine: Machine) -> list[Record]:
    """Every record that a recovery finds."""
    return list(journal_on(machine).recover())
