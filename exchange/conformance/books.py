"""Recorded books against the engine's: NASDAQ level by level, CME fill by fill, Binance top by top."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from exchange.adapters.feeds.recorded import l2 as binance
from exchange.adapters.feeds.recorded.lobster import (
    ADD,
    EXECUTE,
    VISIBLE,
    Level,
    Message,
    Row,
    levels_of,
    read_messages,
    read_rows,
)
from exchange.adapters.feeds.recorded.mbo import MboFeed
from exchange.adapters.feeds.recorded.source import Progress, Source
from exchange.conformance.market import INSTRUMENT, Market
from exchange.conformance.matching import rare_collections, top_of
from exchange.conformance.stage import Stage
from exchange.core.messages import CancelOrder, ModifyOrder, PlaceOrder
from exchange.core.state.book import BookSide
from exchange.core.terms import BUY, GTC, IOC, LIMIT, SELL, STP_NONE

SYMBOL: Final = "BASE-QUOTE"
WARM_UP: Final = 50  # depth updates before the first comparison
PROGRESS_STEPS: Final = 1_000


def lobster(messages: Path, book: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Seed the book from each row, apply the next message, compare with the next row.

    A side that loses a level is compared without its deepest one, which no message tells.
    Raises DataError, NotFound.
    """
    rows = Source(book)
    run = _Transitions(levels_of(rows))
    source = Source(messages)
    before: Row | None = None
    exact = total = 0
    after = read_rows(rows)
    with rare_collections():
        for message in read_messages(source):
            row = next(after, None)
            if row is None:
                raise rows.error(f"ends before message {message.line} of {messages}")
            if before is not None:
                total += 1
                exact += run.is_exact(before, message, row)
            before = row
            if progress is not None and total % PROGRESS_STEPS == 0:
                progress(total, 0)
    if before is None:
        raise source.error("is empty")
    return {"exact": exact, "total": total}


class _Transitions:
    """Prices in ten-thousandths are the ticks, shares the lots."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.market = Market(["book", "taker"])
        self.orders: dict[tuple[int, int], list[int]] = {}  # engine order ids by side and price

    def is_exact(self, before: Row, message: Message, after: Row) -> bool:
        self._seed(BUY, before.bids)
        self._seed(SELL, before.asks)
        if message.type in VISIBLE:
            self._apply(message)
        book = self.market.engine.state.books[INSTRUMENT]
        return self._agrees(book.bids, before.bids, after.bids) and self._agrees(
            book.asks, before.asks, after.asks
        )

    def _agrees(self, side: BookSide, before: list[Level], after: list[Level]) -> bool:
        found = [(abs(key), side.level(key).shown) for key in reversed(side.keys[-self.depth :])]
        is_shorter = len(found) < len(before) == self.depth
        return found == (after[: self.depth - 1] if is_shorter else after)

    def _seed(self, side: int, levels: list[Level]) -> None:
        wanted = dict(levels)
        state = self.market.engine.state
        book = state.books[INSTRUMENT]
        keys = book.bids.keys if side == BUY else book.asks.keys
        for price in [abs(key) for key in keys]:
            orders = [order for name in self.orders[side, price] if (order := state.order(name)) is not None]
            if sum(order.leaves for order in orders) == wanted.get(price, 0):
                del wanted[price]
                continue
            for order in orders:
                self._ask(0, CancelOrder(order.account.account_id, order.order_id))
            del self.orders[side, price]
        for price, size in wanted.items():
            self.orders.pop((side, price), None)
            self._place(side, price, size)

    def _apply(self, message: Message) -> None:
        side, price = message.side, message.price
        if message.type == ADD:
            self._place(side, price, message.size)
        elif message.type == EXECUTE:
            taker = self.market.accounts[1]
            opposite = SELL if side == BUY else BUY
            self._ask(1, self._order(taker, (opposite, price, message.size), IOC))
        else:
            self._reduce(side, price, message.size)

    def _place(self, side: int, price: int, size: int) -> None:
        self.orders.setdefault((side, price), []).append(self.market.engine.state.next_order_id)
        self._ask(0, self._order(self.market.accounts[0], (side, price, size), GTC))

    def _reduce(self, side: int, price: int, size: int) -> None:
        account = self.market.accounts[0]
        for name in self.orders.get((side, price), []):
            order = self.market.engine.state.order(name)
            if order is None:
                continue
            cut = min(size, order.leaves)
            if cut == order.leaves:
                self._ask(0, CancelOrder(account, name))
            else:
                self._ask(0, ModifyOrder(account, name, "", order.filled + order.leaves - cut))
            size -= cut
            if not size:
                return

    def _order(self, account: int, terms: tuple[int, int, int], tif: int) -> PlaceOrder:
        side, price, size = terms
        return PlaceOrder(account, INSTRUMENT, side, LIMIT, size, price, tif, stp=STP_NONE)

    def _ask(self, who: int, command: PlaceOrder | CancelOrder | ModifyOrder) -> None:
        self.market.apply(self.market.actors[who], command)


def mbo(path: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Trades whose fills are as recorded: order ids, sizes and prices in their order.

    crossed: recorded orders that would have traded on entry.   Raises DataError, NotFound.
    """
    feed = MboFeed(path, SYMBOL)
    stage = Stage(feed)
    steps = 0
    with rare_collections():
        while stage.step():
            steps += 1
            if progress is not None and steps % PROGRESS_STEPS == 0:
                progress(steps, feed.extent.records)
    return {"exact": feed.exact, "total": feed.trades, "crossed": feed.crossed}


def l2(path: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Best prices and sizes after each depth update against the exchange's own at that update.

    The first WARM_UP updates are not compared.   gaps: missing update ids.
    Raises DataError, NotFound.
    """
    feed = binance.L2Feed(path, SYMBOL)
    stage = Stage(feed)
    best, begin = _best_of(Source(path))
    equal = total = seen = at = 0
    with rare_collections():
        while stage.step():
            if feed.last == seen:
                continue
            seen = feed.last
            while at + 1 < len(best) and best[at + 1].update <= seen:
                at += 1
            if seen >= begin and best and best[at].update <= seen:
                total += 1
                equal += _top(stage, feed) == (*best[at].bid, *best[at].ask)
                if progress is not None and total % PROGRESS_STEPS == 0:
                    progress(total, 0)
    return {"equal": equal, "total": total, "gaps": feed.gaps}


def _best_of(source: Source) -> tuple[list[binance.Best], int]:
    """The exchange's own best prices, and the update after which to compare."""
    best: list[binance.Best] = []
    updates: list[int] = []
    for message in binance.read_lines(source):
        if isinstance(message, binance.Best):
            best.append(message)
        elif isinstance(message, binance.Depth) and not message.is_whole and len(updates) < WARM_UP:
            updates.append(message.last)
    return best, updates[-1] if updates else 0


def _top(stage: Stage, feed: binance.L2Feed) -> tuple[int, int, int, int]:
    """As recorded: in units of 10**-8."""
    instrument = feed.desk.instrument
    tick: int = instrument.tick_units * 10 ** (binance.DECIMALS - instrument.price_decimals)
    lot: int = instrument.lot_units * 10 ** (binance.DECIMALS - instrument.quantity_decimals)
    bid, bid_size, ask, ask_size = top_of(stage.state.books[instrument.instrument_id])
    return bid * tick, bid_size * lot, ask * tick, ask_size * lot
