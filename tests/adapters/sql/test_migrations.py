"""Migrations lead to the very schema a fresh file gets, and back to nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exchange.adapters.sql.database import open_engine, open_file, url_of
from exchange.adapters.sql.migrations.run import head, migrate, rollback
from exchange.adapters.sql.tables import REVISION, metadata

ROOT = Path(__file__).parents[3]


def schema(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        return connection.execute(query).fetchall()


def create(path: Path) -> None:
    async def run() -> None:
        engine, _ = await open_file(path)
        await engine.dispose()

    asyncio.run(run())


def test_the_newest_revision_is_the_one_a_fresh_file_is_stamped_with() -> None:
    assert head() == REVISION


def test_migrating_up_equals_a_fresh_file(tmp_path: Path) -> None:
    create(tmp_path / "fresh.db")
    migrate(url_of(tmp_path / "migrated.db"))
    assert schema(tmp_path / "migrated.db") == schema(tmp_path / "fresh.db")
    for name in ("fresh.db", "migrated.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            assert connection.execute("SELECT * FROM checkpoint").fetchall() == [(1, 0, 0, "")]
            assert connection.execute("SELECT * FROM alembic_version").fetchall() == [(REVISION,)]


def test_the_migration_tool_finds_nothing_to_change(tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[Any]:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async def compare() -> list[Any]:
        engine = open_engine(url_of(tmp_path / "x.db"))
        async with engine.connect() as connection:
            found = await connection.run_sync(differences)
        await engine.dispose()
        return found

    migrate(url_of(tmp_path / "x.db"))
    assert asyncio.run(compare()) == []


def test_down_leaves_no_table_and_up_again_works(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    migrate(url_of(path))
    before = schema(path)
    rollback(url_of(path), "base")
    assert [name for kind, name, _ in schema(path) if kind == "table"] == ["alembic_version"]
    migrate(url_of(path), REVISION)
    assert schema(path) == before


def test_a_migrated_file_is_accepted_and_filled(played: Any, folded: Any, dump: Any, tmp_path: Path) -> None:
    updates = played(31, 80).updates
    migrate(url_of(tmp_path / "migrated.db"))
    assert dump(folded(tmp_path / "migrated.db", updates)) == dump(folded(tmp_path / "x.db", updates))


def test_reading_and_writing_needs_no_migration_tool() -> None:
    code = (
        "import sys, exchange.adapters.sql.read_models as light;"
        "assert not {'sqlalchemy', 'aiosqlite', 'alembic'} & set(sys.modules);"
        "import exchange.adapters.sql.history, exchange.adapters.sql.projector;"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
