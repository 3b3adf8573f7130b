"""The market's clock: wall time from where the journal ended, at the speed of the settings."""

from __future__ import annotations

from exchange.core.units import MICRO, SECOND, Nanos
from exchange.runtime.ports import Clock


class Pace:
    """A clock (``exchange.runtime.ports``) behind a sequencer.  speed: market seconds per wall second.

    At speed 1 it is the wall clock unless the journal is ahead of it, as after a faster run.
    """

    def __init__(self, clock: Clock, speed: float = 1.0) -> None:
        self._clock = clock
        self._ppm = max(1, round(speed * 1_000_000))
        self._wall: Nanos = 0
        self._market: Nanos = 0
        self._held: Nanos | None = None

    def anchor(self, ts: Nanos) -> None:
        """Go on from this engine time, or from wall time if that is later."""
        wall = self._clock.now()
        self._held = None
        if self._ppm == 1_000_000 and ts <= wall:
            self._wall = self._market = 0
        else:
            self._wall, self._market = wall, max(ts, wall)

    def hold(self, ts: Nanos) -> None:
        """Stand still at this time until anchored again."""
        self._held = ts

    def now(self) -> Nanos:
        if self._held is not None:
            return self._held
        return self._market + (self._clock.now() - self._wall) * self._ppm // 1_000_000

    def seconds_until(self, ts: Nanos) -> float:
        """Wall seconds until the market reaches ts; 0 if it has."""
        # A microsecond more: engine time is cut to whole ones.
        ahead = ts + MICRO - self.now()
        return max(0.0, ahead * 1_000_000 / self._ppm / SECOND)
