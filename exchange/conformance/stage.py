"""A recorded feed in front of a fresh engine, as fast as it goes."""

from __future__ import annotations

from exchange.client import Receipt
from exchange.core.engine import Engine
from exchange.core.messages import Command, Record, Rejected
from exchange.core.state.root import State
from exchange.core.units import DAY, Nanos
from exchange.errors import ExchangeError
from exchange.runtime.ports import Feed, Request

BEGIN: Nanos = DAY


class Stage:
    """refused: commands of the feed so far that the engine refused, by reason."""

    __slots__ = ("engine", "feed", "refused")

    def __init__(self, feed: Feed) -> None:
        """Raises ExchangeError if the feed cannot get ready."""
        self.engine = Engine()
        self.feed = feed
        self.refused: dict[str, int] = {}
        while requests := feed.prepare(self.state):
            self._send(requests, BEGIN)
            if self.refused:
                raise ExchangeError(f"the market cannot get ready: {', '.join(self.refused)}")

    @property
    def state(self) -> State:
        return self.engine.state

    def step(self) -> bool:
        """Take one step of the feed; False when it has ended."""
        due = self.feed.due()
        if due is None:
            return False
        now = max(due, self.state.ts)
        self.feed.answered(self._send(self.feed.step(self.state, now), now))
        return True

    def _send(self, requests: list[Request], now: Nanos) -> list[Receipt]:
        receipts = [self.apply(actor, command, now) for actor, command in requests]
        for receipt in receipts:
            if receipt.reject is not None:
                reason = receipt.reject.reason
                self.refused[reason] = self.refused.get(reason, 0) + 1
        return receipts

    def apply(self, actor: int, command: Command, now: Nanos = 0) -> Receipt:
        """Somebody else's command, between two steps."""
        record = Record(self.state.seq + 1, max(now, self.state.ts), actor, command)
        events = self.engine.apply(record)
        last = events[-1] if events else None
        reject = last.reject if isinstance(last, Rejected) and last.command is command else None
        return Receipt(record.seq, record.ts, events, reject)
