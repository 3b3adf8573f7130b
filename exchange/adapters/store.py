"""A store on this machine: lock, journal and snapshots in one folder, opened as an ``Exchange``.

HOME/lock   HOME/journal/   HOME/snapshots/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from exchange.adapters.disk import LocalDisk, StoreLock
from exchange.adapters.journal import JournalOptions, SegmentJournal
from exchange.adapters.journal_scan import Scan
from exchange.adapters.snapshots import KEPT, FileSnapshots
from exchange.core.messages import Record
from exchange.errors import JournalFailed, NotFound
from exchange.runtime import recovery
from exchange.runtime.ports import Clock
from exchange.runtime.recovery import OnRecord, Replayed
from exchange.runtime.sequencer import Exchange, SequencerOptions

LOCK = "lock"
JOURNAL = "journal"
SNAPSHOTS = "snapshots"
RESERVE_BYTES = 64 << 20

Progress: TypeAlias = Callable[[int, int], None]  # records done, records in all as far as known


class StoreOptions(NamedTuple):
    """freeze: take what was loaded out of the garbage collector's sight."""

    journal: JournalOptions = JournalOptions()
    sequencer: SequencerOptions = SequencerOptions()
    snapshots_kept: int = KEPT
    freeze: bool = True


# For the process that stays: room for a clean stop, and segments prepared by a thread.
OWNER_OPTIONS = StoreOptions(journal=JournalOptions(reserve_bytes=RESERVE_BYTES, is_ahead=True))


def open_exchange(home: Path, clock: Clock, *, options: StoreOptions | None = None) -> Exchange:
    """Take the store over and recover it; ``close`` gives it back.

    Raises StoreLocked naming the owner, JournalError, JournalFailed, PoisonRecord.
    """
    chosen = options or StoreOptions()
    lock: StoreLock | None = None
    try:
        LocalDisk(home)
        lock = StoreLock(home / LOCK)
        journal = SegmentJournal(LocalDisk(home / JOURNAL), chosen.journal)
        snapshots = FileSnapshots(LocalDisk(home / SNAPSHOTS), journal.instance, chosen.snapshots_kept)
        recovered = recovery.recover(journal, snapshots, freeze=chosen.freeze)
    except BaseException as error:
        if lock is not None:
            lock.release()
        if isinstance(error, OSError):
            raise JournalFailed(f"the store {home} cannot be opened: {error}") from error
        raise
    exchange = Exchange(recovered.engine, journal, clock, snapshots, chosen.sequencer)
    exchange.snapshot_seq = recovered.snapshot_seq
    exchange.notes = recovered.notes
    exchange.read_only = journal.refusal
    exchange.at_close.append(lock.release)
    return exchange


def replay(
    home: Path,
    *,
    until: int | None = None,
    since: int = 0,
    on_record: OnRecord | None = None,
    progress: Progress | None = None,
) -> Replayed:
    """Play the journal again, from the first record or from the newest snapshot at most at since,
    into a fresh engine; it writes nothing and may run beside the owner.

    Raises JournalError on damage or where the state differs from a snapshot, PoisonRecord,
    NotFound without a journal.
    """
    scan = open_scan(home)
    snapshots = FileSnapshots(LocalDisk(home / SNAPSHOTS), scan.instance)
    start = snapshots.newest(since) if since else None
    total = until or scan.watermark

    def records() -> Iterator[Record]:
        for data, batch in scan.batches(start.position if start is not None else None):
            yield from scan.records(data, batch)
        scan.judge()

    def advance(done: int) -> None:
        assert progress is not None
        progress(done, max(done, total))

    return recovery.replay(
        records(),
        snapshots.digests(),
        start=start,
        until=until,
        on_record=on_record,
        progress=advance if progress is not None else None,
    )


def open_scan(home: Path) -> Scan:
    """The journal of a store for reading.  Raises NotFound, JournalError."""
    if not (home / JOURNAL).is_dir():
        raise NotFound(f"there is no journal in {home}")
    return Scan(LocalDisk(home / JOURNAL))
