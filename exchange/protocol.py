"""The local socket, sans-I/O: length-prefixed msgpack arrays, each tagged with what it is.

A client says ``Hello`` and hears ``Welcome``; then requests carry an id which the reply repeats.
Whatever the bytes, the only thing raised here is ProtocolError.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

from exchange import errors
from exchange.client import Receipt, Update
from exchange.codec import event_from_row, event_row, pack, unpack
from exchange.core.messages import Command, Reject
from exchange.core.terms import REASONS
from exchange.core.units import NAME_LENGTH_MAX, TEXT_LENGTH_MAX
from exchange.errors import DataError, ExchangeError, ProtocolError

VERSION = 1
COMMANDS_MAX = 4_096  # of one request
REQUEST_MAX = 1 << 22  # bytes of a frame to the exchange
REPLY_MAX = 1 << 26  # bytes of a frame from it
KEY_LENGTH_MAX = 100  # of a document's kind and key

PREFIX = struct.Struct(">I")

Id: TypeAlias = Annotated[int, Meta(ge=0, lt=1 << 53)]
Name: TypeAlias = Annotated[str, Meta(max_length=KEY_LENGTH_MAX)]
CommandRow: TypeAlias = tuple[int, bytes]  # kind and payload as in the journal
RejectRow: TypeAlias = tuple[str, Any, Any, str]  # limit and actual value are integers of any size
ReceiptRow: TypeAlias = tuple[int, int, RejectRow | None, int, list[Any]]
UpdateRow: TypeAlias = tuple[int, int, list[Any]]


class Hello(Struct, tag=1, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The client's first frame."""

    version: int
    user: Annotated[str, Meta(max_length=NAME_LENGTH_MAX)]


class Send(Struct, tag=2, array_like=True, frozen=True, forbid_unknown_fields=True):
    id: Id
    commands: Annotated[list[CommandRow], Meta(max_length=COMMANDS_MAX)]


class Query(Struct, tag=3, array_like=True, frozen=True, forbid_unknown_fields=True):
    id: Id
    name: Name
    params: dict[str, Any]


class Watch(Struct, tag=4, array_like=True, frozen=True, forbid_unknown_fields=True):
    """From here on the connection carries ``Updates`` with this id.  since: None means from now."""

    id: Id
    since: int | None


class Save(Struct, tag=5, array_like=True, frozen=True, forbid_unknown_fields=True):
    id: Id
    kind: Name
    key: Name
    document: dict[str, Any] | None


