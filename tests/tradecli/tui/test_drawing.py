"""Candles, scales, tables and pictures: the parts that draw without an app."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from exchange.core.terms import BUY, SELL
from exchange.core.units import DAY, SECOND
from exchange.directory import Directory
from exchange.views.candles import HOUR, MINUTE, Candle
from exchange.views.depth import Depth
from tests.tradecli.tui.memory import founded, market_day
from tests.tradecli.tui.stage import Stage, play
from tradecli.tui.pictures import picture
from tradecli.tui.theme import COLOR_BLIND, DARK, LIGHT, PALETTES, ink, palette_of, themes, variables
from tradecli.tui.widgets.candles import GLYPHS, Scale, column, nice_step, time_label, time_marks
from tradecli.tui.widgets.order_book import OrderBook
from tradecli.tui.widgets.surface import Row, right_aligned
from tradecli.tui.widgets.table import Cell, Column, Line, widths_of

DIRECTORY = Directory.of(founded().state)


def candle(opening: int, high: int, low: int, close: int, begin: int = 0) -> Candle:
    made = Candle(begin, opening)
    made.high, made.low, made.close = high, low, close
    return made


def drawn(made: Candle, low: int, high: int, rows: int) -> str:
    """Glyphs from the top, on a scale without margins."""
    scale = Scale(low, high, rows)
    scale.low, scale.high = low, high
    return "".join(GLYPHS[halves] for halves in column(made, scale, rows))


def test_a_candle_is_body_and_wicks() -> None:
    assert drawn(candle(4, 8, 0, 6), 0, 8, 4) == "│██│"
    assert drawn(candle(5, 5, 2, 2), 0, 8, 4) == " ▄█▀"


def test_a_price_that_did_not_move_is_still_seen() -> None:
    assert drawn(candle(4, 4, 4, 4), 0, 8, 4).strip() != ""
    flat = Scale(100, 100, 5)
    assert 0 <= flat.row(100) < 5


def test_no_wick_stands_apart_from_its_body() -> None:
    for opening in range(12):
        for close in range(12):
            for high in range(max(opening, close), 13):
                text = drawn(candle(opening, high, 0, close), 0, 12, 6).strip()
                assert not re.search(r"[│╷]▄|▀[│╵]|╵[█▀]|[█▄]╷", text), text


@pytest.mark.parametrize(("least", "step"), [(1, 1), (3, 5), (6, 10), (11, 20), (450, 500), (501, 1_000)])
def test_steps_of_the_price_axis_are_round(least: int, step: int) -> None:
    assert nice_step(least) == step


def test_labels_of_the_price_axis_keep_their_distance() -> None:
    scale = Scale(6_400_000, 6_450_000, 30)
    rows = [scale.row(price) for price in scale.labels(4)]
    assert len(rows) > 3
    assert all(abs(a - b) >= 4 for a, b in pairwise(rows))
    assert abs(scale.row(scale.price(10)) - 10) <= 1


def test_times_of_the_axis() -> None:
    noon = 12 * HOUR
    assert time_label(noon, MINUTE) == "12:00"
    assert time_label(noon + 5 * SECOND, 5 * SECOND) == "12:00:05"
    assert time_label(DAY, HOUR) == "02 Jan"
    assert time_label(DAY, DAY) == "02 Jan 70"


def test_marks_of_the_time_axis_do_not_touch() -> None:
    for length in (5 * SECOND, MINUTE, 15 * MINUTE, 4 * HOUR, DAY):
        marks = time_marks([candle(1, 1, 1, 1, at * length) for at in range(120)], 2, length)
        assert len(marks) > 1
        for (left, text), (right, _) in pairwise(marks):
            assert left + len(text) < right


def test_columns_leave_by_weight() -> None:
    columns = (
        Column("a", is_number=False, weight=9),
        Column("bb", is_number=True, weight=1),
        Column("c", is_number=True, weight=5),
    )
    lines = [Line(1, (Cell("aaaa"), Cell("1"), Cell("22")))]
    assert widths_of(columns, lines, 40) == [4, 2, 2]
    assert widths_of(columns, lines, 11) == [4, 0, 2]
    assert widths_of(columns, lines, 6) == [4, 0, 0]
    assert widths_of(columns, lines, 1) == [4, 0, 0]


def test_rows_are_exactly_as_wide_as_asked() -> None:
    style = ink("#ffffff", "#000000")
    assert Row().add("abc", style).strip(5, style).text == "abc  "
    assert Row().add("abcdef", style).strip(4, style).text == "abcd"
    assert Row().left("日本", 3, style).strip(3, style).cell_length == 3
    assert Row().add("a\x1b[2Jb", style).strip(5, style).text == "a[2Jb"
    assert right_aligned("12345", 3) == "…45"


def test_a_grouped_level_carries_all_of_ones_own_lots() -> None:
    book = OrderBook()
    book.directory = DIRECTORY
    book.depth = Depth(0)
    book.depth.load(1, [(6_400_003, 5, 1)], [(6_400_107, 5, 1)], levels_max=9)
    book.own = {(BUY, 6_400_003): 1_000, (BUY, 6_400_009): 500, (SELL, 6_400_107): 700}
    book.step_at = 3  # ten ticks
    text = "\n".join(strip.text for strip in book.draw(44, 12))
    assert "0.015" in text
    assert "0.007" in text
    assert "64,000.00" in text
    assert "64,001.10" in text


def test_palettes_are_whole_and_different() -> None:
    assert palette_of(variables(LIGHT)) == LIGHT
    assert palette_of({}) == DARK
    assert len({COLOR_BLIND.up, COLOR_BLIND.down, DARK.up, DARK.down}) == 4
    assert {theme.name for theme in themes()} == {f"tradecli-{name}" for name in PALETTES}


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", PALETTES)
def test_text_stands_out_from_what_it_lies_on(name: str) -> None:
    """Contrast as in WCAG 2.1: 4.5 for what must be read, 3 for bold words on colour."""
    palette = PALETTES[name]

    def contrast(a: str, b: str) -> float:
        bright, dark = sorted((luminance(a), luminance(b)), reverse=True)
        return (bright + 0.05) / (dark + 0.05)

    for background in (palette.panel, palette.panel_alt, palette.raised, palette.cursor):
        assert contrast(palette.text, background) >= 4.5
        for color in (palette.up, palette.down, palette.own, palette.error):
            assert contrast(color, background) >= 3, (color, background)
    for color in (palette.up, palette.down, palette.own, palette.accent, palette.warn, palette.error):
        assert contrast(palette.inverse, color) >= 3, color
    for bar in (palette.up_bar, palette.down_bar):
        assert contrast(palette.text, bar) >= 4.5


def test_a_picture_is_well_formed_and_has_every_pane() -> None:
    texts: list[str] = []

    async def scene(stage: Stage) -> None:
        await stage.press("b")
        drawn = picture(stage.app)
        texts.append(drawn)
        await stage.press("escape", "question_mark")
        texts.append(picture(stage.app))

    play(scene, market_day())
    for text in texts:
        root = ElementTree.fromstring(text)
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
        words = {node.text for node in root.iter("{http://www.w3.org/2000/svg}text")}
        assert all(any(name in word for word in words if word) for name in ("Watchlist", "Tape", "Orders"))
    assert "review" in texts[0]
    assert "crosshair" in texts[1]
