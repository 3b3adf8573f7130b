"""The history queries against a day told by hand and against random days."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.adapters.sql.history import base_of, time_of
from exchange.adapters.sql.read_models import ReadModels
from exchange.core import commands as c
from exchange.core.messages import Traded
from exchange.core.terms import BUY, IOC, MARKET, SELL
from exchange.core.units import DAY, SECOND
from exchange.directory import decimal_steps, time_text
from exchange.errors import DataError, NotFound
from exchange.views.candles import TIMEFRAMES


class Asked:
    """A market and the read models that follow it."""

    def __init__(self, market: Any, models: ReadModels) -> None:
        self.market = market
        self.models = models
        self.sent = 0

    def __call__(self, name: str, **params: Any) -> Any:
        self.models.follow(self.market.updates[self.sent :])
        self.sent = len(self.market.updates)
        return self.models.query(name, self.market.directory, **params)


@pytest.fixture
def ask(market: Any, tmp_path: Path) -> Iterator[Asked]:
    with ReadModels(tmp_path / "x.db") as models:
        yield Asked(market, models)


class TestOrderHistory:
    def test_a_filled_order_shows_its_average_price_and_fee(self, market: Any, ask: Asked) -> None:
        market.limit(4, SELL, 1000, 1)
        market.limit(4, SELL, 1003, 2)
        market.limit(3, BUY, 1005, 4, client_order_id="mine", tif=IOC)
        (row,) = ask("order_history", account="amy")
        assert row == {
            "order_id": 3,
            "client_order_id": "mine",
            "account": "amy",
            "symbol": "BTC-USDC",
            "side": "buy",
            "type": "limit",
            "tif": "ioc",
            "quantity": "0.0004",
            "filled": "0.0003",
            "leaves": "0.0001",
            "limit": "10.05",
            "display": None,
            "average_price": "10.02",
            "fee": "0.000002",
            "status": "canceled",
            "reason": "ioc_remainder",
            "time": time_text(market.ts),
            "changed": time_text(market.ts),
            "seq": market.updates[-1].seq,
            "epoch": 0,
        }

    @pytest.mark.parametrize(
        ("fills", "shown"), [([(1000, 2), (1001, 1)], "10.003333"), ([(1000, 1), (1001, 1)], "10.005")]
    )
    def test_an_average_between_ticks_has_the_digits_it_needs(
        self, market: Any, ask: Asked, fills: list[tuple[int, int]], shown: str
    ) -> None:
        for price, quantity in fills:
            market.limit(4, SELL, price, quantity)
        market.limit(3, BUY, 1005, sum(quantity for _, quantity in fills))
        assert ask("order", order_id=len(fills) + 1)["average_price"] == shown

    def test_statuses_follow_the_life_of_an_order(self, market: Any, ask: Asked) -> None:
        market.limit(3, BUY, 900, 10, client_order_id="a")
        assert ask("order", account="amy", client_order_id="a")["status"] == "new"
        market.send(c.ModifyOrder(3, 1, quantity=20, limit=950))
        assert (ask("order", order_id=1)["quantity"], ask("order", order_id=1)["limit"]) == ("0.0020", "9.50")
        market.limit(4, SELL, 900, 5)
        assert ask("order", order_id=1)["status"] == "partially_filled"
        market.send(c.ReplaceOrder(3, 1, quantity=7, new_client_order_id="b"))
        assert (ask("order", order_id=1)["status"], ask("order", order_id=3)["status"]) == ("replaced", "new")
        market.send(c.CancelOrder(3, 3))
        row = ask("order", order_id=3)
        assert (row["status"], row["reason"], row["leaves"]) == ("canceled", "canceled", "0.0007")

    def test_refused_orders_stand_between_the_others(self, market: Any, ask: Asked) -> None:
        market.limit(3, BUY, 900, 1)
        market.limit(3, BUY, 900, 1 << 50, client_order_id="huge")
        market.send(c.PlaceOrder(3, 0, SELL, MARKET, 0))
        market.send(c.PlaceOrder(3, 55, 9, 9, 1 << 80, 1 << 90, 9))
        market.limit(3, BUY, 901, 1)
        rows = ask("order_history", account="amy")
        assert [(row["order_id"], row["status"], row["reason"]) for row in rows] == [
            (2, "new", None),
            (None, "rejected", "instrument.unknown"),
            (None, "rejected", "order.quantity_range"),
            (None, "rejected", "funds.insufficient"),
            (1, "new", None),
        ]
        assert {tuple(row) for row in rows} == {tuple(rows[0])}
        strange = rows[1]
        assert (strange["symbol"], strange["side"], strange["tif"]) == ("#55", "#9", "#9")
        assert (strange["quantity"], strange["limit"]) == (str(1 << 80), str(1 << 90))
        assert (rows[3]["client_order_id"], rows[3]["quantity"]) == ("huge", "112589990684.2624")
        assert [row["order_id"] for row in ask("order_history", account="amy", limit=2)] == [2, None]

    def test_one_instrument_only(self, market: Any, ask: Asked) -> None:
        market.limit(3, BUY, 900, 1)
        market.limit(3, BUY, 900, 1, instrument=1)
        market.limit(3, BUY, 900, 1 << 45, instrument=1)
        rows = ask("order_history", account="amy", instrument="TCS-INR")
        assert [row["status"] for row in rows] == ["rejected", "new"]
        assert {row["symbol"] for row in rows} == {"TCS-INR"}

    def test_a_reset_hides_what_was_before(self, market: Any, ask: Asked) -> None:
        market.limit(3, BUY, 900, 1)
        market.limit(3, BUY, 900, 1 << 45)
        market.send(c.ResetAccount(account=3))
        assert ask("order_history", account="amy") == []
        market.limit(3, BUY, 900, 1)
        assert [row["epoch"] for row in ask("order_history", account="amy")] == [1]
        rows = ask("order_history", account="amy", all=True)
        assert [(row["status"], row["reason"]) for row in rows] == [
            ("rejected", "funds.insufficient"),
            ("rejected", "funds.insufficient"),
            ("canceled", "account_reset"),
        ]

    def test_an_order_that_never_was_is_not_found(self, ask: Asked) -> None:
        for which in ({"order_id": 1}, {"order_id": 1 << 70}, {"account": "amy", "client_order_id": "x"}):
            with pytest.raises(NotFound, match="there is no order"):
                ask("order", **which)


class TestFillsAndTrades:
    def test_both_sides_of_a_trade(self, market: Any, ask: Asked) -> None:
        market.limit(4, SELL, 1000, 50, client_order_id="rest")
        market.limit(3, BUY, 1002, 30)
        (taker,) = ask("fills", account="amy")
        (maker,) = ask("fills", account="bob", instrument="BTC-USDC")
        assert taker == {
            "trade_id": 1,
            "order_id": 2,
            "client_order_id": None,
            "account": "amy",
            "symbol": "BTC-USDC",
            "side": "buy",
            "price": "10.00",
            "quantity": "0.0030",
            "value": "0.030000",
            "fee": "0.000015",
            "currency": "USDC",
            "liquidity": "taker",
            "leaves": "0.0000",
            "time": time_text(market.ts),
            "seq": market.updates[-1].seq,
            "epoch": 0,
        }
        assert (maker["liquidity"], maker["side"], maker["fee"]) == ("maker", "sell", "0.000003")
        assert (maker["client_order_id"], maker["leaves"]) == ("rest", "0.0020")
        assert ask("fills", account="amy", instrument="TCS-INR") == []

    def test_newest_first_and_limited(self, market: Any, ask: Asked) -> None:
        for _ in range(5):
            market.limit(4, SELL, 1000, 1)
            market.limit(3, BUY, 1000, 1)
        assert [row["trade_id"] for row in ask("fills", account="bob", limit=3)] == [5, 4, 3]
        assert [row["trade_id"] for row in ask("trades", instrument="BTC-USDC", limit=2)] == [5, 4]

    def test_a_reset_hides_earlier_fills_of_that_account_only(self, market: Any, ask: Asked) -> None:
        market.limit(4, SELL, 1000, 1)
        market.limit(3, BUY, 1000, 1)
        market.send(c.ResetAccount(account=3))
        assert ask("fills", account="amy") == []
        assert len(ask("fills", account="amy", all=True)) == len(ask("fills", account="bob")) == 1

    def test_the_tape_tells_no_names(self, market: Any, ask: Asked) -> None:
        market.limit(4, SELL, 1000, 1, instrument=1)
        market.limit(3, BUY, 1000, 1, instrument=1)
        (row,) = ask("trades", instrument="tcs-inr")
        assert row == {
            "trade_id": 1,
            "symbol": "TCS-INR",
            "side": "buy",
            "price": "50.00",
            "quantity": "1",
            "time": time_text(market.ts),
            "seq": market.updates[-1].seq,
        }

    def test_halts_are_told_with_their_reason(self, market: Any, ask: Asked) -> None:
        market.send(c.HaltInstrument(instrument=0, reason="news"))
        market.send(c.ResumeInstrument(instrument=0))
        market.send(c.HaltInstrument(instrument=1))
        rows = ask("notices")
        assert [(row["symbol"], row["kind"], row["reason"]) for row in rows] == [
            ("TCS-INR", "halted", None),
            ("BTC-USDC", "resumed", None),
            ("BTC-USDC", "halted", "news"),
        ]
        assert len(ask("notices", instrument="BTC-USDC", limit=1)) == 1


class TestCandles:
    def trade(self, market: Any, price: int, quantity: int, after: int) -> None:
        market.limit(4, SELL, price, quantity)
        market.ts += after
        market.limit(3, BUY, price, quantity)

    def test_one_minute(self, market: Any, ask: Asked) -> None:
        market.ts += 60 * SECOND - market.ts % (60 * SECOND)
        begin = market.ts
        for price, quantity in ((1000, 1), (1004, 2), (998, 3), (1001, 4)):
            self.trade(market, price, quantity, SECOND)
        (row,) = ask("candles", instrument="BTC-USDC")
        assert row == {
            "time": time_text(begin),
            "open": "10.00",
            "high": "10.04",
            "low": "9.98",
            "close": "10.01",
            "volume": "0.0010",
            "trades": 4,
            "seq": market.updates[-1].seq,
        }

    @pytest.mark.parametrize("timeframe", TIMEFRAMES)
    def test_every_timeframe_holds_every_trade(self, market: Any, ask: Asked, timeframe: str) -> None:
        for number in range(60):
            self.trade(market, 1000 + number % 7, 1, after=(number % 5) ** 4 * 1800 * SECOND)
        rows = ask("candles", instrument="BTC-USDC", timeframe=timeframe, limit=5000)
        assert sum(row["trades"] for row in rows) == 60
        assert sum(decimal_steps(row["volume"], 4) or 0 for row in rows) == 60
        assert [row["time"] for row in rows] == sorted({row["time"] for row in rows})
        assert (rows[0]["open"], rows[-1]["close"]) == ("10.00", "10.03")
        assert ask("candles", instrument="BTC-USDC", timeframe=timeframe, limit=3) == rows[-3:]

    def test_cutting_the_stream_anywhere_gives_the_same_candles(self, market: Any, ask: Asked) -> None:
        for number in range(40):
            self.trade(market, 1000 + number * 13 % 29, 1, after=9 * SECOND)
            ask("candles", instrument="BTC-USDC")
        piecewise = ask("candles", instrument="BTC-USDC", timeframe="5m")
        with ReadModels(ask.models._path.with_name("whole.db")) as whole:
            whole.catch_up(market.updates)
            at_once = whole.query("candles", market.directory, instrument="BTC-USDC", timeframe="5m")
        assert piecewise == at_once

    def test_timeframes_are_made_of_stored_lengths(self) -> None:
        for timeframe, length in TIMEFRAMES.items():
            base, ratio = base_of(timeframe)
            assert base * ratio == (length or 31 * DAY)

    def test_an_unknown_timeframe_is_named(self, ask: Asked) -> None:
        with pytest.raises(DataError, match=r"timeframe '2m' is none of 1m, 5m"):
            ask("candles", instrument="BTC-USDC", timeframe="2m")


class TestPositions:
    def test_marks_default_to_the_last_trade(self, market: Any, ask: Asked) -> None:
        market.limit(4, SELL, 1000, 10)
        market.limit(3, BUY, 1000, 10)
        market.limit(4, SELL, 1010, 1)
        market.limit(5, BUY, 1010, 1)
        (row,) = ask("positions", account="amy")
        assert (row["quantity"], row["average_price"], row["mark"]) == ("0.0010", "10.00", "10.10")
        assert (row["value"], row["unrealised"]) == ("0.010100", "0.000100")
        (marked,) = ask("positions", account="amy", marks={0: 990})
        assert (marked["mark"], marked["unrealised"]) == ("9.90", "-0.000100")
        rows = ask("pnl", account="amy", marks={0: 990})
        assert [row["symbol"] for row in rows] == ["BTC-USDC", None]
        assert (rows[0]["unrealised"], rows[0]["fees"], rows[0]["net"]) == (
            "-0.000100",
            "0.000005",
            "-0.000105",
        )

    def test_answers_go_on_from_the_last_one(self, market: Any, ask: Asked) -> None:
        for number in range(1, 12):
            market.limit(4, SELL, 1000 + number, 1)
            market.limit(3, BUY, 1000 + number, 1)
            (row,) = ask("positions", account="amy")
            assert row["quantity"] == f"0.{number:04}"

    def test_a_reset_ends_every_position(self, market: Any, ask: Asked) -> None:
        market.limit(4, SELL, 1000, 1)
        market.limit(3, BUY, 1000, 1)
        assert len(ask("positions", account="amy")) == 1
        market.send(c.ResetAccount(account=3))
        assert ask("positions", account="amy") == ask("pnl", account="amy") == []
        market.fund(3)
        market.limit(3, SELL, 900, 2)
        market.limit(4, BUY, 900, 2)
        assert ask("positions", account="amy")[0]["quantity"] == "-0.0002"

    def test_many_fills_are_folded_in_parts(
        self, played: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        market = played(51, 500)
        fills = [e for update in market.updates for e in update.events if isinstance(e, Traded)]
        assert len(fills) > 50
        answers = []
        for at_once in (10_000, 7):
            monkeypatch.setattr("exchange.adapters.sql.history.FILLS_AT_ONCE", at_once)
            monkeypatch.setattr("exchange.adapters.sql.history.PORTFOLIOS_MAX", 2)
            with ReadModels(tmp_path / f"{at_once}.db") as models:
                models.catch_up(market.updates)
                names = [account.name for account in market.engine.state.accounts]
                answers.append([models.query("pnl", market.directory, account=name) for name in names])
        assert answers[0] == answers[1]
        assert sum(len(rows) for rows in answers[0]) > 6


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "params", "why"),
        [
            ("fills", {"account": "amy", "limit": 0}, "limit 0 is not a whole number from 1 to 10000"),
            ("fills", {"account": "amy", "limit": 10_001}, "limit 10001"),
            ("fills", {"account": "amy", "limit": True}, "limit must be a whole number"),
            ("fills", {"account": "amy", "limit": "5"}, "limit must be a whole number"),
            ("fills", {"account": 3}, "account must be text"),
            ("fills", {"account": "amy", "all": 1}, "all must be true or false"),
            ("fills", {"account": "amy", "colour": 1}, "colour"),
            ("order", {"order_id": 1.5}, "order_id must be a whole number"),
            ("candles", {"instrument": "BTC-USDC", "limit": 5001}, "from 1 to 5000"),
            ("statement", {"account": "amy", "since": "soon"}, "since 'soon' is not an ISO-8601"),
            ("positions", {"account": "amy", "marks": [1]}, "marks must be a table"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, ask: Asked, name: str, params: Any, why: str) -> None:
        with pytest.raises(DataError, match=why):
            ask(name, **params)

    def test_unknown_names_are_not_found(self, ask: Asked) -> None:
        for name, params in (
            ("fills", {"account": "amyy"}),
            ("fills", {"account": "amy", "instrument": "DOGE"}),
            ("statement", {"account": "amy", "asset": "EUR"}),
        ):
            with pytest.raises(NotFound, match="there is no"):
                ask(name, **params)

    @pytest.mark.parametrize(
        ("text", "nanos"),
        [
            ("1970-01-02", DAY),
            ("1970-01-01T00:00:01.5Z", SECOND + SECOND // 2),
            ("1970-01-01T05:30:01+05:30", SECOND),
            ("2026-11-21T07:13:14.123456Z", 1_795_245_194_123_456_000),
        ],
    )
    def test_times_are_utc_unless_they_say_otherwise(self, text: str, nanos: int) -> None:
        assert time_of(text) == nanos


class TestHostileText:
    def test_names_are_never_part_of_a_statement(self, market: Any, ask: Asked) -> None:
        attacks = ["x'; DROP TABLE fills;--", '" OR 1=1', "%", "\0", "a" * 5000]
        for attack in attacks:
            market.limit(3, BUY, 1000, 1, client_order_id=attack[:3000])
            for params in ({"account": attack}, {"account": "amy", "instrument": attack}):
                with pytest.raises(NotFound):
                    ask("fills", **params)
            with pytest.raises(NotFound):
                ask("order", account="amy", client_order_id=attack)
        kept = [row["client_order_id"] for row in ask("order_history", account="amy")]
        assert kept[::-1] == [attacks[0], attacks[1], attacks[2], "?", "a" * 37]
