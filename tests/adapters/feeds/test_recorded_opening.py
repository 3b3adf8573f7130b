"""Opening a recorded file: its kind is told by its first line, and what is no market is refused."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from exchange.adapters.feeds.recorded import KINDS, open_feed
from exchange.adapters.feeds.recorded.mbo import HEADER
from exchange.errors import DataError, NotFound

FIRST = {
    "lobster": ["34200.1,1,11,100,1000000,1"],
    "mbo": [HEADER, "1000,1,A,B,99.75,2,11,168"],
    "l2": ['5 {"lastUpdateId": 1, "bids": [["9", "1"]], "asks": []}'],
    "bars": ["date,open,high,low,close,volume", "2024-01-01,1,2,1,2,3"],
}
CLASSES = {"lobster": "LobsterFeed", "mbo": "MboFeed", "l2": "L2Feed", "bars": "BarFeed"}


def written(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.data"
    path.write_text("\n".join(FIRST[kind]) + "\n")
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_kind_is_told_by_the_first_line_however_packed(tmp_path: Path, kind: str, pack: object) -> None:
    assert callable(pack)
    path = tmp_path / "anything"
    path.write_bytes(pack("\n".join(FIRST[kind]).encode()))
    assert type(open_feed(path, instrument="X-Y")).__name__ == CLASSES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_kind_may_be_given(tmp_path: Path, kind: str) -> None:
    assert type(open_feed(written(tmp_path, kind), instrument="X", kind=kind)).__name__ == CLASSES[kind]


def test_a_wrong_kind_is_an_error_of_the_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the columns are not") as caught:
        open_feed(written(tmp_path, "lobster"), instrument="X", kind="mbo")
    assert caught.value.line == 1
    with pytest.raises(DataError, match="no recorded format 'fix'; known are lobster, mbo, l2, bars"):
        open_feed(written(tmp_path, "lobster"), instrument="X", kind="fix")


@pytest.mark.parametrize(
    "text",
    [
        "hello\n",
        "a,b,c\n1,2,3\n",
        "\n",
        "1,2,3,4,5,6\n",
        "34200,1,1,1,1,7\n",
        "date,open,high\n",
        "\x00\x01\n",
    ],
)
def test_anything_else_is_refused_with_what_would_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(DataError, match="is not a LOBSTER message file, CME market by order") as caught:
        open_feed(path, instrument="X")
    assert (caught.value.file, caught.value.line) == (str(path), 1)


def test_zero_bytes_are_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "zero").touch()
    with pytest.raises(DataError, match="is empty"):
        open_feed(tmp_path / "zero", instrument="X")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file"):
        open_feed(tmp_path / "nowhere", instrument="X")
    with pytest.raises(DataError, match="cannot be read"):
        open_feed(tmp_path, instrument="X")


def test_damaged_archives_and_binary_junk_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "junk"
    good = "\n".join(FIRST["bars"]).encode()
    for data, why in (
        (gzip.compress(good)[:-6], "damaged or cut off"),
        (lzma.compress(good)[:-6], "damaged or cut off"),
        (gzip.compress(good)[:12] + b"\xff\xff\xff" + gzip.compress(good)[15:], "damaged or cut off"),
        (good + b"\xff\xfe\n", "is not UTF-8 text"),
        (b"\x1f\x8bnonsense", "cannot be read|damaged"),
    ):
        path.write_bytes(data)
        with pytest.raises(DataError, match=why):
            open_feed(path, instrument="X")


def test_an_endless_line_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"1," * (1 << 22))
    with pytest.raises(DataError, match="a line has more than"):
        open_feed(path, instrument="X")


def test_a_book_goes_with_lobster_only(tmp_path: Path) -> None:
    book = tmp_path / "book"
    book.write_text("1010000,5,1000000,10\n")
    feed = open_feed(written(tmp_path, "lobster"), instrument="X", book=book)
    assert feed.due() == 0
    with pytest.raises(DataError, match="goes with LOBSTER messages, not with bars"):
        open_feed(written(tmp_path, "bars"), instrument="X", book=book)
