"""The matching suite on the engine: report lines, sums, checkpoints and everything that is no message."""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import lzma
from pathlib import Path

import pytest

from exchange.conformance import checkpoints, edge_cases, matching
from exchange.conformance.matching import report_lines
from exchange.conformance.order_flow import BLOCK, NEAR_IDS
from exchange.errors import DataError, NotFound
from tests.conformance.naive_suite import NaiveSuite, random_messages

FLOW = ["N,1,S,100,10,G", "N,2,B,99,10,G", "M,2,100,4", "C,1", "C,1", "M,2,1,1", "N,3,B,7,2,I"]
REPORTS = [
    "0,0,1,1,100,10",
    "0,1,0,2,99,10",
    "1,2,100,4,1,2",
    "3,2,0,2,100,4",
    "2,3,1,1,100",
    "4,4,1",
    "5,5,2",
    "0,6,0,3,7,2",
    "2,6,0,3,7",
]


def written(folder: Path, lines: list[str], end: str = "\n") -> Path:
    path = folder / "flow.csv"
    path.write_text("\n".join(lines) + end)
    return path


def sum_of(reports: list[str]) -> str:
    return hashlib.sha256("\n".join(reports).encode()).hexdigest()


def test_reports_say_what_the_engine_did(tmp_path: Path) -> None:
    assert list(report_lines(written(tmp_path, FLOW))) == REPORTS


def test_summary_counts_and_hashes_the_reports(tmp_path: Path) -> None:
    row = matching(written(tmp_path, FLOW))
    assert row.pop("messages_per_s") > 0
    assert row == {"messages": 7, "reports": 9, "trades": 1, "sha256": sum_of(REPORTS), "resting": 0}


@pytest.mark.parametrize("end", ["", "\n"])
def test_last_line_may_lack_its_break(tmp_path: Path, end: str) -> None:
    assert matching(written(tmp_path, FLOW, end))["sha256"] == sum_of(REPORTS)


def test_compressed_files_are_told_by_their_contents(tmp_path: Path) -> None:
    data = "\r\n".join(FLOW).encode()
    for name, packed in (("a", data), ("b", gzip.compress(data)), ("c", lzma.compress(data))):
        (tmp_path / name).write_bytes(packed)
        assert matching(tmp_path / name)["sha256"] == sum_of(REPORTS)


@pytest.mark.parametrize("seed", range(4))
def test_random_flow_equals_the_naive_matcher(tmp_path: Path, seed: int) -> None:
    messages = random_messages(seed, 2 * BLOCK + 345)  # over two turns of the sequence texts
    assert list(report_lines(written(tmp_path, messages))) == NaiveSuite().play(messages)


@pytest.mark.parametrize("price", [999, 1_000, 1_001, 12_045, 999_999, BLOCK * BLOCK, BLOCK * BLOCK + 7])
def test_ids_and_prices_of_every_length_are_as_good(tmp_path: Path, price: int) -> None:
    far = NEAR_IDS + 5
    flow = [f"N,{far},S,{price},1000,G", f"N,{far + 1},B,{price},4001,G", f"C,{far}", f"C,{far + 1}"]
    assert list(report_lines(written(tmp_path, flow))) == NaiveSuite().play(flow)


def test_an_id_may_be_used_again_once_its_order_is_gone(tmp_path: Path) -> None:
    flow = ["N,1,B,5,1,G", "C,1", "N,1,S,6,1,G", "N,2,B,6,1,I", "N,1,B,4,1,G"]
    assert list(report_lines(written(tmp_path, flow))) == NaiveSuite().play(flow)


def test_checkpoints_come_at_their_distance_and_at_the_end(tmp_path: Path) -> None:
    found = list(checkpoints(written(tmp_path, FLOW), every=3))
    assert [point.messages for point in found] == [3, 6, 7]
    assert found[0][1:] == (sum_of(REPORTS[:4]), 0, 0, 100, 6, 1)
    assert found[-1].sha256 == sum_of(REPORTS)


