"""What the panes show, at every size, and how the keys move between them."""

from __future__ import annotations

import pytest

from exchange.core.commands import ListInstrument
from exchange.core.terms import BUY, IOC, SELL, SYSTEM_USER
from exchange.core.units import SECOND
from tests.tradecli.tui.memory import MemoryExchange, crowd_order, fill_books, founded, market_day
from tests.tradecli.tui.stage import Stage, play
from tradecli.tui.app import Options
from tradecli.tui.theme import PALETTES
from tradecli.tui.widgets.surface import Surface

SIZES = [(60, 20), (75, 24), (80, 24), (100, 30), (110, 30), (120, 36), (160, 50), (240, 70)]


def shown(stage: Stage) -> list[str]:
    return [pane.id or "" for pane in stage.screen.panes.body if pane.region.area and pane.display]


@pytest.mark.parametrize("size", SIZES)
def test_every_size_shows_chart_and_blotter_without_overlap(size: tuple[int, int]) -> None:
    async def scene(stage: Stage) -> None:
        names = shown(stage)
        assert "chart" in names
        assert "blotter" in names
        cells: set[tuple[int, int]] = set()
        for name in names:
            region = stage.screen.query_one(f"#{name}", Surface).region
            mine = {(x, y) for x in range(region.x, region.right) for y in range(region.y, region.bottom)}
            assert not cells & mine
            cells |= mine
        assert max(x for x, _ in cells) < size[0]
        assert max(y for _, y in cells) == size[1] - 2
        for name in names:
            assert all(len(line) <= size[0] for line in stage.pane(name).splitlines())

    play(scene, size=size)


def test_panes_take_turns_where_there_is_no_room() -> None:
    async def scene(stage: Stage) -> None:
        assert shown(stage) == ["chart", "book", "blotter"]
        await stage.press("1")
        assert shown(stage) == ["watchlist", "book", "blotter"]
        await stage.press("5")
        assert shown(stage) == ["watchlist", "tape", "blotter"]
        await stage.press("2", "3")
        assert shown(stage) == ["chart", "book", "blotter"]
        await stage.pilot.resize_terminal(64, 22)
        await stage.show()
        assert shown(stage) == ["book", "blotter"]
        await stage.press("5")
        assert shown(stage) == ["tape", "blotter"]
        await stage.pilot.resize_terminal(160, 50)
        await stage.show()
        assert len(shown(stage)) == 5

    play(scene, size=(80, 24))


def test_below_the_least_size_a_notice_stands() -> None:
    async def scene(stage: Stage) -> None:
        assert "59 x 20 is too small" in stage.pane("too-small")
        assert "needs 60 x 20" in stage.pane("too-small")
        await stage.pilot.resize_terminal(20, 5)
        await stage.show()
        assert "20 x 5 is too small" in stage.pane("too-small")
        await stage.pilot.resize_terminal(80, 24)
        await stage.show()
        assert "BTC-USDC" in stage.pane("chart")

    play(scene, size=(59, 20))


def test_a_storm_of_resizes_is_weathered() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        for width, height in [
            (60, 20),
            (1, 1),
            (240, 70),
            (5, 60),
            (200, 3),
            (76, 20),
            (109, 29),
            (150, 30),
            (80, 24),
        ]:
            await stage.pilot.resize_terminal(width, height)
            crowd_order(stage.exchange, SELL, 0, 1_000, tif=IOC)
            await stage.show()
        assert "BUY BTC-USDC" in stage.ticket()
        assert stage.screen.panes.ticket.region.right <= 80

    play(scene)


def test_a_pane_alone_has_the_screen() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("3", "z")
        assert shown(stage) == ["book"]
        assert stage.screen.panes.book.size.width == 120
        await stage.press("4")
        assert shown(stage) == ["blotter"]
        await stage.press("z")
        assert len(shown(stage)) == 5

    play(scene)


def test_the_book_is_the_engines_book() -> None:
    async def scene(stage: Stage) -> None:
        book = stage.exchange.state.books[0]
        text = stage.pane("book").replace(",", "")
        for key in book.bids.keys[-5:] + [-key for key in book.asks.keys[-5:]]:
            assert f"{key / 100:.2f}" in text
        assert "spread 5.12" in text

    play(scene)


def test_the_book_groups_levels() -> None:
    async def scene(stage: Stage) -> None:
        before = stage.pane("book")
        for _ in range(6):
            await stage.press("d")
        after = stage.pane("book")
        assert "d x100" in after
        assert after != before
        assert ".00 " in after

    play(scene)


