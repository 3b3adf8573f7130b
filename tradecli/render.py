"""Rows to a table, JSON, NDJSON or CSV on standard output; talk and progress on standard error.

Knows nothing of trading: rows are dicts of text, integers and booleans, decimals as text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TextIO, TypeAlias

from exchange.directory import safe_text

Row: TypeAlias = Mapping[str, Any]
Advance: TypeAlias = Callable[[int, int], None]  # done, total (0: unknown)

FORMATS: Final = ("table", "json", "ndjson", "csv")
DECIMAL: Final = re.compile(r"[+-]?[0-9][0-9,]*(?:\.[0-9]+)?%?", re.ASCII)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
WIDE: Final = 10_000  # columns: nothing wraps when nobody looks at a screen
PROGRESS_AFTER: Final = 1.0  # seconds; what is faster needs no bar


def json_text(value: Any) -> str:
    """One line of JSON, ASCII only, so that no byte of it can steer a terminal."""
    import json

    return json.dumps(value, separators=(",", ":"))


def write_line(line: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(line + "\n")


def show_rows(rows: Sequence[Row], output: str, columns: Sequence[str] = ()) -> None:
    """A list of like rows.  columns: which and in what order in a table or CSV; default: all."""
    if output == "json":
        write_line(json_text(list(rows)))
    elif output == "ndjson":
        for row in rows:
            write_line(json_text(row))
    elif output == "csv":
        _write_csv(rows, columns or _columns(rows))
    else:
        _write_table(rows, columns or _columns(rows))


def show_object(row: Row, output: str, lines: Sequence[str] = ()) -> None:
    """One thing.  lines: what a person reads instead of the names and values, if given."""
    if output in ("json", "ndjson"):
        write_line(json_text(row))
    elif output == "csv":
        _write_csv([row], _columns([row]))
    else:
        width = max((len(name) for name in row), default=0)
        for line in lines or [f"{name:<{width}}  {cell_text(value)}" for name, value in row.items()]:
            write_line(safe_text(line).rstrip())


def cell_text(value: Any) -> str:
    """A value as a person reads it: no None, no braces, no control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(cell_text(item) for item in value)
    if isinstance(value, Mapping):
        return " ".join(f"{name}={cell_text(item)}" for name, item in value.items())
    return safe_text(str(value))


def is_number(text: str) -> bool:
    return DECIMAL.fullmatch(text) is not None


def signed_text(text: str) -> str:
    """Profit or loss: glyph and sign, so that colour is never the only signal."""
    if not is_number(text) or not text.strip("+-0.,%"):
        return text
    return f"▼ {text}" if text.startswith("-") else f"▲ +{text.lstrip('+')}"


def is_signed(column: str) -> bool:
    return column in ("realised", "unrealised", "realised_fifo", "unrealised_fifo", "net")


def _columns(rows: Sequence[Row]) -> list[str]:
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    return list(names)


def _write_csv(rows: Sequence[Row], columns: Sequence[str]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_cell(row.get(name)) for name in columns])


def _csv_cell(value: Any) -> str:
    """A spreadsheet must not take a name for a formula; numbers stay numbers."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = (
        json_text(value) if isinstance(value, list | tuple | Mapping) else "" if value is None else str(value)
    )
    text = safe_text(text)
    return f"'{text}" if text.startswith(FORMULA) and not is_number(text) else text


def _write_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    if not rows:
        say("nothing to show")
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1))
    for name in columns:
        texts = [cell_text(row.get(name)) for row in rows]
        is_numeric = any(texts) and all(is_number(text) or not text for text in texts)
        table.add_column(
            Text(name.replace("_", " ")), justify="right" if is_numeric else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(*_cell(name, row.get(name))) for name in columns))
    screen = console()
    with screen.capture() as captured:
        screen.print(table)
    for line in captured.get().splitlines():
        write_line(line.rstrip())


def _cell(column: str, value: Any) -> tuple[str, str]:
    """(text, style)"""
    text = cell_text(value)
    if not is_signed(column):
        return text, ""
    shown = signed_text(text)
    return shown, "green" if shown.startswith("▲") else "red" if shown.startswith("▼") else ""


def console() -> Any:
    """A Rich console on standard output: plain and as wide as needed unless it is a terminal."""
    from rich.console import Console

    is_screen = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        width=None if is_screen else WIDE,
        no_color=not Style.is_coloured,
        color_system="auto" if is_screen and Style.is_coloured else None,
        force_terminal=is_screen,
        markup=False,
        emoji=False,
        highlight=False,
    )


class Style:
    """How this process talks; set once from the options."""

    is_coloured = True
    is_quiet = False


def say(text: str) -> None:
    """Talk, not data: standard error, silent with --quiet."""
    if not Style.is_quiet:
        complain(text)


def complain(text: str) -> None:
    """An error or a warning; shown even with --quiet."""
    for line in text.split("\n"):
        write_line(safe_text(line), sys.stderr)


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """A bar on standard error for what takes longer than a second; nothing without a terminal."""
    if Style.is_quiet or not sys.stderr.isatty():
        yield _unseen
        return
    bar = _Bar(title)
    try:
        yield bar.advance
    finally:
        bar.close()


def _unseen(done: int, total: int) -> None:
    del done, total


class _Bar:
    """Starts the Rich bar only once the work has proved slow."""

    def __init__(self, title: str) -> None:
        import time

        self._clock = time.monotonic
        self._begun = self._clock()
        self._title = title
        self._bar: Any = None
        self._task: Any = None

    def advance(self, done: int, total: int) -> None:
        if self._bar is None:
            if self._clock() - self._begun < PROGRESS_AFTER:
                return
            self._start()
        self._bar.update(self._task, completed=done, total=total or None)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, no_color=not Style.is_coloured),
            transient=True,
        )
        self._task = self._bar.add_task(self._title, total=None)
        self._bar.start()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
