"""How numbers read."""

from __future__ import annotations

import pytest

from tradecli.tui.figures import (
    cents,
    clock_text,
    compact,
    grouped,
    percent,
    precise_clock_text,
    refusal_text,
    share,
    signed,
    span_text,
    sparkline,
    trimmed,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "0"),
        ("999.5", "999.5"),
        ("1000", "1,000"),
        ("-64250.50", "-64,250.50"),
        ("1234567.125", "1,234,567.125"),
    ],
)
def test_thousands_are_separated(text: str, shown: str) -> None:
    assert grouped(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("58.20", "▲ +58.20"), ("-1058.20", "▼ -1,058.20"), ("0.00", "• 0.00"), ("0", "• 0")]
)
def test_direction_is_told_without_colour(text: str, shown: str) -> None:
    assert signed(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("0.500", "0.5"), ("2.00", "2"), ("200", "200"), ("0.00", "0")])
def test_zeros_at_the_end_of_a_fraction_go(text: str, shown: str) -> None:
    assert trimmed(text) == shown


def test_overviews_show_two_decimals() -> None:
    assert [cents(text) for text in ("1.23999", "-1.5", "7")] == ["1.23", "-1.5", "7"]


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(1, 100, "+1.00%"), (-1, 3, "-33.33%"), (0, 5, "0.00%"), (5, 0, ""), (200, 100, "+200.00%")],
)
def test_percent(part: int, whole: int, shown: str) -> None:
    assert percent(part, whole) == shown


def test_clocks_and_spans() -> None:
    moment = (3 * 86_400 + 3_723) * 1_000_000_000 + 45_000_000
    assert clock_text(moment) == "01:02:03"
    assert precise_clock_text(moment) == "01:02:03.045"
    spans = (400_000, 85_000_000, 2_100_000_000, 180_000_000_000)
    assert [span_text(span) for span in spans] == ["0.4 ms", "85 ms", "2.1 s", "3 min"]


def test_sparklines_reach_from_lowest_to_highest() -> None:
    assert sparkline([1, 2, 3], 10) == "▁▄█"
    assert sparkline([5, 5], 10) == "▄▄"
    assert sparkline(list(range(20)), 8)[-1] == "█"
    assert sparkline([], 8) == ""
    assert len(sparkline(list(range(20)), 8)) == 8


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [
        ("12.50000", 6, "12.500"),
        ("12.50000", 3, "12"),
        ("123456.78", 9, "123456.78"),
        ("123456.78", 6, "123456"),
        ("123456.78", 5, "123k"),
        ("1234567", 5, "1234k"),
        ("12345678", 4, "12M"),
        ("12345678", 5, "12.3M"),
        ("12,345,678.9", 9, "12345.67k"),
        ("123456789012", 4, "123G"),
        ("99999", 1, "#"),
    ],
)
def test_sizes_shrink_to_their_cells(text: str, cells: int, shown: str) -> None:
    fitted = compact(text, cells)
    assert fitted == shown
    assert len(fitted) <= max(cells, 1)


def test_shares() -> None:
    assert share(583_000) == "58%"


def test_a_refusal_names_limit_and_value() -> None:
    row = {"code": "risk.notional_max", "message": "too much", "limit": "10", "actual": "12"}
    assert refusal_text(row) == "risk.notional_max: too much (limit 10, here 12)"
    assert refusal_text({"code": "a.b", "message": "no"}) == "a.b: no"
