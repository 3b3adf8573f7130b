"""What the screen holds equals what the exchange says, however snapshots and updates overlap."""

from __future__ import annotations

import random

import pytest

from exchange.client import Update
from exchange.core.messages import CancelOrder, ModifyOrder, PlaceOrder
from exchange.core.terms import BUY, IOC, LIMIT, SELL
from exchange.core.units import DAY, SECOND
from exchange.directory import Directory
from exchange.errors import ProtocolError
from exchange.views.candles import Candle
from tests.tradecli.tui.memory import LOCAL, MemoryClient, MemoryExchange, crowd_order, market_day
from tradecli.tui.mirror import Mirror, load, load_candles, load_market, short_candles
from tradecli.tui.rows import fill_of, holding_of, nanos_of, order_of, position_of, print_of, steps

MAIN = 3


def trade_on(exchange: MemoryExchange, steps: int, seed: int) -> None:
    """Own orders and the crowd's, crossing and not."""
    draw = random.Random(seed)
    for _ in range(steps):
        exchange.now += draw.randint(0, 20) * SECOND
        book = exchange.state.books[0]
        price = book.last + draw.randint(-400, 400)
        side = draw.choice((BUY, SELL))
        mine = [order for order in exchange.state.live_orders() if order.account.account_id == MAIN]
        roll = draw.random()
        if roll < 0.3:
            exchange.apply(LOCAL, PlaceOrder(MAIN, 0, side, LIMIT, draw.randint(1, 3_000), price))
        elif roll < 0.4 and mine:
            exchange.apply(LOCAL, CancelOrder(MAIN, draw.choice(mine).order_id))
        elif roll < 0.5 and mine:
            order = draw.choice(mine)
            exchange.apply(
                LOCAL, ModifyOrder(MAIN, order.order_id, quantity=order.filled + draw.randint(1, 2_000))
            )
        else:
            crowd_order(exchange, side, price, draw.randint(1, 90_000), tif=draw.choice((1, IOC)))


def updates_after(exchange: MemoryExchange, seq: int) -> list[Update]:
    return [update for update in exchange.updates if update.seq > seq]


def assert_equal(mirror: Mirror, exchange: MemoryExchange) -> None:
    fresh = Mirror("main")
    client = MemoryClient(exchange)
    fresh.take(load(client, "main"))
    fresh.begin_market(0)
    fresh.take_market(0, load_market(client, fresh.directory, 0))
    fresh.take_candles(0, "1m", load_candles(client, fresh.directory, 0, "1m", 500))
    assert mirror.seq == fresh.seq
    assert mirror.depth.bids.top(500) == fresh.depth.bids.top(500)
    assert mirror.depth.asks.top(500) == fresh.depth.asks.top(500)
    assert list(mirror.tape.prints)[-50:] == list(fresh.tape.prints)[-50:]
    assert rows_of(mirror) == rows_of(fresh)
    assert list(mirror.blotter.fills) == list(fresh.blotter.fills)
    assert [candle_row(c) for c in mirror.candles.candles] == [candle_row(c) for c in fresh.candles.candles]
    assert mirror.marks[0] == fresh.marks[0]


def rows_of(mirror: Mirror) -> list[tuple[int, ...]]:
    return [(o.order_id, o.side, o.quantity, o.leaves, o.limit) for o in mirror.blotter.orders.values()]


def candle_row(candle: Candle) -> tuple[int, ...]:
    return (candle.begin, candle.open, candle.high, candle.low, candle.close, candle.volume)


@pytest.mark.parametrize("seed", range(4))
def test_snapshots_taken_in_the_middle_of_things_end_at_the_truth(seed: int) -> None:
    exchange = market_day()
    client = MemoryClient(exchange)
    trade_on(exchange, 60, seed)
    mirror = Mirror("main")
    snapshot = load(client, "main")
    trade_on(exchange, 30, seed + 10)
    mirror.take(snapshot)
    mirror.begin_market(0)
    mirror.begin_request()
    mirror.begin_request()
    mirror.fold(updates_after(exchange, snapshot.seq))
    market = load_market(client, mirror.directory, 0)
    candles = load_candles(client, mirror.directory, 0, "1m", 500)
    trade_on(exchange, 30, seed + 20)
    mirror.fold(updates_after(exchange, mirror.seq))  # folded before the answers are taken in
    mirror.take_market(0, market)
    mirror.end_request()
    mirror.take_candles(0, "1m", candles)
    mirror.end_request()
    trade_on(exchange, 30, seed + 30)
    mirror.fold(updates_after(exchange, mirror.seq))
    assert_equal(mirror, exchange)


def test_an_answer_for_another_instrument_is_passed_over() -> None:
    exchange = market_day()
    client = MemoryClient(exchange)
    mirror = Mirror("main")
    mirror.take(load(client, "main"))
    mirror.begin_market(0)
    old = load_market(client, mirror.directory, 0)
    mirror.begin_market(1)
    mirror.take_market(0, old)
    mirror.take_candles(0, "1m", [])
    mirror.take_candles(1, "5m", [])
    assert mirror.depth.instrument == -1
    assert mirror.is_chart_loading


