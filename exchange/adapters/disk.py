"""A folder of a store as a few primitive operations, and the lock that keeps a second owner out.

Everything durable goes through ``Disk`` and ``File``, so a test can put a simulated disk in their
place and lose power between any two calls.  What is not synced may be lost in any part, torn at
any byte; a name is durable after ``Disk.sync``, a file's bytes and size after ``File.sync``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import Protocol

from exchange.errors import StoreLocked

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class File(Protocol):
    """An open file.  Every method raises OSError."""

    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...

    def write(self, offset: int, data: bytes) -> None:
        """All of it, or OSError with an unknown part written."""

    def allocate(self, size: int) -> None:
        """Claim room up to this size; the content is zeros."""

    def truncate(self, size: int) -> None: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


class Disk(Protocol):
    """One flat folder.  Every method raises OSError."""

    @property
    def path(self) -> Path: ...

    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes:
        """All bytes of a file that exists."""

    def open(self, name: str) -> File:
        """A file that exists, for reading and writing."""

    def create(self, name: str) -> File:
        """An empty file in place of what may have been there."""

    def rename(self, old: str, new: str) -> None: ...

    def remove(self, name: str) -> None: ...

    def sync(self) -> None:
        """Make names durable."""


def _sync_file(fd: int) -> None:
    if sys.platform == "darwin":  # fsync stops at the drive's cache there
        import fcntl

        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    elif sys.platform == "win32":
        os.fsync(fd)
    else:
        os.fdatasync(fd)


class LocalFile:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        os.lseek(self._fd, offset, os.SEEK_SET)
        parts = []
        while length > 0 and (part := os.read(self._fd, length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def write(self, offset: int, data: bytes) -> None:
        # One thread writes to a file and another only syncs it, so seeking first is safe.
        os.lseek(self._fd, offset, os.SEEK_SET)
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]

    def allocate(self, size: int) -> None:
        if sys.platform == "linux":
            os.posix_fallocate(self._fd, 0, size)
        else:
            for offset in range(self.size(), size, 1 << 20):
                self.write(offset, bytes(min(1 << 20, size - offset)))

    def truncate(self, size: int) -> None:
        os.truncate(self._fd, size)

    def sync(self) -> None:
        _sync_file(self._fd)

    def close(self) -> None:
        os.close(self._fd)


class LocalDisk:
    """A folder of this machine, made if it is missing, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(folder.parent)

    def names(self) -> list[str]:
        return [entry.name for entry in self.path.iterdir()]

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def open(self, name: str) -> LocalFile:
        return LocalFile(os.open(self.path / name, os.O_RDWR | getattr(os, "O_BINARY", 0)))

    def create(self, name: str) -> LocalFile:
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
        return LocalFile(os.open(self.path / name, flags, 0o600))

    def rename(self, old: str, new: str) -> None:
        (self.path / old).replace(self.path / new)

    def remove(self, name: str) -> None:
        (self.path / name).unlink()

    def sync(self) -> None:
        _sync_folder(self.path)


def _sync_folder(path: Path) -> None:
    if sys.platform == "win32":  # a folder cannot be opened there; NTFS logs its names
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class StoreLock:
    """Held by the one process that owns a store; the system drops it when that process dies."""

    def __init__(self, path: Path) -> None:
        """Raises StoreLocked naming the owner."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._fd)
        except OSError:
            owner = os.read(self._fd, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise StoreLocked(
                f"{path.parent} is in use by process {owner}; attach to it or stop it first"
            ) from None
        os.truncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """The file stays: removing it would let two processes lock two files of one name."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.truncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def _lock(fd: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(fd, 1 << 20, os.SEEK_SET)  # past the text, so that others can read it
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
