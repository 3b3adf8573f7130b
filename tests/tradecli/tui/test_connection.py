"""The connection is lost, said to be lost, and found again; stale data look stale."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exchange.client import Client, Update
from exchange.errors import ConfigError, ConnectionLost, ExchangeError, StoreLocked
from tests.tradecli.tui.memory import MemoryClient, MemoryExchange, crowd_order, market_day
from tests.tradecli.tui.stage import InlineLanes, Stage, play
from tradecli.tui.link import DATA, INBOX_MAX, ORDERS, Inbox, Link, State, ThreadLanes
from tradecli.tui.theme import DARK


def cut(stage: Stage) -> None:
    """The exchange dies under the open connection."""
    assert stage.client is not None
    stage.exchange.is_down = True
    stage.exchange.clients.clear()
    stage.client.is_closed = True


async def notice(stage: Stage) -> None:
    """A second passes, and the next ping finds nobody."""
    stage.wait(1_100)
    await stage.show()
    await stage.show()


def test_a_lost_connection_is_told_and_blocks_orders() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        await stage.type("0.5")
        cut(stage)
        await notice(stage)
        assert "no connection, orders are blocked" in stage.pane("banner")
        assert "next try in" in stage.pane("banner")
        assert "offline" in stage.pane("status")
        assert "not connected: orders are blocked" in stage.ticket()
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        assert "nothing was sent" in stage.bar()

    play(scene)


def test_old_data_are_dimmed() -> None:
    async def scene(stage: Stage) -> None:
        cut(stage)
        await notice(stage)
        inks = {segment.style.color.name for segment in stage.screen.panes.book.render_line(4)}
        assert inks == {DARK.faint, DARK.own}

    play(scene)


def test_it_comes_back_with_everything_that_happened() -> None:
    async def scene(stage: Stage) -> None:
        cut(stage)
        await notice(stage)
        price = stage.exchange.state.books[0].best_bid() + 1
        crowd_order(stage.exchange, 1, price, 123_000)
        stage.wait(300)
        await stage.show()
        assert stage.screen.link.state is State.LOST
        stage.exchange.is_down = False
        stage.wait(10_000)
        await stage.show()
        await stage.show()
        assert stage.screen.link.state is State.LIVE
        assert not stage.screen.panes.banner.has_class("-shown")
        assert f"{price / 100:,.2f}" in stage.pane("book")
        assert "live" in stage.pane("status")
        crowd_order(stage.exchange, 1, price + 1, 123_000)
        await stage.show()
        assert f"{(price + 1) / 100:,.2f}" in stage.pane("book")

    play(scene)


def test_an_order_without_an_answer_is_sent_again_under_its_id() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        await stage.type("0.5")
        await stage.press("enter")
        stage.wait(300)
        client = stage.client
        assert client is not None
        send = client.send

        def lose_answer(commands: Any) -> Any:
            send(commands)
            cut(stage)
            raise ConnectionLost("the exchange went away")

        client.send = lose_answer  # type: ignore[method-assign]
        await stage.press("y")
        assert "sending it again" in " ".join(stage.ticket().split())
        stage.exchange.is_down = False
        stage.wait(10_000)
        await stage.show()
        await stage.show()
        await stage.press("y")
        assert "placed already as #" in stage.bar()
        assert not stage.screen.panes.ticket.is_open
        mine = [order for order in stage.exchange.state.live_orders() if order.account.name == "main"]
        assert len(mine) == 1

    play(scene)


def test_stale_prices_turn_the_status_and_warn_in_the_ticket() -> None:
    async def scene(stage: Stage) -> None:
        client = stage.client
        assert client is not None
        await stage.press("b")
        # The feed stops while the connection lives: the exchange knows trades the screen has not seen.
        stage.exchange.clients.clear()
        crowd_order(stage.exchange, 1, 0, 100_000, tif=2)
        stage.wait(1_000)
        await stage.show()
        assert "live" in stage.pane("status")
        stage.wait(1_500)
        await stage.show()
        assert "stale 2.5 s" in stage.pane("status")
        assert stage.screen.panes.account_bar.health() == DARK.warn
        assert "prices are old" in stage.ticket()
        stage.wait(3_000)
        await stage.show()
        assert stage.screen.panes.account_bar.health() == DARK.error

    play(scene)


def test_a_quiet_market_is_not_stale() -> None:
    async def scene(stage: Stage) -> None:
        for _ in range(20):
            stage.wait(1_000)
            await stage.show()
        assert "live" in stage.pane("status")

    play(scene)


class Turned:
    """A monotonic clock turned by hand."""

    now = 0

    def __call__(self) -> int:
        return self.now


def link_to(connect: Callable[[], Client], watch: Turned) -> tuple[Link, list[State]]:
    states: list[State] = []
    link = Link(connect, InlineLanes(), watch, lambda: states.append(link.state))
    return link, states


def test_the_waits_between_attempts_grow() -> None:
    exchange = market_day()
    exchange.is_down = True
    watch = Turned()
    link, states = link_to(lambda: MemoryClient(exchange), watch)
    link.open()
    waits = []
    for _ in range(8):
        waits.append(link.retry_in // 1_000_000)
        watch.now = link.retry_at - 1
        link.tick()
        watch.now += 1
        link.tick()
    assert waits == [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]
    exchange.is_down = False
    watch.now = link.retry_at
    link.tick()
    assert states[-1] is State.LIVE
    assert link.attempt == 0


def test_an_exchange_that_cannot_open_is_not_tried_again() -> None:
    def connect() -> Client:
        raise ConfigError("market.seed must be a whole number")

    link, states = link_to(connect, Turned())
    link.open()
    assert str(link.refusal) == "market.seed must be a whole number"
    assert states == [State.CONNECTING, State.CONNECTING]


def test_the_program_ends_with_what_kept_the_exchange_from_opening() -> None:
    async def scene(stage: Stage) -> None:
        await stage.settle()

    exchange = market_day()

    class Refused(Stage):
        def connect(self) -> MemoryClient:
            raise ConfigError("no")

    stage = Refused(exchange)

    async def run() -> None:
        async with stage.app.run_test() as pilot:
            stage.pilot = pilot
            await scene(stage)

    asyncio.run(run())
    assert isinstance(stage.screen.link.refusal, ConfigError)


def test_after_a_first_connection_every_failure_is_waited_out() -> None:
    exchange = market_day()
    failures: list[ExchangeError] = []

    def connect() -> Client:
        if failures:
            raise failures[0]
        return MemoryClient(exchange)

    watch = Turned()
    link, _ = link_to(connect, watch)
    link.open()
    link.lose("gone")
    failures.append(StoreLocked("another process owns it"))
    watch.now = link.retry_at
    link.tick()
    assert (link.state, link.failure, link.refusal) == (State.LOST, "another process owns it", None)


def test_a_call_without_a_connection_fails_at_once() -> None:
    link, _ = link_to(lambda: MemoryClient(market_day()), Turned())
    failures: list[str] = []
    link.call(
        DATA, lambda client: client.query("status"), lambda _: None, lambda error: failures.append(str(error))
    )
    assert failures == ["there is no connection to the exchange"]


def test_round_trips_of_orders_are_timed() -> None:
    watch = Turned()
    link, _ = link_to(lambda: MemoryClient(market_day()), watch)
    link.open()

    def work(client: Client) -> Any:
        watch.now += 1_500_000
        return client.query("status")

    link.call(DATA, work, lambda _: None)
    assert link.latency == -1
    link.call(ORDERS, work, lambda _: None)
    assert link.latency == 1_500_000


def test_a_bug_beside_the_screen_is_not_swallowed() -> None:
    def connect() -> Client:
        raise ZeroDivisionError

    lanes = BlindLanes()
    link = Link(connect, lanes, Turned(), lambda: None)
    with pytest.raises(ZeroDivisionError):
        link.open()


class BlindLanes(InlineLanes):
    """Carries every failure over, as threads do."""

    def run(self, lane: str, work: Any, done: Any) -> None:
        from concurrent.futures import Future

        del lane
        future: Future[Any] = Future()
        try:
            future.set_result(work())
        except ArithmeticError as error:
            future.set_exception(error)
        done(future)


class Posted:
    """Stands for the screen's loop: calls wait here until they are run."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.changed = threading.Condition()

    def __call__(self, call: Callable[[], None]) -> None:
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()

    def run_until(self, is_done: Callable[[], bool]) -> None:
        while not is_done():
            with self.changed:
                assert self.changed.wait_for(lambda: bool(self.calls), timeout=30)
                calls, self.calls = self.calls, []
            for call in calls:
                call()


