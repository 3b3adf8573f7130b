"""The connection: blocking client verbs run beside the screen, their answers come back on it.

When the exchange goes away the link says so, counts down and connects again by itself.  Orders and
data have a lane each, so a long look into history never holds an order up.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from typing import Final, Protocol, TypeVar

from exchange.client import Client, Update
from exchange.errors import ConnectionLost, ExchangeError

T = TypeVar("T")

ORDERS: Final = "orders"
DATA: Final = "data"
WATCH: Final = "watch"
BACK_OFF_NS: Final = (250_000_000, 500_000_000, 1_000_000_000, 2_000_000_000, 4_000_000_000, 8_000_000_000)
INBOX_MAX: Final = 20_000


class State(Enum):
    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


class Lanes(Protocol):
    """Where blocking work runs."""

    def run(self, lane: str, work: Callable[[], T], done: Callable[[Future[T]], None]) -> None:
        """``done`` is called on the screen's side, with the finished future."""

    def close(self) -> None: ...


class ThreadLanes:
    """One thread per lane.  post: hands a call to the screen's loop from any thread."""

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post
        self._lanes: dict[str, ThreadPoolExecutor] = {}

    def run(self, lane: str, work: Callable[[], T], done: Callable[[Future[T]], None]) -> None:
        if lane not in self._lanes:
            self._lanes[lane] = ThreadPoolExecutor(1, thread_name_prefix=f"screen-{lane}")
        self._lanes[lane].submit(work).add_done_callback(lambda future: self._post(lambda: done(future)))

    def close(self) -> None:
        for lane in self._lanes.values():
            lane.shutdown(wait=False, cancel_futures=True)


class Inbox:
    """Updates on their way from the watching thread to the screen; bounded, so that a screen that
    cannot keep up slows its reader down and the exchange conflates what waits."""

    def __init__(self) -> None:
        self._updates: deque[Update] = deque()
        self._has_room = threading.Event()
        self._has_room.set()

    def put(self, update: Update) -> None:
        self._updates.append(update)
        if len(self._updates) >= INBOX_MAX:
            self._has_room.clear()
            self._has_room.wait()

    def take(self) -> list[Update]:
        taken = [self._updates.popleft() for _ in range(len(self._updates))]
        self._has_room.set()
        return taken

    def clear(self) -> None:
        self._updates.clear()
        self._has_room.set()


class Link:
    """now: monotonic nanoseconds.   changed: called after every change of ``state``.
    latency: nanoseconds of the last round trip of an order or a ping, -1 before the first.
    refusal: why there never will be a connection, such as settings that cannot be."""

    def __init__(
        self, connect: Callable[[], Client], lanes: Lanes, now: Callable[[], int], changed: Callable[[], None]
    ) -> None:
        self.state = State.CONNECTING
        self.failure = ""
        self.latency = -1
        self.attempt = 0
        self.retry_at = 0
        self.inbox = Inbox()
        self.refusal: ExchangeError | None = None
        self._was_live = False
        self._connect = connect
        self._lanes = lanes
        self.now = now
        self._changed = changed
        self._client: Client | None = None
        self._is_closed = False

    def open(self) -> None:
        """Connect, now or again."""
        self.state = State.CONNECTING
        self._changed()
        self._lanes.run(DATA, self._connect, self._connected)

    def _connected(self, future: Future[Client]) -> None:
        error = future.exception()
        if error is None:
            self._client = future.result()
            if self._is_closed:
                self._client.close()
                return
            self.state, self.failure, self.attempt = State.LIVE, "", 0
            self._was_live = True
            self._changed()
        elif not isinstance(error, ExchangeError):
            raise error
        elif self._was_live or isinstance(error, ConnectionLost):
            self.lose(str(error))
        else:
            self.refusal = error
            self._changed()

    def lose(self, why: str) -> None:
        """The exchange is gone: close, and try again after a while."""
        if self._is_closed or self.state is State.LOST:
            return
        client, self._client = self._client, None
        self.state, self.failure = State.LOST, why
        self.retry_at = self.now() + BACK_OFF_NS[min(self.attempt, len(BACK_OFF_NS) - 1)]
        self.attempt += 1
        self.inbox.clear()
        self.inbox = Inbox()
        if client is not None:
            self._lanes.run(DATA, client.close, lambda _: None)
        self._changed()

    def tick(self) -> None:
        """Connect again when it is time."""
        if self.state is State.LOST and self.now() >= self.retry_at:
            self.open()

    @property
    def retry_in(self) -> int:
        """Nanoseconds until the next attempt."""
        return max(self.retry_at - self.now(), 0)

    def call(
        self,
        lane: str,
        work: Callable[[Client], T],
        done: Callable[[T], None],
        failed: Callable[[ExchangeError], None] | None = None,
    ) -> None:
        """Run a verb.  ``failed`` hears of every ExchangeError; a lost connection is noticed here too."""
        client = self._client
        if client is None:
            if failed is not None:
                failed(ConnectionLost("there is no connection to the exchange"))
            return
        started = self.now()

        def finished(future: Future[T]) -> None:
            if self._is_closed or future.cancelled():
                return
            error = future.exception()
            if error is None:
                if lane == ORDERS:
                    self.latency = self.now() - started
                done(future.result())
                return
            if not isinstance(error, ExchangeError):
                raise error
            if isinstance(error, ConnectionLost) and self._client is client:
                self.lose(str(error))
            if failed is not None:
                failed(error)

        self._lanes.run(lane, lambda: work(client), finished)

    def follow(self, since: int) -> None:
        """Feed the inbox with everything after ``since`` until the connection ends."""
        client = self._client
        if client is None:
            return

        def ended(future: Future[None]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None and not isinstance(error, ExchangeError):
                raise error
            if self._client is client:
                self.lose(str(error) if error is not None else "the exchange closed the connection")

        inbox = self.inbox
        self._lanes.run(WATCH, lambda: _watch(client, since, inbox), ended)

    def close(self) -> None:
        self._is_closed = True
        client, self._client = self._client, None
        self.inbox.clear()
        if client is not None:
            client.close()
        self._lanes.close()


def _watch(client: Client, since: int, inbox: Inbox) -> None:
    for update in client.watch(since):
        inbox.put(update)
