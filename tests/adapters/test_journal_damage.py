"""What is durable and no longer right is refused by name; what never became durable is cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exchange.adapters.journal_format import HEADER_SIZE, TRAILER_SIZE, WATERMARK, segment_name
from exchange.adapters.journal_scan import SKIPS, Scan
from exchange.adapters.snapshots import snapshot_name
from exchange.codec import state_digest
from exchange.errors import JournalError
from tests.simulation import store
from tests.simulation.machine import Folder, Inode, Machine
from tests.simulation.store import SMALL, feed, open_on, recovered_on
from tests.simulation.workload import blocks, digests, records, requests

CUT = blocks(requests(4, 120), 4)
DIGESTS = digests(records(CUT))


def stopped(instance: bytes = store.INSTANCE) -> Machine:
    """A store of several segments, cleanly stopped, without snapshots."""
    before, store.INSTANCE = store.INSTANCE, instance
    machine = Machine()
    exchange = open_on(machine, every=10**6)
    feed(exchange, CUT)
    exchange.close()
    store.INSTANCE = before
    return machine


def firsts(machine: Machine) -> list[int]:
    return Scan(machine.disk("journal")).firsts


def journal_of(machine: Machine) -> Folder:
    return machine.folders["journal"]


def segment(machine: Machine, index: int) -> Inode:
    return journal_of(machine).seen[segment_name(firsts(machine)[index])]


def batch_ends(machine: Machine, first: int) -> list[int]:
    scan = Scan(machine.disk("journal"))
    ends = [HEADER_SIZE]
    for _, batch in scan.batches(scan.start_of(first)):
        if scan.first != first:
            break
        ends.append(batch.end)
    return ends


# -- each case damages the store and names the file that must be in the error ------------------


def first_segment_missing(machine: Machine) -> str:
    name = segment_name(1)
    del journal_of(machine).seen[name]
    return name


def all_segments_missing(machine: Machine) -> str:
    for first in firsts(machine):
        del journal_of(machine).seen[segment_name(first)]
    return segment_name(1)


def middle_segment_missing(machine: Machine) -> str:
    found = firsts(machine)
    del journal_of(machine).seen[segment_name(found[2])]
    return segment_name(found[1])


def last_segment_missing(machine: Machine) -> str:
    found = firsts(machine)
    del journal_of(machine).seen[segment_name(found[-1])]
    return segment_name(found[-2])


def two_segments_swapped(machine: Machine) -> str:
    one, two = (segment_name(first) for first in firsts(machine)[1:3])
    seen = journal_of(machine).seen
    seen[one], seen[two] = seen[two], seen[one]
    return one


def segment_named_for_another_sequence(machine: Machine) -> str:
    found = firsts(machine)
    wrong = segment_name(found[2] + 1)
    journal_of(machine).seen[wrong] = journal_of(machine).seen.pop(segment_name(found[2]))
    return wrong


def segment_of_another_store(machine: Machine) -> str:
    other = stopped(bytes(16))
    name = segment_name(firsts(machine)[1])
    journal_of(machine).seen[name] = journal_of(other).seen[name]
    return name


def watermark_missing(machine: Machine) -> str:
    del journal_of(machine).seen[WATERMARK]
    return WATERMARK


def watermark_of_another_store(machine: Machine) -> str:
    journal_of(machine).seen[WATERMARK] = journal_of(stopped(bytes(16))).seen[WATERMARK]
    return segment_name(1)


def segment_cut_inside_a_batch(machine: Machine) -> str:
    del segment(machine, 1).seen[HEADER_SIZE + 100 :]
    return segment_name(firsts(machine)[1])


def segment_cut_between_batches(machine: Machine) -> str:
    first = firsts(machine)[1]
    del segment(machine, 1).seen[batch_ends(machine, first)[1] :]
    return segment_name(first)


def last_segment_cut_between_batches(machine: Machine) -> str:
    first = firsts(machine)[-1]
    end = batch_ends(machine, first)[-2]
    del segment(machine, -1).seen[end:]
    return segment_name(first)


def segment_shorter_than_its_header(machine: Machine) -> str:
    del segment(machine, 2).seen[60:]
    return segment_name(firsts(machine)[2])


def segment_empty(machine: Machine) -> str:
    segment(machine, -1).seen.clear()
    return segment_name(firsts(machine)[-1])


def segment_of_another_kind(machine: Machine) -> str:
    segment(machine, 1).seen[:4] = b"\x7fELF"
    return segment_name(firsts(machine)[1])


def header_flipped(machine: Machine) -> str:
    segment(machine, 1).seen[30] ^= 1
    return segment_name(firsts(machine)[1])


def header_padding_flipped(machine: Machine) -> str:
    segment(machine, 1).seen[HEADER_SIZE - 10] ^= 1
    return segment_name(firsts(machine)[1])


def batch_cut_out(machine: Machine) -> str:
    first = firsts(machine)[1]
    ends = batch_ends(machine, first)
    del segment(machine, 1).seen[ends[0] : ends[1]]
    return segment_name(first)


def two_batches_swapped(machine: Machine) -> str:
    first = firsts(machine)[1]
    a, b, c = batch_ends(machine, first)[:3]
    data = segment(machine, 1).seen
    data[a:c] = data[b:c] + data[a:b]
    return segment_name(first)


def batch_repeated(machine: Machine) -> str:
    first = firsts(machine)[1]
    a, b = batch_ends(machine, first)[:2]
    data = segment(machine, 1).seen
    data[b:b] = data[a:b]
    return segment_name(first)


def page_of_zeros(machine: Machine) -> str:
    data = segment(machine, 1).seen
    data[HEADER_SIZE : HEADER_SIZE + 512] = bytes(512)
    return segment_name(firsts(machine)[1])


def last_record_flipped(machine: Machine) -> str:
    first = firsts(machine)[-1]
    segment(machine, -1).seen[batch_ends(machine, first)[-1] - TRAILER_SIZE - 1] ^= 1
    return segment_name(first)


def last_trailer_flipped(machine: Machine) -> str:
    first = firsts(machine)[-1]
    segment(machine, -1).seen[batch_ends(machine, first)[-1] - 1] ^= 1
    return segment_name(first)


CASES: list[Callable[[Machine], str]] = [
    first_segment_missing,
    all_segments_missing,
    middle_segment_missing,
    last_segment_missing,
    two_segments_swapped,
    segment_named_for_another_sequence,
    segment_of_another_store,
    watermark_missing,
    watermark_of_another_store,
    segment_cut_inside_a_batch,
    segment_cut_between_batches,
    last_segment_cut_between_batches,
    segment_shorter_than_its_header,
    segment_empty,
    segment_of_another_kind,
    header_flipped,
    header_padding_flipped,
    batch_cut_out,
    two_batches_swapped,
    batch_repeated,
    page_of_zeros,
    last_record_flipped,
    last_trailer_flipped,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_damage_is_refused_by_name(case: Callable[[Machine], str]) -> None:
    machine = stopped()
    assert len(firsts(machine)) > 4
    name = case(machine)
    before = {key: bytes(inode.seen) for key, inode in journal_of(machine).seen.items()}
    with pytest.raises(JournalError) as caught:
        recovered_on(machine)
    assert caught.value.exit_code == 65
    assert caught.value.file.endswith(name)
    assert name in str(caught.value)
    assert {key: bytes(inode.seen) for key, inode in journal_of(machine).seen.items()} == before


def test_the_error_tells_offset_sequence_and_what_to_do() -> None:
    machine = stopped()
    first = firsts(machine)[1]
    segment(machine, 1).seen[HEADER_SIZE + 45] ^= 1
    with pytest.raises(JournalError) as caught:
        recovered_on(machine)
    assert (caught.value.offset, caught.value.seq) == (HEADER_SIZE, first)
    assert f"journal repair --truncate-to {first - 1}" in str(caught.value)


def test_damage_in_the_last_batch_is_refused_even_with_an_old_watermark() -> None:
    """The trailer of a later batch proves that the earlier one was synced."""
    machine = Machine()
    exchange = open_on(machine, options=SMALL._replace(watermark_ns=1 << 60), every=10**6)
    feed(exchange, CUT[:12])
    assert Scan(machine.disk("journal")).watermark == 0
    first = firsts(machine)[-1]
    segment(machine, -1).seen[batch_ends(machine, first)[-2] - 1] ^= 1
    with pytest.raises(JournalError, match="was durable"):
        recovered_on(machine.killed())


def torn(cut: Callable[[bytearray, int, int], None]) -> tuple[Machine, int, int]:
    """A killed process whose last batch was not synced, damaged by cut(data, its start, its end)."""
    machine = Machine()
    exchange = open_on(machine, every=10**6)
    feed(exchange, CUT[:12])
    seq = exchange.state.seq
    staged = exchange.stage(CUT[12])
    ends = batch_ends(machine, firsts(machine)[-1])
    cut(segment(machine, -1).seen, ends[-2], ends[-1])
    return machine.killed(), seq, staged.last_seq


def zero_head(data: bytearray, start: int, end: int) -> None:
    data[start : start + 60] = bytes(60)


def zero_tail(data: bytearray, start: int, end: int) -> None:
    data[start + 20 :] = bytes(len(data) - start - 20)


def shorten(data: bytearray, start: int, end: int) -> None:
    del data[end - 3 :]


def flip(data: bytearray, start: int, end: int) -> None:
    data[start + 50] ^= 4


def scribble(data: bytearray, start: int, end: int) -> None:
    data[start:end] = b"\xff" * (end - start)


@pytest.mark.parametrize("cut", [zero_head, zero_tail, shorten, flip, scribble])
def test_a_torn_tail_is_cut_and_reported_in_one_line(cut: Callable[[bytearray, int, int], None]) -> None:
    machine, seq, _ = torn(cut)
    journal, _, recovered = recovered_on(machine)
    assert recovered.engine.state.seq == seq
    assert state_digest(recovered.engine.state) == DIGESTS[seq]
    assert len(recovered.notes) == 1
    assert f"behind sequence {seq}" in recovered.notes[0]
    assert "cut" in recovered.notes[0]
    journal.close()
    _, _, again = recovered_on(machine)
    assert again.notes == []
    assert again.engine.state.seq == seq


def test_an_unfinished_batch_that_is_whole_is_kept() -> None:
    machine, _, last = torn(lambda data, start, end: None)
    _, _, recovered = recovered_on(machine)
    assert recovered.engine.state.seq == last
    assert recovered.notes == []


def test_a_segment_begun_behind_a_torn_tail_goes_with_it() -> None:
    machine = Machine()
    exchange = open_on(machine, every=10**6)
    feed(exchange, CUT[:12])
    seq = exchange.state.seq
    segments = len(firsts(machine))
    number = 12
    while len(firsts(machine)) == segments:
        exchange.stage(CUT[number])
        number += 1
    segment(machine, -2).seen[batch_ends(machine, firsts(machine)[-2])[-1] - 1] ^= 1
    _, _, recovered = recovered_on(machine.killed())
    assert seq <= recovered.engine.state.seq < exchange.state.seq
    assert "1 segments begun behind it" in recovered.notes[0]
    assert len(firsts(machine)) == segments


def test_text_in_a_command_does_not_pass_for_a_later_batch() -> None:
    """A trailer's checksum starts from the instance id, which no sender knows."""
    machine = Machine()
    exchange = open_on(machine, every=10**6)
    feed(exchange, CUT[:12])
    seq = exchange.state.seq
    other = Scan(stopped(bytes(16)).disk("journal"))
    data, batch = list(other.batches())[-1]
    forged = data[batch.end - TRAILER_SIZE : batch.end]
    segment(machine, -1).seen[exchange.journal.position().offset + 50 :] = forged
    _, _, recovered = recovered_on(machine.killed())
    assert recovered.engine.state.seq == seq
    assert len(recovered.notes) == 1


