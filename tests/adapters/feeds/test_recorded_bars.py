"""Bars as a market: the path, the spread, the trades that draw the bar again, every kind of header."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.adapters.feeds.recorded.bar_file import time_of
from exchange.adapters.feeds.recorded.bars import BarFeed, path
from exchange.conformance.stage import Stage
from exchange.core.commands import ListAsset
from exchange.core.messages import Traded
from exchange.core.terms import BUY, SELL, SYSTEM_USER
from exchange.core.units import DAY, SECOND
from exchange.errors import ConfigError, DataError
from tests.adapters.feeds.recorded_person import Person, depth, is_balanced, run

TRADES = "time,open,high,low,close,volume"
DAYS = ["2024-01-01,100.00,101.50,99.00,101.00,400", "2024-01-02,101.00,101.00,98.00,98.50,800"]


def written(folder: Path, lines: list[str], header: str = TRADES) -> Path:
    file = folder / "bars.csv"
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


def stage_of(folder: Path, lines: list[str], header: str = TRADES) -> Stage:
    return Stage(BarFeed(written(folder, lines, header), "SPY"))


def traded(stage: Stage) -> list[tuple[int, int]]:
    """Price and size of all the feed's trades."""
    trades: list[tuple[int, int]] = []
    feed = stage.feed
    while (due := feed.due()) is not None:
        now = max(due, stage.state.ts)
        receipts = [stage.apply(*request, now) for request in feed.step(stage.state, now)]
        feed.answered(receipts)
        events = [event for receipt in receipts for event in receipt.events]
        trades += [(event.price, event.quantity) for event in events if isinstance(event, Traded)]
    return trades


@pytest.mark.parametrize(
    ("bar", "walked"),
    [
        ((100, 110, 95, 105), (100, 95, 110, 105)),  # the low is nearer to the open
        ((100, 103, 90, 95), (100, 103, 90, 95)),
        ((100, 105, 95, 96), (100, 95, 105, 96)),  # as near: from the low up
        ((7, 7, 7, 7), (7, 7, 7, 7)),
    ],
)
def test_path_goes_to_the_nearer_extreme_first(
    bar: tuple[int, int, int, int], walked: tuple[int, int, int, int]
) -> None:
    assert path(bar) == walked


def test_trades_draw_the_bars_again(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, DAYS)
    assert traded(stage) == [
        *[(10_000, 100), (9_900, 100), (10_150, 100), (10_100, 100)],
        *[(10_100, 200), (10_100, 200), (9_800, 200), (9_850, 200)],
    ]
    assert stage.refused == {}
    assert is_balanced(stage)


def test_quotes_stand_one_spread_apart_with_what_is_left(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, DAYS)
    run(stage, 1)  # the way up: asks at the path, bids 100 ppm below
    assert (depth(stage, "bids"), depth(stage, "asks")) == ([(9_999, 200)], [(10_000, 100)])
    run(stage, 1)  # the way down
    assert (depth(stage, "bids"), depth(stage, "asks")) == ([(9_900, 100)], [(9_901, 200)])


def test_a_person_is_filled_at_a_price_the_bar_reached(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, DAYS)
    person = Person(stage)
    reached, missed = person.place(BUY, 9_800, 30), person.place(BUY, 9_799, 30)
    sold, kept = person.place(SELL, 10_150, 5), person.place(SELL, 10_151, 5)
    run(stage)
    assert [person.leaves(order) for order in (reached, missed, sold, kept)] == [0, 30, 0, 5]
    assert is_balanced(stage)


def test_stations_are_a_quarter_of_the_shortest_interval_apart(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, DAYS)
    start = stage.state.ts
    run(stage, 1)
    assert stage.feed.due() == start + DAY // 4
    run(stage, 3)
    assert stage.feed.due() == start + DAY


def test_bid_and_ask_bars_are_quoted_as_they_are(tmp_path: Path) -> None:
    header = "ts,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close"
    stage = stage_of(tmp_path, ["2014-05-01T00:00:00,1.1,1.4,1.0,1.3,1.2,1.5,1.1,1.4"], header)
    quotes = []
    while stage.step():
        quotes.append((depth(stage, "bids"), depth(stage, "asks")))
    assert quotes == [
        ([(110, 1000)], [(120, 999)]),
        ([(100, 999)], [(110, 1000)]),
        ([(140, 1000)], [(150, 999)]),
        ([(130, 999)], [(140, 1000)]),
    ]


