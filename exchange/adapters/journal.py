"""The journal: commands in segment files, hash-chained, synced in groups.

One thread appends, another may sync meanwhile.  What is appended has reached the file system, so
a full disk refuses a block before anything is made of it; what is synced is durable.  The first
write or sync error ends the journal for good: after a failed sync the next one may report
success for bytes that are gone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from time import monotonic_ns
from typing import NamedTuple

from exchange.adapters.disk import NO_ROOM, Disk, File
from exchange.adapters.journal_format import (
    HEADER_SIZE,
    WATERMARK,
    WATERMARK_STRIDE,
    Cursor,
    Header,
    encode,
    encode_header,
    encode_watermark,
    genesis,
    segment_name,
)
from exchange.adapters.journal_scan import Scan
from exchange.core.engine import ENGINE_VERSION
from exchange.core.messages import Record
from exchange.core.units import SECOND
from exchange.errors import JournalFailed
from exchange.runtime.ports import JournalFull, Position

SPARE = "spare"  # the next segment, zero-filled ahead of its use
NEW = "segment.new"
RESERVE = "reserve"
MEGABYTE = 1 << 20


class JournalOptions(NamedTuple):
    """growth_bytes: a segment grows by this many zeros at a time, so that a sync has no new size
    to record.   reserve_bytes: room kept for a clean stop on a full disk, 0 for none.
    is_ahead: a thread prepares the next segment; for owners that stay.
    """

    segment_bytes: int = 64 * MEGABYTE
    growth_bytes: int = MEGABYTE // 4
    reserve_bytes: int = 0
    watermark_ns: int = SECOND // 10
    is_ahead: bool = False


class SegmentJournal:
    """Opened by ``recover``, which must be read to its end before anything is appended."""

    def __init__(
        self,
        disk: Disk,
        options: JournalOptions | None = None,
        instance: bytes = b"",
        stopwatch: Callable[[], int] = monotonic_ns,
    ) -> None:
        """instance: id of a new store, drawn if empty.   stopwatch: nanoseconds, never back."""
        self._disk = disk
        self._options = options or JournalOptions()
        self._stopwatch = stopwatch
        try:
            self._scan = Scan(disk)
        except OSError as error:
            raise JournalFailed(f"{disk.path} cannot be read: {error}") from error
        self.instance = self._scan.instance or instance or os.urandom(16)
        self.notes: list[str] = []
        self.last_seq = 0
        self.durable_seq = 0
        self._cursor = self._scan.cursor
        self._first = 0
        self._room = 0  # size of the current file
        self._file: File | None = None
        self._dirty: list[File] = []  # written since their last sync; the current one is the last
        self._spare = False
        self._preparing: threading.Thread | None = None
        self._marks: File | None = None
        self._generation = self._scan.generation
        self._marked = list(self._scan.copies)
        self._marked_at = stopwatch()
        self._failed: JournalFailed | None = None
        self._full: JournalFull | None = None
        self._lock = threading.Lock()  # of _dirty, durable_seq and _spare
        self._syncing = threading.Lock()

    @property
    def refusal(self) -> str:
        """Why nothing is accepted; "" normally."""
        return str(self._failed or self._full or "")

    # -- recovery --------------------------------------------------------------------------------

    def recover(self, after: Position | None = None) -> Iterator[Record]:
        assert self._file is None
        scan = self._scan
        try:
            for data, batch in scan.batches(after):
                if scan.engine_version != ENGINE_VERSION:
                    raise scan.error(
                        f"written by engine version {scan.engine_version}, this is version {ENGINE_VERSION}: "
                        "only a snapshot taken at its end can be carried over",
                        scan.first,
                    )
                yield from scan.records(data, batch)
            scan.judge()
            self._repair(scan)
            self._open(scan)
        except OSError as error:
            raise self._poison("opening", error) from error

    def _repair(self, scan: Scan) -> None:
        """Cut a torn tail and make sure of what follows the watermark: a process that was killed,
        or whose sync failed, may have left it in memory only.  Each step can be repeated."""
        disk = self._disk
        for name in disk.names():
            if name in (NEW, SPARE):
                disk.remove(name)
        for first in scan.rest:
            disk.remove(segment_name(first))
        if scan.rest or scan.cursor.offset == HEADER_SIZE:
            disk.sync()
        if scan.flaw is not None:
            with closing(disk.open(segment_name(scan.first))) as file:
                file.truncate(scan.cursor.offset)
                file.sync()
            self.notes.append(
                f"{segment_name(scan.first)}: cut {scan.torn_bytes} bytes of an unfinished write at offset "
                f"{scan.cursor.offset}, behind sequence {scan.cursor.seq}"
                + (f", and {len(scan.rest)} segments begun behind it" if scan.rest else "")
            )
        for name in dict.fromkeys(segment_name(stretch.first) for stretch in scan.unproven):
            with closing(disk.open(name)) as file:
                for stretch in scan.unproven:
                    if segment_name(stretch.first) == name:
                        file.write(stretch.start, file.read(stretch.start, stretch.end - stretch.start))
                file.sync()
        if scan.damaged_copies:
            self.notes.append(
                f"{WATERMARK}: {scan.damaged_copies} of 2 copies were torn and are written anew"
            )

    def _open(self, scan: Scan) -> None:
        disk = self._disk
        if not scan.firsts:
            self._create_store()
        elif scan.engine_version != ENGINE_VERSION:
            self._cursor = scan.cursor
            self._add_segment()
        else:
            self._cursor = scan.cursor
            self._first = scan.first
            self._file = disk.open(segment_name(scan.first))
            self._room = self._file.size()
            self._dirty.append(self._file)
        self._marks = disk.open(WATERMARK)
        self.last_seq = self.durable_seq = self._cursor.seq
        if scan.damaged_copies:
            self._mark()
            self._mark()
        if self._options.reserve_bytes:
            self._take_reserve()

    def _create_store(self) -> None:
        """The watermark first: a segment without one is taken for damage."""
        with closing(self._disk.create(WATERMARK)) as file:
            blank = b"".join(
                encode_watermark(self.instance, copy, 0).ljust(WATERMARK_STRIDE, b"\0") for copy in (0, 1)
            )
            file.write(0, blank)
            file.sync()
        self._generation, self._marked = 1, [0, 0]
        self._disk.sync()
        self._cursor = Cursor(self.instance, 0, HEADER_SIZE, 0, genesis(self.instance))
        self._add_segment()

    def _take_reserve(self) -> None:
        try:
            names = self._disk.names()
            with closing(
                self._disk.open(RESERVE) if RESERVE in names else self._disk.create(RESERVE)
            ) as file:
                if file.size() < self._options.reserve_bytes:
                    file.allocate(self._options.reserve_bytes)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self._full = JournalFull(
                f"read-only: less than {self._options.reserve_bytes >> 20} MiB are free for "
                f"{self._disk.path}; make room and restart"
            )
            self.notes.append(str(self._full))

    # -- writing ---------------------------------------------------------------------------------

    def append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        self._check()
        assert self._file is not None
        assert records[0].seq == self.last_seq + 1
        block, cursor = encode(records, self._cursor, self.durable_seq)
        try:
            if (
                self._cursor.offset + len(block) > self._options.segment_bytes
                and self._cursor.offset > HEADER_SIZE
            ):
                self._add_segment()
                cursor.offset = HEADER_SIZE + len(block)
            self._write(block)
        except OSError as error:
            if error.errno in NO_ROOM:
                self._refuse(error)
            raise self._poison("writing", error) from error
        self._cursor = cursor
        self.last_seq = cursor.seq
        if self._options.is_ahead and cursor.offset > self._options.segment_bytes // 2:
            self._prepare_ahead()

    def _write(self, block: bytes) -> None:
        """The block, and zeros behind it when it passes the end of the file."""
        assert self._file is not None
        start = self._cursor.offset
        end = start + len(block)
        if end > self._room:
            size = min(end + self._options.growth_bytes, max(end, self._options.segment_bytes))
            self._file.write(start, block + bytes(size - end))
            self._room = size
        else:
            self._file.write(start, block)

    def _add_segment(self) -> None:
        """Start the next segment; its name is durable before the first record goes into it."""
        cursor = self._cursor
        first = cursor.seq + 1
        header = encode_header(Header(ENGINE_VERSION, first, self.instance, cursor.chain, cursor.tag))
        with self._lock:
            is_prepared, self._spare = self._spare, False
        name = SPARE if is_prepared else NEW
        room = self._options.growth_bytes if not is_prepared else 0
        with closing(self._disk.open(SPARE) if is_prepared else self._disk.create(NEW)) as made:
            made.write(0, header.ljust(room, b"\0"))
            made.sync()
        self._disk.rename(name, segment_name(first))
        self._disk.sync()
        file = self._disk.open(segment_name(first))
        with self._lock:
            self._dirty.append(file)
        self._file, self._first, self._room = file, first, file.size()
        cursor.offset = HEADER_SIZE

    def sync(self) -> None:
        with self._syncing:
            if self._failed is not None:
                raise self._failed
            with self._lock:
                target, files = self.last_seq, list(self._dirty)
            if target == self.durable_seq:
                return
            try:
                for file in files:
                    file.sync()
                with self._lock:
                    self.durable_seq = target
                    del self._dirty[: len(files) - 1]
                for file in files[:-1]:
                    file.close()
                if self._stopwatch() - self._marked_at >= self._options.watermark_ns:
                    self._mark()
            except OSError as error:
                raise self._poison("syncing", error) from error

    def _mark(self) -> None:
        """Note what is durable, in turns in one of two places.  Not synced: an older mark only
        makes recovery less suspicious."""
        assert self._marks is not None
        self._generation += 1
        self._marked[self._generation % 2] = self.durable_seq
        self._marked_at = self._stopwatch()
        copy = encode_watermark(self.instance, self._generation, self.durable_seq)
        self._marks.write(self._generation % 2 * WATERMARK_STRIDE, copy)

    # -- a segment ahead -------------------------------------------------------------------------

    def prepare(self) -> None:
        """Zero-fill the next segment.  A full disk is left for ``append`` to meet."""
        try:
            with closing(self._disk.create(SPARE)) as file:
                for offset in range(0, self._options.segment_bytes, MEGABYTE):
                    file.write(offset, bytes(min(MEGABYTE, self._options.segment_bytes - offset)))
                file.sync()
        except OSError as error:
            if error.errno not in NO_ROOM:
                self._poison("preparing a segment of", error)
            return
        with self._lock:
            self._spare = True

    def _prepare_ahead(self) -> None:
        if self._spare or (self._preparing is not None and self._preparing.is_alive()):
            return
        self._preparing = threading.Thread(target=self.prepare, name="journal-prepare", daemon=True)
        self._preparing.start()

    # -- failure and end -------------------------------------------------------------------------

    def _check(self) -> None:
        if self._failed is not None:
            raise self._failed
        if self._full is not None:
            raise self._full

    def _poison(self, doing: str, error: OSError) -> JournalFailed:
        if self._failed is None:
            self._failed = JournalFailed(
                f"{doing} {self._disk.path} failed ({error}); nothing after sequence {self.durable_seq} is "
                "durable and nothing more is accepted; check the disk and restart"
            )
        return self._failed

    def _refuse(self, error: OSError) -> None:
        """A full disk: take back what was written of the block, then be read-only.

        Returns only if that failed too, and the outcome of the block is unknown.
        """
        assert self._file is not None
        with suppress(OSError):
            self._disk.remove(NEW)
        try:
            self._file.truncate(self._cursor.offset)
            self._room = self._cursor.offset
            self._file.sync()
        except OSError:
            return
        self._full = JournalFull(
            f"read-only: no room left in {self._disk.path} ({error.strerror}); nothing was written. "
            "Make room and restart"
        )
        raise self._full from error

    def make_room(self) -> None:
        try:
            if RESERVE in self._disk.names():
                self._disk.remove(RESERVE)
        except OSError as error:
            raise self._poison("making room in", error) from error

    def position(self) -> Position:
        cursor = self._cursor
        return Position(cursor.seq, self._first, cursor.offset, cursor.tag, cursor.chain)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Reads files anew and so may run while records are appended."""
        scan = Scan(self._disk)
        begin = max((first for first in scan.firsts if first <= after + 1), default=1)
        end = self.durable_seq
        for data, batch in scan.batches(scan.start_of(begin)):
            if batch.trailer.first > end:
                return
            if batch.trailer.last > after:
                yield from (record for record in scan.records(data, batch) if after < record.seq <= end)
        if scan.cursor.seq < end:
            scan.proven = max(scan.proven, end)
            scan.judge()

    def close(self) -> None:
        """Leaves the exact watermark and no more zeros than one growth.  Syncs nothing."""
        if self._preparing is not None:
            self._preparing.join()
        files, self._dirty = self._dirty, []
        try:
            if self._failed is None and self._file is not None and self.durable_seq == self.last_seq:
                end = self._cursor.offset + self._options.growth_bytes
                if self._room > end:
                    self._file.truncate(end)
                for _ in self._marked:
                    if self._marked != [self.durable_seq, self.durable_seq]:
                        self._mark()
        except OSError as error:
            raise self._poison("closing", error) from error
        finally:
            self._file = None
            for file in (*files, *([self._marks] if self._marks is not None else [])):
                file.close()
            self._marks = None
