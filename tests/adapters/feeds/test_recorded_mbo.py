"""CME market by order as a market: the opening, priority, trades by the queue, what is put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.adapters.feeds.recorded.mbo import HEADER, MboFeed
from exchange.conformance.stage import Stage
from exchange.core.terms import BUY, SELL
from exchange.errors import DataError
from tests.adapters.feeds.recorded_person import Person, depth, is_balanced, run

# Ticks of 0.25: price 100.25 is 401 ticks.
BOOK = ["1000,1,A,B,99.75,2,11,40", "1000,2,A,A,100.25,3,12,40", "1000,3,A,A,100.25,4,13,168"]
TICK = "500,0,A,B,0.25,1,10,40"  # so that the smallest step of the file is the tick


def written(folder: Path, lines: list[str]) -> Path:
    path = folder / "mbo.csv"
    path.write_text("\n".join([HEADER, TICK, *lines]) + "\n")
    return path


def stage_of(folder: Path, lines: list[str], symbol: str = "ESH4") -> Stage:
    return Stage(MboFeed(written(folder, lines), symbol))


def test_instrument_has_the_tick_of_the_data_and_the_contract_of_its_root(tmp_path: Path) -> None:
    instrument = stage_of(tmp_path, BOOK).state.books[0].instrument
    assert (instrument.tick_units, instrument.price_decimals, instrument.multiplier) == (25, 2, 50)
    assert stage_of(tmp_path, BOOK, "ZZZ").state.books[0].instrument.multiplier == 1


def test_snapshot_enters_at_once_and_records_follow(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, [*BOOK, "2000,4,A,A,100.5,1,14,130", "3000,5,C,A,100.25,3,12,130"])
    run(stage, 1)
    assert depth(stage, "asks") == [(401, 7)]
    run(stage)
    assert depth(stage, "asks") == [(401, 4), (402, 1)]
    assert depth(stage, "bids") == [(399, 2), (1, 1)]
    assert stage.refused == {}


def test_crossed_orders_wait_for_the_opening_auction(tmp_path: Path) -> None:
    stage = stage_of(
        tmp_path,
        [
            *BOOK,
            "2000,4,A,B,100.5,5,14,130",
            "2500,5,M,B,99.75,1,11,130",  # smaller: keeps its place
            "2600,6,A,B,99.75,7,15,130",
            "2700,7,M,B,99.75,3,11,130",  # larger: goes behind
            "3000,8,T,N,100.25,3,0,0",
            "3000,8,F,N,100.25,3,12,0",
            "3000,8,F,N,100.25,3,14,0",
            "3000,9,C,A,100.25,3,12,0",
            "3000,9,M,B,100,2,14,128",
        ],
    )
    run(stage)
    assert depth(stage, "asks") == [(401, 4)]
    assert depth(stage, "bids") == [(400, 2), (399, 10), (1, 1)]
    head = stage.state.books[0].bids.level(399).head
    assert head is not None
    assert head.leaves == 7
    assert stage.state.last_trade_id == 0


def test_trades_hit_the_queue_and_cancels_after_them_are_done_already(tmp_path: Path) -> None:
    stage = stage_of(
        tmp_path,
        [
            *BOOK,
            "2000,4,T,B,100.25,5,99,0",
            "2000,4,F,A,100.25,3,12,0",
            "2000,4,F,A,100.25,2,13,0",
            "2000,5,C,A,100.25,3,12,0",
            "2000,5,M,A,100.25,2,13,130",
        ],
    )
    run(stage)
    feed = stage.feed
    assert isinstance(feed, MboFeed)
    assert (feed.trades, feed.exact) == (1, 1)
    assert depth(stage, "asks") == [(401, 2)]
    assert stage.refused == {}
    assert is_balanced(stage)


def test_modify_keeps_its_place_only_when_it_gets_smaller(tmp_path: Path) -> None:
    smaller = "2000,4,M,A,100.25,1,12,130"
    larger = "2000,4,M,A,100.25,9,12,130"
    moved = "2000,4,M,A,100.5,3,12,130"
    queues = []
    for change in (smaller, larger, moved):
        stage = stage_of(tmp_path, [*BOOK, change])
        run(stage)
        head = stage.state.books[0].asks.level(-401).head
        queues.append((head.leaves if head else 0, depth(stage, "asks")))
    assert queues == [(1, [(401, 5)]), (4, [(401, 13)]), (4, [(401, 4), (402, 3)])]


def test_an_iceberg_shows_its_next_slice_at_the_back(tmp_path: Path) -> None:
    stage = stage_of(
        tmp_path,
        [
            *BOOK,
            "2000,4,T,B,100.25,3,99,0",
            "2000,4,F,A,100.25,3,12,0",
            "2000,5,M,A,100.25,2,12,130",
        ],
    )
    run(stage)
    level = stage.state.books[0].asks.level(-401)
    assert level.head is not None
    assert level.tail is not None
    assert (level.head.leaves, level.tail.leaves) == (4, 2)


OUT_OF_TURN = [
    "2000,4,T,B,100.25,1,99,0",
    "2000,4,F,A,100.25,1,13,0",
    "2000,5,M,A,100.25,3,13,130",
]


def test_a_fill_out_of_turn_gives_the_head_its_place_back(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, [*BOOK, *OUT_OF_TURN])
    run(stage)
    feed = stage.feed
    assert isinstance(feed, MboFeed)
    assert (feed.trades, feed.exact) == (1, 0)
    level = stage.state.books[0].asks.level(-401)
    assert level.head is not None
    assert level.tail is not None
    assert (level.head.leaves, level.tail.leaves) == (3, 3)


def test_a_person_in_the_queue_keeps_its_place_when_others_are_put_right(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, [*BOOK, *OUT_OF_TURN, "9000,6,A,A,101,1,15,130"])
    run(stage, 1)
    person = Person(stage)
    mine = person.place(SELL, 401, 5)
    run(stage)
    # The head lost its place, those between it and the person did not move.
    level = stage.state.books[0].asks.level(-401)
    queue = []
    order = level.head
    while order is not None:
        queue.append((order.order_id == mine, order.leaves))
        order = order.next
    assert queue == [(False, 3), (True, 5), (False, 3)]


def test_a_person_in_front_is_hit_by_the_recorded_flow(tmp_path: Path) -> None:
    stage = stage_of(
        tmp_path,
        [
            *BOOK,
            "2000,4,T,A,99.75,2,99,0",
            "2000,4,F,B,99.75,2,11,0",
            "2000,5,C,B,99.75,2,11,130",
        ],
    )
    run(stage, 1)
    person = Person(stage)
    mine = person.place(BUY, 400, 1)
    run(stage)
    assert person.leaves(mine) == 0
    assert depth(stage, "bids") == [(1, 1)]  # the recorded order ended as recorded
    assert is_balanced(stage)


def test_clear_empties_the_recorded_book_only(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, [*BOOK, "2000,4,R,N,,0,0,130", "3000,5,A,B,99.5,1,16,130"])
    run(stage, 1)
    person = Person(stage)
    person.place(BUY, 390, 1)
    run(stage)
    assert depth(stage, "asks") == []
    assert depth(stage, "bids") == [(398, 1), (390, 1)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2000,4,A,B,99.75,2,11", "8 fields, not 7"),
        ("2000,4,X,B,99.75,2,14,130", "action 'X'"),
        ("2000,4,A,Q,99.75,2,14,130", "side 'Q'"),
        ("2000,4,A,N,99.75,2,14,130", "an order has side A or B"),
        ("2000,4,A,B,NaN,2,14,130", "price 'NaN'"),
        ("2000,4,A,B,-1,2,14,130", "price '-1'"),
        ("2000,4,A,B,99.75,0,14,130", "above zero"),
        ("2000,4,A,B,99.75,2,x,130", "order_id 'x'"),
        ("900,4,A,B,99.75,2,14,130", "the time goes back"),
    ],
)
def test_a_bad_record_is_named_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(DataError, match=why) as caught:
        stage_of(tmp_path, [*BOOK, line])
    assert caught.value.line == 6


def test_a_file_of_columns_alone_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "mbo.csv"
    path.write_text(HEADER + "\n")
    with pytest.raises(DataError, match="is empty"):
        MboFeed(path, "ESH4")
    path.write_text("ts,price\n")
    with pytest.raises(DataError, match="the columns are not"):
        MboFeed(path, "ESH4")


def test_data_that_does_not_fit_the_listing_is_refused(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, BOOK)
    finer = MboFeed(written(tmp_path, [*BOOK, "2000,4,A,A,100.30,1,14,130"]), "ESH4")
    with pytest.raises(DataError, match=r"price 100.300000000 or size 1 does not fit ESH4") as caught:
        finer.prepare(stage.state)
    assert caught.value.line == 6


def test_a_partial_cancel_after_a_fill_out_of_turn_is_counted_once(tmp_path: Path) -> None:
    records = [*OUT_OF_TURN[:2], "2000,5,C,A,100.25,1,13,130"]
    stage = stage_of(tmp_path, [*BOOK, *records])
    run(stage)
    assert depth(stage, "asks") == [(401, 6)]
