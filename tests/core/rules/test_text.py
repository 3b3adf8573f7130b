from __future__ import annotations

import unicodedata

import pytest

from exchange.core.rules.text import STEERING, is_identifier, is_plain


@pytest.mark.parametrize("text", ["a", "A-1", "x.y:z_0", "0" * 36])
def test_identifiers(text: str) -> None:
    assert is_identifier(text, 36)


@pytest.mark.parametrize(
    "text",
    ["", "a b", "a\n", "café", "\uff41", "a\u0301", "a/b", "#1", "\x00", "\ud800", "0" * 37, "\u0430l"],
)
def test_what_is_no_identifier(text: str) -> None:
    assert not is_identifier(text, 36)


@pytest.mark.parametrize("text", ["", "salary, March", "naïve 日本語 🙂", "x" * 200, "a\u00a0b"])
def test_plain_text(text: str) -> None:
    assert is_plain(text, 200)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 201,
        "a\nb",
        "\x1b[31mred",
        "a\tb",
        "\x7f",
        "\x9b",
        "\u202eevil",
        "zero\u200bwidth",
        "\ufeff",
        "\ud800",
        "\ue000",
    ],
)
def test_what_is_no_plain_text(text: str) -> None:
    assert not is_plain(text, 200)


def test_no_control_character_and_no_surrogate_is_plain() -> None:
    for point in range(0x110000):
        letter = chr(point)
        if unicodedata.category(letter) in ("Cc", "Cs", "Co") or unicodedata.bidirectional(letter) in (
            "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI",
        ):  # fmt: skip
            assert not is_plain(letter, 1), hex(point)


def test_the_table_is_sorted_and_does_not_overlap() -> None:
    edges = [edge for pair in STEERING for edge in pair]
    assert edges == sorted(edges)
