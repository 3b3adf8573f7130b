"""Snapshots: whole or not there, the newest intact one found, foreign ones refused."""

from __future__ import annotations

import errno

import pytest

from exchange.adapters import snapshots as module
from exchange.adapters.snapshots import FileSnapshots, snapshot_name, snapshot_seq
from exchange.core.engine import ENGINE_VERSION
from exchange.errors import JournalError, JournalFailed
from exchange.runtime.ports import JournalFull, Position, Snapshot
from tests.simulation.machine import Machine

INSTANCE = bytes(range(16))


def snapshot(seq: int, payload: bytes = b"state " * 100) -> Snapshot:
    position = Position(seq, max(1, seq - 3), 128 + seq, 7 * seq, bytes([seq % 256]) * 32)
    return Snapshot(position, 1_000 * seq, ENGINE_VERSION, f"{seq:064x}", payload)


def kept_on(machine: Machine, kept: int = 10) -> FileSnapshots:
    return FileSnapshots(machine.disk("snapshots"), INSTANCE, kept)


def names(machine: Machine) -> list[str]:
    return sorted(machine.folders["snapshots"].seen)


def test_a_snapshot_comes_back_as_it_was_saved() -> None:
    snapshots = kept_on(Machine())
    assert snapshots.newest() is None
    saved = snapshot(5, payload=bytes(range(256)) * 50)
    snapshots.save(saved)
    assert snapshots.newest() == saved
    assert snapshots.notes == []


def test_the_newest_up_to_a_sequence_is_found() -> None:
    snapshots = kept_on(Machine())
    for seq in (5, 90, 1_200):
        snapshots.save(snapshot(seq))
    for at_most, found in ((None, 1_200), (1_200, 1_200), (1_199, 90), (5, 5)):
        newest = snapshots.newest(at_most)
        assert newest is not None
        assert newest.position.seq == found
    assert snapshots.newest(4) is None
    assert snapshots.digests() == {seq: f"{seq:064x}" for seq in (5, 90, 1_200)}


def test_the_newest_ten_are_kept() -> None:
    machine = Machine()
    snapshots = kept_on(machine)
    for seq in range(1, 15):
        snapshots.save(snapshot(seq))
    assert names(machine) == [snapshot_name(seq) for seq in range(5, 15)]


def test_a_snapshot_is_smaller_than_its_state() -> None:
    machine = Machine()
    kept_on(machine).save(snapshot(1, payload=b"order " * 50_000))
    assert len(machine.folders["snapshots"].seen[snapshot_name(1)].seen) < 10_000


def test_damaged_ones_are_passed_over_with_a_note() -> None:
    machine = Machine()
    snapshots = kept_on(machine)
    for seq in (1, 2, 3):
        snapshots.save(snapshot(seq))
    seen = machine.folders["snapshots"].seen
    seen[snapshot_name(3)].seen[200] ^= 1
    seen[snapshot_name(2)].seen.clear()
    newest = snapshots.newest()
    assert newest is not None
    assert newest.position.seq == 1
    assert len(snapshots.notes) == 2
    assert snapshot_name(3) in snapshots.notes[0]
    assert snapshots.digests() == {1: f"{1:064x}"}


def test_another_engine_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    kept_on(machine).save(snapshot(1))
    monkeypatch.setattr(module, "ENGINE_VERSION", ENGINE_VERSION + 1)
    snapshots = kept_on(machine)
    assert snapshots.newest() is None
    assert f"engine version {ENGINE_VERSION}" in snapshots.notes[0]


def test_another_store_s_snapshot_is_refused() -> None:
    machine = Machine()
    kept_on(machine).save(snapshot(1))
    with pytest.raises(JournalError, match="belongs to another store") as caught:
        FileSnapshots(machine.disk("snapshots"), bytes(16)).newest()
    assert caught.value.file.endswith(snapshot_name(1))


def test_a_snapshot_under_another_name_is_refused() -> None:
    machine = Machine()
    kept_on(machine).save(snapshot(1))
    machine.disk("snapshots").rename(snapshot_name(1), snapshot_name(2))
    with pytest.raises(JournalError, match="of sequence 1, not as it is named"):
        kept_on(machine).newest()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_without_room_nothing_is_left(code: int, step: int) -> None:
    machine = Machine()
    kept_on(machine).save(snapshot(1))
    machine.faults[machine.steps + step] = code
    with pytest.raises(JournalFull):
        kept_on(machine).save(snapshot(2))
    assert names(machine) == [snapshot_name(1)]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_a_broken_disk_is_not_passed_over(step: int) -> None:
    machine = Machine()
    machine.faults[step] = errno.EIO
    with pytest.raises(JournalFailed):
        kept_on(machine).save(snapshot(2))


def test_a_snapshot_that_reads_back_differently_does_not_get_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine()
    disk = machine.disk("snapshots")
    healthy = disk.read
    monkeypatch.setattr(disk, "read", lambda name: healthy(name)[:-1])
    with pytest.raises(JournalFailed, match="read back differs"):
        FileSnapshots(disk, INSTANCE).save(snapshot(3))
    assert snapshot_name(3) not in names(machine)


def test_a_leftover_of_a_killed_process_is_overwritten() -> None:
    machine = Machine()
    machine.disk("snapshots").create(module.NEW).write(0, b"x" * 100_000)
    kept_on(machine).save(snapshot(4))
    assert names(machine) == [snapshot_name(4)]
    assert kept_on(machine).newest() == snapshot(4)


def test_those_after_a_sequence_can_be_dropped() -> None:
    machine = Machine()
    snapshots = kept_on(machine)
    for seq in (1, 2, 3):
        snapshots.save(snapshot(seq))
    assert snapshots.remove_after(1) == [snapshot_name(3), snapshot_name(2)]
    assert names(machine) == [snapshot_name(1)]


def test_only_its_own_names_are_read() -> None:
    for name in ("x.snapshot", "5.snapshot", f"{5:021d}.snapshot", f"{'²' * 20}.snapshot", "notes.txt"):
        assert snapshot_seq(name) is None
    assert snapshot_seq(snapshot_name(12)) == 12
