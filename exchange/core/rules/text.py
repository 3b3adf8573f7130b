"""Shape of the few texts the core keeps.  Characters are compared one by one: no locale, no regex."""

from __future__ import annotations

from typing import Final

LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-")
# Controls, zero-width and direction marks, line separators, surrogates, tags.  A table of our own:
# what Python calls printable grows with its Unicode version, and a journal must replay the same.
STEERING: Final = (
    ("\x00", "\x1f"),
    ("\x7f", "\x9f"),
    ("\xad", "\xad"),
    ("\u061c", "\u061c"),
    ("\u180e", "\u180e"),
    ("\u200b", "\u200f"),
    ("\u2028", "\u202e"),
    ("\u2060", "\u206f"),
    ("\ud800", "\uf8ff"),
    ("\ufeff", "\ufeff"),
    ("\ufff0", "\uffff"),
    ("\U000e0000", "\U0010ffff"),
)


def is_identifier(text: str, length_max: int) -> bool:
    """1 to length_max characters of ASCII letters, digits and ``_ . : -``."""
    if not 0 < len(text) <= length_max:
        return False
    return all(letter in LETTERS for letter in text)


def is_plain(text: str, length_max: int) -> bool:
    """At most length_max characters, none of them invisible; these never enter the journal."""
    if len(text) > length_max:
        return False
    return not any(low <= letter <= high for letter in text for low, high in STEERING)
