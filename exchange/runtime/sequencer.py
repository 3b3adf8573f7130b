"""The sequencer: gives each command its place and time, and lets nothing out before it is durable.

``commit`` does it all.  An owner with an event loop calls the three steps itself: ``stage``
(stamp, append, apply) in the loop, ``sync`` in a thread while the next batch is staged,
``deliver`` in the loop again.  At most one sync is under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, NamedTuple

from exchange.client import Receipt, Update
from exchange.codec import dump_state, payload_digest
from exchange.core.commands import Tick
from exchange.core.engine import ENGINE_VERSION, Engine
from exchange.core.messages import Command, Event, Record, Reject, Rejected
from exchange.core.state.ledger import trial_balance
from exchange.core.state.root import State
from exchange.core.terms import SYSTEM_USER
from exchange.core.units import MICRO, SECOND, Nanos
from exchange.errors import ConnectionLost, ExchangeError, JournalFailed
from exchange.runtime.ports import Clock, Journal, JournalFull, Request, Snapshot, Snapshots
from exchange.runtime.recovery import PoisonRecord, collector_off

if TYPE_CHECKING:
    from exchange.runtime.preview import Preview

Listener = Callable[[list[Update]], None]


class SequencerOptions(NamedTuple):
    """A snapshot is due after snapshot_every commands, or after snapshot_ns with snapshot_min new
    ones, but never so often that taking them costs more than one part in snapshot_share of the
    time.   snapshot_at_stop: new commands that make one worthwhile when closing.
    stopwatch: nanoseconds, never back.
    """

    snapshot_every: int = 100_000
    snapshot_ns: int = 15 * SECOND
    snapshot_min: int = 1_000
    snapshot_at_stop: int = 1_000
    snapshot_share: int = 50
    stopwatch: Callable[[], int] = perf_counter_ns


class Staged:
    """Records that are applied but not yet durable: their events are nobody's business so far."""

    __slots__ = ("events", "nanos", "records")

    def __init__(self, records: list[Record], events: list[list[Event]], nanos: list[int]) -> None:
        self.records = records
        self.events = events
        self.nanos = nanos

    @property
    def last_seq(self) -> int:
        return self.records[-1].seq if self.records else 0

    def receipts(self) -> list[Receipt]:
        return [
            Receipt(record.seq, record.ts, events, reject_of(record, events), nanos)
            for record, events, nanos in zip(self.records, self.events, self.nanos, strict=True)
        ]

    def updates(self) -> list[Update]:
        pairs = zip(self.records, self.events, strict=True)
        return [Update(record.seq, record.ts, events) for record, events in pairs]


def reject_of(record: Record, events: list[Event]) -> Reject | None:
    """The engine refuses a record's own command in its last event; timers may be refused before."""
    if events:
        last = events[-1]
        if isinstance(last, Rejected) and last.command is record.command:
            return last.reject
    return None


