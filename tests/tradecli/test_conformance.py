"""Outside suites and recorded books through the command line, on files small enough to read."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from tests.tradecli.conftest import Cli

SHARED = Path(__file__).parents[3] / "shared" / "data"  # beside the checkout
FLOW = "N,1,S,101,5,G\nN,2,B,101,3,I\nM,1,102,4\nC,1\nC,9\n"
REPORTS = "0,0,1,1,101,5\n0,1,0,2,101,3\n1,1,101,3,1,2\n3,2,1,1,102,4\n2,3,1,1,102\n4,4,9"
MESSAGES = "34200.1,1,1,100,2239000,1\n34200.2,1,2,50,2240000,-1\n34200.3,4,2,20,2240000,-1\n"
BOOK = "9999999999,0,2239000,100\n2240000,50,2239000,100\n2240000,30,2239000,100\n"


def found(cli: Cli, line: str) -> Any:
    answer = cli(f"conformance {line} -o json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.xz"])
def test_matching_counts_and_hashes_every_report_line(suffix: str, cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / f"flow.{suffix}"
    pack = {"csv": bytes, "csv.gz": gzip.compress, "csv.xz": lzma.compress}[suffix]
    path.write_bytes(pack(FLOW.encode()))
    row = found(cli, f"matching {path}")
    assert row.pop("messages_per_s") > 0
    assert row == {
        "messages": 5,
        "reports": 6,
        "trades": 1,
        "sha256": hashlib.sha256(REPORTS.encode()).hexdigest(),
        "resting": 0,
    }


def test_edge_cases_that_fail_are_named_and_exit_70(cli: Cli, tmp_path: Path) -> None:
    case = {
        "messages": FLOW.splitlines()[:1],
        "reports": REPORTS.splitlines()[:1],
        "bbo_after_each": [[None, 0, 101, 5]],
    }
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"good": case}), encoding="utf-8")
    assert found(cli, f"edge-cases {path}") == {"total": 1, "passed": 1, "failed": []}
    path.write_text(json.dumps({"good": case, "bad": {**case, "reports": []}}), encoding="utf-8")
    answer = cli(f"conformance edge-cases {path} -o json")
    assert answer.code == 70
    assert json.loads(answer.out) == {"total": 2, "passed": 1, "failed": ["bad"]}


def test_lobster_compares_row_by_row(cli: Cli, tmp_path: Path) -> None:
    messages, book = tmp_path / "messages.csv", tmp_path / "book.csv"
    messages.write_text(MESSAGES, encoding="utf-8")
    book.write_text(BOOK, encoding="utf-8")
    assert found(cli, f"lobster {messages} {book}") == {"exact": 2, "total": 2}


@pytest.mark.parametrize("verb", ["matching", "edge-cases", "mbo", "l2"])
def test_a_file_of_another_kind_or_none_is_one_clear_error(verb: str, cli: Cli, tmp_path: Path) -> None:
    missing = cli(f"conformance {verb} {tmp_path / 'none'}")
    assert missing.code == 3
    assert "there is no file" in missing.err
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("hello\n", encoding="utf-8")
    answer = cli(f"conformance {verb} {wrong}")
    assert answer.code == 65
    assert "wrong.csv" in answer.err


@pytest.mark.skipif(not SHARED.exists(), reason="there is no ../shared/data")
def test_the_outside_data_is_met(cli: Cli) -> None:
    lobster = SHARED / "lobster"
    pair = [lobster / f"AAPL_2012-06-21_L10_{kind}_1k.csv.gz" for kind in ("message", "orderbook")]
    assert found(cli, f"lobster {pair[0]} {pair[1]}") == {"exact": 998, "total": 998}
    cases = found(cli, f"edge-cases {SHARED / 'matching' / 'edge_cases.json'}")
    assert (cases["total"], cases["failed"]) == (34, [])
    first = found(cli, f"matching {SHARED / 'matching' / 'normal_seed23_first50k.csv.gz'}")
    with gzip.open(SHARED / "matching" / "normal_seed23_first50k_reports.csv.gz", "rb") as reports:
        assert first["sha256"] == hashlib.sha256(reports.read().rstrip(b"\n")).hexdigest()
