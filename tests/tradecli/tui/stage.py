"""The dashboard on a stage: the app with a clock turned by hand, run by Pilot, read as plain text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from textual.events import Key, Paste
from textual.pilot import Pilot

from exchange.client import Update
from exchange.errors import ExchangeError
from tests.tradecli.tui.memory import MemoryClient, MemoryExchange, market_day
from tradecli.tui.app import Options, TradeApp
from tradecli.tui.link import WATCH
from tradecli.tui.widgets.surface import Surface

T = TypeVar("T")

SETTLE_ROUNDS = 3  # a key, the action, its message, the layout
LETTERS = {
    "colon": ":",
    "slash": "/",
    "question_mark": "?",
    "minus": "-",
    "plus": "+",
    "space": " ",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "equals_sign": "=",
}


class InlineLanes:
    """Runs everything at once, in the caller; what watches runs when the stage pumps."""

    def __init__(self) -> None:
        self.watches: list[tuple[Callable[[], Any], Callable[[Future[Any]], None]]] = []

    def run(self, lane: str, work: Callable[[], T], done: Callable[[Future[T]], None]) -> None:
        if lane == WATCH:
            self.watches.append((work, done))
            return
        done(finished(work))

    def close(self) -> None:
        self.watches.clear()


def finished(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(work())
    except ExchangeError as error:
        future.set_exception(error)
    return future


class Stage:
    """now: what both clocks say; the monotonic one counts from 0."""

    def __init__(self, exchange: MemoryExchange, options: Options | None = None) -> None:
        self.exchange = exchange
        self.monotonic = 0
        self.lanes = InlineLanes()
        self.options = (options or Options())._replace(hz=0)
        self.app = TradeApp(
            self.connect, lambda: exchange.now, lambda: self.monotonic, self.options, self.lanes
        )
        self.client: MemoryClient | None = None
        self.pilot: Pilot[None]

    def connect(self) -> MemoryClient:
        self.client = MemoryClient(self.exchange)
        return self.client

    @property
    def screen(self) -> Any:
        return self.app.dashboard

    async def settle(self) -> None:
        """Every message sent so far is dealt with, and those it led to; then the layout."""
        for _ in range(SETTLE_ROUNDS):
            await self.pilot.pause(0)

    async def show(self) -> None:
        """Everything sent so far reaches the screen."""
        if self.client is not None:
            for update in taken(self.client):
                self.screen.link.inbox.put(update)
        self.screen.tick()
        await self.settle()

    async def press(self, *keys: str) -> None:
        """Keys by the toolkit's names; without a wait of the pilot's between them."""
        for key in keys:
            letter = LETTERS.get(key, key if len(key) == 1 else None)
            self.app.post_message(Key(key, letter))
            await self.settle()
        await self.show()

    async def type(self, text: str) -> None:
        """As if pasted: the same letters arrive in one event."""
        focused = self.app.screen.focused
        assert focused is not None
        focused.post_message(Paste(text))
        await self.settle()
        await self.show()

    def wait(self, milliseconds: int) -> None:
        self.monotonic += milliseconds * 1_000_000

    def pane(self, name: str) -> str:
        """What a pane shows, row by row."""
        return text_of(self.screen.query_one(f"#{name}", Surface))

    def ticket(self) -> str:
        return self.pane("ticket")

    def bar(self) -> str:
        return self.pane("bar")

    def top(self) -> str:
        """What the pane on top of everything shows."""
        screen = self.app.screen
        return "\n".join(text_of(surface) for surface in screen.query(Surface))


def taken(client: MemoryClient) -> Iterator[Update]:
    while client.waiting:
        yield client.waiting.popleft()


def text_of(surface: Surface) -> str:
    return "\n".join(surface.render_line(y).text.rstrip() for y in range(surface.size.height))


@asynccontextmanager
async def on_stage(
    exchange: MemoryExchange, size: tuple[int, int] = (160, 50), options: Options | None = None
) -> AsyncIterator[Stage]:
    stage = Stage(exchange, options)
    async with stage.app.run_test(size=size) as pilot:
        stage.pilot = pilot
        await stage.show()
        await stage.show()
        yield stage


def play(
    scene: Callable[[Stage], Awaitable[None]],
    exchange: MemoryExchange | None = None,
    size: tuple[int, int] = (120, 36),
    options: Options | None = None,
) -> Stage:
    """Run a scene to its end on an exchange, else on three hours of trading."""

    async def run() -> Stage:
        async with on_stage(exchange if exchange is not None else market_day(), size, options) as stage:
            await scene(stage)
            return stage

    return asyncio.run(run())
