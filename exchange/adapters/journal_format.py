"""The bytes of the journal: segment header, record, batch trailer, watermark.  Pure, no I/O.

A segment is a header, batches, and zeros up to its end.  A batch is records and one trailer:

    record   crc u32, length u32, seq u64, time i64, actor u32, cause u64, kind u16, version u16, payload
    trailer  magic 8, first u64, last u64, durable u64, size u32, chain 32, crc u32

A record's crc (its tag) covers everything behind it and, as start value, the tag before.  The
trailer's chain is SHA-256 over the chain before, the batch's records and its own numbers; its
crc needs no neighbour, so a trailer behind damage can still be told from noise (it starts from
the instance id, so text in a command cannot pass for one).  durable: the highest sequence that
was synced before this batch was written; a trailer thereby proves what came before it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias
from zlib import crc32

from exchange.codec import SCHEMA_VERSION, pack, unpack
from exchange.core.messages import Command, Record
from exchange.errors import DataError

FORMAT = 1
HEADER_SIZE = 128
PAYLOAD_MAX = 1 << 16
PAYLOAD_USUAL = 100  # longer ones are looked at more closely before they are written
BATCH_RECORDS_MAX = 4_096
BATCH_BYTES_MAX = 1 << 20
WATERMARK = "watermark"
WATERMARK_COPY = 512
WATERMARK_STRIDE = 4_096  # each copy in a block of its own
SUFFIX = ".journal"

_HEADER = struct.Struct("<8sHHIQ16s32sI")
_BODY = struct.Struct("<IQqIQHH")
_RECORD = struct.Struct("<IIQqIQHH")
_NUMBERS = struct.Struct("<8sQQQI")
_WATERMARK = struct.Struct("<8s16sQQ")
_U32 = struct.Struct("<I")
_SEGMENT_MAGIC = b"TCsegmnt"
_TRAILER_MAGIC = b"TCbatch\x00"
_WATERMARK_MAGIC = b"TCwaterm"
_TRAILER_LENGTH = _U32.unpack_from(_TRAILER_MAGIC, 4)[0]  # what a trailer shows as a record's length
TRAILER_SIZE = _NUMBERS.size + 36
RECORD_SIZE = _RECORD.size

Fields: TypeAlias = tuple[int, int, int, int, int, int, int, int]  # of a record, in file order


class Header(NamedTuple):
    """engine_version: of the engine that wrote the segment.   first: its first sequence.
    tag, chain: of what came before."""

    engine_version: int
    first: int
    instance: bytes
    chain: bytes
    tag: int


class Trailer(NamedTuple):
    first: int
    last: int
    durable: int
    size: int
    chain: bytes


class Flaw(NamedTuple):
    """Where a segment stops making sense, and why."""

    offset: int
    seq: int
    why: str


class Batch(NamedTuple):
    """records: (payload offset, fields).   start, end: bytes in the segment, trailer included."""

    records: list[tuple[int, Fields]]
    start: int
    end: int
    trailer: Trailer


class Cursor:
    """The end of what has been written or read: sequence, byte, tag and chain of one instance."""

    __slots__ = ("chain", "instance", "offset", "seq", "tag")

    def __init__(self, instance: bytes, seq: int, offset: int, tag: int, chain: bytes) -> None:
        self.instance = instance
        self.seq = seq
        self.offset = offset
        self.tag = tag
        self.chain = chain

    def copy(self) -> Cursor:
        return Cursor(self.instance, self.seq, self.offset, self.tag, self.chain)


def genesis(instance: bytes) -> bytes:
    """The chain before the first record."""
    return hashlib.sha256(b"journal" + instance).digest()


def segment_name(first: int) -> str:
    return f"{first:020d}{SUFFIX}"


def segment_first(name: str) -> int | None:
    """The first sequence in a segment's name; None for any other file."""
    stem = name.removesuffix(SUFFIX)
    if stem == name or len(stem) != 20 or not (stem.isascii() and stem.isdigit()):
        return None
    return int(stem)


