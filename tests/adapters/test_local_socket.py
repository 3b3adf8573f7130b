"""The socket of one machine: who may come, what nonsense does, what a slow or leaving client does."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange import protocol
from exchange.adapters import local_server, local_socket
from exchange.adapters.local_client import LocalClient
from exchange.adapters.local_socket import PATH_MAX, check_peer, connected, listening, socket_path
from exchange.core.messages import PlaceOrder
from exchange.core.terms import BUY, LIMIT
from exchange.errors import AuthError, ConnectionLost, ExchangeError, ProtocolError
from exchange.protocol import (
    PREFIX,
    Answer,
    Failure,
    Frames,
    Hello,
    Query,
    Reply,
    Request,
    Send,
    Watch,
    Welcome,
)
from exchange.runtime import hub
from tests.contracts.running import RunningOwner, quiet_config

HELLO = Hello(protocol.VERSION, "local")
ORDER = PlaceOrder(3, 0, BUY, LIMIT, 10, 6_000_000)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[RunningOwner]:
    with RunningOwner(quiet_config(tmp_path)) as running:
        yield running
    assert running.error is None


class Raw:
    """A connection that can send anything."""

    def __init__(self, owner: RunningOwner) -> None:
        found = connected(socket_path(owner.config.folder), 60)
        assert found is not None
        self.socket = found
        self.frames = Frames(protocol.REPLY_MAX)
        self.bodies: list[bytes] = []

    def send(self, *messages: Request) -> None:
        self.socket.sendall(b"".join(protocol.frame(message) for message in messages))

    def read(self) -> Reply | None:
        """None when the other side has closed."""
        while not self.bodies:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionError:
                return None
            if not data:
                return None
            self.bodies = self.frames.feed(data)
        return protocol.read_reply(self.bodies.pop(0))

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()


# -- the address ---------------------------------------------------------------------------------


def test_the_socket_lies_in_the_store(tmp_path: Path) -> None:
    home = Path("/short")
    assert socket_path(home) == home / "exchange.sock"


def test_a_long_path_becomes_a_short_one_that_every_process_finds(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100) / ("y" * 50)
    path = socket_path(home)
    assert len(os.fsencode(path)) <= PATH_MAX
    assert path == socket_path(home)
    assert path != socket_path(home / "z")


def test_a_store_with_a_long_path_can_be_attached_to(tmp_path: Path) -> None:
    config = quiet_config(tmp_path / ("x" * 120))
    with RunningOwner(config) as running:
        assert running.first.query("status")["instruments"] > 0
        path = socket_path(config.folder)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


def test_only_the_owner_of_the_store_may_open_the_socket(owner: RunningOwner) -> None:
    path = socket_path(owner.config.folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_short_folder_that_others_can_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_socket, "SHORT_ROOT", tmp_path)
    monkeypatch.setattr(local_socket, "PATH_MAX", 5)
    path = socket_path(tmp_path / "home")
    path.parent.mkdir()
    path.parent.chmod(0o777)
    with pytest.raises(AuthError, match="not a private folder"):
        listening(path)


def test_what_an_earlier_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "exchange.sock"
    listening(path).close()
    assert path.exists()
    assert connected(path, 1) is None
    with listening(path):
        found = connected(path, 60)
        assert found is not None
        found.close()


def test_nobody_listens(tmp_path: Path) -> None:
    assert connected(tmp_path / "nothing.sock", 1) is None
    (tmp_path / "file").write_text("")
    assert connected(tmp_path / "file", 1) is None
    assert connected(tmp_path / "file" / "below", 1) is None
    with pytest.raises(ConnectionLost, match="no exchange is listening"):
        LocalClient(tmp_path / "nothing.sock", "local")


def test_the_other_end_must_be_the_same_user(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        check_peer(one)
        monkeypatch.setattr(os, "getuid", lambda: 12_345)
        with pytest.raises(AuthError, match="belongs to user"):
            check_peer(one)


# -- who is there ----------------------------------------------------------------------------------


def test_hello_is_answered_with_versions_user_and_place(owner: RunningOwner) -> None:
    with Raw(owner) as raw:
        raw.send(HELLO)
        welcome = raw.read()
    assert isinstance(welcome, Welcome)
    assert (welcome.version, welcome.user, welcome.engine_version) == (protocol.VERSION, 1, 1)
    assert welcome.seq == owner.first.query("status")["seq"]


@pytest.mark.parametrize(
    ("hello", "kind", "part"),
    [
        (Hello(protocol.VERSION + 1, "local"), "ProtocolError", "speaks version"),
        (Hello(protocol.VERSION, "nobody"), "AuthError", "no user 'nobody'"),
        (Hello(protocol.VERSION, "system"), "AuthError", "no user 'system'"),
        (Query(1, "status", {}), "ProtocolError", "must be a hello"),
    ],
)
def test_who_does_not_introduce_himself_is_shown_out(
    owner: RunningOwner, hello: Request, kind: str, part: str
) -> None:
    with Raw(owner) as raw:
        raw.send(hello)
        told = raw.read()
        assert isinstance(told, Failure)
        assert told.kind == kind
        assert part in told.text
        assert raw.read() is None
    assert owner.first.query("status")


def test_the_client_raises_what_it_is_told_at_the_door(owner: RunningOwner) -> None:
    with pytest.raises(AuthError, match="no user 'nobody'"):
        LocalClient(socket_path(owner.config.folder), "nobody")


def test_there_is_a_limit_to_connections(owner: RunningOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_server, "CONNECTIONS_MAX", 3)
    path = socket_path(owner.config.folder)
    clients = [LocalClient(path, "local") for _ in range(2)]
    with pytest.raises(ConnectionLost, match="maximum of 3 connections"):
        LocalClient(path, "local")
    for client in clients:
        client.close()


def test_who_says_nothing_is_shown_out(owner: RunningOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    assert owner.first.query("status")
    monkeypatch.setattr(local_server, "HELLO_SECONDS", 0.0)
    with Raw(owner) as raw:
        with contextlib.suppress(BrokenPipeError):
            raw.socket.sendall(b"\0\0")
        assert raw.read() is None
    assert owner.first.query("status")


# -- nonsense --------------------------------------------------------------------------------------

NONSENSE: list[bytes] = [
    PREFIX.pack(protocol.REQUEST_MAX + 1),
    PREFIX.pack(3) + b"\xc1\xc1\xc1",
    PREFIX.pack(0),
    PREFIX.pack(2) + b"\x91\x63",
    b"GET / HTTP/1.1\r\n\r\n" * 10,
    PREFIX.pack(6) + msgspec.msgpack.encode([2, 1, [[1]]])[:6],
    protocol.frame(Send(1, [(1, b"\x91\xa1x")])),
    protocol.frame(Send(1, [(12345, b"\x90")])),
    protocol.frame(HELLO),
]


@pytest.mark.parametrize("data", NONSENSE, ids=lambda data: repr(data[:12]))
def test_nonsense_ends_the_connection_and_nothing_else(owner: RunningOwner, data: bytes) -> None:
    seq = owner.first.query("status")["seq"]
    with Raw(owner) as raw:
        raw.send(HELLO)
        assert isinstance(raw.read(), Welcome)
        raw.socket.sendall(data)
        told = raw.read()
        assert isinstance(told, Failure)
        assert told.kind == "ProtocolError"
        assert raw.read() is None
    assert owner.first.query("status")["seq"] == seq


@given(data=st.binary(min_size=1, max_size=64), is_greeted=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes_never_reach_the_engine(owner: RunningOwner, data: bytes, is_greeted: bool) -> None:
    seq = owner.first.query("status")["seq"]
    with Raw(owner) as raw:
        if is_greeted:
            raw.send(HELLO)
        raw.socket.sendall(struct.pack(">I", len(data)) + data)
        raw.socket.shutdown(socket.SHUT_WR)
        while raw.read() is not None:
            pass
    assert owner.first.query("status")["seq"] == seq


def test_an_answer_too_large_for_a_frame_is_an_error_not_an_end(
    owner: RunningOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "REPLY_MAX", 2_000)
    with pytest.raises(ExchangeError, match="above the limit of 2000"):
        owner.first.query("instruments")
    assert owner.first.query("status")


# -- coming and going --------------------------------------------------------------------------------


def test_a_frame_cut_short_by_a_client_that_leaves_is_not_acted_on(owner: RunningOwner) -> None:
    seq = owner.first.query("status")["seq"]
    whole = protocol.frame(Send(1, protocol.command_rows([ORDER])))
    with Raw(owner) as raw:
        raw.send(HELLO)
        raw.socket.sendall(whole[:-1])
    assert owner.first.query("status")["seq"] == seq


def test_an_order_whose_sender_does_not_wait_is_placed(owner: RunningOwner) -> None:
    updates = owner.first.watch()
    with Raw(owner) as raw:
        raw.send(HELLO)
        assert isinstance(raw.read(), Welcome)
        raw.send(Send(1, protocol.command_rows([ORDER])))
    assert [type(event).__name__ for event in next(updates).events] == ["OrderAccepted", "LevelChanged"]


def test_requests_in_one_go_are_answered_in_order(owner: RunningOwner) -> None:
    with Raw(owner) as raw:
        raw.send(
            HELLO,
            Query(1, "status", {}),
            Send(2, protocol.command_rows([ORDER])),
            Query(3, "nonsense", {}),
            Query(4, "orders", {}),
        )
        replies = [raw.read() for _ in range(5)]
    assert [getattr(reply, "id", 0) for reply in replies] == [0, 1, 2, 3, 4]
    assert isinstance(replies[3], Failure)
    assert isinstance(replies[4], Answer)
    assert len(replies[4].rows) == 1


def test_a_watching_connection_takes_no_requests(owner: RunningOwner) -> None:
    with Raw(owner) as raw:
        raw.send(HELLO, Watch(1, None))
        assert isinstance(raw.read(), Welcome)
        assert isinstance(raw.read(), Answer)
        raw.send(Query(2, "status", {}))
        replies = [reply for reply in iter(raw.read, None) if isinstance(reply, Failure)]
    assert replies[0].text == "this connection only watches"


def test_a_watcher_too_slow_for_its_own_events_resumes_and_misses_none(
    owner: RunningOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "PENDING_MAX", 50)
    monkeypatch.setattr(hub, "OWN_MAX", 100)
    updates = owner.first.watch()
    count = 6_000
    receipts = owner.first.send([ORDER] * count)
    seen = list(islice(updates, count))
    assert [update.seq for update in seen] == [receipt.seq for receipt in receipts]


def test_a_slow_question_does_not_hold_up_an_order(owner: RunningOwner) -> None:
    client = owner.attach()
    assert isinstance(client, LocalClient)
    client.query("status")
    assert client._questions is not None
    with client._questions._lock:  # as while an answer is being waited for
        assert client.send([ORDER])[0].reject is None
    client.close()


def test_questions_find_a_new_way_after_their_connection_broke(owner: RunningOwner) -> None:
    client = owner.attach()
    assert isinstance(client, LocalClient)
    client.query("status")
    assert client._questions is not None
    client._questions.close()
    with pytest.raises(ConnectionLost):
        client.query("status")
    assert client.query("status")
    client.close()


@pytest.mark.parametrize(
    "reply", [lambda: b"", lambda: PREFIX.pack(2) + b"\x91\x63"], ids=["closes", "babbles"]
)
def test_a_server_that_is_none_is_an_error(tmp_path: Path, reply: Callable[[], bytes]) -> None:
    path = tmp_path / "exchange.sock"
    with listening(path) as server:
        server.settimeout(60)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(reply())

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises((ConnectionLost, ProtocolError)):
            LocalClient(path, "local")
        thread.join(60)
