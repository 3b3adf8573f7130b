"""A client attached to the exchange process of this machine; blocking, light to import.

Orders, questions and each watch have a connection of their own: a slow question never holds an
order up.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from exchange import protocol
from exchange.adapters.local_socket import connected
from exchange.client import Receipt, Update
from exchange.core.messages import Command
from exchange.errors import ConnectionLost, ProtocolError
from exchange.protocol import (
    Answer,
    Failure,
    Frames,
    Hello,
    Query,
    Receipts,
    Reply,
    Request,
    Resume,
    Save,
    Send,
    Updates,
    Watch,
    Welcome,
)

T = TypeVar("T")

ANSWER_SECONDS: Final = 60.0
READ_BYTES: Final = 1 << 18


class LocalClient:
    """A ``Client`` over the socket at path.  trades_dropped: public trades a slow watch has lost.

    Raises ConnectionLost when nobody listens, AuthError, ProtocolError for another version.
    """

    def __init__(self, path: Path, user: str, seconds: float = ANSWER_SECONDS) -> None:
        self.trades_dropped = 0
        self._path = path
        self._user = user
        self._seconds = seconds
        self._orders = _Line(path, user, seconds)
        self._questions: _Line | None = None
        self._watches: set[_Line] = set()
        self._lock = threading.Lock()
        self._is_closed = False
        self.actor = self._orders.welcome.user

    def send(self, commands: Sequence[Command]) -> list[Receipt]:
        receipts: list[Receipt] = []
        for start in range(0, len(commands), protocol.COMMANDS_MAX):
            rows = protocol.command_rows(commands[start : start + protocol.COMMANDS_MAX])
            receipts += protocol.receipts_of(_expect(self._orders.ask(Send, rows), Receipts).rows)
        return receipts

    def query(self, name: str, **params: Any) -> Any:
        return _expect(self._asking().ask(Query, name, params), Answer).rows

    def watch(self, since: int | None = None) -> Iterator[Update]:
        line, newest = self._watching(since)
        return self._updates(line, newest)

    def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        _expect(self._asking().ask(Save, kind, key, document), Answer)

    def close(self) -> None:
        """Ends every watch.  The exchange goes on for its other clients."""
        with self._lock:
            self._is_closed = True
            lines = [self._orders, *self._watches]
            if self._questions is not None:
                lines.append(self._questions)
        for line in lines:
            line.close()

    def _asking(self) -> _Line:
        with self._lock:
            if self._is_closed:
                raise ConnectionLost("this client is closed")
            if self._questions is None or self._questions.is_lost:
                self._questions = _Line(self._path, self._user, self._seconds)
            return self._questions

    def _watching(self, since: int | None) -> tuple[_Line, int]:
        """A line that watches, and the sequence number it watches from."""
        line = _Line(self._path, self._user, self._seconds)
        try:
            answer = _expect(line.ask(Watch, since), Answer)
            if not isinstance(answer.rows, int):
                raise ProtocolError("a watch is answered with a sequence number")
            with self._lock:
                if self._is_closed:
                    raise ConnectionLost("this client is closed")
                self._watches.add(line)
        except BaseException:
            line.close()
            raise
        return line, answer.rows if since is None else since

    def _updates(self, line: _Line, newest: int) -> Iterator[Update]:
        try:
            while True:
                try:
                    reply = line.read(is_patient=True)
                except ConnectionLost:
                    if self._is_closed:
                        return
                    raise
                if isinstance(reply, Resume):
                    self._forget(line)
                    line, _ = self._watching(newest)
                    continue
                updates = _expect(reply, Updates)
                self.trades_dropped = max(self.trades_dropped, updates.trades_dropped)
                for update in protocol.updates_of(updates.rows):
                    newest = update.seq
                    yield update
        finally:
            self._forget(line)

    def _forget(self, line: _Line) -> None:
        with self._lock:
            self._watches.discard(line)
        line.close()


class _Line:
    """One connection.  A request that is not answered leaves it unusable."""

    def __init__(self, path: Path, user: str, seconds: float) -> None:
        found = connected(path, seconds)
        if found is None:
            raise ConnectionLost(f"no exchange is listening at {path}")
        self._socket = found
        self._frames = Frames(protocol.REPLY_MAX)
        self._bodies: list[bytes] = []
        self._id = 0
        self._lock = threading.Lock()
        self.is_lost = False
        try:
            with contextlib.suppress(OSError):  # shown out already: read why
                self._socket.sendall(protocol.frame(Hello(protocol.VERSION, user)))
            self.welcome = _expect(self.read(), Welcome)
        except BaseException:
            self.close()
            raise

    def ask(self, request: Callable[..., Request], *values: Any) -> Reply:
        """The reply, be it a failure.  Raises ConnectionLost: the outcome is unknown."""
        with self._lock:
            self._id += 1
            data = protocol.frame(request(self._id, *values))
            try:
                self._socket.sendall(data)
            except OSError as error:
                raise self._lost(str(error)) from None
            reply = self.read()
            if getattr(reply, "id", None) not in (self._id, 0):
                raise self._lost("an answer to something else came")
            return reply

    def read(self, *, is_patient: bool = False) -> Reply:
        """The next frame.  is_patient: wait for ever.  Raises ConnectionLost, ProtocolError."""
        while not self._bodies:
            try:
                if is_patient:
                    self._socket.settimeout(None)
                data = self._socket.recv(READ_BYTES)
            except TimeoutError:
                raise self._lost("no answer came in time") from None
            except OSError as error:
                raise self._lost(str(error)) from None
            if not data:
                raise self._lost("the exchange closed the connection")
            self._bodies = self._frames.feed(data)
        return protocol.read_reply(self._bodies.pop(0))

    def close(self) -> None:
        """Wakes whoever reads."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _lost(self, why: str) -> ConnectionLost:
        """A late answer must not be taken for the next one's."""
        self.is_lost = True
        self._socket.close()
        return ConnectionLost(f"{why}; the outcome of what was under way is unknown")


def _expect(reply: Reply, kind: type[T]) -> T:
    if isinstance(reply, Failure):
        raise protocol.raised(reply)
    if not isinstance(reply, kind):
        raise ProtocolError(f"a {type(reply).__name__.lower()} came where a {kind.__name__.lower()} belongs")
    return reply
