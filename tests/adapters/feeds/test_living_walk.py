"""Chance, hidden value and sizes of the living market, without an engine."""

from __future__ import annotations

import pytest

from exchange.adapters.feeds.living.dice import UNIT, Dice, derive
from exchange.adapters.feeds.living.market import FINE, PURSE_MAX, STOCK, Market
from exchange.adapters.feeds.living.profiles import CRYPTO, EQUITY, FUTURES, Profile, profile_of
from exchange.adapters.feeds.living.walk import PULSES_PER_MINUTE, REGIMES, Current, Walk
from exchange.core.instrument import Instrument
from exchange.core.state.book import Book
from exchange.core.state.root import State
from exchange.core.terms import HALTED
from exchange.core.units import DAY, PPM, SECOND

HOUR = 60 * PULSES_PER_MINUTE


def instrument(**fields: object) -> Instrument:
    made = Instrument(0, "BTC-USDC", "Bitcoin", "CRYPTO", 1, 0)
    made.price_decimals, made.quantity_decimals = 2, 5
    made.lot_minor, made.unit = 1_000, 10
    made.reference, made.band_ppm = 6_425_050, 100_000
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def market(**fields: object) -> Market:
    state = State()
    state.found()
    state.add_asset("USDC", 8)
    state.add_asset("BTC", 8)
    book = state.add_instrument(instrument(**fields))
    made = Market(state, book)
    made.walk = Walk(made.profile, Current(Dice(1)), Dice(2))
    return made


def test_throws_are_the_same_everywhere() -> None:
    dice = Dice(derive(7, "golden", 1))
    assert derive(7, 0, "BTC-USDC", "mm", 2) == 312955356339026172811006514644363970481
    assert [dice.below(1000) for _ in range(6)] == [647, 431, 737, 57, 784, 102]
    assert [dice.normal() for _ in range(4)] == [-208104, -315908, -749769, 399608]
    assert [dice.wait(1_000_000) for _ in range(4)] == [59000, 346000, 275000, 186000]
    assert [dice.pick("abcdef") for _ in range(5)] == ["e", "b", "f", "d", "c"]
    assert [dice.hits(50) for _ in range(5)] == [True, True, False, False, True]
    assert [dice.between(-3, 3) for _ in range(6)] == [2, 0, -1, -2, -3, -2]


def test_every_name_has_its_own_seed() -> None:
    seeds = [derive(7, 0, name, n) for name in ("mm", "flow") for n in range(50)]
    assert len(set(seeds)) == len(seeds)
    assert derive(7, 0) != derive(8, 0) != derive(7, 1)


def test_throws_have_the_moments_they_claim() -> None:
    dice = Dice(3)
    normals = [dice.normal() for _ in range(20_000)]
    variance = sum(throw * throw for throw in normals) // len(normals)
    assert abs(sum(normals)) < len(normals) * UNIT // 40
    assert abs(variance - UNIT * UNIT) < UNIT * UNIT // 25
    waits = [dice.wait(1_000) for _ in range(20_000)]
    assert abs(sum(waits) - len(waits) * 1_000) < len(waits) * 30
    assert 0 <= min(waits) <= max(waits) <= 5_280


def test_bounds_of_a_throw_are_reached_and_kept() -> None:
    dice = Dice(4)
    assert {dice.below(3) for _ in range(200)} == {0, 1, 2}
    assert {dice.between(-1, 1) for _ in range(200)} == {-1, 0, 1}
    assert not any(dice.hits(0) for _ in range(200))
    assert all(dice.hits(100) for _ in range(200))


