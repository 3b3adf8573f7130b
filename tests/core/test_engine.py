from __future__ import annotations

import pytest

from exchange.core import commands as c
from exchange.core.engine import STEPS_MAX, Engine
from exchange.core.events import InstrumentHalted, LevelChanged, OrderDone, Rejected
from exchange.core.messages import Record
from exchange.core.state.copying import dump
from exchange.core.terms import BUY, GTD, HALTED, SELL
from exchange.core.units import MICRO, SECOND
from tests.reference.desk import ALICE, BOB, Desk, reason
from tests.reference.differential import show
from tests.reference.replays import records


@pytest.mark.parametrize(
    ("seq", "ts"),
    [(0, 5_000), (1, 5_000), (3, 5_000), (2, 3_000)],
    ids=["seq zero", "seq again", "seq gap", "time goes back"],
)
def test_records_out_of_order_are_a_bug(seq: int, ts: int) -> None:
    engine = Engine()
    engine.apply(Record(1, 4_000, 0, c.Tick()))
    with pytest.raises(AssertionError):
        engine.apply(Record(seq, ts, 0, c.Tick()))


def test_time_may_stand_still() -> None:
    engine = Engine()
    for seq in (1, 2, 3):
        assert engine.apply(Record(seq, 4_000, 0, c.Tick())) == []


def test_due_timers_fire_before_the_command_of_their_record() -> None:
    desk = Desk()
    desk.place(ALICE, BUY, 5, 100, tif=GTD, expires=desk.now + SECOND)
    events = desk.send(c.HaltInstrument(instrument=0), wait=SECOND)
    assert [type(event) for event in events] == [OrderDone, LevelChanged, InstrumentHalted]
    assert desk.book.status == HALTED


def test_due_timers_fire_even_when_the_command_is_refused() -> None:
    desk = Desk()
    desk.place(ALICE, BUY, 5, 100, tif=GTD, expires=desk.now + SECOND)
    events = desk.send(c.CancelOrder(ALICE, 99), actor=1, wait=5 * SECOND)
    assert [type(event) for event in events] == [OrderDone, LevelChanged, Rejected]


def test_a_reject_names_the_command_and_the_first_order_only_for_used_client_ids() -> None:
    desk = Desk()
    command = c.CancelOrder(ALICE, 7)
    (rejected,) = desk.send(command, actor=1)
    assert isinstance(rejected, Rejected)
    assert rejected.command is command
    assert (rejected.order_id, rejected.reject.actual) == (0, 7)
    again = c.PlaceOrder(ALICE, 0, BUY, 2, 5, 100, client_order_id="a")
    desk.send(again)
    (rejected,) = desk.send(again)
    assert isinstance(rejected, Rejected)
    assert (rejected.reject.reason, rejected.order_id) == ("order.exists", 1)


def test_skipped_records_keep_their_number_and_change_nothing_else() -> None:
    desk = Desk()
    before = dump(desk.state)
    (skipped,) = desk.send(c.Skip(reason="poison"))
    assert (skipped.seq, skipped.reason) == (desk.state.seq, "poison")
    assert dump(desk.state)[1:] == before[1:]


def test_a_refused_command_changes_nothing() -> None:
    engine, refused = Engine(), 0
    for record in records(41, 900):
        timers_fire = engine.state.timers.next_due <= record.ts
        before = dump(engine.state)
        events = engine.apply(record)
        if timers_fire or not events or not isinstance(events[-1], Rejected):
            continue
        refused += 1
        after = dump(engine.state)
        assert len(events) == 1
        assert after[0][2:] == before[0][2:]
        assert after[1:] == before[1:], show(record.command)
    assert refused > 150


def test_no_command_changes_what_was_asked() -> None:
    """Commands are shared by journal, state and events; the engine must not write to them."""
    engine = Engine()
    journal = records(42, 600)
    before = [show(record.command) for record in journal]
    for record in journal:
        engine.apply(record)
    assert [show(record.command) for record in journal] == before


def test_many_orders_may_expire_at_once() -> None:
    desk = Desk()
    ends = desk.now + SECOND
    for at in range(300):
        desk.place(
            ALICE if at % 2 else BOB,
            BUY if at % 2 else SELL,
            1,
            100 if at % 2 else 200,
            tif=GTD,
            expires=ends,
        )
    events = desk.send(c.Tick(), wait=SECOND)
    done = [event.order_id for event in events if isinstance(event, OrderDone)]
    assert done == list(range(1, 301))
    assert desk.state.live_orders() == []
    assert reason(desk.send(c.Tick(), wait=MICRO)) == ""


@pytest.mark.slow
def test_any_number_of_waiting_timers_fires_in_one_record() -> None:
    desk = Desk()
    timers, due = desk.state.timers, desk.now + SECOND
    for order_id in range(1, STEPS_MAX + 2):
        timers.add(due, c.ExpireOrder(order_id=order_id, due=due))
    assert len(desk.send(c.Tick(), wait=SECOND)) == STEPS_MAX + 1
    assert timers.commands == {}
