"""What the migration tool runs for each command; ``run.py`` hands it the open connection."""

from __future__ import annotations

from alembic import context

from exchange.adapters.sql.tables import metadata


def migrate() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,  # SQLite cannot alter most columns in place
    )
    with context.begin_transaction():
        context.run_migrations()


# The tool loads this file under this name; importing it otherwise must not touch a database.
if __name__ == "env_py":
    migrate()
