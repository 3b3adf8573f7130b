"""Orders from the screen: what is shown before, what is sent, what is shown after."""

from __future__ import annotations

import pytest

from exchange.core.commands import CancelAll
from exchange.core.messages import CancelOrder, ModifyOrder, PlaceOrder
from exchange.core.terms import BUY, IOC, LIMIT, MARKET, SELL
from tests.tradecli.tui.memory import MemoryClient, crowd_order, halt, market_day
from tests.tradecli.tui.stage import Stage, play
from tradecli.tui.app import Options


def client_of(stage: Stage) -> MemoryClient:
    assert stage.client is not None
    return stage.client


async def place(stage: Stage, side_key: str, quantity: str, limit: str = "") -> None:
    """The whole way: ticket, review, y."""
    await stage.press(side_key)
    await stage.type(quantity)
    if limit:
        await stage.press("down")
        await stage.type(limit)
    await stage.press("enter")
    stage.wait(300)
    await stage.press("y")


def test_a_buy_is_previewed_confirmed_and_placed() -> None:
    async def scene(stage: Stage) -> None:
        book = stage.exchange.state.books[0]
        await stage.press("b")
        await stage.type("0.5")
        ticket = stage.ticket()
        assert "BUY BTC-USDC" in ticket
        assert "rests" in ticket
        assert "ahead" in ticket
        assert "free USDC" in ticket
        assert not client_of(stage).sent
        await stage.press("enter")
        assert "y  send this order" in stage.ticket()
        stage.wait(300)
        await stage.press("y")
        [command] = client_of(stage).sent
        assert isinstance(command, PlaceOrder)
        assert (command.side, command.type, command.quantity, command.limit) == (
            BUY,
            LIMIT,
            50_000,
            book.best_bid(),
        )
        assert command.client_order_id.startswith("ui-")
        assert not stage.screen.panes.ticket.is_open
        assert "buy 0.5 BTC-USDC working" in stage.bar()
        assert "▲ buy" in stage.pane("blotter")
        assert "▲ 0.5" in stage.pane("chart")
        assert "0.5" in stage.pane("book").split("spread")[1]

    play(scene)


def test_a_market_order_shows_every_level_it_takes() -> None:
    async def scene(stage: Stage) -> None:
        book = stage.exchange.state.books[0]
        levels = [book.asks.at(key).shown for key in reversed(book.asks.keys[-6:])]
        await stage.press("b")
        await stage.type(f"{sum(levels) / 10**5:.5f}")
        await stage.press("down", "down", "right")
        ticket = stage.ticket()
        assert "fills now" in ticket
        assert "and 3 more levels" in ticket
        for word in ("average", "slippage", "value", "fee", "free BTC"):
            assert word in ticket, word
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        [command] = client_of(stage).sent
        assert isinstance(command, PlaceOrder)
        assert command.type == MARKET
        assert "filled" in stage.bar()
        await stage.press("4", "o")
        assert stage.pane("blotter").count("taker") == 6

    play(scene)


def test_the_preview_is_what_then_happens() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("s")
        await stage.type("0.7")
        await stage.press("down", "down", "right")
        preview = stage.screen.panes.ticket.form.preview
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        usdc = next(row for row in preview["balances"] if row["asset"] == "USDC")
        [row] = [row for row in client_of(stage).query("balances", account="main") if row["asset"] == "USDC"]
        assert row["available"] == usdc["available_after"]

    play(scene)


def test_pressing_y_twice_sends_one_order() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        await stage.type("0.5")
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y", "y", "y")
        assert len(client_of(stage).sent) == 1

    play(scene)


def test_neither_enter_nor_a_held_y_sends() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        await stage.type("0.5")
        await stage.press("enter")
        for _ in range(30):
            stage.wait(33)
            await stage.press("y", "enter")
        assert not client_of(stage).sent
        stage.wait(300)
        await stage.press("y")
        assert len(client_of(stage).sent) == 1

    play(scene)


def test_escape_goes_back_and_then_away() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        await stage.type("0.5")
        await stage.press("enter", "escape")
        assert "Enter review" in stage.ticket()
        await stage.press("escape")
        assert not stage.screen.panes.ticket.is_open
        assert not client_of(stage).sent

    play(scene)


