"""Worth of an account and gain of its day."""

from __future__ import annotations

from exchange.core.terms import BUY, SELL
from exchange.core.units import DAY
from exchange.directory import Directory
from exchange.views.blotter import Fill
from exchange.views.equity import day_begin, day_profit, day_trades, equity
from tests.tradecli.tui.memory import founded

DIRECTORY = Directory.of(founded().state)
USDC, USD, BTC, ETH = 0, 1, 3, 4


def fill(trade_id: int, side: int, price: int, lots: int, ts: int = 10, fee: int = 0) -> Fill:
    return Fill(trade_id, ts, 0, trade_id, side, price, lots, fee, is_maker=False)


def test_equity_adds_what_has_a_price_in_the_currency() -> None:
    balances = {USDC: 500 * 10**8, USD: 7, BTC: 2 * 10**8, ETH: 10**8}
    marks = {0: 6_000_000, 1: 300_000, 2: 20_000}
    assert equity(DIRECTORY, balances, marks, USDC) == (500 + 120_000 + 3_000) * 10**8
    assert equity(DIRECTORY, balances, marks, USD) == 7
    assert equity(DIRECTORY, balances, {0: 6_000_000}, USDC) == (500 + 120_000) * 10**8


def test_a_day_begins_at_midnight_utc() -> None:
    assert day_begin(3 * DAY + 5) == 3 * DAY
    trades = day_trades([fill(1, BUY, 10, 3, ts=DAY - 1), fill(2, BUY, 10, 5, ts=DAY)], DIRECTORY, DAY)
    assert trades[0].net == 5


def test_held_overnight_gains_from_the_first_price() -> None:
    info = DIRECTORY.instruments[0]
    assert day_profit(info, 100, None, 6_000_500, 6_000_000) == 100 * 500 * info.unit


def test_bought_today_gains_from_its_own_price_after_fees() -> None:
    info = DIRECTORY.instruments[0]
    today = day_trades(
        [fill(1, BUY, 6_000_000, 100, fee=7), fill(2, SELL, 6_000_300, 40, fee=5)], DIRECTORY, 0
    )[0]
    gain = day_profit(info, 60, today, 6_000_100, 5_000_000)
    assert gain == (60 * 100 + 40 * 300) * info.unit - 12


def test_a_round_trip_leaves_only_its_own_result() -> None:
    info = DIRECTORY.instruments[0]
    today = day_trades([fill(1, BUY, 600, 10), fill(2, SELL, 650, 10)], DIRECTORY, 0)[0]
    assert day_profit(info, 0, today, 9_999, 1) == 10 * 50 * info.unit
