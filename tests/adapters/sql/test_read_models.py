"""The blocking facade: what it follows it shows, what it missed it makes again, and nobody waits for it."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from exchange.adapters.sql import read_models as module
from exchange.adapters.sql.read_models import ReadModels, journal_source
from exchange.client import Update
from exchange.core.messages import Record
from exchange.core.terms import BUY, SELL
from exchange.errors import DataError, ExchangeError, NotFound


class Recorded:
    """A journal as the read models see it: durable records, read from anywhere."""

    def __init__(self, updates: Sequence[Update], records: Sequence[Record]) -> None:
        self.updates = updates
        self.records = records
        self.reads = 0

    def read(self, after: int = 0) -> Iterator[Record]:
        self.reads += 1
        return iter(self.records[after:])

    def source(self, seq: int) -> Iterator[Update]:
        self.reads += 1
        return iter(self.updates[seq:])


@pytest.fixture
def recorded(played: Any) -> Recorded:
    market = played(41, 300)
    return Recorded(market.updates, market.records)


def test_what_is_followed_is_in_the_next_answer(market: Any, tmp_path: Path) -> None:
    with ReadModels(tmp_path / "x.db") as models:
        models.follow(market.updates)
        for number in range(1, 30):
            models.follow([market.limit(4, SELL, 1000, 1), market.limit(3, BUY, 1000, 1)])
            fills = models.query("fills", market.directory, account="amy", limit=100)
            assert len(fills) == number
        assert models.behind == 0
        assert models.seq == market.engine.state.seq


def test_many_threads_may_ask_while_one_follows(market: Any, tmp_path: Path) -> None:
    directory = market.directory
    wrong: list[object] = []

    def ask(models: ReadModels) -> None:
        for _ in range(10):
            fills = models.query("fills", directory, account="amy", limit=1000)
            trades = models.query("trades", directory, instrument="BTC-USDC", limit=1000)
            if len(trades) < len(fills) or len({row["trade_id"] for row in fills}) != len(fills):
                wrong.append((fills, trades))

    with ReadModels(tmp_path / "x.db") as models:
        models.follow(market.updates)
        threads = [threading.Thread(target=ask, args=(models,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(40):
            models.follow([market.limit(4, SELL, 1000, 1), market.limit(3, BUY, 1000, 1)])
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(models.query("fills", directory, account="amy", limit=1000)) == 40


def test_catching_up_folds_only_what_is_new(recorded: Recorded, tmp_path: Path) -> None:
    with ReadModels(tmp_path / "x.db") as models:
        assert models.catch_up(recorded.updates[:100]) == 100
        assert models.catch_up(iter(recorded.updates)) == len(recorded.updates) - 100
        assert models.catch_up(recorded.updates) == 0
        assert models.seq == len(recorded.updates)


def test_closing_folds_what_waits(recorded: Recorded, folded: Any, dump: Any, tmp_path: Path) -> None:
    models = ReadModels(tmp_path / "x.db")
    models.follow(recorded.updates)
    models.close()
    models.close()
    assert dump(tmp_path / "x.db") == dump(folded(tmp_path / "reference.db", recorded.updates))


def test_nothing_is_taken_after_closing(recorded: Recorded, dump: Any, tmp_path: Path) -> None:
    models = ReadModels(tmp_path / "x.db")
    models.close()
    models.follow(recorded.updates)
    assert dump(tmp_path / "x.db")["checkpoint"] == [(1, 0, 0, "")]


class TestSource:
    def test_a_new_file_is_filled_to_the_end_of_the_journal(
        self, recorded: Recorded, folded: Any, dump: Any, tmp_path: Path
    ) -> None:
        with ReadModels(tmp_path / "x.db", recorded.source, end=len(recorded.updates)) as models:
            models.flush()
            assert models.seq == len(recorded.updates)
        assert dump(tmp_path / "x.db") == dump(folded(tmp_path / "reference.db", recorded.updates))

    def test_the_journal_is_replayed_into_the_same_rows(
        self, recorded: Recorded, folded: Any, dump: Any, tmp_path: Path
    ) -> None:
        folded(tmp_path / "x.db", recorded.updates[:77])
        source = journal_source(recorded)  # type: ignore[arg-type]
        with ReadModels(tmp_path / "x.db", source, end=len(recorded.updates)) as models:
            models.flush()
        assert dump(tmp_path / "x.db") == dump(folded(tmp_path / "reference.db", recorded.updates))

    def test_a_gap_is_closed_from_it(
        self, recorded: Recorded, folded: Any, dump: Any, tmp_path: Path
    ) -> None:
        with ReadModels(tmp_path / "x.db", recorded.source) as models:
            models.follow(recorded.updates[:50])
            models.flush()
            models.follow(recorded.updates[90:])
            models.flush()
            assert recorded.reads == 1
        assert dump(tmp_path / "x.db") == dump(folded(tmp_path / "reference.db", recorded.updates))

    def test_what_is_expected_is_fetched_before_the_next_answer(
        self, recorded: Recorded, market: Any, tmp_path: Path
    ) -> None:
        with ReadModels(tmp_path / "x.db", recorded.source) as models:
            models.expect(len(recorded.updates))
            models.query("notices", market.directory)
            assert (models.seq, models.behind) == (len(recorded.updates), 0)

    def test_what_does_not_fit_is_dropped_and_read_again(
        self,
        recorded: Recorded,
        folded: Any,
        dump: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(module, "WAITING_EVENTS_MAX", 20)
        with ReadModels(tmp_path / "x.db", recorded.source) as models:
            for at in range(0, len(recorded.updates), 30):
                models.follow(recorded.updates[at : at + 30])
            models.flush()
            assert models.seq == len(recorded.updates)
        assert recorded.reads > 0
        assert dump(tmp_path / "x.db") == dump(folded(tmp_path / "reference.db", recorded.updates))

    def test_closing_does_not_wait_for_its_end(self, tmp_path: Path) -> None:
        begun = threading.Event()

        def endless(seq: int) -> Iterator[Update]:
            for number in itertools.count(seq + 1):
                yield Update(number, number * 1000, [])
                begun.set()

        models = ReadModels(tmp_path / "x.db", endless, end=1 << 60)
        assert begun.wait(timeout=60)
        models.close()
        assert 0 <= models.seq < 1 << 60

    def test_records_that_nobody_has_are_named(self, recorded: Recorded, tmp_path: Path) -> None:
        end = len(recorded.updates) + 5
        with ReadModels(tmp_path / "x.db", recorded.source, end=end) as models:
            with pytest.raises(ExchangeError, match=f"record {end} is nowhere to be had"):
                models.flush()
            assert models.failure is not None


class TestFailure:
    def test_a_file_ahead_of_the_journal_is_refused(
        self, recorded: Recorded, folded: Any, tmp_path: Path
    ) -> None:
        path = folded(tmp_path / "x.db", recorded.updates)
        with pytest.raises(ExchangeError, match="belong to another journal"):
            ReadModels(path, end=3)

    def test_a_gap_without_a_source_is_told_to_the_next_query(
        self, recorded: Recorded, market: Any, tmp_path: Path
    ) -> None:
        with ReadModels(tmp_path / "x.db") as models:
            models.follow(recorded.updates[5:])
            with pytest.raises(ExchangeError, match="need record 1 next and were given 6"):
                models.query("trades", market.directory, instrument="BTC-USDC")
            models.follow(recorded.updates[5:])
            assert models.seq == 0

    def test_an_unexpected_fault_is_told_too_and_does_not_hang(
        self, recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        models = ReadModels(tmp_path / "x.db")

        async def broken(_: object) -> int:
            raise ZeroDivisionError

        monkeypatch.setattr(models._projector, "fold", broken)
        models.follow(recorded.updates)
        with pytest.raises(ExchangeError, match="stopped at sequence 0"):
            models.flush()
        with pytest.raises(ZeroDivisionError):
            models.close()

    def test_an_unwritable_file_is_one_clear_error(self, recorded: Recorded, tmp_path: Path) -> None:
        with ReadModels(tmp_path / "x.db") as models:
            models.catch_up(recorded.updates[:10])
            other = sqlite3.connect(tmp_path / "x.db")
            other.execute("DROP TABLE trades")
            other.commit()
            other.close()
            with pytest.raises(ExchangeError, match=r"stopped at sequence 10: .*no such table: trades"):
                models.catch_up(recorded.updates)

    def test_unknown_queries_and_parameters_are_named(self, market: Any, tmp_path: Path) -> None:
        directory = market.directory
        with ReadModels(tmp_path / "x.db") as models:
            with pytest.raises(NotFound, match="no query 'fils'; there are: candles, fills"):
                models.query("fils", directory)
            for params in ({}, {"account": "amy", "colour": "red"}):
                with pytest.raises(DataError, match="query fills"):
                    models.query("fills", directory, **params)


def test_the_commands_of_a_long_day_leave_no_open_file(market: Any, tmp_path: Path) -> None:
    for number in range(5):
        with ReadModels(tmp_path / f"{number}.db") as models:
            models.catch_up(market.updates)
            models.query("statement", market.directory, account="amy")
    assert not [thread for thread in threading.enumerate() if thread.name == "read-models"]
