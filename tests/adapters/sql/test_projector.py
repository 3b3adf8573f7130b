"""The projector against the engine: same orders, every fill once, whatever interrupts it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from exchange.adapters.sql import projector as module
from exchange.adapters.sql.projector import Projector
from exchange.client import Update
from exchange.core import commands as c
from exchange.core.events import AccountReset, InstrumentHalted, InstrumentResumed, Transferred
from exchange.core.messages import OrderAccepted, OrderDone, Rejected, Traded
from exchange.core.terms import BUY, MARKET, SELL
from exchange.errors import ExchangeError

Dump = Callable[[Path], dict[str, list[tuple[Any, ...]]]]


def events_of(updates: list[Update], kind: type) -> list[tuple[int, int, int, Any]]:
    return [
        (update.seq, idx, update.ts, item)
        for update in updates
        for idx, item in enumerate(update.events)
        if isinstance(item, kind)
    ]


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


class TestRows:
    def test_open_orders_are_those_of_the_engine(self, played: Any, folded: Any, tmp_path: Path) -> None:
        market = played(4, 600)
        path = folded(tmp_path / "x.db", market.updates)
        columns = "order_id, account, instrument, side, quantity, leaves, limit_price, display, expires, ts"
        kept = rows(path, f"SELECT {columns} FROM orders WHERE done = 0 ORDER BY order_id")
        live = sorted(market.engine.state.live_orders(), key=lambda order: order.order_id)
        assert len(live) > 5
        assert kept == [
            (
                *(order.order_id, order.account.account_id, order.book.instrument.instrument_id, order.side),
                *(
                    order.quantity,
                    order.leaves,
                    order.limit,
                    order.command.display,
                    order.command.expires,
                    order.ts,
                ),
            )
            for order in live
        ]

    def test_every_accepted_order_has_a_row_with_its_end(
        self, played: Any, folded: Any, tmp_path: Path
    ) -> None:
        market = played(6, 1500)
        path = folded(tmp_path / "x.db", market.updates)
        accepted = events_of(market.updates, OrderAccepted)
        assert rows(path, "SELECT order_id, seq, idx, ts FROM orders ORDER BY order_id") == [
            (item.order_id, seq, idx, ts) for seq, idx, ts, item in accepted
        ]
        done = sorted(
            (item.order_id, item.reason, item.leaves, seq, idx, ts)
            for seq, idx, ts, item in events_of(market.updates, OrderDone)
        )
        columns = "order_id, done, leaves, changed_seq, changed_idx, changed_ts"
        assert rows(path, f"SELECT {columns} FROM orders WHERE done ORDER BY order_id") == done
        assert {reason for _, reason, *_ in done} >= {1, 2, 3, 4, 6, 7, 8}

    def test_an_order_has_the_value_and_fee_of_its_fills(
        self, played: Any, folded: Any, tmp_path: Path
    ) -> None:
        market = played(7, 1500)
        path = folded(tmp_path / "x.db", market.updates)
        sums = rows(
            path,
            "SELECT order_id, sum(price * quantity), sum(CAST(fee AS INTEGER)), sum(quantity) "
            "FROM fills GROUP BY order_id ORDER BY order_id",
        )
        orders = rows(path, "SELECT order_id, value, fee, quantity - leaves FROM orders ORDER BY order_id")
        filled = [row for row in orders if row[3]]
        assert len(filled) > 100
        assert [(i, str(value), str(fee), lots) for i, value, fee, lots in sums] == filled

    def test_each_trade_is_one_print_and_two_fills(self, played: Any, folded: Any, tmp_path: Path) -> None:
        market = played(8, 1500)
        path = folded(tmp_path / "x.db", market.updates)
        trades = events_of(market.updates, Traded)
        assert len(trades) > 200
        columns = "trade_id, seq, idx, ts, instrument, side, price, quantity, fee"
        assert rows(path, f"SELECT {columns} FROM trades ORDER BY trade_id") == [
            (
                *(t.trade_id, seq, idx, ts, t.instrument, t.taker_side, t.price, t.quantity),
                str(t.maker_fee + t.taker_fee),
            )
            for seq, idx, ts, t in trades
        ]
        columns = "trade_id, is_taker, seq, idx, ts, account, order_id, side, price, quantity, leaves, fee"
        expected = []
        for seq, idx, ts, t in trades:
            maker_side = SELL if t.taker_side == BUY else BUY
            maker = (t.maker_account, t.maker_order_id, maker_side, t.price, t.quantity, t.maker_leaves)
            taker = (t.taker_account, t.taker_order_id, t.taker_side, t.price, t.quantity, t.taker_leaves)
            expected.append((t.trade_id, 0, seq, idx, ts, *maker, str(t.maker_fee)))
            expected.append((t.trade_id, 1, seq, idx, ts, *taker, str(t.taker_fee)))
        assert rows(path, f"SELECT {columns} FROM fills ORDER BY trade_id, is_taker") == expected

    def test_a_trade_with_oneself_is_two_fills_of_the_account(
        self, market: Any, folded: Any, tmp_path: Path
    ) -> None:
        market.limit(3, SELL, 1000, 5, stp=5)
        market.limit(3, BUY, 1000, 5, stp=5)
        path = folded(tmp_path / "x.db", market.updates)
        assert rows(path, "SELECT account, is_taker, side FROM fills") == [(3, 0, SELL), (3, 1, BUY)]

    def test_transfers_epochs_and_notices_are_kept(self, played: Any, folded: Any, tmp_path: Path) -> None:
        market = played(9, 1500)
        path = folded(tmp_path / "x.db", market.updates)
        transfers = events_of(market.updates, Transferred)
        columns = "seq, idx, ts, source, target, asset, amount, kind, reference"
        assert rows(path, f"SELECT {columns} FROM transfers ORDER BY seq, idx") == [
            (*(seq, idx, ts, t.source, t.target, t.asset), str(t.amount), t.kind, t.reference)
            for seq, idx, ts, t in transfers
        ]
        assert {t.kind for *_, t in transfers} == {"deposit", "withdrawal", "transfer", "reset"}
        resets = [
            (t.account, t.epoch, seq, idx, ts) for seq, idx, ts, t in events_of(market.updates, AccountReset)
        ]
        assert rows(path, "SELECT * FROM epochs") == sorted(resets)
        halts, resumptions = (
            events_of(market.updates, kind) for kind in (InstrumentHalted, InstrumentResumed)
        )
        notices = [(seq, idx, ts, t.instrument, "halted", t.reason) for seq, idx, ts, t in halts]
        notices += [(seq, idx, ts, t.instrument, "resumed", "") for seq, idx, ts, t in resumptions]
        assert halts
        assert rows(path, "SELECT * FROM notices") == sorted(notices)

    def test_rows_carry_the_epoch_they_happened_in(self, market: Any, folded: Any, tmp_path: Path) -> None:
        market.limit(4, SELL, 1000, 1)
        market.limit(3, BUY, 1000, 1)
        market.limit(3, BUY, 900, 1)
        market.send(c.ResetAccount(account=3))
        market.fund(3)
        market.limit(4, SELL, 1000, 1)
        market.limit(3, BUY, 1000, 1)
        path = folded(tmp_path / "x.db", market.updates)
        assert rows(path, "SELECT account, epoch FROM fills") == [(3, 0), (3, 1), (4, 0), (4, 0)]
        assert rows(path, "SELECT epoch, done FROM orders WHERE account = 3") == [(0, 1), (0, 8), (1, 1)]
        last = "SELECT source, source_epoch, target, target_epoch FROM transfers WHERE {} ORDER BY seq"
        assert rows(path, last.format("kind = 'reset'"))[0] == (3, 0, 1, 0)
        assert rows(path, last.format("target = 3"))[-1] == (1, 0, 3, 1)


class TestRejections:
    def test_a_refused_order_is_kept_with_reason_limit_and_value(
        self, market: Any, folded: Any, tmp_path: Path
    ) -> None:
        update = market.limit(3, BUY, 1000, 1 << 50, client_order_id="big")
        path = folded(tmp_path / "x.db", market.updates)
        reject = update.events[-1].reject
        assert reject.reason == "funds.insufficient"
        columns = "seq, idx, account, quantity, limit_price, client_order_id, reason, bound, actual, unit"
        assert rows(path, f"SELECT {columns} FROM rejections") == [
            (
                *(update.seq, 0, 3, str(1 << 50), "1000", "big"),
                *(reject.reason, str(reject.limit), str(reject.actual), "Minor:quote"),
            )
        ]

    def test_retries_and_strangers_leave_no_row(self, market: Any, folded: Any, tmp_path: Path) -> None:
        for _ in range(3):
            market.limit(3, BUY, 1000, 1, client_order_id="once")
        market.send(c.PlaceOrder(3, 0, BUY, MARKET, 1), actor=2)
        market.send(c.PlaceOrder(99, 0, BUY, MARKET, 1))
        market.send(c.CancelOrder(3, 4711))
        reasons = [item.reject.reason for *_, item in events_of(market.updates, Rejected)]
        assert reasons == [
            "order.exists",
            "order.exists",
            "access.denied",
            "account.unknown",
            "order.unknown",
        ]
        path = folded(tmp_path / "x.db", market.updates)
        assert rows(path, "SELECT count(*) FROM rejections") == [(0,)]

    @pytest.mark.parametrize("number", [-1, 1 << 63, 1 << 64, -(1 << 70), 10**40])
    def test_numbers_no_column_could_hold_are_kept(
        self, market: Any, folded: Any, tmp_path: Path, number: int
    ) -> None:
        market.send(c.PlaceOrder(3, 0, BUY, 2, number, number, display=number))
        market.send(c.PlaceOrder(3, number, number, number, 1, 5, number))
        path = folded(tmp_path / "x.db", market.updates)
        first, second = rows(path, "SELECT quantity, limit_price, display, instrument, side FROM rejections")
        assert first == (str(number), str(number), str(number), "0", "1")
        assert second == ("1", "5", "0", str(number), str(number))

    @pytest.mark.parametrize("text", ["\ud800", "a\0b", "x" * 100_000, "\x1b[31m", "é" * 40])
    def test_any_client_order_id_can_be_stored(
        self, market: Any, folded: Any, tmp_path: Path, text: str
    ) -> None:
        market.limit(3, BUY, 1000, 1, client_order_id=text)
        path = folded(tmp_path / "x.db", market.updates)
        ((kept,),) = rows(path, "SELECT client_order_id FROM rejections")
        assert 0 < len(kept) <= 37
        assert "\0" not in kept


class TestLargeNumbers:
    def test_money_beyond_64_bits_is_exact(self, market: Any, folded: Any, tmp_path: Path) -> None:
        for _ in range(5):
            market.send(c.Deposit(account=3, asset=0, amount=(1 << 62) - 1))
            market.send(c.Deposit(account=4, asset=1, amount=(1 << 62) - 1))
        market.limit(4, SELL, 1 << 35, 1 << 28)
        market.limit(3, BUY, 1 << 35, 1 << 28)
        path = folded(tmp_path / "x.db", market.updates)
        value = (1 << 35) * (1 << 28)
        assert rows(path, "SELECT value, typeof(value) FROM orders") == [(str(value), "text")] * 2
        assert rows(path, "SELECT turnover FROM candles") == [(str(value),)] * 3
        total = 10**13 + 5 * ((1 << 62) - 1)
        assert total > 1 << 63
        query = "SELECT paid_in FROM transfer_totals WHERE account = 3 AND asset = 0"
        assert rows(path, query) == [(str(total),)]
        out = "SELECT paid_out FROM transfer_totals WHERE account = 1 AND asset = 0"
        assert int(rows(path, out)[0][0]) == total + 3 * 10**13


class TestExactlyOnce:
    def test_folding_again_changes_nothing(
        self, played: Any, folded: Any, dump: Dump, tmp_path: Path
    ) -> None:
        market = played(10, 400)
        once = dump(folded(tmp_path / "x.db", market.updates))
        assert dump(folded(tmp_path / "x.db", market.updates)) == once

    @pytest.mark.parametrize("size", [1, 7, 100])
    def test_any_cut_into_batches_gives_the_same_rows(
        self, played: Any, folded: Any, dump: Dump, tmp_path: Path, size: int
    ) -> None:
        updates = played(11, 300).updates
        reference = dump(folded(tmp_path / "whole.db", updates))

        async def fold() -> None:
            projector = await Projector.open(tmp_path / "cut.db")
            for at in range(0, len(updates), size):
                overlap = updates[max(0, at - 3) : at + size]
                assert await projector.fold(overlap) == len(updates[at : at + size])
            await projector.close()

        asyncio.run(fold())
        assert dump(tmp_path / "cut.db") == reference

    def test_concurrent_folds_of_the_same_updates_write_once(
        self, played: Any, folded: Any, dump: Dump, tmp_path: Path
    ) -> None:
        updates = played(12, 200).updates
        reference = dump(folded(tmp_path / "one.db", updates))

        async def fold() -> list[int]:
            projector = await Projector.open(tmp_path / "many.db")
            counts = await asyncio.gather(*(projector.fold(updates) for _ in range(4)))
            await projector.close()
            return counts

        assert sorted(asyncio.run(fold())) == [0, 0, 0, len(updates)]
        assert dump(tmp_path / "many.db") == reference

    def test_a_gap_is_refused_and_nothing_of_it_written(
        self, played: Any, folded: Any, dump: Dump, tmp_path: Path
    ) -> None:
        updates = played(13, 50).updates
        path = folded(tmp_path / "x.db", updates[:20])
        before = dump(path)
        with pytest.raises(ExchangeError, match="need record 21 next and were given 22"):
            folded(path, updates[21:])
        assert dump(path) == before

    def test_a_change_to_an_unknown_order_is_refused(self, market: Any, folded: Any, tmp_path: Path) -> None:
        path = folded(tmp_path / "x.db", market.updates)
        stray = Update(len(market.updates) + 1, market.ts, [OrderDone(77, 3, 0, 2, 1)])
        with pytest.raises(ExchangeError, match="do not know order 77"):
            folded(path, [stray])


class Fault(Exception):
    """Something that nobody expected."""


class TestInterruption:
    """A fault before and after every statement and at every commit, then a fresh projector."""

    @pytest.mark.parametrize(
        "seed", [14, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (24, 34, 44, 54))]
    )
    def test_no_row_is_lost_or_doubled_at_any_boundary(
        self, seed: int, played: Any, folded: Any, dump: Dump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RECORDS_MAX", 8)
        updates = played(seed, 70).updates
        start, end = len(updates) - 16, len(updates)
        clean = {seq: dump(folded(tmp_path / f"{seq}.db", updates[:seq])) for seq in range(start, end + 1, 8)}
        path = tmp_path / "x.db"
        boundary = 0
        while True:
            shutil.copy(tmp_path / f"{start}.db", path)
            is_struck = asyncio.run(self._fold_until(path, updates, boundary))
            found = dump(path)
            assert found == clean[found["checkpoint"][0][1]]
            assert dump(folded(path, updates)) == clean[end]
            if not is_struck:
                break
            boundary += 1
        assert boundary > 30

    async def _fold_until(self, path: Path, updates: list[Update], boundary: int) -> bool:
        """Did a fault strike at this boundary, counted from the beginning of the fold?"""
        projector = await Projector.open(path)
        engine = projector.engine.sync_engine
        countdown = iter(range(boundary, -1, -1))

        def strike(*_: object) -> None:
            if next(countdown, 1) == 0:
                raise Fault

        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(engine, name, strike)
        try:
            await projector.fold(updates)
        except Fault:
            return True
        finally:
            await projector.close()
        return False


class TestRebuild:
    @pytest.fixture
    def updates(self, played: Any) -> list[Update]:
        made: list[Update] = played(15, 150).updates
        return made

    @pytest.fixture(
        params=["deleted", "emptied", "damaged", "older schema", "no schema", "no checkpoint", "no table"]
    )
    def broken(self, request: Any, updates: list[Update], folded: Any, tmp_path: Path) -> Iterator[Path]:
        path: Path = folded(tmp_path / "x.db", updates[:100])
        if request.param == "deleted":
            path.unlink()
        elif request.param == "emptied":
            path.write_bytes(b"")
        elif request.param == "damaged":
            path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])
        else:
            change = {
                "older schema": "UPDATE alembic_version SET version_num = '0000'",
                "no schema": "DELETE FROM alembic_version",
                "no checkpoint": "DELETE FROM checkpoint",
                "no table": "DROP TABLE fills",
            }[request.param]
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(change)
        return path

    def test_a_file_that_does_not_fit_is_made_anew(
        self, broken: Path, updates: list[Update], folded: Any, dump: Dump, tmp_path: Path
    ) -> None:
        assert self._seq(broken) == 0
        reference = dump(folded(tmp_path / "reference.db", updates))
        assert dump(folded(broken, updates)) == reference

    def test_a_file_that_fits_is_kept(self, updates: list[Update], folded: Any, tmp_path: Path) -> None:
        assert self._seq(folded(tmp_path / "x.db", updates[:100])) == 100

    def test_another_journal_means_another_file(self, updates: list[Update], tmp_path: Path) -> None:
        async def fold(journal: str, count: int) -> int:
            projector = await Projector.open(tmp_path / "x.db", journal)
            before = projector.seq
            await projector.fold(updates[:count])
            await projector.close()
            return before

        assert asyncio.run(fold("one", 50)) == 0
        assert asyncio.run(fold("one", 60)) == 50
        assert asyncio.run(fold("", 60)) == 60
        assert asyncio.run(fold("two", 10)) == 0

    def test_a_file_ahead_of_the_journal_is_refused(
        self, updates: list[Update], folded: Any, tmp_path: Path
    ) -> None:
        path = folded(tmp_path / "x.db", updates[:100])
        with pytest.raises(
            ExchangeError, match=r"x.db: the read models stand at sequence 100, .* ends at 99"
        ):
            asyncio.run(Projector.open(path, end=99))
        assert self._seq(path, end=100) == 100

    def test_records_of_another_journal_are_refused(
        self, updates: list[Update], folded: Any, tmp_path: Path
    ) -> None:
        path = folded(tmp_path / "x.db", updates[:100])
        other = [Update(item.seq, item.ts + 1000, item.events) for item in updates]
        with pytest.raises(ExchangeError, match="record 100 has another time"):
            folded(path, other)

    @staticmethod
    def _seq(path: Path, end: int | None = None) -> int:
        async def look() -> int:
            projector = await Projector.open(path, end=end)
            await projector.close()
            return projector.seq

        return asyncio.run(look())


class TestBounds:
    def test_transactions_hold_a_bounded_number_of_records(
        self, played: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RECORDS_MAX", 50)
        updates = played(16, 400).updates
        taken: list[int] = []

        def stream() -> Iterator[Update]:
            for item in updates:
                taken.append(item.seq)
                yield item

        async def fold() -> list[tuple[int, int]]:
            projector = await Projector.open(tmp_path / "x.db")
            seen = []
            sync = projector.engine.sync_engine
            event.listen(sync, "commit", lambda _: seen.append((projector.seq, len(taken))))
            await projector.fold(stream())
            await projector.close()
            return seen

        seen = asyncio.run(fold())
        assert len(seen) == -(-len(updates) // 50)
        assert all(ahead - done <= 50 for done, ahead in seen)

    def test_a_record_of_many_events_ends_its_transaction(
        self, market: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "EVENTS_MAX", 30)
        for price in range(1000, 1030):
            market.limit(4, SELL, price, 1)
        market.limit(3, BUY, 1030, 30)
        market.limit(3, BUY, 900, 1)

        async def fold() -> int:
            projector = await Projector.open(tmp_path / "x.db")
            commits: list[int] = []
            event.listen(projector.engine.sync_engine, "commit", lambda _: commits.append(1))
            await projector.fold(market.updates)
            await projector.close()
            return len(commits)

        assert asyncio.run(fold()) > 2
