"""The living market as a feed: wakes its agents in the order of their time and collects what they ask.

All it does follows from the seed, the start ordinal and the state it reads, never from the clock:
the driver's time only says when.  So a day is the same at any speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final

from exchange.adapters.feeds.living.dice import Dice, derive
from exchange.adapters.feeds.living.makers import Maker
from exchange.adapters.feeds.living.market import PURSE_MAX, Market
from exchange.adapters.feeds.living.noise import Noise
from exchange.adapters.feeds.living.takers import Flow, Informed
from exchange.adapters.feeds.living.trader import Purse, Role, Trader
from exchange.adapters.feeds.living.walk import PULSE, Current, Walk
from exchange.client import Receipt
from exchange.core.commands import CancelAll, Command, OpenAccount, RegisterUser
from exchange.core.messages import PlaceOrder
from exchange.core.state.book import Book
from exchange.core.state.root import State
from exchange.core.terms import SYSTEM_USER
from exchange.core.units import MICRO, PPM, SECOND, Nanos, Ppm
from exchange.errors import ConfigError
from exchange.runtime.ports import Request

ROLES: Final = (
    Role("mm", Maker, accounts=3, per_market=3),
    Role("flow", Flow, accounts=4, per_market=2),
    Role("informed", Informed, accounts=2, per_market=2),
    Role("noise", Noise, accounts=4, per_market=2),
)
RATE: Final = 9  # commands a second that the agents of one market ask at natural pace, measured
RATE_MAX: Final = 90  # of all markets together, at an intensity of one
TOGETHER: Final[Nanos] = 20_000_000  # agents due this close to each other act in one step
LAG_MAX: Final[Nanos] = 60 * SECOND  # a longer gap, such as a sleeping laptop, is not made up for


class LivingMarket:
    """Feed (``exchange.runtime.ports``) of seeded agents that trade through ordinary accounts.

    start: engine time of the first step.   ordinal: tells apart the days of one seed on one store;
    None takes 0 on a store it never ran on, else the sequence number the store has reached.
    intensity: commands against the usual rate.   asked, refused: commands so far.
    """

    def __init__(self, seed: int, start: Nanos, *, ordinal: int | None = None, intensity: Ppm = PPM) -> None:
        assert 0 < intensity <= 100 * PPM
        self.asked = 0
        self.refused = 0
        self._seed = seed
        self._start = start - start % MICRO
        self._ordinal = ordinal
        self._intensity = intensity
        self._markets: list[Market] = []
        self._walks: dict[tuple[int, int], Walk] = {}
        self._currents: dict[tuple[str, int], Current] = {}
        self._purses: dict[tuple[int, int], Purse] = {}
        self._traders: list[Trader] = []
        self._wakes: list[tuple[Nanos, int]] = []  # (market time, place in _traders)
        self._next_pulse: Nanos = 0
        self._placed_by: list[Trader | None] = []  # of each command of the last step

    def prepare(self, state: State) -> list[Request]:
        """Missing users, then accounts and an end to old orders, then the first deposits."""
        if self._ordinal is None:
            self._ordinal = state.seq if "mm-1" in state.account_names else 0
        names = [f"{role.name}-{number + 1}" for role in ROLES for number in range(role.accounts)]
        requests: list[Request] = [
            (SYSTEM_USER, RegisterUser(name=name)) for name in names if name not in state.user_names
        ]
        if requests:
            return requests
        for name in names:
            requests += self._open(state, name)
        if requests:
            return requests
        self._settle(state)
        for (account, asset), purse in self._purses.items():
            requests += [(SYSTEM_USER, deposit) for deposit in purse.top_up(state, account, asset)]
        return requests

    def due(self) -> Nanos | None:
        return self._start + self._wakes[0][0] if self._wakes else None

    def step(self, state: State, now: Nanos) -> list[Request]:
        """Agents due together act on the same state, at most one of them in each market, so that
        none relies on what another one is just changing."""
        requests: list[Request] = []
        self._placed_by = []
        if not self._wakes:
            return requests
        assert self._markets[0].state is state  # the agents look their orders up in it
        first = self._wakes[0][0]
        if now - self._start - first > LAG_MAX:
            self._start = now - now % MICRO - first
        if len(state.books) > len(self._markets):
            self._settle(state)
        while self._next_pulse <= first:
            self._pulse()
        busy: set[int] = set()
        while self._wakes[0][0] <= first + TOGETHER:
            at, place = self._wakes[0]
            trader = self._traders[place]
            instrument = trader.market.instrument.instrument_id
            if instrument in busy:
                break
            busy.add(instrument)
            heappop(self._wakes)
            self._wake(trader, state, at, requests)
            heappush(self._wakes, (at + trader.pause(), place))
        self.asked += len(requests)
        return requests

    def answered(self, receipts: Sequence[Receipt]) -> None:
        for trader, receipt in zip(self._placed_by, receipts, strict=True):
            if receipt.reject is not None:
                self.refused += 1
            elif trader is not None:
                trader.accepted(receipt.order_id)

    def _wake(self, trader: Trader, state: State, at: Nanos, requests: list[Request]) -> None:
        account = state.accounts[trader.account]
        if not trader.market.is_open() or account.is_suspended:
            return
        instrument = trader.market.instrument
        deposits: list[Command] = []
        for asset in (instrument.base, instrument.quote):
            deposits += self._purses[trader.account, asset].top_up(state, trader.account, asset)
        if deposits:  # it acts again once the money is there
            requests += [(SYSTEM_USER, deposit) for deposit in deposits]
            self._placed_by += [None] * len(deposits)
            return
        trader.now = at
        for command in trader.wake():
            requests.append((trader.owner, command))
            self._placed_by.append(trader if isinstance(command, PlaceOrder) else None)

    def _pulse(self) -> None:
        for current in self._currents.values():
            current.advance()
        for walk in self._walks.values():
            walk.advance()
        is_new = False
        for market in self._markets:
            if market.value:
                market.pulse()
            elif market.start():
                is_new = True
        if is_new:
            self._fill_purses()
        self._next_pulse += PULSE

    def _open(self, state: State, name: str) -> list[Request]:
        """The account of this name, without orders of an earlier run."""
        owner = state.user_names[name]
        account_id = state.account_names.get(name)
        if account_id is None:
            return [(SYSTEM_USER, OpenAccount(name=name, owner=owner))]
        account = state.accounts[account_id]
        if account.owner != owner:
            raise ConfigError(
                f"account {name} belongs to {state.users[account.owner].name}, "
                "but the living market needs it for an agent of its own: start it on a fresh home"
            )
        if account.open_orders and not self._traders:
            return [(owner, CancelAll(account=account_id))]
        return []

    def _settle(self, state: State) -> None:
        """Agents for the books that have none yet."""
        for book in state.books[len(self._markets) :]:
            market = self._market(state, book)
            market.start()
            self._markets.append(market)
            number = market.instrument.instrument_id
            for role in ROLES:
                for n in range(role.per_market):
                    name = f"{role.name}-{(number + n) % role.accounts + 1}"
                    self._add(state, market, role, name, n)
        self._fill_purses()
        natural = sum(market.profile.pace * RATE * 10 for market in self._markets)  # in thousandths
        share = min(PPM, PPM * RATE_MAX * 1000 // max(natural, 1))
        for trader in self._traders:
            pace = trader.market.profile.pace * 10 * self._intensity // PPM
            trader.pace = max(1, pace * share // PPM)

    def _market(self, state: State, book: Book) -> Market:
        """Listings of the same pair share one walk, markets of the same kind one current."""
        instrument = book.instrument
        pair = (instrument.base, instrument.quote)
        market = Market(state, book)
        walk = self._walks.get(pair)
        if walk is None:
            group = (market.profile.name, instrument.quote)
            if group not in self._currents:
                self._currents[group] = Current(self._dice("current", *group))
            walk = Walk(market.profile, self._currents[group], self._dice("walk", *pair))
            self._walks[pair] = walk
        market.walk = walk
        return market

    def _add(self, state: State, market: Market, role: Role, name: str, n: int) -> None:
        account = state.account_names[name]
        dice = self._dice(market.instrument.symbol, role.name, n)
        trader = role.make(market, account, state.accounts[account].owner, dice, n)
        # Makers open the market, the others come a little later.
        delay = dice.between(0, 400_000) if role.make is Maker else dice.between(1_000_000, 3_000_000)
        heappush(self._wakes, (self._next_pulse + delay * MICRO, len(self._traders)))
        self._traders.append(trader)
        for asset in (market.instrument.base, market.instrument.quote):
            self._purses.setdefault((account, asset), Purse())

    def _fill_purses(self) -> None:
        """An account's funds are sized for all the markets it acts in."""
        for purse in self._purses.values():
            purse.size = 0
        for trader in self._traders:
            instrument = trader.market.instrument
            base, quote = trader.market.stock
            for asset, amount in ((instrument.base, base), (instrument.quote, quote)):
                purse = self._purses[trader.account, asset]
                purse.size = min(purse.size + amount, PURSE_MAX)

    def _dice(self, *names: object) -> Dice:
        return Dice(derive(self._seed, self._ordinal, *names))
