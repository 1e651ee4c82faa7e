"""What every command group needs: the database, errors as exit codes, progress on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from bot.main import THREADS
from bot.settings import SettingsError
from knowledge import curation, seeding
from knowledge.database import Database
from knowledge.errors import KnowledgeError, NotFound
from knowledge.migrations import is_current, migrate
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import now_utc


def open_database(settings: KnowledgeSettings) -> Database:
    """The database, its embedded SQLite file made, migrated and filled with the shipped FAQ if need be."""
    database = Database(settings.url, pool_size=THREADS)
    if database.is_sqlite:
        migrate(database)
        with database.reading() as session:
            is_empty = curation.content_version(session) == 0
        if is_empty:
            with database.writing() as session:
                seeding.seed(session, now_utc())
    elif not is_current(database):
        fail(2, "the database's schema is not this version's: run  fawen migrate")
    return database


@contextmanager
def usage_errors() -> Iterator[None]:
    """An error the operator can mend becomes its message and exit 2; a name nobody knows is a finding, exit 1."""
    try:
        yield
    except NotFound as error:
        fail(1, str(error))
    except (KnowledgeError, SettingsError, ValueError) as error:
        fail(2, str(error))


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Something to tell (done, total): a bar on standard error where that is a terminal, else nothing."""
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed}/{task.total}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def fail(code: int, message: str) -> NoReturn:
    """Print the message on standard error and exit."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
