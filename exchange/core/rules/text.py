"""Shape of the few texts the core keeps.  Characters are compared one by one: no locale, no regex."""

from __future__ import annotations

from typing import Final

LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-")


def is_identifier(text: str, length_max: int) -> bool:
    """1 to length_max characters of ASCII letters, digits and ``_ . : -``."""
    if not 0 < len(text) <= length_max:
        return False
    return all(letter in LETTERS for letter in text)


def is_plain(text: str, length_max: int) -> bool:
    """At most length_max printable characters; control characters never enter the journal."""
    return len(text) <= length_max and text.isprintable()
