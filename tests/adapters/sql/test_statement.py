"""Statements end at the ledger's balance and every line follows from the one before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.adapters.sql.read_models import ReadModels
from exchange.core import commands as c
from exchange.core.terms import BUY, SELL
from exchange.core.units import SECOND
from exchange.directory import time_text


def minor(text: str) -> int:
    return int(text.replace(".", ""))


@pytest.fixture
def models(tmp_path: Path) -> Iterator[ReadModels]:
    with ReadModels(tmp_path / "x.db") as made:
        yield made


@pytest.mark.parametrize("seed", range(5))
def test_every_account_ends_at_its_posted_balance(played: Any, models: ReadModels, seed: int) -> None:
    market = played(60 + seed, 500)
    models.follow(market.updates)
    for account in market.engine.state.accounts:
        lines = models.query("statement", market.directory, account=account.name, all=True, limit=10_000)
        running: dict[str, int] = {}
        for line in lines:
            running[line["asset"]] = running.get(line["asset"], 0) + minor(line["amount"])
            assert minor(line["balance"]) == running[line["asset"]]
        for asset, balance in enumerate(account.balances):
            if balance is not None:
                symbol = market.directory.asset_symbol(asset)
                assert running.get(symbol, 0) == balance.posted


@pytest.mark.parametrize("account", ["amy", "bob", "fees", "external"])
def test_a_page_is_the_end_of_the_whole(played: Any, models: ReadModels, account: str) -> None:
    market = played(66, 400)
    models.follow(market.updates)
    whole = models.query("statement", market.directory, account=account, all=True, limit=10_000)
    assert len(whole) > 10
    for limit in (1, 2, 3, 5, 8):
        page = models.query("statement", market.directory, account=account, all=True, limit=limit)
        assert page == whole[-limit:]
    for asset in ("USDC", "BTC", "INR", "TCS"):
        lines = models.query("statement", market.directory, account=account, all=True, asset=asset, limit=7)
        assert lines == [line for line in whole if line["asset"] == asset][-7:]
    middle = whole[len(whole) // 2]["time"]
    since = models.query("statement", market.directory, account=account, all=True, since=middle, limit=10_000)
    assert since == [line for line in whole if line["time"] >= middle]


def test_the_lines_of_one_fill(market: Any, models: ReadModels) -> None:
    market.limit(4, SELL, 1000, 30)
    market.limit(3, BUY, 1000, 30)
    models.follow(market.updates)
    lines = models.query("statement", market.directory, account="amy", limit=3)
    common = {
        "time": time_text(market.ts),
        "seq": market.updates[-1].seq,
        "symbol": "BTC-USDC",
        "trade_id": 1,
        "order_id": 2,
        "counterparty": None,
        "reference": None,
        "epoch": 0,
    }
    assert lines == [
        {"asset": "BTC", "kind": "trade", "amount": "0.00300000", "balance": "1000.00300000", **common},
        {"asset": "USDC", "kind": "trade", "amount": "-0.030000", "balance": "9999999.970000", **common},
        {"asset": "USDC", "kind": "fee", "amount": "-0.000015", "balance": "9999999.969985", **common},
    ]
    income = models.query("statement", market.directory, account="fees")
    assert [(line["kind"], line["amount"], line["trade_id"]) for line in income] == [
        ("fee_income", "0.000018", 1)
    ]


def test_a_trade_with_oneself_moves_nothing_but_the_fee(market: Any, models: ReadModels) -> None:
    market.limit(3, SELL, 1000, 30, stp=5)
    market.limit(3, BUY, 1000, 30, stp=5)
    models.follow(market.updates)
    lines = models.query("statement", market.directory, account="amy", limit=6)
    assert [(line["asset"], line["amount"]) for line in lines] == [
        ("BTC", "-0.00300000"),
        ("USDC", "0.030000"),
        ("USDC", "-0.000003"),
        ("BTC", "0.00300000"),
        ("USDC", "-0.030000"),
        ("USDC", "-0.000015"),
    ]
    assert minor(lines[-1]["balance"]) == market.engine.state.accounts[3].balances[0].posted


def test_transfers_name_the_other_side(market: Any, models: ReadModels) -> None:
    market.send(c.Transfer(source=3, target=4, asset=0, amount=5, reference="rent"))
    market.send(c.Withdraw(account=3, asset=0, amount=7))
    models.follow(market.updates)
    names = ("kind", "amount", "counterparty", "reference")
    rows = [
        tuple(line[name] for name in names)
        for line in models.query("statement", market.directory, account="amy", asset="USDC")
    ]
    assert rows == [
        ("deposit", "10000000.000000", "external", "start"),
        ("transfer", "-0.000005", "bob", "rent"),
        ("withdrawal", "-0.000007", "external", None),
    ]
    (last,) = models.query("statement", market.directory, account="bob", asset="USDC", limit=1)
    assert (last["kind"], last["amount"], last["counterparty"]) == ("transfer", "0.000005", "amy")


def test_a_reset_starts_a_statement_from_nothing(market: Any, models: ReadModels) -> None:
    market.limit(4, SELL, 1000, 30)
    market.limit(3, BUY, 1000, 30)
    market.send(c.ResetAccount(account=3), after=SECOND)
    models.follow(market.updates)
    assert models.query("statement", market.directory, account="amy") == []
    market.send(c.Deposit(account=3, asset=0, amount=5))
    models.follow(market.updates[-1:])
    (line,) = models.query("statement", market.directory, account="amy")
    assert (line["amount"], line["balance"], line["epoch"]) == ("0.000005", "0.000005", 1)
    whole = models.query("statement", market.directory, account="amy", all=True)
    assert [line["balance"] for line in whole if line["kind"] == "reset"] == [
        *("0.000000", "0.00000000", "0.00", "0")
    ]
