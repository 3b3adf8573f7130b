"""A real process on a real disk, killed again and again while a reader counts its answers."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.adapters.journal_tools import cat, verify
from exchange.adapters.store import open_exchange, replay
from exchange.codec import pack, state_digest
from tests.simulation import kill9_writer
from tests.simulation.kill9_writer import COUNT, LARGEST, OPTIONS, Clock
from tests.simulation.workload import requests

SEED = 11


def answered_before_kill(home: Path, answers: int) -> int:
    """Start a writer, read that many answers, kill it; the highest sequence it has answered."""
    command = [sys.executable, str(Path(kill9_writer.__file__)), str(home), str(SEED)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        lines = [process.stdout.readline() for _ in range(answers)]
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    whole = [int(line) for line in lines if line.endswith(b"\n")]
    assert len(whole) >= answers
    return whole[-1]


def check(home: Path, answered: int) -> None:
    stream = [(actor, *pack(command)) for actor, command in requests(SEED, COUNT)]
    assert verify(home).problem == ""
    found = [(record.actor, *pack(record.command)) for record in cat(home)]
    assert answered <= len(found) <= answered + LARGEST
    assert found == stream[: len(found)]  # each answered command once, nothing else
    exchange = open_exchange(home, Clock(), options=OPTIONS)
    assert exchange.state.seq == len(found)
    assert state_digest(exchange.state) == state_digest(replay(home).engine.state)
    exchange.close()


def kill_and_check(home: Path, kills: int) -> None:
    rng = random.Random(7)
    for _ in range(kills):
        check(home, answered_before_kill(home, rng.randint(1, 40)))


def test_kill_9_loses_no_answer(tmp_path: Path) -> None:
    kill_and_check(tmp_path / "store", 8)


@pytest.mark.slow
def test_kill_9_loses_no_answer_in_fifty_kills(tmp_path: Path) -> None:
    kill_and_check(tmp_path / "store", 50)
