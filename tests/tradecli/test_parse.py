"""The one-line order grammar and the numbers, durations and moments in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.core.commands import CancelAll, CancelOrder, ModifyOrder, PlaceOrder, ReplaceOrder
from exchange.core.terms import (
    BUY,
    DAY_ORDER,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    SELL,
    STP_CANCEL_NEWEST,
    STP_CANCEL_OLDEST,
    STP_DECREMENT,
)
from exchange.directory import Directory, InstrumentInfo
from exchange.errors import NotFound
from tradecli.errors import InputError, choose
from tradecli.parse import parse_duration, parse_moment, parse_order_line, plain_number

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def listing(
    number: int, symbol: str, sizes: tuple[int, int, int, int], unit: int, quote: int
) -> InstrumentInfo:
    tick_units, price_decimals, lot_units, quantity_decimals = sizes
    return InstrumentInfo(
        {
            "instrument_id": number,
            "symbol": symbol,
            "name": symbol,
            "venue": "TEST",
            "base": 1,
            "quote": quote,
            "tick_units": tick_units,
            "price_decimals": price_decimals,
            "lot_units": lot_units,
            "quantity_decimals": quantity_decimals,
            "multiplier": 1,
            "unit": unit,
            "lot_minor": 1,
            "fees": [[0, 0]],
        }
    )


DIRECTORY = Directory(
    assets=[("USDC", 6), ("BTC", 8)],
    instruments=[
        listing(0, "BTC-USDC", (1, 2, 1, 3), 10, 0),  # tick 0.01, lot 0.001: 0.00001 USDC
        listing(1, "ETH-USDC", (5, 2, 1, 2), 500, 0),  # tick 0.05, lot 0.01
        listing(2, "500325", (5, 2, 1, 0), 50_000, 0),  # a numeric scrip code
        listing(3, "ETH-INR", (1, 0, 1, 0), 1_000_000, 0),
    ],
    accounts=[("fees", 0, 3), ("main", 1, 1)],
    users=["system", "local"],
)

QUOTES: dict[str, Mapping[str, Any]] = {
    "BTC-USDC": {"bid": "64000.00", "ask": "64250.50"},
    "ETH-USDC": {"bid": None, "ask": "3200.00"},
}


def read(text: str) -> PlaceOrder | CancelOrder | CancelAll | ModifyOrder | ReplaceOrder:
    return parse_order_line(text, DIRECTORY, QUOTES.__getitem__, lambda number, name: "BTC-USDC").command(7)


def place(text: str) -> PlaceOrder:
    command = read(text)
    assert isinstance(command, PlaceOrder)
    return command


def fails(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(text)
    return caught.value


def test_a_full_limit_order_line() -> None:
    command = place("buy BTC-USDC 0.5 @ 64250.50 gtc")
    assert (command.account, command.instrument, command.side, command.type) == (7, 0, BUY, LIMIT)
    assert (command.quantity, command.limit, command.tif, command.stp) == (
        500,
        6425050,
        GTC,
        STP_CANCEL_NEWEST,
    )
    assert (command.display, command.expires, command.is_post_only, command.client_order_id) == (
        0,
        0,
        False,
        "",
    )


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("sell BTC-USDC 1 mkt ioc", {"side": SELL, "type": MARKET, "tif": IOC, "quantity": 1000}),
        ("sell BTC-USDC 1 mkt", {"type": MARKET, "tif": IOC}),
        ("sell BTC-USDC 1", {"type": MARKET, "tif": IOC, "limit": 0}),
        ("buy BTC-USDC 1 mkt fok", {"type": MARKET, "tif": FOK}),
        ("buy BTC-USDC 1 mtl", {"type": MARKET_TO_LIMIT, "tif": GTC}),
        ("buy BTC-USDC 1 mtl day", {"type": MARKET_TO_LIMIT, "tif": DAY_ORDER}),
        ("buy BTC-USDC 1 @ 64000 post iceberg 0.1", {"is_post_only": True, "display": 100, "limit": 6400000}),
        ("buy BTC-USDC 1 @ 64000 post-only display 0.1", {"is_post_only": True, "display": 100}),
        ("buy BTC-USDC 1 @ 64000 fok", {"tif": FOK, "type": LIMIT}),
        ("buy BTC-USDC 1@64000 day", {"tif": DAY_ORDER, "limit": 6400000}),
        ("buy BTC-USDC 1 @64000", {"limit": 6400000, "tif": GTC}),
        ("buy BTC-USDC 1 @ 64000 gtd 2026-12-01", {"tif": GTD, "expires": 20_789 * DAY}),
        ("buy BTC-USDC 1 @ 64000 GTD:2026-12-01T15:30", {"expires": 20_788 * DAY + 55_800 * SECOND}),
        ("buy BTC-USDC 1 @ 64000 stp oldest", {"stp": STP_CANCEL_OLDEST}),
        ("buy BTC-USDC 1 @ 64000 stp decrement-and-cancel", {"stp": STP_DECREMENT}),
        ("buy BTC-USDC 1 @ 64000 id my-17", {"client_order_id": "my-17"}),
        ("BUY btc-usdc 1 @ 64_000.00 GTC", {"limit": 6400000, "instrument": 0}),
        ("b btc 1 @ 64,000.50", {"limit": 6400050, "instrument": 0}),
        ("buy 0.1 BTC @ 64000", {"quantity": 100, "instrument": 0}),
        ("buy 500325 10 @ 100", {"instrument": 2, "quantity": 10}),
        ("buy BTC-USDC .5 @ 64000.", {"quantity": 500, "limit": 6400000}),
    ],
)
def test_words_of_an_order(text: str, fields: dict[str, Any]) -> None:
    command = place(text)
    assert {name: getattr(command, name) for name in fields} == fields


def test_words_may_come_in_any_order() -> None:
    one = place("buy BTC-USDC 1 @ 64000 day post id x stp both iceberg 0.5")
    two = place("buy BTC-USDC 1 stp both iceberg 0.5 id x post day @ 64000")
    assert [getattr(one, name) for name, _ in one.FIELDS] == [getattr(two, name) for name, _ in two.FIELDS]


@pytest.mark.parametrize("word", ["--preview", "--dry-run", "preview"])
@pytest.mark.parametrize("line", ["buy BTC-USDC 1 @ 64000", "cancel 17", "cancel all", "modify 17 1"])
def test_preview_is_a_word_of_every_line(line: str, word: str) -> None:
    assert parse_order_line(f"{line} {word}", DIRECTORY, None, lambda number, name: "BTC-USDC").is_preview
    assert not parse_order_line(line, DIRECTORY, None, lambda number, name: "BTC-USDC").is_preview


@pytest.mark.parametrize(
    ("text", "lots"),
    [
        ("buy BTC-USDC $1000", 15),  # 1000 / 64250.50 = 0.01556
        ("sell BTC-USDC $1000", 15),  # 1000 / 64000.00 = 0.01562
        ("buy BTC-USDC for 1000", 15),
        ("buy BTC-USDC $1,000.50 @ 10000", 100),  # the limit decides when there is one
        ("buy $6425.05 BTC-USDC", 100),  # exactly 0.1
        ("buy ETH-USDC $1000 ioc", 31),
    ],
)
def test_an_amount_of_money_becomes_whole_lots(text: str, lots: int) -> None:
    assert place(text).quantity == lots


def test_the_quote_is_asked_only_when_an_amount_needs_it() -> None:
    def forbidden(symbol: str) -> Mapping[str, Any]:
        raise AssertionError(symbol)

    parse_order_line("buy BTC-USDC 1", DIRECTORY, forbidden)
    parse_order_line("buy BTC-USDC $1000 @ 64000", DIRECTORY, forbidden)


def test_an_amount_without_a_market_asks_for_a_limit() -> None:
    error = fails("sell ETH-USDC $1000")
    assert str(error) == "ETH-USDC has no bid to convert the amount with: give '@ PRICE'"
    assert pointed(error) == "$1000"


def test_an_amount_below_one_lot_says_what_a_lot_costs() -> None:
    assert str(fails("buy ETH-USDC $10")) == "the amount is below one lot: 0.01 ETH-USDC costs 32.000000"


def pointed(error: InputError) -> str:
    line, carets = error.pointer()
    assert len(carets.strip()) == error.end - error.start
    return line[len(carets) - len(carets.strip()) :][: len(carets.strip())]


@pytest.mark.parametrize(
    ("text", "word", "says"),
    [
        ("boy BTC-USDC 1", "boy", "did you mean buy?"),
        ("buy XRP-USDC 1", "XRP-USDC", "there is no instrument 'XRP-USDC'"),
        ("buy ETH 1", "ETH", "ETH-USDC or ETH-INR"),
        (
            "sell 10 500325 @ 100",
            "10",
            "there is no instrument '10'",
        ),  # of two numbers the first is the symbol
        ("buy BTC-USDC 0", "0", "must be above zero"),
        ("buy BTC-USDC 000", "000", "a shell eats the $1"),
        ("buy BTC-USDC -1", "-1", "'-1' is not a positive decimal number"),
        ("buy BTC-USDC NaN", "NaN", "'NaN' is not a positive decimal number"),
        ("buy BTC-USDC inf", "inf", "'inf' is not a positive decimal number"),
        ("buy BTC-USDC 1e400", "1e400", "'1e400' is not a positive decimal number"),
        ("buy BTC-USDC 0x10", "0x10", "'0x10' is not a positive decimal number"),
        ("buy BTC-USDC ١٢", "١٢", "is not a positive decimal number"),
        ("buy BTC-USDC 0.0005", "0.0005", "lot size of 0.001"),
        ("buy BTC-USDC 1,5", "1,5", "decimals come after a point"),
        ("buy BTC-USDC 1.2.3", "1.2.3", "more than one decimal point"),
        ("buy BTC-USDC 99999999999999999999", "99999999999999999999", "above the limit of"),
        ("buy BTC-USDC 1" + "0" * 80, "1" + "0" * 80, "is not a positive decimal number"),
        ("buy BTC-USDC 1 @ 64250.505", "64250.505", "tick size of 0.01"),
        ("buy ETH-USDC 1 @ 3200.01", "3200.01", "tick size of 0.05"),
        ("buy BTC-USDC 1 @ 0", "0", "price 0 must be above zero"),
        ("buy BTC-USDC 1 @ -5", "-5", "price '-5' is not a positive decimal number"),
        ("buy BTC-USDC 1 @ 64000 @ 64001", "@", "two limit prices"),
        ("buy BTC-USDC 1 gtc ioc", "ioc", "two times in force: gtc and ioc"),
        ("buy BTC-USDC 1 mkt mtl", "mtl", "two order types"),
        ("buy BTC-USDC 1 @ 64000 gtv", "gtv", "did you mean"),
        ("buy BTC-USDC 1 @ 64000 ioc:5", "ioc:5", "is not known here"),
        ("buy BTC-USDC 1 @ 64000 gtd tomorrow", "tomorrow", "is not like 2026-12-01"),
        ("buy BTC-USDC 1 @ 64000 gtd 2026-02-30", "2026-02-30", "day is out of range"),
        ("buy BTC-USDC 1 @ 64000 stp newst", "newst", "did you mean newest?"),
        ("buy BTC-USDC 1 @ 64000 iceberg 0.0001", "0.0001", "lot size of 0.001"),
        ("buy BTC-USDC $0.001 @ 64000", "$0.001", "below one lot"),
        ("buy BTC-USDC $-5", "$-5", "amount '-5' is not a positive decimal number"),
        ("buy BTC-USDC $0.0000001", "$0.0000001", "USDC has 6 decimals"),
        ("cancel 0", "0", "is not a whole number above zero"),
        ("cancel abc", "abc", "client order ids: `id TEXT`"),
        ("cancel 17 18", "18", "nothing comes after the order"),
        ("cancel all XRP-USDC", "XRP-USDC", "there is no instrument"),
        ("cancel all BTC ETH-INR", "ETH-INR", "two instruments"),
        ("modify 17", "17", "say the new size"),
        ("modify 17 1 2", "2", "is not known here"),
        ("modify 17 0.0001", "0.0001", "lot size of 0.001"),
        ("replace 17 @ 64000", "64000", "say the new size"),
        ("replace id x 1", "x", "replace names an order by its order id"),
    ],
)
def test_a_mistake_points_at_its_word(text: str, word: str, says: str) -> None:
    error = fails(text)
    assert says in str(error)
    assert pointed(error) == word
    assert error.exit_code == 2


@pytest.mark.parametrize(
    "text", ["", "buy", "buy BTC-USDC", "buy BTC-USDC 1 @", "buy BTC-USDC 1 id", "cancel", "modify"]
)
def test_a_line_that_ends_early_says_what_is_missing(text: str) -> None:
    error = fails(text)
    assert "the line ends where" in str(error)
    assert error.start == (len(text) + 1 if text else 0)


def test_cancel_by_either_id() -> None:
    by_id, by_name = read("cancel #17"), read("CANCEL id my-17")
    assert isinstance(by_id, CancelOrder)
    assert isinstance(by_name, CancelOrder)
    assert (by_id.order_id, by_id.client_order_id, by_id.account) == (17, "", 7)
    assert (by_name.order_id, by_name.client_order_id) == (0, "my-17")


@pytest.mark.parametrize(
    ("text", "instrument", "side"),
    [
        ("cancel all", -1, 0),
        ("cancel all btc", 0, 0),
        ("cancel all sell BTC-USDC", 0, SELL),
        ("cancel all buy", -1, BUY),
    ],
)
def test_cancel_all_narrows(text: str, instrument: int, side: int) -> None:
    command = read(text)
    assert isinstance(command, CancelAll)
    assert (command.account, command.instrument, command.side) == (7, instrument, side)


def test_modify_and_replace_read_sizes_of_the_orders_instrument() -> None:
    modify, replace = read("modify 17 0.4 @ 64000"), read("replace 17 0.4 @ 64000 id my-18")
    assert isinstance(modify, ModifyOrder)
    assert isinstance(replace, ReplaceOrder)
    assert (modify.order_id, modify.quantity, modify.limit) == (17, 400, 6400000)
    assert (replace.order_id, replace.quantity, replace.limit) == (17, 400, 6400000)
    assert replace.new_client_order_id == "my-18"
    limit_only = read("modify id my-17 @ 63000")
    assert isinstance(limit_only, ModifyOrder)
    assert (limit_only.client_order_id, limit_only.quantity, limit_only.limit) == ("my-17", 0, 6300000)


def test_a_change_needs_somebody_who_knows_the_order() -> None:
    with pytest.raises(InputError, match="cannot be looked up"):
        parse_order_line("modify 17 1", DIRECTORY)

    def unknown(number: int, name: str) -> str:
        raise NotFound(f"there is no open order {number}")

    with pytest.raises(NotFound, match="no open order 17"):
        parse_order_line("modify 17 1", DIRECTORY, None, unknown)


def test_control_characters_never_reach_the_screen() -> None:
    error = fails("buy \x1b[31mBTC\u202e-USDC 1")
    assert all(character.isprintable() for character in str(error) + "".join(error.pointer()))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["buy BTC-USDC ", "cancel ", "modify 17 ", "sell ", ""]))
def test_any_text_is_a_command_or_one_clear_error(text: str, start: str) -> None:
    try:
        draft = parse_order_line(start + text, DIRECTORY, QUOTES.__getitem__, lambda number, name: "BTC-USDC")
    except InputError as error:
        if not str(error) or not 0 <= error.start <= error.end:
            pytest.fail(f"a mistake without a place: {error!r}")
    else:
        assert draft.command(7).FIELDS


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_what_the_directory_writes_the_grammar_reads(lots: int, ticks: int) -> None:
    size, price = DIRECTORY.quantity_text(0, lots), DIRECTORY.price_text(0, ticks)
    command = place(f"buy BTC-USDC {size} @ {price}")
    assert (command.quantity, command.limit) == (lots, ticks)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", "0.5"),
        ("64_250.5", "64250.5"),
        ("64,250.50", "64250.50"),
        ("1,000,000", "1000000"),
        ("5.", "5."),
    ],
)
def test_separators_in_numbers(text: str, number: str) -> None:
    assert plain_number("price", text) == number


@pytest.mark.parametrize("text", ["1,00", "1,0000", ",5", "1,000,00", "", "+1", "1 2", "._,"])
def test_separators_that_mean_nothing(text: str) -> None:
    with pytest.raises(InputError):
        plain_number("price", text)


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("90s", 90 * SECOND),
        ("10m", 600 * SECOND),
        ("1h30m", 5400 * SECOND),
        ("2D", 2 * DAY),
        ("250ms", 250_000_000),
    ],
)
def test_durations(text: str, nanos: int) -> None:
    assert parse_duration(text) == nanos


@pytest.mark.parametrize(
    "text", ["", "10", "m", "1.5h", "-5m", "10 m x", "0s", "400d", "9" * 60 + "m", "\u0665m"]
)
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="duration"):
        parse_duration(text)


def test_moments() -> None:
    assert parse_moment("1970-01-01") == DAY
    assert parse_moment("1970-01-02T00:00:01Z") == DAY + SECOND
    with pytest.raises(InputError, match="is not like"):
        parse_moment("2026-1-1")


def test_choices_suggest() -> None:
    assert choose("output", "JSON", ("table", "json")) == "json"
    with pytest.raises(InputError, match="output 'jsno': expected table, json; did you mean json"):
        choose("output", "jsno", ("table", "json"))
    with pytest.raises(InputError, match=r"expected table, json$"):
        choose("output", "zzz", ("table", "json"))
