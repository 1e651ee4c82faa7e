"""Empty, migrated databases for tests: each kind's schema is made once a process, then used again and again.

Making a schema anew for every test took a third of the whole run. That the migrations work is tested on its own
(tests/knowledge/test_storage.py, and the commands that start on nothing).
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest
from sqlalchemy import delete, text
from sqlmodel import SQLModel

from knowledge.database import PATIENT, Database, Waits
from knowledge.migrations import is_current, migrate

SERVER = os.environ.get("FAWEN_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
# Databases of this process that no test uses just now.
_free: list[str] = []
_made: list[str] = []


@contextmanager
def opened_database(kind: str, folder: Path, waits: Waits = PATIENT) -> Iterator[Database]:
    """An empty, migrated database of a kind; an SQLite file is made in `folder`."""
    if kind == "sqlite":
        file = folder / "test.sqlite3"
        shutil.copy(_sqlite_schema(), file)
        database = Database(f"sqlite:///{file}", waits=waits)
        yield database
        database.dispose()
        return
    name = _free.pop() if _free else _postgres_schema()
    database = Database(_url(name), waits=waits)
    try:
        yield database
    finally:
        database.dispose()
        _empty(name)


def drop_databases() -> None:
    """Leave nothing on the server: for the end of the run."""
    if not _made:
        return
    with psycopg.connect(SERVER, autocommit=True) as control:
        for name in _made:
            control.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    _made.clear()


@cache
def _sqlite_schema() -> Path:
    file = Path(mkdtemp(prefix="fawen-schema-")) / "empty.sqlite3"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.dispose()
    return file


def _postgres_schema() -> str:
    try:
        control = psycopg.connect(SERVER, autocommit=True, connect_timeout=30)
    except psycopg.OperationalError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL at {SERVER}: {error}")
    name = f"fawen_test_{secrets.token_hex(6)}"
    with control:
        control.execute(f"CREATE DATABASE {name}".encode())
        _made.append(name)
        # What a crash of the server would lose of a test's rows is no matter.
        control.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
    database = Database(_url(name))
    migrate(database)
    database.dispose()
    return name


def _empty(name: str) -> None:
    """Make a used database as good as new, or let go of it where a test has left another schema."""
    database = Database(_url(name))
    if is_current(database):
        with database.engine.begin() as connection:
            # A process that the test started may still hold on to it.
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            for table in reversed(SQLModel.metadata.sorted_tables):
                connection.execute(delete(table))
            for (sequence,) in connection.execute(text("SELECT sequencename FROM pg_sequences")).all():
                connection.execute(text(f"ALTER SEQUENCE {sequence} RESTART"))
        _free.append(name)
    database.dispose()


def _url(name: str) -> str:
    return f"{SERVER.rsplit('/', 1)[0].replace('postgresql://', 'postgresql+psycopg://')}/{name}"
