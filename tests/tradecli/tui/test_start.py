"""What opening the dashboard loads, and what a bad start says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from exchange.config import load_config
from exchange.errors import ConfigError
from tests.conftest import ROOT
from tradecli.tui.app import KEYMAP_FILE, Options, TradeApp, run

HEAVY = ("pandas", "numpy", "sqlalchemy", "aiosqlite", "alembic", "ta", "websockets", "exchange.core.engine")


def test_the_screen_loads_nothing_of_the_engine_room() -> None:
    code = f"import sys, tradecli.tui.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ROOT}
    )
    assert answer.stdout.strip() == "[]"


def test_a_keymap_with_a_clash_does_not_start(tmp_path: Path) -> None:
    (tmp_path / KEYMAP_FILE).write_text('buy = "s"\n')
    with pytest.raises(ConfigError, match="both buy and sell"):
        run(load_config(home=tmp_path, environ={}))


def test_options_are_checked_where_they_come_in() -> None:
    def never() -> None:
        raise AssertionError

    with pytest.raises(ConfigError, match="no action"):
        TradeApp(never, lambda: 0, lambda: 0, Options(keymap={"bye": "q"}))  # type: ignore[arg-type]
