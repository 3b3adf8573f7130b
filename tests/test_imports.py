"""Heavy packages stay out until a command needs them; the static import graph cannot see that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {
    "pandas",
    "numpy",
    "ta",
    "textual",
    "sqlalchemy",
    "aiosqlite",
    "alembic",
    "websockets",
    "asyncio",
    "rich",
}
SCRIPT = """
import json, sys
lines = json.loads(sys.argv[1])
from tradecli.main import run
codes = [run(line) for line in lines]
sys.stderr.write(json.dumps([codes, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def loaded(home: Path, *lines: list[str]) -> set[str]:
    """Top-level packages in memory after these command lines in one process."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TRADECLI_")},
        "PYTHONPATH": str(ROOT),
        "TRADECLI_HOME": str(home),
        "TRADECLI_MARKET_FEED": "none",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(lines)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
        check=True,
        timeout=120,
    )
    codes, modules = json.loads(done.stderr.splitlines()[-1])
    assert codes == [0] * len(lines), done.stdout
    return set(modules)


def test_importing_the_command_line_is_light(tmp_path: Path) -> None:
    assert not HEAVY & loaded(tmp_path)


def test_help_is_light_and_imports_no_command(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom tradecli.main import run\nrun(['--help'])\nsys.stderr.write(repr([*sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=120,
    )
    assert "tradecli.commands" not in done.stderr
    assert "exchange.core.engine" not in done.stderr
    assert not HEAVY & loaded(tmp_path, ["--help"])


@pytest.mark.parametrize(
    "line",
    [
        ["order", "buy", "BTC-USDC", "0.001", "--limit", "64000"],
        ["buy", "BTC-USDC", "0.001", "@", "64000", "-o", "json"],
        ["buy", "BTC-USDC", "0.001", "@", "64000", "--preview"],
        ["account", "deposit", "USDC", "5"],
        ["market", "quote", "-o", "json"],
        ["version"],
    ],
    ids=" ".join,
)
def test_a_local_command_is_light(line: list[str], tmp_path: Path) -> None:
    assert not HEAVY & loaded(tmp_path, line)


def test_a_table_needs_rich_and_history_needs_sql(tmp_path: Path) -> None:
    assert HEAVY & loaded(tmp_path, ["market", "quote"]) == {"rich"}
    assert "sqlalchemy" in loaded(tmp_path, ["portfolio", "pnl", "-o", "json"])


def test_the_exchange_alone_imports_nothing_heavy() -> None:
    script = (
        "import sys, exchange, exchange.core.engine, exchange.client\nsys.stdout.write(repr([*sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=120,
    )
    for name in (*HEAVY, "typer", "msgspec"):
        assert f"'{name}'" not in done.stdout