def test_known_updates_are_skipped() -> None:
    exchange = market_day()
    mirror = Mirror("main")
    mirror.take(load(MemoryClient(exchange), "main"))
    assert not mirror.fold(exchange.updates).quotes
    crowd_order(exchange, BUY, 0, 1_000, tif=IOC)
    assert mirror.fold(exchange.updates[-1:]).quotes


def test_equity_and_gain_of_the_day() -> None:
    exchange = market_day()
    mirror = Mirror("main")
    client = MemoryClient(exchange)
    mirror.take(load(client, "main"))
    mirror.begin_market(0)
    book = exchange.state.books[0]
    ask = book.best_ask()
    exchange.apply(LOCAL, PlaceOrder(MAIN, 0, BUY, LIMIT, 1_000, ask))
    mirror.fold(updates_after(exchange, mirror.seq))
    mirror.take(load(client, "main"))
    mirror.begin_market(0)
    equity, gain, currency = mirror.worth()
    assert currency == "USDC"
    fee = ask * 1_000 * 500 * book.instrument.unit // 1_000_000 / 10**8
    assert float(gain) == pytest.approx(-fee, abs=1e-6)
    eth = exchange.state.books[1].last / 100
    assert float(equity) == pytest.approx(100_000 + 2 * ask / 100 + 20 * eth - fee, abs=0.01)


def test_too_many_fills_of_a_day_leave_the_gain_unknown() -> None:
    mirror = Mirror("main")
    exchange = market_day()
    mirror.take(load(MemoryClient(exchange), "main"))
    mirror.begin_market(0)
    fill = fill_of(FILL, mirror.directory)
    for at in range(1, 1_001):
        mirror.blotter.fills.append(fill._replace(trade_id=at, ts=mirror.ts))
    assert mirror.worth()[1] == ""


def test_the_day_begins_at_the_last_price_before_it() -> None:
    mirror = Mirror("main")
    exchange = market_day()
    mirror.take(load(MemoryClient(exchange), "main"))
    midnight = exchange.now - exchange.now % DAY
    before, today = Candle(midnight - DAY, 90), Candle(midnight, 100)
    mirror.take_history(0, [], [before, today])
    assert mirror.begin_price(0) == 90
    mirror.take_history(0, [], [today])
    assert mirror.begin_price(0) == 100
    mirror.take_history(0, [], [before])
    assert mirror.begin_price(0) == 90
    mirror.take_history(0, [], [])
    assert mirror.begin_price(0) == 0


def test_short_candles_come_from_single_trades() -> None:
    exchange = market_day()
    client = MemoryClient(exchange)
    directory = Directory.of(exchange.state)
    rows = list(reversed(client.query("trades", instrument="BTC-USDC", limit=200)))
    candles = short_candles(rows, directory, 15 * SECOND)
    minutes = load_candles(client, directory, 0, "1m", 500)
    assert candles[-1].close == minutes[-1].close
    assert all(candle.begin % (15 * SECOND) == 0 for candle in candles)
    assert sum(candle.trades for candle in candles) == 200


FILL = {
    "trade_id": 9,
    "order_id": 4,
    "symbol": "BTC-USDC",
    "side": "sell",
    "price": "64000.50",
    "quantity": "0.00100",
    "fee": "-0.01000000",
    "liquidity": "maker",
    "time": "2026-01-01T08:00:00.123456Z",
}


def test_rows_read_back_exactly() -> None:
    exchange = market_day()
    directory = Directory.of(exchange.state)
    assert nanos_of("2026-01-01T08:00:00.123456Z") == 1_767_254_400_123_456_000
    fill = fill_of(FILL, directory)
    assert (fill.price, fill.quantity, fill.fee, fill.side, fill.is_maker) == (
        6_400_050,
        100,
        -1_000_000,
        SELL,
        True,
    )
    assert print_of({**FILL, "side": "buy"}, directory).side == BUY
    holding = holding_of({"asset": "USDC", "posted": "-5.5", "held": "0"}, directory)
    assert (holding.asset, holding.posted) == (0, -550_000_000)


def test_an_order_row_reads_back_as_it_was() -> None:
    exchange = market_day()
    exchange.apply(
        LOCAL, PlaceOrder(MAIN, 0, SELL, LIMIT, 5_000, 7_000_000, display=1_000, client_order_id="a-1")
    )
    [row] = MemoryClient(exchange).query("orders", account="main")
    order = order_of(row, Directory.of(exchange.state))
    assert (order.quantity, order.leaves, order.limit, order.display) == (5_000, 5_000, 7_000_000, 1_000)
    assert (order.client_order_id, order.ts) == ("a-1", exchange.now)


def test_a_short_position_reads_back() -> None:
    exchange = market_day()
    bid = exchange.state.books[0].best_bid()
    exchange.apply(LOCAL, PlaceOrder(MAIN, 0, SELL, LIMIT, 5_000, bid))
    [row] = MemoryClient(exchange).query("positions", account="main")
    number, position = position_of(row, Directory.of(exchange.state))
    assert (number, position.quantity) == (0, -5_000)
    assert position.cost == bid * 5_000 * position.unit
    assert position.unrealised(bid) == 0


def test_nonsense_from_the_other_side_is_named() -> None:
    with pytest.raises(ProtocolError, match="where a decimal"):
        steps("12,5", 2)
