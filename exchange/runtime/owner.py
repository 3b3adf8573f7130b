"""The driver with an event loop: one inbox of everybody's commands and the feed's, group commit.

A batch is whatever arrived while the last one was synced.  Nothing is answered, and no query sees
anything, before it is durable.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from time import perf_counter_ns
from typing import Any, Final, TypeVar

from exchange.client import Receipt
from exchange.core.commands import Tick
from exchange.core.messages import Command
from exchange.core.terms import SYSTEM_USER
from exchange.errors import ConnectionLost, DataError, ExchangeError
from exchange.runtime.feeding import stage_due
from exchange.runtime.hub import Hub
from exchange.runtime.lookup import Lookup
from exchange.runtime.pace import Pace
from exchange.runtime.ports import Feed, JournalFull, Request
from exchange.runtime.sequencer import Exchange, Staged

BATCH_MAX: Final = 4_096  # commands of one commit; a single request may be larger
INBOX_MAX: Final = 65_536  # commands waiting before senders have to
FEED_MAX: Final = 256  # commands, about, that a feed which is behind adds to one batch
SYNC_HERE_NS: Final = 400_000  # a sync this quick is not worth a thread
WAIT_MAX: Final = 60.0  # seconds; the clock may jump while nothing is due

T = TypeVar("T")


class Waiting:
    """Commands of one request on their way through the inbox."""

    __slots__ = ("answer", "requests")

    def __init__(self, requests: list[Request], answer: asyncio.Future[list[Receipt]]) -> None:
        self.requests = requests
        self.answer = answer


class Owner:
    """Drives one exchange.  Everything but the disk runs in the loop's thread.

    threads: run what blocks; at least two, so that a slow query never holds up a sync.
    """

    def __init__(self, exchange: Exchange, pace: Pace, lookup: Lookup, hub: Hub, threads: Executor) -> None:
        self.exchange = exchange
        self.hub = hub
        self._pace = pace
        self._lookup = lookup
        self._threads = threads
        self._feed: Feed | None = None
        self._inbox: deque[Waiting] = deque()
        self._inbox_size = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._settled = asyncio.Lock()  # held while something is staged
        self._snapshot: asyncio.Future[None] | None = None
        self._sync_ns = SYNC_HERE_NS
        self._is_stopping = False
        self._failure: ExchangeError | None = None

    # -- for connections -------------------------------------------------------------------------

    async def send(self, actor: int, commands: Sequence[Command]) -> list[Receipt]:
        """Raises what ``Exchange.stage`` and ``sync`` raise, ConnectionLost when stopping."""
        while not self._room.is_set():
            await self._room.wait()
        if self._is_stopping:
            raise ConnectionLost("the exchange is stopping; nothing was sent")
        if not commands:
            return []
        answer: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
        self._inbox.append(Waiting([(actor, command) for command in commands], answer))
        self._inbox_size += len(commands)
        if self._inbox_size >= INBOX_MAX:
            self._room.clear()
        self._wake.set()
        return await answer

    async def query(self, actor: int, name: str, params: dict[str, Any]) -> Any:
        """Raises NotFound, DataError."""
        async with self._settled:
            if self._failure is not None:  # the state may be ahead of the disk
                raise self._failure
            found = self._lookup.begin(actor, name, params)
        return await self._in_thread(found) if callable(found) else found

    async def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        await self._in_thread(lambda: self._lookup.documents.save(kind, key, document))

    # -- the loop --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Refuse what comes from now on; ``run`` finishes what is in the inbox and returns."""
        self._is_stopping = True
        self._wake.set()
        self._room.set()

    async def run(self, feed: Feed | None = None) -> None:
        """Until stopped.  feed: prepared already.

        Raises JournalFailed and PoisonRecord: the exchange has stopped and nobody may go on.
        """
        self._feed = feed
        try:
            while self._inbox or not self._is_stopping:
                await self._wait()
                await self._round()
        except ExchangeError as error:
            _refuse(self._inbox, error)
            self._inbox.clear()
            raise
        finally:
            self._is_stopping = True
            self._room.set()
            if self._snapshot is not None:
                await asyncio.wait([self._snapshot])

    async def _wait(self) -> None:
        """For a command, the feed's next step or a timer."""
        if not self._inbox and not self._is_stopping:
            try:
                async with asyncio.timeout(self._seconds_idle()):
                    await self._wake.wait()
            except TimeoutError:
                pass
        self._wake.clear()

    def _seconds_idle(self) -> float:
        if self.exchange.read_only:
            return WAIT_MAX
        due = self.exchange.state.timers.next_due
        step = self._feed.due() if self._feed is not None else None
        if step is not None:
            due = min(due, step)
        return min(WAIT_MAX, self._pace.seconds_until(due))

    async def _round(self) -> None:
        """Commit one batch: what is in the inbox, and what the feed or a timer has due."""
        taken = self._take()
        exchange = self.exchange
        async with self._settled:
            try:
                staged = self._stage(taken)
                last = self._stage_due(staged[-1][1] if staged else None)
                if last is not None:
                    await self._sync()
                    exchange.deliver(last)
            except ExchangeError as error:
                self._failure = error
                _refuse(taken, error)
                raise
            if exchange.snapshot_due and (self._snapshot is None or self._snapshot.done()):
                self._begin_snapshot()
        for waiting, batch in staged:
            if not waiting.answer.done():  # whoever asked may be gone
                waiting.answer.set_result(batch.receipts())

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        size = 0
        while self._inbox and (not taken or size + len(self._inbox[0].requests) <= BATCH_MAX):
            waiting = self._inbox.popleft()
            size += len(waiting.requests)
            taken.append(waiting)
        self._inbox_size -= size
        if self._inbox_size < INBOX_MAX:
            self._room.set()
        return taken

    def _stage(self, taken: list[Waiting]) -> list[tuple[Waiting, Staged]]:
        """A request that cannot be written, or comes too late on a full disk, is refused alone."""
        staged = []
        for waiting in taken:
            try:
                staged.append((waiting, self.exchange.stage(waiting.requests)))
            except (DataError, JournalFull) as error:
                _refuse([waiting], error)
        return staged

    def _stage_due(self, last: Staged | None) -> Staged | None:
        """The feed's steps that are due; a tick if only a timer is.  The last batch now staged."""
        exchange = self.exchange
        if exchange.read_only or self._is_stopping:
            return last
        now = exchange.now()
        try:
            if self._feed is not None:
                for staged in stage_due(exchange, self._feed, now, FEED_MAX):
                    last = staged
            if last is None and exchange.state.timers.next_due <= now:
                last = exchange.stage([(SYSTEM_USER, Tick())])
        except JournalFull:
            self._feed = None  # the market stands still until there is room and a restart
        return last

    async def _sync(self) -> None:
        """In a thread, unless the disk was last faster than handing it over takes."""

        def timed() -> None:
            start = perf_counter_ns()
            self.exchange.sync()
            self._sync_ns = perf_counter_ns() - start

        if self._sync_ns < SYNC_HERE_NS:
            timed()
        else:
            await self._in_thread(timed)

    def _begin_snapshot(self) -> None:
        """Written beside the trading."""
        keep = self.exchange.begin_snapshot()
        self._snapshot = asyncio.get_running_loop().run_in_executor(self._threads, keep)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _refuse(taken: Iterable[Waiting], error: ExchangeError) -> None:
    for waiting in taken:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
