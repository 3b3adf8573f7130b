"""Takers: flow that arrives in bursts and wants to trade now, and traders who know the value."""

from __future__ import annotations

from typing import Final

from exchange.adapters.feeds.living.dice import Dice
from exchange.adapters.feeds.living.market import FINE, SIZES, Market
from exchange.adapters.feeds.living.trader import MILLI, Trader
from exchange.core.commands import Command
from exchange.core.messages import CancelOrder, PlaceOrder
from exchange.core.state.book import BookSide
from exchange.core.terms import BUY, FOK, GTC, IOC, LIMIT, MARKET, MARKET_TO_LIMIT, SELL
from exchange.core.units import Lots, Nanos, Ticks

FLOW_MS: Final = 2_400  # mean wait outside of a burst
BURST_MS: Final = 180
BURST: Final = 32  # percent: another order follows at once
SAME_SIDE: Final = 64  # percent: the next order goes the same way
INFORMED_MS: Final = 2_000


def opposite(side: int) -> int:
    return SELL if side == BUY else BUY


class Flow(Trader):
    """Crosses the spread for reasons of its own."""

    __slots__ = ("_is_bursting", "_left_over", "_side")

    def __init__(self, market: Market, account: int, owner: int, dice: Dice, number: int) -> None:
        super().__init__(market, account, owner, dice, number)
        self._side = BUY if dice.hits(50) else SELL
        self._is_bursting = False
        self._left_over: list[tuple[Nanos, int]] = []  # (when to give up, order id)

    def pause(self) -> Nanos:
        self._is_bursting = self.dice.hits(BURST)
        if self._is_bursting:
            return self.after(BURST_MS)
        return self.after(FLOW_MS * 100 // self.market.walk.regime.activity)

    def accepted(self, order_id: int) -> None:
        if self.resting(order_id) is not None:
            self._left_over.append((self.now + self.dice.between(800, 6_000) * MILLI, order_id))

    def wake(self) -> list[Command]:
        while self._left_over and self._left_over[0][0] <= self.now:
            _, order_id = self._left_over.pop(0)
            if self.resting(order_id) is not None:  # the next order counts on a book without it
                return [CancelOrder(self.account, order_id)]
        if not self.dice.hits(SAME_SIDE):
            self._side = opposite(self._side)
        side = self._side
        lean = self.market.walk.regime.drift
        if lean and self.dice.hits(12):
            side = BUY if lean > 0 else SELL
        order = self._order(side)
        return [] if order is None else [order]

    def _order(self, side: int) -> PlaceOrder | None:
        market, dice = self.market, self.dice
        best = market.best(opposite(side))
        lots = market.size(dice, dice.pick(SIZES))
        shown = self._shown(side)
        if not best or shown < market.lots_min:
            return None
        instrument = market.instrument.instrument_id
        roll = dice.below(100)
        if roll < 34:
            return PlaceOrder(self.account, instrument, side, MARKET, min(lots, shown), 0, IOC)
        if roll < 74:
            reach = market.step * dice.between(0, 3)
            limit = market.clamp(best + reach if side == BUY else best - reach)
            return PlaceOrder(self.account, instrument, side, LIMIT, lots, limit, IOC)
        if roll < 80:
            lots = min(lots, self._certain(side))
            if lots >= market.lots_min:
                return PlaceOrder(self.account, instrument, side, LIMIT, lots, best, FOK)
            return None
        if roll < 90:
            return PlaceOrder(self.account, instrument, side, MARKET_TO_LIMIT, lots, 0, GTC)
        return PlaceOrder(self.account, instrument, side, LIMIT, lots, best, GTC)

    def _shown(self, side: int) -> Lots:
        """Lots on the three best levels of the other side."""
        other = self._other(side)
        return sum(other.at(key).shown for key in other.keys[:-4:-1])

    def _certain(self, side: int) -> Lots:
        """Lots at the best price that are not its own, which a fill-or-kill order can count on."""
        other = self._other(side)
        order = other.at(other.keys[-1]).head
        lots = 0
        while order is not None and order.account.account_id != self.account:
            lots += order.shown
            order = order.next
        return lots

    def _other(self, side: int) -> BookSide:
        book = self.market.book
        return book.asks if side == BUY else book.bids


class Informed(Trader):
    """Knows the value and takes every quote that is wrong about it by more than a step or so."""

    __slots__ = ("_edge",)

    def __init__(self, market: Market, account: int, owner: int, dice: Dice, number: int) -> None:
        super().__init__(market, account, owner, dice, number)
        self._edge = 40 + 30 * number  # percent of a step

    def pause(self) -> Nanos:
        return self.after(INFORMED_MS * 100 // self.market.walk.regime.activity)

    def wake(self) -> list[Command]:
        market = self.market
        edge = market.step * FINE * self._edge // 100
        highest: Ticks = (market.value - edge) // FINE
        lowest: Ticks = -((-market.value - edge) // FINE)
        bid, ask = market.book.best_bid(), market.book.best_ask()
        if ask and ask <= highest:
            return [self._take(BUY, market.clamp(highest))]
        if bid and bid >= lowest:
            return [self._take(SELL, market.clamp(lowest))]
        return []

    def _take(self, side: int, limit: Ticks) -> PlaceOrder:
        market = self.market
        lots = market.size(self.dice, 4 + self.dice.pick(SIZES))
        return PlaceOrder(self.account, market.instrument.instrument_id, side, LIMIT, lots, limit, IOC)
