"""Pictures for the documentation: the real screen on half an hour of the living market.

``python -m tests.snapshots.pictures docs/pictures``; the same seed draws the same pictures.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

from exchange.adapters.feeds.living import LivingMarket
from exchange.config import load_config
from exchange.core.messages import PlaceOrder
from exchange.core.terms import BUY, LIMIT, SELL, SYSTEM_USER
from exchange.core.units import SECOND
from exchange.founding import founding_commands, master_of
from tests.tradecli.tui.memory import LOCAL, MemoryExchange
from tests.tradecli.tui.stage import Stage, play
from tradecli.tui.app import Options
from tradecli.tui.pictures import picture

SEED: Final = 7
BEGIN: Final = 1_767_605_400 * SECOND  # 2026-01-05 09:30 UTC, a Monday
MARKET_SECONDS: Final = 40 * 60


class Shot(NamedTuple):
    size: tuple[int, int]
    theme: str
    keys: Callable[[Stage], Awaitable[None]]


def living_market() -> MemoryExchange:
    """The market and the person's account after a while of trading, with a part of their own."""
    exchange = MemoryExchange()
    exchange.now = BEGIN
    config = load_config(home=Path("/nowhere"), environ={})
    master = master_of(config)
    while commands := founding_commands(config, master, exchange.state, BEGIN):
        for command in commands:
            receipt = exchange.apply(SYSTEM_USER, command)
            assert receipt.reject is None, receipt.reject.reason
    feed = LivingMarket(SEED, BEGIN)
    while requests := feed.prepare(exchange.state):
        for actor, command in requests:
            exchange.apply(actor, command)
    end = BEGIN + MARKET_SECONDS * SECOND
    parts = [end - seconds * SECOND for seconds in (900, 600, 120, 60, 20)]
    while (due := feed.due()) is not None and due <= end:
        exchange.now = max(due, exchange.now)
        feed.answered([exchange.apply(actor, command) for actor, command in feed.step(exchange.state, due)])
        while parts and exchange.now >= parts[0]:
            parts.pop(0)
            take_part(exchange, len(parts))
    return exchange


def take_part(exchange: MemoryExchange, left: int) -> None:
    book = exchange.state.books[0]
    orders = {
        4: PlaceOrder(3, 0, BUY, LIMIT, 35_000, book.best_ask() + 500),
        3: PlaceOrder(3, 1, SELL, LIMIT, 8_000, exchange.state.books[1].best_bid() - 50),
        2: PlaceOrder(3, 0, SELL, LIMIT, 10_000, book.best_bid() - 500),
        1: PlaceOrder(3, 0, BUY, LIMIT, 20_000, book.best_bid() - 2_000),
        0: PlaceOrder(3, 0, SELL, LIMIT, 15_000, book.best_ask() + 2_500, display=5_000),
    }
    receipt = exchange.apply(LOCAL, orders[left])
    assert receipt.reject is None, receipt.reject.reason


async def working(stage: Stage) -> None:
    await stage.press("right_square_bracket", "left_square_bracket", "4")


async def ticket(stage: Stage) -> None:
    await stage.press("s")
    await stage.type("1.2")
    await stage.press("down", "down", "right")


async def positions(stage: Stage) -> None:
    await stage.press("4", "right", "right", "2", "left", "left", "left", "left", "left", "left")


async def book(stage: Stage) -> None:
    await stage.press("3", "d", "d", "d", "up", "up", "up")


SHOTS: Final[dict[str, Shot]] = {
    "dashboard": Shot((160, 48), "dark", working),
    "ticket": Shot((130, 40), "dark", ticket),
    "light": Shot((130, 40), "light", positions),
    "color-blind": Shot((130, 40), "color-blind", positions),
    "small": Shot((80, 24), "dark", book),
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    exchange = living_market()
    for name, shot in SHOTS.items():

        async def scene(stage: Stage, name: str = name, shot: Shot = shot) -> None:
            await shot.keys(stage)
            (folder / f"{name}.svg").write_text(picture(stage.app), encoding="utf-8")

        play(scene, exchange, shot.size, Options(theme=shot.theme))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
