"""Candles against a plain recount of the trades, in every timeframe."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core.commands import ListAsset, ListInstrument
from exchange.core.engine import Engine
from exchange.core.messages import OrderDone, Record, Traded
from exchange.core.units import DAY, SECOND
from exchange.directory import Directory
from exchange.errors import DataError
from exchange.views.candles import (
    MINUTE,
    TIMEFRAMES,
    Candle,
    Candles,
    aggregate,
    begin_of,
    candle_of,
    length_of,
)


def nanos(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def traded(trade_id: int, price: int, quantity: int, instrument: int = 0) -> Traded:
    return Traded(trade_id, instrument, price, quantity, 1, 1, 3, 0, 0, 2, 4, 0, 0)


@pytest.fixture
def directory() -> Directory:
    engine = Engine()
    listing = ListInstrument(
        symbol="BTC-USDC",
        name="",
        venue="",
        base=0,
        quote=1,
        tick_units=5,
        price_decimals=1,
        lot_units=2,
        quantity_decimals=3,
    )
    assets = [ListAsset(symbol="BTC", exponent=8), ListAsset(symbol="USDC", exponent=6)]
    for seq, command in enumerate([*assets, listing], 1):
        engine.apply(Record(seq, 0, 0, command))
    return Directory.of(engine.state)


class TestBoundaries:
    @pytest.mark.parametrize(
        ("timeframe", "begin"),
        [
            ("1m", "2026-11-22T17:43:00"),
            ("5m", "2026-11-22T17:40:00"),
            ("15m", "2026-11-22T17:30:00"),
            ("30m", "2026-11-22T17:30:00"),
            ("1h", "2026-11-22T17:00:00"),
            ("4h", "2026-11-22T16:00:00"),
            ("1d", "2026-11-22T00:00:00"),
            ("1w", "2026-11-16T00:00:00"),  # the Monday before that Sunday
            ("1M", "2026-11-01T00:00:00"),
        ],
    )
    def test_begin_of_each_timeframe(self, timeframe: str, begin: str) -> None:
        assert begin_of(nanos("2026-11-22T17:43:21"), TIMEFRAMES[timeframe]) == nanos(begin)

    @given(st.integers(0, 4_000_000_000), st.sampled_from(sorted(TIMEFRAMES)))
    @settings(max_examples=200, deadline=None)
    def test_a_begin_is_its_own_begin_and_not_after(self, second: int, timeframe: str) -> None:
        length = TIMEFRAMES[timeframe]
        begin = begin_of(second * SECOND, length)
        assert begin_of(begin, length) == begin <= second * SECOND
        assert second * SECOND - begin < (length or 31 * DAY)
        assert begin == 0 or begin_of(begin - 1, length) < begin

    def test_leap_days_and_year_ends(self) -> None:
        assert begin_of(nanos("2028-02-29T23:59:59"), TIMEFRAMES["1M"]) == nanos("2028-02-01T00:00:00")
        assert begin_of(nanos("2027-01-01T00:00:00"), TIMEFRAMES["1M"]) == nanos("2027-01-01T00:00:00")
        assert begin_of(nanos("2027-01-01T00:00:00"), TIMEFRAMES["1w"]) == nanos("2026-12-28T00:00:00")

    def test_an_unknown_timeframe_is_named(self) -> None:
        with pytest.raises(DataError, match="timeframe '7m' is none of"):
            length_of("7m")


trades = st.lists(
    st.tuples(st.integers(0, 5 * 86_400), st.integers(1, 10**6), st.integers(1, 10**6)), max_size=80
)


class TestFold:
    @given(trades, st.sampled_from(sorted(TIMEFRAMES)))
    @settings(max_examples=120, deadline=None)
    def test_any_timeframe_equals_a_recount(self, made: list[tuple[int, int, int]], timeframe: str) -> None:
        made.sort(key=lambda trade: trade[0])
        base, view = Candles(0, "1m"), Candles(0, timeframe)
        stretches: dict[int, list[tuple[int, int]]] = {}
        for number, (second, price, quantity) in enumerate(made, 1):
            ts = nanos("2026-10-29T00:00:00") + second * SECOND
            event = traded(number, price, quantity)
            assert base.fold(number, ts, event)
            assert view.fold(number, ts, event)
            stretches.setdefault(begin_of(ts, view.length), []).append((price, quantity))
        for candles in (list(view.candles), aggregate(base.candles, view.length)):
            assert [candle.begin for candle in candles] == list(stretches)
            for candle, inside in zip(candles, stretches.values(), strict=True):
                prices = [price for price, _ in inside]
                assert (candle.open, candle.close) == (prices[0], prices[-1])
                assert (candle.high, candle.low) == (max(prices), min(prices))
                assert candle.volume == sum(quantity for _, quantity in inside)
                assert candle.turnover == sum(price * quantity for price, quantity in inside)
                assert candle.trades == len(inside)
        assert sum(candle.trades for candle in view.candles) == len(made)

    def test_other_events_and_instruments_are_nothing(self) -> None:
        view = Candles(0)
        assert not view.fold(1, 0, traded(1, 5, 5, instrument=1))
        assert not view.fold(2, 0, OrderDone(1, 3, 0, 1, 0))
        assert not view.candles

    def test_folding_again_changes_nothing(self) -> None:
        view = Candles(0)
        for _ in range(2):
            for number in range(1, 6):
                view.fold(number, number * SECOND, traded(number, 100 + number, 1))
        (candle,) = view.candles
        assert (candle.trades, candle.volume, candle.close) == (5, 5, 105)

    def test_one_record_may_bring_many_trades(self) -> None:
        view = Candles(0)
        for number in range(1, 6):
            assert view.fold(7, SECOND, traded(number, 100, 1))
        assert view.candles[0].trades == 5

    def test_memory_is_bounded(self) -> None:
        view = Candles(0, "1m", candles_max=10)
        for number in range(1, 100):
            view.fold(number, number * MINUTE, traded(number, number, 1))
        assert [candle.open for candle in view.candles] == list(range(90, 100))


class TestRows:
    def test_a_row_reads_back(self, directory: Directory) -> None:
        view = Candles(0)
        for number, price in enumerate((100, 120, 90, 110), 1):
            view.fold(number, nanos("2026-11-22T17:43:21"), traded(number, price, number))
        (row,) = view.rows(directory)
        assert row == {
            "time": "2026-11-22T17:43:00.000000Z",
            "open": "50.0",
            "high": "60.0",
            "low": "45.0",
            "close": "55.0",
            "volume": "0.020",
            "trades": 4,
            "seq": 4,
        }
        candle = candle_of(row, directory, 0)
        assert candle.row(directory, 0) == row
        assert candle.begin == nanos("2026-11-22T17:43:00")

    def test_a_loaded_view_goes_on_where_the_rows_end(self, directory: Directory) -> None:
        whole, late = Candles(0), Candles(0)
        day = [(n, n * 20 * SECOND, traded(n, 100 + n % 7, n)) for n in range(1, 40)]
        for seq, ts, event in day[:20]:
            whole.fold(seq, ts, event)
        late.load([candle_of(row, directory, 0) for row in whole.rows(directory)])
        for seq, ts, event in day[15:]:
            whole.fold(seq, ts, event)
            late.fold(seq, ts, event)
        assert late.rows(directory) == whole.rows(directory)

    def test_volume_may_exceed_what_one_order_may(self, directory: Directory) -> None:
        candle = Candle(0, 1)
        for number in range(4):
            candle.trade(number, 1, 1 << 50)
        assert candle_of(candle.row(directory, 0), directory, 0).volume == 1 << 52
