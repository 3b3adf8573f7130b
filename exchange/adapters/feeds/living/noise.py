"""Noise: people who leave orders somewhere in the book and change their mind after a while."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

from exchange.adapters.feeds.living.dice import Dice
from exchange.adapters.feeds.living.market import SIZES, Market
from exchange.adapters.feeds.living.trader import MILLI, Trader
from exchange.core.commands import Command
from exchange.core.messages import CancelOrder, ModifyOrder, PlaceOrder
from exchange.core.terms import BUY, GTC, LIMIT, SELL
from exchange.core.units import Lots, Nanos, Ticks

NOISE_MS: Final = 1_600
LIFE_LEAST: Final[Nanos] = 1_500 * MILLI
LIFE_MS: Final = 16_000
ORDERS_MAX: Final = 24  # a trader keeps in one market
DEPTH: Final = 26  # steps from the best price, at most


class Noise(Trader):
    """A heap of (when it loses patience, order id)."""

    __slots__ = ("_orders",)

    def __init__(self, market: Market, account: int, owner: int, dice: Dice, number: int) -> None:
        super().__init__(market, account, owner, dice, number)
        self._orders: list[tuple[Nanos, int]] = []

    def pause(self) -> Nanos:
        return self.after(NOISE_MS)

    def accepted(self, order_id: int) -> None:
        heappush(self._orders, (self.now + LIFE_LEAST + self.after(LIFE_MS), order_id))

    def wake(self) -> list[Command]:
        out: list[Command] = []
        orders = self._orders
        while orders and (orders[0][0] <= self.now or len(orders) > ORDERS_MAX) and len(out) < 3:
            _, order_id = heappop(orders)
            if self.resting(order_id) is not None:
                out.append(CancelOrder(self.account, order_id))
        if orders and self.dice.hits(8):
            change = self._shrink(self.dice.pick(orders)[1])
            if change is not None:
                out.append(change)
        side = BUY if self.dice.hits(50) else SELL
        price = self._price(side)
        if price:
            out.append(self._order(side, price))
        return out

    def _price(self, side: int) -> Ticks:
        """Of a new order that takes no liquidity; 0 if there is no room."""
        market, dice = self.market, self.dice
        bid, ask = market.book.best_bid(), market.book.best_ask()
        near = bid if side == BUY else ask
        if not bid or not ask:
            return 0
        if ask - bid > 1 and dice.hits(18):
            inside = 1 + dice.below(min(ask - bid - 1, market.step))
            price = near + inside if side == BUY else near - inside
        else:
            # The nearer of two throws: most orders rest close to the market.
            depth = min(dice.below(DEPTH * market.step), dice.below(DEPTH * market.step))
            price = near - depth if side == BUY else near + depth
        price = market.clamp(price)
        takes = price >= ask if side == BUY else price <= bid
        return 0 if takes else price

    def _order(self, side: int, price: Ticks) -> PlaceOrder:
        market, dice = self.market, self.dice
        lots = market.size(dice, dice.pick(SIZES))
        roll = dice.below(100)
        display: Lots = 0
        if roll < 5:
            lots = min(lots * 6, market.lots_max)
            display = lots // 6
        return PlaceOrder(
            self.account,
            market.instrument.instrument_id,
            side,
            LIMIT,
            lots,
            price,
            GTC,
            display=display,
            is_post_only=roll >= 85,
        )

    def _shrink(self, order_id: int) -> Command | None:
        """Half of what is left, keeping its place in the queue."""
        order = self.resting(order_id)
        if order is None or order.leaves < 4 * self.market.lots_min:
            return None
        return ModifyOrder(self.account, order_id, quantity=order.filled + order.leaves // 2)
