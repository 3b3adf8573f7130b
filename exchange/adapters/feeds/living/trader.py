"""What every agent is: one account in one market with its own stream of chance and its own pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from exchange.adapters.feeds.living.dice import Dice
from exchange.adapters.feeds.living.market import Market
from exchange.core.commands import Command, Deposit
from exchange.core.state.order import Order
from exchange.core.state.root import State
from exchange.core.units import MICRO, MINOR_MAX, Minor, Nanos

MILLI: Final[Nanos] = 1_000_000
LOW: Final = 20  # percent of a purse below which it is filled again


class Trader:
    """account: its id.   owner: the user it acts as.   pace: thousandths of its natural rate.

    number: of this agent among those of its role in the market.   now: when it woke, in market
    time: nanoseconds since the feed began.
    """

    __slots__ = ("account", "dice", "market", "now", "number", "owner", "pace")

    def __init__(self, market: Market, account: int, owner: int, dice: Dice, number: int) -> None:
        self.market = market
        self.account = account
        self.owner = owner
        self.dice = dice
        self.number = number
        self.pace = 1000
        self.now: Nanos = 0

    def wake(self) -> list[Command]:
        """What it does now.  Called only while the market is open and the account is funded."""
        raise NotImplementedError

    def pause(self) -> Nanos:
        """Until it wakes again."""
        raise NotImplementedError

    def accepted(self, order_id: int) -> None:
        """An order it placed got this id; it may be done already."""

    def after(self, mean_ms: int) -> Nanos:
        """A random wait around a mean at natural pace, in whole microseconds, at least one milli."""
        wait = self.dice.wait(mean_ms * MILLI * 1000 // self.pace)
        return max(MILLI, wait - wait % MICRO)

    def resting(self, order_id: int) -> Order | None:
        """Its order if it still rests."""
        order = self.market.state.order(order_id)
        return order if order is not None and order.account.account_id == self.account else None


class Purse:
    """What an account should own of one asset.  size: minor units, 0 until a market needs some."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size: Minor = 0

    def top_up(self, state: State, account: int, asset: int) -> list[Command]:
        """A deposit if little is left; as much as one deposit may be, the next look adds the rest."""
        available = state.accounts[account].available(asset)
        if available * 100 >= self.size * LOW:
            return []
        amount = min(self.size - available, MINOR_MAX - 1)
        return [Deposit(account=account, asset=asset, amount=amount, reference="living market")]


class Role(NamedTuple):
    """accounts: how many share the work.   per_market: how many of them act in one market.

    make: market, account, owner, dice, number of this agent in the market -> agent.
    """

    name: str
    make: Callable[[Market, int, int, Dice, int], Trader]
    accounts: int
    per_market: int
