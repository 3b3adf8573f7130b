"""What a view is: rows to read, folded from events, the same in the exchange and in a terminal.

A view may be wrong about nothing and may be thrown away: feeding it the events again gives the
same rows.  Market views take whole updates; they need no account and no directory.
"""

from __future__ import annotations

from typing import Protocol

from exchange.core.messages import Event
from exchange.core.terms import Seq
from exchange.core.units import Nanos


class View(Protocol):
    """Folding an event a second time, in order, changes nothing that stays: snapshots may overlap."""

    def fold(self, seq: Seq, ts: Nanos, event: Event) -> bool:
        """Did the event change what the view shows?"""
