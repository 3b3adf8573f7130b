"""The driver with an event loop: group commit, nothing before it is durable, and every way to end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from exchange.adapters.clock import VirtualClock
from exchange.core.messages import OrderDone
from exchange.core.terms import EXPIRED, GTD
from exchange.core.units import SECOND
from exchange.errors import ConnectionLost, DataError, JournalFailed, NotFound
from exchange.runtime import owner as owner_module
from exchange.runtime.hub import Hub
from exchange.runtime.lookup import Lookup
from exchange.runtime.owner import Owner
from exchange.runtime.pace import Pace
from exchange.runtime.ports import Clock, Feed, JournalFull
from exchange.runtime.sequencer import SequencerOptions
from tests.contracts.memory import (
    START,
    UNWRITABLE,
    USER,
    MemoryDocuments,
    MemoryJournal,
    MemorySnapshots,
    NoHistory,
    ScriptedFeed,
    SteppingClock,
    founded,
    order,
    owner_of,
)


class Bench:
    """One owner on a journal in memory; ``run`` drives it while ``body`` uses it."""

    def __init__(
        self,
        clock: Clock | None = None,
        snapshots: MemorySnapshots | None = None,
        options: SequencerOptions | None = None,
    ) -> None:
        self.journal = MemoryJournal()
        self.pace = Pace(clock or VirtualClock(START))
        self.exchange = founded(self.journal, self.pace, snapshots, options)
        self.hub = Hub(owner_of(self.exchange), self.exchange.state.seq)
        self.exchange.listeners.append(self.hub.publish)
        self.history = NoHistory()
        self.syncs = self.journal.syncs
        self.owner: Owner
        self.driving: asyncio.Task[None]

    def run(self, body: Callable[[Bench], Awaitable[None]], feed: Feed | None = None) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(4) as threads:
                lookup = Lookup(self.exchange, self.history, MemoryDocuments())
                self.owner = Owner(self.exchange, self.pace, lookup, self.hub, threads)
                self.driving = asyncio.create_task(self.owner.run(feed))
                try:
                    await body(self)
                finally:
                    self.journal.gate.set()
                    self.owner.stop()
                    await asyncio.gather(self.driving, return_exceptions=True)

        asyncio.run(asyncio.wait_for(main(), 60))

    async def held(self, *names: str) -> list[asyncio.Task[Any]]:
        """Close the gate and send orders of these names; the first is on its way to the disk."""
        self.journal.gate.clear()
        tasks = []
        for name in names:
            tasks.append(asyncio.create_task(self.owner.send(USER, [order(name=name)])))
            await self.turns()
        return tasks

    async def turns(self) -> None:
        """Let everybody who can go on do so."""
        for _ in range(20):
            await asyncio.sleep(0)


def test_commands_are_answered_in_order_and_durable() -> None:
    async def body(bench: Bench) -> None:
        receipts = await bench.owner.send(USER, [order(1), order(2), order(0)])
        assert [receipt.seq for receipt in receipts] == [7, 8, 9]
        assert [receipt.reject is None for receipt in receipts] == [True, True, False]
        assert bench.journal.durable_seq == 9

    Bench().run(body)


def test_nothing_to_send_is_answered_with_nothing() -> None:
    async def body(bench: Bench) -> None:
        assert await bench.owner.send(USER, []) == []

    Bench().run(body)


def test_what_arrives_during_a_sync_shares_the_next_one() -> None:
    async def body(bench: Bench) -> None:
        tasks = await bench.held("a", "b", "c", "d")
        assert bench.journal.last_seq == 7
        bench.journal.gate.set()
        answers = await asyncio.gather(*tasks)
        assert [receipts[0].seq for receipts in answers] == [7, 8, 9, 10]
        assert bench.journal.syncs == bench.syncs + 2

    Bench().run(body)


def test_nothing_is_seen_before_it_is_durable() -> None:
    async def body(bench: Bench) -> None:
        reader = bench.hub.subscribe(USER)
        (task,) = await bench.held("a")
        query = asyncio.create_task(bench.owner.query(USER, "orders", {}))
        await bench.turns()
        assert bench.exchange.state.seq == 7
        assert not task.done()
        assert not query.done()
        assert reader.take(1) == []
        bench.journal.gate.set()
        assert [row["client_order_id"] for row in await query] == ["a"]
        await task
        assert [update.seq for update in reader.take(5)] == [7]

    Bench().run(body)


def test_a_failed_sync_is_told_to_all_and_stops_the_exchange() -> None:
    async def body(bench: Bench) -> None:
        first, second = await bench.held("a", "b")
        query = asyncio.create_task(bench.owner.query(USER, "orders", {}))
        await bench.turns()
        bench.journal.failing = True
        bench.journal.gate.set()
        for task in (first, second, bench.driving, query):
            with pytest.raises(JournalFailed, match="broken"):
                await task
        with pytest.raises(ConnectionLost, match="nothing was sent"):
            await bench.owner.send(USER, [order()])
        with pytest.raises(JournalFailed):
            await bench.owner.query(USER, "orders", {})

    Bench().run(body)


def test_on_a_full_disk_commands_are_refused_and_queries_go_on() -> None:
    async def body(bench: Bench) -> None:
        await bench.owner.send(USER, [order(name="before")])
        bench.journal.is_full = True
        for _ in range(2):
            with pytest.raises(JournalFull, match="no room"):
                await bench.owner.send(USER, [order()])
        assert [row["client_order_id"] for row in await bench.owner.query(USER, "orders", {})] == ["before"]
        assert not bench.driving.done()

    Bench().run(body)


def test_a_feed_stops_on_a_full_disk_and_the_exchange_does_not() -> None:
    feed = ScriptedFeed([(START, [order(1)]), (START + SECOND, [order(2)])])
    clock = VirtualClock(START)

    async def body(bench: Bench) -> None:
        await bench.owner.send(USER, [order(name="x")])
        assert len(feed.answers) == 1
        bench.journal.is_full = True
        clock.advance(2 * SECOND)
        with pytest.raises(JournalFull):
            await bench.owner.send(USER, [order()])
        assert len(await bench.owner.query(USER, "orders", {})) == 2

    Bench(clock).run(body, feed)


def test_a_request_that_cannot_be_written_is_refused_alone() -> None:
    async def body(bench: Bench) -> None:
        tasks = await bench.held("a", "b", UNWRITABLE, "c")
        bench.journal.gate.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[2], DataError)
        kept = [answer for answer in done if not isinstance(answer, BaseException)]
        assert [receipts[0].seq for receipts in kept] == [7, 8, 9]

    Bench().run(body)


def test_who_has_left_does_not_hold_up_the_others() -> None:
    async def body(bench: Bench) -> None:
        gone, stays = await bench.held("a", "b")
        gone.cancel()
        await bench.turns()
        bench.journal.gate.set()
        assert (await stays)[0].seq == 8
        assert len(await bench.owner.query(USER, "orders", {})) == 2

    Bench().run(body)


def test_senders_wait_while_the_inbox_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_module, "INBOX_MAX", 2)

    async def body(bench: Bench) -> None:
        tasks = await bench.held("a", "b", "c", "d", "e")
        # a is with the disk, b and c fill the inbox, d and e are outside.
        assert bench.journal.last_seq == 7
        bench.journal.gate.set()
        answers = await asyncio.gather(*tasks)
        assert [receipts[0].seq for receipts in answers] == [7, 8, 9, 10, 11]

    Bench().run(body)


def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_module, "BATCH_MAX", 2)

    async def body(bench: Bench) -> None:
        tasks = await bench.held("a", "b", "c", "d", "e")
        bench.journal.gate.set()
        await asyncio.gather(*tasks)
        assert bench.journal.syncs == bench.syncs + 3

    Bench().run(body)


def test_stopping_answers_what_was_accepted_and_refuses_the_rest() -> None:
    async def body(bench: Bench) -> None:
        tasks = await bench.held("a", "b")
        bench.owner.stop()
        with pytest.raises(ConnectionLost, match="nothing was sent"):
            await bench.owner.send(USER, [order()])
        bench.journal.gate.set()
        answers = await asyncio.gather(*tasks)
        assert [receipts[0].seq for receipts in answers] == [7, 8]
        await bench.driving

    Bench().run(body)


def test_the_feed_trades_beside_the_clients() -> None:
    clock = VirtualClock(START)
    feed = ScriptedFeed([(START + n * SECOND, [order(n)]) for n in range(1, 5)])

    async def body(bench: Bench) -> None:
        clock.advance(2 * SECOND)
        (receipt,) = await bench.owner.send(USER, [order(50)])
        assert receipt.seq == 7
        assert [[r.seq for r in answer] for answer in feed.answers] == [[8], [9]]
        assert feed.times == [clock.now(), clock.now()]
        assert bench.journal.syncs == bench.syncs + 1
        assert feed.due() == START + 3 * SECOND

    Bench(clock).run(body, feed)


def test_the_feed_goes_on_while_nobody_asks_for_anything() -> None:
    clock = SteppingClock(SECOND // 100)
    feed = ScriptedFeed([(START + n * SECOND // 10, [order(n)]) for n in range(1, 6)])

    async def body(bench: Bench) -> None:
        reader_woken = asyncio.Event()
        reader = bench.hub.subscribe(USER, wake=reader_woken.set)
        seen: list[int] = []
        while len(seen) < 5:
            await reader_woken.wait()
            reader_woken.clear()
            seen += [update.seq for update in reader.take(10)]
        assert seen == [7, 8, 9, 10, 11]

    Bench(clock).run(body, feed)


def test_timers_fire_while_nobody_asks_for_anything() -> None:
    clock = SteppingClock(SECOND // 100)

    async def body(bench: Bench) -> None:
        woken = asyncio.Event()
        reader = bench.hub.subscribe(USER, wake=woken.set)
        expires = bench.exchange.now() + SECOND // 10
        await bench.owner.send(USER, [order(tif=GTD, expires=expires - expires % 1000)])
        done: list[OrderDone] = []
        while not done:
            await woken.wait()
            woken.clear()
            for update in reader.take(10):
                done += [event for event in update.events if isinstance(event, OrderDone)]
        assert done[0].reason == EXPIRED

    Bench(clock).run(body)


def test_snapshots_are_taken_beside_the_trading() -> None:
    snapshots = MemorySnapshots()
    options = SequencerOptions(snapshot_every=5, snapshot_min=5, snapshot_share=0)

    async def body(bench: Bench) -> None:
        for _ in range(3):
            await bench.owner.send(USER, [order(1)] * 5)

    Bench(snapshots=snapshots, options=options).run(body)
    assert snapshots.saved
    assert all(snapshot.position.seq % 5 == 1 for snapshot in snapshots.saved)


def test_without_room_for_a_snapshot_the_exchange_is_read_only() -> None:
    snapshots = MemorySnapshots()
    options = SequencerOptions(snapshot_every=5, snapshot_min=5, snapshot_share=0)
    bench = Bench(snapshots=snapshots, options=options)
    snapshots.failing = True

    async def body(bench: Bench) -> None:
        await bench.owner.send(USER, [order(1)] * 5)
        error: JournalFull | None = None
        while error is None:
            try:
                await bench.owner.send(USER, [order(1)])
            except JournalFull as caught:
                error = caught
        assert str(error) == "no room for a snapshot"
        assert len(await bench.owner.query(USER, "orders", {})) >= 5

    bench.run(body)


def test_questions_go_to_the_state_first_then_to_history_and_documents() -> None:
    async def body(bench: Bench) -> None:
        ask = bench.owner.query
        receipt = (await bench.owner.send(USER, [order(name="a")]))[0]
        assert (await ask(USER, "order", {"order_id": receipt.order_id}))["client_order_id"] == "a"
        assert await ask(USER, "order", {"order_id": 99}) == [{"history": "order"}]
        assert await ask(USER, "fills", {"account": "main"}) == [{"history": "fills"}]
        assert bench.history.asked == [("order", {"order_id": 99}), ("fills", {"account": "main"})]
        await bench.owner.save("layouts", "a", {"x": 1})
        assert await ask(USER, "document", {"kind": "layouts", "key": "a"}) == {"x": 1}
        preview = await ask(USER, "preview", {"order": PREVIEWED})
        assert preview["resting"] == "1"

    Bench().run(body)


PREVIEWED = {
    "op": "order.place",
    "account": "main",
    "instrument": "ABC",
    "side": "buy",
    "type": "limit",
    "quantity": "1",
    "limit": "1.00",
}


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("nothing", {}, NotFound),
        ("x" * 5000, {}, NotFound),
        ("depth", {"instrument": "NOPE"}, NotFound),
        ("depth", {"instrument": 5}, DataError),
        ("depth", {"instrument": "ABC", "levels": "x"}, DataError),
        ("depth", {"instrument": "ABC", "levels": True}, DataError),
        ("depth", {"instrument": "ABC", "other": 1}, DataError),
        ("depth", {}, DataError),
        ("balances", {"account": ["main"]}, DataError),
        ("preview", {}, DataError),
        ("preview", {"order": None}, DataError),
        ("preview", {"order": {}, "more": 1}, DataError),
        ("preview", {"order": {"op": "order.place"}}, DataError),
        ("fills", {"directory": 1}, DataError),
        ("fills", {"name": "x"}, DataError),
        ("fills", {"self": "x"}, DataError),
    ],
)
def test_bad_questions_are_errors_of_the_asker(
    name: str, params: dict[str, Any], error: type[Exception]
) -> None:
    async def body(bench: Bench) -> None:
        with pytest.raises(error) as caught:
            await bench.owner.query(USER, name, params)
        assert len(str(caught.value)) < 500

    Bench().run(body)
