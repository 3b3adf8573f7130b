"""The one serialiser.  Rows of integers for the journal, snapshots and the local socket; JSON with
names and decimals for people, scripts and the wire.

A field's kind (``FIELDS``) says how it reads: an id becomes a name, ticks become a decimal price.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from exchange.core.commands import COMMANDS, KINDS, command_of, row_of
from exchange.core.events import EVENTS
from exchange.core.messages import Command, Event, OrderAccepted, Record, Reject, Rejected
from exchange.core.state.copying import dump, load
from exchange.core.state.root import State
from exchange.core.terms import (
    ACCOUNT_KINDS,
    BUY,
    DONE_REASONS,
    ORDER_TYPES,
    REASONS,
    ROLES,
    SELF_TRADES,
    SIDES,
    TIMES_IN_FORCE,
)
from exchange.core.units import MICRO
from exchange.directory import Directory, safe_text
from exchange.errors import DataError

SCHEMA_VERSION = 1  # of journal payloads; older ones are upgraded in ``unpack``

WIDE_MAX = 10**100
WIDE = 1  # MessagePack extension type of integers beyond 64 bits
_pack = msgspec.msgpack.Encoder().encode
_EVENT_KINDS = {cls: kind for kind, (_, cls) in EVENTS.items()}
_EVENT_NAMES = {cls: name for _, (name, cls) in EVENTS.items()}
_COMMAND_NAMES = {cls: name for _, (name, cls) in COMMANDS.items()}
_COMMANDS_BY_NAME = dict(COMMANDS.values())
_ENUMS: dict[str, tuple[str, ...]] = {
    "Side": SIDES,
    "OrderType": ORDER_TYPES,
    "TimeInForce": TIMES_IN_FORCE,
    "SelfTrade": SELF_TRADES,
    "DoneReason": DONE_REASONS,
    "AccountKind": ACCOUNT_KINDS,
    "Role": ROLES,
}


def _encode(value: Any) -> bytes:
    """Integers MessagePack cannot hold become extension values: money has no upper bound.

    Only the lists on the way to one are taken apart.
    """
    try:
        return _pack(value)
    except OverflowError:
        if isinstance(value, list | tuple):
            return _pack([msgspec.Raw(_encode(item)) for item in value])
        if abs(value) >= WIDE_MAX:
            raise DataError(f"an integer of {value.bit_length()} bits cannot be written") from None
        return _pack(msgspec.msgpack.Ext(WIDE, str(value).encode()))


def _unwidened(code: int, data: memoryview) -> int:
    if code != WIDE or len(data) > len(str(WIDE_MAX)):
        raise ValueError(f"unknown extension type {code}")
    return int(bytes(data))


_decode = msgspec.msgpack.Decoder(ext_hook=_unwidened).decode


# -- rows ---------------------------------------------------------------------------------------


def pack(command: Command) -> tuple[int, bytes]:
    """(kind, payload) of a journal record."""
    return KINDS[type(command)], _encode(row_of(command))


def unpack(kind: int, payload: bytes) -> Command:
    """Raises DataError for an unknown kind or a payload that does not fit it."""
    try:
        return command_of(kind, _decode(payload))
    except KeyError:
        raise DataError(f"unknown command kind {kind}; was this written by a newer version?") from None
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        raise DataError(f"payload does not fit command kind {kind}: {error}") from None


def event_row(event: Event) -> list[Any]:
    """[kind, field, ...]; nested commands as [kind, row]."""
    row: list[Any] = [_EVENT_KINDS[type(event)]]
    for name, kind in event.FIELDS:
        value = getattr(event, name)
        if kind == "Reject":
            value = [value.reason, value.limit, value.actual, value.unit]
        elif kind in ("Command", "Order"):
            value = [KINDS[type(value)], row_of(value)]
        row.append(value)
    return row


def event_from_row(row: list[Any]) -> Event:
    """Raises DataError when it is no event's row."""
    try:
        cls = EVENTS[row[0]][1]
        values = {}
        for (name, kind), value in zip(cls.FIELDS, row[1:], strict=True):
            if kind == "Reject":
                value = Reject(*value)
            elif kind in ("Command", "Order"):
                value = command_of(value[0], value[1])
            values[name] = value
        return cls(**values)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise DataError(f"not an event row: {error!r}") from None


def dump_state(state: State) -> bytes:
    return _encode(dump(state))


def load_state(payload: bytes) -> State:
    return load(_decode(payload))


def state_digest(state: State) -> str:
    """BLAKE2b-256 over the canonical dump: balances, queues, timers, counters, client order ids."""
    return payload_digest(dump_state(state))


