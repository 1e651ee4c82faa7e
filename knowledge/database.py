"""Engine, units of work, and the column types every table uses."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Insert,
    Select,
    TypeDecorator,
    Update,
    bindparam,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlmodel import Session, SQLModel

# Set before any table is defined, so that every constraint has a name a migration can speak of.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


Row = TypeVar("Row", bound=SQLModel)


@dataclass(frozen=True)
class Waits:
    """How long to wait, in seconds: for a connection of the pool, for the server to let one in, for a lock, for a
    statement (the last two: PostgreSQL; an SQLite file has one lock and no limit on a statement)."""

    pool_s: float
    connect_s: int
    lock_s: float
    statement_s: float


# Within a message's turn the waits for a connection, a lock and a statement must add up to less than the 5 s that
# WeChat gives a reply (wechat.md §1.5), so that the asker still gets an honest text.
WITHIN_A_REPLY = Waits(pool_s=1.0, connect_s=2, lock_s=1.5, statement_s=1.2)
# A command or a job: nobody's five seconds run, and giving up would lose its work.
PATIENT = Waits(pool_s=60, connect_s=30, lock_s=60, statement_s=600)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite keeps no zone, so it is put back when the value is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time, which would be read as UTC whatever the caller meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time back with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class seconds_of(GenericFunction[int]):  # noqa: N801 # reads as the SQL function that it is
    """The whole seconds since 1970 (UTC) of a time in the database, for arithmetic over very many rows.

    Making a `datetime` of each took most of the time that a year's figures took.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(seconds_of, "sqlite")
def _seconds_on_sqlite(element: seconds_of, compiler: SQLCompiler, **options: Any) -> str:  # Any: the compiler's own
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


@compiles(seconds_of, "postgresql")
def _seconds_on_postgresql(element: seconds_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(floor(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)})) AS BIGINT)"


class Database:
    """One engine and its units of work.

    `reading()` is for looking; `writing()` commits, or rolls back and raises. On SQLite a unit that writes
    starts with BEGIN IMMEDIATE and runs one at a time per process: with the driver's default, concurrent
    read-then-write units lost updates in silence (style.md §9).
    """

    def __init__(self, url: str, *, pool_size: int = 20, waits: Waits = PATIENT) -> None:
        """Open the engine for `url`; nothing is connected until first use."""
        self.url = url
        self.waits = waits
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self._write_lock = threading.RLock()
        if self.is_sqlite:
            path = make_url(url).database
            if path:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=waits.pool_s,
                connect_args={"timeout": waits.lock_s, "check_same_thread": False},
            )
            _prepare_sqlite(self.engine)
        else:
            limits = f"-c lock_timeout={int(waits.lock_s * 1000)} -c statement_timeout={int(waits.statement_s * 1000)}"
            self.engine = create_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=waits.pool_s,
                pool_pre_ping=True,
                connect_args={"options": limits, "connect_timeout": waits.connect_s},
            )

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session to look with; whatever it changed is rolled back."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One unit of work: commits at the end, rolls back and re-raises on any error."""
        with self.turn_to_write(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            if self.is_sqlite:
                session.connection(execution_options={"immediate": True})
            yield session

    @contextmanager
    def turn_to_write(self) -> Iterator[None]:
        """This process's turn to write to an SQLite file; on PostgreSQL there are no turns.

        `writing` takes it by itself. Who takes it earlier works out what is to be written while nobody else of the
        process does: threads that all computed at once, and wrote in turn, handed the interpreter's lock to and fro
        at every statement, and took twice the processor time.
        """
        if not self.is_sqlite:
            yield
            return
        if not self._write_lock.acquire(timeout=self.waits.lock_s):
            raise TimeoutError(f"another write has held the SQLite file for {self.waits.lock_s} s")
        try:
            yield
        finally:
            self._write_lock.release()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def insert_if_absent(session: Session, model: type[SQLModel], **values: object) -> None:
    """Insert a row unless one with the same unique value is there, from another process at the same moment too."""
    table = inspect(model).local_table
    insert_into = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(insert_into(table).values(**values).on_conflict_do_nothing())


def insert_absent(session: Session, model: type[SQLModel], names: Sequence[str], rows: Select[Any]) -> int:
    """Insert the rows of a select, but those whose unique values are there already; gives how many went in.

    `names` are the columns in the order of the select. Any: each column has its own type.
    """
    insert_into = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    statement = insert_into(inspect(model).local_table).from_select(names, rows).on_conflict_do_nothing()
    # Of an insert, SQLAlchemy keeps the count only where it is asked to.
    return session.connection().execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def values_of(row: SQLModel) -> dict[str, Any]:
    """A row's values by column. Any: each column has its own type."""
    return {name: getattr(row, name) for name in _statements(type(row)).names}


def insert_row(connection: Connection, row: SQLModel) -> Any:
    """Insert a row that is no object of a session, and give its key (Any: an integer or a text).

    For what every message reads and writes: a session's bookkeeping took several times what the database did.
    """
    values = {name: value for name, value in values_of(row).items() if value is not None}
    key = connection.execute(_statements(type(row)).insert, values).inserted_primary_key
    assert key is not None, "a single row's insert"
    return key[0]


def update_row(connection: Connection, row: SQLModel, stored: Mapping[str, object]) -> None:
    """Write what of a row is different from what is `stored` (as `values_of` gave it); its key stays."""
    changed = {name: value for name, value in values_of(row).items() if value != stored[name]}
    statements = _statements(type(row))
    if changed:
        connection.execute(statements.update, {**changed, _KEY: stored[statements.key]})


def read_row(connection: Connection, model: type[Row], key: object) -> Row | None:
    """A row by its key, as no object of a session."""
    found = connection.execute(_statements(model).select, {_KEY: key}).first()
    return model(**found._mapping) if found else None


_KEY = "key_of_row"


@dataclass(frozen=True, slots=True)
class _Statements:
    """A table's statements, built once: building one anew takes longer than running it."""

    names: tuple[str, ...]
    key: str
    insert: Insert
    update: Update
    select: Select[Any]


@cache
def _statements(model: type[SQLModel]) -> _Statements:
    table = inspect(model).local_table
    (key,) = table.primary_key.columns
    is_it = key == bindparam(_KEY)
    return _Statements(
        tuple(table.columns.keys()),
        key.name,
        insert(table),
        update(table).where(is_it),
        select(table).where(is_it),
    )


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # The driver must not open transactions by itself: `writing()` says BEGIN IMMEDIATE.
        # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable
        sqlite: Any = connection  # the protocol type does not name the driver's own attribute
        sqlite.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
