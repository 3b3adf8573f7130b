"""Each kind of agent alone with a real engine and one other account."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

from exchange.adapters.feeds.living.dice import Dice
from exchange.adapters.feeds.living.makers import STYLES, Maker
from exchange.adapters.feeds.living.market import FINE, Market
from exchange.adapters.feeds.living.noise import ORDERS_MAX, Noise
from exchange.adapters.feeds.living.takers import Flow, Informed
from exchange.adapters.feeds.living.trader import LOW, Purse, Trader
from exchange.adapters.feeds.living.walk import REGIMES, Current, Walk
from exchange.core.commands import CancelAll, Deposit, ListAsset, ListInstrument, OpenAccount, RegisterUser
from exchange.core.engine import Engine
from exchange.core.messages import (
    CancelOrder,
    Command,
    Event,
    ModifyOrder,
    OrderAccepted,
    PlaceOrder,
    Record,
    Rejected,
)
from exchange.core.terms import BUY, FOK, GTC, IOC, LIMIT, MARKET, MARKET_TO_LIMIT, SELL, SYSTEM_USER
from exchange.core.units import DAY, MINOR_MAX, SECOND

T = TypeVar("T", bound=Trader)
REFERENCE = 6_425_050
WEALTH = 10**17


class Steady(Dice):
    """Nothing that is left to chance happens."""

    def hits(self, percent: int) -> bool:
        return False


class Stage:
    """BTC-USDC, an agent and another account, both rich."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.state = self.engine.state
        self.log: list[Command] = []
        for command in (
            ListAsset(symbol="USDC", exponent=8),
            ListAsset(symbol="BTC", exponent=8),
            ListInstrument(
                symbol="BTC-USDC",
                name="Bitcoin",
                venue="CRYPTO",
                base=1,
                quote=0,
                tick_units=1,
                price_decimals=2,
                lot_units=1,
                quantity_decimals=5,
                band_ppm=100_000,
                reference=REFERENCE,
                session_close=DAY,
                notional_min=5 * 10**8,
            ),
        ):
            self.send(SYSTEM_USER, command)
        self.agent = self.open("agent")
        self.other = self.open("other")
        self.book = self.state.books[0]
        self.market = Market(self.state, self.book)
        self.market.walk = Walk(self.market.profile, Current(Dice(1)), Dice(2))
        self.market.start()
        assert self.market.is_open()

    def open(self, name: str) -> int:
        self.send(SYSTEM_USER, RegisterUser(name=name))
        self.send(SYSTEM_USER, OpenAccount(name=name, owner=self.state.user_names[name]))
        account = self.state.account_names[name]
        for asset in (0, 1):
            self.send(SYSTEM_USER, Deposit(account=account, asset=asset, amount=WEALTH))
        return account

    def send(self, actor: int, command: Command) -> list[Event]:
        """Nothing an agent asks here may be refused."""
        events = self.engine.apply(Record(self.state.seq + 1, self.state.ts + SECOND, actor, command))
        assert not any(isinstance(event, Rejected) for event in events)
        return events

    def cast(self, kind: type[T], number: int = 0) -> T:
        return kind(self.market, self.agent, self.state.accounts[self.agent].owner, Dice(number + 5), number)  # type: ignore[call-arg]

    def wake(self, trader: Trader) -> list[Command]:
        """What the agent asks, carried out."""
        commands = trader.wake()
        for command in commands:
            for event in self.send(trader.owner, command):
                if isinstance(event, OrderAccepted):
                    trader.accepted(event.order_id)
        self.log += commands
        return commands

    def quote(self, side: int, price: int, lots: int = 10_000) -> list[Event]:
        """An order of the other account."""
        owner = self.state.accounts[self.other].owner
        return self.send(owner, PlaceOrder(self.other, 0, side, LIMIT, lots, price))

    def prices(self, side: int) -> list[int]:
        """Best first."""
        keys = (self.book.bids if side == BUY else self.book.asks).keys
        return [abs(key) for key in reversed(keys)]


def settled(number: int = 0) -> tuple[Stage, Maker]:
    """A maker with its full ladder."""
    stage = Stage()
    maker = stage.cast(Maker, number)
    for _ in range(3):
        stage.wake(maker)
    stage.log.clear()
    return stage, maker


