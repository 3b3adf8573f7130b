"""Reading a journal folder: one walk over its segments that verifies every byte it passes.

Writes nothing.  A place where the journal stops making sense is a ``Flaw``; whether that is a
torn tail or damage depends on what is proven durable, which ``judge`` decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from exchange.adapters.disk import Disk
from exchange.adapters.journal_format import (
    HEADER_SIZE,
    TRAILER_SIZE,
    WATERMARK,
    Batch,
    Cursor,
    Flaw,
    Header,
    decode_header,
    decode_watermark,
    genesis,
    next_batch,
    proven_by,
    segment_first,
    segment_name,
    trailer_at,
)
from exchange.codec import SCHEMA_VERSION, unpack
from exchange.core.commands import Command, Skip
from exchange.core.engine import ENGINE_VERSION
from exchange.core.messages import Record
from exchange.core.terms import SYSTEM_USER
from exchange.errors import DataError, JournalError
from exchange.runtime.ports import Position

SKIPS = "skips"


class Stretch(NamedTuple):
    """Bytes of the segment that begins at ``first``, holding records up to ``last``."""

    first: int
    start: int
    end: int
    last: int


class Scan:
    """proven: the highest sequence known to have been synced, from the watermark and the trailers.
    unproven: batches above it.   rest: segments behind the flaw.   instance: b"" for a new store.
    """

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        names = disk.names()
        self.firsts = sorted(first for name in names if (first := segment_first(name)) is not None)
        self.watermark = 0
        self.generation = 0
        self.instance = b""
        self.copies = [-1, -1]  # of the watermark, -1 for a torn one
        if WATERMARK in names:
            self._read_watermark()
        elif self.firsts:
            raise JournalError("the watermark file is missing", str(disk.path / WATERMARK))
        if self.firsts and not self.instance:  # both copies torn: the segments know it too
            self.instance = self.header(self.firsts[0]).instance
        if self.watermark and not self.firsts:
            raise self.error(f"the segment is missing; {self.watermark} records were durable", 1)
        self.skips = read_skips(disk, self.instance) if SKIPS in names else {}
        self.proven = self.watermark
        self.unproven: list[Stretch] = []
        self.cursor = Cursor(self.instance, 0, HEADER_SIZE, 0, genesis(self.instance))
        self.first = 0  # of the segment the cursor is in; 0 before the walk
        self.engine_version = ENGINE_VERSION
        self.flaw: Flaw | None = None
        self.torn_bytes = 0
        self.rest: list[int] = []

    def batches(self, after: Position | None = None) -> Iterator[tuple[bytes, Batch]]:
        """Segment data and each batch in it, from the position or from the beginning."""
        firsts = self._selected(after)
        for index, first in enumerate(firsts):
            data = self._data(first)
            if not self._enter(first, data, after):
                self.rest = firsts[index:]
                break
            while True:
                while isinstance(found := next_batch(data, self.cursor), Batch):
                    self._note(found)
                    yield data, found
                self.flaw = found or self._behind_the_end(data)
                # The owner may have written on while a reader beside it read.
                if self.flaw is None or (again := self._data(first)) == data:
                    break
                data = again
            if self.flaw is not None:
                self.rest = firsts[index + 1 :]
                tail = data[self.cursor.offset :]
                self.torn_bytes = len(tail.rstrip(b"\0"))
                self.proven = max(self.proven, proven_by(tail, 0, self.instance))
                break
        for first in self.rest:
            self.proven = max(self.proven, proven_by(self._data(first), 0, self.instance))

    def judge(self) -> None:
        """Raises JournalError when what is missing or damaged had been durable."""
        if self.cursor.seq >= self.proven:
            return
        found = self.flaw
        why = found.why if found else "the journal ends here"
        offset, seq = (found.offset, found.seq) if found else (self.cursor.offset, self.cursor.seq + 1)
        raise JournalError(
            f"{why}, but everything up to sequence {self.proven} was durable; restore the file from a copy, "
            f"or give up what follows with: tradecli journal repair --truncate-to {self.cursor.seq}",
            str(self.disk.path / segment_name(self.first)),
            offset,
            seq,
        )

    def header(self, first: int) -> Header:
        """Raises JournalError if it is not the one of this segment of this store."""
        return self._header(first, self._data(first))

    def start_of(self, first: int) -> Position | None:
        """Where a segment begins; None for the first of all."""
        if first == 1:
            return None
        header = self.header(first)
        return Position(first - 1, first, HEADER_SIZE, header.tag, header.chain)

    @property
    def damaged_copies(self) -> int:
        return self.copies.count(-1) if self.generation or self.firsts else 0

    def position(self) -> Position:
        cursor = self.cursor
        return Position(cursor.seq, self.first, cursor.offset, cursor.tag, cursor.chain)

    def records(self, data: bytes, batch: Batch) -> Iterator[Record]:
        """Poison records come as ``Skip`` of the system."""
        skips = self.skips
        for start, (_, length, seq, ts, actor, cause, kind, version) in batch.records:
            if seq in skips:
                yield Record(seq, ts, SYSTEM_USER, Skip(reason=skips[seq]), cause)
                continue
            if version > SCHEMA_VERSION:
                raise self.error("written by a newer version of this program", self.first, start, seq)
            yield Record(seq, ts, actor, self._command(kind, data[start : start + length], start, seq), cause)

    def error(self, why: str, first: int, offset: int = -1, seq: int = -1) -> JournalError:
        return JournalError(why, str(self.disk.path / segment_name(first)), offset, seq)

    def _command(self, kind: int, payload: bytes, offset: int, seq: int) -> Command:
        try:
            return unpack(kind, payload)
        except DataError as error:
            raise self.error(error.why, self.first, offset, seq) from None

    def _data(self, first: int) -> bytes:
        return self.disk.read(segment_name(first))

    def _header(self, first: int, data: bytes) -> Header:
        header = decode_header(data)
        if isinstance(header, str):
            raise self.error(header, first, 0)
        if header.first != first:
            raise self.error(f"the segment begins at sequence {header.first}, not as it is named", first, 0)
        if self.instance and header.instance != self.instance:
            raise self.error("the segment belongs to another store", first, 0)
        return header

    def _selected(self, after: Position | None) -> list[int]:
        """The segments to walk; the first one must be there."""
        begin = after.segment if after is not None else 1
        if begin not in self.firsts and (self.firsts or after is not None):
            raise self.error("the segment is missing", begin)
        return self.firsts[self.firsts.index(begin) :] if self.firsts else []

    def _enter(self, first: int, data: bytes, after: Position | None) -> bool:
        """Put the cursor at the start of a segment; False when records before it are missing."""
        header = self._header(first, data)
        cursor = self.cursor
        if header.engine_version > ENGINE_VERSION:
            why = f"written by engine version {header.engine_version}, this is version {ENGINE_VERSION}"
            raise self.error(why, first, 0)
        if not self.first and after is not None:
            self._jump(first, data, header, after)
            return True
        if first > cursor.seq + 1:
            why = f"records are missing: the next segment begins at sequence {first}"
            self.flaw = Flaw(cursor.offset, cursor.seq + 1, why)
            return False
        if (header.first, header.chain, header.tag) != (cursor.seq + 1, cursor.chain, cursor.tag):
            raise self.error("the segment does not continue the one before it", first, 0, first)
        self.first = first
        self.engine_version = header.engine_version
        cursor.offset = HEADER_SIZE
        return True

    def _jump(self, first: int, data: bytes, header: Header, after: Position) -> None:
        """Start behind a snapshot; the bytes before the position must be the ones it knew."""
        trailer = trailer_at(data, after.offset - TRAILER_SIZE, self.instance)
        at_start = after.offset == HEADER_SIZE and (header.first, header.chain) == (
            after.seq + 1,
            after.chain,
        )
        behind = trailer is not None and (trailer.last, trailer.chain) == (after.seq, after.chain)
        if not at_start and not behind:
            raise self.error(
                f"the journal does not continue the snapshot of sequence {after.seq}",
                first,
                after.offset,
                after.seq,
            )
        self.cursor = Cursor(self.instance, after.seq, after.offset, after.tag, after.chain)
        self.first = first
        self.engine_version = header.engine_version
        self.proven = max(self.proven, after.seq)

    def _note(self, batch: Batch) -> None:
        trailer = batch.trailer
        if trailer.durable > self.proven:
            self.proven = trailer.durable
        if self.unproven and self.unproven[0].last <= self.proven:
            self.unproven = [stretch for stretch in self.unproven if stretch.last > self.proven]
        if trailer.last > self.proven:
            self.unproven.append(Stretch(self.first, batch.start, batch.end, trailer.last))

    def _behind_the_end(self, data: bytes) -> Flaw | None:
        """Between the last batch and the end of the file there is nothing but zeros."""
        offset = self.cursor.offset
        for at in range(offset, len(data), 1 << 20):
            piece = data[at : at + (1 << 20)]
            if piece != bytes(len(piece)):
                return Flaw(offset, self.cursor.seq + 1, "the record is empty but bytes follow it")
        return None

    def _read_watermark(self) -> None:
        """The newer of the two copies; a torn one is passed over."""
        data = self.disk.read(WATERMARK)
        for copy in (0, 1):
            found = decode_watermark(data, copy)
            if found is not None:
                self.copies[copy] = found[2]
                if found[1] >= self.generation:
                    self.instance, self.generation, self.watermark = found


def read_skips(disk: Disk, instance: bytes) -> dict[int, str]:
    """Reason by sequence of the records an operator has marked as poison."""
    data = disk.read(SKIPS)
    body, _, digest = data.rstrip(b"\n").rpartition(b"\n")
    if hashlib.sha256(instance + body).hexdigest().encode() != digest:
        raise JournalError("the file of skipped records is damaged", str(disk.path / SKIPS))
    rows: list[tuple[int, str]] = msgspec.json.decode(body, type=list[tuple[int, str]])
    return dict(rows)


def encode_skips(skips: dict[int, str], instance: bytes) -> bytes:
    body = msgspec.json.encode(sorted(skips.items()))
    return body + b"\n" + hashlib.sha256(instance + body).hexdigest().encode() + b"\n"
