"""Market depth folded from level changes equals the book it describes."""

from __future__ import annotations

import random

import pytest

from exchange.core.messages import CancelOrder, LevelChanged, OrderAccepted
from exchange.core.terms import BUY, SELL
from exchange.views.depth import Depth, DepthSide
from tests.tradecli.tui.memory import CROWD, MemoryExchange, crowd_order, fill_books, founded


def book_rows(exchange: MemoryExchange) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    book = exchange.state.books[0]
    bids = [(key, book.bids.at(key).shown, book.bids.at(key).orders) for key in reversed(book.bids.keys)]
    asks = [(-key, book.asks.at(key).shown, book.asks.at(key).orders) for key in reversed(book.asks.keys)]
    return bids, asks


def fold_from(exchange: MemoryExchange, depth: Depth, seq: int) -> None:
    for update in exchange.updates:
        if update.seq > seq:
            for event in update.events:
                depth.fold(update.seq, update.ts, event)


def shuffle_book(exchange: MemoryExchange, steps: int, seed: int) -> None:
    draw = random.Random(seed)
    placed: list[int] = []
    for _ in range(steps):
        if placed and draw.random() < 0.4:
            exchange.apply(CROWD, CancelOrder(4, placed.pop(draw.randrange(len(placed)))))
            continue
        receipt = crowd_order(
            exchange, draw.choice((BUY, SELL)), 6_400_000 + draw.randint(-40, 40), draw.randint(1, 9)
        )
        placed += [event.order_id for event in receipt.events if isinstance(event, OrderAccepted)]


@pytest.mark.parametrize("seed", range(5))
def test_folded_depth_equals_the_book(seed: int) -> None:
    exchange = founded()
    depth = Depth(0)
    shuffle_book(exchange, 400, seed)
    fold_from(exchange, depth, 0)
    bids, asks = book_rows(exchange)
    assert depth.bids.top(1_000) == bids
    assert depth.asks.top(1_000) == asks


def test_a_snapshot_with_overlapping_updates_ends_at_the_book() -> None:
    exchange = founded()
    shuffle_book(exchange, 200, 1)
    early = exchange.state.seq
    shuffle_book(exchange, 100, 2)
    depth = Depth(0)
    depth.load(exchange.state.seq, *book_rows(exchange), levels_max=1_000)
    shuffle_book(exchange, 100, 3)
    fold_from(exchange, depth, early)
    assert (depth.bids.top(1_000), depth.asks.top(1_000)) == book_rows(exchange)


def test_other_instruments_and_older_updates_change_nothing() -> None:
    depth = Depth(0)
    depth.load(10, [(100, 5, 1)], [(101, 5, 1)], levels_max=10)
    assert not depth.fold(11, 0, LevelChanged(1, BUY, 100, 9, 1))
    assert not depth.fold(10, 0, LevelChanged(0, BUY, 100, 9, 1))
    assert not depth.fold(11, 0, LevelChanged(0, BUY, 100, 5, 1))
    assert depth.fold(11, 0, LevelChanged(0, BUY, 100, 9, 1))
    assert depth.bids.top(1) == [(100, 9, 1)]


def test_a_cut_snapshot_knows_nothing_below_its_last_level() -> None:
    depth = Depth(0)
    depth.load(1, [(100, 5, 1), (99, 5, 1)], [(101, 5, 1)], levels_max=2)
    assert not depth.fold(2, 0, LevelChanged(0, BUY, 98, 7, 1))
    assert depth.bids.top(9) == [(100, 5, 1), (99, 5, 1)]
    assert not depth.is_exhausted
    depth.fold(3, 0, LevelChanged(0, BUY, 100, 0, 0))
    assert depth.is_exhausted


def test_a_whole_snapshot_is_never_exhausted() -> None:
    depth = Depth(0)
    depth.load(1, [(100, 5, 1)], [], levels_max=2)
    depth.fold(2, 0, LevelChanged(0, BUY, 100, 0, 0))
    assert not depth.is_exhausted
    assert depth.bids.best() == 0


def test_groups_move_away_from_the_other_side() -> None:
    bids, asks = DepthSide(1), DepthSide(-1)
    bids.load([(109, 1, 1), (105, 2, 1), (99, 4, 1)], is_cut=False)
    asks.load([(111, 1, 1), (115, 2, 2), (121, 4, 1)], is_cut=False)
    assert bids.grouped(5, 10) == [(100, 3, 2), (90, 4, 1)]
    assert asks.grouped(5, 10) == [(120, 3, 3), (130, 4, 1)]
    assert asks.grouped(1, 10) == [(120, 3, 3)]
    assert asks.grouped(2, 1) == [(111, 1, 1), (115, 2, 2)]


def test_sums_and_spread() -> None:
    depth = Depth(0)
    depth.load(1, [(100, 6, 1), (98, 4, 1)], [(103, 5, 1), (104, 5, 2)], levels_max=9)
    assert depth.spread == 3
    assert depth.bids.quantity_to(98) == 10
    assert depth.bids.quantity_to(99) == 6
    assert depth.asks.quantity_to(103) == 5
    assert depth.asks.quantity_at(104) == 5
    assert depth.asks.quantity_at(105) == 0
    assert depth.imbalance(1) == 6 * 1_000_000 // 11
    assert depth.imbalance(2) == 500_000


def test_an_empty_side_has_no_spread_and_no_balance() -> None:
    depth = Depth(0)
    assert (depth.spread, depth.imbalance(5)) == (0, 500_000)
    depth.load(1, [(100, 6, 1)], [], levels_max=9)
    assert (depth.spread, depth.imbalance(5)) == (0, 1_000_000)


def test_full_books_are_grouped_without_losing_a_lot() -> None:
    exchange = founded()
    fill_books(exchange)
    depth = Depth(0)
    fold_from(exchange, depth, 0)
    for step in (1, 10, 1_000):
        assert sum(row[1] for row in depth.asks.grouped(1_000, step)) == sum(
            row[1] for row in depth.asks.top(1_000)
        )