def test_a_torn_watermark_is_written_anew() -> None:
    machine = stopped()
    journal_of(machine).seen[WATERMARK].seen[5] ^= 1
    assert "1 of 2 copies" in recovered_on(machine)[2].notes[0]
    assert recovered_on(machine)[2].notes == []
    journal_of(machine).seen[WATERMARK].seen[:] = bytes(5_000)
    _, _, recovered = recovered_on(machine)
    assert "2 of 2 copies" in recovered.notes[0]
    assert state_digest(recovered.engine.state) == DIGESTS[-1]
    assert Scan(machine.disk("journal")).watermark == len(DIGESTS) - 1


def test_the_file_of_skipped_records_is_sealed() -> None:
    machine = stopped()
    machine.disk("journal").create(SKIPS).write(0, b'[[3,"x"]]\n' + b"0" * 64 + b"\n")
    with pytest.raises(JournalError, match="skipped records is damaged"):
        recovered_on(machine)


# -- snapshots -------------------------------------------------------------------------------


def with_snapshots() -> Machine:
    machine = Machine()
    exchange = open_on(machine, every=30)
    feed(exchange, CUT)
    exchange.close()
    assert len(machine.folders["snapshots"].seen) == 3
    return machine


def test_a_damaged_snapshot_is_passed_over_with_the_same_outcome() -> None:
    machine = with_snapshots()
    seen = machine.folders["snapshots"].seen
    for count, name in enumerate(sorted(seen, reverse=True), 1):
        del seen[name].seen[100:]
        _, _, recovered = recovered_on(machine)
        assert state_digest(recovered.engine.state) == DIGESTS[-1]
        assert len(recovered.notes) == count
    assert recovered.snapshot_seq == 0


