"""Recovery and replay: a snapshot forgets nothing, and a state that differs is refused."""

from __future__ import annotations

import gc

import pytest

from exchange.codec import EventDigest, dump_state, state_digest
from exchange.core.commands import COMMANDS, Tick
from exchange.core.engine import ENGINE_VERSION, HANDLERS, Engine
from exchange.core.messages import Event, Record
from exchange.core.state.root import State
from exchange.errors import JournalError
from exchange.runtime.ports import Position, Snapshot
from exchange.runtime.recovery import PROGRESS_EVERY, PoisonRecord, replay, restore
from tests.simulation.machine import Machine
from tests.simulation.store import feed, journal_on, open_on, recovered_on
from tests.simulation.workload import START, blocks, digests, records, requests

CUT = blocks(requests(21, 160), 21)
STREAM = records(CUT)
DIGESTS = digests(STREAM)


def snapshot_of(state: State) -> Snapshot:
    position = Position(state.seq, 1, 128, 0, bytes(32))
    return Snapshot(position, state.ts, ENGINE_VERSION, state_digest(state), dump_state(state))


def event_digest(engine: Engine, stream: list[Record]) -> str:
    digest = EventDigest()
    for record in stream:
        digest.add(record, engine.apply(record))
    return digest.hexdigest()


def test_the_workload_has_every_kind_of_command() -> None:
    """Expiries come from timers and skips from operators."""
    seen = {type(record.command) for record in records([requests(21, 1_500)])}
    assert {cls for _, cls in COMMANDS.values()} - seen == {COMMANDS[6][1], COMMANDS[91][1]}


def test_an_engine_restored_anywhere_goes_on_with_the_same_events() -> None:
    for cut in range(0, len(STREAM), 3):
        engine = Engine()
        for record in STREAM[:cut]:
            engine.apply(record)
        restored = restore(snapshot_of(engine.state))
        assert event_digest(restored, STREAM[cut:]) == event_digest(engine, STREAM[cut:])
        assert state_digest(restored.state) == state_digest(engine.state) == DIGESTS[-1]


def test_a_snapshot_that_loads_as_another_state_is_refused() -> None:
    engine = Engine()
    for record in STREAM[:50]:
        engine.apply(record)
    taken = snapshot_of(engine.state)
    with pytest.raises(JournalError, match="does not load as the state"):
        restore(taken._replace(digest=DIGESTS[49]))
    with pytest.raises(JournalError, match="does not load as the state"):
        restore(taken._replace(position=taken.position._replace(seq=49)))


def test_recovery_takes_the_newest_snapshot_and_the_records_behind_it() -> None:
    machine = Machine()
    exchange = open_on(machine, every=30)
    feed(exchange, CUT)
    _, _, recovered = recovered_on(machine)
    assert 130 <= recovered.snapshot_seq <= 160
    assert recovered.replayed == 160 - recovered.snapshot_seq
    assert state_digest(recovered.engine.state) == DIGESTS[-1]
    machine.folders["snapshots"].seen.clear()
    _, _, recovered = recovered_on(machine)
    assert (recovered.snapshot_seq, recovered.replayed) == (0, 160)
    assert state_digest(recovered.engine.state) == DIGESTS[-1]


def test_the_collector_is_off_while_loading_and_on_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    exchange = open_on(machine, every=10**6)
    feed(exchange, CUT[:3])
    seen: list[bool] = []
    healthy = HANDLERS[type(STREAM[0].command)]

    def look(*args: object) -> object:
        seen.append(gc.isenabled())
        return healthy(*args)  # type: ignore[arg-type]

    monkeypatch.setitem(HANDLERS, type(STREAM[0].command), look)
    assert gc.isenabled()
    assert recovered_on(machine)[2].notes == []
    assert seen
    assert not any(seen)
    assert gc.isenabled()


def test_the_collector_is_on_again_after_a_failure() -> None:
    def broken() -> list[Record]:
        raise JournalError("x")

    with pytest.raises(JournalError):
        replay(record for record in broken())
    assert gc.isenabled()


def test_a_record_that_breaks_the_engine_is_named_by_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    def boom(*_: object) -> None:
        raise AssertionError("boom")

    machine = Machine()
    exchange = open_on(machine)
    feed(exchange, CUT[:5])
    seq = exchange.commit([(0, Tick())])[0].seq
    machine.folders["snapshots"].seen.clear()
    monkeypatch.setitem(HANDLERS, Tick, boom)
    with pytest.raises(PoisonRecord, match=f"sequence {seq} .Tick. broke the engine") as caught:
        recovered_on(machine)
    assert caught.value.seq == seq


# -- replay ------------------------------------------------------------------------------------


def test_replay_gives_the_live_state_and_shows_each_record() -> None:
    shown: list[tuple[int, int]] = []

    def on_record(record: Record, events: list[Event], state: State) -> None:
        assert state.seq == record.seq
        shown.append((record.seq, len(events)))

    found = replay(STREAM, on_record=on_record)
    assert state_digest(found.engine.state) == DIGESTS[-1]
    assert [seq for seq, _ in shown] == list(range(1, 161))
    assert (found.records, found.compared) == (160, [])


def test_replay_stops_where_it_is_told() -> None:
    found = replay(STREAM, until=42)
    assert (found.records, found.engine.state.seq) == (42, 42)
    assert state_digest(found.engine.state) == DIGESTS[42]
    assert replay(STREAM, until=0).records == 0


def test_replay_begins_at_a_snapshot() -> None:
    start = snapshot_of(replay(STREAM, until=42).engine.state)
    found = replay(STREAM[42:], start=start)
    assert found.records == 118
    assert state_digest(found.engine.state) == DIGESTS[-1]


def test_replay_compares_with_every_snapshot_it_passes() -> None:
    known = {seq: DIGESTS[seq] for seq in (10, 80, 160)} | {500: ""}
    assert replay(STREAM, known).compared == [10, 80, 160]
    known[80] = DIGESTS[79]
    with pytest.raises(JournalError, match="sequence 80") as caught:
        replay(STREAM, known)
    assert caught.value.seq == 80


def test_replay_tells_how_far_it_is() -> None:
    ticks = [Record(n, START, 0, Tick()) for n in range(1, 2 * PROGRESS_EVERY + 2)]
    seen: list[int] = []
    replay(ticks, progress=seen.append)
    assert seen == [PROGRESS_EVERY, 2 * PROGRESS_EVERY, 2 * PROGRESS_EVERY + 1]


def test_a_journal_read_in_full_replays_to_the_live_state() -> None:
    machine = Machine()
    exchange = open_on(machine)
    feed(exchange, CUT)
    assert state_digest(replay(journal_on(machine).recover()).engine.state) == state_digest(exchange.state)
