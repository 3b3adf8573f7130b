"""An account's orders and fills, folded from the events of the real engine."""

from __future__ import annotations

from exchange.client import Receipt
from exchange.core.messages import CancelOrder, ModifyOrder, PlaceOrder
from exchange.core.terms import BUY, CANCELED, FILLED, IOC, IOC_REMAINDER, LIMIT, SELL
from exchange.views.blotter import Blotter, OpenOrder
from tests.tradecli.tui.memory import LOCAL, MemoryExchange, crowd_order, founded

MAIN = 3


def place(exchange: MemoryExchange, side: int, price: int, lots: int, **more: int) -> Receipt:
    return exchange.apply(LOCAL, PlaceOrder(MAIN, 0, side, LIMIT, lots, price, **more))


def folded(exchange: MemoryExchange, since: int = 0, blotter: Blotter | None = None) -> Blotter:
    blotter = blotter if blotter is not None else Blotter(MAIN)
    for update in exchange.updates:
        if update.seq > since:
            for event in update.events:
                blotter.fold(update.seq, update.ts, event)
    return blotter


def rows(blotter: Blotter) -> list[tuple[int, int, int, int]]:
    return [(o.order_id, o.quantity, o.leaves, o.limit) for o in blotter.orders.values()]


def test_working_orders_shrink_with_their_fills() -> None:
    exchange = founded()
    place(exchange, BUY, 6_400_000, 1_000)
    crowd_order(exchange, SELL, 6_400_000, 300)
    blotter = folded(exchange)
    assert rows(blotter) == [(1, 1_000, 700, 6_400_000)]
    order = blotter.orders[1]
    assert order.filled == 300
    fill = blotter.fills[-1]
    assert (fill.side, fill.quantity, fill.price, fill.is_maker) == (BUY, 300, 6_400_000, True)
    assert fill.fee == fill.value(exchange.state.books[0].instrument.unit) * 200 // 1_000_000


def test_a_finished_order_moves_to_the_done_ones() -> None:
    exchange = founded()
    crowd_order(exchange, SELL, 6_400_000, 300)
    place(exchange, BUY, 6_400_000, 300)
    place(exchange, BUY, 6_400_000, 300, tif=IOC)
    place(exchange, BUY, 6_300_000, 300)
    exchange.apply(LOCAL, CancelOrder(MAIN, 4))
    blotter = folded(exchange)
    assert not blotter.orders
    assert [done.reason for done in blotter.done] == [FILLED, IOC_REMAINDER, CANCELED]
    assert [done.order.leaves for done in blotter.done] == [0, 300, 300]


def test_modified_orders_carry_the_new_terms() -> None:
    exchange = founded()
    place(exchange, SELL, 6_500_000, 1_000)
    crowd_order(exchange, BUY, 6_500_000, 100)
    exchange.apply(LOCAL, ModifyOrder(MAIN, 1, quantity=500, limit=6_600_000))
    blotter = folded(exchange)
    assert rows(blotter) == [(1, 500, 400, 6_600_000)]
    assert blotter.orders[1].filled == 100


def test_trading_with_oneself_gives_both_fills() -> None:
    exchange = founded()
    place(exchange, SELL, 6_400_000, 10)
    place(exchange, BUY, 6_400_000, 10, stp=5)
    blotter = folded(exchange)
    assert [(fill.side, fill.is_maker) for fill in blotter.fills] == [(SELL, True), (BUY, False)]


def test_other_accounts_are_nobodys_business() -> None:
    exchange = founded()
    crowd_order(exchange, SELL, 6_400_000, 10)
    crowd_order(exchange, BUY, 6_400_000, 10)
    blotter = folded(exchange)
    assert (len(blotter.orders), len(blotter.fills), len(blotter.done)) == (0, 0, 0)


def test_overlapping_updates_lead_to_the_same_rows() -> None:
    exchange = founded()
    place(exchange, BUY, 6_400_000, 1_000)
    early = exchange.state.seq
    place(exchange, BUY, 6_390_000, 1_000)
    crowd_order(exchange, SELL, 6_400_000, 300)
    whole = folded(exchange)
    snapshot = Blotter(MAIN)
    kept = [copy_of(order) for order in whole.orders.values()]
    snapshot.load(kept, list(whole.fills))
    crowd_order(exchange, SELL, 6_400_000, 50)
    assert rows(folded(exchange, early, snapshot)) == rows(folded(exchange))
    assert len(snapshot.fills) == 2


def copy_of(order: OpenOrder) -> OpenOrder:
    command = PlaceOrder(MAIN, order.instrument, order.side, order.type, order.quantity, order.limit)
    made = OpenOrder(order.order_id, order.ts, order.limit, command)
    made.leaves = order.leaves
    return made


def test_own_lots_by_level() -> None:
    exchange = founded()
    place(exchange, BUY, 6_400_000, 100)
    place(exchange, BUY, 6_400_000, 50)
    place(exchange, SELL, 6_500_000, 70)
    blotter = folded(exchange)
    assert blotter.working_at(0) == {(BUY, 6_400_000): 150, (SELL, 6_500_000): 70}
    assert blotter.working_at(1) == {}
