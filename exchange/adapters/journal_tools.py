"""What an operator does with a journal: verify, count, list, skip a record, cut it.

``verify``, ``stats`` and ``cat`` write nothing and may run beside the owner; ``skip`` and
``repair`` need the store for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from exchange.adapters.disk import Disk, LocalDisk, StoreLock
from exchange.adapters.journal_format import (
    HEADER_SIZE,
    WATERMARK,
    WATERMARK_STRIDE,
    Batch,
    Cursor,
    decode_header,
    encode_watermark,
    seal,
    segment_first,
    segment_name,
    tags_hold,
)
from exchange.adapters.journal_scan import SKIPS, Scan, encode_skips
from exchange.adapters.snapshots import FileSnapshots
from exchange.adapters.store import JOURNAL, LOCK, SNAPSHOTS, Progress, open_scan
from exchange.core.commands import COMMANDS
from exchange.core.messages import Record
from exchange.core.units import MICRO, TEXT_LENGTH_MAX, Nanos
from exchange.errors import DataError, JournalError, NotFound

REMOVED = ".removed"


class Verification(NamedTuple):
    """problem: the first thing found wrong, "" if nothing is.   unfinished: bytes of a write that
    never became durable, cut at the next start.   chain: head of the hash chain, hex."""

    records: int
    batches: int
    segments: int
    bytes: int
    last_seq: int
    watermark: int
    chain: str
    unfinished: int
    problem: str


class Stats(NamedTuple):
    """bytes: of records and trailers.   times: engine time, 0 for an empty journal.
    kinds: records by command name, most frequent first."""

    records: int
    batches: int
    segments: int
    bytes: int
    first_time: Nanos
    last_time: Nanos
    kinds: dict[str, int]


class Repaired(NamedTuple):
    """removed: files put aside under names ending in ``.removed``, and snapshots dropped."""

    last_seq: int
    removed: list[str]


def verify(home: Path, progress: Progress | None = None) -> Verification:
    """Check the hash chain, every checksum, sequence, time and payload, and the watermark.

    Raises NotFound without a journal.
    """
    if not (home / JOURNAL).is_dir():
        raise NotFound(f"there is no journal in {home}")
    return examine(LocalDisk(home / JOURNAL), progress)


def examine(disk: Disk, progress: Progress | None = None) -> Verification:
    """``verify`` for the journal in a folder."""
    problem = ""
    records = batches = size = tag = ts = 0
    scan = None
    try:
        scan = Scan(disk)
        for data, batch in scan.batches():
            tag, ts = _verify_batch(scan, data, batch, tag, ts)
            records += len(batch.records)
            batches += 1
            size += batch.end - batch.start
            if progress is not None:
                progress(records, max(scan.watermark, records))
        scan.judge()
        if scan.damaged_copies:
            problem = f"{disk.path / WATERMARK}: {scan.damaged_copies} of 2 copies are damaged"
    except JournalError as error:
        problem = str(error)
    if scan is None:
        return Verification(0, 0, 0, 0, 0, 0, "", 0, problem)
    return Verification(
        records=records,
        batches=batches,
        segments=len(scan.firsts),
        bytes=size,
        last_seq=scan.cursor.seq,
        watermark=scan.watermark,
        chain=scan.cursor.chain.hex(),
        unfinished=scan.torn_bytes,
        problem=problem,
    )


def _verify_batch(scan: Scan, data: bytes, batch: Batch, tag: int, ts: int) -> tuple[int, int]:
    """Tag and time of the last record."""
    if not tags_hold(data, batch, tag):
        raise scan.error("a record does not match its checksum", scan.first, batch.start, batch.trailer.first)
    for record in scan.records(data, batch):
        if record.ts < ts or record.ts % MICRO:
            raise scan.error(
                "engine time goes back or is no whole microsecond", scan.first, batch.start, record.seq
            )
        ts = record.ts
    return batch.records[-1][1][0], ts


def stats(home: Path) -> Stats:
    """Raises JournalError on damage, NotFound without a journal."""
    scan = open_scan(home)
    kinds: dict[int, int] = {}
    records = batches = size = first_time = last_time = 0
    for _, batch in scan.batches():
        for _, fields in batch.records:
            kinds[fields[6]] = kinds.get(fields[6], 0) + 1
        first_time = first_time or batch.records[0][1][3]
        last_time = batch.records[-1][1][3]
        records += len(batch.records)
        batches += 1
        size += batch.end - batch.start
    scan.judge()
    by_count = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    named = {COMMANDS[kind][0] if kind in COMMANDS else f"kind {kind}": count for kind, count in by_count}
    return Stats(records, batches, len(scan.firsts), size, first_time, last_time, named)


def cat(home: Path, since: int = 1, until: int | None = None) -> Iterator[Record]:
    """Records in order, both ends included.  Raises JournalError on damage, NotFound without a journal."""
    scan = open_scan(home)
    begin = max((first for first in scan.firsts if first <= since), default=1)
    for data, batch in scan.batches(scan.start_of(begin)):
        if until is not None and batch.trailer.first > until:
            return
        if batch.trailer.last >= since:
            for record in scan.records(data, batch):
                if since <= record.seq <= (until if until is not None else record.seq):
                    yield record
    scan.judge()


def skip(home: Path, seq: int, reason: str) -> None:
    """Mark a record as poison: from now on it reads as ``Skip``.

    Raises DataError for a record that has been applied before, NotFound if there is none.
    """
    reason = reason.strip()
    if not reason or len(reason) > TEXT_LENGTH_MAX or not reason.isprintable():
        raise DataError(f"a reason is 1 to {TEXT_LENGTH_MAX} printable characters")
    lock = StoreLock(home / LOCK)
    try:
        if next(cat(home, seq, seq), None) is None:
            raise NotFound(f"there is no record of sequence {seq} in {home}")
        scan = open_scan(home)
        newest = FileSnapshots(LocalDisk(home / SNAPSHOTS), scan.instance).newest()
        if newest is not None and newest.position.seq >= seq:
            raise DataError(
                f"sequence {seq} is part of the snapshot of sequence {newest.position.seq}: it is no poison"
            )
        _replace(scan.disk, SKIPS, encode_skips({**scan.skips, seq: reason}, scan.instance))
    finally:
        lock.release()


def repair(home: Path, truncate_to: int) -> Repaired:
    """Give up every record after a sequence.  Each step can be repeated; files are put aside.

    Raises DataError if the journal is not intact up to there, JournalError if it has no first
    segment left, NotFound without a journal.
    """
    lock = StoreLock(home / LOCK)
    try:
        disk = LocalDisk(home / JOURNAL)
        _ensure_watermark(disk)
        scan = open_scan(home)
        content, first = _content_up_to(scan, truncate_to)
        mark = encode_watermark(scan.instance, scan.generation + 1, truncate_to)
        _replace(disk, WATERMARK, mark.ljust(WATERMARK_STRIDE, b"\0") + mark)
        removed = FileSnapshots(LocalDisk(home / SNAPSHOTS), scan.instance).remove_after(truncate_to)
        name = segment_name(first)
        if disk.read(name).rstrip(b"\0") != content.rstrip(b"\0"):
            aside = _aside(disk, name)
            _replace(disk, aside, disk.read(name))
            _replace(disk, name, content)
            removed.append(aside)
        for later in scan.firsts:
            if later > first:
                aside = _aside(disk, segment_name(later))
                disk.rename(segment_name(later), aside)
                removed.append(aside)
        disk.sync()
        return Repaired(truncate_to, removed)
    finally:
        lock.release()


def _content_up_to(scan: Scan, seq: int) -> tuple[bytes, int]:
    """The segment that shall be the last one, cut behind the sequence, and its first sequence."""
    if seq < 0:
        raise DataError("a sequence is not negative")
    if seq == 0:
        scan.header(1)
        return scan.disk.read(segment_name(1))[:HEADER_SIZE], 1
    before = scan.cursor.copy()
    damage = ""
    try:
        for data, batch in scan.batches():
            if batch.trailer.last >= seq:
                return _cut(data, batch, before, seq), scan.first
            before = scan.cursor.copy()
    except JournalError as error:
        damage = f" ({error})"
    raise DataError(
        f"the journal is intact up to sequence {scan.cursor.seq} only{damage}; cut it there or before"
    )


def _cut(data: bytes, batch: Batch, before: Cursor, seq: int) -> bytes:
    """Data up to a record of the batch, with a trailer behind it.  before: the cursor at its start."""
    if batch.trailer.last == seq:
        return data[: batch.end]
    end = next(start + fields[1] for start, fields in batch.records if fields[2] == seq)
    durable = min(batch.trailer.durable, seq)
    return data[:end] + seal(data[batch.start : end], before, seq, durable)


def _ensure_watermark(disk: LocalDisk) -> None:
    """A lost watermark file is made anew from the first segment; it then proves nothing."""
    names = disk.names()
    firsts = [first for name in names if (first := segment_first(name)) is not None]
    if WATERMARK in names or not firsts:
        return
    header = decode_header(disk.read(segment_name(min(firsts))))
    if isinstance(header, str):
        raise JournalError(header, str(disk.path / segment_name(min(firsts))), 0)
    mark = encode_watermark(header.instance, 0, 0)
    _replace(disk, WATERMARK, mark.ljust(WATERMARK_STRIDE, b"\0") + mark)


def _aside(disk: Disk, name: str) -> str:
    names = set(disk.names())
    number = next(n for n in range(1, len(names) + 2) if f"{name}.{n}{REMOVED}" not in names)
    return f"{name}.{number}{REMOVED}"


def _replace(disk: Disk, name: str, data: bytes) -> None:
    """Write a file as a whole: it is there with all its bytes or as it was."""
    with closing(disk.create(name + ".new")) as file:
        file.write(0, data)
        file.sync()
    disk.rename(name + ".new", name)
    disk.sync()
