"""The exchange in the caller's own process: the store belongs to it until it is closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final

from exchange.client import Receipt, Update
from exchange.core.messages import Command
from exchange.errors import ConnectionLost
from exchange.runtime.hub import Hub, Subscription
from exchange.runtime.lookup import Documents, History, Lookup
from exchange.runtime.sequencer import Exchange

BATCH_MAX: Final = 4_096  # commands of one commit
TAKEN_MAX: Final = 512  # updates handed to a watcher at once


class EmbeddedClient:
    """A ``Client`` acting as one user; its verbs may be called from several threads."""

    def __init__(self, exchange: Exchange, actor: int, history: History, documents: Documents) -> None:
        self.actor = actor
        self._exchange = exchange
        self._lookup = Lookup(exchange, history, documents)
        accounts = exchange.state.accounts
        self._hub = Hub(lambda account: accounts[account].owner, exchange.state.seq)
        self._changed = threading.Condition()  # also the lock of everything above
        self._is_closed = False
        exchange.listeners.append(self._hub.publish)

    def send(self, commands: Sequence[Command]) -> list[Receipt]:
        receipts: list[Receipt] = []
        with self._changed:
            self._check_open()
            for start in range(0, len(commands), BATCH_MAX):
                part = commands[start : start + BATCH_MAX]
                receipts += self._exchange.commit([(self.actor, command) for command in part])
        return receipts

    def query(self, name: str, **params: Any) -> Any:
        with self._changed:
            self._check_open()
            found = self._lookup.begin(self.actor, name, params)
        return found() if callable(found) else found

    def watch(self, since: int | None = None) -> Iterator[Update]:
        with self._changed:
            self._check_open()
            subscription = self._hub.subscribe(self.actor, since, self._changed.notify_all)
            newest = self._hub.seq if since is None else since
        return self._updates(subscription, newest)

    def _updates(self, subscription: Subscription, newest: int) -> Iterator[Update]:
        try:
            while True:
                with self._changed:
                    while not (updates := subscription.take(TAKEN_MAX)):
                        if self._is_closed:
                            return
                        if subscription.is_lost:
                            self._hub.unsubscribe(subscription)
                            subscription = self._hub.subscribe(self.actor, newest, self._changed.notify_all)
                            continue
                        self._changed.wait()
                for update in updates:
                    newest = update.seq
                    yield update
        finally:
            self._hub.unsubscribe(subscription)

    def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        with self._changed:
            self._check_open()
            self._lookup.documents.save(kind, key, document)

    def close(self) -> None:
        """Gives the store back.  Raises JournalFailed when the end could not be written."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._changed.notify_all()
            try:
                self._lookup.history.close()
            finally:
                self._exchange.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ConnectionLost("this client is closed")