def test_a_halted_market_says_so_in_the_ticket() -> None:
    async def scene(stage: Stage) -> None:
        halt(stage.exchange)
        await stage.show()
        assert "HALTED" in stage.pane("book")
        assert "halted" in stage.pane("watchlist")
        await stage.press("b")
        await stage.type("0.5")
        assert "market.halted" in stage.ticket()
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        assert "market.halted: trading in this instrument" in stage.ticket()
        assert "market.halted" in stage.bar()
        assert stage.screen.panes.ticket.is_open

    play(scene)


def test_a_refusal_names_limit_and_value() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("s")
        await stage.type("2.5")
        text = " ".join(stage.ticket().split())
        assert "funds.insufficient" in text
        assert "limit 2.00000000, here" in text

    play(scene)


def test_the_preview_follows_the_book() -> None:
    async def scene(stage: Stage) -> None:
        book = stage.exchange.state.books[0]
        await stage.press("b")
        await stage.type("0.5")
        before = stage.screen.panes.ticket.form.preview
        crowd_order(stage.exchange, BUY, book.best_bid(), 777_000)
        stage.wait(300)
        await stage.show()
        after = stage.screen.panes.ticket.form.preview
        assert float(after["queue_ahead"]) == pytest.approx(float(before["queue_ahead"]) + 7.77)

    play(scene)


def test_enter_in_the_book_opens_a_ticket_at_that_price() -> None:
    async def scene(stage: Stage) -> None:
        book = stage.exchange.state.books[0]
        await stage.press("3", "up", "up", "enter")
        form = stage.screen.panes.ticket.form
        assert form.side == BUY
        price = -book.asks.keys[-2]
        assert form.fields["limit"].value == stage.screen.mirror.directory.price_text(0, price)
        await stage.press("escape", "3", "down", "down", "down", "enter")
        assert stage.screen.panes.ticket.form.side == SELL

    play(scene)


def test_a_selected_order_is_canceled_after_y() -> None:
    async def scene(stage: Stage) -> None:
        await place(stage, "b", "0.5", "64000")
        await place(stage, "b", "0.25", "63000")
        await stage.press("4", "down", "x")
        assert "Cancel this order?" in stage.top()
        assert "buy 0.5 BTC-USDC @ 64,000.00" in stage.top()
        stage.wait(300)
        await stage.press("y")
        command = client_of(stage).sent[-1]
        assert isinstance(command, CancelOrder)
        assert "canceled" in stage.bar()
        orders = stage.exchange.state.live_orders()
        assert [order.limit for order in orders if order.account.name == "main"] == [6_300_000]

    play(scene)


def test_a_cancel_is_kept_back_by_escape_or_haste() -> None:
    async def scene(stage: Stage) -> None:
        await place(stage, "b", "0.5", "64000")
        await stage.press("4", "x", "y")
        assert "Cancel this order?" in stage.top()
        await stage.press("escape")
        assert not any(isinstance(command, CancelOrder) for command in client_of(stage).sent)

    play(scene)


def test_canceling_everything_takes_a_typed_word() -> None:
    async def scene(stage: Stage) -> None:
        await place(stage, "b", "0.5", "64000")
        await place(stage, "s", "0.5", "65000")
        await stage.press("X")
        assert "all instruments: 2" in stage.top()
        stage.wait(300)
        await stage.press("y", "enter")
        assert not any(isinstance(command, CancelAll) for command in client_of(stage).sent)
        await stage.press("backspace")
        await stage.type("cancel all")
        await stage.press("enter")
        assert isinstance(client_of(stage).sent[-1], CancelAll)
        assert "2 orders canceled" in stage.bar()
        assert not stage.screen.mirror.blotter.orders

    play(scene)


def test_flattening_cancels_and_closes_with_a_typed_word() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("F")
        assert "nothing to flatten" in stage.bar()
        await place(stage, "b", "0.5", "64000")
        await stage.press("colon")
        await stage.type("buy btc 0.1 mkt")
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        await stage.press("F")
        assert "orders to cancel: 1" in stage.top()
        assert "at any price: 1" in stage.top()
        stage.wait(300)
        await stage.type("flatten")
        await stage.press("enter")
        canceled, closing = client_of(stage).sent[-2:]
        assert isinstance(canceled, CancelAll)
        assert isinstance(closing, PlaceOrder)
        assert (closing.side, closing.type, closing.quantity) == (SELL, MARKET, 10_000)
        assert not stage.screen.mirror.blotter.orders

    play(scene)