def payload_digest(payload: bytes) -> str:
    """The digest of the state with this dump."""
    return hashlib.blake2b(payload, digest_size=32).hexdigest()


class EventDigest:
    """SHA-256 chain over each record and the events it caused."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, record: Record, events: list[Event]) -> None:
        command = [KINDS[type(record.command)], row_of(record.command)]
        rows = [event_row(event) for event in events]
        self._hash.update(_encode([record.seq, record.ts, record.actor, command, rows]))

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


# -- JSON ---------------------------------------------------------------------------------------


def command_to_json(command: Command, directory: Directory) -> dict[str, Any]:
    """``{"op": "order.place", "account": "main", ...}``; fields that say "none" are left out."""
    return {"op": _COMMAND_NAMES[type(command)], **_fields_to_json(command, directory, is_short=True)}


def event_to_json(event: Event, directory: Directory) -> dict[str, Any]:
    """``{"event": "trade", ...}``; a rejection carries its sentence and the refused command."""
    if isinstance(event, Rejected):
        return {
            "event": "rejected",
            **reject_to_json(event.reject, event.command, directory),
            "command": command_to_json(event.command, directory),
        }
    if isinstance(event, OrderAccepted):
        order = command_to_json(event.order, directory)
        order.pop("op")
        if event.limit:
            order["limit"] = directory.price_text(event.order.instrument, event.limit)
        hold = _minor_text(event.order, "hold", event.hold, directory)
        return {"event": "order.accepted", "order_id": event.order_id, "hold": hold, **order}
    return {"event": _EVENT_NAMES[type(event)], **_fields_to_json(event, directory, is_short=False)}


def reject_to_json(reject: Reject, command: Command, directory: Directory) -> dict[str, Any]:
    """code, message, and in human units the limit and the actual value if the reason has them."""
    row: dict[str, Any] = {"code": reject.reason, "message": REASONS[reject.reason]}
    if reject.unit == "OrderId":
        row["order_id"] = reject.actual
    elif reject.unit:
        row["limit"] = _shown(reject.unit, reject.limit, command, directory)
        row["actual"] = _shown(reject.unit, reject.actual, command, directory)
    return row


def command_from_json(row: Mapping[str, Any], directory: Directory) -> Command:
    """Raises DataError or NotFound naming the field; unknown fields are errors."""
    kind = row.get("op")
    cls = _COMMANDS_BY_NAME.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise DataError(f"op {_clip(kind)} is no command; one of: {', '.join(_COMMANDS_BY_NAME)}")
    names = {name for name, _ in cls.FIELDS}
    for name in row:
        if name not in names and name != "op":
            raise DataError(f"{kind} has no field {_clip(name)}; it has: {', '.join(sorted(names))}")
    values: dict[str, Any] = {}
    context = _Context(row, directory)
    for name, field in cls.FIELDS:
        if name in row:
            values[name] = context.value(name, field, row[name])
    try:
        return cls(**values)
    except TypeError as error:
        missing = str(error).partition("argument")[2].lstrip("s: ") or str(error)
        raise DataError(f"{kind} lacks {missing}") from None


def _fields_to_json(message: Command | Event, directory: Directory, *, is_short: bool) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, kind in message.FIELDS:
        value = getattr(message, name)
        if is_short and name in _OMITTED and value == _OMITTED[name]:
            continue
        row[name] = _shown(kind, value, message, directory)
    return row


# Values that mean "none" or the default; left out of short JSON.
_OMITTED: dict[str, Any] = {
    "instrument": -1,
    "quantity": 0,
    "limit": 0,
    "display": 0,
    "expires": 0,
    "due": 0,
    "is_post_only": False,
    "stp": 1,
    "client_order_id": "",
    "new_client_order_id": "",
    "reference": "",
    "reason": "",
}


def _shown(kind: str, value: Any, message: Any, directory: Directory) -> Any:
    if kind in _ENUMS:
        names = _ENUMS[kind]
        return (names[value] or "any") if isinstance(value, int) and 0 <= value < len(names) else value
    if kind == "Nanos":
        return value // MICRO
    if kind.startswith("Minor"):
        return _minor_text(message, kind.partition(":")[2] or "asset", value, directory)
    if kind in _NAMES:
        return _NAMES[kind](directory, value)
    if kind in ("Ticks", "Lots"):
        instrument = _instrument_of(message)
        if instrument is None or instrument >= len(directory.instruments):
            return value  # steps of an instrument that is not named
        show = directory.price_text if kind == "Ticks" else directory.quantity_text
        return show(instrument, value)
    if isinstance(value, tuple):
        return [list(item) if isinstance(item, tuple) else item for item in value]
    return safe_text(value) if isinstance(value, str) else value


def _instrument_name(directory: Directory, value: int) -> str:
    if 0 <= value < len(directory.instruments):
        return directory.instruments[value].symbol
    return "any" if value == -1 else f"#{value}"


_NAMES: dict[str, Callable[[Directory, int], str]] = {
    "AccountId": Directory.account_name,
    "AssetId": Directory.asset_symbol,
    "UserId": Directory.user_name,
    "InstrumentId": _instrument_name,
}


def _instrument_of(message: Any) -> int | None:
    found = getattr(message, "instrument", None)
    return found if isinstance(found, int) and found >= 0 else None


def _minor_text(message: Any, which: str, value: int, directory: Directory) -> str:
    asset = getattr(message, "asset", None)
    instrument = _instrument_of(message)
    if instrument is not None and instrument < len(directory.instruments):
        info = directory.instruments[instrument]
        is_quote = which == "quote" or (which == "hold" and message.side == BUY)
        asset = info.quote if is_quote else info.base
    if not isinstance(asset, int) or not 0 <= asset < len(directory.assets):
        return str(value)
    return directory.money_text(asset, value)


def _clip(value: object) -> str:
    return repr(safe_text(str(value))[:40])


class _Context:
    """Reads the fields of one JSON command; instrument and asset decide how numbers read."""

    def __init__(self, row: Mapping[str, Any], directory: Directory) -> None:
        self.row = row
        self.directory = directory

    def value(self, name: str, kind: str, value: Any) -> Any:
        if kind in _ENUMS:
            return self._enum(name, kind, value)
        if kind in ("AccountId", "AssetId", "UserId", "InstrumentId"):
            return self._id(name, kind, value)
        if kind in ("Ticks", "Lots") or kind.startswith("Minor"):
            return self._number(name, kind, value)
        if kind == "Nanos":
            return self._whole(name, value) * MICRO
        if kind == "bool":
            if not isinstance(value, bool):
                raise DataError(f"{name} {_clip(value)} is neither true nor false")
            return value
        if kind == "str":
            if not isinstance(value, str) or len(value) > 200:
                raise DataError(f"{name} {_clip(value)} is not a text of at most 200 characters")
            return value
        if kind.startswith("tuple"):
            return self._pairs(name, value)
        return self._whole(name, value)

    def _whole(self, name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 1 << 63:
            needs = "" if "instrument" in self.row else "; decimals need the field instrument"
            raise DataError(f"{name} {_clip(value)} is not a whole number{needs}")
        return value

    def _pairs(self, name: str, value: Any) -> tuple[tuple[int, int], ...]:
        if not isinstance(value, list) or not all(isinstance(p, list) and len(p) == 2 for p in value):
            raise DataError(f"{name} {_clip(value)} is not a list of pairs")
        return tuple((self._whole(name, a), self._whole(name, b)) for a, b in value)

    def _enum(self, name: str, kind: str, value: Any) -> int:
        names = _ENUMS[kind]
        if value == "any" and kind == "Side":
            return 0
        if not isinstance(value, str) or not value or value.lower() not in names:
            raise DataError(f"{name} {_clip(value)} is none of: {', '.join(n for n in names if n)}")
        return names.index(value.lower())

    def _id(self, name: str, kind: str, value: Any) -> int:
        if not isinstance(value, str):
            raise DataError(f"{name} {_clip(value)} is not a name")
        if kind == "InstrumentId":
            return -1 if value == "any" else self.directory.instrument(value).instrument_id
        if kind == "AssetId":
            return self.directory.asset_id(value)
        if kind == "UserId":
            return self.directory.user_id(value)
        return self.directory.account_id(value)

    def _number(self, name: str, kind: str, value: Any) -> int:
        if "instrument" not in self.row and kind in ("Ticks", "Lots"):
            return self._whole(name, value)
        if not isinstance(value, str):
            raise DataError(f"{name} {_clip(value)} is not a decimal in quotes")
        try:
            if kind.startswith("Minor"):
                return self.directory.parse_money(self._id("asset", "AssetId", self.row.get("asset")), value)
            instrument = self._id("instrument", "InstrumentId", self.row["instrument"])
            if instrument < 0:
                raise DataError(f"{name} needs one instrument to be read")
            if kind == "Ticks":
                return self.directory.parse_price(instrument, value)
            return self.directory.parse_quantity(instrument, value)
        except DataError as error:
            raise DataError(f"{name}: {error.why}") from None
