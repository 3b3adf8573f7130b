"""Positions and profit: worked examples, and identities over any sequence of fills."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core.events import AccountReset, FeeTierSet
from exchange.core.messages import Traded
from exchange.core.terms import BUY, SELL
from exchange.directory import Directory
from exchange.views.portfolio import Portfolio, Position

ME, OTHER = 3, 4
UNIT = 5


def directory() -> Directory:
    """COIN-USD (0): tick 0.05, lot 1, unit 5 cents.   GOLD-USD (1): tick 10, lot 0.001, unit 1 cent."""

    def row(number: int, symbol: str, sizes: dict[str, int]) -> dict[str, Any]:
        names = {"instrument_id": number, "symbol": symbol, "name": symbol, "venue": "X", "base": 1 + number}
        return {**names, "quote": 0, "multiplier": 1, "fees": [[0, 0]], **sizes}

    coin = {
        "tick_units": 5,
        "price_decimals": 2,
        "lot_units": 1,
        "quantity_decimals": 0,
        "unit": UNIT,
        "lot_minor": 1,
    }
    gold = {
        "tick_units": 10,
        "price_decimals": 0,
        "lot_units": 1,
        "quantity_decimals": 3,
        "unit": 1,
        "lot_minor": 1,
    }
    return Directory.from_rows(
        {
            "assets": [["USD", 2], ["COIN", 0], ["GOLD", 3]],
            "instruments": [row(0, "COIN-USD", coin), row(1, "GOLD-USD", gold)],
            "accounts": [[name, 0, 1] for name in ("fees", "external", "house", "me", "other")],
            "users": ["system"],
        }
    )


def fills(*steps: tuple[int, int, int]) -> Position:
    """(side, price, quantity) without fees."""
    position = Position(UNIT)
    for side, price, quantity in steps:
        position.fill(side, price, quantity, 0)
    return position


class TestWorkedExamples:
    def test_average_cost_mixes_and_fifo_does_not(self) -> None:
        position = fills((BUY, 100, 10), (BUY, 110, 10), (SELL, 120, 10))
        assert position.quantity == 10
        assert (position.cost, position.fifo_cost) == (105 * 10 * UNIT, 110 * 10 * UNIT)
        assert (position.realised, position.fifo_realised) == (15 * 10 * UNIT, 20 * 10 * UNIT)
        assert (position.unrealised(120), position.fifo_unrealised(120)) == (150 * UNIT, 100 * UNIT)

    def test_a_short_position_profits_from_a_fall(self) -> None:
        position = fills((SELL, 100, 10), (SELL, 90, 10), (BUY, 80, 5))
        assert position.quantity == -15
        assert (position.realised, position.fifo_realised) == (15 * 5 * UNIT, 20 * 5 * UNIT)
        assert position.value(80) == -80 * 15 * UNIT
        assert position.unrealised(80) == (95 - 80) * 15 * UNIT

    def test_crossing_zero_closes_and_opens(self) -> None:
        position = fills((BUY, 100, 3), (SELL, 110, 5))
        assert (position.quantity, position.cost) == (-2, 110 * 2 * UNIT)
        assert position.realised == position.fifo_realised == 10 * 3 * UNIT
        assert list(position.lots) == [(2, 110)]

    def test_a_flat_position_has_no_cost_and_no_lots(self) -> None:
        position = fills((BUY, 100, 3), (BUY, 101, 4), (SELL, 99, 6), (SELL, 98, 1))
        assert (position.quantity, position.cost, position.fifo_cost) == (0, 0, 0)
        assert not position.lots
        assert position.realised == position.fifo_realised
        assert position.unrealised(12345) == 0

    def test_lots_at_one_price_are_one_lot(self) -> None:
        position = fills(*[(BUY, 100, 1)] * 1000)
        assert list(position.lots) == [(1000, 100)]

    def test_fees_stand_apart(self) -> None:
        position = Position(1)
        position.fill(BUY, 100, 1, 7)
        position.fill(SELL, 100, 1, 5)
        assert (position.fees, position.realised, position.fills) == (12, 0, 2)
        assert (position.bought, position.sold) == (1, 1)


steps = st.lists(
    st.tuples(st.sampled_from((BUY, SELL)), st.integers(1, 10**6), st.integers(1, 10**5), st.integers(0, 50)),
    max_size=60,
)


class TestIdentities:
    @given(steps, st.integers(1, 10**6))
    @settings(max_examples=150, deadline=None)
    def test_profit_is_cash_plus_what_is_held(
        self, given_steps: list[tuple[int, int, int, int]], mark: int
    ) -> None:
        position = Position(UNIT)
        cash = held = 0
        for side, price, quantity, fee in given_steps:
            position.fill(side, price, quantity, fee)
            direction = 1 if side == BUY else -1
            cash -= direction * price * quantity * UNIT
            held += direction * quantity
            equity = cash + held * mark * UNIT
            assert position.quantity == held
            assert position.realised + position.unrealised(mark) == equity
            assert position.fifo_realised + position.fifo_unrealised(mark) == equity
            assert sum(lots for lots, _ in position.lots) == abs(held)
            assert sum(lots * price * UNIT for lots, price in position.lots) == position.fifo_cost
            assert position.cost >= 0
            assert (held == 0) == (position.cost == 0)

    @given(steps)
    @settings(max_examples=100, deadline=None)
    def test_the_average_is_the_rational_one_within_rounding(
        self, given_steps: list[tuple[int, int, int, int]]
    ) -> None:
        """Each close rounds by at most half a minor unit, which later closes only shrink."""
        position = Position(UNIT)
        quantity, cost, closes = 0, Fraction(0), 0
        for side, price, lots, _ in given_steps:
            position.fill(side, price, lots, 0)
            direction = 1 if side == BUY else -1
            closing = min(lots, max(0, -direction * quantity))
            if closing:
                closes += 1
                cost -= cost * closing / abs(quantity)
            cost += Fraction(price * (lots - closing) * UNIT)
            quantity += direction * lots
            assert abs(position.cost - cost) <= Fraction(closes, 2)

    @given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 50)), min_size=1, max_size=30))
    @settings(max_examples=100, deadline=None)
    def test_fifo_matches_a_queue_of_single_lots(self, buys: list[tuple[int, int]]) -> None:
        position = Position(1)
        queue: deque[int] = deque()
        for price, quantity in buys:
            position.fill(BUY, price, quantity, 0)
            queue.extend([price] * quantity)
            sold = (quantity + 1) // 2
            position.fill(SELL, 500, sold, 0)
            for _ in range(sold):
                queue.popleft()
        assert position.fifo_cost == sum(queue)


def traded(
    trade_id: int, price: int, quantity: int, taker_side: int, maker: int, taker: int, **more: int
) -> Traded:
    fees = {"maker_fee": 1, "taker_fee": 2, **more}
    return Traded(
        trade_id,
        fees.pop("instrument", 0),
        price,
        quantity,
        taker_side,
        1,
        maker,
        fees["maker_fee"],
        0,
        2,
        taker,
        fees["taker_fee"],
        0,
    )


class TestPortfolio:
    @pytest.fixture
    def portfolio(self) -> Portfolio:
        return Portfolio(ME, directory())

    def test_both_roles_count_and_strangers_do_not(self, portfolio: Portfolio) -> None:
        assert portfolio.fold(1, 0, traded(1, 100, 5, BUY, OTHER, ME))
        assert portfolio.fold(2, 0, traded(2, 110, 2, BUY, ME, OTHER))
        assert not portfolio.fold(3, 0, traded(3, 110, 2, BUY, OTHER, OTHER))
        assert not portfolio.fold(4, 0, FeeTierSet(account=ME, tier=1))
        position = portfolio.positions[0]
        assert (position.quantity, position.fees, position.realised) == (3, 3, 10 * 2 * UNIT)

    def test_a_trade_with_oneself_changes_fees_only(self, portfolio: Portfolio) -> None:
        portfolio.fold(1, 0, traded(1, 100, 5, BUY, ME, ME))
        position = portfolio.positions[0]
        assert (position.quantity, position.fees, position.fills) == (0, 3, 2)

    def test_folding_again_changes_nothing(self, portfolio: Portfolio) -> None:
        reset = AccountReset(account=ME, epoch=1)
        day = [(1, traded(1, 100, 5, BUY, OTHER, ME)), (2, reset), (3, traded(2, 90, 4, BUY, OTHER, ME))]
        for _ in range(2):
            for seq, event in day:
                portfolio.fold(seq, 0, event)
        assert portfolio.positions[0].quantity == 4

    def test_another_accounts_reset_is_nothing(self, portfolio: Portfolio) -> None:
        portfolio.fold(1, 0, traded(1, 100, 5, BUY, OTHER, ME))
        assert not portfolio.fold(2, 0, AccountReset(account=OTHER, epoch=1))
        assert portfolio.positions[0].quantity == 5

    def test_rows_of_open_positions(self, portfolio: Portfolio) -> None:
        portfolio.fold(1, 0, traded(1, 100, 2, BUY, OTHER, ME))
        portfolio.fold(2, 0, traded(2, 101, 1, BUY, OTHER, ME))
        portfolio.fold(3, 0, traded(3, 70, 1500, SELL, OTHER, ME, instrument=1))
        coin, gold = portfolio.position_rows({0: 102})
        assert coin == {
            "symbol": "COIN-USD",
            "quantity": "3",
            "average_price": "5.016667",
            "cost": "15.05",
            "mark": "5.10",
            "value": "15.30",
            "unrealised": "0.25",
            "realised": "0.00",
            "fees": "0.04",
            "currency": "USD",
        }
        assert (gold["quantity"], gold["average_price"], gold["mark"]) == ("-1.500", "700", None)
        assert gold["value"] is None
        assert gold["unrealised"] is None

    def test_profit_rows_end_with_a_total_per_currency(self, portfolio: Portfolio) -> None:
        portfolio.fold(1, 0, traded(1, 100, 2, BUY, OTHER, ME))
        portfolio.fold(2, 0, traded(2, 104, 1, SELL, OTHER, ME))
        portfolio.fold(3, 0, traded(3, 70, 1000, SELL, OTHER, ME, instrument=1))
        portfolio.fold(4, 0, traded(4, 69, 1000, BUY, OTHER, ME, instrument=1))
        coin, gold, total = portfolio.pnl_rows({0: 102})
        assert coin == {
            "symbol": "COIN-USD",
            "currency": "USD",
            "realised": "0.20",
            "realised_fifo": "0.20",
            "unrealised": "0.10",
            "unrealised_fifo": "0.10",
            "fees": "0.04",
            "net": "0.26",
            "bought": "2",
            "sold": "1",
            "fills": 2,
        }
        assert (gold["realised"], gold["unrealised"], gold["net"]) == ("10.00", "0.00", "9.96")
        assert (total["symbol"], total["currency"], total["net"]) == (None, "USD", "10.22")
        assert (total["realised"], total["fees"]) == ("10.20", "0.08")

    def test_without_a_mark_the_total_is_unknown(self, portfolio: Portfolio) -> None:
        portfolio.fold(1, 0, traded(1, 100, 2, BUY, OTHER, ME))
        row, total = portfolio.pnl_rows({})
        assert row["net"] is row["unrealised"] is total["net"] is None
        assert total["realised"] == "0.00"