def test_a_working_order_is_changed_in_place() -> None:
    async def scene(stage: Stage) -> None:
        await place(stage, "b", "0.5", "64000")
        await stage.press("4", "m")
        assert "MODIFY BTC-USDC" in stage.ticket()
        await stage.type("0.4")
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        command = client_of(stage).sent[-1]
        assert isinstance(command, ModifyOrder)
        assert (command.quantity, command.limit) == (40_000, 0)
        assert "0.4" in stage.pane("blotter")

    play(scene)


def test_without_a_selected_order_nothing_is_changed() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("x")
        assert "select a working order" in stage.bar()
        await stage.press("m")
        assert not stage.screen.panes.ticket.is_open
        await stage.press("X")
        assert "no working orders" in stage.bar()

    play(scene)


def test_an_order_from_the_command_bar_is_reviewed_like_any_other() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("colon")
        await stage.type("sell eth 1.5 @ 3200 ioc")
        await stage.press("enter")
        assert "SELL ETH-USDC" in stage.ticket()
        assert "y  send this order" in stage.ticket()
        stage.wait(300)
        await stage.press("y")
        [command] = client_of(stage).sent
        assert isinstance(command, PlaceOrder)
        assert (command.instrument, command.side, command.limit, command.tif) == (1, SELL, 320_000, IOC)

    play(scene)


def test_a_wrong_word_is_pointed_at_and_can_be_mended() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("colon")
        await stage.type("buy btc-usdc 0.5 @ 64000.001")
        await stage.press("enter")
        assert "tick size of 0.01" in stage.bar()
        assert stage.screen.panes.bar.error == (19, 28)
        await stage.press("backspace", "enter")
        assert "BUY BTC-USDC" in stage.ticket()

    play(scene)


def test_modify_and_cancel_from_the_command_bar() -> None:
    async def scene(stage: Stage) -> None:
        await place(stage, "b", "0.5", "64000")
        number = next(iter(stage.screen.mirror.blotter.orders))
        await stage.press("colon")
        await stage.type(f"modify {number} 0.3 @ 64001")
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        order = stage.exchange.state.order(number)
        assert order is not None
        assert (order.quantity, order.limit) == (30_000, 6_400_100)
        await stage.press("colon")
        await stage.type(f"cancel {number}")
        await stage.press("enter")
        stage.wait(300)
        await stage.press("y")
        assert stage.exchange.state.order(number) is None
        await stage.press("colon")
        await stage.type("modify 999 1")
        await stage.press("enter")
        assert "there is no working order 999" in stage.bar()

    play(scene)


def test_settings_may_do_without_the_review() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        await stage.type("0.5")
        await stage.press("enter")
        assert len(client_of(stage).sent) == 1

    play(scene, options=Options(confirm=False))


def test_the_dashboards_keys_sleep_while_a_ticket_is_open() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("b")
        await stage.press("s", "q")
        assert "BUY" in stage.ticket()
        assert stage.app.is_running
        await stage.press("escape", "s")
        assert "SELL" in stage.ticket()

    play(scene)


def test_own_fills_reach_blotter_balances_and_status() -> None:
    async def scene(stage: Stage) -> None:
        price = stage.exchange.state.books[0].best_bid() + 1
        await place(stage, "b", "0.5", f"{price / 100:.2f}")
        crowd_order(stage.exchange, SELL, price, 50_000, tif=IOC)
        stage.wait(200)
        await stage.show()
        await stage.press("4", "o")
        assert "maker" in stage.pane("blotter")
        await stage.press("o")
        assert "BTC-USDC" in stage.pane("blotter")
        await stage.press("o")
        assert "2.50000000" in stage.pane("blotter")
        assert "▼" in stage.pane("status") or "▲" in stage.pane("status")

    exchange = market_day()
    play(scene, exchange)
