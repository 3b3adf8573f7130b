"""LOBSTER messages as a market: individual orders, executions by the queue, levels of the book file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from exchange.adapters.feeds.recorded.lobster import LobsterFeed
from exchange.client import Receipt
from exchange.conformance.stage import BEGIN, Stage
from exchange.core.commands import Command, ListAsset, ListInstrument, OpenAccount
from exchange.core.state.root import State
from exchange.core.terms import BUY, IOC, SELL, SYSTEM_USER
from exchange.core.units import SECOND, Nanos
from exchange.errors import ConfigError, DataError
from exchange.runtime.ports import Request
from tests.adapters.feeds.recorded_person import Person, depth, is_balanced, run

NOTHING = "9999999999,0"
NO_BID = "-9999999999,0"


def written(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def stage_of(folder: Path, messages: list[str], rows: list[str] | None = None) -> Stage:
    book = None if rows is None else written(folder, "book.csv", rows)
    return Stage(LobsterFeed(written(folder, "messages.csv", messages), "AMZN", book))


QUEUE = ["1.0,1,11,100,1000000,1", "1.1,1,12,50,1000000,1"]
BEHIND = ["1.2,1,13,30,1000000,1"]


def test_orders_enter_shrink_and_leave(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, [*QUEUE, "2,2,11,40,1000000,1", "3,3,12,50,1000000,1"])
    seen = []
    while stage.step():
        seen.append(depth(stage, "bids"))
    assert seen == [[(10_000, 100)], [(10_000, 150)], [(10_000, 110)], [(10_000, 60)]]
    assert stage.refused == {}
    assert is_balanced(stage)


def test_a_person_is_filled_when_the_queue_ahead_is_gone(tmp_path: Path) -> None:
    executions = [
        "2,4,11,60,1000000,1",
        "3,4,11,40,1000000,1",
        "4,4,12,50,1000000,1",
        "5,4,13,4,1000000,1",
        "6,4,13,20,1000000,1",
    ]
    stage = stage_of(tmp_path, [*QUEUE, *BEHIND, *executions])
    run(stage, 2)
    person = Person(stage)
    mine = person.place(BUY, 10_000, 10)
    seen = []
    while stage.step():
        total = dict(depth(stage, "bids")).get(10_000, 0)
        seen.append((total, person.leaves(mine)))
    # The recorded order behind ends as recorded although the person was hit in its stead.
    assert [pair for i, pair in enumerate(seen) if i == 0 or pair != seen[i - 1]] == [
        (190, 10),
        (130, 10),
        (90, 10),
        (40, 10),
        (36, 6),
        (32, 6),
        (12, 0),
        (6, 0),
    ]
    assert stage.state.accounts[person.account].available(stage.state.books[0].instrument.base) > 1 << 49
    assert is_balanced(stage)


def test_a_person_can_take_recorded_liquidity(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, [*QUEUE, "9,3,11,100,1000000,1", "9.5,4,12,50,1000000,1"])
    run(stage, 2)
    person = Person(stage)
    person.place(SELL, 10_000, 120, IOC)
    assert depth(stage, "bids") == [(10_000, 30)]
    run(stage)
    assert depth(stage, "bids") == []
    assert stage.refused == {}


def test_hidden_executions_crosses_and_halts_leave_the_book(tmp_path: Path) -> None:
    quiet = ["2,5,0,7,999900,1", "3,6,-1,500,1000000,1", "4,7,0,0,-1,-1"]
    with pytest.raises(DataError, match="order id '-1'"):
        stage_of(tmp_path, ["2,1,-1,7,999900,1"])
    stage = stage_of(tmp_path, [*QUEUE, *quiet])
    run(stage)
    assert depth(stage, "bids") == [(10_000, 150)]


def test_book_starts_from_the_first_row_and_follows_the_rows(tmp_path: Path) -> None:
    messages = [
        "1,1,1,10,1010000,-1",
        "2,4,77,5,1000000,1",  # an order from before the file
        "3,3,78,15,1000000,1",  # its level goes, one from out of sight is shown
        "4,2,79,1,990000,1",
    ]
    rows = [
        f"1010000,30,1000000,20,1020000,8,{NO_BID}",
        f"1010000,30,1000000,15,1020000,8,{NO_BID}",
        "1010000,30,990000,4,1020000,8,980000,6",
        "1010000,30,990000,3,1020000,8,980000,6",
    ]
    stage = stage_of(tmp_path, messages, rows)
    stage.step()
    stage.step()
    assert depth(stage, "bids") == [(10_000, 20)]
    assert depth(stage, "asks") == [(10_100, 30), (10_200, 8)]
    run(stage)
    assert depth(stage, "bids") == [(9_900, 3), (9_800, 6)]
    assert stage.state.last_trade_id == 1


def test_a_level_the_rows_no_longer_show_is_taken_out(tmp_path: Path) -> None:
    messages = ["1,1,1,10,1010000,-1", "2,1,2,5,1005000,-1"]
    rows = [f"1010000,10,{NO_BID},1020000,5,{NO_BID}", f"1005000,5,{NO_BID},1020000,5,{NO_BID}"]
    stage = stage_of(tmp_path, messages, rows)
    run(stage)
    assert depth(stage, "asks") == [(10_050, 5), (10_200, 5)]


def test_intervals_are_kept_from_the_first_step_on(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, ["100,1,1,1,1000000,1", "103.5,1,2,1,1000000,1"])
    feed = stage.feed
    assert feed.due() == 0  # at once, whatever the data's clock says
    start = stage.state.ts
    stage.step()
    assert feed.due() == start + 7 * SECOND // 2
    stage.step()
    assert feed.due() is None
    assert start >= BEGIN


def test_a_long_sleep_is_not_made_up_for(tmp_path: Path) -> None:
    feed = LobsterFeed(
        written(tmp_path, "m.csv", ["1,1,1,1,1000000,1", "2,1,2,1,1000000,1", "3,1,3,1,1000000,1"]), "AMZN"
    )
    stage = Stage(feed)
    stage.step()
    late = stage.state.ts + 7200 * SECOND
    feed.answered([stage.apply(*request, late) for request in feed.step(stage.state, late)])
    assert feed.due() == late + SECOND


def test_orders_of_an_earlier_run_are_canceled_first(tmp_path: Path) -> None:
    first = stage_of(tmp_path, QUEUE)
    run(first)
    again = LobsterFeed(tmp_path / "messages.csv", "AMZN")
    requests = again.prepare(first.state)
    assert [type(command).__name__ for _, command in requests] == ["CancelAll"]
    for actor, command in requests:
        first.apply(actor, command)
    assert again.prepare(first.state) == []
    assert depth(first, "bids") == []


def test_instrument_is_listed_with_its_tick_and_currency(tmp_path: Path) -> None:
    state = stage_of(tmp_path, QUEUE).state
    instrument = state.books[0].instrument
    assert (instrument.symbol, instrument.tick_units, instrument.price_decimals) == ("AMZN", 1, 2)
    assert [(a.symbol, a.exponent) for a in state.assets] == [("AMZN", 0), ("USD", 2)]
    assert all(account.is_exempt for account in state.accounts if account.name.startswith("recorded-"))


def listed(**fields: int) -> list[Command]:
    sizes = {"tick_units": 1, "price_decimals": 2, "lot_units": 1, "quantity_decimals": 0, **fields}
    return [
        ListAsset(symbol="AMZN", exponent=0),
        ListAsset(symbol="USD", exponent=4),
        ListInstrument(symbol="AMZN", name="", venue="", base=0, quote=1, **sizes),
    ]


def on(commands: list[Command], feed: LobsterFeed) -> None:
    """Get the feed ready on an engine that has these listings."""
    stage = Stage(_Quiet())
    for command in commands:
        assert stage.apply(SYSTEM_USER, command).reject is None
    for _ in range(9):
        requests = feed.prepare(stage.state)
        for actor, command in requests:
            assert stage.apply(actor, command).reject is None


class _Quiet:
    """A feed that asks nothing."""

    def prepare(self, state: State) -> list[Request]:
        return []

    def due(self) -> Nanos | None:
        return None

    def step(self, state: State, now: Nanos) -> list[Request]:
        return []

    def answered(self, receipts: Sequence[Receipt]) -> None:
        pass


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"tick_units": 5}, "price 100.0100 does not fit AMZN, which is listed with tick 0.05 and lot 1"),
        ({"lot_units": 20}, "size 50 does not fit AMZN, which is listed with tick 0.01 and lot 20"),
    ],
)
def test_data_that_does_not_fit_the_listing_is_refused(
    tmp_path: Path, fields: dict[str, int], why: str
) -> None:
    feed = LobsterFeed(written(tmp_path, "m.csv", ["1,1,1,100,1000000,1", "2,1,2,50,1000100,1"]), "AMZN")
    with pytest.raises(DataError, match=why) as caught:
        on(listed(**fields), feed)
    assert caught.value.line == 2


def test_a_finer_listing_takes_the_data(tmp_path: Path) -> None:
    on(listed(price_decimals=4), LobsterFeed(written(tmp_path, "m.csv", QUEUE), "AMZN"))


def test_a_currency_too_coarse_for_one_share_is_named(tmp_path: Path) -> None:
    feed = LobsterFeed(written(tmp_path, "m.csv", QUEUE), "AMZN-YEN")
    with pytest.raises(DataError, match="size 50 does not fit AMZN-YEN"):
        on([ListAsset(symbol="YEN", exponent=0), ListAsset(symbol="AMZN", exponent=0)], feed)


def test_accounts_of_somebody_else_are_not_used(tmp_path: Path) -> None:
    feed = LobsterFeed(written(tmp_path, "m.csv", QUEUE), "AMZN")
    with pytest.raises(ConfigError, match="account recorded-book belongs to system"):
        on([OpenAccount(name="recorded-book", owner=SYSTEM_USER)], feed)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2,1,9,10,1000000", "6 fields, not 5"),
        ("2,8,9,10,1000000,1", "type 8 is not 1 to 7"),
        ("2,1,9,10,1000000,0", "direction '0'"),
        ("nan,1,9,10,1000000,1", "time 'nan'"),
        ("0.5,1,9,10,1000000,1", "the time goes back"),
        ("2,1,9,0,1000000,1", "above zero"),
        ("2,1,9,10,-5,1", "price '-5'"),
        ("2,1,9,1.5,1000000,1", "size '1.5'"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_sent(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(DataError, match=why) as caught:
        LobsterFeed(written(tmp_path, "m.csv", [*QUEUE, line]), "AMZN")
    assert caught.value.line == 3


def test_book_file_must_have_a_row_per_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 1 rows for 2 messages"):
        stage_of(tmp_path, QUEUE, [f"1010000,10,{NO_BID}"])
