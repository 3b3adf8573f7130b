"""What every ``Client`` does, whichever way it reaches the exchange.  One function per promise."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from exchange.client import Client, Update
from exchange.core.commands import CancelAll, Deposit, OpenAccount, Skip
from exchange.core.messages import CancelOrder, LevelChanged, OrderAccepted, OrderDone, PlaceOrder, Traded
from exchange.core.terms import BUY, LIMIT, MARKET, SELL, STP_NONE
from exchange.directory import Directory
from exchange.errors import ConnectionLost, DataError, ExchangeError, NotFound


class Desk:
    """A client with names and sizes at hand."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.names = Directory.from_rows(client.query("directory"))
        self.account = self.names.account_id("main")
        self.bitcoin = self.names.instrument("BTC-USDC").instrument_id

    def order(self, side: int, quantity: str, limit: str, name: str = "", stp: int = STP_NONE) -> PlaceOrder:
        return PlaceOrder(
            self.account,
            self.bitcoin,
            side,
            LIMIT if limit else MARKET,
            self.names.parse_quantity(self.bitcoin, quantity),
            self.names.parse_price(self.bitcoin, limit) if limit else 0,
            stp=stp,
            client_order_id=name,
        )

    def depth(self) -> Any:
        return self.client.query("depth", instrument="BTC-USDC")


def check_receipts_come_in_order_and_tell_what_happened(client: Client) -> None:
    desk = Desk(client)
    seq = client.query("status")["seq"]
    rest, take = client.send([desk.order(SELL, "0.5", "64000"), desk.order(BUY, "0.2", "64000")])
    assert (rest.seq, take.seq) == (seq + 1, seq + 2)
    assert take.ts >= rest.ts > 0
    assert rest.reject is None
    assert isinstance(rest.events[0], OrderAccepted)
    assert rest.order_id == rest.events[0].order_id
    (trade,) = [event for event in take.events if isinstance(event, Traded)]
    assert trade.maker_order_id == rest.order_id
    assert trade.taker_order_id == take.order_id
    assert desk.depth()["asks"] == [["64000.00", "0.30000", 1]]
    assert client.send([]) == []


def check_a_refusal_is_a_receipt_with_reason_limit_and_value(client: Client) -> None:
    desk = Desk(client)
    (receipt,) = client.send([desk.order(BUY, "5", "64000")])
    assert receipt.reject is not None
    assert (receipt.reject.reason, receipt.reject.unit) == ("funds.insufficient", "Minor:quote")
    assert receipt.reject.limit < receipt.reject.actual
    assert receipt.order_id == 0
    (denied,) = client.send([Skip(reason="x")])
    assert denied.reject is not None
    assert denied.reject.reason == "access.denied"


def check_a_client_order_id_is_used_once(client: Client) -> None:
    desk = Desk(client)
    first, again, other = client.send(
        [
            desk.order(BUY, "0.1", "60000", "id-1"),
            desk.order(BUY, "0.1", "60000", "id-1"),
            desk.order(BUY, "0.2", "60000", "id-1"),
        ]
    )
    assert first.reject is None
    assert again.reject is not None
    assert again.reject.reason == "order.exists"
    assert again.order_id == first.order_id
    assert other.reject is not None
    assert other.reject.reason == "order.exists_with_different_fields"
    assert len(client.query("orders", account="main")) == 1


def check_an_amount_beyond_64_bits_is_refused_with_its_limit(client: Client) -> None:
    desk = Desk(client)
    updates = client.watch()
    (receipt,) = client.send([Deposit(account=desk.account, asset=0, amount=1 << 70)])
    assert receipt.reject is not None
    assert (receipt.reject.reason, receipt.reject.actual) == ("funds.amount_range", 1 << 70)
    assert next(updates).seq == receipt.seq


