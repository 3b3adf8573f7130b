"""Ports in memory for the drivers' tests: a journal whose sync can be held up or fail, a scripted
feed, and an exchange with one instrument and one funded account."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from exchange.client import Receipt, Update
from exchange.core.commands import (
    Deposit,
    ListAsset,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    RegisterUser,
)
from exchange.core.engine import Engine
from exchange.core.messages import Command, Record
from exchange.core.state.root import State
from exchange.core.terms import BUY, GTC, LIMIT, ROLE_SUPER_ADMIN, SYSTEM_USER
from exchange.core.units import SECOND
from exchange.directory import Directory
from exchange.errors import DataError, JournalFailed, NotFound
from exchange.runtime.ports import Clock, JournalFull, Position, Request, Snapshot, Snapshots
from exchange.runtime.sequencer import Exchange, SequencerOptions

START = 1_790_000_000 * SECOND
USER, ACCOUNT = 1, 3
UNWRITABLE = "unwritable"  # an order with this client order id is refused by the journal


class MemoryJournal:
    """gate: closed, a sync waits in it.   failing: the next sync fails.   is_full: no room to append."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.durable_seq = 0
        self.syncs = 0
        self.gate = threading.Event()
        self.gate.set()
        self.failing = False
        self.is_full = False
        self.notes: list[str] = []

    @property
    def last_seq(self) -> int:
        return len(self.records)

    def recover(self, after: Position | None = None) -> Iterator[Record]:
        return iter(())

    def append(self, records: Sequence[Record]) -> None:
        if self.is_full:
            raise JournalFull("no room")
        for record in records:
            if getattr(record.command, "client_order_id", "") == UNWRITABLE:
                raise DataError("cannot be written")
        self.records += records

    def sync(self) -> None:
        last = len(self.records)
        self.gate.wait()
        if self.failing:
            raise JournalFailed("the disk is broken")
        self.syncs += 1
        self.durable_seq = last

    def position(self) -> Position:
        return Position(self.last_seq, 1, 0, 0, b"")

    def read(self, after: int = 0) -> Iterator[Record]:
        return iter(self.records[after : self.durable_seq])

    def make_room(self) -> None: ...

    def close(self) -> None: ...


class MemorySnapshots:
    def __init__(self) -> None:
        self.saved: list[Snapshot] = []
        self.notes: list[str] = []
        self.failing = False

    def save(self, snapshot: Snapshot) -> None:
        if self.failing:
            raise JournalFull("no room for a snapshot")
        self.saved.append(snapshot)

    def newest(self, at_most: int | None = None) -> Snapshot | None:
        return self.saved[-1] if self.saved else None

    def digests(self) -> dict[int, str]:
        return {}


class NoHistory:
    names = frozenset({"order", "fills"})

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.is_closed = False

    def follow(self, updates: Sequence[Update]) -> None: ...

    def query(self, name: str, directory: Directory, **params: Any) -> Any:
        assert isinstance(directory, Directory)
        self.asked.append((name, params))
        return [{"history": name}]

    def close(self) -> None:
        self.is_closed = True


class MemoryDocuments:
    names = frozenset({"document", "documents"})

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}

    def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        if document is None:
            self.kept.pop((kind, key), None)
        else:
            self.kept[kind, key] = document

    def query(self, name: str, **params: Any) -> Any:
        try:
            return self.kept[params["kind"], params["key"]]
        except KeyError:
            raise NotFound("no such document") from None


class SteppingClock:
    """Every look at it moves it on."""

    def __init__(self, step: int = SECOND, now: int = START) -> None:
        self.time = now
        self.step = step

    def now(self) -> int:
        self.time += self.step
        return self.time


class ScriptedFeed:
    """steps: (engine time, commands of the user).   answers: what came back, step by step."""

    def __init__(
        self, steps: Sequence[tuple[int, Sequence[Command]]], needs: Sequence[Sequence[Request]] = ()
    ) -> None:
        self.steps = list(steps)
        self.needs = list(needs)
        self.answers: list[list[Receipt]] = []
        self.times: list[int] = []

    def prepare(self, state: State) -> list[Request]:
        return list(self.needs.pop(0)) if self.needs else []

    def due(self) -> int | None:
        return self.steps[0][0] if self.steps else None

    def step(self, state: State, now: int) -> list[Request]:
        assert len(self.answers) == len(self.times)
        self.times.append(now)
        return [(USER, command) for command in self.steps.pop(0)[1]]

    def answered(self, receipts: Sequence[Receipt]) -> None:
        self.answers.append(list(receipts))


def order(limit: int = 100, name: str = "", tif: int = GTC, expires: int = 0) -> PlaceOrder:
    return PlaceOrder(ACCOUNT, 0, BUY, LIMIT, 1, limit, tif, expires=expires, client_order_id=name)


def founded(
    journal: MemoryJournal,
    clock: Clock,
    snapshots: Snapshots | None = None,
    options: SequencerOptions | None = None,
) -> Exchange:
    """One instrument, the user ``local`` and the account ``main`` with a million USD."""
    exchange = Exchange(Engine(), journal, clock, snapshots, options)
    listing = ListInstrument(
        symbol="ABC",
        name="Abc",
        venue="X",
        base=0,
        quote=1,
        tick_units=1,
        price_decimals=2,
        lot_units=1,
        quantity_decimals=0,
    )
    commands: list[Command] = [
        ListAsset(symbol="ABC", exponent=0),
        ListAsset(symbol="USD", exponent=2),
        listing,
        RegisterUser(name="local", role=ROLE_SUPER_ADMIN),
        OpenAccount(name="main", owner=USER),
        Deposit(account=ACCOUNT, asset=1, amount=100_000_000),
    ]
    for receipt in exchange.commit([(SYSTEM_USER, command) for command in commands]):
        assert receipt.reject is None
    return exchange


def owner_of(exchange: Exchange) -> Callable[[int], int]:
    accounts = exchange.state.accounts
    return lambda account: accounts[account].owner
