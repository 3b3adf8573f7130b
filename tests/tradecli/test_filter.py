"""The exchange as a Unix filter: events out, commands in, and runs that repeat byte for byte."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from exchange.config import load_config
from exchange.core.commands import row_of
from exchange.core.events import OrderAccepted
from exchange.fresh import FRESH_BEGIN, FreshExchange, fresh_exchange, living_day
from exchange.records import read_command, record_to_json
from tests.tradecli.conftest import Answer, Cli, small_config
from tradecli.ndjson import Filter, batches

PLACE = {
    "op": "order.place",
    "instrument": "BTC-USDC",
    "side": "buy",
    "type": "limit",
    "quantity": "0.5",
    "limit": "64000.00",
}

DAY = [
    {**PLACE, "client_order_id": "a"},
    {"op": "order.modify", "order_id": 1, "quantity": "0.4"},
    {"op": "order.modify", "client_order_id": "a", "limit": "63999.99"},
    {"op": "user.register", "name": "bob"},
    {"op": "account.open", "name": "bob", "owner": "bob"},
    {"op": "funds.deposit", "account": "bob", "asset": "BTC", "amount": "1.0"},
    {**PLACE, "account": "bob", "side": "sell", "quantity": "0.1", "limit": "63000.00", "tif": "ioc"},
    {"op": "order.replace", "order_id": 1, "quantity": "0.2", "limit": "64001", "new_client_order_id": "b"},
    {"op": "order.cancel", "order_id": 3},
    {"op": "order.cancel_all"},
]


def text_of(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def lines(answer: Answer) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.out.splitlines()]


@pytest.fixture
def pipe(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a line with this on standard input."""

    def piped(line: str, text: str | bytes) -> Answer:
        data = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        return cli(line)

    return piped


def test_one_answer_per_line_in_order(pipe: Any) -> None:
    answer = pipe("submit -", text_of(DAY))
    assert answer.code == 0
    rows = lines(answer)
    assert [row["line"] for row in rows] == list(range(1, len(DAY) + 1))
    assert all(row["ok"] for row in rows)
    assert [row["seq"] for row in rows] == list(range(rows[0]["seq"], rows[0]["seq"] + len(DAY)))
    assert (rows[0]["order_id"], rows[0]["client_order_id"]) == (1, "a")
    assert rows[6]["events"][1]["event"] == "trade"
    assert (rows[7]["order_id"], rows[7]["client_order_id"]) == (3, "b")


def test_a_line_that_fails_says_why_and_the_rest_goes_on(pipe: Any) -> None:
    wrong = [
        ('{"op":"nope"}', "data", "op 'nope' is no command"),
        ("garbage", "data", "not JSON"),
        ("[1]", "data", "a command is a JSON object"),
        ('{"op":"order.place","op":"order.cancel"}', "data", "a key stands twice"),
        ('{"op":"order.place","quantity":NaN}', "data", "NaN is not a number"),
        ('{"op":"order.place","price":"5"}', "data", "has no field 'price'"),
        (json.dumps({**PLACE, "quantity": 0.5}), "data", "is not a decimal in quotes"),
        (json.dumps({**PLACE, "quantity": "-1"}), "data", "is not a positive decimal number"),
        (json.dumps({**PLACE, "quantity": "0.000001"}), "data", "lot size of"),
        (json.dumps({**PLACE, "instrument": "XYZ"}), "not_found", "there is no instrument 'XYZ'"),
        (json.dumps({**PLACE, "account": "ghost"}), "not_found", "there is no account 'ghost'"),
        ('{"op":"order.modify","order_id":99,"quantity":"1"}', "not_found", "99"),
        ('{"op":"order.modify","order_id":true}', "data", "order_id 'True' is not a whole number"),
        ('{"op":"order.modify","colour":"red"}', "data", "has no field 'colour'"),
        (json.dumps({**PLACE, "quantity": "90"}), "funds.insufficient", "too small"),
    ]
    answer = pipe("submit -", "\n".join(text for text, _, _ in wrong) + "\n\n" + text_of(DAY[:1]))
    assert answer.code == 8
    rows = lines(answer)
    assert len(rows) == len(wrong) + 1
    for row, (text, code, says) in zip(rows, wrong, strict=False):
        assert row["ok"] is False, text
        assert row["error"]["code"] == code, text
        assert says in row["error"]["message"], text
    assert rows[-1]["ok"]
    assert rows[-1]["line"] == len(wrong) + 2


