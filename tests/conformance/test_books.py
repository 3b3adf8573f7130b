"""Recorded books: small hand-made ones with known answers, and the real ones where they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.conformance import l2, lobster, mbo
from exchange.errors import DataError

EMPTY = "9999999999,0,-9999999999,0"


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_lobster_transitions_of_every_kind_are_exact(tmp_path: Path) -> None:
    messages = written(
        tmp_path,
        "messages.csv",
        "1,1,1,10,1000000,1",
        "2,1,2,5,1010000,-1",  # a level appears
        "3,1,3,7,1010000,-1",  # an order joins it
        "4,2,3,2,1010000,-1",  # is reduced
        "5,5,0,1,1005000,1",  # a hidden execution leaves the book
        "6,4,2,5,1010000,-1",  # the head is executed
        "7,3,1,10,1000000,1",  # a level goes, another one is revealed
    )
    book = written(
        tmp_path,
        "book.csv",
        f"9999999999,0,1000000,10,{EMPTY.replace('-9999999999,0', '990000,3')}",
        "1010000,5,1000000,10,9999999999,0,990000,3",
        "1010000,12,1000000,10,9999999999,0,990000,3",
        "1010000,10,1000000,10,9999999999,0,990000,3",
        "1010000,10,1000000,10,9999999999,0,990000,3",
        "1010000,5,1000000,10,9999999999,0,990000,3",
        "1010000,5,990000,3,9999999999,0,980000,9",
    )
    assert lobster(messages, book) == {"exact": 6, "total": 6}


def test_lobster_rows_that_do_not_follow_are_counted(tmp_path: Path) -> None:
    messages = written(tmp_path, "messages.csv", "1,1,1,10,1000000,1", "2,1,2,5,1010000,-1")
    book = written(tmp_path, "book.csv", "9999999999,0,1000000,10", "1010000,6,1000000,10")
    assert lobster(messages, book) == {"exact": 0, "total": 1}


def test_lobster_files_must_go_together(tmp_path: Path) -> None:
    messages = written(tmp_path, "messages.csv", "1,1,1,10,1000000,1", "2,1,2,5,1010000,-1")
    with pytest.raises(DataError, match="ends before message 2"):
        lobster(messages, written(tmp_path, "book.csv", "9999999999,0,1000000,10"))
    with pytest.raises(DataError, match="4 fields per level"):
        lobster(messages, written(tmp_path, "book.csv", "9999999999,0,1000000", "1,1,1"))
    (tmp_path / "nothing.csv").touch()
    with pytest.raises(DataError, match="is empty"):
        lobster(messages, tmp_path / "nothing.csv")


MBO = "ts_event_ns,sequence,action,side,price,size,order_id,flags"


def test_mbo_counts_exact_fills(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "mbo.csv",
        MBO,
        "1000,1,A,B,99.75,2,11,40",
        "1000,2,A,A,100.25,3,12,40",
        "1000,3,A,A,100.25,4,13,168",
        "2000,4,T,B,100.25,5,99,0",  # the head and part of the next
        "2000,4,F,A,100.25,3,12,0",
        "2000,4,F,A,100.25,2,13,0",
        "2000,5,C,A,100.25,3,12,0",
        "2000,5,M,A,100.25,2,13,130",
        "3000,6,A,A,100.25,1,14,130",
        "4000,7,T,B,100.25,1,98,0",  # not the head: by no price-time rule
        "4000,7,F,A,100.25,1,14,0",
        "4000,8,C,A,100.25,1,14,130",
        "5000,9,T,B,100.25,2,97,0",  # the head is where it was
        "5000,9,F,A,100.25,2,13,0",
        "5000,10,C,A,100.25,2,13,130",
    )
    assert mbo(path) == {"exact": 2, "total": 3, "crossed": 0}


def test_mbo_counts_orders_that_would_cross(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "mbo.csv",
        MBO,
        "1000,1,A,A,100.25,3,12,168",
        "2000,2,A,B,100.50,1,13,130",  # the ask below it is never canceled
        "3000,3,T,A,100.50,1,99,0",
        "3000,3,F,B,100.50,1,13,0",
        "3000,4,C,B,100.50,1,13,130",
    )
    assert mbo(path)["crossed"] == 1


def stream(kind: str, at: int, **data: object) -> str:
    event = {"depth": "depthUpdate"}.get(kind, kind)
    row = {"e": event, "E": at, **data} if kind != "bookTicker" else data
    return f"{at * 1_000_000} " + json.dumps({"stream": f"x@{kind}", "data": row})


def recorded(folder: Path, wrong: int, skipped: int) -> Path:
    """Sixty updates of the best bid, each with the exchange's own best; one wrong, one left out."""
    lines = ['0 {"lastUpdateId": 9, "bids": [["99.00", "1"]], "asks": [["101.00", "2"]]}']
    for number in range(10, 70):
        size = f"{number}.5"
        if number != skipped:
            update = {"U": number, "u": number, "b": [["99.00", size]], "a": [["101.00", "2"]]}
            lines.append(stream("depth", 2 * number, **update))
        best = "1" if number == wrong else size
        lines.append(stream("bookTicker", 2 * number, u=number, b="99.00", B=best, a="101.00", A="2"))
    return written(folder, "feed.jsonl", *lines)


def test_l2_compares_after_the_warm_up(tmp_path: Path) -> None:
    assert l2(recorded(tmp_path, wrong=12, skipped=0)) == {"equal": 11, "total": 11, "gaps": 0}
    assert l2(recorded(tmp_path, wrong=65, skipped=0)) == {"equal": 10, "total": 11, "gaps": 0}


def test_l2_counts_gaps_and_starts_anew(tmp_path: Path) -> None:
    found = l2(recorded(tmp_path, wrong=0, skipped=30))
    assert found == {"equal": 10, "total": 10, "gaps": 1}


def test_real_nasdaq_books_are_exact(shared_data: Path) -> None:
    folder = shared_data / "lobster"
    for name, rows, total in (("AMZN", "20k", 19_999), ("AAPL", "1k", 998)):
        stem = f"{name}_2012-06-21_L10"
        found = lobster(folder / f"{stem}_message_{rows}.csv.gz", folder / f"{stem}_orderbook_{rows}.csv.gz")
        assert found == {"exact": total, "total": total}


def test_real_futures_trades_are_exact_but_for_icebergs(shared_data: Path) -> None:
    found = mbo(shared_data / "l3/ESH4_2023-12-25_mbo.csv.gz")
    assert found["total"] == 2972
    assert found["crossed"] == 0
    assert found["exact"] >= 2792


def test_real_binance_book_equals_the_exchange_own(shared_data: Path) -> None:
    found = l2(shared_data / "l2/BTCUSDT_spot_2024-08-08_feed.jsonl.gz")
    assert found["total"] == 3402
    assert found["gaps"] == 0
    assert found["equal"] >= 3400
