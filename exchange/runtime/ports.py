"""What the runtime needs of the outside world, each port a few methods.  Adapters implement them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from exchange.client import Receipt
from exchange.core.messages import Command, Record
from exchange.core.state.root import State
from exchange.core.units import Nanos
from exchange.errors import JournalFailed

Request: TypeAlias = tuple[int, Command]  # who asks (user id), and what


class Clock(Protocol):
    def now(self) -> Nanos:
        """Wall time, UTC; may jump.  The sequencer never lets engine time go back."""


class JournalFull(JournalFailed):
    """The disk has no room: nothing was written, what is durable stays readable."""


class Position(NamedTuple):
    """A place between two batches: the last sequence before it, the segment by its first sequence,
    the byte in that segment, the tag of the last record and the head of the hash chain."""

    seq: int
    segment: int
    offset: int
    tag: int
    chain: bytes


class Snapshot(NamedTuple):
    """payload: ``codec.dump_state`` after the record before position.   digest: its BLAKE2b-256."""

    position: Position
    ts: Nanos
    engine_version: int
    digest: str
    payload: bytes


class Journal(Protocol):
    """The one ordered log.  A record is durable once ``sync`` has returned after its ``append``.

    ``recover`` comes first and must be read to its end; it leaves the journal ready to append.
    """

    @property
    def last_seq(self) -> int: ...

    @property
    def durable_seq(self) -> int: ...

    @property
    def notes(self) -> list[str]:
        """What recovery had to repair, one line each."""

    def recover(self, after: Position | None = None) -> Iterator[Record]:
        """Records after the position, or all.  A torn tail is cut; raises JournalError on damage
        to what was durable."""

    def append(self, records: Sequence[Record]) -> None:
        """Raises DataError for what cannot be written, JournalFull without room, JournalFailed when
        the disk is broken; nothing of ``records`` is in the journal then."""

    def sync(self) -> None:
        """May run in another thread while ``append`` goes on.  Raises JournalFailed, once and for all."""

    def position(self) -> Position:
        """After the last appended record."""

    def read(self, after: int = 0) -> Iterator[Record]:
        """Durable records with seq > after, in order.  Raises JournalError on damage."""

    def make_room(self) -> None:
        """Give back the space kept for a clean stop on a full disk."""

    def close(self) -> None: ...


class Snapshots(Protocol):
    @property
    def notes(self) -> list[str]:
        """What was passed over, one line each."""

    def save(self, snapshot: Snapshot) -> None:
        """Durable and verified on return.  Raises JournalFull or JournalFailed."""

    def newest(self, at_most: int | None = None) -> Snapshot | None:
        """The newest intact snapshot of this engine version, at most at this sequence."""

    def digests(self) -> dict[int, str]:
        """State digest by sequence of every intact snapshot of this engine version."""


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
