from __future__ import annotations

from fractions import Fraction
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core.events import Traded
from exchange.core.messages import PlaceOrder
from exchange.core.rules.settlement import charge, hold, release, required_hold
from exchange.core.state.order import Order
from exchange.core.terms import BUY, LIMIT, SELL
from exchange.core.units import PPM
from tests.reference.desk import ALICE, BOB, BTC, USDC, Desk

STILL = settings(max_examples=100, deadline=None, derandomize=True, database=None)
RATES = st.integers(0, PPM)
DESK = Desk()


def order(side: int = BUY, quantity: int = 10, limit: int = 100, maker: int = 100, taker: int = 500) -> Order:
    command = PlaceOrder(ALICE, 0, side, LIMIT, quantity, limit)
    made = Order(1, 0, DESK.state.accounts[ALICE], DESK.book, command, limit)
    made.maker_ppm, made.taker_ppm = maker, taker
    return made


@STILL
@given(st.lists(st.tuples(st.integers(1, 10**9), RATES), max_size=12))
def test_the_fee_of_many_fills_is_the_fee_of_the_whole(fills: list[tuple[int, int]]) -> None:
    made, paid = order(), 0
    for at, (value, rate) in enumerate(fills, 1):
        fee = charge(made, value, rate)
        assert 0 <= fee <= value
        paid += fee
        assert paid == ceil(Fraction(sum(v * r for v, r in fills[:at]), PPM)) == made.fee_paid


@STILL
@given(st.integers(1, 10**6), st.integers(1, 10**6), RATES, RATES)
def test_a_buy_holds_its_value_and_the_dearer_fee(quantity: int, limit: int, maker: int, taker: int) -> None:
    value = quantity * limit * DESK.book.instrument.unit
    needed = required_hold(order(BUY, quantity, limit, maker, taker), quantity)
    assert needed == value + ceil(Fraction(value * max(maker, taker), PPM))


def test_a_sell_holds_its_lots() -> None:
    assert required_hold(order(SELL), 7) == 7 * DESK.book.instrument.lot_minor


@STILL
@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), RATES, RATES)
def test_what_is_held_always_covers_the_rest_of_the_order(parts: list[int], maker: int, taker: int) -> None:
    """After each fill at the limit, hold and costs so far add up to no more than the first hold."""
    total = sum(parts)
    made = order(BUY, total, 3, maker, taker)
    first, spent, left = required_hold(made, total), 0, total
    for at, lots in enumerate(parts):
        value = lots * 3 * DESK.book.instrument.unit
        spent += value + charge(made, value, maker if at % 2 else taker)
        left -= lots
        assert spent + required_hold(made, left) <= first


def test_hold_and_release_move_the_balance_by_the_difference() -> None:
    desk = Desk()
    made = desk.order(desk.buy(ALICE, 10, 100))
    balance = desk.state.accounts[ALICE].balance(USDC)
    assert balance.held == made.hold == 10_005
    made.leaves = 4
    hold(made)
    assert balance.held == made.hold == 4_002
    release(made)
    release(made)
    assert (balance.held, made.hold) == (0, 0)


def test_one_fill_moves_both_assets_and_both_fees_at_the_makers_price() -> None:
    desk = Desk()
    desk.sell(ALICE, 10, 100)
    (trade,) = (event for event in desk.place(BOB, BUY, 4, 120) if isinstance(event, Traded))
    assert (trade.price, trade.quantity) == (100, 4)
    assert (trade.maker_fee, trade.taker_fee) == (1, 2)  # 4 000 minor at 100 and 500 ppm, rounded up
    accounts = desk.state.accounts
    assert accounts[ALICE].balance(USDC).posted == 10**9 + 4_000 - 1
    assert accounts[BOB].balance(USDC).posted == 10**9 - 4_000 - 2
    assert accounts[0].balance(USDC).posted == 3
    assert accounts[ALICE].balance(BTC).posted == 10**9 - 400_000
    assert accounts[BOB].balance(BTC).posted == 10**9 + 400_000
    assert desk.book.last == 100


def test_free_trading_opens_no_fee_balance() -> None:
    desk = Desk(fees=((0, 0),))
    desk.sell(ALICE, 10, 100)
    desk.buy(BOB, 10, 100)
    assert desk.state.accounts[0].balances == []
