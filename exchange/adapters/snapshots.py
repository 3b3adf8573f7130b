"""Snapshots of the state: one compressed file each, sealed with SHA-256, the newest ten kept.

A snapshot has its final name only after it was synced, read back and found equal.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from contextlib import closing, suppress

from exchange.adapters.disk import NO_ROOM, Disk
from exchange.core.engine import ENGINE_VERSION
from exchange.errors import JournalError, JournalFailed
from exchange.runtime.ports import JournalFull, Position, Snapshot

KEPT = 10
SUFFIX = ".snapshot"
NEW = "snapshot.new"
COMPRESSION = 1  # a higher level costs more time than it saves in writing

_HEADER = struct.Struct("<8sHHI16sQqQQI32s64s")
_MAGIC = b"TCsnapsh"
_FORMAT = 1
_SEAL = 32


def snapshot_name(seq: int) -> str:
    return f"{seq:020d}{SUFFIX}"


def snapshot_seq(name: str) -> int | None:
    stem = name.removesuffix(SUFFIX)
    return int(stem) if stem != name and len(stem) == 20 and stem.isascii() and stem.isdigit() else None


class FileSnapshots:
    """instance: id of the store; a snapshot of another one is refused, never passed over."""

    def __init__(self, disk: Disk, instance: bytes, kept: int = KEPT) -> None:
        self._disk = disk
        self._instance = instance
        self._kept = kept
        self.notes: list[str] = []

    def save(self, snapshot: Snapshot) -> None:
        data = self._encode(snapshot)
        disk = self._disk
        name = snapshot_name(snapshot.position.seq)
        try:
            with closing(disk.create(NEW)) as file:
                file.write(0, data)
                file.sync()
            if disk.read(NEW) != data:
                raise JournalFailed(f"{disk.path / NEW}: what was read back differs from what was written")
            disk.rename(NEW, name)
            disk.sync()
            for old in self._names()[self._kept :]:
                disk.remove(old)
        except OSError as error:
            with suppress(OSError):
                disk.remove(NEW)
            if error.errno in NO_ROOM:
                raise JournalFull(f"no room for a snapshot in {disk.path}: {error.strerror}") from error
            raise JournalFailed(f"writing a snapshot in {disk.path} failed: {error}") from error

    def newest(self, at_most: int | None = None) -> Snapshot | None:
        for name in self._names():
            if at_most is not None and (snapshot_seq(name) or 0) > at_most:
                continue
            found = self._load(name)
            if found is not None:
                return found._replace(payload=zlib.decompress(found.payload))
        return None

    def digests(self) -> dict[int, str]:
        found = [snapshot for name in self._names() if (snapshot := self._load(name)) is not None]
        return {snapshot.position.seq: snapshot.digest for snapshot in found}

    def remove_after(self, seq: int) -> list[str]:
        """Drop what is newer than the sequence; for a journal that was cut there."""
        gone = [name for name in self._names() if (snapshot_seq(name) or 0) > seq]
        for name in gone:
            self._disk.remove(name)
        self._disk.sync()
        return gone

    def _names(self) -> list[str]:
        """Newest first."""
        return sorted((name for name in self._disk.names() if snapshot_seq(name) is not None), reverse=True)

    def _encode(self, snapshot: Snapshot) -> bytes:
        packed = zlib.compress(snapshot.payload, COMPRESSION)
        position = snapshot.position
        header = _HEADER.pack(
            _MAGIC,
            _FORMAT,
            0,
            snapshot.engine_version,
            self._instance,
            position.seq,
            snapshot.ts,
            position.segment,
            position.offset,
            position.tag,
            position.chain,
            snapshot.digest.encode("ascii"),
        )
        seal = hashlib.sha256(header)
        seal.update(packed)
        return header + packed + seal.digest()

    def _load(self, name: str) -> Snapshot | None:
        """With its payload still packed; None, with a note, if it is damaged or of another version."""
        try:
            data = self._disk.read(name)
        except OSError as error:
            raise JournalFailed(f"{self._disk.path / name} cannot be read: {error}") from error
        if len(data) < _HEADER.size + _SEAL or hashlib.sha256(data[:-_SEAL]).digest() != data[-_SEAL:]:
            self.notes.append(f"{name}: damaged, an older snapshot is used")
            return None
        magic, number, _, engine_version, instance, seq, ts, *rest = _HEADER.unpack_from(data)
        segment, offset, tag, chain, digest = rest
        if (magic, number) != (_MAGIC, _FORMAT) or engine_version != ENGINE_VERSION:
            self.notes.append(f"{name}: of format {number}, engine version {engine_version}; not used")
            return None
        if instance != self._instance:
            raise self._error("the snapshot belongs to another store", name)
        if seq != snapshot_seq(name):
            raise self._error(f"the snapshot is of sequence {seq}, not as it is named", name)
        position = Position(seq, segment, offset, tag, chain)
        return Snapshot(position, ts, engine_version, digest.decode("ascii"), data[_HEADER.size : -_SEAL])

    def _error(self, why: str, name: str) -> JournalError:
        return JournalError(why, str(self._disk.path / name))