def check_many_commands_at_once(client: Client) -> None:
    desk = Desk(client)
    count = 5_000
    receipts = client.send([desk.order(BUY, "0.0001", "60000") for _ in range(count)])
    seq = receipts[0].seq
    assert [receipt.seq for receipt in receipts] == list(range(seq, seq + count))
    assert client.query("status")["open_orders"] == count
    (receipt,) = client.send([CancelAll(account=desk.account)])
    assert sum(isinstance(event, OrderDone) for event in receipt.events) == count


def check_queries_answer_plain_rows(client: Client) -> None:
    desk = Desk(client)
    client.send([desk.order(BUY, "0.1", "60000", "q-1")])
    (row,) = client.query("orders", account="main", instrument="BTC-USDC")
    assert (row["client_order_id"], row["limit"], row["leaves"]) == ("q-1", "60000.00", "0.10000")
    assert client.query("order", order_id=row["order_id"]) == row
    balances = {row["asset"]: row for row in client.query("balances", account="main")}
    assert balances["BTC"] == {
        "account": "main",
        "asset": "BTC",
        "posted": "2.00000000",
        "held": "0.00000000",
        "available": "2.00000000",
    }
    for name in ("status", "directory", "instruments", "quotes", "accounts", "users", "orders"):
        assert _is_plain(client.query(name)), name


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_is_plain(inner) for inner in value)
    return value is None or isinstance(value, str | int | bool)


def check_a_preview_says_what_would_happen_and_changes_nothing(client: Client) -> None:
    desk = Desk(client)
    client.send([desk.order(SELL, "1", "64000")])
    before = client.query("balances", account="main")
    row = client.query(
        "preview",
        order={
            "op": "order.place",
            "account": "main",
            "instrument": "BTC-USDC",
            "side": "buy",
            "type": "limit",
            "quantity": "0.5",
            "limit": "64000.00",
            "stp": "none",
        },
    )
    assert row["filled"] == "0.50000"
    assert _is_plain(row)
    assert client.query("balances", account="main") == before


def check_history_reads_what_was_just_acknowledged(client: Client) -> None:
    desk = Desk(client)
    client.send([desk.order(SELL, "0.5", "64000", "h-1"), desk.order(BUY, "0.2", "64000", "h-2")])
    fills = client.query("fills", account="main")
    assert {fill["client_order_id"] for fill in fills} == {"h-1", "h-2"}
    (receipt,) = client.send([desk.order(BUY, "0.3", "64000", "h-3")])
    assert receipt.reject is None
    assert client.query("trades", instrument="BTC-USDC")[0]["quantity"] == "0.30000"
    done = client.query("order", account="main", client_order_id="h-1")
    assert done["status"] == "filled"
    assert len(client.query("order_history", account="main")) == 3


def check_what_does_not_exist_is_not_found(client: Client) -> None:
    for name, params in (
        ("nonsense", {}),
        ("depth", {"instrument": "NOPE-USD"}),
        ("balances", {"account": "nobody"}),
        ("fills", {"account": "nobody"}),
        ("order", {"order_id": 99_999_999}),
        ("document", {"kind": "layouts", "key": "nothing"}),
    ):
        with pytest.raises(NotFound):
            client.query(name, **params)


def check_bad_parameters_are_errors_and_harm_nobody(client: Client) -> None:
    questions: list[tuple[str, dict[str, Any]]] = [
        ("depth", {}),
        ("depth", {"instrument": 7}),
        ("depth", {"instrument": "BTC-USDC", "depth": 7}),
        ("preview", {"order": {"op": "order.place", "quantity": "nan"}}),
        ("document", {"kind": "layouts"}),
        ("documents", {"kind": "../../etc"}),
        ("fills", {"account": "main", "limit": 0}),
        ("fills", {"account": "main", "limit": "all"}),
    ]
    for name, params in questions:
        with pytest.raises(DataError):
            client.query(name, **params)
    assert client.query("status")["instruments"] > 0


