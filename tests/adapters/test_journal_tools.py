"""What an operator does with a journal, on real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.adapters.clock import VirtualClock
from exchange.adapters.journal import JournalOptions
from exchange.adapters.journal_format import HEADER_SIZE, WATERMARK
from exchange.adapters.journal_tools import cat, repair, skip, stats, verify
from exchange.adapters.store import JOURNAL, SNAPSHOTS, StoreOptions, open_exchange, replay
from exchange.codec import pack, state_digest
from exchange.core.commands import Deposit, Skip, Tick
from exchange.core.engine import HANDLERS
from exchange.core.messages import Event, PlaceOrder, Reject
from exchange.core.state.root import State
from exchange.errors import DataError, JournalError, NotFound, StoreLocked
from exchange.runtime.recovery import PoisonRecord
from exchange.runtime.sequencer import Exchange, SequencerOptions
from tests.simulation.store import feed
from tests.simulation.workload import BETWEEN, START, blocks, digests, records, requests

CUT = blocks(requests(8, 150), 8, largest=7)
STREAM = records(CUT)
DIGESTS = digests(STREAM)
OPTIONS = StoreOptions(
    journal=JournalOptions(segment_bytes=2_000, growth_bytes=800),
    sequencer=SequencerOptions(snapshot_at_stop=10**9, snapshot_share=0),
    freeze=False,
)
SNAPPING = OPTIONS._replace(sequencer=OPTIONS.sequencer._replace(snapshot_every=40))


def opened(home: Path, options: StoreOptions = OPTIONS) -> Exchange:
    return open_exchange(home, VirtualClock(START), options=options)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A stopped store of the whole workload."""
    exchange = opened(tmp_path / "store")
    feed(exchange, CUT)
    exchange.close()
    return tmp_path / "store"


@pytest.fixture
def snapped(tmp_path: Path) -> Path:
    """The same, with snapshots."""
    exchange = opened(tmp_path / "snapped", SNAPPING)
    feed(exchange, CUT)
    exchange.close()
    assert len(list((tmp_path / "snapped" / SNAPSHOTS).iterdir())) >= 3
    return tmp_path / "snapped"


def segments(home: Path) -> list[Path]:
    return sorted((home / JOURNAL).glob("*.journal"))


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def test_verify_counts_what_is_there(home: Path) -> None:
    seen = []
    found = verify(home, lambda done, total: seen.append((done, total)))
    assert found.problem == ""
    assert (found.records, found.last_seq, found.watermark) == (150, 150, 150)
    assert found.batches == len(CUT)
    assert found.segments == len(segments(home)) > 3
    assert len(found.chain) == 64
    assert seen[-1] == (150, 150)


def test_verify_names_the_first_problem(home: Path) -> None:
    flip(segments(home)[2], HEADER_SIZE + 50)
    found = verify(home)
    assert segments(home)[2].name in found.problem
    assert "sequence" in found.problem
    assert 0 < found.last_seq < 150
    (home / JOURNAL / WATERMARK).unlink()
    assert "watermark file is missing" in verify(home).problem


def test_verify_and_cat_run_beside_the_owner(home: Path) -> None:
    exchange = opened(home)
    exchange.commit([requests(8, 150)[-1]])
    staged = exchange.stage([requests(8, 150)[-1]])
    assert verify(home).problem == ""
    assert [r.seq for r in cat(home, 151)] == [151, staged.last_seq]
    exchange.close()