class Exchange:
    """One engine behind one journal.  Not thread-safe but for ``sync``.

    listeners: get the updates of each delivered batch in order; they must not raise.
    read_only: why nothing is accepted while queries go on; "" normally.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        clock: Clock,
        snapshots: Snapshots | None = None,
        options: SequencerOptions | None = None,
    ) -> None:
        assert engine.state.seq == journal.last_seq
        self.engine = engine
        self.journal = journal
        self.clock = clock
        self.listeners: list[Listener] = []
        self.at_close: list[Callable[[], None]] = []
        self.read_only = ""
        self.snapshot_seq = engine.state.seq
        self.notes: list[str] = []
        self._snapshots = snapshots
        self._options = options or SequencerOptions()
        self._snapshot_at = self._options.stopwatch()
        self._snapshot_cost = 0
        self._queue: deque[Staged] = deque()
        self._error: ExchangeError | None = None
        self._is_stopping = False
        self._is_closed = False

    @property
    def state(self) -> State:
        return self.engine.state

    @property
    def undelivered(self) -> bool:
        """Something is staged that has not been delivered."""
        return bool(self._queue)

    def now(self) -> Nanos:
        """Engine time: the wall clock in whole microseconds, never before the last record."""
        now = self.clock.now()
        return max(self.engine.state.ts, now - now % MICRO)

    # -- the three steps -------------------------------------------------------------------------

    def commit(self, requests: Sequence[Request]) -> list[Receipt]:
        """Stage, sync, deliver.  Raises what they raise."""
        staged = self.stage(requests)
        self.sync()
        receipts = self.deliver(staged)
        if self.snapshot_due:
            self.snapshot()
        return receipts

    def stage(self, requests: Sequence[Request]) -> Staged:
        """Stamp, append, apply.  Answers come from ``deliver``.

        Raises DataError or JournalFull, with nothing changed; JournalFailed or PoisonRecord, and
        the exchange has stopped; ConnectionLost when it is closing.
        """
        self._check_running()
        if not requests:
            return Staged([], [], [])
        ts = self.now()
        seq = self.engine.state.seq
        records = [Record(seq + n, ts, actor, command) for n, (actor, command) in enumerate(requests, 1)]
        try:
            self.journal.append(records)
        except JournalFull as error:
            self.read_only = str(error)
            raise
        except JournalFailed as error:
            self._error = error
            raise
        staged = self._apply(records)
        self._queue.append(staged)
        return staged

    def sync(self) -> None:
        """Make everything staged so far durable.  Raises JournalFailed, and the exchange has stopped."""
        try:
            self.journal.sync()
        except JournalFailed as error:
            self._error = error
            raise

    def deliver(self, staged: Staged) -> list[Receipt]:
        """Tell the listeners of everything up to this batch, and return its answers."""
        assert staged.last_seq <= self.journal.durable_seq
        while self._queue and self._queue[0].last_seq <= staged.last_seq:
            done = self._queue.popleft()
            if self.listeners:
                updates = done.updates()
                for listener in self.listeners:
                    listener(updates)
        return staged.receipts()

    def _apply(self, records: list[Record]) -> Staged:
        apply = self.engine.apply
        stopwatch = self._options.stopwatch
        events: list[list[Event]] = []
        nanos: list[int] = []
        before = stopwatch()
        for record in records:
            try:
                events.append(apply(record))
            except Exception as error:
                self._error = PoisonRecord(record, error)
                raise self._error from error
            after = stopwatch()
            nanos.append(after - before)
            before = after
        return Staged(records, events, nanos)

    def _check_running(self) -> None:
        if self._error is not None:
            raise self._error
        if self.read_only:
            raise JournalFull(self.read_only)
        if self._is_stopping:
            raise ConnectionLost("the exchange is stopping; nothing was sent")

    # -- time and preview ------------------------------------------------------------------------

    def tick(self) -> None:
        """Fire the timers that are due, as a record of the system.

        While a batch is under way the tick is only staged; it is delivered with the next one.
        """
        if self.engine.state.timers.next_due > self.now():
            return
        request: Request = (SYSTEM_USER, Tick())
        if self._queue:
            self.stage([request])
        else:
            self.commit([request])

    def preview(self, actor: int, command: Command) -> Preview:
        """What the command would do if it came next.  Works in a read-only exchange as well."""
        from exchange.runtime.preview import preview

        if self._error is not None:
            raise self._error
        state = self.engine.state
        if not self.read_only and not self._is_stopping:
            self.tick()
        ts = self.now()
        if state.timers.next_due <= ts:  # nothing may be written: look just before the timer
            before = state.timers.next_due - 1
            ts = max(state.ts, before - before % MICRO)
        return preview(self.engine, actor, command, ts)

    # -- snapshots -------------------------------------------------------------------------------

    @property
    def snapshot_due(self) -> bool:
        if self._snapshots is None or self._error is not None or self.read_only:
            return False
        options = self._options
        new = self.engine.state.seq - self.snapshot_seq
        if new < min(options.snapshot_min, options.snapshot_every):
            return False
        elapsed = options.stopwatch() - self._snapshot_at
        if elapsed < options.snapshot_share * self._snapshot_cost:
            return False
        return new >= options.snapshot_every or elapsed >= options.snapshot_ns

    def snapshot(self) -> None:
        """Take and keep one now."""
        self.begin_snapshot()()

    def begin_snapshot(self) -> Callable[[], None]:
        """Copy the state; the returned rest of the work may run in a thread.

        Call it when all that was staged is delivered: a snapshot may not run ahead of the journal.
        Without room for it the exchange becomes read-only; when the disk is broken it stops.
        """
        snapshots = self._snapshots
        state = self.engine.state
        assert snapshots is not None
        assert not self._queue
        assert state.seq == self.journal.durable_seq
        started = self._options.stopwatch()
        assert not any(trial_balance(state.accounts, len(state.assets))), "the ledger does not sum to zero"
        with collector_off(freeze=False):
            payload = dump_state(state)
        digest = payload_digest(payload)
        taken = Snapshot(self.journal.position(), state.ts, ENGINE_VERSION, digest, payload)
        self.snapshot_seq = state.seq
        self._snapshot_at = self._options.stopwatch()
        self._snapshot_cost = self._snapshot_at - started

        def keep() -> None:
            try:
                snapshots.save(taken)
            except JournalFull as error:
                self.read_only = str(error)
            except JournalFailed as error:
                self._error = error

        return keep

    # -- the end ---------------------------------------------------------------------------------

    def stop(self) -> None:
        """Accept nothing more; what is under way can still be synced and delivered."""
        self._is_stopping = True

    def close(self) -> None:
        """Finish what is under way, keep a snapshot if there is enough new, give the store back.

        After a failure nothing is written any more.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self.stop()
        try:
            if self._error is None:
                if self.read_only:
                    self.journal.make_room()
                self.sync()
                if self._queue:
                    self.deliver(self._queue[-1])
                new = self.engine.state.seq - self.snapshot_seq
                if self._snapshots is not None and new >= self._options.snapshot_at_stop:
                    self.snapshot()
                    if self._error is not None:
                        raise self._error
        finally:
            try:
                self.journal.close()
            finally:
                for action in self.at_close:
                    action()
