"""One name space of queries for every driver: live state, history, documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from exchange.client import Update
from exchange.core.state.root import State
from exchange.directory import Directory
from exchange.errors import DataError, NotFound
from exchange.runtime.queries import QUERIES, answer
from exchange.runtime.sequencer import Exchange

PREVIEW = "preview"
KINDS: dict[str, type] = {
    "account": str,
    "client_order_id": str,
    "instrument": str,
    "key": str,
    "kind": str,
    "levels": int,
    "limit": int,
    "order": dict,
    "order_id": int,
}
RESERVED = frozenset({"name", "directory", "state", "self"})


class History(Protocol):
    """The read models behind the acknowledgement."""

    @property
    def names(self) -> frozenset[str]: ...

    def follow(self, updates: Sequence[Update]) -> None:
        """A listener of the sequencer."""

    def query(self, name: str, directory: Directory, **params: Any) -> Any:
        """Blocks; everything followed before is in the answer.  Raises NotFound, DataError."""

    def close(self) -> None: ...


class Documents(Protocol):
    """What a user keeps that is no business of the engine."""

    @property
    def names(self) -> frozenset[str]: ...

    def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        """Durable on return; None deletes.  Raises DataError."""

    def query(self, name: str, **params: Any) -> Any:
        """Raises NotFound, DataError."""


class Lookup:
    """Answers queries of one exchange.  What ``answer`` does in two steps, a driver with an event
    loop does itself: ``begin`` between two batches, the returned rest in a thread.
    """

    def __init__(self, exchange: Exchange, history: History, documents: Documents) -> None:
        self.documents = documents
        self.history = history
        self._exchange = exchange
        self._directory: tuple[tuple[int, ...], Directory] | None = None

    def answer(self, actor: int, name: str, params: dict[str, Any]) -> Any:
        """Raises NotFound for an unknown name, DataError for parameters that do not fit."""
        found = self.begin(actor, name, params)
        return found() if callable(found) else found

    def begin(self, actor: int, name: str, params: dict[str, Any]) -> Any | Callable[[], Any]:
        """The answer, or the blocking rest of the work.  Call it when nothing is undelivered: what
        is not durable must not be seen."""
        assert not self._exchange.undelivered
        _check(name, params)
        if name in self.documents.names:
            return lambda: self.documents.query(name, **params)
        if name in QUERIES or name == PREVIEW:
            try:
                return answer(self._exchange, actor, name, params)
            except NotFound:
                if name not in self.history.names:
                    raise
        if name in self.history.names:
            directory = self._names()
            return lambda: self.history.query(name, directory, **params)
        known = sorted({PREVIEW, *QUERIES, *self.history.names, *self.documents.names})
        raise NotFound(f"there is no query {name[:40]!r}; there are: {', '.join(known)}")

    def _names(self) -> Directory:
        """Made anew when something was listed, opened or registered."""
        state: State = self._exchange.state
        size = (len(state.assets), len(state.books), len(state.accounts), len(state.users))
        if self._directory is None or self._directory[0] != size:
            self._directory = (size, Directory.of(state))
        return self._directory[1]


def _check(name: str, params: dict[str, Any]) -> None:
    """A parameter of the wrong kind is the asker's mistake; whether the query takes it shows later."""
    for key, value in params.items():
        kind = KINDS.get(key, object)
        is_kind = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        if key in RESERVED or (value is not None and not is_kind):
            raise DataError(f"query {name[:40]}: {key[:40]} {str(value)[:40]!r} does not fit")
    if name == PREVIEW and (set(params) != {"order"} or params["order"] is None):
        raise DataError("query preview: takes the order to look at, as JSON, and nothing else")
