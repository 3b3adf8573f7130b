"""Commands on a real store in a folder: what survives, what is verified, what damage looks like."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exchange.core.messages import Event
from exchange.views.ledger import LedgerView
from tests.tradecli.conftest import BALANCES, INSTRUMENTS, Answer, Cli
from tradecli.main import run

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in settings(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def settings(home: Path) -> dict[str, str]:
    return {
        "TRADECLI_HOME": str(home),
        "TRADECLI_MARKET_FEED": "none",
        "TRADECLI_MARKET_INSTRUMENTS": str(INSTRUMENTS),
        "TRADECLI_ACCOUNT_BALANCES": BALANCES,
    }


@pytest.fixture
def shell(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Each line opens the store, does its work and leaves, as a process would."""

    def line(text: str) -> Answer:
        capsys.readouterr()
        code = run(text.split())
        return Answer(code, *capsys.readouterr())

    return line


def row(answer: Answer) -> Any:
    assert answer.code == 0, answer
    return json.loads(answer.out)


@pytest.fixture
def traded(shell: Cli) -> Cli:
    """A store with a trade, a resting order, a modification and a refusal in it."""
    assert shell("buy BTC 0.5 @ 64000 id a stp none").code == 0
    assert shell("sell BTC 0.2 @ 64000 stp none").code == 0
    assert shell("order modify id a 0.4").code == 0
    assert shell("buy BTC 50 @ 64000").code == 1
    return shell


def test_orders_survive_from_one_command_to_the_next(traded: Cli) -> None:
    orders = row(traded("order list -o json"))
    assert [(order["order_id"], order["leaves"], order["status"]) for order in orders] == [
        (1, "0.20000", "partially_filled")
    ]
    assert row(traded("buy BTC 0.5 @ 64000 id a stp none -o json"))["code"] == "order.exists"


def test_history_positions_and_statement(traded: Cli) -> None:
    history = row(traded("order list --history -o json"))
    assert [order["status"] for order in history] == ["rejected", "filled", "partially_filled"]
    assert row(traded("order show 2 -o json"))["status"] == "filled"
    assert [fill["quantity"] for fill in row(traded("market trades BTC -o json"))] == ["0.20000"]
    assert row(traded("market candles BTC -o json"))[0]["volume"] == "0.20000"
    assert row(traded("portfolio pnl -o json"))[0]["symbol"] == "BTC-USDC"
    assert traded("portfolio positions").code == 0
    lines = row(traded("account statement --asset BTC -o json"))
    assert {line["asset"] for line in lines} == {"BTC"}
    assert lines[-1]["balance"] == row(traded("account balance BTC -o json"))[0]["posted"]


def test_the_ledger_is_clean_and_says_what_it_checked(traded: Cli) -> None:
    found = row(traded("ledger verify -o json"))
    assert (found["ok"], found["mismatch"], found["open_orders"]) == (True, None, 1)
    assert {total.strip("0.") for total in found["sums"].values()} == {""}
    words = traded("ledger verify")
    assert words.out.startswith("ledger clean\n")
    assert "sum of USDC over all accounts: 0.00000000" in words.out


