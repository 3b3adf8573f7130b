"""Binance streams as external liquidity: levels, trades by the queue, gaps, order of the streams."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.adapters.feeds.recorded.l2 import L2Feed
from exchange.conformance.stage import Stage
from exchange.core.terms import BUY, IOC, SELL
from exchange.core.units import SECOND
from exchange.errors import DataError
from tests.adapters.feeds.recorded_person import Person, depth, is_balanced, run

SNAPSHOT = {"lastUpdateId": 10, "bids": [["99.0", "2.0"], ["98.0", "4"]], "asks": [["101.00", "3.5"]]}
Levels = list[list[str]]


def line(at: int, stream: str, **data: object) -> str:
    return f"{at * 1_000_000} " + json.dumps({"stream": stream, "data": data})


def snapshot(at: int, **changes: object) -> str:
    return f"{at * 1_000_000} " + json.dumps({**SNAPSHOT, **changes})


def update(at: int, number: int, bids: Levels, asks: Levels, *, first: int = 0) -> str:
    return line(at, "depth", e="depthUpdate", E=at, U=first or number, u=number, b=bids, a=asks)


def trade(at: int, price: str, size: str, *, is_sell: bool) -> str:
    return line(at, "trade", e="trade", E=at, T=at, p=price, q=size, m=is_sell)


def stage_of(folder: Path, *lines: str) -> Stage:
    path = folder / "feed.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return Stage(L2Feed(path, "BTC-USDT"))


def feed_of(stage: Stage) -> L2Feed:
    assert isinstance(stage.feed, L2Feed)
    return stage.feed


def test_sizes_follow_the_recording(tmp_path: Path) -> None:
    # Prices have no decimals in use here and sizes one: ticks of 1, lots of 0.1.
    stage = stage_of(
        tmp_path,
        snapshot(1),
        update(100, 11, [["99", "1.5"], ["98", "0"]], [["101", "3.5"], ["102", "1"]]),
        update(200, 12, [["100", "1"]], [["101", "4"]]),
    )
    seen = []
    while stage.step():
        seen.append((depth(stage, "bids"), depth(stage, "asks")))
    assert seen == [
        ([(99, 20), (98, 40)], [(101, 35)]),
        ([(99, 15)], [(101, 35), (102, 10)]),
        ([(100, 10), (99, 15)], [(101, 40), (102, 10)]),
    ]
    assert stage.refused == {}
    assert is_balanced(stage)


def test_an_increase_stands_behind_and_a_decrease_keeps_the_place(tmp_path: Path) -> None:
    stage = stage_of(
        tmp_path,
        snapshot(1),
        update(100, 11, [["99", "3"]], []),
        update(200, 12, [["99", "1.5"]], []),
    )
    run(stage, 1)
    person = Person(stage)
    mine = person.place(BUY, 99, 5)

    def queue() -> list[tuple[bool, int]]:
        found = []
        order = stage.state.books[0].bids.level(99).head
        while order is not None:
            found.append((order.order_id == mine, order.leaves))
            order = order.next
        return found

    run(stage, 1)
    assert queue() == [(False, 20), (True, 5), (False, 10)]
    run(stage, 1)  # the newest goes first, then the oldest gets smaller in its place
    assert queue() == [(False, 15), (True, 5)]


def test_a_person_is_filled_when_the_flow_has_eaten_the_queue(tmp_path: Path) -> None:
    stage = stage_of(
        tmp_path,
        snapshot(1),
        trade(10, "99", "1.5", is_sell=True),
        trade(20, "99", "0.5", is_sell=True),
        trade(30, "99", "0.3", is_sell=True),
        update(100, 11, [["99", "0"]], []),
    )
    run(stage, 1)
    person = Person(stage)
    mine = person.place(BUY, 99, 5)
    seen = []
    while stage.step():
        seen.append(person.leaves(mine))
    assert seen == [5, 5, 2, 2]
    assert depth(stage, "bids") == [(99, 2), (98, 40)]


def test_a_trade_comes_before_the_update_that_contains_it(tmp_path: Path) -> None:
    late = f"{150 * 1_000_000} " + trade(90, "99", "0.5", is_sell=True).partition(" ")[2]
    stage = stage_of(tmp_path, snapshot(1), update(100, 11, [["99", "1.5"]], []), late)
    run(stage, 2)
    assert stage.state.last_trade_id == 1
    assert depth(stage, "bids") == [(99, 15), (98, 40)]
    run(stage)
    assert depth(stage, "bids") == [(99, 15), (98, 40)]


def test_what_a_person_took_comes_back_with_the_next_update(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, snapshot(1), update(100, 11, [["97", "1"]], []))
    run(stage, 1)
    Person(stage).place(BUY, 101, 30, IOC)
    assert depth(stage, "asks") == [(101, 5)]
    run(stage)
    assert depth(stage, "asks") == [(101, 35)]


def test_a_recorded_level_that_crosses_a_person_trades_with_it(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, snapshot(1), update(100, 11, [], [["100", "1"]]), update(200, 12, [], []))
    run(stage, 1)
    person = Person(stage)
    mine = person.place(BUY, 100, 4)
    run(stage, 1)
    assert person.leaves(mine) == 0
    assert depth(stage, "asks") == [(100, 6), (101, 35)]
    run(stage)
    assert depth(stage, "asks") == [(100, 10), (101, 35)]
    assert is_balanced(stage)


def test_a_level_the_recording_forgot_gives_way(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, snapshot(1), update(100, 11, [["102", "1"]], []), update(200, 12, [], []))
    run(stage)
    assert depth(stage, "asks") == []
    assert depth(stage, "bids")[0] == (102, 10)
    assert stage.state.last_trade_id == 0


def test_updates_before_the_snapshot_are_not_applied_twice(tmp_path: Path) -> None:
    stage = stage_of(
        tmp_path,
        update(100, 9, [["99", "7"]], []),
        update(200, 12, [["99", "5"]], [], first=10),
        snapshot(250),
        update(300, 13, [["98", "0"]], []),
    )
    run(stage)
    assert depth(stage, "bids") == [(99, 50)]
    assert (feed_of(stage).updates, feed_of(stage).gaps, feed_of(stage).last) == (2, 0, 13)


def test_a_gap_starts_the_book_anew(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, snapshot(1), update(100, 15, [["97", "1"]], [["103", "2"]]))
    run(stage, 1)
    person = Person(stage)
    mine = person.place(BUY, 90, 1)
    run(stage)
    assert feed_of(stage).gaps == 1
    assert depth(stage, "bids") == [(97, 10), (90, 1)]
    assert depth(stage, "asks") == [(103, 20)]
    assert person.leaves(mine) == 1


def test_time_is_the_exchange_clock_of_the_data(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, snapshot(1000), update(1000, 11, [["97", "1"]], []), update(3500, 12, [], []))
    run(stage, 2)
    assert stage.feed.due() == stage.state.ts + 5 * SECOND // 2


def test_dust_below_the_listed_lot_is_left_out(tmp_path: Path) -> None:
    first = stage_of(tmp_path, snapshot(1))  # lists lots of 0.1
    path = tmp_path / "finer.jsonl"
    path.write_text(snapshot(1, bids=[["99.0", "2.06"], ["98", "0.05"]]) + "\n")
    again = L2Feed(path, "BTC-USDT")
    assert again.prepare(first.state) == []
    for request in again.step(first.state, first.state.ts):
        first.apply(*request)
    assert depth(first, "bids") == [(99, 20)]


def test_a_price_between_the_listed_ticks_is_refused(tmp_path: Path) -> None:
    first = stage_of(tmp_path, snapshot(1))
    path = tmp_path / "finer.jsonl"
    path.write_text(snapshot(1) + "\n" + trade(2, "99.5", "1", is_sell=True) + "\n")
    with pytest.raises(DataError, match=r"price 99\.50000000 does not fit BTC-USDT") as caught:
        L2Feed(path, "BTC-USDT").prepare(first.state)
    assert caught.value.line == 2


def test_bids_and_sells_take_the_right_side(tmp_path: Path) -> None:
    stage = stage_of(
        tmp_path,
        snapshot(1),
        trade(2, "101", "1", is_sell=False),
        trade(3, "99", "1", is_sell=True),
    )
    run(stage)
    assert (depth(stage, "bids")[0], depth(stage, "asks")[0]) == ((99, 10), (101, 25))
    assert (BUY, SELL) == (1, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("garbage", "a line is a time, a space and JSON"),
        ("x {}", "receive time 'x'"),
        ("9000000 {", "not JSON"),
        ("9000000 [1]", "not a message of a stream"),
        ("9000000 " + '{"data":' * 5000, "not JSON"),
        ('9000000 {"data": {"e": "kline"}}', "stream event 'kline'"),
        ('9000000 {"data": {"e": "trade", "T": 1}}', "no field 'p'"),
        ("0 {}", "the receive time goes back"),
        (trade(9, "NaN", "1", is_sell=True), "price 'NaN'"),
        (trade(9, "99", "-1", is_sell=True), "quantity '-1'"),
        (trade(9, "0", "1", is_sell=True), "above zero"),
        (trade(9, "99", "0", is_sell=True), "a trade has a price"),
        (update(9, 4, [], [], first=7), "update ids 7 to 4 go back"),
        (update(9, 11, [["99"]], []), "a level is a pair"),
        (update(9, 11, [["99", "0.123456789"]], []), "at most 8 decimals"),
        (line(9, "depth", e="depthUpdate", E=9, U=11, u=11, b={}, a=[]), "levels are a list"),
        (line(9, "depth", e="depthUpdate", E="9", U=11, u=11, b=[], a=[]), "'9' is not a whole number"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DataError, match=why.replace('"', "")) as caught:
        stage_of(tmp_path, snapshot(2), text)
    assert caught.value.line == 2


def test_best_prices_alone_are_no_market(tmp_path: Path) -> None:
    best = line(1, "bookTicker", u=1, b="99", B="1", a="101", A="1")
    with pytest.raises(DataError, match="neither depth updates nor trades"):
        stage_of(tmp_path, best)