def test_a_maker_opens_with_a_full_ladder_around_the_value() -> None:
    for number, style in enumerate(STYLES):
        stage = Stage()
        stage.wake(stage.cast(Maker, number))
        bids, asks = stage.prices(BUY), stage.prices(SELL)
        assert len(bids) == len(asks) == style.levels
        assert bids[0] < REFERENCE + stage.market.step < asks[0] + stage.market.step * 2
        assert asks[0] - bids[0] < 6 * style.slot * stage.market.step


def test_quotes_are_not_ruled_and_sizes_differ() -> None:
    stage, _ = settled()
    bids = stage.prices(BUY)
    assert len({a - b for a, b in pairwise(bids)}) > 1
    assert len({level.shown for level in stage.book.bids.ladder}) > 1


def test_a_small_move_is_not_worth_a_command() -> None:
    stage, maker = settled()
    maker._bias = 0
    maker.dice = Steady(1)
    stage.wake(maker)
    stage.market.value += stage.market.step * FINE // 10
    assert stage.wake(maker) == []


def test_a_maker_follows_the_value_by_moving_quotes() -> None:
    stage, maker = settled()
    stage.market.value += 2 * stage.market.step * FINE
    commands = stage.wake(maker)
    assert commands
    assert all(isinstance(command, ModifyOrder) for command in commands)
    for _ in range(4):
        stage.wake(maker)
    assert len(stage.prices(BUY)) == len(stage.prices(SELL)) == STYLES[0].levels
    assert not any(isinstance(command, CancelOrder) for command in stage.log)
    assert stage.prices(BUY)[0] > REFERENCE


def test_a_jump_withdraws_the_side_it_ran_over() -> None:
    stage, maker = settled()
    stage.market.value = stage.market.value * 98 // 100
    commands = stage.wake(maker)
    assert any(isinstance(command, CancelAll) and command.side == BUY for command in commands)
    for _ in range(8):
        stage.wake(maker)
    assert len(stage.prices(BUY)) == len(stage.prices(SELL)) == STYLES[0].levels
    assert stage.prices(SELL)[0] < REFERENCE * 99 // 100


def test_a_maker_never_takes() -> None:
    stage = Stage()
    maker = stage.cast(Maker)
    wall = REFERENCE - 3 * stage.market.step
    stage.quote(SELL, wall)
    for step in range(40):
        stage.market.value += (step % 5 - 2) * stage.market.step * FINE
        stage.wake(maker)
        assert stage.prices(BUY)[0] < wall
    assert stage.state.last_trade_id == 0


def test_a_filled_quote_comes_back() -> None:
    stage, maker = settled()
    best = stage.prices(SELL)[0]
    stage.quote(BUY, best, stage.book.asks.at(-best).shown)
    assert len(stage.prices(SELL)) == STYLES[0].levels - 1
    stage.wake(maker)
    assert len(stage.prices(SELL)) == STYLES[0].levels


def test_inventory_moves_the_quotes_against_it_but_a_deposit_does_not() -> None:
    stage, maker = settled()
    maker.dice = Steady(1)
    center = maker._center
    stage.send(SYSTEM_USER, Deposit(account=stage.agent, asset=1, amount=WEALTH))
    stage.wake(maker)
    assert maker._center == center
    lot_minor = stage.market.instrument.lot_minor
    bought = Deposit(account=stage.agent, asset=1, amount=90 * stage.market.clip * lot_minor)
    stage.send(SYSTEM_USER, bought)
    stage.wake(maker)
    assert center - maker._center == 3 * stage.market.step * FINE


def test_a_volatile_market_is_quoted_wider() -> None:
    calm, _ = settled(1)
    wild = Stage()
    wild.market.walk.regime = next(regime for regime in REGIMES if regime.name == "volatile")
    maker = wild.cast(Maker, 1)
    for _ in range(3):
        wild.wake(maker)
    assert wild.prices(SELL)[0] - wild.prices(BUY)[0] > calm.prices(SELL)[0] - calm.prices(BUY)[0]


def deep(stage: Stage) -> None:
    for rung in range(1, 6):
        stage.quote(BUY, REFERENCE - rung * 400, 1_000_000)
        stage.quote(SELL, REFERENCE + rung * 400, 1_000_000)


def test_flow_takes_with_every_kind_of_order_and_leaves_nothing_for_long() -> None:
    stage = Stage()
    deep(stage)
    flow = stage.cast(Flow)
    for _ in range(300):
        flow.now += flow.pause()
        stage.wake(flow)
    orders = [command for command in stage.log if isinstance(command, PlaceOrder)]
    kinds = {(order.type, order.tif) for order in orders}
    assert kinds == {(MARKET, IOC), (LIMIT, IOC), (LIMIT, FOK), (MARKET_TO_LIMIT, GTC), (LIMIT, GTC)}
    assert stage.state.last_trade_id >= 280
    assert 60 < sum(order.side == BUY for order in orders) < 240
    stage.book.bids.keys.clear()  # nothing left to trade with: it only tidies up
    stage.book.asks.keys.clear()
    for _ in range(10):
        flow.now += 10 * SECOND
        stage.wake(flow)
    assert stage.state.accounts[stage.agent].open_orders == 0


