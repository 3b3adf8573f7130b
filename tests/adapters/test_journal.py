"""The journal on a simulated machine: what is appended comes back, in files of the right shape."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from exchange.adapters import journal as journal_module
from exchange.adapters import journal_scan
from exchange.adapters.disk import LocalDisk
from exchange.adapters.journal import SPARE, JournalOptions, SegmentJournal
from exchange.adapters.journal_format import (
    BATCH_RECORDS_MAX,
    HEADER_SIZE,
    PAYLOAD_MAX,
    WATERMARK,
    WATERMARK_STRIDE,
    Cursor,
    Header,
    decode_header,
    decode_watermark,
    encode,
    encode_header,
    encode_watermark,
    genesis,
    segment_first,
    segment_name,
)
from exchange.adapters.journal_scan import Scan
from exchange.codec import pack
from exchange.core.commands import COMMANDS, Deposit, ExpireOrder, RegisterUser, Skip, Tick
from exchange.core.messages import CancelOrder, Command, Record
from exchange.core.units import MICRO
from exchange.errors import DataError, JournalError
from tests.simulation.machine import Machine
from tests.simulation.store import INSTANCE, SMALL, Ticks, journal_on, stored
from tests.simulation.workload import blocks, records, requests

STREAM = records(blocks(requests(2, 120), 2))
WIDE = JournalOptions(segment_bytes=1 << 20, growth_bytes=4_096, watermark_ns=1 << 60)


def shown(found: list[Record]) -> list[tuple[int, int, int, int, tuple[int, bytes]]]:
    return [(r.seq, r.ts, r.actor, r.cause, pack(r.command)) for r in found]


def opened(machine: Machine, options: JournalOptions = SMALL) -> SegmentJournal:
    journal = journal_on(machine, options)
    assert list(journal.recover()) == []
    return journal


def filled(machine: Machine, options: JournalOptions = SMALL) -> SegmentJournal:
    """The stream in blocks of five, synced."""
    journal = opened(machine, options)
    for at in range(0, len(STREAM), 5):
        journal.append(STREAM[at : at + 5])
        journal.sync()
    return journal


def record(seq: int, command: Command, actor: int = 0) -> Record:
    return Record(seq, seq * MICRO, actor, command)


def test_records_come_back_as_they_were() -> None:
    machine = Machine()
    filled(machine).close()
    assert shown(stored(machine)) == shown(STREAM)


def test_every_kind_of_command_comes_back() -> None:
    kinds = {type(r.command) for r in STREAM}
    extra = [
        Skip(reason="x"),
        ExpireOrder(order_id=3, due=5),
        *(r.command for r in records([requests(9, 800)])),
    ]
    seen = [record(n, command, actor=7) for n, command in enumerate(extra, 1)]
    seen[0].cause = 12
    assert kinds | {type(command) for command in extra} == {cls for _, cls in COMMANDS.values()}
    machine = Machine()
    journal = opened(machine)
    journal.append(seen)
    journal.sync()
    assert shown(stored(machine)) == shown(seen)


def test_a_segment_is_named_for_its_first_sequence_and_continues_the_chain() -> None:
    machine = Machine()
    filled(machine)
    names = sorted(name for name in machine.folders["journal"].seen if name.endswith(".journal"))
    assert len(names) > 5
    for name in names:
        header = decode_header(bytes(machine.folders["journal"].seen[name].seen))
        assert not isinstance(header, str)
        assert header.first == segment_first(name)
        assert header.instance == INSTANCE
        scan = Scan(machine.disk("journal"))
        _, batch = next(scan.batches(scan.start_of(header.first)))
        assert batch.trailer.first == header.first


def test_a_segment_grows_by_zeros_ahead_of_its_records() -> None:
    machine = Machine()
    journal = opened(machine, WIDE)
    file = machine.folders["journal"].seen[segment_name(1)]
    assert len(file.seen) == WIDE.growth_bytes
    sizes = set()
    for number in range(1, 200):
        journal.append([record(number, Tick())])
        sizes.add(len(file.seen))
        end = journal.position().offset
        assert not any(file.seen[end:])
    assert 3 <= len(sizes) <= 6


def test_large_blocks_are_cut_into_batches() -> None:
    machine = Machine()
    journal = opened(machine, WIDE)
    journal.append([record(n, Tick()) for n in range(1, BATCH_RECORDS_MAX + 11)])
    text = "x" * 60_000
    begin = journal.last_seq
    journal.append(
        [record(begin + n, Deposit(account=1, asset=0, amount=1, reference=text)) for n in range(1, 41)]
    )
    journal.sync()
    sizes = [len(batch.records) for _, batch in Scan(machine.disk("journal")).batches()]
    assert sizes[:2] == [BATCH_RECORDS_MAX, 10]
    assert sum(sizes[2:]) == 40
    assert len(sizes[2:]) == 3  # of a megabyte each


@pytest.mark.parametrize(
    ("command", "actor"),
    [
        (CancelOrder(3, 1, "\udfff"), 0),
        (CancelOrder(3, 10**200), 0),
        (RegisterUser(name="\ud800"), 0),
        (RegisterUser(name="x" * (PAYLOAD_MAX + 1)), 0),
        (Tick(), -1),
        (Tick(), 1 << 40),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_the_journal_as_it_was(
    command: Command, actor: int
) -> None:
    machine = Machine()
    journal = opened(machine)
    journal.append([record(1, Tick())])
    steps = machine.steps
    with pytest.raises(DataError, match=r"cannot be written|bytes"):
        journal.append([record(2, Tick()), record(3, command, actor)])
    assert machine.steps == steps
    journal.append([record(2, Tick())])
    journal.sync()
    assert [r.seq for r in stored(machine)] == [1, 2]


def test_nothing_is_durable_before_a_sync_and_one_sync_covers_all_before_it() -> None:
    machine = Machine()
    journal = opened(machine)
    journal.append(STREAM[:3])
    journal.append(STREAM[3:5])
    assert (journal.last_seq, journal.durable_seq) == (5, 0)
    assert list(journal.read()) == []
    journal.sync()
    assert journal.durable_seq == 5
    steps = machine.steps
    journal.sync()
    assert machine.steps == steps
    journal.append([])
    assert machine.steps == steps


def test_a_sync_covers_the_segment_left_behind() -> None:
    machine = Machine()
    journal = opened(machine)
    for at in range(0, 60, 3):
        journal.append(STREAM[at : at + 3])
    assert len(machine.folders["journal"].seen) > 3
    journal.sync()
    assert not any(inode.pending for inode in machine.folders["journal"].seen.values())
    assert shown(stored(machine)) == shown(STREAM[:60])


@pytest.mark.parametrize("after", [0, 1, 4, 5, 37, 118, 119, 120, 500])
def test_read_begins_after_any_sequence(after: int) -> None:
    journal = filled(Machine())
    assert shown(list(journal.read(after))) == shown(STREAM[after:])


def test_read_goes_to_what_is_durable_while_more_is_appended() -> None:
    machine = Machine()
    journal = opened(machine)
    journal.append(STREAM[:10])
    journal.sync()
    reader = journal.read(2)
    assert next(reader).seq == 3
    journal.append(STREAM[10:40])
    assert [r.seq for r in reader] == list(range(4, 11))


def test_recovery_starts_at_a_position() -> None:
    machine = Machine()
    journal = opened(machine)
    positions = [(0, journal.position())]
    for at in range(0, len(STREAM), 5):
        journal.append(STREAM[at : at + 5])
        journal.sync()
        positions.append((at + 5, journal.position()))
    journal.close()
    for seq, position in positions:
        assert position.seq == seq
        again = journal_on(machine)
        assert shown(list(again.recover(position))) == shown(STREAM[seq:])
        assert again.position() == positions[-1][1]


def test_appending_goes_on_after_a_restart() -> None:
    machine = Machine()
    for at in range(0, len(STREAM), 8):
        journal = journal_on(machine)
        assert len(list(journal.recover())) == at
        journal.append(STREAM[at : at + 8])
        journal.sync()
        journal.close()
    assert shown(stored(machine)) == shown(STREAM)


def marks(machine: Machine) -> list[int]:
    data = bytes(machine.folders["journal"].seen[WATERMARK].seen)
    assert len(data) >= WATERMARK_STRIDE + 512
    return [found[2] for copy in (0, 1) if (found := decode_watermark(data, copy)) is not None]


def test_the_watermark_follows_in_turns_and_is_exact_after_a_clean_stop() -> None:
    machine = Machine()
    journal = opened(machine)
    seen = []
    for at in range(0, 120, 5):
        journal.append(STREAM[at : at + 5])
        journal.sync()
        assert max(marks(machine)) <= journal.durable_seq
        seen.append(tuple(marks(machine)))
    assert len(set(seen)) > 3
    assert all(sum(a != b for a, b in zip(x, y, strict=True)) <= 1 for x, y in pairwise(seen))
    journal.close()
    assert marks(machine) == [120, 120]


def test_the_watermark_is_written_seldom() -> None:
    machine = Machine()
    journal = filled(machine, SMALL._replace(watermark_ns=1 << 60))
    assert marks(machine) == [0, 0]
    journal.close()
    assert marks(machine) == [120, 120]


def test_a_stop_without_anything_new_writes_nothing() -> None:
    machine = Machine()
    filled(machine).close()
    journal = journal_on(machine)
    list(journal.recover())
    before = {name: bytes(inode.seen) for name, inode in machine.folders["journal"].seen.items()}
    journal.close()
    assert {name: bytes(inode.seen) for name, inode in machine.folders["journal"].seen.items()} == before


def test_a_stop_gives_back_most_of_the_zeros() -> None:
    machine = Machine()
    journal = opened(machine, WIDE)
    journal.prepare()
    assert len(machine.folders["journal"].seen[SPARE].seen) == WIDE.segment_bytes
    while SPARE in machine.folders["journal"].seen:
        start = journal.last_seq
        journal.append([record(start + n, Tick()) for n in range(1, 1_001)])
    journal.sync()
    last = segment_name(journal.position().segment)
    assert len(machine.folders["journal"].seen[last].seen) == WIDE.segment_bytes
    journal.close()
    assert len(machine.folders["journal"].seen[last].seen) == journal.position().offset + WIDE.growth_bytes
    assert len(stored(machine)) == journal.last_seq


def test_leftovers_of_a_killed_process_are_cleared() -> None:
    machine = Machine()
    journal = filled(machine)
    journal.prepare()
    machine.disk("journal").create("segment.new").write(0, b"half a header")
    assert shown(stored(machine)) == shown(STREAM)
    assert not {SPARE, "segment.new"} & set(machine.folders["journal"].seen)


def test_a_thread_prepares_the_next_segment_of_a_real_disk(tmp_path: Path) -> None:
    options = JournalOptions(segment_bytes=40_000, growth_bytes=4_096, is_ahead=True)
    journal = SegmentJournal(LocalDisk(tmp_path), options)
    assert list(journal.recover()) == []
    for at in range(400):
        journal.append([record(at * 5 + n, Tick()) for n in range(1, 6)])
        journal.sync()
    journal.close()
    again = SegmentJournal(LocalDisk(tmp_path), options)
    assert [r.seq for r in again.recover()] == list(range(1, 2_001))
    assert again.instance == journal.instance
    assert len(again.notes) == 0
    again.close()


def set_version(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    monkeypatch.setattr(journal_module, "ENGINE_VERSION", version)
    monkeypatch.setattr(journal_scan, "ENGINE_VERSION", version)


def test_records_of_a_newer_engine_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    set_version(monkeypatch, 8)
    filled(machine).close()
    set_version(monkeypatch, 7)
    with pytest.raises(JournalError, match="engine version 8, this is version 7"):
        stored(machine)


def test_a_newer_engine_takes_over_only_behind_a_position_and_in_a_new_segment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine()
    set_version(monkeypatch, 7)
    journal = filled(machine)
    end = journal.position()
    journal.close()
    set_version(monkeypatch, 8)
    with pytest.raises(JournalError, match="engine version 7, this is version 8"):
        stored(machine)
    journal = journal_on(machine)
    assert list(journal.recover(end)) == []
    assert journal.position().segment == end.seq + 1
    journal.append([record(end.seq + 1, Tick())])
    journal.sync()
    assert [r.seq for r in journal.read(end.seq)] == [end.seq + 1]


def test_a_newer_payload_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    filled(machine).close()
    monkeypatch.setattr(journal_scan, "SCHEMA_VERSION", 0)
    with pytest.raises(JournalError, match="newer version of this program") as caught:
        stored(machine)
    assert caught.value.seq == 1
    assert caught.value.offset > HEADER_SIZE


def test_instances_are_drawn_anew(tmp_path: Path) -> None:
    first = SegmentJournal(LocalDisk(tmp_path / "a"), stopwatch=Ticks())
    second = SegmentJournal(LocalDisk(tmp_path / "b"), stopwatch=Ticks())
    assert first.instance != second.instance
    assert len(first.instance) == 16


def test_the_format_does_not_change_by_accident() -> None:
    """If it has to, raise FORMAT and read the old one as well."""
    stream = [record(1, Tick()), record(2, Deposit(account=3, asset=1, amount=10**12, reference="ß"), 5)]
    block, cursor = encode(stream, Cursor(INSTANCE, 0, HEADER_SIZE, 0, genesis(INSTANCE)), 0)
    header = encode_header(Header(1, 3, INSTANCE, cursor.chain, cursor.tag))
    data = header + block + encode_watermark(INSTANCE, 7, 2)
    assert hashlib.sha256(data).hexdigest() == (
        "64e26748070a04e48fcc1b143e8dd40c5ac6b67408b85f9cd3d78108a505d086"
    )
