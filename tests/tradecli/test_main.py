"""The root: global options anywhere, help that costs nothing, and what every failure looks like."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from exchange import errors
from exchange.fresh import FreshExchange
from tests.tradecli.conftest import Cli
from tradecli import failures
from tradecli.context import EXIT_CODES
from tradecli.main import HIDDEN, VERBS, application, hoisted


def commands() -> list[tuple[str, Any]]:
    """Every command with its path, the hidden one left out."""
    root = application()
    found = []
    for name, command in root.commands.items():
        for child, inner in getattr(command, "commands", {"": command}).items():
            found.append((f"{name} {child}".strip(), inner))
    return found


COMMANDS = commands()


def test_help_names_every_command_without_importing_one(cli: Cli) -> None:
    answer = cli("--help")
    assert answer.code == 0
    listed = answer.out.partition("Commands:")[2]
    for name in VERBS:
        assert (f"\n  {name} " in listed) == (name not in HIDDEN)


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_has_help_and_an_example_that_parses(path: str, command: Any, cli: Cli) -> None:
    assert command.help.strip().endswith((".", "first.", "fails.", "failed."))
    examples = [line.strip() for line in command.epilog.splitlines() if "tradecli" in line]
    assert examples
    answer = cli(f"{path} --help")
    assert (answer.code, answer.err) == (0, "")
    assert examples[0] in answer.out
    for example in examples:
        words = next(part for part in example.split(" | ") if part.startswith("tradecli")).partition(" > ")[0]
        check_words(command, shlex.split(words)[1 + len(path.split()) :])


def check_words(command: Any, words: list[str]) -> None:
    """The example's options and arguments are the command's."""
    line = hoisted([word for word in words if word not in ("-o", "json", "csv", "ndjson", "--yes")])
    line = [word for word in line if word not in ("--account", "savings")] if "--account" in line else line
    command.make_context("example", line, resilient_parsing=False).close()


@pytest.mark.parametrize(
    "name", [name for name, (_, verb, _) in VERBS.items() if verb and name not in HIDDEN]
)
def test_the_root_help_says_what_the_command_says(name: str) -> None:
    assert application().commands[name].help.startswith(VERBS[name][2].rstrip("."))


@pytest.mark.parametrize(
    "line",
    [
        "-o json market quote BTC",
        "market -o json quote BTC",
        "market quote BTC -o json",
        "market quote BTC --output json",
        "market quote BTC --output=json",
        "market quote -ojson BTC",
        "market quote BTC --json",
    ],
)
def test_global_options_stand_anywhere(line: str, cli: Cli) -> None:
    answer = cli(line)
    assert answer.code == 0
    assert json.loads(answer.out)[0]["symbol"] == "BTC-USDC"


def test_nothing_behind_two_dashes_is_an_option() -> None:
    assert hoisted(["a", "--json", "--", "-o", "csv", "--yes"]) == ["--json", "a", "--", "-o", "csv", "--yes"]
    assert hoisted(["a", "-o"]) == ["-o", "a"]


def test_an_unknown_format_is_usage(cli: Cli) -> None:
    answer = cli("market quote -o xml")
    assert answer.code == 2
    assert "output 'xml': expected table, json, ndjson, csv" in answer.err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ordr list", "No such command 'ordr'. Did you mean 'order'?"),
        ("order lst", "No such command 'lst'. Did you mean 'list'?"),
        ("market book BTC --level 3", "No such option: --level"),
        ("market book", "Missing argument 'SYMBOL'"),
        ("market book BTC --levels x", "Invalid value for '--levels'"),
        ("market book BTC --levels -3", "Invalid value for '--levels'"),
        ("market trades BTC -5", "-5 is below zero"),
        ("admin role local emperor", "role 'emperor': expected client, broker"),
        ("market candles BTC --timeframe 2m", "timeframe '2m': expected 1m, 5m"),
        ("help nonsense", "there is no topic or command 'nonsense'"),
    ],
)
def test_usage_mistakes_exit_2_with_a_hint(line: str, says: str, cli: Cli) -> None:
    answer = cli(line)
    assert answer.code == 2
    assert answer.out == ""
    assert says in answer.err


def test_a_group_alone_shows_its_help(cli: Cli) -> None:
    answer = cli("market")
    assert answer.code == 2
    assert "Commands:" in answer.err


def test_failures_are_json_when_json_was_asked_for(cli: Cli) -> None:
    answer = cli("order byu -o json")
    assert answer.code == 2
    error = json.loads(answer.out)["error"]
    assert error == {"code": "usage", "message": "No such command 'byu'. Did you mean 'buy'?"}


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (errors.ConfigError("x"), 78, "config"),
        (errors.DataError("x", "f", 3), 65, "data"),
        (errors.JournalError("x"), 65, "journal"),
        (errors.JournalFailed("x"), 74, "journal_failed"),
        (errors.ProtocolError("x"), 65, "protocol"),
        (errors.AuthError("x"), 5, "auth"),
        (errors.NotFound("x"), 3, "not_found"),
        (errors.ConnectionLost("x"), 6, "connection_lost"),
        (errors.StoreLocked("x"), 75, "store_locked"),
        (FileNotFoundError(2, "No such file or directory", "day.ndjson"), 74, "io"),
        (ValueError("oops"), 70, "bug"),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(
    error: Exception, code: int, name: str, exchange: FreshExchange, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*names: str, **params: Any) -> Any:
        raise error

    monkeypatch.setattr(exchange, "query", broken)
    answer = cli("market quote -o json")
    assert answer.code == code
    assert code in dict(EXIT_CODES)
    assert json.loads(answer.out)["error"]["code"] == name
    assert answer.err.startswith("error: ")
    assert "Traceback" not in answer.err


def test_a_bug_is_one_line_and_a_hint_unless_details_are_wanted(
    exchange: FreshExchange, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*names: str, **params: Any) -> Any:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(exchange, "query", broken)
    answer = cli("market quote")
    assert answer.err.splitlines() == [
        "error: ZeroDivisionError: division by zero",
        "  this is a bug in tradecli; nothing is lost; run it again with --debug to see where",
    ]
    assert "Traceback" in cli("market quote --debug").err


def test_ctrl_c_is_quiet(exchange: FreshExchange, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*names: str, **params: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(exchange, "query", interrupted)
    assert cli("market quote") == (130, "", "")


def test_json_is_recognised_even_where_the_line_is_wrong() -> None:
    assert failures.wants_json(["nonsense", "--json"])
    assert failures.wants_json(["-o", "ndjson"])
    assert failures.wants_json(["--output=json"])
    assert failures.wants_json(["-ojson"])
    assert not failures.wants_json(["--json", "-o", "table"])
    assert not failures.wants_json(["buy", "json"])


def test_exit_codes_are_one_table(cli: Cli) -> None:
    rows = json.loads(cli("help exit-codes -o json").out)
    assert [(row["code"], row["meaning"]) for row in rows] == list(EXIT_CODES)


def test_help_topics_and_commands(cli: Cli) -> None:
    assert "buy | sell  SYMBOL SIZE" in cli("help orders").out
    assert "tradecli market book BTC-USDC --levels 5" in cli("help market book").out
    assert "Usage: tradecli market" in cli("help market").out
    assert "Commands:" in cli("help").out


def test_version(cli: Cli) -> None:
    assert set(json.loads(cli("version -o json").out)) == {"version", "core", "python"}
    assert cli("--version").out == cli("version").out


def test_no_command_prints_a_status_table_where_nobody_looks(cli: Cli) -> None:
    answer = cli("")
    assert answer.code == 0
    assert answer.out.splitlines()[0].split() == ["exchange", "local"]
    row = json.loads(cli("-o json").out)
    assert row["account"] == "main"
    assert row["instruments"] == 3


def test_settings_with_their_origin(cli: Cli, tmp_path: Any) -> None:
    (tmp_path / "config.toml").write_text("[market]\nseed = 11\n", encoding="utf-8")
    rows = {row["key"]: row for row in json.loads(cli("config show --origin -o json").out)}
    assert rows["market.seed"]["value"] == "11"
    assert rows["market.seed"]["origin"].endswith("config.toml:2")
    assert rows["ui.hz"]["origin"] == "default"


def test_a_bad_settings_key_is_one_clear_error(cli: Cli, tmp_path: Any) -> None:
    (tmp_path / "config.toml").write_text("[market]\nsed = 11\n", encoding="utf-8")
    answer = cli("config show")
    assert answer.code == 78
    assert "config.toml:2: market.sed: unknown key; did you mean seed?" in answer.err