def test_a_snapshot_ahead_of_the_journal_is_refused() -> None:
    machine = with_snapshots()
    machine.folders["journal"] = stopped_early()
    with pytest.raises(JournalError) as caught:
        recovered_on(machine)
    assert ".journal" in caught.value.file


def stopped_early() -> Folder:
    machine = Machine()
    exchange = open_on(machine, every=10**6)
    feed(exchange, CUT[:10])
    exchange.close()
    return machine.folders["journal"]


def test_a_snapshot_of_another_store_is_refused_by_name() -> None:
    machine = with_snapshots()
    machine.folders["journal"] = stopped(bytes(16)).folders["journal"]
    with pytest.raises(JournalError, match="belongs to another store") as caught:
        recovered_on(machine)
    assert caught.value.file.endswith(".snapshot")


def test_a_snapshot_under_another_name_is_refused() -> None:
    machine = with_snapshots()
    seen = machine.folders["snapshots"].seen
    seen[snapshot_name(999)] = seen.pop(max(seen))
    with pytest.raises(JournalError, match="not as it is named"):
        recovered_on(machine)


def test_a_journal_that_differs_before_the_snapshot_is_refused() -> None:
    """The records behind the snapshot fit it only if the same ones stand before it."""
    machines = Machine(), Machine()
    for seed, machine in enumerate(machines):
        exchange = open_on(machine, options=SMALL._replace(segment_bytes=1 << 20), every=30)
        feed(exchange, blocks(requests(seed, 120), 4))
        exchange.close()
    machine.folders["journal"] = machines[0].folders["journal"]
    with pytest.raises(JournalError, match="does not continue the snapshot"):
        recovered_on(machine)


def test_a_reader_beside_the_owner_is_not_misled_by_half_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may read the place of a batch before it was written, and a later one after it was synced."""
    machine = stopped()
    disk = machine.disk("journal")
    name = segment_name(firsts(machine)[-1])
    a, b = batch_ends(machine, firsts(machine)[-1])[:2]
    healthy, reads = disk.read, []

    def read(asked: str) -> bytes:
        data = healthy(asked)
        if asked == name:
            reads.append(asked)
            if len(reads) == 1:
                return data[:a] + bytes(b - a) + data[b:]
        return data

    monkeypatch.setattr(disk, "read", read)
    scan = Scan(disk)
    assert sum(len(batch.records) for _, batch in scan.batches()) == len(DIGESTS) - 1
    scan.judge()
    assert scan.flaw is None
