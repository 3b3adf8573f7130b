"""The outside matching suite: its three order flows by SHA-256, its edge cases line by line.

Source of format, rules and published sums: matching-engine-benchmark, Flash One Technologies (2026).
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import thread_time_ns
from typing import Any, Final, NamedTuple

from exchange.adapters.feeds.recorded.source import Progress, Source
from exchange.conformance.market import INSTRUMENT, Market
from exchange.conformance.order_flow import Message, OrderFlow, read
from exchange.core.state.book import Book
from exchange.core.units import SECOND

BLOCK_BYTES: Final = 1 << 15  # read, applied and hashed at once
CHECKPOINT: Final = 50_000  # messages
SWEEP: Final = 5_000  # resting orders of the one edge case that is described in words
COLLECT: Final = (50_000, 20, 100)  # thresholds of the garbage collector while messages run


class Checkpoint(NamedTuple):
    """After so many messages: the sum so far, the top of the book (0 if empty), resting orders."""

    messages: int
    sha256: str
    best_bid: int
    bid_size: int
    best_ask: int
    ask_size: int
    resting: int


class Run:
    """One order flow on an engine of its own.

    nanos: CPU time from messages to report lines; reading, parsing and hashing are left out, as in
    the suite's own harness, which has its messages in memory.
    """

    def __init__(self) -> None:
        market = Market(["suite"])
        self.engine = market.engine
        self.flow = OrderFlow(market.engine, market.actors[0], market.accounts[0], INSTRUMENT)
        self.reports = 0
        self.nanos = 0
        self._sum = hashlib.sha256()

    def play(self, messages: list[Message]) -> str:
        """Their report lines.  Raises ValueError for what the engine refuses."""
        begin = thread_time_ns()
        pieces: list[str] = []
        self.flow.play(messages, pieces)
        lines = "".join(pieces)
        self.nanos += thread_time_ns() - begin
        if lines and not self.reports:
            lines = lines[1:]
            self.reports = 1
        self.reports += lines.count("\n")
        self._sum.update(lines.encode())
        return lines

    def checkpoint(self) -> Checkpoint:
        book = self.engine.state.books[INSTRUMENT]
        resting = sum(account.open_orders for account in self.engine.state.accounts)
        return Checkpoint(self.flow.messages(), self._sum.hexdigest(), *top_of(book), resting)

    def row(self) -> dict[str, Any]:
        last = self.checkpoint()
        return {
            "messages": last.messages,
            "reports": self.reports,
            "trades": self.flow.trades,
            "sha256": last.sha256,
            "resting": last.resting,
            "messages_per_s": last.messages * SECOND // max(1, self.nanos),
        }


def matching(path: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Play a file of messages.

    messages_per_s: whole messages per second of CPU time, see ``Run``.
    Raises DataError with the line that is no message or that the engine refuses, or NotFound.
    """
    run = Run()
    with rare_collections():
        for _ in _blocks(run, path, progress):
            pass
    return run.row()


def checkpoints(path: Path, every: int = CHECKPOINT) -> Iterator[Checkpoint]:
    """After each so many messages, and at the end."""
    run = Run()
    for batch in _blocks(run, path, None, every):
        if batch % every == 0:
            yield run.checkpoint()
    if run.flow.messages() % every:
        yield run.checkpoint()


def report_lines(path: Path) -> Iterator[str]:
    """Every report line of a file of messages."""
    run = Run()
    for text in Source(path).blocks(BLOCK_BYTES):
        messages: list[Message] = []
        read(text.decode(), messages)
        yield from run.play(messages).strip("\n").split("\n")


def _blocks(run: Run, path: Path, progress: Progress | None, every: int = 0) -> Iterator[int]:
    """Play a file in blocks that end at multiples of ``every``; yields the messages so far."""
    source = Source(path)
    flow = run.flow
    for block in source.blocks(BLOCK_BYTES, progress):
        messages: list[Message] = []
        try:
            read(block.decode("ascii").replace("\r\n", "\n"), messages)
        except UnicodeDecodeError:
            raise source.error("is not plain text", flow.messages() + 1) from None
        except ValueError as why:
            raise source.error(str(why), flow.messages() + len(messages) + 1) from None
        begin = 0
        try:
            while every and len(messages) - begin > (ahead := every - flow.messages() % every):
                run.play(messages[begin : begin + ahead])
                begin += ahead
                yield flow.messages()
            run.play(messages[begin:] if begin else messages)
        except ValueError as why:
            raise source.error(str(why), flow.messages() + 1) from None
        yield flow.messages()
    if not flow.messages():
        raise source.error("is empty")


def edge_cases(path: Path) -> dict[str, Any]:
    """Play every sequence of the suite's JSON file on a book of its own.

    Report lines and best bid and ask after every message must be as expected.  Raises DataError
    for a file of another shape, or NotFound.
    """
    source = Source(path)
    try:
        cases = json.loads("\n".join(text for _, text in source.lines()))
        failed = [name for name, case in cases.items() if not _passes(case)]
    except (ValueError, TypeError, KeyError, AttributeError) as why:
        raise source.error(f"is not the suite's file of edge cases: {why}") from None
    return {"total": len(cases), "passed": len(cases) - len(failed), "failed": failed}


def _passes(case: dict[str, Any]) -> bool:
    run = Run()
    if "generate" in case:
        lines = [f"N,{name},S,100,1,G" for name in range(1, SWEEP + 1)]
        lines.append(f"N,{SWEEP + 1},B,100,{SWEEP},I")
        _play_lines(run, lines)
        return bool(run.reports == case["reports"] and run.checkpoint().sha256 == case["reports_sha256"])
    reports: list[str] = []
    tops: list[list[int | None]] = []
    for line in case["messages"]:
        reports += _play_lines(run, [line])
        bid, bid_size, ask, ask_size = top_of(run.engine.state.books[INSTRUMENT])
        tops.append([bid or None, bid_size, ask or None, ask_size])
    return bool(reports == case["reports"] and tops == case["bbo_after_each"])


def _play_lines(run: Run, lines: Sequence[str]) -> list[str]:
    messages: list[Message] = []
    read("\n".join(lines), messages)
    return [line for line in run.play(messages).split("\n") if line]


def top_of(book: Book) -> tuple[int, int, int, int]:
    """Best bid, its size, best ask, its size; 0 where the side is empty."""
    bid, ask = book.best_bid(), book.best_ask()
    bid_size = book.bids.level(bid).shown if bid else 0
    ask_size = book.asks.level(-ask).shown if ask else 0
    return bid, bid_size, ask, ask_size


@contextmanager
def rare_collections() -> Iterator[None]:
    """What a run leaves resting is looked at by the collector again and again for nothing."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT)
    try:
        yield
    finally:
        gc.set_threshold(*before)
