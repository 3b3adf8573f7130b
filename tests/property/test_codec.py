"""Every command and event survives the journal, the local socket and JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.codec import (
    EventDigest,
    command_from_json,
    command_to_json,
    dump_state,
    event_from_row,
    event_row,
    event_to_json,
    load_state,
    pack,
    unpack,
)
from exchange.core import commands as c
from exchange.core.commands import COMMANDS
from exchange.core.engine import Engine
from exchange.core.events import EVENTS, Rejected
from exchange.core.messages import Command, Record, Reject
from exchange.core.terms import REASONS
from exchange.core.units import DAY, LOTS_MAX, MICRO, MINOR_MAX, TICKS_MAX
from exchange.directory import Directory, safe_text
from exchange.errors import DataError
from tests.reference.differential import row, show
from tests.reference.streams import opening
from tests.scenarios.stage import played, tables

STILL = settings(max_examples=20, deadline=None, derandomize=True, database=None)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf")), max_size=20)


def opened() -> Engine:
    engine = Engine()
    for wait, actor, command in opening():
        engine.apply(Record(engine.state.seq + 1, engine.state.ts + wait, actor, command))
    return engine


ENGINE = opened()
DIRECTORY = Directory.of(ENGINE.state)

# Raw values by kind of field: whatever fits the type.
RAW: dict[str, st.SearchStrategy[Any]] = {"bool": st.booleans(), "str": TEXT}
FEES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=3).map(tuple)
# Values by kind that read well as JSON: names that exist, numbers in range.
SENSIBLE: dict[str, st.SearchStrategy[Any]] = {
    **RAW,
    "str": st.text("abcXYZ 09-_é日", max_size=12).filter(lambda text: text == safe_text(text)),
    "AccountId": st.integers(0, len(ENGINE.state.accounts) - 1),
    "InstrumentId": st.integers(0, len(ENGINE.state.books) - 1),
    "AssetId": st.integers(0, len(ENGINE.state.assets) - 1),
    "UserId": st.integers(0, len(ENGINE.state.users) - 1),
    "OrderId": st.integers(1, 1 << 60),
    "Side": st.integers(1, 2),
    "OrderType": st.integers(1, 3),
    "TimeInForce": st.integers(1, 5),
    "SelfTrade": st.integers(1, 5),
    "Role": st.integers(1, 7),
    "AccountKind": st.integers(1, 4),
    "Ticks": st.integers(1, TICKS_MAX),
    "Lots": st.integers(1, LOTS_MAX),
    "Minor": st.integers(1, MINOR_MAX - 1),
    "Nanos": st.integers(1, 20_000 * DAY // MICRO).map(lambda micros: micros * MICRO),
    "int": st.integers(0, 1_000_000),
    "Ppm": st.integers(0, 1_000_000),
}
# Fields where nothing means none.
OPTIONAL = {
    ("PlaceOrder", "limit"),
    ("PlaceOrder", "display"),
    ("PlaceOrder", "expires"),
    ("ModifyOrder", "quantity"),
    ("ModifyOrder", "limit"),
    ("ModifyOrder", "order_id"),
    ("CancelOrder", "order_id"),
    ("ReplaceOrder", "limit"),
    ("ModifyOrder", "instrument"),
    ("ReplaceOrder", "instrument"),
    ("CancelAll", "instrument"),
    ("CancelAll", "side"),
    ("ListInstrument", "quantity_max"),
    ("ListInstrument", "notional_min"),
    ("ListInstrument", "notional_max"),
    ("ListInstrument", "reference"),
    ("AmendInstrument", "quantity_max"),
    ("AmendInstrument", "notional_min"),
    ("AmendInstrument", "notional_max"),
    ("AmendInstrument", "reference"),
}


def made(cls: type[Command], kinds: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Command]:
    values = {}
    for name, kind in cls.FIELDS:
        found = FEES if kind.startswith("tuple") else kinds.get(kind, INT64)
        if kinds is SENSIBLE and (cls.__name__, name) in OPTIONAL:
            found = st.just(-1 if kind == "InstrumentId" else 0) | found
        values[name] = found
    return st.builds(lambda **fields: cls(**fields), **values)


@pytest.mark.parametrize("cls", [cls for _, cls in COMMANDS.values()], ids=lambda cls: cls.__name__)
@STILL
@given(data=st.data())
def test_commands_survive_the_journal(cls: type[Command], data: st.DataObject) -> None:
    command = data.draw(made(cls, RAW))
    assert show(unpack(*pack(command))) == show(command)


@pytest.mark.parametrize("cls", [cls for _, cls in COMMANDS.values()], ids=lambda cls: cls.__name__)
@STILL
@given(data=st.data())
def test_commands_survive_json(cls: type[Command], data: st.DataObject) -> None:
    command = data.draw(made(cls, SENSIBLE))
    text = json.dumps(command_to_json(command, DIRECTORY))
    assert show(command_from_json(json.loads(text), DIRECTORY)) == show(command)


STORIES = [path for path in tables() if path.stem != "capacity"]  # a million accounts say nothing new


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_everything_of_the_scenarios_survives_rows_and_reads_as_json(path: Any) -> None:
    stage = played(path)
    directory = Directory.of(stage.engine.state)
    for record, events in zip(stage.records, stage.events, strict=True):
        assert show(unpack(*pack(record.command))) == show(record.command)
        json.dumps(command_to_json(record.command, directory), allow_nan=False)
        for event in events:
            assert row(event_from_row(event_row(event))) == row(event)
            json.dumps(event_to_json(event, directory), allow_nan=False)


def test_every_event_reaches_the_scenarios() -> None:
    seen = {type(event) for path in tables() for events in played(path).events for event in events}
    assert seen == {cls for _, cls in EVENTS.values()}


def test_a_reject_of_astronomic_value_can_be_digested() -> None:
    """The actual value of a refused order may exceed 64 bits."""
    command = c.PlaceOrder(3, 0, 1, 2, LOTS_MAX, TICKS_MAX)
    state = opened().state
    record = Record(state.seq + 1, state.ts, 1, command)
    events = Engine(state).apply(record)
    assert isinstance(events[0], Rejected)
    assert events[0].reject.actual > 1 << 64
    assert row(event_from_row(event_row(events[0]))) == row(events[0])
    digest = EventDigest()
    digest.add(record, events)
    assert digest.hexdigest()


def test_a_state_with_astronomic_balances_survives() -> None:
    engine = opened()
    state = engine.state
    for _ in range(5):
        command = c.Deposit(account=3, asset=0, amount=MINOR_MAX - 1)
        engine.apply(Record(state.seq + 1, state.ts, 0, command))
    loaded = load_state(dump_state(state))
    assert loaded.accounts[1].balances[0].posted == state.accounts[1].balances[0].posted < -(1 << 63)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (0, b""),
        (999, b"\x90"),
        (1, b""),
        (1, b"\x90"),
        (1, b"\xc1"),
        (1, b"\xa5hello"),
        (30, b"\x91\xa3\xff\xfe\xfd"),
    ],
)
def test_a_payload_that_fits_no_command_is_a_data_error(kind: int, payload: bytes) -> None:
    with pytest.raises(DataError):
        unpack(kind, payload)


@pytest.mark.parametrize("bad", [[], [0], [1], ["x"], [6, None, 0, None], [2, 1, 2], [5, 1, 1, 1, 1, 1, 1]])
def test_a_row_that_fits_no_event_is_a_data_error(bad: list[Any]) -> None:
    with pytest.raises(DataError):
        event_from_row(bad)


def test_every_reject_reads_as_json() -> None:
    command = c.PlaceOrder(3, 0, 1, 2, 1, 1)
    for unit in (
        "",
        "int",
        "Ticks",
        "Lots",
        "Minor:quote",
        "Minor:base",
        "Minor:asset",
        "OrderId",
        "Nanos",
        "Ppm",
    ):
        for reason in REASONS:
            told = event_to_json(Rejected(Reject(reason, 5, 7, unit), 0, command), DIRECTORY)
            assert told["code"] == reason
            assert told["message"] == REASONS[reason]