def test_progress_ends_with_the_whole_file(tmp_path: Path) -> None:
    path = written(tmp_path, FLOW)
    told: list[tuple[int, int]] = []
    matching(path, lambda done, total: told.append((done, total)))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_collector_is_left_as_it_was(tmp_path: Path) -> None:
    before = gc.get_threshold()
    matching(written(tmp_path, FLOW))
    assert gc.get_threshold() == before


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "a message is N with 5 fields"),
        ("X,1", "a message is N with 5 fields"),
        ("N,1,B,100,10", "a message is N with 5 fields"),
        ("N,9,B,100,10,G,", "a message is N with 5 fields"),
        ("C,1,2", "a message is N with 5 fields"),
        ("N,9,X,100,10,G", "the side is B or S"),
        ("N,9,B,100,10,F", "the side is B or S"),
        ("N,9,B,NaN,10,G", "'NaN' is not a whole number"),
        ("N,9,B,1e3,10,G", "'1e3' is not a whole number"),
        ("N,9,B,100,-1,G", "'-1' is not a whole number"),
        ("N,9,B,100,1.5,G", "'1.5' is not a whole number"),
        ("N,9,B,100,010,G", "'010' is not a whole number"),
        ("N,9,B,1_0,10,G", "'1_0' is not a whole number"),
        ("C,", "'' is not a whole number"),
        ("C," + "9" * 19, "is not a whole number"),
        ("N,9,B,0,10,G", "the engine refuses it: order.limit_missing"),
        ("N,9,B,100,0,G", "the engine refuses it: order.quantity_range"),
        ("M,1,100,0", "the engine refuses it: order.quantity_range"),
        ("N,1,B,100,10,G", "an order with this id is resting"),
    ],
)
def test_what_is_no_message_is_named_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    path = written(tmp_path, ["N,1,B,99,1,G", "N,2,B,98,1,G", line, "C,2"])
    with pytest.raises(DataError, match=why) as caught:
        matching(path)
    assert (caught.value.file, caught.value.line) == (str(path), 3)


def test_an_empty_file_holds_no_messages(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is empty"):
        matching(written(tmp_path, [], end=""))


def test_binary_junk_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "junk"
    path.write_bytes(b"N,1,B,99,1,G\nC,\xff\n")
    with pytest.raises(DataError, match="is not plain text"):
        matching(path)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_cut_off_archive_is_an_error(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    path = tmp_path / "cut"
    path.write_bytes(pack("\n".join(random_messages(1, 500)).encode())[:-30])
    with pytest.raises(DataError, match="damaged or cut off"):
        matching(path)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file"):
        matching(tmp_path / "nowhere.csv")


def test_edge_cases_name_what_fails(tmp_path: Path) -> None:
    good = {"messages": FLOW[:1], "reports": REPORTS[:1], "bbo_after_each": [[None, 0, 100, 10]]}
    cases = {
        "good": good,
        "wrong_report": {**good, "reports": ["0,0,1,1,100,11"]},
        "wrong_top": {**good, "bbo_after_each": [[100, 10, None, 0]]},
    }
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    assert edge_cases(path) == {"total": 3, "passed": 1, "failed": ["wrong_report", "wrong_top"]}


@pytest.mark.parametrize("text", ["", "[]", "{]", '{"a": {}}', '{"a": {"messages": ["N"]}}', '{"a": 1}'])
def test_another_file_is_no_set_of_edge_cases(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(text)
    with pytest.raises(DataError, match="edge cases"):
        edge_cases(path)


def test_all_edge_cases_of_the_suite_pass(shared_data: Path) -> None:
    assert edge_cases(shared_data / "matching/edge_cases.json") == {"total": 34, "passed": 34, "failed": []}


def test_first_messages_of_the_suite_report_line_by_line(shared_data: Path) -> None:
    folder = shared_data / "matching"
    expected = gzip.decompress((folder / "normal_seed23_first50k_reports.csv.gz").read_bytes()).decode()
    found = list(report_lines(folder / "normal_seed23_first50k.csv.gz"))
    assert found == expected.rstrip("\n").split("\n")
    (last,) = checkpoints(folder / "normal_seed23_first50k.csv.gz")
    published = json.loads((folder / "expected.json").read_text())["normal_seed23"]
    assert list(last) == published["checkpoints"][0]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["normal_seed23", "static_seed23", "flash-crash_seed23"])
def test_published_sums_are_reproduced(shared_data: Path, scenario: str) -> None:
    folder = shared_data / "matching"
    published = json.loads((folder / "expected.json").read_text())[scenario]
    found = [list(point) for point in checkpoints(folder / f"{scenario}.csv.xz")]
    assert found == published["checkpoints"]
    assert found[-1][1] == published["sha256"] == published["published"]