def hourly_returns(profile: Profile, hours: int) -> list[int]:
    """ppm, of one seeded walk."""
    current = Current(Dice(derive(5, profile.name, "current")))
    walk = Walk(profile, current, Dice(derive(5, profile.name, "walk")))
    returns = []
    for _ in range(hours):
        level = 10**15
        for _ in range(HOUR):
            current.advance()
            walk.advance()
            level += level * walk.move // 10**9
        returns.append((level - 10**15) // 10**9)
    return returns


@pytest.mark.parametrize(("profile", "low", "high"), [(CRYPTO, 6_000, 14_000), (EQUITY, 2_000, 5_500)])
def test_an_hour_moves_as_much_as_such_markets_do(profile: Profile, low: int, high: int) -> None:
    returns = hourly_returns(profile, 16)
    assert low**2 < sum(r * r for r in returns) // len(returns) < high**2
    assert min(returns) < 0 < max(returns)
    assert abs(sum(returns)) < 3 * high * 4  # 16 hours drift less than three of their deviations


def test_every_regime_comes_up() -> None:
    walk = Walk(CRYPTO, Current(Dice(1)), Dice(2))
    seen = {regime.name: 0 for regime in REGIMES}
    for _ in range(4 * HOUR):
        walk.advance()
        seen[walk.regime.name] += 1
    assert all(seen.values())


def test_a_group_moves_together_and_a_loner_does_not() -> None:
    def agreement(profile: Profile) -> int:
        current = Current(Dice(11))
        walks = [Walk(profile, current, Dice(seed)) for seed in (12, 13)]
        together = 0
        for _ in range(4_000):
            current.advance()
            for walk in walks:
                walk.advance()
            together += (walks[0].move > 0) == (walks[1].move > 0)
        return together * 100 // 4_000

    assert agreement(CRYPTO) > 62
    assert 45 < agreement(FUTURES) < 55


def test_the_kind_of_market_follows_from_the_listing() -> None:
    day = {"session_open": 9 * 3600 * SECOND, "session_close": 16 * 3600 * SECOND, "session_days": 31}
    assert profile_of(instrument()) is CRYPTO
    assert profile_of(instrument(session_close=DAY)) is CRYPTO
    assert profile_of(instrument(**day)) is EQUITY
    assert profile_of(instrument(**day, multiplier=10)) is FUTURES
    assert profile_of(instrument(**day, venue="SGX")) is FUTURES


def test_a_market_without_a_price_sleeps() -> None:
    sleeping = market(reference=0)
    assert not sleeping.start()
    assert not sleeping.is_open()
    sleeping.book.last = 6_000_000
    assert sleeping.start()
    assert sleeping.is_open()


def test_a_halted_market_is_not_open() -> None:
    halted = market()
    halted.start()
    halted.book.status = HALTED
    assert not halted.is_open()


def test_a_restart_goes_on_from_the_last_trade() -> None:
    resumed = market()
    resumed.book.last = 6_600_000
    resumed.start()
    assert resumed.value == 6_600_000 * FINE


def test_sizes_keep_the_limits_of_the_instrument() -> None:
    tight = market(quantity_min=50, quantity_max=400, notional_min=100 * 10**8, notional_max=200 * 10**8)
    tight.start()
    dice = Dice(6)
    sizes = [tight.size(dice, quarters) for quarters in range(1, 100)]
    assert all(50 <= lots <= 400 for lots in sizes)
    values = [lots * 6_425_050 * 10 for lots in sizes]
    assert min(values) >= 100 * 10**8
    assert max(values) <= 200 * 10**8


def test_an_everyday_order_is_worth_some_thousand_dollars() -> None:
    usual = market()
    usual.start()
    assert 5_900 * 10**8 < usual.clip * 6_425_050 * 10 <= 6_000 * 10**8
    assert usual.step == 354  # 55 ppm, rounded up from a fifth of a tick on
    assert len({usual.size(Dice(seed), 4) for seed in range(30)}) > 10


def test_an_asset_of_eighteen_decimals_fits_its_purse() -> None:
    fine = market(lot_minor=10**13)
    fine.start()
    assert fine.clip * 10**13 * STOCK <= PURSE_MAX


def test_the_value_stays_within_reach_of_the_band() -> None:
    banded = market(band_ppm=10_000)
    banded.start()
    banded.walk.move = 2_000_000  # 0.2 % a pulse
    for _ in range(100):
        banded.pulse()
    assert banded.value == 6_425_050 * FINE + 6_425_050 * 10_000 * FINE // (2 * PPM)
    banded.walk.move = -2_000_000
    for _ in range(100):
        banded.pulse()
    assert banded.value == 6_425_050 * FINE - 6_425_050 * 10_000 * FINE // (2 * PPM)


def quoted(made: Instrument, bid: int, ask: int) -> Book:
    """A book whose best prices are given."""
    book = Book(made)
    book.bids.keys = [bid]
    book.asks.keys = [-ask]
    return book


def test_the_value_learns_what_the_market_pays_and_returns_over_days() -> None:
    learning = market(band_ppm=0)
    learning.start()
    learning.book = quoted(learning.instrument, 6_489_000, 6_490_000)
    for _ in range(2 * PULSES_PER_MINUTE):
        learning.pulse()
    moved = learning.value // FINE - 6_425_050
    assert 35_000 < moved < 50_000  # two thirds of 64,450 ticks in two minutes
    learning.book = Book(learning.instrument)
    for _ in range(HOUR):
        learning.pulse()
    assert 6_425_050 < learning.value // FINE < 6_425_050 + moved