class Welcome(Struct, tag=11, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The exchange's first frame.  seq: the newest durable record."""

    version: int
    user: int
    engine_version: int
    seq: int


class Receipts(Struct, tag=12, array_like=True, frozen=True, forbid_unknown_fields=True):
    id: Id
    rows: list[ReceiptRow]


class Answer(Struct, tag=13, array_like=True, frozen=True, forbid_unknown_fields=True):
    id: Id
    rows: Any


class Failure(Struct, tag=14, array_like=True, frozen=True, forbid_unknown_fields=True):
    """kind: a class of ``exchange.errors``."""

    id: Id
    kind: str
    text: str


class Updates(Struct, tag=15, array_like=True, frozen=True, forbid_unknown_fields=True):
    """trades_dropped: public trades this subscriber has lost so far by reading too slowly."""

    id: Id
    trades_dropped: int
    rows: list[UpdateRow]


class Resume(Struct, tag=16, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The last frame of a watch that fell too far behind: watch again from the last update read."""

    id: Id


Request: TypeAlias = Hello | Send | Query | Watch | Save
Reply: TypeAlias = Welcome | Receipts | Answer | Failure | Updates | Resume

WIDE = 1  # MessagePack extension type of integers beyond 64 bits, as in the journal
WIDE_LENGTH_MAX = 101  # characters


def _unwidened(code: int, data: memoryview) -> int:
    if code != WIDE or len(data) > WIDE_LENGTH_MAX:
        raise ValueError(f"unknown extension type {code}")
    return int(bytes(data))


_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply, ext_hook=_unwidened)
_M = TypeVar("_M")


def frame(message: Request | Reply) -> bytes:
    """Raises DataError when the message is too large for one frame or holds what has no bytes."""
    most = REQUEST_MAX if isinstance(message, Request) else REPLY_MAX
    try:
        try:
            body = _encoder.encode(message)
        except OverflowError:
            if not isinstance(message, Receipts | Updates):
                raise
            body = _encoder.encode(msgspec.structs.replace(message, rows=_widened(message.rows)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"{type(message).__name__.lower()} cannot be sent: {error}") from None
    if len(body) > most:
        name = type(message).__name__.lower()
        raise DataError(f"{name} of {len(body)} bytes is above the limit of {most}; ask for less at once")
    return PREFIX.pack(len(body)) + body


def _widened(value: Any) -> Any:
    """Money has no upper bound: integers MessagePack cannot hold become extension values."""
    if isinstance(value, list | tuple):
        return [_widened(item) for item in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return msgspec.msgpack.Ext(WIDE, str(value).encode())
    return value


def read_request(body: bytes) -> Request:
    return _read(_requests, body)


def read_reply(body: bytes) -> Reply:
    return _read(_replies, body)


def _read(decoder: msgspec.msgpack.Decoder[_M], body: bytes) -> _M:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError) as error:
        raise ProtocolError(f"malformed message: {error}") from None


class Frames:
    """Bytes as they arrive, cut into whole frames; keeps at most one frame's worth."""

    __slots__ = ("_buffer", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()

    @property
    def is_between(self) -> bool:
        """No frame is half read."""
        return not self._buffer

    def feed(self, data: bytes) -> list[bytes]:
        """Raises ProtocolError for a frame longer than the limit."""
        buffer = self._buffer
        buffer += data
        found: list[bytes] = []
        start = 0
        while len(buffer) - start >= PREFIX.size:
            (length,) = PREFIX.unpack_from(buffer, start)
            if length > self._most:
                raise ProtocolError(f"a frame of {length} bytes is above the limit of {self._most}")
            end = start + PREFIX.size + length
            if len(buffer) < end:
                break
            found.append(bytes(buffer[start + PREFIX.size : end]))
            start = end
        del buffer[:start]
        return found


# -- what the frames carry ----------------------------------------------------------------------


def command_rows(commands: Sequence[Command]) -> list[CommandRow]:
    """Raises DataError for a field that has no bytes."""
    try:
        return [pack(command) for command in commands]
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"the command cannot be sent: {error}") from None


def commands_of(rows: Sequence[CommandRow]) -> list[Command]:
    """Raises ProtocolError unless every field has its type: the engine relies on it."""
    try:
        commands = [unpack(kind, payload) for kind, payload in rows]
    except (DataError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"malformed command: {error}") from None
    for command, row in zip(commands, rows, strict=True):
        if pack(command) != tuple(row):  # a compiled class takes True for 1
            raise ProtocolError(f"malformed command: a field of {type(command).__name__} has another type")
        for name, kind in command.FIELDS:
            if not _fits(kind, getattr(command, name)):
                raise ProtocolError(f"malformed command: {type(command).__name__}.{name} is no {kind}")
    return commands


def _fits(kind: str, value: Any) -> bool:
    if kind == "str":
        return isinstance(value, str) and len(value) <= TEXT_LENGTH_MAX and _is_encodable(value)
    if kind == "bool":
        return isinstance(value, bool)
    if kind.startswith("tuple"):
        return isinstance(value, tuple) and all(
            isinstance(pair, tuple) and len(pair) == 2 and all(_fits("int", part) for part in pair)
            for pair in value
        )
    return isinstance(value, int) and not isinstance(value, bool)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def receipt_rows(receipts: Sequence[Receipt]) -> list[ReceiptRow]:
    return [
        (
            receipt.seq,
            receipt.ts,
            None if receipt.reject is None else _reject_row(receipt.reject),
            receipt.engine_ns,
            [event_row(event) for event in receipt.events],
        )
        for receipt in receipts
    ]


def receipts_of(rows: Sequence[ReceiptRow]) -> list[Receipt]:
    return [
        Receipt(seq, ts, _events(events), None if reject is None else _reject(reject), engine_ns)
        for seq, ts, reject, engine_ns, events in rows
    ]


def _reject(row: RejectRow) -> Reject:
    reason, limit, actual, unit = row
    if reason not in REASONS or not (_fits("int", limit) and _fits("int", actual)):
        raise ProtocolError(f"malformed reject: {reason[:40]!r}")
    return Reject(reason, limit, actual, unit)


def _reject_row(reject: Reject) -> RejectRow:
    assert reject.reason in REASONS
    return (reject.reason, reject.limit, reject.actual, reject.unit)


def update_rows(updates: Sequence[Update]) -> list[UpdateRow]:
    return [(update.seq, update.ts, [event_row(event) for event in update.events]) for update in updates]


def updates_of(rows: Sequence[UpdateRow]) -> list[Update]:
    return [Update(seq, ts, _events(events)) for seq, ts, events in rows]


def _events(rows: list[Any]) -> list[Any]:
    try:
        return [event_from_row(row) for row in rows]
    except (DataError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"malformed event: {error}") from None


def failure(id: int, error: ExchangeError) -> Failure:
    """Names the nearest class that both sides know."""
    known = next(cls for cls in type(error).__mro__ if cls.__module__ == errors.__name__)
    return Failure(id, known.__name__, str(error))


def raised(message: Failure) -> ExchangeError:
    """The error of the other side, of the same class and with the same text."""
    cls = getattr(errors, message.kind, None)
    if not isinstance(cls, type) or not issubclass(cls, ExchangeError):
        return ExchangeError(message.text)
    error = cls(message.text)
    assert isinstance(error, ExchangeError)
    return error
