"""What a person did wrong, or was refused; how either reads is in ``failures``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exchange.errors import ExchangeError


class InputError(ExchangeError):
    """Something typed cannot be understood.  line[start:end] is the word at fault, if there is one."""

    exit_code = 2

    def __init__(self, message: str, line: str = "", start: int = 0, end: int = 0) -> None:
        self.message = message
        self.line = line
        self.start = start
        self.end = end
        super().__init__(message)

    def pointer(self) -> list[str]:
        """The line and a row of carets under the word; nothing when there is no line."""
        if not self.line:
            return []
        return [self.line, " " * self.start + "^" * max(self.end - self.start, 1)]


class Refused(Exception):
    """The exchange said no.  row: code, message, and limit and actual where the reason has them."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = dict(row)
        super().__init__(row["code"])


def choose(field: str, text: str, choices: Iterable[str]) -> str:
    """One of the choices, in any case.  Raises InputError with a did-you-mean."""
    known = list(choices)
    if text.lower() in known:
        return text.lower()
    shown = "".join(letter for letter in text if letter.isprintable())[:40]
    raise InputError(f"{field} {shown!r}: expected {expected(text, known)}")


def expected(text: str, known: list[str]) -> str:
    """``gtc, ioc, fok; did you mean gtc?``"""
    import difflib

    close = difflib.get_close_matches(text.lower(), known, n=2, cutoff=0.6)
    return ", ".join(known) + (f"; did you mean {' or '.join(close)}?" if close else "")
