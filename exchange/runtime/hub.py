"""Who hears what: one bounded queue per subscriber, and what happens to the slow one.

Public market data of a slow reader is conflated: of a price level only the last state stays, of
trades the newest.  What concerns the subscriber's own accounts is never dropped; a queue full of
it ends the subscription, and the reader resumes by sequence number from the ring.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from exchange.client import Update
from exchange.core.messages import Event, LevelChanged, OrderAccepted, Rejected, Traded
from exchange.core.terms import EXTERNAL_ACCOUNT
from exchange.errors import DataError, NotFound

RING_MAX: Final = 16_384  # updates kept for those who come back
PENDING_MAX: Final = 4_096  # events waiting before market data is conflated
TRADES_MAX: Final = 512  # public trades that survive a conflation
OWN_MAX: Final = 16_384  # events waiting after a conflation before the subscription ends

OwnerOf = Callable[[int], int]  # account -> user


class Subscription:
    """One reader.  trades_dropped: public trades it will never see.   is_lost: it fell too far behind."""

    __slots__ = (
        "_hub",
        "_limit",
        "_pending",
        "_queue",
        "_replayed",
        "_wake",
        "actor",
        "is_lost",
        "trades_dropped",
    )

    def __init__(self, hub: Hub, actor: int, wake: Callable[[], None], since: int | None) -> None:
        """since: read the ring after this record first."""
        self.actor = actor
        self.trades_dropped = 0
        self.is_lost = False
        self._hub = hub
        self._wake = wake
        self._replayed = since
        self._queue: deque[Update] = deque()
        self._pending = 0
        self._limit = PENDING_MAX

    def offer(self, update: Update) -> None:
        """Queue what of it concerns this reader."""
        if self.is_lost or self._replayed is not None:
            return  # the ring has it
        mine = self._part(update)
        if mine is None:
            return
        self._queue.append(mine)
        self._pending += len(mine.events)
        if self._pending > self._limit:
            self._conflate()
        if len(self._queue) == 1 or self.is_lost:
            self._wake()

    def take(self, most: int) -> list[Update]:
        """The next updates, oldest first; empty if nothing waits."""
        while self._replayed is not None:
            again = self._hub.after(self._replayed, most)
            if again is None:
                self.is_lost = True
                return []
            if not again:
                self._replayed = None
                break
            self._replayed = again[-1].seq
            found = [mine for update in again if (mine := self._part(update)) is not None]
            if found:
                return found
        queue = self._queue
        taken = [queue.popleft() for _ in range(min(most, len(queue)))]
        self._pending -= sum(len(update.events) for update in taken)
        if not queue:
            self._limit = PENDING_MAX
        return taken

    def _part(self, update: Update) -> Update | None:
        events = [event for event in update.events if self._is_public(event) or self._is_own(event)]
        if not events:
            return None
        return update if len(events) == len(update.events) else _with(update, events)

    def _is_public(self, event: Event) -> bool:
        return isinstance(event, LevelChanged | Traded) or not accounts_of(event)

    def _is_own(self, event: Event) -> bool:
        return any(self._hub.owner_of(account) == self.actor for account in accounts_of(event))

    def _conflate(self) -> None:
        """Newest first, so that the first state seen of a level is the last one."""
        levels: set[tuple[int, int, int]] = set()
        trades = 0
        kept: deque[Update] = deque()
        pending = 0
        for update in reversed(self._queue):
            events: list[Event] = []
            for event in reversed(update.events):
                if isinstance(event, LevelChanged):
                    level = (event.instrument, event.side, event.price)
                    if level in levels:
                        continue
                    levels.add(level)
                elif isinstance(event, Traded) and not self._is_own(event):
                    trades += 1
                    if trades > TRADES_MAX:
                        self.trades_dropped += 1
                        continue
                events.append(event)
            if events:
                kept.appendleft(_with(update, events[::-1]))
                pending += len(events)
        self._queue, self._pending = kept, pending
        # Twice what could not be dropped: each event is looked at a bounded number of times.
        self._limit = max(PENDING_MAX, 2 * pending)
        if pending > OWN_MAX:
            self.is_lost = True
            self._queue.clear()
            self._pending = 0


class Hub:
    """Every subscription of one exchange, and the ring of recent updates."""

    def __init__(self, owner_of: OwnerOf, seq: int) -> None:
        """seq: the newest record before the first that will be published."""
        self.seq = seq
        self.owner_of = owner_of
        self._before = seq  # the newest record the ring no longer has
        self._ring: deque[Update] = deque()
        self._subscriptions: list[Subscription] = []

    def publish(self, updates: Iterable[Update]) -> None:
        """Updates in sequence; a listener of the sequencer."""
        for update in updates:
            self.seq = update.seq
            self._ring.append(update)
            if len(self._ring) > RING_MAX:
                self._before = self._ring.popleft().seq
            for subscription in self._subscriptions:
                subscription.offer(update)

    def subscribe(
        self, actor: int, since: int | None = None, wake: Callable[[], None] = lambda: None
    ) -> Subscription:
        """wake: called when a queue that was empty is not any more, or the subscription is lost.

        Raises NotFound when the ring no longer reaches back to ``since``, DataError when the
        exchange has not come so far.
        """
        if since is not None and since > self.seq:
            raise DataError(f"cannot watch from {since}: the exchange stands at sequence {self.seq}")
        if since is not None and since < self._before:
            raise NotFound(
                f"updates after {since} are gone, the oldest kept is {self._before + 1}: "
                "query afresh and watch from there"
            )
        subscription = Subscription(self, actor, wake, since)
        self._subscriptions.append(subscription)
        return subscription

    def after(self, seq: int, most: int) -> list[Update] | None:
        """The next updates in the ring, of everybody; None when it no longer reaches back so far."""
        start = seq - self._before  # every record has one update
        return None if start < 0 else list(islice(self._ring, start, start + most))

    def unsubscribe(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)


def accounts_of(event: Event) -> Sequence[int]:
    """The accounts an event is about; empty if it is about the exchange as a whole."""
    if isinstance(event, Traded):
        return (event.maker_account, event.taker_account)
    message = event
    if isinstance(event, OrderAccepted):
        return (event.order.account,)
    if isinstance(event, Rejected):
        message = event.command  # type: ignore[assignment]
    found = (getattr(message, name, None) for name in ("account", "source", "target"))
    # Everybody deals with the outside; it makes nobody a party.
    return tuple(account for account in found if isinstance(account, int) and account != EXTERNAL_ACCOUNT)


def _with(update: Update, events: list[Event]) -> Update:
    return Update(update.seq, update.ts, events)
