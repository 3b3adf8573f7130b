"""What the runtime needs of the outside world, each port a few methods.  Adapters implement them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias

from exchange.client import Receipt
from exchange.core.messages import Command, Record
from exchange.core.state.root import State
from exchange.core.units import Nanos

Request: TypeAlias = tuple[int, Command]  # who asks (user id), and what


class Clock(Protocol):
    def now(self) -> Nanos:
        """Wall time, UTC; may jump.  The sequencer never lets engine time go back."""


class Journal(Protocol):
    """The one ordered log.  A record is durable once ``sync`` has returned after its ``append``."""

    last_seq: int
    durable_seq: int

    def append(self, records: Sequence[Record]) -> None:
        """One block.  Raises JournalFailed when the disk is full or broken."""

    def sync(self) -> None:
        """May run in another thread while ``append`` waits.  Raises JournalFailed, once and for all."""

    def read(self, after: int = 0) -> Iterator[Record]:
        """Records with seq > after, in order.  Raises JournalError on damage below the watermark."""

    def close(self) -> None: ...


class Snapshots(Protocol):
    def save(self, seq: int, payload: bytes, digest: str) -> None: ...

    def newest(self, at_most: int | None = None) -> tuple[int, bytes, str] | None:
        """(seq, payload, state digest) of the newest intact snapshot, at most at this sequence."""


class Feed(Protocol):
    """A market as a source of commands, sans-I/O: simulated agents or recorded data.

    Runs beside the engine and may read the state, never change it.  Time is the driver's: virtual
    for a headless day, wall time scaled by the speed behind a dashboard.
    """

    def prepare(self, state: State) -> list[Request]:
        """Users, accounts, funds it still lacks; called and sent again until it is empty."""

    def due(self) -> Nanos | None:
        """Engine time of the next step; None when the feed has ended."""

    def step(self, state: State, now: Nanos) -> list[Request]:
        """What it asks at this time."""

    def answered(self, receipts: Sequence[Receipt]) -> None:
        """The answers to the last step, in its order."""
