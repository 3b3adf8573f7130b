"""The frames of the local socket: what goes in comes out, and no bytes do more than ProtocolError."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange import protocol
from exchange.client import Receipt, Update
from exchange.core.commands import (
    COMMANDS,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    RegisterUser,
    row_of,
)
from exchange.core.events import EVENTS, LevelChanged, Rejected
from exchange.core.messages import Command, Reject
from exchange.core.terms import BUY, LIMIT
from exchange.errors import (
    AuthError,
    ConfigError,
    ConnectionLost,
    DataError,
    ExchangeError,
    JournalError,
    JournalFailed,
    NotFound,
    ProtocolError,
    StoreLocked,
)
from exchange.protocol import (
    PREFIX,
    Answer,
    Failure,
    Frames,
    Hello,
    Query,
    Receipts,
    Resume,
    Save,
    Send,
    Updates,
    Watch,
    Welcome,
)
from exchange.runtime.ports import JournalFull

ORDER = PlaceOrder(3, 0, BUY, LIMIT, 5, 100, client_order_id="a-1")
LISTING = ListInstrument(
    symbol="A-B",
    name="A",
    venue="X",
    base=0,
    quote=1,
    tick_units=1,
    price_decimals=2,
    lot_units=1,
    quantity_decimals=0,
    fees=((1, 2), (0, 1)),
)

MESSAGES: list[protocol.Request | protocol.Reply] = [
    Hello(1, "local"),
    Send(7, protocol.command_rows([ORDER, LISTING])),
    Query(8, "depth", {"instrument": "BTC-USDC", "levels": 5}),
    Watch(9, None),
    Watch(9, 12),
    Save(10, "layouts", "main", {"a": [1, None, "x"]}),
    Save(10, "layouts", "main", None),
    Welcome(1, 1, 1, 500),
    Receipts(7, [(1, 2000, None, 5, []), (2, 2000, ("funds.insufficient", 1, 2, "Minor:quote"), 0, [])]),
    Answer(8, [{"price": "1.50"}]),
    Answer(10, None),
    Failure(8, "NotFound", "there is no such thing"),
    Updates(9, 3, [(5, 1000, [[5, 0, 1, 100, 7, 1]])]),
    Resume(9),
]


def body(message: protocol.Request | protocol.Reply) -> bytes:
    return protocol.frame(message)[PREFIX.size :]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_messages_survive_the_wire(message: protocol.Request | protocol.Reply) -> None:
    read = protocol.read_request if isinstance(message, protocol.Request) else protocol.read_reply
    other = protocol.read_reply if isinstance(message, protocol.Request) else protocol.read_request
    assert read(body(message)) == message
    with pytest.raises(ProtocolError):
        other(body(message))


@pytest.mark.parametrize("command", [ORDER, LISTING, Deposit(account=3, asset=0, amount=1, reference="ü")])
def test_commands_survive_the_wire(command: Command) -> None:
    (back,) = protocol.commands_of(protocol.command_rows([command]))
    assert type(back) is type(command)
    assert row_of(back) == row_of(command)


def test_receipts_and_updates_survive_the_wire() -> None:
    reject = Reject("order.exists", 12, 12, "OrderId")
    events = [LevelChanged(0, 1, 100, 7, 1), Rejected(reject, 12, ORDER)]
    rows = protocol.receipt_rows([Receipt(4, 5000, events, reject, 77)])
    (back,) = protocol.receipts_of(_through(Receipts(1, rows)).rows)
    assert (back.seq, back.ts, back.engine_ns, back.order_id) == (4, 5000, 77, 12)
    assert back.reject is not None
    assert (back.reject.reason, back.reject.limit, back.reject.unit) == ("order.exists", 12, "OrderId")
    rejected = back.events[1]
    assert isinstance(rejected, Rejected)
    assert row_of(rejected.command) == row_of(ORDER)
    (update,) = protocol.updates_of(
        _through(Updates(1, 0, protocol.update_rows([Update(4, 5000, events)]))).rows
    )
    assert (update.seq, update.ts, len(update.events)) == (4, 5000, 2)


def _through(message: Any) -> Any:
    return protocol.read_reply(body(message))


@given(st.lists(st.integers(1, 40), max_size=30))
@settings(deadline=None)
def test_frames_come_out_whole_however_the_bytes_arrive(sizes: list[int]) -> None:
    wire = b"".join(protocol.frame(message) for message in MESSAGES)
    frames = Frames(protocol.REPLY_MAX)
    found: list[bytes] = []
    start = 0
    for size in sizes:
        found += frames.feed(wire[start : start + size])
        start += size
    found += frames.feed(wire[start:])
    assert found == [body(message) for message in MESSAGES]
    assert frames.is_between


def test_a_frame_beyond_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(ProtocolError, match="above the limit of 100"):
        Frames(100).feed(PREFIX.pack(101))
    assert Frames(100).feed(PREFIX.pack(100) + b"x" * 99) == []


def test_a_message_too_large_to_send_says_so() -> None:
    with pytest.raises(DataError, match="save of 4194319 bytes is above the limit"):
        protocol.frame(Save(1, "k", "k", {"x": "y" * (1 << 22)}))


@pytest.mark.parametrize("value", [1 << 64, object(), "\ud800"])
def test_what_has_no_bytes_cannot_be_sent(value: object) -> None:
    with pytest.raises(DataError, match="cannot be sent"):
        protocol.frame(Query(1, "x", {"y": value}))


def test_money_has_no_upper_bound_on_the_wire() -> None:
    huge = Deposit(account=3, asset=0, amount=1 << 70)
    (command,) = protocol.commands_of(protocol.command_rows([huge]))
    assert command == huge
    reject = Reject("funds.amount_range", 1 << 62, 1 << 70, "Minor:asset")
    receipts = [Receipt(1, 1000, [Rejected(reject, 0, huge)], reject)]
    (back,) = protocol.receipts_of(_through(Receipts(1, protocol.receipt_rows(receipts))).rows)
    assert back.reject is not None
    assert (back.reject.limit, back.reject.actual) == (1 << 62, 1 << 70)
    rejected = back.events[0]
    assert isinstance(rejected, Rejected)
    assert rejected.command == huge
    updates = protocol.update_rows([Update(1, 1000, [Rejected(reject, 0, huge)])])
    assert len(protocol.updates_of(_through(Updates(1, 0, updates)).rows)) == 1


@pytest.mark.parametrize("amount", [10**100, -(10**100)])
def test_a_number_beyond_all_bounds_cannot_be_sent(amount: int) -> None:
    with pytest.raises(DataError):
        protocol.command_rows([Deposit(account=3, asset=0, amount=amount)])


@pytest.mark.parametrize(
    "extension",
    [msgspec.msgpack.Ext(2, b"1"), msgspec.msgpack.Ext(1, b"x"), msgspec.msgpack.Ext(1, b"1" * 102)],
)
def test_other_extensions_are_refused(extension: msgspec.msgpack.Ext) -> None:
    with pytest.raises(ProtocolError):
        protocol.read_reply(msgspec.msgpack.encode([13, 1, extension]))


@pytest.mark.parametrize(
    "row", [("no.such", 1, 2, ""), ("order.exists", "1", 2, ""), ("order.exists", 1, None, "")]
)
def test_a_malformed_reject_is_refused(row: protocol.RejectRow) -> None:
    with pytest.raises(ProtocolError, match="malformed reject"):
        protocol.receipts_of([(1, 1, row, 0, [])])


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_a_protocol_error_at_most(data: bytes) -> None:
    for read in (protocol.read_request, protocol.read_reply):
        with contextlib.suppress(ProtocolError):
            read(data)
    frames = Frames(50)
    with contextlib.suppress(ProtocolError):
        frames.feed(data)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


@given(st.integers(0, 20), st.lists(JUNK, max_size=6))
@settings(max_examples=200, deadline=None)
def test_well_formed_nonsense_is_a_protocol_error_at_most(tag: int, fields: list[object]) -> None:
    data = msgspec.msgpack.encode([tag, *fields])
    try:
        message = protocol.read_reply(data)
        if isinstance(message, Receipts):
            protocol.receipts_of(message.rows)
        elif isinstance(message, Updates):
            protocol.updates_of(message.rows)
    except ProtocolError:
        pass
    try:
        request = protocol.read_request(data)
        if isinstance(request, Send):
            protocol.commands_of(request.commands)
    except ProtocolError:
        pass


@given(st.sampled_from(sorted(COMMANDS)), st.lists(JUNK, max_size=21))
@settings(max_examples=200, deadline=None)
def test_a_command_that_gets_through_has_the_types_the_engine_relies_on(
    kind: int, fields: list[object]
) -> None:
    try:
        (command,) = protocol.commands_of([(kind, msgspec.msgpack.encode(fields))])
    except ProtocolError:
        return
    for name, _ in command.FIELDS:
        assert type(getattr(command, name)) in (int, str, bool, tuple)


@given(st.sampled_from(sorted(EVENTS)), st.lists(JUNK, max_size=13))
@settings(max_examples=200, deadline=None)
def test_an_event_row_of_nonsense_is_a_protocol_error_at_most(kind: int, fields: list[object]) -> None:
    with contextlib.suppress(ProtocolError):
        protocol.updates_of([(1, 1, [[kind, *fields]])])


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (1, ["x"] * 12),
        (1, [3, 0, 1, 2, "5", 100, 1, 0, 0, False, 1, ""]),
        (1, [3, 0, 1, 2, True, 100, 1, 0, 0, False, 1, ""]),
        (1, [3, 0, 1, 2, 5.0, 100, 1, 0, 0, False, 1, ""]),
        (1, [3, 0, 1, 2, 5, 100, 1, 0, 0, 0, 1, ""]),
        (1, [3, 0, 1, 2, 5, 100, 1, 0, 0, False, 1, "x" * 201]),
        (1, [3, 0, 1, 2, 5, 100]),
        (11, ["A", "A", "X", 0, 1, 1, 2, 1, 0, 1, [[1]], 1, 0, 0, 0, 0, 0, 0, 0, 127]),
        (11, ["A", "A", "X", 0, 1, 1, 2, 1, 0, 1, 5, 1, 0, 0, 0, 0, 0, 0, 0, 127]),
        (999, []),
    ],
)
def test_a_field_of_the_wrong_type_is_refused(kind: int, fields: list[object]) -> None:
    with pytest.raises(ProtocolError, match="malformed command"):
        protocol.commands_of([(kind, msgspec.msgpack.encode(fields))])


def test_too_many_commands_are_refused() -> None:
    rows = protocol.command_rows([RegisterUser(name="a")]) * (protocol.COMMANDS_MAX + 1)
    with pytest.raises(ProtocolError, match="length"):
        protocol.read_request(body(Send(1, rows)))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ProtocolError):
        protocol.read_request(b"\x94\x03\x01\xa1x\x81\xa1k" + b"\x91" * 100_000)


@pytest.mark.parametrize(
    "error",
    [
        ExchangeError("x"),
        ConfigError("x"),
        DataError("why", "file.csv", 3),
        JournalError("why", "segment", 7, 9),
        JournalFailed("x"),
        ProtocolError("x"),
        AuthError("x"),
        NotFound("x"),
        ConnectionLost("x"),
        StoreLocked("x"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_errors_keep_their_class_text_and_exit_code(error: ExchangeError) -> None:
    back = protocol.raised(protocol.failure(1, error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.exit_code == error.exit_code


def test_an_error_of_a_narrower_class_is_told_as_the_known_one() -> None:
    assert type(protocol.raised(protocol.failure(1, JournalFull("no room")))) is JournalFailed


@pytest.mark.parametrize("kind", ["ValueError", "annotations", "", "DoesNotExist"])
def test_an_unknown_error_class_is_an_exchange_error(kind: str) -> None:
    assert type(protocol.raised(Failure(1, kind, "x"))) is ExchangeError


def test_a_name_of_an_account_passes_with_every_letter() -> None:
    (command,) = protocol.commands_of(protocol.command_rows([OpenAccount(name="a_.:-Z9", owner=1)]))
    assert isinstance(command, OpenAccount)
    assert command.name == "a_.:-Z9"