def test_a_home_without_a_journal_is_not_found(tmp_path: Path) -> None:
    for tool in (verify, stats, replay, lambda home: list(cat(home))):
        with pytest.raises(NotFound, match="no journal"):
            tool(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_stats_count_by_command(home: Path) -> None:
    found = stats(home)
    assert found.records == sum(found.kinds.values()) == 150
    assert found.kinds["order.place"] == sum(isinstance(r.command, PlaceOrder) for r in STREAM)
    assert list(found.kinds.values()) == sorted(found.kinds.values(), reverse=True)
    assert (found.first_time, found.last_time) == (STREAM[0].ts, STREAM[-1].ts)
    assert found.bytes <= sum(path.stat().st_size for path in segments(home))


def test_stats_of_an_empty_journal(tmp_path: Path) -> None:
    opened(tmp_path).close()
    assert stats(tmp_path)[:6] == (0, 0, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("since", "until"), [(1, None), (1, 1), (50, 60), (150, None), (149, 400), (151, None), (9, 8)]
)
def test_cat_lists_a_range(home: Path, since: int, until: int | None) -> None:
    wanted = [r for r in STREAM if since <= r.seq <= (until if until is not None else 150)]
    found = list(cat(home, since, until))
    assert [(r.seq, r.ts, r.actor, pack(r.command)) for r in found] == [
        (r.seq, r.ts, r.actor, pack(r.command)) for r in wanted
    ]


def test_replay_meets_every_snapshot(snapped: Path) -> None:
    done = []
    seen: list[tuple[int, int]] = []

    def on_record(record: object, events: list[Event], state: object) -> None:
        done.append(len(events))

    found = replay(snapped, on_record=on_record, progress=lambda n, total: seen.append((n, total)))
    assert state_digest(found.engine.state) == DIGESTS[-1]
    assert found.records == len(done) == 150
    assert len(found.compared) >= 3
    assert seen == [(150, 150)]
    assert state_digest(replay(snapped, until=77).engine.state) == DIGESTS[77]
    later = replay(snapped, since=found.compared[1] + 3)
    assert later.records == 150 - found.compared[1]
    assert state_digest(later.engine.state) == DIGESTS[-1]


# -- skip ------------------------------------------------------------------------------------


def break_on(monkeypatch: pytest.MonkeyPatch, amount: int) -> None:
    """A bug: the engine breaks on deposits of this amount."""
    healthy = HANDLERS[Deposit]

    def deposit(state: State, actor: int, command: Deposit, out: list[Event]) -> Reject | None:
        if command.amount == amount:
            raise AssertionError("boom")
        return healthy(state, actor, command, out)

    monkeypatch.setitem(HANDLERS, Deposit, deposit)


def test_a_poison_record_stops_the_exchange_until_it_is_skipped(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = opened(home)
    poison = Deposit(account=3, asset=1, amount=777)
    break_on(monkeypatch, 777)
    with pytest.raises(PoisonRecord, match=r"sequence 151 .*boom.*journal skip 151"):
        exchange.commit([(0, poison)])
    with pytest.raises(PoisonRecord):
        exchange.commit([(0, Tick())])
    exchange.close()
    with pytest.raises(PoisonRecord, match="sequence 151"):
        opened(home)
    skip(home, 151, "breaks the engine")
    again = opened(home)
    assert again.state.seq == 151
    receipt = again.commit([(0, Tick())])[0]
    assert receipt.seq == 152
    again.close()
    skipped = next(cat(home, 151, 151))
    assert skipped.command == Skip(reason="breaks the engine")
    assert verify(home).problem == ""
    assert state_digest(replay(home).engine.state) == state_digest(again.state)


def test_several_records_can_be_skipped(home: Path) -> None:
    skip(home, 140, "one")
    skip(home, 130, "two")
    assert [(r.seq, r.command) for r in cat(home, 130, 140) if isinstance(r.command, Skip)] == [
        (130, Skip(reason="two")),
        (140, Skip(reason="one")),
    ]


def test_what_cannot_be_skipped(snapped: Path, home: Path) -> None:
    with pytest.raises(NotFound, match="no record of sequence 151"):
        skip(home, 151, "x")
    with pytest.raises(DataError, match="part of the snapshot"):
        skip(snapped, 10, "x")
    for reason in ("", "  ", "a\x1bb", "x" * 300):
        with pytest.raises(DataError, match="reason"):
            skip(home, 3, reason)


def test_skip_and_repair_need_the_store_for_themselves(home: Path) -> None:
    exchange = opened(home)
    with pytest.raises(StoreLocked):
        skip(home, 3, "x")
    with pytest.raises(StoreLocked):
        repair(home, 3)
    exchange.close()


# -- repair ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seq", [0, 1, 2, 63, 64, 65, 66, 67, 149, 150])
def test_repair_cuts_behind_any_record(snapped: Path, seq: int) -> None:
    done = repair(snapped, seq)
    assert done.last_seq == seq
    found = verify(snapped)
    assert (found.problem, found.records) == ("", seq)
    exchange = opened(snapped)
    assert state_digest(exchange.state) == DIGESTS[seq]
    assert exchange.notes == []
    clock = exchange.clock
    assert isinstance(clock, VirtualClock)
    clock.set(STREAM[-1].ts + BETWEEN)
    exchange.commit(requests(8, 150)[seq:])
    exchange.close()
    assert verify(snapped).records == 150
    again = repair(snapped, seq)
    assert again.last_seq == seq
    assert verify(snapped).records == seq


def test_repair_to_the_end_changes_nothing(home: Path) -> None:
    before = {path.name: path.read_bytes().rstrip(b"\0") for path in segments(home)}
    assert repair(home, 150).removed == []
    assert {path.name: path.read_bytes().rstrip(b"\0") for path in segments(home)} == before


def test_repair_puts_aside_what_it_removes(home: Path) -> None:
    before = [path.read_bytes() for path in segments(home)]
    done = repair(home, 2)
    assert [(home / JOURNAL / name).read_bytes() for name in done.removed] == before
    assert len(segments(home)) == 1


def test_repair_saves_what_stands_before_the_damage(home: Path) -> None:
    damaged = segments(home)[2]
    flip(damaged, HEADER_SIZE + 50)
    with pytest.raises(JournalError) as caught:
        opened(home)
    intact = caught.value.seq - 1
    with pytest.raises(DataError, match="intact up to"):
        repair(home, intact + 30)
    repair(home, intact)
    exchange = opened(home)
    assert state_digest(exchange.state) == DIGESTS[intact]
    exchange.close()


def test_repair_makes_a_lost_watermark_anew(home: Path) -> None:
    (home / JOURNAL / WATERMARK).unlink()
    with pytest.raises(JournalError, match="watermark file is missing"):
        opened(home)
    repair(home, 150)
    exchange = opened(home)
    assert state_digest(exchange.state) == DIGESTS[-1]
    exchange.close()


def test_repair_refuses_what_is_not_there(home: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="intact up to sequence 150"):
        repair(home, 151)
    with pytest.raises(DataError, match="not negative"):
        repair(home, -1)
    flip(segments(home)[0], 3)
    for seq in (0, 3):
        with pytest.raises((DataError, JournalError), match="not a journal segment"):
            repair(home, seq)
