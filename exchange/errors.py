"""Operator and data mistakes.  A trader's mistake is a ``Reject`` value; a bug is an ``assert``.

    ExchangeError
    ├── ConfigError      a setting or an instrument file: which file, key and why
    ├── DataError        a data file or a message: file, line, why
    ├── JournalError     a damaged or foreign journal or snapshot: file, offset, sequence
    ├── JournalFailed    the disk refused a write or a sync; nothing more is accepted
    ├── ProtocolError    the other side of a connection spoke nonsense
    ├── AuthError        not who you say, or not allowed
    ├── NotFound         no such account, order, instrument or file
    ├── ConnectionLost   the exchange went away; the outcome of what was under way is unknown
    └── StoreLocked      another process owns the store and cannot be attached to

Each says what, where and what to do.
"""

from __future__ import annotations


class ExchangeError(Exception):
    """Root of the tree; ``exit_code`` follows the table in ``tradecli/context.py``."""

    exit_code = 70


class ConfigError(ExchangeError):
    exit_code = 78


class DataError(ExchangeError):
    """file: where it came from ("" if nowhere), line: 1-based, 0 if unknown."""

    exit_code = 65

    def __init__(self, why: str, file: str = "", line: int = 0) -> None:
        self.why = why
        self.file = file
        self.line = line
        places = [file] if file else []
        if line:
            places.append(f"line {line}")
        super().__init__(": ".join([*places, why]))


class JournalError(ExchangeError):
    exit_code = 65

    def __init__(self, why: str, file: str = "", offset: int = -1, seq: int = -1) -> None:
        self.file = file
        self.offset = offset
        self.seq = seq
        at = f" at offset {offset}" if offset >= 0 else ""
        number = f" (sequence {seq})" if seq >= 0 else ""
        super().__init__(f"{file}{at}{number}: {why}" if file else why)


class JournalFailed(ExchangeError):
    exit_code = 74


class ProtocolError(ExchangeError):
    exit_code = 65


class AuthError(ExchangeError):
    exit_code = 5


class NotFound(ExchangeError):
    exit_code = 3


class ConnectionLost(ExchangeError):
    exit_code = 6


class StoreLocked(ExchangeError):
    exit_code = 75
