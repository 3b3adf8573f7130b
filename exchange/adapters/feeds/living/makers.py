"""Makers: a ladder of quotes on both sides around their estimate of the value.

A ladder lives on a grid of price slots; each quote keeps a random place inside its slot, so that
the book does not look ruled.  When the estimate moves, the quote that is most out of place is
moved to the nearest empty slot: one command instead of two.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from exchange.adapters.feeds.living.dice import UNIT, Dice
from exchange.adapters.feeds.living.market import FINE, Market
from exchange.adapters.feeds.living.trader import Trader
from exchange.core.commands import CancelAll, Command
from exchange.core.messages import CancelOrder, ModifyOrder, PlaceOrder
from exchange.core.state.order import Order
from exchange.core.terms import BUY, LIMIT, SELL
from exchange.core.units import Nanos, Ticks


class Style(NamedTuple):
    """levels: quotes a side.   slot: steps of the market a slot is wide.   half: percent of a slot
    from the estimate to the first quote.   interval_ms: mean time between two looks.
    quarters: size of the first quote in quarters of an everyday order.   growth: percent more per
    level.   actions: quotes changed a side and look, at most.
    """

    levels: int
    slot: int
    half: int
    interval_ms: int
    quarters: int
    growth: int
    actions: int


STYLES: Final = (
    Style(levels=6, slot=1, half=35, interval_ms=900, quarters=4, growth=18, actions=4),
    Style(levels=8, slot=1, half=85, interval_ms=1_500, quarters=6, growth=22, actions=4),
    Style(levels=8, slot=3, half=120, interval_ms=4_500, quarters=14, growth=15, actions=3),
)
SKEW_MAX: Final = 3  # slots the inventory can move the estimate by
SKEW_CLIPS: Final = 30  # everyday orders of inventory that move it by one slot
DEPOSIT_CLIPS: Final = 400  # a change this large was money paid in, not a trade
FORGET: Final = 120  # looks after which a position counts as the new normal
STRAY: Final = 4  # slots beyond the ladder where a quote is too far to be of use


class Maker(Trader):
    """bids, asks: ids of its quotes, in order of arrival; some may be done already.

    _usual: the inventory it feels at home with, lots * FORGET.
    """

    __slots__ = ("_bias", "_center", "_usual", "asks", "bids", "style")

    def __init__(self, market: Market, account: int, owner: int, dice: Dice, number: int) -> None:
        super().__init__(market, account, owner, dice, number)
        self.style = STYLES[number % len(STYLES)]
        self.bids: list[int] = []
        self.asks: list[int] = []
        self._bias = 0
        self._center = 0
        self._usual = 0

    def pause(self) -> Nanos:
        return self.after(self.style.interval_ms * 100 // self.market.walk.regime.activity)

    def accepted(self, order_id: int) -> None:
        order = self.resting(order_id)
        if order is not None:
            (self.bids if order.side == BUY else self.asks).append(order_id)

    def wake(self) -> list[Command]:
        width = self.style.slot * self.market.step
        before, center = self._center, self._estimate(width)
        half = width * FINE * self.style.half * (100 + self._caution()) // 10_000
        bid = (center - half) // (width * FINE)
        ask = max((center + half) // (width * FINE), bid + 1)
        # The side the price runs into moves first, or the other one would run into it.
        if center >= before:
            return self._quote(SELL, ask, width) + self._quote(BUY, bid, width)
        return self._quote(BUY, bid, width) + self._quote(SELL, ask, width)

    def _caution(self) -> int:
        """Percent by which the quotes are wider than in a calm market."""
        return max(0, self.market.walk.regime.volatility - 100) // 2

    def _estimate(self, width: Ticks) -> int:
        """Where the ladder stands, in ticks * FINE: the value, a slow error of its own, and away
        from the side it has too much of.  Small moves are not worth a command."""
        market, dice = self.market, self.dice
        slot = width * FINE
        if dice.hits(15):
            self._bias = slot * dice.normal() // (4 * UNIT)
        base = market.instrument.base
        held = market.state.accounts[self.account].balances[base]
        lots = 0 if held is None else held.posted // market.instrument.lot_minor
        surplus = lots - self._usual // FORGET
        if abs(surplus) > DEPOSIT_CLIPS * market.clip:
            surplus = 0
            self._usual = lots * FORGET
        self._usual += surplus
        skew = slot * surplus // (SKEW_CLIPS * market.clip)
        skew = min(max(skew, -SKEW_MAX * slot), SKEW_MAX * slot)
        center = market.value + self._bias - skew
        if abs(center - self._center) * 100 >= slot * 35:
            self._center = center
        return self._center

    def _quote(self, side: int, first: int, width: Ticks) -> list[Command]:
        """Commands that bring one side closer to its ladder, the best price first."""
        style = self.style
        away = -1 if side == BUY else 1
        quotes = self._live(side)
        actions = style.actions if quotes else style.levels
        kept: set[int] = set()
        crossing: list[Order] = []
        spare: list[Order] = []
        for order in quotes:
            rung = (order.limit // width - first) * away
            if rung < 0:
                crossing.append(order)
            elif rung >= style.levels or rung in kept:
                spare.append(order)
            else:
                kept.add(rung)
        if len(crossing) > style.levels // 2:
            (self.bids if side == BUY else self.asks).clear()
            return [
                CancelAll(account=self.account, instrument=self.market.instrument.instrument_id, side=side)
            ]
        spare.sort(key=lambda order: -order.limit * away)  # the farthest is moved first
        free = crossing + spare
        wall = self._wall(side)
        out: list[Command] = []
        for rung in range(style.levels):
            if len(out) >= actions:
                break
            if rung in kept:
                continue
            price = self._price(side, (first + rung * away) * width, width, wall)
            if price:
                out.append(self._put(side, price, rung, free))
        for order in free:
            rung = (order.limit // width - first) * away
            if rung < 0 or rung >= style.levels + STRAY:
                out.append(CancelOrder(self.account, order.order_id))
        return out

    def _live(self, side: int) -> list[Order]:
        """Its quotes of a side; the finished ones are forgotten."""
        numbers = self.bids if side == BUY else self.asks
        orders = [order for number in numbers if (order := self.resting(number)) is not None]
        if len(orders) < len(numbers):
            numbers[:] = [order.order_id for order in orders]
        return orders

    def _wall(self, side: int) -> Ticks:
        """Best price of somebody else on the other side, which a quote must not reach; 0 if none."""
        book = self.market.book
        other = book.asks if side == BUY else book.bids
        for key in reversed(other.keys):
            order = other.at(key).head
            while order is not None:
                if order.account.account_id != self.account:
                    return abs(key)
                order = order.next
        return 0

    def _price(self, side: int, low: Ticks, width: Ticks, wall: Ticks) -> Ticks:
        """A price in the slot that starts at ``low``; 0 if the slot cannot be quoted now."""
        price = low + self.dice.below(width)
        if wall and side == BUY and price >= wall:
            price = wall - 1
        elif side == SELL and price <= wall:
            price = wall + 1
        market = self.market
        return price if low <= price < low + width and market.bottom <= price <= market.top else 0

    def _put(self, side: int, price: Ticks, rung: int, free: list[Order]) -> Command:
        """Move a free quote there, or place a new one."""
        market, style = self.market, self.style
        lots = market.size(self.dice, style.quarters * (100 + style.growth * rung) // 100)
        if free:
            order = free.pop(0)
            total = min(order.filled + lots, market.lots_max)
            if total - order.filled >= market.lots_min:
                return ModifyOrder(self.account, order.order_id, quantity=total, limit=price)
            free.append(order)
        return PlaceOrder(self.account, market.instrument.instrument_id, side, LIMIT, lots, price)
