"""TOML files for people: every complaint names file, line and key, and the nearest known key.

The standard reader gives no positions, so a scanner finds the line each key stands on.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeAlias

from exchange.errors import ConfigError

KeyPath: TypeAlias = tuple[str | int, ...]  # names, and positions in arrays of tables

SIZE_MAX = 1 << 20
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")


class TomlSource:
    """A parsed file.  values: what the standard reader made of it.   lines: 1-based, by key path."""

    def __init__(self, file: str, values: dict[str, Any], lines: dict[KeyPath, int]) -> None:
        self.file = file
        self.values = values
        self.lines = lines

    def line(self, path: KeyPath) -> int:
        """Of this key, or of the nearest table around it; 0 if unknown."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return 0

    def origin(self, path: KeyPath) -> str:
        line = self.line(path)
        return f"{self.file}:{line}" if line else self.file

    def error(self, path: KeyPath, why: str) -> ConfigError:
        """``file:line: key: why``"""
        return ConfigError(f"{self.origin(path)}: {key_text(path)}: {why}")

    def check_keys(self, path: KeyPath, table: dict[str, Any], known: Collection[str]) -> None:
        """Raises ConfigError for the first key that is not known."""
        for key in table:
            if key not in known:
                raise self.error((*path, key), unknown_key(key, known))


def key_text(path: KeyPath) -> str:
    """``market.seed``; ``instrument[2].tick`` counts from one."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{_printable(part)}"
    return text.lstrip(".")


def unknown_key(key: str, known: Collection[str]) -> str:
    import difflib

    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(key.lower(), by_lower, n=1, cutoff=0.5)
    hint = f"did you mean {by_lower[near[0]]}?" if near else f"known keys: {', '.join(known)}"
    return f"unknown key; {hint}"


def read_toml(path: Path) -> TomlSource:
    """Raises ConfigError: unreadable, too large, not UTF-8, not TOML."""
    import tomllib

    try:
        with path.open("rb") as stream:
            raw = stream.read(SIZE_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > SIZE_MAX:
        raise ConfigError(f"{path}: larger than {SIZE_MAX} bytes, so not a settings file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: byte {error.start} is not UTF-8 text") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        why = str(error)[: found.start()] if found else str(error)
        last = text.count("\n") + 1
        number = found.group(1) if found else ""
        raise ConfigError(f"{path}:{number or last}: not TOML: {_printable(why)}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    return TomlSource(str(path), values, _lines_of(text))


def _lines_of(text: str) -> dict[KeyPath, int]:
    """Line of every header and key of a valid document."""
    lines: dict[KeyPath, int] = {}
    arrays: dict[KeyPath, int] = {}
    table: KeyPath = ()
    position, number = 0, 1
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].strip()
        if line.startswith("["):
            is_array = line.startswith("[[")
            table = _resolved(_dotted(line.lstrip("["))[0], arrays, is_array=is_array)
            for length in range(1, len(table) + 1):
                lines.setdefault(table[:length], number)
        elif line and not line.startswith("#"):
            names, used = _dotted(text[position:end])
            path = (*table, *names)
            for length in range(len(table) + 1, len(path) + 1):
                lines.setdefault(path[:length], number)
            end = _value_end(text, position + used + 1)
        number += text.count("\n", position, end + 1)
        position = end + 1
    return lines


def _dotted(text: str) -> tuple[KeyPath, int]:
    """The dotted key a line starts with, and its length."""
    names: list[str] = []
    position = 0
    while (found := _KEY.match(text, position)) is not None:
        names.append(next(part for part in found.groups() if part is not None))
        position = found.end()
        if text[position : position + 1] != ".":
            break
        position += 1
    return tuple(names), position


def _resolved(names: KeyPath, arrays: dict[KeyPath, int], *, is_array: bool) -> KeyPath:
    """The header's path with the position of each array of tables in it."""
    path: KeyPath = ()
    for depth, name in enumerate(names):
        path = (*path, name)
        is_last = depth == len(names) - 1
        if is_array and is_last:
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path = (*path, arrays[path])
    return path


def _value_end(text: str, position: int) -> int:
    """Where the line ends on which the value starting here ends."""
    depth = 0
    while position < len(text):
        letter = text[position]
        if letter == "\n" and depth <= 0:
            return position
        if letter == "#":
            position = text.find("\n", position)
            if position < 0:
                return len(text)
            continue
        if letter in "\"'":
            position = _string_end(text, position)
            continue
        depth += (letter in "[{") - (letter in "]}")
        position += 1
    return len(text)


def _string_end(text: str, start: int) -> int:
    quote = text[start]
    if text.startswith(quote * 3, start):
        quote *= 3
    position = start + len(quote)
    while position < len(text):
        if text[position] == "\\" and quote[0] == '"':
            position += 2
        elif text.startswith(quote, position):
            position += len(quote)
            while len(quote) == 3 and text[position : position + 1] == quote[0]:
                position += 1  # up to two quotes may stand before the closing three
            return position
        else:
            position += 1
    return len(text)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200]