class WaitingClient(MemoryClient):
    """Watches as a real one: waits for what comes, ends when it is closed."""

    def __init__(self, exchange: MemoryExchange) -> None:
        super().__init__(exchange)
        self.arrived = threading.Condition()

    def watch(self, since: int | None = None) -> Iterator[Update]:
        yield from super().watch(since)
        while True:
            with self.arrived:
                self.arrived.wait_for(lambda: self.waiting or self.is_closed)
                if self.is_closed:
                    return
                update = self.waiting.popleft()
            yield update

    def close(self) -> None:
        with self.arrived:
            super().close()
            self.arrived.notify_all()


def test_threads_carry_calls_and_updates() -> None:
    exchange = market_day()
    posted = Posted()
    lanes = ThreadLanes(posted)
    clients: list[WaitingClient] = []

    def connect() -> Client:
        clients.append(WaitingClient(exchange))
        return clients[-1]

    link = Link(connect, lanes, Turned(), lambda: None)
    link.open()
    posted.run_until(lambda: link.state is State.LIVE)
    answers: list[dict[str, Any]] = []
    link.call(ORDERS, lambda client: client.query("status"), answers.append)
    posted.run_until(lambda: bool(answers))
    assert answers[0]["seq"] == exchange.state.seq
    link.follow(exchange.state.seq - 3)
    seen: list[int] = []
    while len(seen) < 3:
        seen += [update.seq for update in link.inbox.take()]
    assert seen == [exchange.state.seq - 2, exchange.state.seq - 1, exchange.state.seq]
    clients[0].close()
    posted.run_until(lambda: link.state is State.LOST)
    assert link.failure == "the exchange closed the connection"
    link.close()


def test_a_full_inbox_holds_its_reader_back() -> None:
    inbox = Inbox()
    update = Update(1, 0, [])
    reader = threading.Thread(target=lambda: [inbox.put(update) for _ in range(INBOX_MAX + 5)], daemon=True)
    reader.start()
    taken = 0
    while taken < INBOX_MAX + 5:
        taken += len(inbox.take())
    reader.join(timeout=30)
    assert not reader.is_alive()
