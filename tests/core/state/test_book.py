from __future__ import annotations

from random import Random

from exchange.core.instrument import Instrument
from exchange.core.messages import PlaceOrder
from exchange.core.state.book import Book
from exchange.core.state.ledger import Account
from exchange.core.state.order import Order
from exchange.core.terms import BUY, CLIENT, LIMIT, SELL
from tests.reference.audit import audit_book, depth
from tests.reference.differential import queue

ACCOUNT = Account(3, "alice", 1, CLIENT)


def book() -> Book:
    return Book(Instrument(0, "BTC-USDC", "", "", 1, 0))


def order(of: Book, order_id: int, side: int, limit: int, quantity: int, display: int = 0) -> Order:
    command = PlaceOrder(3, 0, side, LIMIT, quantity, limit, display=display)
    return Order(order_id, 0, ACCOUNT, of, command, limit)


def rest(of: Book, order_id: int, side: int, limit: int, quantity: int, display: int = 0) -> Order:
    made = order(of, order_id, side, limit, quantity, display)
    of.rest(made)
    return made


def test_an_empty_book_has_no_prices() -> None:
    empty = book()
    assert (empty.best_bid(), empty.best_ask()) == (0, 0)
    assert depth(empty, BUY) == depth(empty, SELL) == []


def test_levels_are_best_first_and_orders_oldest_first() -> None:
    of = book()
    for number, limit in enumerate((100, 102, 99, 102, 101), 1):
        rest(of, number, BUY, limit, 5)
        rest(of, 10 + number, SELL, limit + 10, 5)
    assert of.best_bid() == 102
    assert of.best_ask() == 109
    assert [number for number, _, _ in queue(of.bids)] == [2, 4, 5, 1, 3]
    assert [number for number, _, _ in queue(of.asks)] == [13, 11, 15, 12, 14]
    assert depth(of, BUY) == [(102, 10, 2), (101, 5, 1), (100, 5, 1), (99, 5, 1)]
    audit_book(of)


def test_a_removed_order_leaves_no_trace_and_its_level_goes_with_the_last() -> None:
    of = book()
    first, middle, last = (rest(of, number, BUY, 100, number) for number in (1, 2, 3))
    other = rest(of, 4, BUY, 99, 4)
    assert of.remove(middle).shown == 4
    assert (first.next, last.prev) == (last, first)
    assert (middle.next, middle.prev, middle.level) == (None, None, None)
    of.remove(first)
    level = of.remove(last)
    assert (level.shown, level.orders, level.head, level.tail) == (0, 0, None, None)
    assert of.best_bid() == 99
    of.remove(other)
    assert of.best_bid() == 0
    audit_book(of)


def test_an_iceberg_shows_its_display_until_less_is_left() -> None:
    of = book()
    assert rest(of, 1, SELL, 100, 10, 4).shown == 4
    assert rest(of, 2, SELL, 100, 10).shown == 10
    small = order(of, 3, SELL, 100, 10, 4)
    small.leaves = 3
    of.rest(small)
    assert small.shown == 3
    assert depth(of, SELL) == [(100, 17, 3)]


def test_a_refill_goes_to_the_back_and_alone_stays_where_it_is() -> None:
    of = book()
    iceberg, other = rest(of, 1, SELL, 100, 10, 4), rest(of, 2, SELL, 100, 5)
    level = iceberg.level
    assert level is not None
    for expected in ((2, 5, 5), (1, 6, 4)), ((2, 5, 5), (1, 6, 4)):
        level.shown -= iceberg.shown
        iceberg.leaves = 6
        iceberg.shown = 0
        of.refill(iceberg, level)
        assert tuple(queue(of.asks)) == expected
        assert level.shown == 9
    third = rest(of, 3, SELL, 100, 1)
    of.refill(other, level)  # from the front, past both
    level.shown -= other.shown
    assert [number for number, _, _ in queue(of.asks)] == [1, 3, 2]
    of.remove(third)
    assert [number for number, _, _ in queue(of.asks)] == [1, 2]


def test_the_book_is_a_sorted_list_under_any_mix_of_entries_and_removals() -> None:
    draw, of, resting = Random(3), book(), {}
    for number in range(1, 2_000):
        if resting and draw.random() < 0.5:
            of.remove(resting.pop(draw.choice(list(resting))))
        else:
            side = draw.choice((BUY, SELL))
            limit = draw.randrange(80, 100) if side == BUY else draw.randrange(100, 120)
            resting[number] = rest(of, number, side, limit, draw.randrange(1, 9))
        if number % 50 == 0:
            audit_book(of)
    expected = sorted((o for o in resting.values() if o.side == BUY), key=lambda o: (-o.limit, o.order_id))
    assert [number for number, _, _ in queue(of.bids)] == [o.order_id for o in expected]
