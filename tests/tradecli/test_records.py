"""Journal records as JSON: natural where that reads back the same, bare fields where it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exchange.core.commands import COMMANDS, Command, Deposit, ListInstrument, row_of
from exchange.core.messages import ModifyOrder, PlaceOrder, Record, ReplaceOrder
from exchange.directory import Directory
from exchange.errors import DataError, NotFound
from exchange.fresh import FreshExchange
from exchange.records import read_command, record_to_json


def unknown(order_id: int, client_order_id: str, account: str) -> str:
    raise NotFound("asked for an instrument")


def there_and_back(exchange: FreshExchange, command: Command) -> tuple[dict[str, Any], Command]:
    receipt = exchange.send([command])[0]
    text = Directory.of(exchange.state)
    row = record_to_json(Record(receipt.seq, receipt.ts, exchange.actor, command), text)
    return row, read_command(json.loads(json.dumps(row)), text, unknown)


def account(exchange: FreshExchange) -> int:
    return exchange.state.account_names["main"]


def test_an_order_reads_as_a_person_would_write_it(exchange: FreshExchange) -> None:
    order = PlaceOrder(account(exchange), 0, 1, 2, 50_000, 6_400_000, client_order_id="a")
    row, back = there_and_back(exchange, order)
    assert row["actor"] == "local"
    assert {name: row[name] for name in ("op", "account", "instrument", "side", "quantity", "limit")} == {
        "op": "order.place",
        "account": "main",
        "instrument": "BTC-USDC",
        "side": "buy",
        "quantity": "0.50000",
        "limit": "64000.00",
    }
    assert row_of(back) == row_of(order)


def test_a_change_names_the_instrument_its_sizes_are_in(exchange: FreshExchange) -> None:
    exchange.send([PlaceOrder(account(exchange), 1, 1, 2, 10_000, 310_000)])
    row, back = there_and_back(exchange, ModifyOrder(account(exchange), 1, "", 9_000, 309_999, 1))
    assert (row["instrument"], row["quantity"], row["limit"]) == ("ETH-USDC", "0.9000", "3099.99")
    assert row_of(back) == [account(exchange), 1, "", 9_000, 309_999, 1]
    row, back = there_and_back(exchange, ReplaceOrder(account(exchange), 1, 8_000, 0, "new", 1))
    assert (row["instrument"], row["quantity"], row["new_client_order_id"]) == ("ETH-USDC", "0.8000", "new")
    assert "limit" not in row
    assert row_of(back) == [account(exchange), 1, 8_000, 0, "new", 1]


def test_a_change_that_names_none_keeps_lots_and_ticks(exchange: FreshExchange) -> None:
    exchange.send([PlaceOrder(account(exchange), 1, 1, 2, 10_000, 310_000)])
    row, back = there_and_back(exchange, ModifyOrder(account(exchange), 1, "", 9_000))
    assert (row["quantity"], "instrument" in row) == (9_000, False)
    assert row_of(back) == [account(exchange), 1, "", 9_000, 0, -1]


@pytest.mark.parametrize(
    "command",
    [
        PlaceOrder(3, 0, 1, 2, 0, 6_400_000),
        PlaceOrder(3, 77, 9, 8, -5, -6),
        PlaceOrder(3, 0, 1, 2, 5, 6_400_000, client_order_id="a b\n"),
        Deposit(account=3, asset=0, amount=0),
    ],
    ids=["no quantity", "nonsense", "hostile id", "no amount"],
)
def test_what_would_not_read_back_the_same_is_written_bare(exchange: FreshExchange, command: Command) -> None:
    row, back = there_and_back(exchange, command)
    assert set(row) == {"seq", "ts", "actor", "op", "fields"}
    assert row_of(back) == row_of(command)


def test_a_listing_reads_back(exchange: FreshExchange) -> None:
    sizes = {"tick_units": 1, "price_decimals": 0, "lot_units": 1, "quantity_decimals": 0}
    limits = {"fees": ((1, 2), (3, 4)), "quantity_max": 7, "notional_max": 9, "session_days": 31}
    command = ListInstrument(symbol="X", name="", venue="", base=0, quote=1, **sizes, **limits)
    assert row_of(there_and_back(exchange, command)[1]) == row_of(command)


def test_every_command_has_a_bare_form() -> None:
    values: dict[str, Any] = {"str": "x", "bool": True, "tuple": [[1, 2]]}
    for name, cls in COMMANDS.values():
        fields = [values.get(shape.partition("[")[0], 1) for _, shape in cls.FIELDS]
        command = read_command({"op": name, "fields": fields}, Directory([], [], [], []), unknown)
        assert type(command) is cls


@pytest.mark.parametrize(
    "row",
    [
        {"fields": []},
        {"op": "nope", "fields": []},
        {"op": "order.cancel", "fields": [1, 2]},
        {"op": "order.cancel", "fields": {"account": 1}},
        {"op": "order.cancel", "fields": [1, 2, 3]},
        {"op": "order.cancel", "fields": [1, True, "x"]},
        {"op": "order.cancel", "fields": [1, 1 << 70, "x"]},
        {"op": "order.cancel", "fields": [1.5, 2, "x"]},
        {"op": "order.cancel", "fields": [1, 2, "x"], "account": "main"},
        {"op": "account.suspend", "fields": [1, 1, "x"]},
        {"op": "instrument.amend", "fields": [0, [[1]], 1, 0, 0, 0, 0, 0, 0, 0, 127]},
    ],
)
def test_bare_fields_of_the_wrong_shape_are_refused(row: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        read_command(row, Directory([], [], [], []), unknown)


def test_a_change_without_an_instrument_asks_for_it(exchange: FreshExchange) -> None:
    text = Directory.of(exchange.state)
    row = {"op": "order.modify", "account": "main", "order_id": 5, "quantity": "0.5"}
    found = read_command(row, text, lambda order_id, name, owner: "BTC-USDC")
    assert row_of(found) == [account(exchange), 5, "", 50_000, 0, 0]
    with pytest.raises(NotFound, match="asked for"):
        read_command(row, text, unknown)


def test_an_exchange_in_memory_keeps_its_own_time(exchange: FreshExchange) -> None:
    before = exchange.state.ts
    first, second = exchange.send([PlaceOrder(account(exchange), 0, 1, 2, 1_000, 6_400_000)] * 2)
    assert before < first.ts < second.ts
    with pytest.raises(DataError, match="ts"):
        exchange.stamp({"ts": 1})
    with pytest.raises(DataError, match="ts"):
        exchange.stamp({"ts": "now"})
    with pytest.raises(NotFound, match="no user 'ghost'"):
        exchange.stamp({"actor": "ghost"})
    with pytest.raises(NotFound, match="keeps no documents"):
        exchange.save("layout", "main", None)
    assert [update.seq for update in exchange.watch(first.seq)] == [second.seq]
    assert list(exchange.watch()) == []
