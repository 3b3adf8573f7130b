"""Which feed reads a recorded file, told by its first line or by the name of its format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.adapters.feeds.recorded.source import Source
from exchange.errors import DataError

if TYPE_CHECKING:
    from exchange.runtime.ports import Feed

KINDS: Final = ("lobster", "mbo", "l2", "bars")
KNOWN: Final = (
    "a LOBSTER message file, CME market by order, recorded Binance streams or a CSV file of bars "
    "(time,open,high,low,close,volume)"
)


def kind_of(path: Path) -> str:
    """The name of the format.  Raises DataError, or NotFound if there is no such file."""
    from exchange.adapters.feeds.recorded.bar_file import columns_of
    from exchange.adapters.feeds.recorded.lobster import is_message
    from exchange.adapters.feeds.recorded.mbo import HEADER

    source = Source(path)
    for line, text in source.lines():
        if text == HEADER:
            return "mbo"
        if columns_of(text) is not None:
            return "bars"
        if is_message(text.split(",")):
            return "lobster"
        stamp, _, body = text.partition(" ")
        if stamp.isascii() and stamp.isdigit() and body.startswith("{"):
            return "l2"
        raise source.error(f"is not {KNOWN}", line)
    raise source.error("is empty")


def open_feed(path: Path, *, instrument: str, kind: str | None = None, book: Path | None = None) -> Feed:
    """The feed of a file, all of whose lines have been checked.

    instrument: symbol it trades under; listed by the feed if it is not yet.   kind: one of KINDS,
    None to find out.   book: the orderbook file that goes with LOBSTER messages.
    Raises DataError with file, line and reason, or NotFound.
    """
    if kind is not None and kind not in KINDS:
        raise DataError(f"there is no recorded format {kind!r}; known are {', '.join(KINDS)}")
    chosen = kind or kind_of(path)
    if book is not None and chosen != "lobster":
        raise DataError(f"an orderbook file goes with LOBSTER messages, not with {chosen}", str(path))
    if chosen == "lobster":
        from exchange.adapters.feeds.recorded.lobster import LobsterFeed

        return LobsterFeed(path, instrument, book)
    if chosen == "mbo":
        from exchange.adapters.feeds.recorded.mbo import MboFeed

        return MboFeed(path, instrument)
    if chosen == "l2":
        from exchange.adapters.feeds.recorded.l2 import L2Feed

        return L2Feed(path, instrument)
    from exchange.adapters.feeds.recorded.bars import BarFeed

    return BarFeed(path, instrument)
