"""The whole interface of the exchange: four verbs, the same embedded, attached or remote.

The verbs block; a screen calls them from a worker thread, a script just calls them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from exchange.core.messages import Command, Event, OrderAccepted, Reject


class Receipt:
    """The durable answer to one command.

    events: all the record caused, due timers included.   reject: None if it was accepted.
    engine_ns: time inside the engine, transport and disk left out.
    """

    __slots__ = ("engine_ns", "events", "reject", "seq", "ts")

    def __init__(
        self, seq: int, ts: int, events: list[Event], reject: Reject | None, engine_ns: int = 0
    ) -> None:
        self.seq = seq
        self.ts = ts
        self.events = events
        self.reject = reject
        self.engine_ns = engine_ns

    @property
    def order_id(self) -> int:
        """Of the accepted order, or of the first one for ``order.exists``; 0 if neither."""
        for event in self.events:
            if isinstance(event, OrderAccepted):
                return event.order_id
        if self.reject is not None and self.reject.unit == "OrderId":
            return self.reject.limit
        return 0


class Update:
    """What one record changed, as a subscriber sees it."""

    __slots__ = ("events", "seq", "ts")

    def __init__(self, seq: int, ts: int, events: list[Event]) -> None:
        self.seq = seq
        self.ts = ts
        self.events = events


class Client(Protocol):
    """A connection acting as one user."""

    def send(self, commands: Sequence[Command]) -> list[Receipt]:
        """Answers in order, each durable.  Raises ConnectionLost, JournalFailed, StoreLocked."""

    def query(self, name: str, **params: Any) -> Any:
        """Rows of a named query (``exchange/queries.py``): dicts of text, integers and booleans,
        decimals as text.  Raises NotFound for an unknown name, account, order or instrument."""

    def watch(self, since: int | None = None) -> Iterator[Update]:
        """Updates in sequence, each once, from the one after ``since`` (default: from now).

        Market data of a slow reader is conflated, own orders never.  Ends when the client closes.
        """

    def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        """Keep a document (layout, watchlist, settings); None deletes it."""

    def close(self) -> None: ...
