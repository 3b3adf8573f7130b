"""The golden screens: what is pressed before each is compared with its file.

``python -m tests.snapshots.redraw`` writes the files anew; look at the difference before it is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

from exchange.core.messages import PlaceOrder
from exchange.core.terms import BUY, IOC, LIMIT, SELL
from tests.tradecli.tui.memory import LOCAL, MemoryExchange, crowd_order, market_day
from tests.tradecli.tui.stage import Stage, play
from tradecli.tui.app import Options
from tradecli.tui.pictures import picture

FOLDER: Final = Path(__file__).parent
MAIN: Final = 3


class Golden(NamedTuple):
    size: tuple[int, int]
    theme: str
    keys: Callable[[Stage], Awaitable[None]]


async def nothing(stage: Stage) -> None:
    """The first screen."""


async def ticket(stage: Stage) -> None:
    await stage.press("b")
    await stage.type("0.9")
    await stage.press("down", "down", "right")


async def review(stage: Stage) -> None:
    await stage.press("s")
    await stage.type("0.4")
    await stage.press("enter")


async def refused(stage: Stage) -> None:
    await stage.press("s")
    await stage.type("25")


async def disconnected(stage: Stage) -> None:
    assert stage.client is not None
    stage.exchange.is_down = True
    stage.client.is_closed = True
    stage.exchange.clients.clear()
    stage.wait(1_100)
    await stage.show()
    await stage.show()


async def positions(stage: Stage) -> None:
    await stage.press("4", "right", "right", "2", "left", "left", "left", "left", "left")


async def book_alone(stage: Stage) -> None:
    await stage.press("3", "d", "d", "d", "d", "up", "up", "up", "z")


async def cancel_all(stage: Stage) -> None:
    await stage.press("X")


async def help_page(stage: Stage) -> None:
    await stage.press("question_mark")


async def mistyped(stage: Stage) -> None:
    await stage.press("colon")
    await stage.type("buy eth-usdc 0.5 @ 3120.001")
    await stage.press("enter")


GOLDENS: Final[dict[str, Golden]] = {
    "dashboard-80x24": Golden((80, 24), "dark", nothing),
    "dashboard-120x36": Golden((120, 36), "dark", nothing),
    "dashboard-160x50": Golden((160, 50), "dark", nothing),
    "light-160x50": Golden((160, 50), "light", positions),
    "color-blind-120x36": Golden((120, 36), "color-blind", positions),
    "ticket-160x50": Golden((160, 50), "dark", ticket),
    "review-80x24": Golden((80, 24), "dark", review),
    "refused-light-120x36": Golden((120, 36), "light", refused),
    "disconnected-120x36": Golden((120, 36), "dark", disconnected),
    "book-alone-80x24": Golden((80, 24), "dark", book_alone),
    "cancel-all-100x30": Golden((100, 30), "dark", cancel_all),
    "help-120x36": Golden((120, 36), "dark", help_page),
    "mistyped-80x24": Golden((80, 24), "dark", mistyped),
    "too-small-50x12": Golden((50, 12), "dark", nothing),
}


def traded_day() -> MemoryExchange:
    """The day of the market with a part in it: two fills of one's own and three working orders."""
    exchange = market_day()
    book = exchange.state.books[0]
    bid, ask = book.best_bid(), book.best_ask()

    def mine(side: int, lots: int, price: int, instrument: int = 0) -> None:
        receipt = exchange.apply(LOCAL, PlaceOrder(MAIN, instrument, side, LIMIT, lots, price))
        assert receipt.reject is None, receipt.reject.reason

    mine(BUY, 20_000, ask)
    mine(BUY, 15_000, bid + 1)
    crowd_order(exchange, SELL, bid + 1, 5_000, tif=IOC)
    mine(SELL, 30_000, ask + 2_500)
    eth = exchange.state.books[1]
    mine(SELL, 12_000, eth.best_ask() + 40, 1)
    return exchange


def drawn(golden: Golden) -> str:
    pictures: list[str] = []

    async def scene(stage: Stage) -> None:
        await golden.keys(stage)
        pictures.append(picture(stage.app))

    play(scene, traded_day(), golden.size, Options(theme=golden.theme))
    return pictures[0]
