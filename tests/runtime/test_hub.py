"""Who hears what, and what a slow reader loses: conflated market data, never its own events."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from exchange.client import Update
from exchange.core.commands import HaltInstrument, ListAsset
from exchange.core.events import (
    AccountOpened,
    InstrumentHalted,
    OrderAccepted,
    OrderDone,
    Transferred,
    UserRegistered,
)
from exchange.core.messages import Event, LevelChanged, PlaceOrder, Reject, Rejected, Traded
from exchange.core.terms import BUY, CANCELED, CLIENT, EXTERNAL_ACCOUNT, LIMIT, SELL
from exchange.errors import DataError, NotFound
from exchange.runtime.hub import OWN_MAX, PENDING_MAX, RING_MAX, TRADES_MAX, Hub, Subscription, accounts_of

ME, OTHER = 1, 2
MINE, THEIRS = 10, 20
OWNERS = {MINE: ME, THEIRS: OTHER, EXTERNAL_ACCOUNT: 0, 0: 0, 2: 0}


def hub(seq: int = 0) -> Hub:
    return Hub(OWNERS.__getitem__, seq)


def publish(to: Hub, events: Sequence[Event]) -> None:
    to.publish([Update(to.seq + 1, (to.seq + 1) * 1000, list(events))])


def level(price: int, quantity: int = 1, side: int = BUY, instrument: int = 0) -> LevelChanged:
    return LevelChanged(instrument, side, price, quantity, 1)


def trade(number: int, maker: int = THEIRS, taker: int = THEIRS) -> Traded:
    return Traded(number, 0, 100, 1, BUY, 1, maker, 0, 0, 2, taker, 0, 0)


def done(order_id: int, account: int) -> OrderDone:
    return OrderDone(order_id, account, 0, CANCELED, 1)


def order(account: int) -> PlaceOrder:
    return PlaceOrder(account, 0, BUY, LIMIT, 1, 100)


def drain(subscription: Subscription) -> list[Update]:
    found: list[Update] = []
    while taken := subscription.take(100):
        found += taken
    return found


def events_of(updates: list[Update]) -> list[Event]:
    return [event for update in updates for event in update.events]


def test_updates_come_in_sequence_and_once() -> None:
    market = hub(7)
    reader = market.subscribe(ME)
    for price in (1, 2, 3):
        publish(market, [level(price)])
    assert [update.seq for update in reader.take(2)] == [8, 9]
    assert [update.seq for update in reader.take(2)] == [10]
    assert reader.take(2) == []


@pytest.mark.parametrize(
    "event",
    [
        OrderAccepted(1, 100, 100, order(THEIRS)),
        done(1, THEIRS),
        Rejected(Reject("market.halted"), 0, order(THEIRS)),
        AccountOpened(account=THEIRS, name="x", owner=OTHER, kind=CLIENT),
        Transferred(source=EXTERNAL_ACCOUNT, target=THEIRS, asset=0, amount=1, kind="deposit", reference=""),
    ],
    ids=lambda e: type(e).__name__,
)
def test_what_others_do_is_their_business(event: Event) -> None:
    market = hub()
    mine, theirs = market.subscribe(ME), market.subscribe(OTHER)
    publish(market, [event])
    assert mine.take(1) == []
    assert [type(e) for e in events_of(theirs.take(1))] == [type(event)]


@pytest.mark.parametrize(
    "event",
    [
        level(1),
        trade(1),
        InstrumentHalted(instrument=0, reason=""),
        UserRegistered(user=5, name="x", role=1),
        Rejected(Reject("access.denied"), 0, HaltInstrument(instrument=0)),
        Rejected(Reject("access.denied"), 0, ListAsset(symbol="A", exponent=1)),
    ],
    ids=lambda e: type(e).__name__,
)
def test_what_concerns_the_exchange_is_for_everybody(event: Event) -> None:
    market = hub()
    mine, theirs = market.subscribe(ME), market.subscribe(OTHER)
    publish(market, [event])
    assert events_of(mine.take(1)) == events_of(theirs.take(1)) == [event]


def test_a_transfer_between_two_owners_concerns_both() -> None:
    moved = Transferred(source=MINE, target=THEIRS, asset=0, amount=1, kind="transfer", reference="")
    assert set(accounts_of(moved)) == {MINE, THEIRS}


def test_an_update_keeps_what_concerns_the_reader_in_its_order() -> None:
    market = hub()
    reader = market.subscribe(ME)
    first, last = trade(1, maker=MINE), level(3)
    publish(market, [first, done(1, THEIRS), last])
    (update,) = reader.take(5)
    assert update.events == [first, last]


def test_a_slow_reader_gets_the_last_state_of_every_level() -> None:
    market = hub()
    reader = market.subscribe(ME)
    prices = 50
    for number in range(3 * PENDING_MAX):
        publish(market, [level(number % prices, quantity=number, side=SELL if number % 2 else BUY)])
    updates = drain(reader)
    seqs = [update.seq for update in updates]
    assert seqs == sorted(set(seqs))
    assert len(updates) <= PENDING_MAX + 1
    state = {(e.side, e.price): e.quantity for e in events_of(updates) if isinstance(e, LevelChanged)}
    last = range(3 * PENDING_MAX - prices, 3 * PENDING_MAX)
    assert state == {(SELL if n % 2 else BUY, n % prices): n for n in last}
    assert not reader.is_lost
    assert reader.trades_dropped == 0


def test_a_slow_reader_keeps_its_own_events_and_the_newest_trades() -> None:
    market = hub()
    reader = market.subscribe(ME)
    for number in range(1, 2 * PENDING_MAX + 1):
        publish(market, [trade(number), done(number, MINE)] if number % 10 == 0 else [trade(number)])
    events = events_of(drain(reader))
    own = [e.order_id for e in events if isinstance(e, OrderDone)]
    assert own == list(range(10, 2 * PENDING_MAX + 1, 10))
    trades = [e.trade_id for e in events if isinstance(e, Traded)]
    assert trades[-TRADES_MAX:] == list(range(2 * PENDING_MAX - TRADES_MAX + 1, 2 * PENDING_MAX + 1))
    assert len(trades) + reader.trades_dropped == 2 * PENDING_MAX


def test_own_trades_are_never_dropped() -> None:
    market = hub()
    reader = market.subscribe(ME)
    for number in range(1, 2 * PENDING_MAX + 1):
        publish(market, [trade(number, taker=MINE if number % 4 == 0 else THEIRS)])
    own = [e for e in events_of(drain(reader)) if isinstance(e, Traded) and e.taker_account == MINE]
    assert len(own) == PENDING_MAX // 2


def test_a_reader_that_caught_up_is_not_conflated_any_more() -> None:
    market = hub()
    reader = market.subscribe(ME)
    for _ in range(PENDING_MAX + 1):
        publish(market, [level(1)])
    assert len(drain(reader)) == 1
    for _ in range(5):
        publish(market, [level(1)])
    assert len(drain(reader)) == 5


def test_too_many_own_events_end_the_subscription_and_the_reader_resumes() -> None:
    market = hub()
    reader = market.subscribe(ME)
    first = reader.take(1)
    assert first == []
    for number in range(OWN_MAX + PENDING_MAX):
        publish(market, [done(number, MINE), done(number, MINE)])
    assert reader.is_lost
    assert reader.take(10) == []
    market.unsubscribe(reader)
    again = market.subscribe(ME, since=market.seq - 100)
    assert [update.seq for update in drain(again)] == list(range(market.seq - 99, market.seq + 1))


def test_since_continues_exactly_after_what_was_read() -> None:
    market = hub(100)
    for price in range(10):
        publish(market, [level(price)])
    reader = market.subscribe(ME, since=104)
    publish(market, [level(99)])
    assert [update.seq for update in drain(reader)] == [105, 106, 107, 108, 109, 110, 111]
    assert drain(market.subscribe(ME, since=111)) == []
    assert len(drain(market.subscribe(ME, since=100))) == 11


def test_since_before_the_ring_is_not_found_and_beyond_the_end_an_error() -> None:
    market = hub(100)
    with pytest.raises(NotFound, match="updates after 99 are gone, the oldest kept is 101"):
        market.subscribe(ME, since=99)
    with pytest.raises(DataError, match="cannot watch from 101: the exchange stands at sequence 100"):
        market.subscribe(ME, since=101)
    for price in range(RING_MAX + 5):
        publish(market, [level(price)])
    with pytest.raises(NotFound, match="oldest kept is 106"):
        market.subscribe(ME, since=104)
    assert len(market.subscribe(ME, since=105).take(1)) == 1


def test_a_reader_is_woken_once_per_wait() -> None:
    market = hub()
    woken: list[int] = []
    reader = market.subscribe(ME, wake=lambda: woken.append(market.seq))
    publish(market, [level(1)])
    publish(market, [level(2)])
    assert woken == [1]
    drain(reader)
    publish(market, [done(1, THEIRS)])
    assert woken == [1]
    publish(market, [level(3)])
    assert woken == [1, 4]


def test_who_has_left_hears_nothing() -> None:
    market = hub()
    reader = market.subscribe(ME)
    market.unsubscribe(reader)
    market.unsubscribe(reader)
    publish(market, [level(1)])
    assert reader.take(1) == []
