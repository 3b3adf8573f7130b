"""From snapshot and journal back to the engine, and the journal played again from the beginning."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

from exchange.codec import load_state, payload_digest, state_digest
from exchange.core.engine import ENGINE_VERSION, Engine
from exchange.core.messages import Event, Record
from exchange.core.state.root import State
from exchange.errors import ExchangeError, JournalError
from exchange.runtime.ports import Journal, Snapshot, Snapshots

OnRecord: TypeAlias = Callable[[Record, list[Event], State], None]
Progress: TypeAlias = Callable[[int], None]  # records done
PROGRESS_EVERY = 2_000
COLLECTOR = (50_000, 20, 100)  # thresholds of the three generations
REDUMPED_MAX = 16 << 20  # bytes


class PoisonRecord(ExchangeError):
    """A record the engine breaks on: a bug.  The exchange stops; an operator may skip the record."""

    def __init__(self, record: Record, error: BaseException) -> None:
        self.seq = record.seq
        name = type(record.command).__name__
        super().__init__(
            f"sequence {record.seq} ({name}) broke the engine: {type(error).__name__}: {error}; "
            f"to go on without it: tradecli journal skip {record.seq} --reason TEXT"
        )


class Recovered(NamedTuple):
    """snapshot_seq: 0 if there was none.   replayed: records after it.   notes: what was repaired."""

    engine: Engine
    snapshot_seq: int
    replayed: int
    notes: list[str]


class Replayed(NamedTuple):
    """compared: sequences of the snapshots whose digest the replay reached and met."""

    engine: Engine
    records: int
    compared: list[int]


def apply(engine: Engine, record: Record) -> list[Event]:
    """Raises PoisonRecord when the engine breaks."""
    try:
        return engine.apply(record)
    except Exception as error:
        raise PoisonRecord(record, error) from error


def recover(journal: Journal, snapshots: Snapshots | None = None, *, freeze: bool = False) -> Recovered:
    """Newest intact snapshot of this engine version, then the journal behind it.

    freeze: take what was loaded out of the collector's sight.  Raises JournalError, JournalFailed,
    PoisonRecord.
    """
    with collector_off(freeze=freeze):
        snapshot = snapshots.newest() if snapshots is not None else None
        engine = restore(snapshot) if snapshot is not None else Engine()
        replayed = 0
        for record in journal.recover(snapshot.position if snapshot is not None else None):
            apply(engine, record)
            replayed += 1
    assert engine.state.seq == journal.last_seq
    notes = [*(snapshots.notes if snapshots is not None else []), *journal.notes]
    return Recovered(engine, snapshot.position.seq if snapshot is not None else 0, replayed, notes)


def restore(snapshot: Snapshot) -> Engine:
    """Raises JournalError when the loaded state is not the one that was saved.

    A large one is compared by its bytes alone: writing it out again would double the restart.
    """
    assert snapshot.engine_version == ENGINE_VERSION
    state = load_state(snapshot.payload)
    seq = snapshot.position.seq
    if len(snapshot.payload) <= REDUMPED_MAX:
        digest = state_digest(state)
    else:
        digest = payload_digest(snapshot.payload)
    if state.seq != seq or digest != snapshot.digest:
        raise JournalError(
            f"the snapshot of sequence {seq} does not load as the state it was taken of", seq=seq
        )
    return Engine(state)


def replay(
    records: Iterable[Record],
    digests: dict[int, str] | None = None,
    *,
    start: Snapshot | None = None,
    until: int | None = None,
    on_record: OnRecord | None = None,
    progress: Progress | None = None,
) -> Replayed:
    """Apply records to a fresh engine, or to a snapshot's, and compare with every known digest.

    Raises JournalError naming the sequence where the replayed state differs from a snapshot.
    """
    known = digests or {}
    engine = restore(start) if start is not None else Engine()
    done = 0
    compared = []
    with collector_off(freeze=False):
        for record in records:
            if until is not None and record.seq > until:
                break
            events = apply(engine, record)
            done += 1
            if on_record is not None:
                on_record(record, events, engine.state)
            if record.seq in known:
                if state_digest(engine.state) != known[record.seq]:
                    raise JournalError(
                        f"replayed up to sequence {record.seq} the state differs from its snapshot",
                        seq=record.seq,
                    )
                compared.append(record.seq)
            if progress is not None and done % PROGRESS_EVERY == 0:
                progress(done)
    if progress is not None:
        progress(done)
    return Replayed(engine, done, compared)


def tune_collector() -> None:
    """For a process that stays: what is loaded leaves the collector's sight, the rest is looked at
    seldom.  Sparse full collections keep one ``apply`` within microseconds.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTOR)


@contextmanager
def collector_off(*, freeze: bool) -> Iterator[None]:
    """Making a million objects at once costs several times as much with the collector looking on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        if freeze:
            gc.freeze()
    finally:
        if was_on:
            gc.enable()