def test_a_wrong_balance_is_named_with_the_record_it_began_at(
    traded: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = row(traded("account deposit USDC 7 -o json"))["seq"]
    traded("account deposit USDC 1")
    fold = LedgerView.fold

    def forgetful(view: LedgerView, seq: int, events: list[Event]) -> None:
        fold(view, seq, [] if seq == bad else events)

    monkeypatch.setattr(LedgerView, "fold", forgetful)
    answer = traded("ledger verify")
    assert answer.code == 65
    assert answer.out.startswith("ledger WRONG: account external: posted USDC is -100008.00000000")
    assert f"first seen after sequence {bad}" in answer.out
    found = json.loads(traded("ledger verify -o json").out)
    assert (found["ok"], found["seq"]) == (False, bad)


def test_a_sum_that_is_not_zero_is_named_too(traded: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LedgerView, "sums", lambda view: {0: 5})
    found = json.loads(traded("ledger verify -o json").out)
    assert found["ok"] is False
    assert "did not sum to zero after sequence" in found["mismatch"]


def test_the_journal_is_intact_and_measured(traded: Cli) -> None:
    found = row(traded("journal verify -o json"))
    assert (found["ok"], found["problem"]) == (True, None)
    stats = row(traded("journal stats -o json"))
    assert stats["records"] == found["records"]
    assert stats["kinds"]["order.place"] == 3
    assert stats["first_time"] <= stats["last_time"]
    assert traded("journal verify").out.startswith("journal intact\n")


def test_a_printed_journal_runs_to_the_same_state(traded: Cli, tmp_path: Path) -> None:
    printed = traded("journal cat")
    assert printed.code == 0
    path = tmp_path / "journal.ndjson"
    path.write_text(printed.out, encoding="utf-8")
    summary = json.loads(traded(f"run {path}").out.splitlines()[-1])
    assert summary["state"] == row(traded("ledger verify -o json"))["state"]


def test_parts_of_the_journal_and_bare_integers(traded: Cli) -> None:
    last = row(traded("journal stats -o json"))["records"]
    part = [
        json.loads(line) for line in traded(f"journal cat --since {last - 1} --until {last}").out.splitlines()
    ]
    assert [(record["seq"], record["op"]) for record in part] == [
        (last - 1, "order.modify"),
        (last, "order.place"),
    ]
    assert (part[0]["instrument"], part[0]["quantity"]) == ("BTC-USDC", "0.40000")
    assert part[1]["actor"] == "local"
    bare = [json.loads(line) for line in traded(f"journal cat --since {last} --raw").out.splitlines()]
    assert [(record["seq"], record["kind"]) for record in bare] == [(last, 1)]


def test_a_flipped_byte_is_found_named_and_cut_away(traded: Cli, home: Path) -> None:
    before = row(traded("journal stats -o json"))["records"]
    segment = next(path for path in (home / "journal").iterdir() if path.stat().st_size > 8192)
    data = bytearray(segment.read_bytes())
    place = data.rstrip(b"\0").rfind(b"main")
    place = place if place > 0 else len(data.rstrip(b"\0")) - 40
    data[place] ^= 0xFF
    segment.write_bytes(data)
    answer = traded("journal verify")
    assert answer.code == 65
    assert answer.out.startswith("journal DAMAGED: ")
    assert traded("market quote").code == 65
    doctor = traded("doctor -o json")
    assert doctor.code == 65
    assert [check["status"] for check in json.loads(doctor.out) if check["check"] == "journal"] == ["fail"]
    good = json.loads(traded("journal verify -o json").out)["last_seq"]
    assert good < before
    assert traded(f"journal repair --truncate-to {good}").code == 2
    assert row(traded(f"journal repair --truncate-to {good} --yes -o json"))["last_seq"] == good
    assert traded("journal verify").code == 0
    assert traded("ledger verify").code == 0


def test_skip_asks_first_and_marks_the_record(traded: Cli) -> None:
    assert traded("journal skip 99999 --reason test --yes").code == 3
    assert traded("journal skip 2 --reason test").code == 2
    assert row(traded("journal skip 2 --reason test --yes -o json")) == {
        "ok": True,
        "seq": 2,
        "reason": "test",
    }


def test_no_journal_is_not_found_and_makes_none(shell: Cli, home: Path) -> None:
    for line in ("ledger verify", "journal stats", "journal cat"):
        assert shell(line).code == 3
    assert not (home / "journal").exists()


def test_the_doctor_is_content_with_a_new_and_with_a_used_store(shell: Cli) -> None:
    rows = {check["check"]: check for check in row(shell("doctor -o json"))}
    assert set(rows) == {"python", "core", "config", "folder", "journal", "disk", "terminal"}
    assert "none yet" in rows["journal"]["detail"]
    shell("account deposit USDC 5")
    rows = {check["check"]: check for check in row(shell("doctor -o json"))}
    assert "nobody" in rows["owner"]["detail"]
    assert rows["clock"]["status"] == "ok"
    assert "core" in shell("doctor").out


def test_profiles_are_stores_of_their_own(shell: Cli) -> None:
    shell("buy BTC 0.5 @ 64000")
    assert len(row(shell("order list -o json"))) == 1
    assert row(shell("order list --profile other -o json")) == []


def test_a_bad_instrument_file_is_one_clear_error(
    shell: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(
        INSTRUMENTS.read_text(encoding="utf-8").replace('tick = "0.01"', 'tick = "x"', 1), encoding="utf-8"
    )
    monkeypatch.setenv("TRADECLI_MARKET_INSTRUMENTS", str(bad))
    answer = shell("market quote")
    assert answer.code == 78
    assert "bad.toml:" in answer.err
    assert "instrument[1].tick" in answer.err


def process(home: Path, line: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tradecli", *line.split()],
        env={**os.environ, **settings(home), "PYTHONPATH": str(ROOT)},
        cwd=home,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
        **more,
    )


def test_as_a_process_it_exits_and_prints_the_same(home: Path) -> None:
    good = process(home, "buy BTC 0.5 @ 64000 -o json")
    assert (good.returncode, json.loads(good.stdout)["order_id"]) == (0, 1)
    bad = process(home, "buy BTC 0.5 @ 64000.001")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "^^^^^^^^^" in bad.stderr
    alone = process(home, "", stdin=subprocess.DEVNULL)
    assert alone.returncode == 0
    assert "open_orders  1" in alone.stdout


def test_a_reader_that_goes_away_ends_it_quietly(home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "tradecli", "help", "exit-codes"],
        env={**os.environ, **settings(home), "PYTHONPATH": str(ROOT)},
        cwd=home,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141


def test_ctrl_c_ends_a_stream_quietly(home: Path) -> None:
    """The exchange process it started leaves with it."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tradecli", "stream", "--quiet"],
        env={**os.environ, **settings(home), "TRADECLI_MARKET_FEED": "living", "PYTHONPATH": str(ROOT)},
        cwd=home,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    first = json.loads(running.stdout.readline())
    doctor = process(home, "doctor -o json")
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (130, "")
    assert first["seq"] > 0
    owner = next(check for check in json.loads(doctor.stdout) if check["check"] == "owner")
    assert "it answers in" in owner["detail"]
