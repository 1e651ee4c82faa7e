"""The real thing for every test: migrated databases, a served application, the cast that asks and answers.

PostgreSQL is taken where it answers (`FAWEN_TEST_POSTGRES`, by default the machine's own); elsewhere those
tests skip and say so. With CI set, what would skip fails instead.
"""

import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from bot.main import create_app
from bot.settings import Account
from knowledge import curation, matching_data, seeding, staff
from knowledge.answering import Matcher
from knowledge.content import FAQ, FIGURES
from knowledge.content.entries import EntryForm, read_entries, read_figures
from knowledge.database import Database
from knowledge.models import Role
from knowledge.standing import StandingRules
from knowledge.working_days import now_utc
from tests.builders import cast_entries
from tests.databases import drop_databases, opened_database
from tests.wechat_user import WeChatPeer, WeChatUser

TOKEN = "token_for_tests"
APP_ID = "wx0123456789abcdef"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PASSWORD = "correct horse battery"
SECRET_KEY = "k" * 40
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
# Only a failure waits this long.
PATIENCE_S = 120
# A test that takes its time between two messages must not meet the server closing its connection at that moment.
KEEP_ALIVE_S = 600


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database of each kind."""
    with opened_database(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated SQLite database, where the kind of store is not the matter."""
    with opened_database("sqlite", tmp_path) as database:
        yield database


def pytest_sessionfinish() -> None:
    """Take the run's databases off the server."""
    drop_databases()


@dataclass
class Served:
    """A running Fawen: its address, its database, and the people around it."""

    url: str
    database: Database
    matcher: Matcher
    standing: StandingRules
    mode: str
    http: httpx.Client

    def browser(self) -> httpx.Client:
        """Somebody's browser, not signed in; it waits as long as a loaded machine takes."""
        return httpx.Client(base_url=self.url, follow_redirects=True, timeout=PATIENCE_S, trust_env=False)

    def user(self, name: str, **peer: str) -> WeChatUser:
        """Somebody with WeChat; the same name is the same person."""
        settings = {"token": TOKEN, "app_id": APP_ID, "aes_key": AES_KEY, "mode": self.mode, **peer}
        return WeChatUser(self.http, WeChatPeer(**settings), openid=f"o_{name:_<26}")


@contextmanager
def serving(
    database: Database,
    *,
    mode: str = "safe",
    entries: list[EntryForm] | None = None,
    now: Callable[[], datetime] = now_utc,
    previous_aes_key: str = "",
    previous_secret_key: str = "",
    trains: bool = False,
    works: bool = False,
    matcher: Matcher | None = None,
    answer_within_s: float = 60,
    **options: Any,
) -> Iterator[Served]:
    """Fawen on a real socket, with the given entries published (by default the cast's).

    An answer gets far longer than WeChat gives it, so that no test fails on a loaded machine; what happens to a late
    one is tested in test_waits. `options` go to `create_app` as they are.
    """
    with database.writing() as session:
        for form in entries if entries is not None else cast_entries():
            seeding.add_entry(session, form, NOW)
        for figure in read_figures(FIGURES):
            seeding.add_figure(session, figure)
        seeding.seed_standing(session, NOW)
        matching_data.seed(session, NOW)
        curation.publish_content(session, NOW, "tests")
    account = Account(
        TOKEN, APP_ID, AES_KEY, previous_aes_key, mode, SECRET_KEY,  # type: ignore[arg-type] # a str from parametrize
        is_simulated=False, previous_secret_key=previous_secret_key,
    )  # fmt: skip
    matcher = matcher or Matcher(database)
    standing = StandingRules(database)
    app = create_app(
        account,
        database,
        now=now,
        matcher=matcher,
        standing=standing,
        trains=trains,
        works=works,
        answer_within_s=answer_within_s,
        is_alone=False,
        **options,
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", timeout_keep_alive=KEEP_ALIVE_S))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False) as http:
        _wait_until_ready(http)
        yield Served(url, database, matcher, standing, mode, http)
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def served(database: Database) -> Iterator[Served]:
    """A running Fawen over each kind of database."""
    with serving(database) as served:
        yield served


@pytest.fixture(scope="session")
def fawen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running Fawen on SQLite with the FAQ that ships; each test talks to it as somebody else."""
    with (
        opened_database("sqlite", tmp_path_factory.mktemp("fawen")) as database,
        serving(database, entries=[form for _, form in read_entries(FAQ)]) as served,
    ):
        yield served


@pytest.fixture
def zhang(fawen: Served) -> WeChatUser:
    """张 asks."""
    return fawen.user(f"zhang{secrets.token_hex(4)}")


@pytest.fixture
def zhao(fawen: Served) -> WeChatUser:
    """赵 belongs to nobody: what is 张's must never show to him."""
    return fawen.user(f"zhao{secrets.token_hex(4)}")


def add_staff(database: Database, name: str = "李", role: Role = Role.CURATOR) -> None:
    """李 is a curator, 王 reviews."""
    with database.writing() as session:
        staff.add(session, name, PASSWORD, role, NOW)


def _wait_until_ready(http: httpx.Client) -> None:
    # Two minutes: a loaded machine takes its time to build the index of the whole FAQ.
    for _ in range(2400):
        try:
            if http.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        threading.Event().wait(0.05)
    raise AssertionError("Fawen did not get ready")
