"""The living market as a feed, driven over whole stretches of market time on the real engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from exchange.adapters.feeds.day import DAY_START, DayResult, run_day
from exchange.adapters.feeds.living import LivingMarket
from exchange.client import Receipt
from exchange.core.commands import (
    AmendInstrument,
    Deposit,
    HaltInstrument,
    ListAsset,
    ListInstrument,
    OpenAccount,
    RegisterUser,
    ResumeInstrument,
    SuspendAccount,
    Withdraw,
    row_of,
)
from exchange.core.engine import Engine
from exchange.core.messages import PlaceOrder, Record, Rejected, Traded
from exchange.core.state.ledger import trial_balance
from exchange.core.state.root import State
from exchange.core.terms import BUY, IOC, LIMIT, MARKET, SELL, SYSTEM_USER
from exchange.core.units import DAY, PPM, SECOND, Nanos
from exchange.errors import ConfigError
from exchange.runtime.ports import Request

MINUTE = 60 * SECOND
BTC, AAPL = 0, 1


def listing(symbol: str, base: int, quote: int, **fields: int) -> ListInstrument:
    usual = {
        "tick_units": 1,
        "price_decimals": 2,
        "lot_units": 1,
        "quantity_decimals": 0,
        "band_ppm": 100_000,
    }
    return ListInstrument(
        symbol=symbol,
        name=symbol,
        venue="TEST",
        base=base,
        quote=quote,
        fees=((100, 200),),
        **{**usual, **fields},
    )


def setup(*instruments: str) -> list[Request]:
    """Four assets and the named instruments, all of them by default."""
    listings = {
        "BTC-USDC": listing(
            "BTC-USDC",
            1,
            0,
            quantity_decimals=5,
            reference=6_425_050,
            notional_min=5 * 10**8,
            session_close=DAY,
        ),
        "AAPL": listing("AAPL", 3, 2, reference=23_140, session_open=14 * 3600 * SECOND, session_days=31),
    }
    assets = [("USDC", 8), ("BTC", 8), ("USD", 2), ("AAPL", 0)]
    commands = [ListAsset(symbol=symbol, exponent=exponent) for symbol, exponent in assets]
    chosen = [listings[name] for name in instruments or listings]
    return [(SYSTEM_USER, command) for command in [*commands, *chosen]]


class Watched:
    """A feed that lets a test look on: at the state before a step, at the answers after it."""

    def __init__(
        self,
        feed: LivingMarket,
        before: Callable[[State, Nanos], None] | None = None,
        after: Callable[[list[Request], Sequence[Receipt]], None] | None = None,
    ) -> None:
        self.feed = feed
        self.before = before
        self.after = after
        self.requests: list[Request] = []

    def prepare(self, state: State) -> list[Request]:
        return self.feed.prepare(state)

    def due(self) -> Nanos | None:
        return self.feed.due()

    def step(self, state: State, now: Nanos) -> list[Request]:
        if self.before is not None:
            self.before(state, now)
        self.requests = self.feed.step(state, now)
        return self.requests

    def answered(self, receipts: Sequence[Receipt]) -> None:
        self.feed.answered(receipts)
        if self.after is not None:
            self.after(self.requests, receipts)


def live(feed: LivingMarket | Watched, minutes: int, *instruments: str) -> DayResult:
    return run_day(feed, commands=setup(*instruments), start=DAY_START, until=DAY_START + minutes * MINUTE)


class Hand:
    """An engine driven by hand, so that a person can take part."""

    def __init__(self, *instruments: str) -> None:
        self.engine = Engine()
        self.state = self.engine.state
        self.now = DAY_START
        self.log: list[object] = []
        for actor, command in setup(*instruments):
            self.send(actor, command)

    def send(self, actor: int, command: object) -> Receipt:
        record = Record(self.state.seq + 1, self.now, actor, command)  # type: ignore[arg-type]
        events = self.engine.apply(record)
        self.log.append((actor, type(command).__name__, row_of(record.command)))
        last = events[-1] if events else None
        return Receipt(record.seq, self.now, events, last.reject if isinstance(last, Rejected) else None)

    def ready(self, feed: LivingMarket) -> None:
        while requests := feed.prepare(self.state):
            for request in requests:
                assert self.send(*request).reject is None

    def run(self, feed: LivingMarket, seconds: int, lateness: Nanos = 0) -> None:
        """Steps of this much market time, each taken ``lateness`` after it is due."""
        due = feed.due()
        assert due is not None
        until = due + seconds * SECOND
        while due <= until:
            self.now = max(self.now, due + lateness)
            feed.answered([self.send(*request) for request in feed.step(self.state, self.now)])
            due = feed.due()
            assert due is not None


def started(seed: int, *instruments: str) -> tuple[Hand, LivingMarket]:
    hand = Hand(*instruments)
    feed = LivingMarket(seed, DAY_START)
    hand.ready(feed)
    return hand, feed


def is_balanced(state: State) -> bool:
    return not any(trial_balance(state.accounts, len(state.assets)))


def test_the_same_seed_gives_the_same_day() -> None:
    first, second = (live(LivingMarket(7, DAY_START), 2) for _ in range(2))
    assert first.digest == second.digest
    assert first.state_digest == second.state_digest
    assert first.trades > 100


def test_another_seed_or_ordinal_gives_another_day() -> None:
    days = (LivingMarket(7, DAY_START), LivingMarket(8, DAY_START), LivingMarket(7, DAY_START, ordinal=1))
    assert len({live(feed, 1).digest for feed in days}) == 3


def test_the_day_does_not_depend_on_hash_seeds() -> None:
    code = (
        "import runpy, sys\n"
        "tests = runpy.run_path(sys.argv[1])\n"
        "feed = tests['LivingMarket'](7, tests['DAY_START'])\n"
        "print(tests['live'](feed, 1).digest)"
    )
    digests = {live(LivingMarket(7, DAY_START), 1).digest}
    for hash_seed in ("1", "4242"):
        env = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TZ": "Asia/Tokyo",
        }
        command = [sys.executable, "-c", code, str(Path(__file__))]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_the_commands_are_the_same_at_any_speed() -> None:
    logs = []
    for lateness in (0, 30_000_000):
        hand, feed = started(7, "BTC-USDC")
        hand.run(feed, 60, lateness)
        logs.append(hand.log)
    assert logs[0] == logs[1]


def test_money_is_conserved_and_no_book_is_crossed() -> None:
    checks = 0

    def check(state: State, now: Nanos) -> None:
        nonlocal checks
        for book in state.books:
            assert not (book.best_bid() and book.best_ask()) or book.best_bid() < book.best_ask()
        if now // SECOND > checks:
            checks = now // SECOND
            assert is_balanced(state)

    result = live(Watched(LivingMarket(3, DAY_START), before=check), 3)
    assert is_balanced(result.state)
    assert checks


def test_nobody_trades_with_itself_and_hardly_anything_is_refused() -> None:
    feed = LivingMarket(5, DAY_START)

    def check(requests: list[Request], receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            for event in receipt.events:
                assert not isinstance(event, Traded) or event.maker_account != event.taker_account

    result = live(Watched(feed, after=check), 5)
    assert result.rejects == feed.refused
    assert feed.refused * 1000 < feed.asked  # 0.1 %; the budget is 1 %
    names = [account.name for account in result.state.accounts[3:]]
    owners = [account.owner for account in result.state.accounts[3:]]
    assert "mm-1" in names
    assert len(set(owners)) == len(owners)
    assert not any(account.is_exempt for account in result.state.accounts)


def test_the_market_stays_alive_for_half_an_hour() -> None:
    """Both sides quoted, some ten levels deep, at a spread of a few hundredths of a percent."""
    samples: list[tuple[int, int, int, int]] = []

    def sample(state: State, now: Nanos) -> None:
        second = (now - DAY_START) // SECOND
        if second >= 5 and second > len(samples) + 4:
            book = state.books[0]
            samples.append((book.best_bid(), book.best_ask(), len(book.bids.keys), len(book.asks.keys)))

    feed = LivingMarket(9, DAY_START)
    result = live(Watched(feed, before=sample), 30, "BTC-USDC")
    quoted = [row for row in samples if row[0] and row[1]]
    assert len(samples) > 1_700
    assert len(quoted) * 1000 > len(samples) * 995
    spreads = sorted((ask - bid) * 1_000_000 // bid for bid, ask, _, _ in quoted)  # ppm
    assert spreads[len(spreads) // 2] < 150
    assert spreads[len(spreads) * 95 // 100] < 600
    depths = sorted(min(bids, asks) for _, _, bids, asks in quoted)
    assert depths[len(depths) // 20] >= 8
    assert depths[len(depths) // 2] >= 12
    mids = [bid + ask for bid, ask, _, _ in quoted]
    span = (max(mids) - min(mids)) * PPM // min(mids)
    assert 2_000 < span < 60_000
    steps = [b > a for a, b in zip(mids[::60], mids[60::60], strict=False)]
    assert 5 < sum(steps) < len(steps) - 5  # minutes up and minutes down
    assert 30 * 40 < result.trades < 30 * 400


def test_the_rate_keeps_its_budget_and_follows_the_intensity() -> None:
    asked = {}
    for intensity in (PPM // 2, PPM, 2 * PPM):
        feed = LivingMarket(7, DAY_START, intensity=intensity)
        live(feed, 2)
        asked[intensity] = feed.asked
    assert 5 * 120 < asked[PPM] < 30 * 120  # two markets
    assert asked[PPM // 2] * 3 < asked[PPM] * 2
    assert asked[PPM] * 3 < asked[2 * PPM] * 2


def test_many_markets_share_the_budget() -> None:
    hand = Hand()
    for n in range(40):
        hand.send(SYSTEM_USER, listing(f"X{n}", 3, 2, reference=10_000 + 100 * n, session_days=127))
    feed = LivingMarket(7, DAY_START)
    hand.ready(feed)
    hand.run(feed, 10)
    assert 400 < feed.asked < 10 * 150 + 42 * 40  # the first ladders come on top


def test_listings_of_the_same_pair_stay_together() -> None:
    hand = Hand("AAPL")
    hand.send(SYSTEM_USER, listing("AAPL.X", 3, 2, reference=23_140, session_days=31, session_open=SECOND))
    feed = LivingMarket(2, DAY_START)
    hand.ready(feed)
    hand.run(feed, 600)
    first, second = (book.last for book in hand.state.books)
    assert abs(first - second) < 40  # cents on 231 dollars


def test_a_restart_cancels_what_is_left_and_goes_on() -> None:
    hand, feed = started(7, "BTC-USDC")
    hand.run(feed, 30)
    before = hand.state.books[0].last
    accounts = len(hand.state.accounts)
    resumed = LivingMarket(7, hand.now)
    hand.ready(resumed)
    assert len(hand.state.accounts) == accounts
    assert not any(account.open_orders for account in hand.state.accounts)
    hand.run(resumed, 30)
    book = hand.state.books[0]
    assert abs(book.last - before) < before // 100
    assert len(book.bids.keys) >= 8
    assert resumed.refused == 0
    assert is_balanced(hand.state)


def test_a_restart_is_reproducible_but_not_a_repetition() -> None:
    logs = []
    for _ in range(2):
        hand, feed = started(7, "BTC-USDC")
        hand.run(feed, 10)
        resumed = LivingMarket(7, hand.now)
        hand.ready(resumed)
        start = len(hand.log)
        hand.run(resumed, 10)
        logs.append(hand.log)
    assert logs[0] == logs[1]
    assert logs[0][start : start + 50] != logs[0][: len(logs[0]) - start][:50]


def test_preparing_a_prepared_market_asks_nothing() -> None:
    hand, feed = started(7)
    seq = hand.state.seq
    hand.ready(feed)
    assert hand.state.seq == seq


def test_a_name_that_belongs_to_somebody_else_is_an_error() -> None:
    hand = Hand()
    hand.send(SYSTEM_USER, RegisterUser(name="carol"))
    hand.send(SYSTEM_USER, OpenAccount(name="mm-1", owner=hand.state.user_names["carol"]))
    with pytest.raises(ConfigError, match="account mm-1 belongs to carol"):
        hand.ready(LivingMarket(7, DAY_START))


def test_a_halted_instrument_rests_and_comes_back() -> None:
    hand, feed = started(7, "BTC-USDC")
    hand.run(feed, 5)
    hand.send(SYSTEM_USER, HaltInstrument(instrument=BTC, reason="test"))
    seq = hand.state.seq
    hand.run(feed, 10)
    assert hand.state.seq == seq
    hand.send(SYSTEM_USER, ResumeInstrument(instrument=BTC))
    hand.run(feed, 20)
    assert hand.state.seq > seq + 50
    assert feed.refused == 0


def amended(hand: Hand, instrument: int, reference: int) -> AmendInstrument:
    rules = {
        name: getattr(hand.state.books[instrument].instrument, name) for name, _ in AmendInstrument.FIELDS[1:]
    }
    return AmendInstrument(instrument=instrument, **{**rules, "reference": reference})


def test_an_instrument_without_a_price_sleeps_until_it_has_one() -> None:
    hand = Hand("BTC-USDC")
    hand.send(SYSTEM_USER, listing("NEW", 3, 2))
    feed = LivingMarket(7, DAY_START)
    hand.ready(feed)
    hand.run(feed, 10)
    book = hand.state.books[AAPL]
    assert book.best_bid() == book.best_ask() == 0
    assert hand.send(SYSTEM_USER, amended(hand, AAPL, 5_000)).reject is None
    hand.run(feed, 20)
    assert 4_900 < book.best_bid() < book.best_ask() < 5_100
    assert feed.refused == 0


def test_an_instrument_listed_later_is_quoted_too() -> None:
    hand, feed = started(7, "BTC-USDC")
    hand.run(feed, 10)
    hand.send(SYSTEM_USER, listing("NEW", 3, 2, reference=5_000))
    hand.run(feed, 20)
    book = hand.state.books[1]
    assert 4_900 < book.best_bid() < book.best_ask() < 5_100
    assert feed.refused == 0


def test_a_market_without_instruments_has_nothing_to_do() -> None:
    feed = LivingMarket(7, DAY_START)
    engine = Engine()
    for seq in range(1, 100):
        requests = feed.prepare(engine.state)
        if not requests:
            break
        engine.apply(Record(seq, DAY_START, *requests[0]))
    assert feed.due() is None
    assert feed.step(engine.state, DAY_START) == []


def test_a_suspended_agent_keeps_still() -> None:
    hand, feed = started(7, "BTC-USDC")
    maker = hand.state.account_names["mm-1"]
    hand.run(feed, 5)
    hand.send(SYSTEM_USER, SuspendAccount(account=maker))
    hand.run(feed, 20)
    assert feed.refused == 0
    assert hand.state.books[0].best_bid()


def test_an_agent_that_runs_dry_is_funded_again() -> None:
    hand, feed = started(7, "BTC-USDC")
    hand.run(feed, 5)
    funded = [account for account in hand.state.accounts[3:] if account.available(0)]
    for account in funded:
        for asset in (0, 1):
            amount = account.available(asset)
            hand.send(account.owner, Withdraw(account=account.account_id, asset=asset, amount=amount))
    hand.run(feed, 30)
    assert all(account.available(0) > 0 < account.available(1) for account in funded)
    assert len(funded) >= 9
    assert feed.refused == 0
    assert is_balanced(hand.state)


def test_a_person_who_sweeps_the_book_moves_the_price_and_the_book_recovers() -> None:
    hand, feed = started(7, "BTC-USDC")
    hand.send(SYSTEM_USER, RegisterUser(name="ann"))
    ann = hand.state.user_names["ann"]
    hand.send(ann, OpenAccount(name="ann", owner=ann))
    account = hand.state.account_names["ann"]
    hand.send(SYSTEM_USER, Deposit(account=account, asset=0, amount=10**17))
    hand.run(feed, 60)
    book = hand.state.books[0]
    ask = book.best_ask()
    swept = hand.send(ann, PlaceOrder(account, BTC, BUY, LIMIT, 10**6, ask * 101 // 100, IOC))
    assert sum(isinstance(event, Traded) for event in swept.events) > 10
    assert book.last > ask
    hand.run(feed, 20)
    assert len(book.asks.keys) >= 8
    assert book.best_bid() < book.best_ask()
    sold = hand.send(ann, PlaceOrder(account, BTC, SELL, MARKET, 10_000, 0, IOC))
    assert any(isinstance(event, Traded) for event in sold.events)
    assert feed.refused == 0


def test_a_long_gap_is_not_made_up_for() -> None:
    hand, feed = started(7, "BTC-USDC")
    hand.run(feed, 5)
    asked = feed.asked
    hand.now += 3600 * SECOND
    feed.answered([hand.send(*request) for request in feed.step(hand.state, hand.now)])
    due = feed.due()
    assert due is not None
    assert hand.now - SECOND < due < hand.now + SECOND
    assert feed.asked - asked < 50


def test_a_narrow_band_is_never_left() -> None:
    hand = Hand()
    hand.send(
        SYSTEM_USER,
        listing("NARROW", 1, 0, quantity_decimals=5, reference=6_425_050, band_ppm=1_000, session_close=DAY),
    )
    feed = LivingMarket(7, DAY_START)
    hand.ready(feed)
    hand.run(feed, 120)
    assert feed.refused * 200 < feed.asked
    assert hand.state.books[2].last
