"""Stored journals replay to the stored digests; messages keep their bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.core.commands import COMMANDS
from exchange.core.events import EVENTS
from tests.golden.keep import DIGESTS, MESSAGES, journals, messages, read, rewrite
from tests.reference.replays import replayed


@pytest.fixture(scope="module", autouse=True)
def _rewritten(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        rewrite()


@pytest.mark.parametrize("path", journals(), ids=lambda path: path.stem)
def test_golden_journal_replays_to_its_digests(path: Path) -> None:
    stored = json.loads(DIGESTS.read_text(encoding="utf-8"))[path.stem]
    events, state = replayed(read(path))
    assert {"events": events, "state": state} == stored


def test_messages_keep_their_bytes() -> None:
    assert list(messages()) == MESSAGES.read_text(encoding="utf-8").splitlines()


def test_every_kind_of_message_is_golden() -> None:
    rows = [json.loads(line) for line in MESSAGES.read_text(encoding="utf-8").splitlines()]
    assert {row["kind"] for row in rows if "kind" in row} == set(COMMANDS)
    assert {row["row"][0] for row in rows if "row" in row} == set(EVENTS)
