"""The README's transcripts run as they stand, in their order, in one quiet exchange of their own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, list[str]]]:
    """(command line, expected lines) of every transcript."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall(README):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def is_shown(expected: list[str], lines: list[str]) -> bool:
    """Does the output read like this, with ``...`` for any number of lines?"""
    if not expected:
        return not lines
    if expected[0] == "...":
        return any(is_shown(expected[1:], lines[at:]) for at in range(len(lines) + 1))
    return bool(lines) and lines[0] == expected[0] and is_shown(expected[1:], lines[1:])


def test_transcripts_play_as_written(tmp_path: Path) -> None:
    found = steps()
    assert len(found) >= 9
    env = {
        **os.environ,
        "TRADECLI_HOME": str(tmp_path),
        "TRADECLI_MARKET_FEED": "none",
        "NO_COLOR": "1",
        "PYTHONSAFEPATH": "1",  # the exchange under test, not the folder pytest was started in
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    for command, expected in found:
        program, *arguments = shlex.split(command)
        assert program == "tradecli"
        done = subprocess.run(
            [sys.executable, "-m", "tradecli", *arguments], env=env, capture_output=True, text=True
        )
        talk = [line for line in done.stderr.splitlines() if not line.startswith("founding")]
        lines = [*talk, *done.stdout.splitlines()]
        assert is_shown(expected, lines), f"{command}\n" + "\n".join(lines)


def test_settings_table_names_every_key() -> None:
    from exchange.config import SETTINGS

    for key in SETTINGS:
        name = "account.balances" if key.startswith("account.balances") else key
        assert f"| `{name}` |" in README


@pytest.mark.parametrize("line", re.findall(r"^\| [^|]+ \| `((?:buy|sell) [^`]+)`", README, re.MULTILINE))
def test_grammar_table_reads(line: str) -> None:
    from exchange.core.engine import Engine
    from exchange.core.messages import Record
    from exchange.directory import Directory
    from exchange.listing import listing_commands, read_master, shipped_file
    from tradecli.parse import parse_order_line

    engine = Engine()
    for command in listing_commands(read_master(shipped_file()), engine.state, 0):
        engine.apply(Record(engine.state.seq + 1, 0, 0, command))
    quote = {"bid": "3000.00", "ask": "3100.00", "last": "3050.00", "reference": None}
    assert parse_order_line(
        line, Directory.of(engine.state), quote=lambda symbol: {**quote, "symbol": symbol}
    )
