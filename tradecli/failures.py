"""How a failure reads, and the exit code it ends with: a line for a person, an object for a program."""

from __future__ import annotations

import os
import sys
from typing import Any

from exchange.directory import safe_text
from exchange.errors import ExchangeError
from tradecli import render
from tradecli.errors import InputError, Refused

BUG = 70
INPUT_OUTPUT = 74


class Detail:
    """Is the traceback of a bug wanted?  Set once from the options."""

    is_wanted = False


def explain(error: Exception, line: list[str]) -> int:
    """Say what went wrong and return the exit code.  line: the words of the command line."""
    is_json = wants_json(line)
    if isinstance(error, Refused):
        return _refused(error, is_json=is_json)
    if isinstance(error, InputError):
        return _told("usage", str(error), error.exit_code, is_json=is_json, more=error.pointer())
    if isinstance(error, ExchangeError):
        return _told(code_of(error), str(error), error.exit_code, is_json=is_json)
    if hasattr(error, "format_message"):  # what Typer raises for a wrong option or argument
        return _misused(error, line, is_json=is_json)
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return _told("io", f"{error.strerror or error}{place}", INPUT_OUTPUT, is_json=is_json)
    return _crashed(error, is_json=is_json)


def code_of(error: ExchangeError) -> str:
    """``NotFound`` reads ``not_found``, ``DataError`` reads ``data``."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]


def wants_json(line: list[str]) -> bool:
    """Is a failure to be told in JSON?  Known even where the line cannot be parsed."""
    chosen = ""
    for word, value in zip(line, [*line[1:], ""], strict=True):
        if word == "--json":
            chosen = "json"
        elif word in ("-o", "--output"):
            chosen = value
        elif word.startswith("--output=") or (word.startswith("-o") and word[2:] in render.FORMATS):
            chosen = word.removeprefix("--output=").removeprefix("-o")
    return chosen in ("json", "ndjson")


def silence() -> None:
    """Nobody reads standard output any more: nothing may be written there at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())


def reject_lines(row: dict[str, Any]) -> list[str]:
    """The reason and, where it has them, the limit and the actual value."""
    lines = [f"rejected: {row['code']}: {row['message']}"]
    if "limit" in row:
        lines.append(f"  limit {row['limit']}, actual {row['actual']}")
    if "order_id" in row:
        lines.append(f"  order {row['order_id']}")
    return lines


def _refused(error: Refused, *, is_json: bool) -> int:
    if is_json:
        render.write_line(render.json_text({"ok": False, "error": error.row}))
    render.complain("\n".join(reject_lines(error.row)))
    return 1


def _told(code: str, message: str, exit_code: int, *, is_json: bool, more: list[str] | None = None) -> int:
    if is_json:
        render.write_line(render.json_text({"ok": False, "error": {"code": code, "message": message}}))
    render.complain("\n".join([f"error: {message}", *(f"  {text}" for text in more or [])]))
    return exit_code


def _misused(error: Any, line: list[str], *, is_json: bool) -> int:
    """A wrong option, argument or command name."""
    context = getattr(error, "ctx", None)
    message = error.format_message().rstrip(".")
    if context is not None and type(error).__name__ == "NoArgsIsHelpError":
        render.complain(context.get_help())
        return 2
    number = _negative(getattr(error, "option_name", ""), line)
    if number:
        message = f"{number} is below zero: quantities, prices and amounts are above zero"
    path = context.command_path if context is not None else "tradecli"
    return _told("usage", message, 2, is_json=is_json, more=[f"see: {path} --help"])


def _negative(option: str, line: list[str]) -> str:
    """The negative number that was taken for an option; "" if it was none."""
    if not option[1:2].isdigit() and option[1:2] != ".":
        return ""
    return safe_text(next((word for word in line if word.startswith(option)), ""))[:40]


def _crashed(error: Exception, *, is_json: bool) -> int:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "this is a bug in tradecli; nothing is lost; run it again with --debug to see where"
    if Detail.is_wanted:
        import traceback

        hint = "".join(traceback.format_exception(error)).rstrip()
    return _told("bug", what, BUG, is_json=is_json, more=hint.split("\n"))
