"""A feed in front of a sequencer: get it ready, take its steps, run it through time already past.

The feed belongs to this process, so it may know an answer before it is durable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exchange.core.units import Nanos
from exchange.errors import ExchangeError
from exchange.runtime.pace import Pace
from exchange.runtime.ports import Feed
from exchange.runtime.sequencer import Exchange, Staged

PREPARATIONS_MAX: Final = 1_000
BATCH_MAX: Final = 4_096  # commands staged before they are made durable


def prepare(exchange: Exchange, feed: Feed) -> None:
    """Send what the feed still lacks, until it lacks nothing.  Raises ExchangeError if it cannot be had."""
    for _ in range(PREPARATIONS_MAX):
        requests = feed.prepare(exchange.state)
        if not requests:
            return
        for receipt in exchange.commit(requests):
            if receipt.reject is not None:
                raise ExchangeError(f"the market cannot get ready: {receipt.reject.reason}")
    raise ExchangeError(f"the market is not ready after {PREPARATIONS_MAX} rounds of preparation")


def stage_due(exchange: Exchange, feed: Feed, now: Nanos, most: int) -> Iterator[Staged]:
    """Stage the steps that are due one by one, until they have about ``most`` commands.

    Raises what ``Exchange.stage`` raises; what was staged before stays staged.
    """
    commands = 0
    while commands < most and (due := feed.due()) is not None and due <= now:
        requests = feed.step(exchange.state, now)
        staged = exchange.stage(requests)
        feed.answered(staged.receipts())
        if requests:
            commands += len(requests)
            yield staged


def run_until(exchange: Exchange, feed: Feed, pace: Pace, until: Nanos) -> None:
    """Take every step up to ``until`` as if its time were now; the pace stands there afterwards."""
    commands = 0
    last: Staged | None = None
    while (due := feed.due()) is not None and due <= until:
        pace.hold(max(due, exchange.state.ts))
        for last in stage_due(exchange, feed, pace.now(), 1):
            commands += len(last.records)
        if last is not None and commands >= BATCH_MAX:
            exchange.sync()
            exchange.deliver(last)
            commands, last = 0, None
    if last is not None:
        exchange.sync()
        exchange.deliver(last)
    pace.hold(max(until, exchange.state.ts))
