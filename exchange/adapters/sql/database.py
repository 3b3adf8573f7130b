"""Opening the file of the read models: connections, pragmas, and what to do with a file that does not fit.

The journal is the truth, so a file that is missing, damaged, of another schema or of another
journal is not repaired but made anew, empty, to be filled again.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from exchange.adapters.sql.tables import REVISION, checkpoint, metadata

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # the journal is the truth: a lost tail is folded again
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
)

# The table in which the migration tool keeps its revision, as it makes it itself.
version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


class Checkpoint(NamedTuple):
    """The last record folded and its time.  journal: identity of the journal it was in."""

    seq: int
    ts: int
    journal: str


class Compilable(Protocol):
    def compile(self, *, dialect: Dialect) -> object: ...


class Prepared:
    """A statement compiled once, for plain tuples: names says their order."""

    __slots__ = ("names", "sql")

    def __init__(self, dialect: Dialect, statement: Compilable) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self.sql: str = str(compiled)
        self.names: list[str] = list(compiled.positiontup)


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def open_engine(url: str) -> AsyncEngine:
    """An engine whose transactions begin where ``begin`` says so.

    The driver's own habit is to begin before the first write only, so that reads inside a
    transaction would not see one moment.  Writers ask for the lock at once.
    """
    engine = create_async_engine(url)
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, record: object) -> None:
        del record
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get("is_writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


async def open_file(path: Path, journal: str = "") -> tuple[AsyncEngine, Checkpoint]:
    """An engine on a file of this schema and this journal, made anew if it was neither.

    journal: identity of the journal, "" to accept any.
    """
    if await asyncio.to_thread(path.exists):
        engine = open_engine(url_of(path))
        known = await _checkpoint_of(engine)
        if known is not None and (not journal or known.journal in ("", journal)):
            return engine, known
        await engine.dispose()
        await asyncio.to_thread(delete_file, path)
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    engine = open_engine(url_of(path))
    await create(engine, journal)
    return engine, Checkpoint(0, 0, journal)


def delete_file(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


async def create(engine: AsyncEngine, journal: str = "") -> None:
    """Empty tables at the newest revision; the same as running every migration, only faster."""
    async with engine.execution_options(is_writer=True).begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.run_sync(version.create)
        await connection.execute(insert(version).values(version_num=REVISION))
        await connection.execute(insert(checkpoint).values(id=1, seq=0, ts=0, journal=journal))


async def _checkpoint_of(engine: AsyncEngine) -> Checkpoint | None:
    """None when the file is damaged, empty or of another schema."""
    try:
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
            if not names >= {*metadata.tables, version.name}:
                return None
            found = (await connection.execute(select(version.c.version_num))).scalars()
            if list(found) != [REVISION]:
                return None
            row = (await connection.execute(select(checkpoint))).one_or_none()
    except DatabaseError:
        return None
    return None if row is None else Checkpoint(row.seq, row.ts, row.journal)
