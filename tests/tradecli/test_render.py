"""Rows on their way out: the four formats, signs, formulas, hostile text, talk on the other stream."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tradecli import render

ROWS = [
    {"symbol": "BTC-USDC", "quantity": "0.500", "net": "58.20", "is_open": True, "note": None},
    {"symbol": "ETH-USDC", "quantity": "12.000", "net": "-3.10", "is_open": False, "note": "=1+1"},
]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render.Style, "is_quiet", False)
    monkeypatch.setattr(render.Style, "is_coloured", False)


def test_json_is_one_line_and_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_rows([{"name": "Zürich \x1b[31m\u202e"}], "json")
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.isascii()
    assert json.loads(out) == [{"name": "Zürich \x1b[31m\u202e"}]
    assert "\x1b" not in out


def test_ndjson_is_a_line_per_row(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_rows(ROWS, "ndjson")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ROWS


def test_csv_keeps_numbers_and_defuses_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_rows([*ROWS, {"symbol": "@cmd", "quantity": "-5", "net": "+1.00", "note": "-2+3"}], "csv")
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert found[0] == {
        "symbol": "BTC-USDC",
        "quantity": "0.500",
        "net": "58.20",
        "is_open": "true",
        "note": "",
    }
    assert found[1]["note"] == "'=1+1"
    assert found[1]["net"] == "-3.10"
    assert (found[2]["symbol"], found[2]["quantity"], found[2]["net"]) == ("'@cmd", "-5", "+1.00")
    assert found[2]["note"] == "'-2+3"


def test_csv_of_nested_values_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_object({"levels": [["1", "2"]], "sum": {"USDC": "0"}}, "csv")
    assert capsys.readouterr().out == 'levels,sum\n"[[""1"",""2""]]","{""USDC"":""0""}"\n'


def test_table_aligns_numbers_and_signs_profit(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_rows(ROWS, "table", ("symbol", "quantity", "net", "is_open", "note"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["symbol", "quantity", "net", "is", "open", "note"]
    assert lines[2].split() == ["BTC-USDC", "0.500", "▲", "+58.20", "yes"]
    assert lines[3].split() == ["ETH-USDC", "12.000", "▼", "-3.10", "no", "=1+1"]
    assert lines[2].index("0.500") + len("0.500") == lines[3].index("12.000") + len("12.000")
    assert not any(line.endswith(" ") for line in lines)


def test_a_wide_table_is_never_wrapped_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_rows([{f"column{n}": "x" * 50 for n in range(20)}], "table")
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_hostile_text_is_cleaned_and_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_rows([{"name": "[bold]\x1b]0;x\x07[/bold]\u202e:smile:"}], "table")
    out = capsys.readouterr().out
    assert "[bold]]0;x[/bold]:smile:" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_an_empty_list_is_talk_in_a_table_and_data_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_rows([], "table")
    assert capsys.readouterr() == ("", "nothing to show\n")
    render.show_rows([], "json")
    assert capsys.readouterr() == ("[]\n", "")
    render.show_rows([], "csv", ("a", "b"))
    assert capsys.readouterr() == ("a,b\n", "")


def test_an_object_reads_as_lines_or_as_names_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    render.show_object({"ok": True, "levels": [1, 2], "sum": {"a": "0"}}, "table")
    assert capsys.readouterr().out == "ok      yes\nlevels  1 2\nsum     a=0\n"
    render.show_object({"ok": True}, "table", ("all \x07good",))
    assert capsys.readouterr().out == "all good\n"
    render.show_object({"ok": True}, "json", ("all good",))
    assert capsys.readouterr().out == '{"ok":true}\n'


@pytest.mark.parametrize(
    ("text", "shown"),
    [("58.20", "▲ +58.20"), ("+1", "▲ +1"), ("-3.10", "▼ -3.10"), ("0.00", "0.00"), ("", ""), ("n/a", "n/a")],
)
def test_profit_has_a_glyph_and_a_sign(text: str, shown: str) -> None:
    assert render.signed_text(text) == shown


def test_talk_goes_to_the_other_stream_and_can_be_silenced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    render.say("working\x1b[2J")
    assert capsys.readouterr() == ("", "working[2J\n")
    monkeypatch.setattr(render.Style, "is_quiet", True)
    render.say("working")
    render.complain("wrong")
    assert capsys.readouterr() == ("", "wrong\n")


def test_no_progress_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with render.progress("counting") as advance:
        advance(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_progress_bar_starts_when_the_work_has_proved_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(render, "PROGRESS_AFTER", 0.0)
    with render.progress("counting") as advance:
        advance(1, 4)
        advance(4, 4)
    assert "counting" in screen.getvalue()
    monkeypatch.setattr(render, "PROGRESS_AFTER", 3600.0)
    quick = io.StringIO()
    monkeypatch.setattr(quick, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", quick)
    with render.progress("counting") as advance:
        advance(4, 4)
    assert quick.getvalue() == ""