def test_trades_move_tape_chart_and_watchlist() -> None:
    async def scene(stage: Stage) -> None:
        before = stage.pane("watchlist")
        stage.exchange.now += SECOND
        crowd_order(stage.exchange, BUY, 0, 300_000, tif=IOC)
        await stage.show()
        last = stage.exchange.state.books[0].last
        text = f"{last / 100:,.2f}"
        assert text in stage.pane("tape").splitlines()[1]
        assert text in stage.pane("chart")
        assert text in stage.pane("watchlist")
        assert stage.pane("watchlist") != before

    play(scene)


def test_the_dashboard_turns_to_another_instrument() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("1", "down", "enter")
        for name in ("chart", "book", "tape"):
            assert "ETH-USDC" in stage.pane(name), name
        await stage.press("slash")
        await stage.type("apple")
        assert "Apple Inc." in stage.top()
        await stage.press("enter")
        assert "AAPL" in stage.pane("book")
        assert "USD" in stage.pane("status")
        await stage.press("slash")
        await stage.type("zzz")
        assert "nothing fits" in stage.top()
        await stage.press("escape", "colon")
        await stage.type("gp tcs 5m")
        await stage.press("enter")
        assert "TCS 5m" in stage.pane("chart")

    play(scene)


def test_timeframes_and_zoom() -> None:
    async def scene(stage: Stage) -> None:
        assert "BTC-USDC 1m" in stage.pane("chart")
        await stage.press("right_square_bracket")
        assert "BTC-USDC 5m" in stage.pane("chart")
        await stage.press(
            "left_square_bracket", "left_square_bracket", "left_square_bracket", "left_square_bracket"
        )
        assert "BTC-USDC 5s" in stage.pane("chart")
        narrow = stage.pane("chart")
        await stage.press("equals_sign")
        assert stage.pane("chart") != narrow

    play(scene)


def test_the_crosshair_reads_a_candle_out() -> None:
    async def scene(stage: Stage) -> None:
        candles = list(stage.screen.mirror.candles.candles)
        await stage.press("left", "left", "left")
        head = stage.pane("chart").splitlines()[0]
        close = stage.screen.mirror.directory.price_text(0, candles[-3].close)
        assert f"C{float(close):,.2f}" in head
        assert "10:58" in head
        await stage.press("escape")
        assert "10:58" not in stage.pane("chart").splitlines()[0]
        await stage.press("shift+left")
        assert "10 back" in stage.pane("chart")
        await stage.press("end")
        assert "back" not in stage.pane("chart")

    play(scene, size=(160, 50))


def test_the_watchlist_sorts_and_is_kept() -> None:
    exchange = market_day()

    async def scene(stage: Stage) -> None:
        def symbols() -> list[str]:
            return [line.split()[0].strip("▌") for line in stage.pane("watchlist").splitlines()[2:6]]

        assert symbols() == ["BTC-USDC", "ETH-USDC", "AAPL", "TCS"]
        await stage.press("S")
        assert symbols() == ["AAPL", "BTC-USDC", "ETH-USDC", "TCS"]
        await stage.press("S")
        assert symbols()[0] == "TCS"
        await stage.press("S", "S", "1", "shift+down", "shift+down")
        assert symbols() == ["ETH-USDC", "AAPL", "BTC-USDC", "TCS"]

    play(scene, exchange)
    assert exchange.documents["watchlist", "watchlist"]["symbols"][0] == "ETH-USDC"

    async def later(stage: Stage) -> None:
        assert "ETH-USDC" in stage.pane("watchlist").splitlines()[2]

    play(later, exchange)


def test_tabs_of_the_blotter() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("4", "right", "right", "right")
        assert "100,000.00000000" in stage.pane("blotter")
        await stage.press("left")
        assert "no open positions" in stage.pane("blotter")
        await stage.press("colon")
        await stage.type("balances")
        await stage.press("enter")
        assert "USDC" in stage.pane("blotter")

    play(scene)


@pytest.mark.parametrize("theme", PALETTES)
def test_every_pane_takes_the_colours_of_the_theme(theme: str) -> None:
    palette = PALETTES[theme]

    async def scene(stage: Stage) -> None:
        others = {value for name, other in PALETTES.items() if name != theme for value in other} - set(
            palette
        )
        for surface in stage.screen.query(Surface):
            for y in range(surface.size.height):
                for segment in surface.render_line(y):
                    assert segment.style is not None
                    assert segment.style.color is not None
                    assert segment.style.bgcolor is not None
                    assert segment.style.color.name not in others
                    assert segment.style.bgcolor.name not in others

    play(scene, options=Options(theme=theme))


