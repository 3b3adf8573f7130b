"""Journal records as lines of JSON that a person can edit and an exchange can read back.

``codec`` gives the JSON of a command; here it gets its envelope, a change of an order gets the
instrument its sizes are in, and what would not read back the same is written as its bare fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from exchange.codec import command_from_json, command_to_json
from exchange.core.commands import COMMANDS, KINDS, command_of, row_of
from exchange.core.messages import Command, Record
from exchange.core.units import MICRO
from exchange.directory import Directory, safe_text
from exchange.errors import DataError, NotFound

SymbolOf: TypeAlias = Callable[[int, str, str], str]  # order id, client order id, account -> symbol

ENVELOPE: Final = ("seq", "ts", "actor", "cause")
EVENT_ONLY: Final = ("event", "order_id", "hold")  # of an accepted order; its other fields are the command's
BARE: Final = "fields"
CHANGES: Final = ("order.modify", "order.replace")


def record_to_json(record: Record, text: Directory) -> dict[str, Any]:
    """The command with seq, ts in microseconds and actor."""
    command = record.command
    row = command_to_json(command, text)
    if not _reads_back(row, command, text):
        row = {"op": COMMANDS[KINDS[type(command)]][0], BARE: row_of(command)}
    return {"seq": record.seq, "ts": record.ts // MICRO, "actor": text.user_name(record.actor), **row}


def read_command(row: Mapping[str, Any], text: Directory, symbol_of: SymbolOf) -> Command:
    """The command of a line, whatever envelope it has.  Raises DataError or NotFound naming the field."""
    fields = {name: value for name, value in row.items() if name not in ENVELOPE}
    if "event" in row:
        fields = {name: value for name, value in fields.items() if name not in EVENT_ONLY}
    if BARE in fields:
        return _bare(fields)
    is_decimal = any(isinstance(fields.get(name), str) for name in ("quantity", "limit"))
    if fields.get("op") in CHANGES and is_decimal and "instrument" not in fields:
        order_id, name = whole(fields, "order_id"), str(fields.get("client_order_id", ""))
        fields["instrument"] = symbol_of(order_id, name, str(fields.get("account", "")))
    return command_from_json(fields, text)


def whole(row: Mapping[str, Any], name: str) -> int:
    """Raises DataError unless it is a whole number; 0 if it is not there."""
    value = row.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise DataError(f"{name} {safe_text(str(value))[:40]!r} is not a whole number")
    return value


def _reads_back(row: Mapping[str, Any], command: Command, text: Directory) -> bool:
    try:
        return row_of(command_from_json(row, text)) == row_of(command)
    except (DataError, NotFound):
        return False


def _bare(fields: Mapping[str, Any]) -> Command:
    """The values as they stand in the journal, each of the right shape."""
    kinds = {name: kind for kind, (name, _) in COMMANDS.items()}
    kind, values = kinds.get(str(fields["op"])) if "op" in fields else None, fields[BARE]
    if kind is None or set(fields) != {"op", BARE}:
        raise DataError("bare fields stand beside the op of a command and nothing else")
    named = COMMANDS[kind][1].FIELDS
    if not isinstance(values, list) or len(values) != len(named):
        raise DataError(f"{fields['op']} has {len(named)} bare fields")
    for (name, shape), value in zip(named, values, strict=True):
        if not _fits(shape, value):
            raise DataError(f"{name} {safe_text(str(value))[:40]!r} is no bare {shape}")
    return command_of(kind, values)


def _fits(shape: str, value: Any) -> bool:
    if shape in ("str", "bool"):
        return type(value).__name__ == shape
    if shape.startswith("tuple"):
        pairs = value if isinstance(value, list) else [None]
        return all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_whole, pair)) for pair in pairs)
    return _is_whole(value)


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) < 1 << 63
