from __future__ import annotations

import pytest

from exchange.core.messages import PlaceOrder
from exchange.core.rules.risk import effective_limit, fee_rates, price_band, sweep_bound
from exchange.core.terms import BUY, LIMIT, MARKET, MARKET_TO_LIMIT, SELL
from exchange.core.units import TICKS_MAX
from tests.reference.desk import ALICE, BOB, Desk


@pytest.mark.parametrize(
    ("band_ppm", "reference", "last", "band"),
    [
        (0, 100, 0, (1, TICKS_MAX)),
        (50_000, 0, 0, (1, TICKS_MAX)),
        (50_000, 100, 0, (95, 105)),
        (50_000, 100, 200, (190, 210)),
        (50_000, 0, 119, (114, 124)),  # 5.95 ticks, cut to 5
        (1_000_000, 100, 0, (1, 200)),
        (1, 100, 0, (100, 100)),
        (1_000_000, TICKS_MAX, 0, (1, TICKS_MAX)),
    ],
)
def test_price_band(band_ppm: int, reference: int, last: int, band: tuple[int, int]) -> None:
    desk = Desk(band_ppm=band_ppm, reference=reference)
    desk.book.last = last
    assert price_band(desk.book) == band


def test_market_orders_stop_at_the_band_and_others_at_their_limit() -> None:
    desk = Desk(band_ppm=50_000, reference=100)
    assert sweep_bound(desk.book, BUY, 0) == -105
    assert sweep_bound(desk.book, SELL, 0) == 95
    assert sweep_bound(desk.book, BUY, 103) == -103
    assert sweep_bound(desk.book, SELL, 103) == 103


def test_market_to_limit_takes_the_best_price_there_is() -> None:
    desk = Desk()
    desk.buy(ALICE, 1, 90)
    desk.sell(BOB, 1, 110)
    for side, best in ((BUY, 110), (SELL, 90)):
        assert effective_limit(PlaceOrder(ALICE, 0, side, MARKET_TO_LIMIT, 1), desk.book) == best
        assert effective_limit(PlaceOrder(ALICE, 0, side, MARKET, 1), desk.book) == 0
        assert effective_limit(PlaceOrder(ALICE, 0, side, LIMIT, 1, 100), desk.book) == 100


def test_the_last_tier_stands_for_those_beyond_the_table() -> None:
    desk = Desk(fees=((100, 500), (0, 300)))
    account = desk.state.accounts[ALICE]
    rates = []
    for tier in (0, 1, 2, 9):
        account.fee_tier = tier
        rates.append(fee_rates(account, desk.book.instrument))
    assert rates == [(100, 500), (0, 300), (0, 300), (0, 300)]
