"""Orders, money and administration through the command line, on the real engine."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from exchange.core.commands import OpenAccount, RegisterUser
from exchange.fresh import FreshExchange
from tests.tradecli.conftest import Answer, Cli


def row(answer: Answer) -> Any:
    assert answer.code == 0, answer
    return json.loads(answer.out)


@pytest.fixture
def rival(exchange: FreshExchange) -> str:
    """Another person with money, to trade against."""
    owner = len(exchange.state.users)
    for receipt in exchange.send([RegisterUser(name="rival"), OpenAccount(name="rival", owner=owner)]):
        assert receipt.reject is None
    return "rival"


@pytest.fixture
def offers(cli: Cli, rival: str) -> None:
    """0.3 BTC at 64,000.00 and 0.5 at 64,100.00."""
    assert cli("account deposit BTC 5 --account rival").code == 0
    assert cli("sell BTC 0.3 @ 64000 --account rival").code == 0
    assert cli("sell BTC 0.5 @ 64100 --account rival").code == 0


def test_a_resting_order_in_words_and_in_json(cli: Cli) -> None:
    answer = cli("buy BTC-USDC 0.5 @ 64250.50 gtc id my-17")
    assert answer.out == (
        "order 1 (my-17)  buy 0.50000 BTC-USDC @ 64250.50 gtc  new\n  0.50000 rests in the book\n"
    )
    found = row(cli("order buy BTC-USDC 0.5 --limit 64250.50 --tif GTC --id my-18 -o json"))
    assert (found["ok"], found["order_id"], found["client_order_id"]) == (True, 2, "my-18")
    assert (found["status"], found["leaves"], found["fills"], found["done"]) == ("new", "0.50000", [], None)


def test_a_taker_sees_its_fills_average_and_fee(cli: Cli, offers: None) -> None:
    found = row(cli("buy BTC 0.4 @ 64100 -o json"))
    assert [fill["price"] for fill in found["fills"]] == ["64000.00", "64100.00"]
    assert [fill["quantity"] for fill in found["fills"]] == ["0.30000", "0.10000"]
    assert (found["filled"], found["average_price"], found["status"]) == ("0.40000", "64025.00", "filled")
    words = cli("buy BTC 1 @ 64100 ioc").out
    assert "filled 0.40000 at 64100.00 on average" in words
    assert "0.60000 not filled: ioc remainder" in words


def test_options_and_words_say_the_same(cli: Cli) -> None:
    one = row(
        cli("order buy BTC 0.5 --limit 64000 --tif day --display 0.1 --post-only --stp oldest --id a -o json")
    )
    two = row(cli("buy BTC 0.5 @ 64000 day iceberg 0.1 post stp oldest id b -o json"))
    same = ("side", "type", "tif", "quantity", "limit", "status")
    assert [one[name] for name in same] == [two[name] for name in same]
    assert row(cli("order place 'buy BTC 0.1 @ 64000' -o json"))["limit"] == "64000.00"
    assert row(cli("order buy ETH --for 1000 --limit 3000 -o json"))["quantity"] == "0.3333"


def test_the_same_client_order_id_places_one_order(cli: Cli) -> None:
    first = row(cli("buy BTC 0.5 @ 64000 id once -o json"))
    again = row(cli("buy BTC 0.5 @ 64000 id once -o json"))
    assert (again["order_id"], again["code"]) == (first["order_id"], "order.exists")
    assert "placed before" in cli("buy BTC 0.5 @ 64000 id once").out
    assert len(row(cli("order list -o json"))) == 1
    other = cli("buy BTC 0.6 @ 64000 id once")
    assert other.code == 1
    assert "order.exists_with_different_fields" in other.err


def test_a_refusal_names_reason_limit_and_actual_value(cli: Cli) -> None:
    answer = cli("buy BTC 50 @ 64000")
    assert (answer.code, answer.out) == (1, "")
    lines = answer.err.splitlines()
    assert lines[0] == "rejected: funds.insufficient: the available balance is too small"
    assert lines[1].startswith("  limit 100000.00000000, actual 32")
    error = json.loads(cli("buy BTC 50 @ 64000 -o json").out)
    assert error["ok"] is False
    assert error["error"]["code"] == "funds.insufficient"
    assert error["error"]["limit"] == "100000.00000000"


def test_preview_sends_nothing_and_tells_everything(cli: Cli, exchange: FreshExchange, offers: None) -> None:
    before = exchange.state.seq
    found = row(cli("buy BTC 0.4 @ 64100 --preview -o json"))
    assert (found["filled"], found["average_price"]) == ("0.40000", "64025.00")
    words = cli("buy BTC 1 @ 64100 --dry-run").out
    assert "nothing was sent" in words
    assert "fills 0.30000 @ 64000.00" in words
    assert "rests 0.20000 @ 64100.00 behind 0.00000" in words
    assert "BTC  available 2.00000000 -> 2.80000000" in words
    assert exchange.state.seq == before
    sent = row(cli("buy BTC 0.4 @ 64100 -o json"))
    assert [(fill["price"], fill["quantity"], fill["fee"]) for fill in sent["fills"]] == [
        (level["price"], level["quantity"], level["fee"]) for level in found["fills"]
    ]


def test_a_preview_that_would_be_refused_says_so(cli: Cli) -> None:
    answer = cli("buy BTC 50 @ 64000 --preview")
    assert answer.code == 1
    assert "funds.insufficient" in answer.err


def test_changes_and_cancels_can_be_previewed(cli: Cli, exchange: FreshExchange) -> None:
    cli("buy BTC 0.5 @ 64000 id a")
    before = exchange.state.seq
    shrunk = row(cli("order modify 1 0.4 --preview -o json"))
    assert (shrunk["resting"], shrunk["kept_priority"]) == ("0.40000", True)
    assert "rests 0.30000 @ 63999.00" in cli("order replace 1 0.3 @ 63999 --dry-run").out
    assert "ends: canceled" in cli("order cancel id a --preview").out
    assert exchange.state.seq == before


def test_modify_keeps_the_order_and_replace_makes_a_new_one(cli: Cli) -> None:
    cli("buy BTC 0.5 @ 64000 id a")
    smaller = row(cli("order modify 1 0.4 -o json"))
    assert (smaller["order_id"], smaller["kept_priority"], smaller["leaves"]) == (1, True, "0.40000")
    moved = row(cli("order modify id a @ 63999 -o json"))
    assert (moved["order_id"], moved["kept_priority"], moved["limit"]) == (1, False, "63999.00")
    new = row(cli("order replace 1 0.3 @ 64001 id b -o json"))
    assert (new["order_id"], new["client_order_id"], new["quantity"]) == (2, "b", "0.30000")
    assert cli("order modify 1 0.2").code == 3


def test_cancel_by_either_id_and_only_once(cli: Cli) -> None:
    cli("buy BTC 0.5 @ 64000 id a")
    cli("buy BTC 0.5 @ 64000 id b")
    assert cli("order cancel 1").out == "order 1 canceled, 0.50000 BTC-USDC not filled\n"
    assert row(cli("order cancel --client-id b -o json"))["order_id"] == 2
    answer = cli("order cancel 2")
    assert answer.code == 1
    assert "order.unknown" in answer.err


def test_cancel_all_asks_and_narrows(cli: Cli, exchange: FreshExchange) -> None:
    for line in ("buy BTC 0.1 @ 64000", "sell BTC 0.1 @ 65000", "buy ETH 1 @ 3000"):
        assert cli(line).code == 0
    refused = cli("order cancel-all")
    assert refused.code == 2
    assert "Cancel 3 open orders of account main? There is nobody to ask: add --yes" in refused.err
    assert [order["symbol"] for order in row(cli("order cancel-all ETH --dry-run -o json"))] == ["ETH-USDC"]
    gone = row(cli("order cancel-all BTC --side sell --yes -o json"))
    assert [order["order_id"] for order in gone] == [2]
    assert [order["order_id"] for order in row(cli("order cancel all --yes -o json"))] == [1, 3]
    assert row(cli("order cancel-all --yes -o json")) == []
    assert exchange.state.account_names["main"] == 3


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 2), ("\n", 2), ("", 2)])
def test_a_person_is_asked_and_only_yes_means_yes(
    typed: str, code: int, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyboard = io.StringIO(typed)
    monkeypatch.setattr(keyboard, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", keyboard)
    monkeypatch.setattr("tradecli.context.is_attended", lambda: True)
    answer = cli("account withdraw USDC 10")
    assert answer.code == code
    assert "Withdraw 10 USDC from account main? [y/N]" in answer.err


def test_lists_and_single_orders(cli: Cli) -> None:
    cli("buy BTC 0.5 @ 64000 id a")
    cli("sell ETH 1 @ 3200")
    assert [order["symbol"] for order in row(cli("order list eth -o json"))] == ["ETH-USDC"]
    assert row(cli("order show id a -o json"))["order_id"] == 1
    missing = cli("order show 99")
    assert missing.code == 3
    assert "99" in missing.err


def test_money_moves_and_is_shown(cli: Cli, rival: str) -> None:
    assert cli("account deposit USDC 1,000.50").out == "deposit of 1000.50000000 USDC: external -> main\n"
    assert row(cli("account withdraw USDC 0.5 --yes -o json"))["kind"] == "withdrawal"
    moved = row(cli("account transfer rival USDC 1000 --reference rent -o json"))
    assert (moved["source"], moved["target"], moved["reference"]) == ("main", "rival", "rent")
    assert row(cli("account balance usdc -o json"))[0]["available"] == "100000.00000000"
    assert row(cli("account balance USDC --account rival -o json"))[0]["posted"] == "1000.00000000"
    dry = row(cli("account withdraw USDC 5 --dry-run -o json"))
    assert (dry["dry_run"], dry["amount"]) == (True, "5.00000000")


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("account withdraw USDC 999999999 --yes", 1, "funds.insufficient"),
        ("account deposit USDC 0.000000001", 2, "USDC has 8 decimals"),
        ("account deposit USDC 0", 2, "must be above zero"),
        ("account deposit USDC -5", 2, "'-5' is not a positive decimal number"),
        ("account deposit USDC NaN", 2, "'NaN' is not a positive decimal number"),
        ("account deposit USDC 1e400", 2, "'1e400' is not a positive decimal number"),
        ("account deposit XYZ 5", 3, "there is no asset 'XYZ'"),
        ("account transfer nobody USDC 5", 3, "there is no account 'nobody'"),
        ("account balance --account nobody", 3, "there is no account 'nobody'"),
        ("account new 'bad name'", 1, "account.name_invalid"),
        ("account new main", 1, "account.name_taken"),
        ("account new x --owner ghost", 3, "there is no user 'ghost'"),
        ("market book XYZ", 3, "there is no instrument 'XYZ'"),
        ("order show abc", 2, "order id 'abc'"),
        ("buy BTC 0.5 --type stop", 2, "type 'stop': expected limit, mkt"),
        ("order cancel-all --side up --yes", 2, "side 'up': expected buy, sell"),
        ("account deposit USDC 5 --reference '" + "x" * 300 + "'", 1, "text.invalid"),
        ("admin fee-tier main 99", 1, "fee.tier_unknown"),
    ],
)
def test_bad_input_is_one_clear_error(line: str, code: int, says: str, cli: Cli) -> None:
    answer = cli(line)
    assert answer.code == code
    assert answer.out == ""
    assert says in answer.err


def test_accounts_and_users(cli: Cli) -> None:
    assert cli("account new savings").out == "account savings opened for local\n"
    assert [found["account"] for found in row(cli("account list -o json"))][-1] == "savings"
    assert cli("admin user alice --role broker").code == 0
    assert cli("admin role alice client").out == "user role set: user alice, role client\n"
    assert row(cli("admin users -o json"))[-1] == {"user": "alice", "role": "client"}


def test_halt_resume_suspend_limits_and_fee_tier(cli: Cli) -> None:
    assert cli("admin halt aapl --reason 'feed broken'").out == (
        "instrument halted: instrument AAPL, reason feed broken\n"
    )
    assert "market.halted" in cli("sell AAPL 10 @ 200").err
    assert cli("admin resume AAPL").code == 0
    assert cli("admin suspend main").code == 0
    assert "access.suspended" in cli("sell AAPL 10 @ 230").err
    assert cli("admin suspend main --lift").code == 0
    assert cli("admin limits main --open-orders 0").code == 0
    assert "limit 0, actual 0" in cli("buy BTC 0.1 @ 64000").err
    assert cli("admin fee-tier main 1").code == 0
    assert row(cli("account list -o json"))[3]["fee_tier"] == 1


def test_reset_asks_first_and_empties_the_account(cli: Cli) -> None:
    cli("buy BTC 0.1 @ 64000")
    assert cli("admin reset main").code == 2
    assert row(cli("admin reset main --dry-run -o json"))[0]["asset"] == "USDC"
    assert row(cli("admin reset main --yes -o json"))["ok"] is True
    assert row(cli("order list -o json")) == []
    assert {balance["posted"].strip("0.") for balance in row(cli("account balance -o json"))} == {""}
    assert row(cli("account list -o json"))[3]["epoch"] == 1


def test_the_report_shows_what_the_exchange_holds(cli: Cli, offers: None) -> None:
    cli("buy BTC 0.4 @ 64100")
    report = row(cli("admin report -o json"))
    assert report["trades"] == 2
    assert float(report["fees"]["USDC"]) > 0
    assert report["external"]["USDC"].startswith("-")


def test_the_market_in_rows(cli: Cli, offers: None) -> None:
    assert row(cli("market quote btc -o json"))[0]["ask"] == "64000.00"
    book = row(cli("market book BTC --levels 1 -o json"))
    assert (book["asks"], book["bids"]) == ([["64000.00", "0.30000", 1]], [])
    assert cli("market book BTC -o csv").out.splitlines() == [
        "bid_orders,bid_quantity,bid,ask,ask_quantity,ask_orders",
        ",,,64000.00,0.30000,1",
        ",,,64100.00,0.50000,1",
    ]
    listed = row(cli("market instruments -o json"))
    assert {"symbol", "tick", "lot", "band_ppm", "notional_min"} <= set(listed[0])


def test_watch_writes_a_line_per_change(cli: Cli, exchange: FreshExchange, offers: None) -> None:
    watched = list(exchange.watch(0))
    exchange.watch = lambda since=None: iter(watched)  # type: ignore[method-assign]
    lines = [json.loads(line) for line in cli("market watch BTC -o ndjson --count 1").out.splitlines()]
    assert [line["ask"] for line in lines] == ["64000.00"]
    assert cli("market watch ETH").out == ""
    assert "64000.00" in cli("market watch").out
