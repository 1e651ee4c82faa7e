"""The schema's history, and the one way to bring a database up to it."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from knowledge.database import Database


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the schema to `revision` (upwards, or down for an older one); nothing to do is no error.

    Where several processes start at once, PostgreSQL's advisory lock lets them in one by one; on SQLite
    there is one server process.
    """
    with database.engine.connect() as connection:
        if database.is_sqlite:
            # SQLite changes a table by making it anew and dropping the old one, which its foreign keys would forbid
            # (https://www.sqlite.org/lang_altertable.html#otheralter). Not within a transaction: there it does nothing.
            driver: Any = connection.connection.dbapi_connection  # SQLAlchemy's protocol names no execute()
            driver.execute("PRAGMA foreign_keys=OFF")
        else:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("SET lock_timeout = 0")
            connection.exec_driver_sql("SELECT pg_advisory_lock(20261124)")
        config = _config()
        config.attributes["connection"] = connection
        if revision == "head" or revision in _newer(connection_revision(database)):
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)
        if database.is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
            connection.rollback()
            raise RuntimeError(f"the migration would leave rows that refer to nothing: {broken[:5]}")
        connection.commit()
        # Closing the connection ends the lock, and the pragma; a pooled one would keep them.
        connection.invalidate()


def is_current(database: Database) -> bool:
    """Whether the database's schema is the one this program was written for."""
    return connection_revision(database) == ScriptDirectory.from_config(_config()).get_current_head()


def connection_revision(database: Database) -> str | None:
    """The revision the database says it has; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _newer(revision: str | None) -> set[str]:
    script = ScriptDirectory.from_config(_config())
    return {step.revision for step in script.iterate_revisions("head", revision or "base")}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