def test_flow_comes_in_bursts() -> None:
    flow = Stage().cast(Flow)
    pauses = sorted(flow.pause() for _ in range(1_000))
    mean = sum(pauses) // len(pauses)
    assert pauses[250] * 5 < mean  # a quarter follows at once
    assert all(pause % 1_000 == 0 for pause in pauses)


def test_flow_gives_up_what_was_left_over() -> None:
    stage = Stage()
    stage.quote(SELL, REFERENCE, 1_000)
    stage.quote(BUY, REFERENCE - 1_000, 1_000)
    flow = stage.cast(Flow)
    cancels = 0
    for _ in range(200):
        flow.now += SECOND
        cancels += sum(isinstance(command, CancelOrder) for command in stage.wake(flow))
        if not stage.book.best_ask():
            stage.quote(SELL, REFERENCE, 1_000)
        if not stage.book.best_bid():
            stage.quote(BUY, REFERENCE - 1_000, 1_000)
    assert cancels > 0


def test_flow_and_noise_stay_away_from_an_empty_book() -> None:
    stage = Stage()
    for kind in (Flow, Noise, Informed):
        trader = stage.cast(kind)
        assert [stage.wake(trader) for _ in range(20)] == [[]] * 20


def test_the_informed_take_only_what_is_wrong() -> None:
    stage = Stage()
    informed = stage.cast(Informed)
    deep(stage)
    assert stage.wake(informed) == []
    stage.market.value = (REFERENCE + 1_500) * FINE
    (buy,) = stage.wake(informed)
    assert isinstance(buy, PlaceOrder)
    assert (buy.side, buy.tif) == (BUY, IOC)
    assert REFERENCE + 400 <= buy.limit < REFERENCE + 1_500
    stage.market.value = (REFERENCE - 1_500) * FINE
    (sell,) = stage.wake(informed)
    assert isinstance(sell, PlaceOrder)
    assert (sell.side, sell.tif) == (SELL, IOC)
    assert REFERENCE - 1_500 < sell.limit <= REFERENCE - 400
    assert stage.state.last_trade_id >= 2


def test_noise_rests_around_the_market_and_never_takes() -> None:
    stage = Stage()
    stage.quote(BUY, REFERENCE - 300)
    stage.quote(SELL, REFERENCE + 300)
    noise = stage.cast(Noise)
    for _ in range(400):
        noise.now += noise.pause()
        stage.wake(noise)
        assert stage.state.accounts[stage.agent].open_orders <= ORDERS_MAX + 2
    orders = [command for command in stage.log if isinstance(command, PlaceOrder)]
    assert stage.state.last_trade_id == 0
    assert all(order.tif == GTC for order in orders)
    assert any(order.display for order in orders)
    assert any(order.is_post_only for order in orders)
    assert any(isinstance(command, ModifyOrder) for command in stage.log)
    cancels = sum(isinstance(command, CancelOrder) for command in stage.log)
    assert len(orders) - ORDERS_MAX - 2 <= cancels <= len(orders)
    assert {order.side for order in orders} == {BUY, SELL}


def test_a_purse_is_filled_when_it_runs_low() -> None:
    stage = Stage()
    purse = Purse()
    assert purse.top_up(stage.state, stage.agent, 0) == []
    purse.size = WEALTH * 100 // LOW
    assert purse.top_up(stage.state, stage.agent, 0) == []
    purse.size += 100
    (deposit,) = purse.top_up(stage.state, stage.agent, 0)
    assert isinstance(deposit, Deposit)
    assert deposit.amount == purse.size - WEALTH
    purse.size = 8 * MINOR_MAX
    (deposit,) = purse.top_up(stage.state, stage.agent, 0)
    assert isinstance(deposit, Deposit)
    assert deposit.amount == MINOR_MAX - 1


def test_the_order_of_somebody_else_is_not_its_own() -> None:
    stage = Stage()
    stage.quote(BUY, REFERENCE)
    order = stage.state.live_orders()[0]
    assert stage.cast(Noise).resting(order.order_id) is None