@pytest.mark.parametrize("header", ["", "Date", "ts_ny", "timestamp"])
def test_the_time_column_may_have_any_name(tmp_path: Path, header: str) -> None:
    stage = stage_of(tmp_path, DAYS, f"{header},Open,High,Low,Close,Volume")
    assert run(stage) == 8


def test_no_volume_shows_a_nominal_size(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, ["2024-01-01,100,101,99,100"], "time,open,high,low,close")
    run(stage, 1)
    assert (depth(stage, "bids"), depth(stage, "asks")) == ([(9_999, 1000)], [(10_000, 999)])


def test_a_volume_of_nothing_only_quotes(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, ["2024-01-01,100,101,99,100,0"])
    run(stage)
    assert stage.state.last_trade_id == 0
    assert depth(stage, "asks") == [(10_001, 1)]


def test_sizes_of_the_listing_come_from_the_data(tmp_path: Path) -> None:
    instrument = stage_of(tmp_path, ["2024-01-01,1.3,1.35,1.25,1.3,0.1234567"]).state.books[0].instrument
    assert (instrument.price_decimals, instrument.quantity_decimals, instrument.lot_units) == (2, 4, 1)


def test_lots_grow_until_a_coarse_currency_can_pay_for_one(tmp_path: Path) -> None:
    feed = BarFeed(written(tmp_path, ["2024-01-01,1.30001,1.4,1.2,1.3,50000"]), "EUR-USD")
    stage = Stage(BarFeed(written(tmp_path, DAYS), "SPY"))  # lists USD with two decimals
    while requests := feed.prepare(stage.state):
        for actor, command in requests:
            assert stage.apply(actor, command).reject is None
    instrument = stage.state.books[1].instrument
    assert (instrument.price_decimals, instrument.lot_units, instrument.unit) == (5, 1000, 1)


def test_a_currency_too_coarse_at_any_lot_is_named(tmp_path: Path) -> None:
    stage = Stage(BarFeed(written(tmp_path, DAYS), "SPY"))
    for symbol in ("A", "B"):
        assert stage.apply(SYSTEM_USER, ListAsset(symbol=symbol, exponent=0)).reject is None
    feed = BarFeed(written(tmp_path, ["2024-01-01,1.123456789,2,1,1.5,1"]), "A-B")
    with pytest.raises(ConfigError, match="A-B cannot be listed: A has 0 and B 0 decimals"):
        feed.prepare(stage.state)


def test_a_price_between_the_listed_ticks_is_refused(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, DAYS)
    finer = BarFeed(written(tmp_path, [DAYS[0], "2024-01-02,101.001,102,98,98.5,8"]), "SPY")
    with pytest.raises(
        DataError, match=r"price 101\.001 does not fit SPY, which is listed with tick 0\.01"
    ) as caught:
        finer.prepare(stage.state)
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02", 86_400),
        ("1970-01-01 00:01:00", 60),
        ("1970-01-01T00:01:00.500000", 60.5),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:09Z", 9),
        ("1700000000", 1_700_000_000),
        ("1700000000123", 1_700_000_000.123),
        ("1700000000123456", 1_700_000_000.123456),
        ("1700000000123456789", 1_700_000_000.123456789),
    ],
)
def test_times_are_read_in_every_usual_form(text: str, seconds: float) -> None:
    assert abs(time_of(text) - seconds * SECOND) < 1000


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2024-01-03,1,2,0.5,1", "6 fields here, not 5"),
        ("2024-01-03,1,2,0.5,3,1", "between low and high"),
        ("2024-01-03,1,0.9,0.5,0.6,1", "between low and high"),
        ("2024-01-03,0,0,0,0,1", "above zero"),
        ("2024-01-03,nan,2,1,1,1", "open 'nan'"),
        ("2024-01-03,1,inf,1,1,1", "high 'inf'"),
        ("2024-01-03,1,2,-1,1,1", "low '-1'"),
        ("2024-01-03,1,2,1,1,-5", "volume '-5'"),
        ("yesterday,1,2,1,1,1", "time 'yesterday'"),
        ("2024-01-02,1,2,1,1,1", "the time does not go on"),
        ("2023-01-02,1,2,1,1,1", "the time goes back"),
    ],
)
def test_a_bar_that_cannot_be_is_named(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(DataError, match=why) as caught:
        stage_of(tmp_path, [*DAYS, line])
    assert caught.value.line == 4


def test_columns_alone_are_no_bars(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no bars"):
        stage_of(tmp_path, [])
    with pytest.raises(DataError, match="the columns are neither"):
        stage_of(tmp_path, DAYS, "a,b,c")
