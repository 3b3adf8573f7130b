"""The process that ``bench/tui.py`` measures: the dashboard on an exchange and a market in its own threads.

    python bench/tui_screen.py load|idle|feed LOG

load: a moving market.   idle: a still one.   feed: the market without a screen.
SIGUSR1 writes ticks and frame times to LOG.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from exchange.client import Update
from exchange.core.messages import CancelOrder, OrderAccepted, PlaceOrder
from exchange.core.terms import BUY, IOC, LIMIT, SELL
from exchange.core.units import SECOND
from tests.tradecli.tui.memory import LOCAL, MemoryClient, MemoryExchange, crowd_order, market_day
from tradecli.tui.app import Options, TradeApp

HZ = 20
LOCK = threading.Condition()


class Client(MemoryClient):
    """Waits for what the market makes; verbs and market take turns."""

    def send(self, commands: Any) -> Any:
        with LOCK:
            return super().send(commands)

    def query(self, name: str, **params: Any) -> Any:
        with LOCK:
            return super().query(name, **params)

    def watch(self, since: int | None = None) -> Iterator[Update]:
        with LOCK:
            yield from list(super().watch(since))
        while not self.is_closed:
            with LOCK:
                LOCK.wait_for(lambda: self.waiting or self.is_closed)
                ready = [self.waiting.popleft() for _ in range(len(self.waiting))]
            yield from ready

    def close(self) -> None:
        with LOCK:
            super().close()
            LOCK.notify_all()


def feed(exchange: MemoryExchange) -> None:
    """A burst of orders, cancels and trades every 50 ms."""
    draw = random.Random(3)
    resting: list[int] = []
    while True:
        time.sleep(1 / HZ)
        with LOCK:
            exchange.now += SECOND // HZ
            book = exchange.state.books[0]
            for _ in range(12):
                side = draw.choice((BUY, SELL))
                away = draw.randint(0, 4_000)
                price = book.best_bid() - away if side == BUY else book.best_ask() + away
                receipt = crowd_order(exchange, side, price, 90_000)
                resting += [e.order_id for e in receipt.events if isinstance(e, OrderAccepted)]
            for _ in range(11):
                exchange.apply(2, CancelOrder(4, resting.pop(draw.randrange(len(resting)))))
            for number in range(len(exchange.state.books)):
                crowd_order(exchange, draw.choice((BUY, SELL)), 0, draw.randint(1, 9_000), number, IOC)
            exchange.updates.clear()
            exchange.fills.clear()
            LOCK.notify_all()


class Timed(TradeApp):
    """Frames from the tick to the bytes on their way."""

    begun = 0.0
    ticks = 0
    frames: list[float]

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        if self.begun:
            self.frames.append(time.perf_counter() - self.begun)
            self.begun = 0.0


def main(mode: str, log: str) -> None:
    exchange = market_day()
    for at in range(25):
        for side, price in ((BUY, 6_300_000 - 500 * at), (SELL, 6_500_000 + 500 * at)):
            exchange.apply(LOCAL, PlaceOrder(3, 0, side, LIMIT, 1_000 + at, price))
    if mode == "feed":
        feed(exchange)
    if mode == "load":
        threading.Thread(target=feed, args=(exchange,), daemon=True).start()
    app = Timed(lambda: Client(exchange), lambda: exchange.now, time.monotonic_ns, Options(hz=HZ))
    app.frames = []
    tick = app.dashboard.tick

    def timed() -> None:
        app.ticks += 1
        app.begun = time.perf_counter()
        tick()

    app.dashboard.tick = timed  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, lambda *_: Path(log).write_text(repr((app.ticks, app.frames))))
    app.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
