"""A simulated machine: folders whose unsynced writes a power loss may keep, lose or tear.

What a process sees (the cache) and what the disk surely holds are kept apart.  A file's writes
become durable with its ``sync``, names with the folder's.  ``after_power_loss`` draws one of the
disks that may be found afterwards: any subset of unsynced sectors, each torn at any byte, and any
subset of unsynced name changes.  A failed sync loses its writes: they stay visible, the next sync
reports success, and they never reach the disk.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from pathlib import Path

SECTOR = 512


class Inode:
    def __init__(self, data: bytes = b"") -> None:
        self.seen = bytearray(data)
        self.durable = bytearray(data)
        self.pending: list[tuple[str, int, bytes]] = []  # ("write", offset, data) or ("size", size, b"")


def _put(data: bytearray, offset: int, piece: bytes) -> None:
    if len(data) < offset + len(piece):
        data.extend(bytes(offset + len(piece) - len(data)))
    data[offset : offset + len(piece)] = piece


def _resize(data: bytearray, size: int) -> None:
    if size < len(data):
        del data[size:]
    else:
        data.extend(bytes(size - len(data)))


class Folder:
    def __init__(self) -> None:
        self.seen: dict[str, Inode] = {}
        self.durable: dict[str, Inode] = {}
        self.pending: list[tuple[str, str, Inode | None]] = []  # (new name or "", old name or "", inode)


class Machine:
    """faults: errno by number of the step it strikes.   capacity: bytes on all folders.
    on_step: called between any two steps, with the machine as a power loss would find it."""

    def __init__(self, *, capacity: int | None = None) -> None:
        self.folders: dict[str, Folder] = {}
        self.steps = 0
        self.faults: dict[int, int] = {}
        self.struck: list[str] = []
        self.capacity = capacity
        self.on_step: Callable[[Machine], None] | None = None
        self.ignored: set[tuple[str, str]] = set()  # planted bugs: ("file" or "folder", folder name)

    def disk(self, name: str) -> SimulatedDisk:
        self.folders.setdefault(name, Folder())
        return SimulatedDisk(self, name)

    def step(self, what: str) -> None:
        """Raises the planned fault of this step."""
        self.steps += 1
        number = self.faults.get(self.steps)
        if number is not None:
            self.struck.append(what)
            raise OSError(number, errno.errorcode[number])

    def between(self) -> None:
        if self.on_step is not None:
            self.on_step(self)

    def room(self) -> int:
        if self.capacity is None:
            return 1 << 40
        inodes = {id(inode): inode for folder in self.folders.values() for inode in folder.seen.values()}
        return self.capacity - sum(len(inode.seen) for inode in inodes.values())

    def after_power_loss(self, rng: random.Random, kept: float | None = None) -> Machine:
        """kept: chance of each unsynced piece to have reached the disk; drawn if None."""
        chance = rng.choice((0.1, 0.5, 0.9)) if kept is None else kept
        made = Machine(capacity=self.capacity)
        inodes: dict[int, Inode] = {}
        for name, folder in self.folders.items():
            names = dict(folder.durable)
            for new, old, inode in folder.pending:
                if rng.random() < chance:
                    if old:
                        names.pop(old, None)
                    if new and inode is not None:
                        names[new] = inode
            fresh = made.folders.setdefault(name, Folder())
            for key, inode in names.items():
                if id(inode) not in inodes:
                    inodes[id(inode)] = Inode(_drawn(inode, rng, chance))
                fresh.seen[key] = fresh.durable[key] = inodes[id(inode)]
        return made

    def killed(self) -> Machine:
        """The same machine after its process is gone: all that was written is still seen."""
        self.on_step = None
        self.faults = {}
        return self


def _drawn(inode: Inode, rng: random.Random, chance: float) -> bytes:
    data = bytearray(inode.durable)
    for kind, offset, piece in inode.pending:
        if kind == "size":
            if rng.random() < chance:
                _resize(data, offset)
            continue
        at = 0
        while at < len(piece):
            end = min(len(piece), at + SECTOR - (offset + at) % SECTOR)
            if rng.random() < chance:
                is_torn = chance < 1 and rng.random() < 0.1
                _put(data, offset + at, piece[at : rng.randint(at, end) if is_torn else end])
            at = end
    return bytes(data)


class SimulatedFile:
    def __init__(self, machine: Machine, folder: str, inode: Inode) -> None:
        self._machine = machine
        self._folder = folder
        self._inode = inode

    def size(self) -> int:
        return len(self._inode.seen)

    def read(self, offset: int, length: int) -> bytes:
        self._machine.step("read")
        return bytes(self._inode.seen[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        inode, machine = self._inode, self._machine
        grown = max(0, offset + len(data) - len(inode.seen))
        lacking = grown - machine.room()
        if lacking > 0:
            self._write(offset, data[: max(0, len(data) - lacking)])
            machine.steps += 1
            machine.struck.append("full")
            raise OSError(errno.ENOSPC, "No space left on device")
        try:
            machine.step("write")
        except OSError:
            self._write(offset, data[: len(data) // 2])
            raise
        self._write(offset, data)
        machine.between()

    def _write(self, offset: int, data: bytes) -> None:
        if data:
            _put(self._inode.seen, offset, data)
            self._inode.pending.append(("write", offset, bytes(data)))

    def allocate(self, size: int) -> None:
        if size - len(self._inode.seen) > self._machine.room():
            raise OSError(errno.ENOSPC, "No space left on device")
        self.truncate(max(size, len(self._inode.seen)))

    def truncate(self, size: int) -> None:
        self._machine.step("truncate")
        _resize(self._inode.seen, size)
        self._inode.pending.append(("size", size, b""))
        self._machine.between()

    def sync(self) -> None:
        begun = len(self._inode.pending)  # what is written while the sync is under way stays unsynced
        self._machine.between()
        try:
            self._machine.step("sync")
        except OSError:
            del self._inode.pending[:begun]
            raise
        if ("file", self._folder) not in self._machine.ignored:
            # Only what is pending gets there: writes lost by a failed sync stay lost.
            for kind, offset, piece in self._inode.pending[:begun]:
                if kind == "size":
                    _resize(self._inode.durable, offset)
                else:
                    _put(self._inode.durable, offset, piece)
            del self._inode.pending[:begun]

    def close(self) -> None:
        pass


class SimulatedDisk:
    def __init__(self, machine: Machine, name: str) -> None:
        self._machine = machine
        self._name = name
        self.path = Path(name)

    @property
    def _folder(self) -> Folder:
        return self._machine.folders[self._name]

    def names(self) -> list[str]:
        return list(self._folder.seen)

    def read(self, name: str) -> bytes:
        self._machine.step("read")
        return bytes(self._folder.seen[name].seen)

    def open(self, name: str) -> SimulatedFile:
        if name not in self._folder.seen:
            raise FileNotFoundError(errno.ENOENT, name)
        return SimulatedFile(self._machine, self._name, self._folder.seen[name])

    def create(self, name: str) -> SimulatedFile:
        self._machine.step("create")
        folder = self._folder
        inode = folder.seen.get(name)
        if inode is None:
            inode = folder.seen[name] = Inode()
            folder.pending.append((name, "", inode))
        else:
            _resize(inode.seen, 0)
            inode.pending.append(("size", 0, b""))
        self._machine.between()
        return SimulatedFile(self._machine, self._name, inode)

    def rename(self, old: str, new: str) -> None:
        self._machine.step("rename")
        inode = self._folder.seen.pop(old)
        self._folder.seen[new] = inode
        self._folder.pending.append((new, old, inode))
        self._machine.between()

    def remove(self, name: str) -> None:
        if name not in self._folder.seen:
            raise FileNotFoundError(errno.ENOENT, name)
        self._machine.step("remove")
        del self._folder.seen[name]
        self._folder.pending.append(("", name, None))
        self._machine.between()

    def sync(self) -> None:
        self._machine.between()
        self._machine.step("sync folder")
        if ("folder", self._name) not in self._machine.ignored:
            self._folder.durable = dict(self._folder.seen)
            self._folder.pending.clear()