def encode_header(header: Header) -> bytes:
    body = _HEADER.pack(
        _SEGMENT_MAGIC,
        FORMAT,
        HEADER_SIZE,
        header.engine_version,
        header.first,
        header.instance,
        header.chain,
        header.tag,
    ).ljust(HEADER_SIZE - 4, b"\0")
    return body + _U32.pack(crc32(body))


def decode_header(data: bytes) -> Header | str:
    """The header, or why it is none."""
    if len(data) < HEADER_SIZE:
        return "the segment is shorter than its header"
    body = data[: HEADER_SIZE - 4]
    magic, number, _, engine_version, first, instance, chain, tag = _HEADER.unpack_from(body)
    if magic != _SEGMENT_MAGIC:
        return "not a journal segment"
    if crc32(body) != _U32.unpack_from(data, HEADER_SIZE - 4)[0]:
        return "the segment header is damaged"
    if number != FORMAT:
        return f"journal format {number}, this program reads format {FORMAT}"
    return Header(engine_version, first, instance, chain, tag)


def encode(records: Sequence[Record], cursor: Cursor, durable: int) -> tuple[bytes, Cursor]:
    """Batches for the records, and where they lead.  The cursor's offset counts up by their size.

    Raises DataError for a command that has no bytes; the given cursor stays as it was.
    """
    out: list[bytes] = []
    part = out.append
    done = cursor.copy()
    tag, size, begin = done.tag, 0, 0
    body_of = _BODY.pack
    for number, record in enumerate(records, 1):
        try:
            kind, payload = pack(record.command)
            length = len(payload)
            head = body_of(length, record.seq, record.ts, record.actor, record.cause, kind, SCHEMA_VERSION)
        except (ValueError, OverflowError, TypeError, struct.error) as error:
            raise DataError(f"{type(record.command).__name__} cannot be written: {error}") from None
        if length > PAYLOAD_USUAL:
            _check_long(record.command, kind, payload)
        body = head + payload
        tag = crc32(body, tag)
        part(tag.to_bytes(4, "little"))
        part(body)
        size += RECORD_SIZE + length
        if number % BATCH_RECORDS_MAX == 0 or size >= BATCH_BYTES_MAX or number == len(records):
            part(seal(b"".join(out[begin:]), done, record.seq, durable))
            size, begin = 0, len(out)
    done.tag = tag
    return b"".join(out), done


def _check_long(command: Command, kind: int, payload: bytes) -> None:
    """Raises DataError for a payload that is too long or could not be read back."""
    name = type(command).__name__
    if len(payload) > PAYLOAD_MAX:
        raise DataError(f"{name} takes {len(payload)} bytes, at most {PAYLOAD_MAX} are allowed")
    try:
        unpack(kind, payload)
    except DataError as error:
        raise DataError(f"{name} cannot be written: {error.why}") from None


def seal(records: bytes, cursor: Cursor, last: int, durable: int) -> bytes:
    """The trailer of a batch that follows the cursor, which moves behind it (but for its tag)."""
    numbers = _NUMBERS.pack(_TRAILER_MAGIC, cursor.seq + 1, last, durable, len(records))
    cursor.chain = _chained(cursor.chain, records, numbers)
    cursor.seq = last
    cursor.offset += len(records) + TRAILER_SIZE
    trailer = numbers + cursor.chain
    return trailer + _U32.pack(crc32(trailer, crc32(cursor.instance)))


def _chained(chain: bytes, records: bytes, numbers: bytes) -> bytes:
    made = hashlib.sha256(chain)
    made.update(records)
    made.update(numbers)
    return made.digest()


def next_batch(data: bytes, cursor: Cursor) -> Batch | Flaw | None:
    """The batch at the cursor, which moves behind it; None where zeros or the end begin."""
    start = offset = cursor.offset
    seq = cursor.seq
    limit = len(data) - RECORD_SIZE
    records: list[tuple[int, Fields]] = []
    unpack = _RECORD.unpack_from
    while offset <= limit:
        fields = unpack(data, offset)
        length = fields[1]
        if length == _TRAILER_LENGTH and records:
            return _closed(data, cursor, records, offset)
        seq += 1
        if fields[2] != seq or length > PAYLOAD_MAX or offset + length > limit:
            break
        offset += RECORD_SIZE
        records.append((offset, fields))
        offset += length
    if not records and not any(data[start : start + RECORD_SIZE]):
        return None
    return _first_flaw(data, cursor)


