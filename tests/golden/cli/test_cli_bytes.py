"""What the main commands print, byte for byte, in each format; rewritten by ``make golden``."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from exchange.core.commands import OpenAccount, RegisterUser
from exchange.fresh import FreshExchange, fresh_exchange
from tests.tradecli.conftest import small_config
from tradecli.main import run

HERE = Path(__file__).parent
LINES = """
account deposit BTC 5 --account rival
sell BTC-USDC 0.3 @ 64000 id ask-1 --account rival
sell BTC-USDC 0.5 @ 64100 iceberg 0.1 --account rival
market quote BTC-USDC
market book BTC-USDC --levels 5
buy BTC-USDC 0.4 @ 64100 --preview
buy BTC-USDC 0.4 @ 64100 gtc id my-1
buy BTC-USDC 0.4 @ 64100 gtc id my-1
buy BTC-USDC 0.4 @ 64101 gtc id my-1
buy ETH-USDC $1000 @ 3100 day post
buy ETH-USDC 1 @ 3050.5 gtd 2026-03-01
buy BTC-USDC 50 @ 64000
buy BTC-USDC 0.5 @ 64250.505
buy BTC-USDC 0.5 @ 64000 gct
buy BTC-USDC NaN
buy XRP-USDC 1
sell AAPL 10 mkt
order list
order show id my-1
order show 4
order modify 4 0.2
order modify 4 @ 3099 --account rival
order replace 4 0.25 @ 3099 id new-1
order cancel 5
order cancel-all
order cancel-all --yes
account balance
account withdraw USDC 10.25 --yes --reference rent
account transfer rival USDC 1000
account deposit USDC 1e400
account list
admin halt AAPL --reason 'feed broken'
sell AAPL 10 @ 230
admin fee-tier main 1
admin report
admin reset main --yes
market instruments
help exit-codes
order lst
market book
"""


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_the_bytes_of_a_session(
    output: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    exchange = opened(tmp_path)
    told: list[str] = []
    for line in LINES.strip().splitlines():
        code = run([*shlex.split(line), "-o", output, "--home", str(tmp_path)], exchange)
        captured = capsys.readouterr()
        told += [f"$ tradecli {line}", *captured.out.splitlines()]
        told += [f"! {text}".rstrip() for text in captured.err.splitlines()]
        told += [f"= {code}"] if code else []
    found = "\n".join(told) + "\n"
    path = HERE / f"session.{output}.txt"
    if request.config.getoption("--update"):
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def opened(home: Path) -> FreshExchange:
    """The settings' exchange with one more person on it."""
    exchange = fresh_exchange(small_config(home))
    owner = len(exchange.state.users)
    for receipt in exchange.send([RegisterUser(name="rival"), OpenAccount(name="rival", owner=owner)]):
        assert receipt.reject is None
    return exchange
