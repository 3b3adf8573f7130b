"""An exchange in memory with a fixed clock, and the command line run on it in this process."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from exchange.config import Config, load_config
from exchange.fresh import FreshExchange, fresh_exchange
from tradecli.main import run


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[[str], Answer]

INSTRUMENTS = Path(__file__).parent.parent / "golden" / "cli" / "instruments.toml"
BALANCES = "USDC=100000,USD=50000,BTC=2,ETH=20,AAPL=200"


def small_config(home: Path) -> Config:
    """Three instruments and five balances, whatever the shipped files say."""
    flags = {"market.instruments": str(INSTRUMENTS), "account.balances": BALANCES}
    return load_config(home=home, flags=flags, environ={})


@pytest.fixture
def exchange(tmp_path: Path) -> FreshExchange:
    return fresh_exchange(small_config(tmp_path))


@pytest.fixture
def cli(
    exchange: FreshExchange,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Run one line as a shell would split it."""
    for name in ("TRADECLI_HOME", "TRADECLI_CONFIG", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRADECLI_HOME", str(tmp_path))
    monkeypatch.setenv("TRADECLI_MARKET_INSTRUMENTS", str(INSTRUMENTS))
    monkeypatch.setenv("TRADECLI_ACCOUNT_BALANCES", BALANCES)

    def line(text: str) -> Answer:
        capsys.readouterr()
        code = run(shlex.split(text), exchange)
        return Answer(code, *capsys.readouterr())

    return line