def _closed(data: bytes, cursor: Cursor, records: list[tuple[int, Fields]], offset: int) -> Batch | Flaw:
    """The batch whose trailer should stand at offset."""
    start = cursor.offset
    trailer = trailer_at(data, offset, cursor.instance)
    last = records[-1][1]
    if (
        trailer is None
        or (trailer.first, trailer.last, trailer.size) != (cursor.seq + 1, last[2], offset - start)
        or trailer.chain != _chained(cursor.chain, data[start:offset], data[offset : offset + _NUMBERS.size])
    ):
        return _first_flaw(data, cursor)
    cursor.seq = trailer.last
    cursor.tag = last[0]
    cursor.chain = trailer.chain
    cursor.offset = offset + TRAILER_SIZE
    return Batch(records, start, cursor.offset, trailer)


def trailer_at(data: bytes, offset: int, instance: bytes) -> Trailer | None:
    """An intact trailer of this instance at this byte, whatever stands around it."""
    block = data[offset : offset + TRAILER_SIZE]
    if len(block) < TRAILER_SIZE or _U32.unpack_from(block, TRAILER_SIZE - 4)[0] != crc32(
        block[:-4], crc32(instance)
    ):
        return None
    magic, first, last, durable, size = _NUMBERS.unpack_from(block)
    return Trailer(first, last, durable, size, block[_NUMBERS.size : -4]) if magic == _TRAILER_MAGIC else None


def _first_flaw(data: bytes, cursor: Cursor) -> Flaw:
    """The first record behind the cursor whose tag is wrong; else the trailer is."""
    offset, seq, tag = cursor.offset, cursor.seq, cursor.tag
    while offset + RECORD_SIZE <= len(data):
        crc, length, number, *_ = _RECORD.unpack_from(data, offset)
        end = offset + RECORD_SIZE + length
        if number != seq + 1 or length > PAYLOAD_MAX or end > len(data):
            break
        if crc32(data[offset + 4 : end], tag) != crc:
            break
        offset, seq, tag = end, number, crc
    if offset > cursor.offset and data[offset : offset + 8] == _TRAILER_MAGIC:
        return Flaw(offset, seq, "the trailer of the batch does not match it")
    if offset + RECORD_SIZE > len(data):
        return Flaw(offset, seq + 1, "the segment ends inside a batch")
    return Flaw(offset, seq + 1, "the record does not match its checksum")


def tags_hold(data: bytes, batch: Batch, tag: int) -> bool:
    """Does each record carry its checksum?  tag: of the record before the batch."""
    for start, (crc, length, *_) in batch.records:
        if crc32(data[start - _BODY.size : start + length], tag) != crc:
            return False
        tag = crc
    return True


def proven_by(data: bytes, offset: int, instance: bytes) -> int:
    """The highest sequence that intact trailers at or behind the offset prove durable; 0 if none."""
    proven = 0
    while (offset := data.find(_TRAILER_MAGIC, offset)) >= 0:
        trailer = trailer_at(data, offset, instance)
        if trailer is not None:
            proven = max(proven, trailer.durable)
        offset += 1
    return proven


def encode_watermark(instance: bytes, generation: int, seq: int) -> bytes:
    body = _WATERMARK.pack(_WATERMARK_MAGIC, instance, generation, seq).ljust(WATERMARK_COPY - 4, b"\0")
    return body + _U32.pack(crc32(body))


def decode_watermark(data: bytes, copy: int) -> tuple[bytes, int, int] | None:
    """(instance, generation, seq) of one copy; None if it is damaged."""
    block = data[copy * WATERMARK_STRIDE : copy * WATERMARK_STRIDE + WATERMARK_COPY]
    if len(block) < WATERMARK_COPY or crc32(block[:-4]) != _U32.unpack_from(block, WATERMARK_COPY - 4)[0]:
        return None
    magic, instance, generation, seq = _WATERMARK.unpack_from(block)
    return (instance, generation, seq) if magic == _WATERMARK_MAGIC else None