def test_the_theme_is_switched_by_key_and_by_line() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("t")
        assert stage.app.theme == "tradecli-light"
        await stage.press("colon")
        await stage.type("theme color-blind")
        await stage.press("enter")
        assert stage.screen.panes.chart.palette == PALETTES["color-blind"]
        await stage.press("t")
        assert stage.app.theme == "tradecli-dark"

    play(scene)


def test_help_is_the_table_and_the_persons_keys() -> None:
    async def scene(stage: Stage) -> None:
        assert "f5 buy" in stage.bar()
        await stage.press("question_mark")
        text = stage.top()
        for word in ("open the order ticket to buy", "f5", "crosshair off", "Command bar"):
            assert word in text, word
        await stage.press("escape", "b")
        assert not stage.screen.panes.ticket.is_open
        await stage.press("f5")
        assert stage.screen.panes.ticket.is_open

    play(scene, size=(160, 60), options=Options(keymap={"buy": "f5"}))


def test_leaving_asks_when_orders_are_working() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        await stage.type("0.1")
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        await stage.press("q")
        assert "Working orders: 1" in stage.top()
        await stage.press("escape")
        assert stage.app.is_running

    play(scene)


def test_leaving_without_orders_is_at_once() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("q")

    stage = play(scene)
    assert stage.client is not None
    assert stage.client.is_closed


def test_the_palette_has_every_action_and_instrument() -> None:
    async def scene(stage: Stage) -> None:
        commands = {command.title: command for command in stage.app.get_system_commands(stage.screen)}
        assert {"buy", "cancel all", "theme", "quit", "BTC-USDC", "TCS"} <= set(commands)
        commands["AAPL"].callback()
        await stage.show()
        assert "AAPL" in stage.pane("chart")
        commands["sell"].callback()
        await stage.show()
        assert "SELL AAPL" in stage.ticket()

    play(scene)


def test_the_mouse_picks_prices_instruments_and_tabs() -> None:
    async def scene(stage: Stage) -> None:
        book = stage.exchange.state.books[0]
        asks = (stage.screen.panes.book.size.height - 4) // 2
        await stage.pilot.click("#book", offset=(5, 2 + asks - 1))
        await stage.show()
        form = stage.screen.panes.ticket.form
        assert form.fields["limit"].value == f"{book.best_ask() / 100:.2f}"
        await stage.pilot.click("#book", offset=(5, 2 + asks + 2))
        await stage.show()
        assert form.fields["limit"].value == f"{book.best_bid() / 100:.2f}"
        await stage.press("escape")
        await stage.pilot.click("#watchlist", offset=(3, 3))
        await stage.show()
        assert "ETH-USDC" in stage.pane("chart")
        await stage.pilot.click("#blotter", offset=(40, 0))
        await stage.show()
        assert stage.screen.panes.blotter.tab == "balances"

    play(scene)


def test_a_new_listing_appears() -> None:
    async def scene(stage: Stage) -> None:
        stage.exchange.apply(
            SYSTEM_USER,
            ListInstrument(
                symbol="GOLD",
                name="Gold",
                venue="MCX",
                base=5,
                quote=1,
                tick_units=1,
                price_decimals=2,
                lot_units=1,
                quantity_decimals=0,
            ),
        )
        await stage.show()
        assert "GOLD" in stage.pane("watchlist")

    play(scene)


def test_a_young_market_starts_with_short_candles() -> None:
    exchange = founded()
    fill_books(exchange)
    for second in range(40):
        exchange.now += 2 * SECOND
        crowd_order(exchange, BUY if second % 2 else SELL, 0, 10_000, tif=IOC)

    async def scene(stage: Stage) -> None:
        assert "BTC-USDC 5s" in stage.pane("chart")
        assert len(stage.screen.mirror.candles.candles) > 10

    play(scene, exchange)


def test_an_exchange_without_instruments_is_no_failure() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b", "3", "enter", "x", "1", "enter", "d", "right_square_bracket", "4", "down")
        assert stage.app.is_running
        assert "there is no account" in stage.bar() or "select a working order" in stage.bar()

    play(scene, MemoryExchange())
