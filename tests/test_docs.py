"""The tables of the core are complete: reasons, commands and events, each with all that belongs to it."""

from __future__ import annotations

import re

import pytest

from exchange.codec import EventDigest, event_from_row, event_row, pack, unpack
from exchange.core import commands, events, terms
from exchange.core.commands import COMMANDS, KINDS
from exchange.core.engine import HANDLERS
from exchange.core.events import EVENTS, Rejected
from exchange.core.messages import Command, Event, Record
from exchange.core.rules.access import RIGHTS
from exchange.core.state.order import DONE_STATUS, TRANSITIONS
from exchange.core.terms import DONE_REASONS, REASONS, ROLE_SYSTEM, ROLES
from tests.scenarios.stage import Stage, played, tables

GROUPS = {
    "access",
    "account",
    "user",
    "asset",
    "instrument",
    "market",
    "order",
    "risk",
    "funds",
    "fee",
    "limits",
    "text",
}


def stages() -> list[Stage]:
    return [played(path) for path in tables()]


def told(kind: type[Event]) -> list[Event]:
    return [event for stage in stages() for caused in stage.events for event in caused if type(event) is kind]


def subclasses(module: object, root: type) -> set[type]:
    found = {value for value in vars(module).values() if isinstance(value, type) and issubclass(value, root)}
    return found - {root}


def test_every_reason_is_produced_by_a_scenario() -> None:
    produced = {event.reject.reason for event in told(Rejected) if isinstance(event, Rejected)}
    assert produced == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_group_and_one_sentence(reason: str) -> None:
    group, _, name = reason.partition(".")
    assert group in GROUPS
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert REASONS[reason][0].islower()
    assert not REASONS[reason].endswith(".")
    assert "\n" not in REASONS[reason]


def test_every_command_has_a_number_a_name_and_a_handler() -> None:
    assert subclasses(commands, Command) == {cls for _, cls in COMMANDS.values()}
    assert set(HANDLERS) == {cls for _, cls in COMMANDS.values()}
    assert len(KINDS) == len(COMMANDS) == len({name for name, _ in COMMANDS.values()})
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name, _ in COMMANDS.values())
    assert all(0 < kind < 256 for kind in COMMANDS)


def test_every_command_has_an_access_row() -> None:
    """The system may send everything; every role has a row."""
    assert set(RIGHTS) == set(range(1, len(ROLES)))
    assert set(RIGHTS[ROLE_SYSTEM]) == {cls for _, cls in COMMANDS.values()}
    known = {cls for _, cls in COMMANDS.values()}
    assert all(set(rights) <= known for rights in RIGHTS.values())


def test_every_command_and_event_is_in_a_scenario_and_has_a_codec_row() -> None:
    sent = {type(record.command): record for stage in stages() for record in stage.records}
    assert set(sent) == {cls for _, cls in COMMANDS.values()}
    for record in sent.values():
        assert type(unpack(*pack(record.command))) is type(record.command)
    for _, cls in EVENTS.values():
        event = told(cls)[0]
        assert type(event_from_row(event_row(event))) is cls


def test_every_event_has_a_number_and_a_name() -> None:
    assert subclasses(events, Event) == {cls for _, cls in EVENTS.values()}
    assert len({name for name, _ in EVENTS.values()}) == len(EVENTS)
    assert all(re.fullmatch(r"[a-z]+(\.[a-z_]+)?", name) for name, _ in EVENTS.values())


def test_every_accepted_side_order_type_and_time_in_force_is_in_a_scenario() -> None:
    asked = [e.order for e in told(events.OrderAccepted) if isinstance(e, events.OrderAccepted)]
    assert {order.side for order in asked} == {terms.BUY, terms.SELL}
    assert {order.type for order in asked} == set(range(1, len(terms.ORDER_TYPES)))
    assert {order.tif for order in asked} == set(range(1, len(terms.TIMES_IN_FORCE)))
    assert {order.stp for order in asked} == set(range(1, len(terms.SELF_TRADES)))
    assert {order.is_post_only for order in asked} == {False, True}
    assert any(order.display for order in asked)


def test_every_ending_and_every_legal_transition_is_in_a_scenario() -> None:
    endings = {event.reason for event in told(events.OrderDone) if isinstance(event, events.OrderDone)}
    assert endings == set(DONE_STATUS) == set(range(1, len(DONE_REASONS)))
    legal = {(one, two) for one, nexts in TRANSITIONS.items() for two in nexts}
    assert {transition for stage in stages() for transition in stage.fold.transitions} == legal


def test_every_message_has_fields_that_name_its_attributes() -> None:
    for cls in (*(cls for _, cls in COMMANDS.values()), *(cls for _, cls in EVENTS.values())):
        names = [name for name, _ in cls.FIELDS]
        assert len(names) == len(set(names))
        assert all(isinstance(kind, str) and kind for _, kind in cls.FIELDS)


def test_digest_takes_every_command() -> None:
    digest = EventDigest()
    before = digest.hexdigest()
    for stage in stages():
        for record, caused in zip(stage.records, stage.events, strict=True):
            digest.add(Record(record.seq, record.ts, record.actor, record.command), caused)
    assert digest.hexdigest() != before