def check_documents_are_kept_replaced_and_deleted(client: Client) -> None:
    client.save("layouts", "main", {"panes": ["book", "chart"], "wide": True, "name": "Ü"})
    client.save("layouts", "other", {})
    client.save("watchlists", "main", {"symbols": []})
    assert client.query("document", kind="layouts", key="main")["name"] == "Ü"
    client.save("layouts", "main", {"panes": []})
    assert client.query("documents", kind="layouts") == [
        {"key": "main", "document": {"panes": []}},
        {"key": "other", "document": {}},
    ]
    client.save("layouts", "main", None)
    client.save("layouts", "main", None)
    assert [row["key"] for row in client.query("documents", kind="layouts")] == ["other"]
    with pytest.raises(DataError):
        client.save("no such kind!", "x", {})
    with pytest.raises(DataError):
        client.save("layouts", "", {})


def check_a_watch_sees_everything_from_its_start(client: Client) -> None:
    desk = Desk(client)
    client.send([desk.order(BUY, "0.1", "60000", "before")])
    updates = client.watch()
    receipts = client.send([desk.order(BUY, "0.1", f"6{n}000", f"w-{n}") for n in range(3)])
    seen = list(islice(updates, 3))
    assert [update.seq for update in seen] == [receipt.seq for receipt in receipts]
    for update, receipt in zip(seen, receipts, strict=True):
        assert update.ts == receipt.ts
        assert [type(event) for event in update.events] == [type(event) for event in receipt.events]


def check_a_watch_resumes_by_sequence(client: Client) -> None:
    desk = Desk(client)
    start = client.query("status")["seq"]
    receipts = client.send([desk.order(BUY, "0.1", "60000") for _ in range(10)])
    assert [u.seq for u in islice(client.watch(start), 10)] == [r.seq for r in receipts]
    assert [u.seq for u in islice(client.watch(receipts[4].seq), 5)] == [r.seq for r in receipts[5:]]
    updates = client.watch(receipts[-1].seq)
    (last,) = client.send([CancelOrder(desk.account, receipts[0].order_id)])
    update = next(updates)
    assert update.seq == last.seq
    assert any(isinstance(event, LevelChanged) for event in update.events)


def check_a_watch_from_too_far_back_or_ahead_is_refused(client: Client) -> None:
    with pytest.raises(DataError, match="cannot watch from"):
        client.watch(client.query("status")["seq"] + 1)
    with pytest.raises(NotFound, match="are gone"):
        client.watch(0)


def check_a_watch_ends_when_the_client_closes(client: Client) -> None:
    updates = client.watch()
    ended = threading.Event()
    reader = threading.Thread(target=_read_all, args=(updates, ended))
    reader.start()
    client.close()
    reader.join(60)
    assert ended.is_set()


def _read_all(updates: Iterator[Update], ended: threading.Event) -> None:
    for _ in updates:
        pass
    ended.set()


def check_threads_may_share_a_client(client: Client) -> None:
    desk = Desk(client)
    failures: list[ExchangeError] = []
    sent: list[int] = []

    def work(number: int) -> None:
        try:
            for n in range(20):
                (receipt,) = client.send([desk.order(BUY, "0.001", "60000", f"t-{number}-{n}")])
                sent.append(receipt.seq)
                client.query("quote", instrument="BTC-USDC")
        except ExchangeError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert len(set(sent)) == 80
    assert client.query("status")["open_orders"] == 80


def check_new_accounts_are_known_at_once(client: Client) -> None:
    desk = Desk(client)
    owner = desk.names.user_id("local")
    (opened,) = client.send([OpenAccount(name="second", owner=owner)])
    assert opened.reject is None
    names = Directory.from_rows(client.query("directory"))
    (paid,) = client.send([Deposit(account=names.account_id("second"), asset=0, amount=5)])
    assert paid.reject is None
    assert len(client.query("statement", account="second")) == 1


def check_a_closed_client_says_so(client: Client) -> None:
    client.close()
    client.close()
    with pytest.raises(ConnectionLost):
        client.query("status")
    with pytest.raises(ConnectionLost):
        client.watch()
    with pytest.raises(ConnectionLost):
        client.save("layouts", "x", {})
    with pytest.raises(ConnectionLost):
        client.send([CancelOrder(3, 1)])


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]
