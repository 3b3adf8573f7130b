"""The read models of a store: opened when asked, brought up to date, fed from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.adapters.archive import FILE, Archive
from exchange.adapters.clock import SystemClock
from exchange.adapters.store import open_exchange
from exchange.core.commands import Deposit, ListAsset, OpenAccount, RegisterUser
from exchange.core.messages import Command
from exchange.core.terms import SYSTEM_USER
from exchange.directory import Directory
from exchange.errors import ConnectionLost, NotFound
from exchange.runtime.sequencer import Exchange

FOUNDING: list[Command] = [
    ListAsset(symbol="USD", exponent=2),
    RegisterUser(name="local"),
    OpenAccount(name="main", owner=1),
]


def paid(exchange: Exchange, count: int) -> None:
    commands = [Deposit(account=3, asset=0, amount=100)] * count
    exchange.commit([(SYSTEM_USER, command) for command in commands])


def opened(home: Path) -> tuple[Exchange, Archive]:
    exchange = open_exchange(home, SystemClock())
    if exchange.state.seq == 0:
        exchange.commit([(SYSTEM_USER, command) for command in FOUNDING])
    return exchange, Archive(home, exchange)


def deposits(exchange: Exchange, archive: Archive) -> int:
    rows = archive.query("statement", Directory.of(exchange.state), account="main", limit=1_000)
    return len(rows)


def test_nothing_is_opened_before_somebody_asks(tmp_path: Path) -> None:
    exchange, archive = opened(tmp_path)
    paid(exchange, 3)
    archive.close()
    exchange.close()
    assert not (tmp_path / FILE).exists()


def test_what_came_before_and_after_the_opening_is_in_the_answers(tmp_path: Path) -> None:
    exchange, archive = opened(tmp_path)
    paid(exchange, 3)
    assert deposits(exchange, archive) == 3
    paid(exchange, 2)
    assert deposits(exchange, archive) == 5
    archive.close()
    exchange.close()


def test_what_happened_while_it_was_closed_is_read_from_the_journal(tmp_path: Path) -> None:
    exchange, archive = opened(tmp_path)
    paid(exchange, 3)
    assert deposits(exchange, archive) == 3
    archive.close()
    paid(exchange, 4)
    exchange.close()
    exchange, archive = opened(tmp_path)
    paid(exchange, 1)
    assert deposits(exchange, archive) == 8
    archive.close()
    exchange.close()


@pytest.mark.parametrize("content", [None, b"", b"not a database at all"])
def test_a_file_that_is_gone_or_damaged_is_made_again(tmp_path: Path, content: bytes | None) -> None:
    exchange, archive = opened(tmp_path)
    paid(exchange, 3)
    assert deposits(exchange, archive) == 3
    archive.close()
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    archive = Archive(tmp_path, exchange)
    assert deposits(exchange, archive) == 3
    archive.close()
    exchange.close()


def test_a_file_of_another_journal_is_made_again(tmp_path: Path) -> None:
    exchange, archive = opened(tmp_path / "one")
    paid(exchange, 3)
    assert deposits(exchange, archive) == 3
    archive.close()
    exchange.close()
    exchange, archive = opened(tmp_path / "two")
    (tmp_path / "one" / FILE).replace(tmp_path / "two" / FILE)
    paid(exchange, 5)
    assert deposits(exchange, archive) == 5
    archive.close()
    exchange.close()


def test_a_closed_archive_answers_nothing(tmp_path: Path) -> None:
    exchange, archive = opened(tmp_path)
    archive.close()
    archive.close()
    with pytest.raises(ConnectionLost):
        archive.query("fills", Directory.of(exchange.state), account="main")
    exchange.close()


def test_every_query_of_the_history_is_known_here(tmp_path: Path) -> None:
    exchange, archive = opened(tmp_path)
    with pytest.raises(NotFound) as caught:
        archive.query("nonsense", Directory.of(exchange.state))
    listed = str(caught.value).partition("there are: ")[2]
    assert sorted(archive.names) == listed.split(", ")
    archive.close()
    exchange.close()
