"""The exchange process's side of the local socket: connections in, an ``Owner`` behind them.

One request of a connection is answered before its next is read, so what one client can have
waiting is bounded.  A connection that watches only listens from then on.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback
from pathlib import Path
from typing import Final, NamedTuple

from exchange import protocol
from exchange.adapters.local_socket import check_peer, listening
from exchange.core.engine import ENGINE_VERSION
from exchange.core.terms import SYSTEM_USER
from exchange.errors import AuthError, ConnectionLost, ExchangeError, ProtocolError
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
from exchange.runtime.hub import Subscription
from exchange.runtime.owner import Owner
from exchange.runtime.ports import Feed

CONNECTIONS_MAX: Final = 64
HELLO_SECONDS: Final = 5.0
GOODBYE_SECONDS: Final = 1.0  # for replies under way when the exchange stops
READ_BYTES: Final = 1 << 16
UPDATES_MAX: Final = 512  # in one frame
WRITE_BUFFER: Final = 1 << 18  # bytes a slow reader may leave with us before its queue grows


class Terms(NamedTuple):
    """When the process leaves by itself: first_seconds without a first client, or linger_seconds
    after the last one; never if it is staying."""

    is_staying: bool = False
    first_seconds: float = 10.0
    linger_seconds: float = 1.0


class LocalServer:
    """Listens until it is told to stop or leaves by its terms."""

    def __init__(self, owner: Owner, path: Path, terms: Terms | None = None) -> None:
        self.owner = owner
        self._path = path
        self._terms = terms or Terms()
        self._stop = asyncio.Event()
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self._clients = 0

    def stop(self) -> None:
        self._stop.set()

    async def run(self, feed: Feed | None = None) -> None:
        """Returns when stopped and everything accepted is answered.  Raises what ``Owner.run`` raises."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                loop.add_signal_handler(number, self._stop.set)
            except (NotImplementedError, RuntimeError, ValueError):
                break  # not in the main thread: whoever runs the loop calls stop
        server = await asyncio.start_unix_server(self._connected, sock=listening(self._path))
        driving = asyncio.create_task(self.owner.run(feed))
        stopping = asyncio.create_task(self._stop.wait())
        loop.call_later(self._terms.first_seconds, self._leave_if_alone)
        try:
            await asyncio.wait((driving, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            self._path.unlink(missing_ok=True)
            server.close()
            self.owner.stop()
            await asyncio.wait([driving])
            await self._say_goodbye()
        driving.result()

    async def _say_goodbye(self) -> None:
        if not self._connections:
            return
        for connection in self._connections.values():
            connection.hang_up()
        _, left = await asyncio.wait(list(self._connections), timeout=GOODBYE_SECONDS)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _leave_if_alone(self) -> None:
        if not self._clients and not self._terms.is_staying:
            self._stop.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = _Connection(self, reader, writer)
        is_full = len(self._connections) >= CONNECTIONS_MAX
        self._connections[task] = connection
        try:
            await connection.run(is_full=is_full)
        except ConnectionError:
            pass  # the client went away; what it sent is done all the same
        except Exception as error:  # noqa: BLE001 - the outermost loop: a bug ends this session only
            traceback.print_exc(file=sys.stderr)
            told = ExchangeError(f"a bug in the exchange process: {error!r}; its log has the details")
            writer.write(protocol.frame(protocol.failure(0, told)))
        finally:
            del self._connections[task]
            writer.close()

    def enter(self) -> None:
        self._clients += 1

    def leave(self) -> None:
        self._clients -= 1
        asyncio.get_running_loop().call_later(self._terms.linger_seconds, self._leave_if_alone)


class _Connection:
    def __init__(
        self, server: LocalServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._owner = server.owner
        self._reader = reader
        self._writer = writer
        self._frames = Frames(protocol.REQUEST_MAX)
        self._watching: asyncio.Task[None] | None = None
        self._actor = SYSTEM_USER
        writer.transport.set_write_buffer_limits(high=WRITE_BUFFER)

    def hang_up(self) -> None:
        """Finish what is under way, read nothing more."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]
        self._reader.feed_eof()

    async def run(self, *, is_full: bool) -> None:
        try:
            check_peer(self._writer.get_extra_info("socket"))
            if is_full:
                raise ConnectionLost(f"the exchange has its maximum of {CONNECTIONS_MAX} connections")
            async with asyncio.timeout(HELLO_SECONDS):
                rest = await self._greet()
        except TimeoutError:
            return
        except ExchangeError as error:
            await self._reply(protocol.failure(0, error))
            return
        self._server.enter()
        try:
            await self._converse(rest)
        except ProtocolError as error:
            await self._reply(protocol.failure(0, error))
        finally:
            if self._watching is not None:
                self._watching.cancel()
                await asyncio.gather(self._watching, return_exceptions=True)
            self._server.leave()

    async def _greet(self) -> list[bytes]:
        """Who is it?  Returns what came with the first frame."""
        bodies: list[bytes] = []
        while not bodies:
            data = await self._reader.read(READ_BYTES)
            if not data:
                raise ConnectionResetError
            bodies = self._frames.feed(data)
        hello = protocol.read_request(bodies[0])
        if not isinstance(hello, Hello):
            raise ProtocolError("the first message must be a hello")
        if hello.version != protocol.VERSION:
            raise ProtocolError(
                f"this exchange speaks version {protocol.VERSION} of the protocol, not {hello.version}: "
                "stop it and start it again with the installed version"
            )
        state = self._owner.exchange.state
        actor = state.user_names.get(hello.user, SYSTEM_USER)
        if actor == SYSTEM_USER:
            raise AuthError(f"there is no user {hello.user!r} to act as")
        self._actor = actor
        seq = self._owner.exchange.journal.durable_seq
        await self._reply(Welcome(protocol.VERSION, actor, ENGINE_VERSION, seq))
        return bodies[1:]

    async def _converse(self, bodies: list[bytes]) -> None:
        while True:
            for body in bodies:
                if self._watching is not None:
                    raise ProtocolError("this connection only watches")
                await self._answer(protocol.read_request(body))
            data = await self._reader.read(READ_BYTES)
            if not data:
                return
            bodies = self._frames.feed(data)

    async def _answer(self, request: Request) -> None:
        if isinstance(request, Hello):
            raise ProtocolError("a second hello")
        try:
            reply = await self._result(request)
            await self._reply(reply)
        except ProtocolError:
            raise
        except ExchangeError as error:
            await self._reply(protocol.failure(request.id, error))

    async def _result(self, request: Send | Query | Watch | Save) -> Reply:
        if isinstance(request, Send):
            commands = protocol.commands_of(request.commands)
            return Receipts(request.id, protocol.receipt_rows(await self._owner.send(self._actor, commands)))
        if isinstance(request, Query):
            return Answer(request.id, await self._owner.query(self._actor, request.name, request.params))
        if isinstance(request, Save):
            await self._owner.save(request.kind, request.key, request.document)
            return Answer(request.id, None)
        ready = asyncio.Event()
        subscription = self._owner.hub.subscribe(self._actor, request.since, ready.set)
        self._watching = asyncio.create_task(self._pump(request.id, subscription, ready))
        return Answer(request.id, self._owner.hub.seq)

    async def _pump(self, id: int, subscription: Subscription, ready: asyncio.Event) -> None:
        try:
            while not subscription.is_lost:
                updates = subscription.take(UPDATES_MAX)
                if updates:
                    rows = protocol.update_rows(updates)
                    await self._reply(Updates(id, subscription.trades_dropped, rows))
                else:
                    ready.clear()
                    await ready.wait()
            await self._reply(Resume(id))
            self._writer.close()
        except asyncio.CancelledError:
            stopping = ConnectionLost("the exchange is stopping")
            self._writer.write(protocol.frame(protocol.failure(id, stopping)))
            raise
        except ConnectionError:
            pass
        finally:
            self._owner.hub.unsubscribe(subscription)

    async def _reply(self, reply: Reply | Failure) -> None:
        self._writer.write(protocol.frame(reply))
        await self._writer.drain()
