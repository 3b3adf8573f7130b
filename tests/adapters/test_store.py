"""The store on real files: who owns it, what it costs, what an operator sees."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.adapters.clock import SystemClock, VirtualClock
from exchange.adapters.disk import LocalDisk, StoreLock
from exchange.adapters.journal import RESERVE
from exchange.adapters.store import JOURNAL, LOCK, OWNER_OPTIONS, SNAPSHOTS, StoreOptions, open_exchange
from exchange.core.units import MICRO
from exchange.errors import JournalFailed, StoreLocked
from tests.simulation.store import feed
from tests.simulation.workload import START, blocks, requests

CUT = blocks(requests(1, 60), 1)
PLAIN = StoreOptions(freeze=False)


def test_a_store_is_made_where_there_is_none_and_found_again(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    exchange = open_exchange(home, VirtualClock(START), options=PLAIN)
    feed(exchange, CUT)
    exchange.close()
    again = open_exchange(home, VirtualClock(START), options=PLAIN)
    assert again.state.seq == 60
    assert again.notes == []
    again.close()


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    exchange = open_exchange(tmp_path, VirtualClock(START), options=PLAIN)
    with pytest.raises(StoreLocked, match=f"in use by process {os.getpid()}"):
        open_exchange(tmp_path, VirtualClock(START), options=PLAIN)
    exchange.close()
    exchange.close()
    open_exchange(tmp_path, VirtualClock(START), options=PLAIN).close()


def test_another_process_is_kept_out_until_the_owner_dies(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from exchange.adapters.disk import StoreLock\n"
        "lock = StoreLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / LOCK)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(StoreLocked, match=f"process {owner.pid};"):
            open_exchange(tmp_path, VirtualClock(START), options=PLAIN)
        owner.kill()
    open_exchange(tmp_path, VirtualClock(START), options=PLAIN).close()


def test_a_store_that_cannot_be_opened_is_not_kept_locked(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("a file where a folder should be")
    with pytest.raises(JournalFailed):
        open_exchange(tmp_path, VirtualClock(START), options=PLAIN)
    StoreLock(tmp_path / LOCK).release()


def test_only_the_owner_of_the_files_can_read_them(tmp_path: Path) -> None:
    home = tmp_path / "home"
    exchange = open_exchange(home, VirtualClock(START), options=PLAIN)
    feed(exchange, CUT)
    exchange.snapshot()
    exchange.close()
    for path in home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_single_order_costs_neither_a_reserve_nor_a_snapshot_nor_a_large_file(tmp_path: Path) -> None:
    exchange = open_exchange(tmp_path, SystemClock(), options=PLAIN)
    exchange.commit(CUT[0])
    exchange.close()
    assert not (tmp_path / JOURNAL / RESERVE).exists()
    assert list((tmp_path / SNAPSHOTS).iterdir()) == []
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 600_000


def test_an_owner_that_stays_keeps_room_for_a_clean_stop(tmp_path: Path) -> None:
    exchange = open_exchange(tmp_path, SystemClock(), options=OWNER_OPTIONS._replace(freeze=False))
    reserve = tmp_path / JOURNAL / RESERVE
    assert reserve.stat().st_size == OWNER_OPTIONS.journal.reserve_bytes
    assert reserve.stat().st_blocks * 512 >= OWNER_OPTIONS.journal.reserve_bytes
    exchange.close()
    reserve.unlink()


def test_the_disk_writes_at_any_offset_and_reads_it_back(tmp_path: Path) -> None:
    disk = LocalDisk(tmp_path / "a")
    file = disk.create("x")
    file.write(10, b"hello")
    file.write(0, b"ab")
    file.allocate(20)
    file.sync()
    assert file.size() == 20
    assert file.read(0, 100) == b"ab" + bytes(8) + b"hello" + bytes(5)
    file.truncate(12)
    file.close()
    disk.rename("x", "y")
    disk.sync()
    assert disk.names() == ["y"]
    assert disk.read("y") == b"ab" + bytes(8) + b"he"
    disk.create("y").close()
    assert disk.read("y") == b""
    disk.remove("y")
    with pytest.raises(FileNotFoundError):
        disk.open("y")


def test_the_system_clock_counts_nanoseconds_of_this_century() -> None:
    assert 1_600_000_000 < SystemClock().now() // (MICRO * 1_000_000) < 4_000_000_000


def test_a_virtual_clock_stands_still_until_it_is_turned() -> None:
    clock = VirtualClock(5)
    assert clock.now() == clock.now() == 5
    clock.advance(3)
    assert clock.now() == 8
    clock.set(2)
    assert clock.now() == 2
