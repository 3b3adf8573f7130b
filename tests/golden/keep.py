"""Golden journals and messages: what every release must replay and read to the same bytes.

A journal is one line per record, ``[micros, user, "op", [field, ...]]``, in the order of ``FIELDS``.
``python -m tests.golden.keep`` compares; with ``--update`` it writes the new digests and messages,
as ``make golden`` does, for a change of outcome that is meant and, once released, comes with a new
ENGINE_VERSION.  ``--draw`` draws the journals anew, too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exchange.codec import command_to_json, event_row, event_to_json, pack
from exchange.core.commands import COMMANDS, KINDS, command_of, row_of
from exchange.core.engine import Engine
from exchange.core.messages import Record
from exchange.core.units import MICRO
from exchange.directory import Directory
from tests.reference.replays import records, replayed
from tests.scenarios.stage import played, tables

FOLDER = Path(__file__).parent
JOURNALS = FOLDER / "journals"
DIGESTS = JOURNALS / "digests.json"
MESSAGES = FOLDER / "messages.jsonl"
KIND_OF = {name: kind for kind, (name, _) in COMMANDS.items()}
SEEDS = {"crowd_1": 1, "crowd_2": 2, "crowd_3": 3}
RECORDS_EACH = 600


def journals() -> list[Path]:
    return sorted(JOURNALS.glob("*.jsonl"))


def read(path: Path) -> list[Record]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Record(seq, micros * MICRO, user, command_of(KIND_OF[op], row))
        for seq, (micros, user, op, row) in enumerate(rows, 1)
    ]


def write(path: Path, journal: list[Record]) -> None:
    rows = [
        [record.ts // MICRO, record.actor, COMMANDS[KINDS[type(record.command)]][0], row_of(record.command)]
        for record in journal
    ]
    path.write_text("".join(compact(row) + "\n" for row in rows), encoding="utf-8")


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def digests() -> dict[str, dict[str, str]]:
    """Event digest and state digest after each journal."""
    found = {}
    for path in journals():
        events, state = replayed(read(path))
        found[path.stem] = {"events": events, "state": state}
    return found


def messages() -> Iterator[str]:
    """The first of each kind of command and event in the journals: journal bytes, row and JSON."""
    seen: set[type] = set()
    for path in journals():
        engine = Engine()
        for record in read(path):
            events = engine.apply(record)
            directory = None
            for message in (record.command, *events):
                if type(message) in seen:
                    continue
                seen.add(type(message))
                directory = directory or Directory.of(engine.state)
                if type(message) in KINDS:
                    kind, payload = pack(record.command)
                    told = command_to_json(record.command, directory)
                    yield compact({"kind": kind, "payload": payload.hex(), "json": told})
                else:
                    yield compact({"row": event_row(message), "json": event_to_json(message, directory)})


def rewrite() -> None:
    """Digests and messages of the journals as they are."""
    DIGESTS.write_text(json.dumps(digests(), indent=2) + "\n", encoding="utf-8")
    MESSAGES.write_text("\n".join(messages()) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    if "--draw" in arguments:
        for name, seed in SEEDS.items():
            write(JOURNALS / f"{name}.jsonl", records(seed, RECORDS_EACH))
        for table in tables():
            if table.stem != "capacity":  # fills the tables of the state by hand
                write(JOURNALS / f"{table.stem}.jsonl", played(table).records)
    if "--update" in arguments:
        rewrite()
        return 0
    new, lines = digests(), "\n".join(messages()) + "\n"
    differs = [name for name, pair in new.items() if json.loads(DIGESTS.read_text())[name] != pair]
    if lines != MESSAGES.read_text(encoding="utf-8"):
        differs.append(MESSAGES.name)
    for name in differs:
        sys.stderr.write(f"golden: {name} differs; if this is meant, run with --update and say why\n")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
