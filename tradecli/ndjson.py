"""Commands as lines of JSON: read, sent in order, answered one line each.

The fields are those of the journal and of the events, so what ``stream`` and ``journal cat`` write
can be edited and sent again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final, Protocol, TypeAlias

from exchange.client import Receipt
from exchange.codec import event_to_json, reject_to_json
from exchange.core.messages import CancelOrder, Command, ModifyOrder, PlaceOrder, ReplaceOrder
from exchange.core.units import MICRO
from exchange.directory import Directory
from exchange.errors import DataError, ExchangeError, NotFound
from exchange.records import BARE, CHANGES, read_command
from tradecli.context import REPEATED, brings_names
from tradecli.failures import code_of

LINE_MAX: Final = 1 << 20
CHUNK: Final = 1 << 16


Stamp: TypeAlias = Callable[[Mapping[str, Any]], None]


class Sender(Protocol):
    """The two verbs this needs of a client."""

    def send(self, commands: list[Command]) -> list[Receipt]: ...

    def query(self, name: str, **params: Any) -> Any: ...


def batches(stream: BinaryIO) -> Iterator[list[bytes]]:
    """The lines that have arrived, together: a slow writer is answered line by line, a fast one in bulk."""
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    rest = b""
    while chunk := read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LINE_MAX:
            raise DataError(f"a line is longer than {LINE_MAX} bytes")
        if lines:
            yield lines
    if rest.strip():
        yield [rest]


class Filter:
    """Turns lines into commands and receipts into answers.  failed: lines that did not go through.

    stamp: told each line before its command is sent, which then goes alone.
    """

    def __init__(self, client: Sender, account: str, stamp: Stamp | None = None) -> None:
        self.client = client
        self.account = account
        self.stamp = stamp
        self.directory = Directory.from_rows(client.query("directory"))
        self.line = 0
        self.failed = 0

    def answers(self, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        """One answer per line that is not blank, in order."""
        waiting: list[tuple[int, Command]] = []
        for text in lines:
            self.line += 1
            if not text.strip():
                continue
            try:
                row = parse_line(text)
                if self.stamp is not None or row.get("op") in CHANGES:  # it depends on earlier lines
                    yield from self._sent(waiting)
                    waiting = []
                if self.stamp is not None:
                    self.stamp(row)
                try:
                    command = self._command(row)
                except NotFound:  # it may name what an earlier line creates
                    yield from self._sent(waiting)
                    waiting = []
                    self.directory = Directory.from_rows(self.client.query("directory"))
                    command = self._command(row)
            except ExchangeError as error:
                yield from self._sent(waiting)
                waiting = []
                yield self._wrong(error)
            else:
                waiting.append((self.line, command))
        yield from self._sent(waiting)

    def _command(self, row: dict[str, Any]) -> Command:
        if "account" not in row and BARE not in row and str(row.get("op", "")).startswith("order."):
            row = {**row, "account": self.account}
        return read_command(row, self.directory, self._symbol)

    def _symbol(self, order_id: int, client_order_id: str, account: str) -> str:
        row = self.client.query("order", order_id=order_id, client_order_id=client_order_id, account=account)
        return str(row["symbol"])

    def _sent(self, waiting: list[tuple[int, Command]]) -> Iterator[dict[str, Any]]:
        if not waiting:
            return
        receipts = self.client.send([command for _, command in waiting])
        if any(brings_names(receipt.events) for receipt in receipts):
            self.directory = Directory.from_rows(self.client.query("directory"))
        for (line, command), receipt in zip(waiting, receipts, strict=True):
            yield self._answer(line, command, receipt)

    def _answer(self, line: int, command: Command, receipt: Receipt) -> dict[str, Any]:
        row: dict[str, Any] = {"line": line, "ok": True, "seq": receipt.seq, "ts": receipt.ts // MICRO}
        if isinstance(command, PlaceOrder | CancelOrder | ModifyOrder | ReplaceOrder):
            name = getattr(command, "client_order_id", "") or getattr(command, "new_client_order_id", "")
            row |= {"client_order_id": name} if name else {}
            row |= {"order_id": receipt.order_id} if receipt.order_id else {}
        if receipt.reject is not None:
            row["error"] = reject_to_json(receipt.reject, command, self.directory)
            row["ok"] = receipt.reject.reason == REPEATED
            self.failed += not row["ok"]
        else:
            row["events"] = [event_to_json(event, self.directory) for event in receipt.events]
        return row

    def _wrong(self, error: ExchangeError) -> dict[str, Any]:
        self.failed += 1
        return {"line": self.line, "ok": False, "error": {"code": code_of(error), "message": str(error)}}


def parse_line(text: bytes) -> dict[str, Any]:
    """One JSON object.  Raises DataError; NaN, infinities and doubled keys are not JSON here."""
    try:
        row = json.loads(text.decode("utf-8"), parse_constant=_not_a_number, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start} is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise DataError("a command is a JSON object")
    return row


def is_whole_journal(lines: Iterable[bytes]) -> bool:
    """Does the file start with the first record of a journal, so that it needs nothing before it?"""
    for text in lines:
        if text.strip():
            try:
                return parse_line(text).get("seq") == 1
            except DataError:
                return False
    return False


def _not_a_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return row
