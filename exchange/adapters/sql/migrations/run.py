"""Move a database of read models between revisions.  Never on the way of a command line start.

A file of another revision is rebuilt by the exchange anyway; migrations are for a database that
is too large to fold again while people wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from exchange.adapters.sql.database import open_engine


def migrate(url: str, revision: str = "head") -> None:
    """Up to the revision.  url: of an async driver.  Not from inside a running event loop."""
    asyncio.run(_run(url, lambda config: command.upgrade(config, revision)))


def rollback(url: str, revision: str) -> None:
    """Down to the revision; ``base`` leaves no table."""
    asyncio.run(_run(url, lambda config: command.downgrade(config, revision)))


def head() -> str | None:
    """The newest revision there is a migration for."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


async def _run(url: str, work: Callable[[Config], None]) -> None:
    def inside(connection: Connection) -> None:
        config = _config()
        attributes: dict[str, Any] = config.attributes
        attributes["connection"] = connection
        work(config)

    engine = open_engine(url)
    try:
        async with engine.execution_options(is_writer=True).begin() as connection:
            await connection.run_sync(inside)
    finally:
        await engine.dispose()
