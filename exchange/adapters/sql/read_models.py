"""The read models for code that blocks: one thread with its own loop folds updates and answers queries.

Nothing heavy is imported until one is opened.  What it misses it makes again from the journal, so
it never holds the exchange up and never holds more than a bounded number of updates.  A failure of
the file stops the folding and is told to the next query; trading goes on.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, TypeVar

from exchange.client import Update
from exchange.core.engine import Engine
from exchange.directory import Directory
from exchange.errors import ExchangeError
from exchange.runtime.ports import Journal, Snapshots
from exchange.runtime.recovery import apply, restore

if TYPE_CHECKING:
    from exchange.adapters.sql.history import History
    from exchange.adapters.sql.projector import Projector

T = TypeVar("T")
Source: TypeAlias = Callable[[int], Iterable[Update]]  # the updates after a sequence number

LINGER_S: Final = 0.05  # updates wait this long for company: one transaction instead of many
WAITING_EVENTS_MAX: Final = 200_000  # beyond it they are dropped and read from the source later


def journal_source(journal: Journal, snapshots: Snapshots | None = None) -> Source:
    """Replays the durable records from the newest snapshot that lies before what is wanted."""

    def after(seq: int) -> Iterator[Update]:
        start = snapshots.newest(at_most=seq) if snapshots is not None else None
        engine = restore(start) if start is not None else Engine()
        for record in journal.read(engine.state.seq):
            events = apply(engine, record)
            if record.seq >= seq:  # the last known one as well: its time is compared
                yield Update(record.seq, record.ts, events)

    return after


class ReadModels:
    """A context manager around the file at ``path``, made anew if it does not fit.

    source: where missed updates come from.   end: last sequence number of the journal.
    journal: its identity, "" for any.   Raises ExchangeError if the file is ahead of ``end``.
    """

    def __init__(
        self, path: Path, source: Source | None = None, *, end: int | None = None, journal: str = ""
    ) -> None:
        self.failure: ExchangeError | None = None
        self._path = path
        self._source = source
        self._changed = threading.Condition()
        self._waiting: list[Update] = []
        self._waiting_events = 0
        self._target = 0 if end is None or source is None else end
        self._is_closing = False
        self._projector: Projector
        self._history: History
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="read-models", daemon=True)
        self._thread.start()
        try:
            self._call(self._open(journal, end))
        except BaseException:
            self._stop()
            raise
        self._worker = asyncio.run_coroutine_threadsafe(self._follow(), self._loop)

    @property
    def seq(self) -> int:
        """The last record whose rows are in the file."""
        return self._projector.seq

    @property
    def behind(self) -> int:
        """Records that are known of and not yet in the file."""
        return max(0, self._target - self._projector.seq)

    def catch_up(self, updates: Iterable[Update]) -> int:
        """Fold now, in this call; returns the number of new records.  Known ones may come again.

        Memory stays bounded however many there are.  Raises ExchangeError for a gap.
        """
        return self._call(self._projector.fold(updates))

    def follow(self, updates: Sequence[Update]) -> None:
        """Take updates as the exchange makes them; they are folded soon.  Never waits, never raises."""
        if not updates or self._is_closing or self.failure is not None:
            return
        with self._changed:
            self._target = max(self._target, updates[-1].seq)
            self._waiting_events += sum(len(update.events) + 1 for update in updates)
            self._waiting.extend(updates)
            if self._waiting_events > WAITING_EVENTS_MAX and self._source is not None:
                self._waiting, self._waiting_events = [], 0
        self._loop.call_soon_threadsafe(self._wake.set)

    def expect(self, seq: int) -> None:
        """Say that the records up to this one exist; what was not followed comes from the source."""
        with self._changed:
            self._target = max(self._target, seq)
        if not self._is_closing:
            self._loop.call_soon_threadsafe(self._wake.set)

    def flush(self) -> None:
        """Return when everything known of now is in the file.  Raises ExchangeError if it cannot be."""
        target = self._target
        self._loop.call_soon_threadsafe(self._hurry.set)
        self._loop.call_soon_threadsafe(self._wake.set)
        with self._changed:
            self._changed.wait_for(lambda: self.seq >= target or self.failure is not None)
        if self.failure is not None:
            raise self.failure

    def query(self, name: str, directory: Directory, **params: Any) -> Any:
        """A query of ``History``; what was followed before is in its answer."""
        self.flush()
        return self._call(self._history.query(name, directory, **params))

    def close(self) -> None:
        """Fold what waits and close the file; what must come from the source is left for next time."""
        if not self._thread.is_alive():
            return
        self._is_closing = True
        self._loop.call_soon_threadsafe(self._hurry.set)
        self._loop.call_soon_threadsafe(self._wake.set)
        try:
            self._worker.result()
        finally:
            self._call(self._projector.close())
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, journal: str, end: int | None) -> None:
        from exchange.adapters.sql.history import History
        from exchange.adapters.sql.projector import Projector

        self._projector = await Projector.open(self._path, journal, end)
        self._history = History(self._projector.engine)
        self._wake.set()

    async def _follow(self) -> None:
        """Fold whatever has arrived, over and over, until closed; the first failure ends it."""
        try:
            while not self._is_closing:
                await self._wake.wait()
                self._wake.clear()
                await _either(self._hurry, LINGER_S)
                self._hurry.clear()
                await self._fold()
            await self._fold()  # what came in since
        except ExchangeError as error:
            self.failure = error
        finally:
            if self.failure is None and not self._is_closing:
                self.failure = ExchangeError(f"{self._path}: the read models stopped at sequence {self.seq}")
            with self._changed:
                self._changed.notify_all()

    async def _fold(self) -> None:
        """Everything known of, from the source where it was missed."""
        while True:
            with self._changed:
                taken, self._waiting, self._waiting_events = self._waiting, [], 0
                self._changed.notify_all()
            needed = taken[0].seq - 1 if taken else self._target
            if needed > self.seq and self._source is not None:
                await self._projector.fold(self._missed(self._source))
                if self._is_closing:
                    return
            await self._projector.fold(taken)
            if self.behind == 0:
                break
            if not taken and needed > self.seq:
                raise ExchangeError(
                    f"{self._path}: record {needed} is nowhere to be had; the read models stand at {self.seq}"
                )
        with self._changed:
            self._changed.notify_all()

    def _missed(self, source: Source) -> Iterator[Update]:
        for update in source(self.seq):
            if self._is_closing:
                return
            yield update


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Until the event or that many seconds, whichever is first."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
