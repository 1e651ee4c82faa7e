"""The schema's history, and the one way to bring a database up to it."""

from pathlib import Path

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
        if not database.is_sqlite:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("SET lock_timeout = 0")
            connection.exec_driver_sql("SELECT pg_advisory_lock(20261124)")
        config = _config()
        config.attributes["connection"] = connection
        if revision == "head" or revision in _newer(connection_revision(database)):
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)
        connection.commit()
        # Closing the connection ends the lock; a pooled one would keep it.
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
