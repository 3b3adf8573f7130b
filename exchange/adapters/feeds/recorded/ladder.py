"""The recorded book's own orders by price, oldest first, and how a level gets to a recorded size."""

from __future__ import annotations

from exchange.adapters.feeds.recorded.desk import Answer, Desk, Own
from exchange.core.terms import BUY
from exchange.core.units import Lots, Ticks


class Ladder:
    """levels: own orders by (side, price) in the order of their queue; some may be gone already."""

    __slots__ = ("desk", "entered", "levels")

    def __init__(self, desk: Desk, entered: Answer | None = None) -> None:
        """entered: hears the answer of every order placed."""
        self.desk = desk
        self.entered = entered
        self.levels: dict[tuple[int, Ticks], list[Own]] = {}

    def place(self, own: Own) -> None:
        self.levels.setdefault((own.side, own.price), []).append(self.desk.place(own, self.entered))

    def remove(self, own: Own) -> None:
        """Forget an order, and its level with the last one."""
        level = self.levels.get((own.side, own.price))
        if level is not None and own in level:
            level.remove(own)
            if not level:
                del self.levels[own.side, own.price]

    def leaves(self, side: int, price: Ticks) -> Lots:
        """Own lots that rest at a price."""
        return sum(self.desk.leaves(own) for own in self.levels.get((side, price), ()))

    def settle(self, side: int, price: Ticks, size: Lots) -> None:
        """Make the own lots at a price this many.

        More joins the back of the queue; less is taken from the newest, so what stands between
        never gains from a cancel whose place is not recorded.
        """
        level = self.levels.get((side, price), [])
        alive = [(own, leaves) for own in level if (leaves := self.desk.leaves(own))]
        surplus = sum(leaves for _, leaves in alive) - size
        kept = [own for own, _ in alive]
        for own, leaves in reversed(alive):
            if surplus <= 0:
                break
            cut = min(leaves, surplus)
            self.desk.change(own, leaves - cut)
            surplus -= cut
            if cut == leaves:
                kept.pop()
        if surplus < 0:
            kept.append(self.desk.place(Own(side, price, -surplus), self.entered))
        if kept:
            self.levels[side, price] = kept
        else:
            self.levels.pop((side, price), None)

    def lessen(self, side: int, price: Ticks, size: Lots) -> None:
        """Take that much from the oldest order without a name."""
        for own in self.levels.get((side, price), ()):
            if not own.name and (leaves := self.desk.leaves(own)):
                self.desk.change(own, max(0, leaves - size))
                return

    def drop_outside(self, side: int, prices: set[Ticks], worst: Ticks) -> None:
        """Cancel own orders that are no worse than ``worst`` and stand at none of the prices."""
        sign = -1 if side == BUY else 1
        outdated = [
            price
            for (at, price) in self.levels
            if at == side and price not in prices and sign * price <= sign * worst
        ]
        for price in outdated:
            self.settle(side, price, 0)
