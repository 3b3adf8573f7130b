"""From the time of the data to the time of the exchange: starts with the first step, keeps intervals."""

from __future__ import annotations

from typing import Final

from exchange.core.units import MICRO, SECOND, Nanos

LAG_MAX: Final[Nanos] = 60 * SECOND  # a longer gap, such as a sleeping laptop, is not made up for


class Timeline:
    """offset: exchange time less data time; None until the first step."""

    __slots__ = ("offset",)

    def __init__(self) -> None:
        self.offset: Nanos | None = None

    def due(self, ts: Nanos) -> Nanos:
        """Exchange time of a data time, a whole microsecond; 0, which is at once, before the start."""
        if self.offset is None:
            return 0
        return -(-(ts + self.offset) // MICRO) * MICRO

    def reach(self, ts: Nanos, now: Nanos) -> None:
        """The step of this data time is taken now."""
        if self.offset is None:
            self.offset = now - ts
        elif now - self.due(ts) > LAG_MAX:
            self.offset += now - self.due(ts)
