"""Recorded data as the market: in memory, on the store, and with a person's orders in its queue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.bootstrap import open_client
from exchange.config import load_config
from exchange.errors import ConnectionLost, ExchangeError, StoreLocked
from exchange.recording import Recording, start_recording
from tests.tradecli.conftest import Cli
from tests.tradecli.test_store import ROOT, process, settings

# Seconds after midnight, type, order id, size, price in ten-thousandths, side of the resting order.
MESSAGES = """\
34200.1,1,1,100,2239000,1
34200.2,1,2,100,2240000,-1
34200.3,1,3,50,2239500,1
34200.4,4,3,20,2239500,1
34200.5,2,1,40,2239000,1
34200.6,3,2,100,2240000,-1
34203.0,1,4,10,2241000,-1
"""


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "messages.csv"
    path.write_text(MESSAGES, encoding="utf-8")
    return path


def test_in_memory_it_is_the_same_on_every_run(cli: Cli, recorded: Path) -> None:
    line = f"replay {recorded} --instrument xyz --headless -o json"
    one = cli(line)
    assert one.code == 0, one.err
    assert cli(line) == one
    row = json.loads(one.out)
    assert (row["instrument"], row["trades"], row["rejects"]) == ("XYZ", 1, 0)
    assert row["last"] == {"XYZ": "223.95"}
    assert row["market_seconds"] == 2
    assert len(row["digest"]) == 64


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("missing.csv --instrument XYZ --headless", 3, "there is no file missing.csv"),
        (
            "{file} --instrument XYZ --headless --format nonsense",
            65,
            "there is no recorded format 'nonsense'",
        ),
        ("{file} --instrument XYZ --headless --format mbo", 65, "messages.csv"),
        ("{file} --instrument XYZ", 2, "the screen needs a terminal"),
        ("{file} --headless", 2, "Missing option '--instrument'"),
        ("{file} --instrument XYZ --headless --speed 0", 2, "--speed"),
    ],
)
def test_what_cannot_be_replayed_says_why(words: str, code: int, says: str, cli: Cli, recorded: Path) -> None:
    answer = cli(f"replay {words.format(file=recorded)}")
    assert answer.code == code
    assert says in answer.err


def test_on_the_store_it_ends_with_the_recording_and_leaves_clean_books(
    tmp_path: Path, recorded: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert process(home, "account new other").returncode == 0
    done = process(home, f"replay {recorded} --instrument XYZ --headless --speed 1000 -o json")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["instrument"], row["trades"], row["rejects"]) == ("XYZ", 1, 0)
    book = json.loads(process(home, "market book XYZ -o json").stdout)
    assert [level[:2] for level in book["bids"]] == [["223.95", "30"], ["223.90", "60"]]
    assert json.loads(process(home, "ledger verify -o json").stdout)["ok"] is True


def test_a_second_replay_clears_what_the_first_one_left(tmp_path: Path, recorded: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    line = f"replay {recorded} --instrument XYZ --headless --speed 1000 -o json"
    first, second = process(home, line), process(home, line)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    book = json.loads(process(home, "market book XYZ -o json").stdout)
    assert [level[:2] for level in book["bids"]] == [["223.95", "30"], ["223.90", "60"]]


def test_a_process_with_the_recording_can_be_traded_with(
    tmp_path: Path, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    config = load_config(
        home=home, flags={"market.feed": "none", "market.speed": 0.01}, environ=settings(home)
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    client, child = start_recording(Recording(str(recorded), "XYZ"), config)
    try:
        assert any(row["symbol"] == "XYZ" for row in client.query("quotes"))
        placed = process(home, "buy XYZ 5 @ 200 -o json")
        assert json.loads(placed.stdout)["status"] == "new", placed.stderr
        with pytest.raises(StoreLocked, match="another market is running"):
            start_recording(Recording(str(recorded), "XYZ"), config)
    finally:
        client.close()
        assert child.wait(timeout=60) == 0


def test_a_process_that_cannot_start_says_why(
    tmp_path: Path, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    config = load_config(home=home, flags={"market.feed": "none"}, environ=settings(home))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(ExchangeError, match="there is no file") as caught:
        start_recording(Recording(str(tmp_path / "none.csv"), "XYZ"), config)
    assert caught.value.exit_code == 3
    with pytest.raises(ConnectionLost):
        open_client(config, attach_only=True)


def test_the_hidden_process_is_a_command_like_any_other(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tradecli", "_owner", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    assert "The exchange process" in done.stdout