def test_bytes_that_are_no_text_are_one_answer(pipe: Any) -> None:
    row = lines(pipe("submit -", b'\xff\xfe{"op":"x"}\n'))[0]
    assert row["error"]["message"] == "byte 0 is not UTF-8 text"


def test_a_repeated_client_order_id_is_no_failure(pipe: Any) -> None:
    answer = pipe("submit -", text_of([DAY[0], DAY[0]]))
    first, again = lines(answer)
    assert answer.code == 0
    assert (again["ok"], again["order_id"], again["error"]["code"]) == (
        True,
        first["order_id"],
        "order.exists",
    )


def test_submit_reads_a_file_and_a_last_line_without_an_end(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "orders.ndjson"
    path.write_text(text_of(DAY).rstrip("\n"), encoding="utf-8")
    assert len(lines(cli(f"submit {path}"))) == len(DAY)
    missing = cli(f"submit {tmp_path / 'none'}")
    assert missing.code == 74
    assert "No such file" in missing.err


def test_a_keyboard_is_no_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard = io.StringIO()
    monkeypatch.setattr(keyboard, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", keyboard)
    assert cli("submit").code == 2


def test_what_arrives_together_is_sent_together(exchange: FreshExchange) -> None:
    sent: list[int] = []
    send = exchange.send
    exchange.send = lambda commands: sent.append(len(commands)) or send(commands)  # type: ignore[func-returns-value,method-assign]
    work = Filter(exchange, "main")
    rows = [DAY[0], {**PLACE, "quantity": "0.1"}, DAY[1], {**PLACE, "quantity": "0.2"}]
    assert len(list(work.answers([json.dumps(row).encode() for row in rows]))) == 4
    assert sent == [2, 2]  # a change waits for what stands before it


def test_chunks_are_cut_into_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradecli.ndjson.CHUNK", 4)
    found = [line for chunk in batches(io.BytesIO(b"ab\ncdefgh\n\nij")) for line in chunk]
    assert found == [b"ab", b"cdefgh", b"", b"ij"]
    monkeypatch.setattr("tradecli.ndjson.LINE_MAX", 6)
    with pytest.raises(Exception, match="longer than 6 bytes"):
        list(batches(io.BytesIO(b"abcdefghijk")))


def test_a_run_repeats_byte_for_byte_and_ends_with_a_digest(cli: Cli, pipe: Any, tmp_path: Path) -> None:
    path = tmp_path / "day.ndjson"
    path.write_text(text_of(DAY), encoding="utf-8")
    first = cli(f"run {path}")
    assert first.code == 0
    assert cli(f"run {path}") == first
    assert pipe("run -", text_of(DAY)).out == first.out
    rows = lines(first)
    assert len(rows) == len(DAY) + 1
    assert set(rows[-1]) == {"commands", "trades", "digest", "state"}
    assert rows[-1]["trades"] == 1
    path.write_text(text_of(DAY[:-1]), encoding="utf-8")
    assert lines(cli(f"run {path}"))[-1]["digest"] != rows[-1]["digest"]


def test_a_run_touches_no_store(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "day.ndjson").write_text(text_of(DAY), encoding="utf-8")
    cli(f"run {tmp_path / 'day.ndjson'}")
    assert [path.name for path in tmp_path.iterdir()] == ["day.ndjson"]


def test_a_run_takes_time_and_user_from_the_line(pipe: Any) -> None:
    begin = FRESH_BEGIN // 1000 + 10_000_000
    rows = [
        {**DAY[3]},
        {"actor": "bob", "ts": begin, "op": "account.open", "name": "bob", "owner": "bob"},
        {"actor": "bob", "ts": begin, "op": "admin"},
        {"actor": "bob", "ts": begin, "op": "instrument.halt", "instrument": "AAPL"},
        {"ts": begin - 1, "op": "order.cancel_all"},
        {"actor": "ghost", "op": "order.cancel_all"},
    ]
    answers = lines(pipe("run -", text_of(rows)))
    assert (answers[1]["ok"], answers[1]["ts"]) == (True, begin)
    assert answers[3]["error"]["code"] == "access.denied"
    assert "is not a time in microseconds at or after" in answers[4]["error"]["message"]
    assert answers[5]["error"]["code"] == "not_found"


def test_stream_writes_events_that_submit_reads(cli: Cli, exchange: FreshExchange, tmp_path: Path) -> None:
    for line in (
        "buy BTC 0.5 @ 64000 day iceberg 0.1 stp none",
        "sell BTC 0.2 @ 64000 stp none",
        "order cancel 1",
    ):
        assert cli(line).code == 0
    seen = lines(cli("stream --since 0"))
    assert [row["seq"] for row in seen] == sorted(row["seq"] for row in seen)
    assert {"order.accepted", "trade", "book.level", "order.done"} <= {row["event"] for row in seen}
    only = lines(cli("stream --since 0 --only order.accepted,trade --count 2"))
    assert [row["event"] for row in only] == ["order.accepted", "order.accepted"]
    assert "did you mean trade" in cli("stream --only trad").err
    again = [{**row, "op": "order.place"} for row in seen if row["event"] == "order.accepted"]
    other = fresh_exchange(small_config(tmp_path))
    assert all(row["ok"] for row in Filter(other, "main").answers(text_of(again).encode().splitlines()))
    placed = [
        [row_of(e.order) for update in one.watch(0) for e in update.events if isinstance(e, OrderAccepted)]
        for one in (exchange, other)
    ]
    assert placed[0] == placed[1]
    assert len(placed[0]) == 2


def test_every_record_of_a_busy_market_reads_back_the_same(tmp_path: Path) -> None:
    """A seeded living market through JSON and back ends in the same state."""
    from exchange.adapters.feeds.day import DAY_START, Day
    from exchange.adapters.feeds.living import LivingMarket
    from exchange.codec import state_digest
    from exchange.core.messages import Record
    from exchange.directory import Directory
    from exchange.founding import founding_commands, master_of

    config = load_config(home=tmp_path, environ={})
    day, copy = Day(DAY_START), FreshExchange()
    feed = LivingMarket(3, DAY_START)

    def mirror(requests: list[Any]) -> list[Any]:
        receipts = []
        for request in requests:
            receipt = day.send([request])[0]
            receipts.append(receipt)
            text = Directory.of(day.state)
            row = record_to_json(Record(receipt.seq, receipt.ts, *request), text)
            row = json.loads(json.dumps(row))
            copy.stamp(row)
            copy.send([read_command(row, Directory.of(copy.state), nobody)])
        return receipts

    mirror([(0, command) for command in founding_commands(config, master_of(config), day.state, DAY_START)])
    while requests := feed.prepare(day.state):
        mirror(requests)
    while day.state.seq < 900:
        day.now = max(day.now, feed.due() or 0)
        feed.answered(mirror(feed.step(day.state, day.now)))
    assert state_digest(copy.state) == state_digest(day.state)


def nobody(order_id: int, client_order_id: str, account: str) -> str:
    raise AssertionError("the line names its instrument")


def test_a_living_day_is_the_same_on_every_run_and_differs_by_seed(cli: Cli, tmp_path: Path) -> None:
    line = "demo --headless --until 2s --seed 7 -o json"
    one = cli(line)
    assert one.code == 0
    assert cli(line) == one
    row = json.loads(one.out)
    assert (row["seed"], row["market_seconds"]) == (7, 2)
    assert len(row["digest"]) == 64
    assert json.loads(cli("demo --headless --until 2s --seed 8 -o json").out)["digest"] != row["digest"]
    told: list[tuple[int, int]] = []
    living_day(
        load_config(home=tmp_path, environ={}), 2_000_000_000, lambda done, total: told.append((done, total))
    )
    assert told[-1][0] == 2


def test_a_screen_needs_a_terminal(cli: Cli) -> None:
    answer = cli("demo")
    assert answer.code == 2
    assert "add --headless" in answer.err
    assert cli("demo --headless --until soon").code == 2
