"""The one place that reads the wall clock, and the clock that tests and headless days turn by hand."""

from __future__ import annotations

import time

from exchange.core.units import Nanos


class SystemClock:
    """Wall time, UTC; may jump."""

    def now(self) -> Nanos:
        return time.time_ns()  # noqa: TID251 - this is the one clock


class VirtualClock:
    """Stands still until it is told otherwise; may be set back."""

    def __init__(self, now: Nanos = 0) -> None:
        self._now = now

    def now(self) -> Nanos:
        return self._now

    def set(self, now: Nanos) -> None:
        self._now = now

    def advance(self, by: Nanos) -> None:
        self._now += by
