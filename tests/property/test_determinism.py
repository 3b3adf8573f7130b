"""The same journal gives the same events and the same state: twice, elsewhere, and after a restart."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from random import Random

import pytest

import exchange
from exchange.codec import dump_state, load_state, state_digest
from exchange.core.engine import Engine
from exchange.core.messages import Record
from tests.reference.audit import audit
from tests.reference.differential import row
from tests.reference.replays import records, replayed

ROOT = Path(__file__).parents[2]
COUNT = 1_500


@cache
def journal(seed: int = 5, count: int = COUNT) -> list[Record]:
    return records(seed, count)


def test_the_same_journal_twice() -> None:
    gc.disable()
    try:
        first = replayed(journal())
    finally:
        gc.enable()
    assert replayed(journal()) == first


@pytest.mark.parametrize(
    "setting",
    [{"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kolkata", "LC_ALL": "C"}],
    ids=lambda setting: setting["PYTHONHASHSEED"],
)
def test_the_same_journal_in_another_process(setting: dict[str, str]) -> None:
    installed = str(Path(exchange.__file__ or "").parents[1])
    path = os.pathsep.join((installed, str(ROOT), *sys.path))
    script = [sys.executable, "-m", "tests.reference.replays", "5", str(COUNT)]
    done = subprocess.run(
        script,
        env={**os.environ, **setting, "PYTHONPATH": path},
        cwd=installed,
        capture_output=True,
        check=True,
    )
    assert tuple(done.stdout.decode().split()) == replayed(journal())


def test_a_loaded_state_dumps_to_the_same_bytes_at_any_point() -> None:
    engine = Engine()
    for record in journal():
        engine.apply(record)
        if record.seq % 25 == 0:
            payload = dump_state(engine.state)
            loaded = load_state(payload)
            audit(loaded)
            assert dump_state(loaded) == payload


def test_going_on_after_a_restart_is_the_same_as_never_stopping() -> None:
    """Cut at random points, each with orders of every kind in mid-life."""
    draw = Random(11)
    told = [[row(event) for event in events] for events in applied(Engine(), journal())]
    for _ in range(25):
        cut = draw.randrange(40, COUNT)
        before = Engine()
        applied(before, journal()[:cut])
        after = Engine(load_state(dump_state(before.state)))
        for record, expected in zip(journal()[cut : cut + 150], told[cut : cut + 150], strict=False):
            assert [row(event) for event in after.apply(record)] == expected


@pytest.mark.slow
def test_restarts_at_many_points() -> None:
    """The same with 500 cuts, each played to the end."""
    draw = Random(12)
    whole = replayed(journal(6, 4_000))[1]
    for _ in range(500):
        cut = draw.randrange(40, 4_000)
        engine = Engine()
        applied(engine, journal(6, 4_000)[:cut])
        engine = Engine(load_state(dump_state(engine.state)))
        applied(engine, journal(6, 4_000)[cut:])
        assert state_digest(engine.state) == whole


def test_a_restart_after_every_command() -> None:
    engine, plain = Engine(), Engine()
    for record in journal()[:400]:
        expected = [row(event) for event in plain.apply(record)]
        assert [row(event) for event in engine.apply(record)] == expected
        engine = Engine(load_state(dump_state(engine.state)))
    assert dump_state(engine.state) == dump_state(plain.state)


def applied(engine: Engine, part: list[Record]) -> list[list]:
    return [engine.apply(record) for record in part]
