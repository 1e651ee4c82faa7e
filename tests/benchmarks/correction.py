"""A correction for very many askers: how long confirming, sending and looking at it take, in milliseconds.

    python -m tests.benchmarks.correction [ASKERS] [DATABASE_URL]

Each asker was given the entry once; one in a hundred has unsubscribed. Defaults: 200,000 askers, an SQLite file of its
own. A URL names an empty PostgreSQL database.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, text
from sqlmodel import select

from knowledge import corrections, curation, outbox, receivers, seeding, staff, working
from knowledge.database import Database
from knowledge.migrations import migrate
from knowledge.models import Asker, Conversation, Message, Role
from knowledge.working_days import local_day, now_utc
from tests.builders import cast_entries
from tests.conftest import PASSWORD

ENTRY = "labor.probation.length"
_PORTION = 500  # PostgreSQL's statement limit is short


def fill(database: Database, askers: int) -> None:
    """Askers who were given the entry in the last year, and what the dialogue with each has open: nothing any more."""
    now = now_utc()
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, now)
        curation.publish_content(session, now, "benchmark")
        given = curation.published_text(session, ENTRY, local_day(now))
        for name, role in (("李", Role.CURATOR), ("王", Role.REVIEWER)):
            staff.add(session, name, PASSWORD, role, now)
    for start in range(1, askers + 1, _PORTION):
        numbers = range(start, min(start + _PORTION, askers + 1))
        with database.writing() as session:
            rows = [
                {"channel": "wechat", "address": f"o_{one:08}_abcdefgh" if one % 100 else None, "created_at": now}
                for one in numbers
            ]
            session.execute(insert(Asker), rows)
            messages = [
                {
                    "key": f"b{one}",
                    "asker_id": one,
                    "received_at": now - timedelta(minutes=2 * (askers - one) + 1),
                    "kind": "question",
                    "decision": "answered",
                    "domain": "labor",
                    "entry_id": ENTRY,
                    "entry_version_id": given.version_id,
                    "candidates": [],
                    "latency_ms": 1.0,
                }
                for one in numbers
            ]
            session.execute(insert(Message), messages)
            states = [
                {
                    "asker_id": one,
                    "choices": [],
                    "rest": [],
                    "sends_left": 4,
                    "sends_until": now + timedelta(hours=48) - timedelta(minutes=2 * (askers - one) + 1),
                    "updated_at": now,
                }
                for one in numbers
            ]
            session.execute(insert(Conversation), states)
    if not database.is_sqlite:
        with database.writing() as session:
            session.execute(text("ANALYZE"))  # as PostgreSQL's autovacuum does by itself


def main(askers: int, url: str) -> None:
    """Print a line per step."""
    database = Database(url)
    migrate(database)
    timed("fill", lambda: fill(database, askers))
    with database.reading() as session:
        timed("page before: count", lambda: receivers.count(session, ENTRY, [1], None))
        timed("谁收到过: versions", lambda: receivers.by_version(session, ENTRY, None))
        timed("谁收到过: first page", lambda: receivers.listed(session, ENTRY, [1], None, 30, 0))
    with database.writing() as session:
        made = corrections.propose(session, ENTRY, [1], None, "更正：以新答复为准。", "李", now_utc())
        wang = next(one for one in staff.everybody(session) if one.name == "王")
        timed("confirm", lambda: corrections.send(session, made.id or 0, wang, now_utc()))
    timed("job", lambda: working.work_off(database))
    with database.reading() as session:
        sent = corrections.by_id(session, made.id or 0)
        timed("page after: states", lambda: corrections.reached(session, sent))
        timed("page after: first page", lambda: corrections.deliveries(session, sent, 30))
        timed("page after: last page", lambda: corrections.deliveries(session, sent, 30, sent.recipients - 20))
        last = session.exec(select(Asker.id).order_by(Asker.id).limit(1)).one()  # type: ignore[arg-type] # SQLModel's columns type as their values
        timed("one asker's due replies", lambda: outbox.due(session, last or 0, now_utc()))
        timed("what may be pushed, each second", lambda: outbox.pushable(session, now_utc()))
        print(
            f"{sent.recipients} recipients, {sent.unreachable} unreachable, {outbox.undelivered(session)} undelivered"
        )
    database.dispose()


def timed(name: str, step: Callable[[], object]) -> None:
    """Do a step and print how long it took."""
    started = time.perf_counter()
    step()
    print(f"{name:<36} {(time.perf_counter() - started) * 1000:10.1f} ms", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        arguments = [*sys.argv[1:], *("200000", f"sqlite:///{Path(folder) / 'bench.sqlite3'}")[len(sys.argv) - 1 :]]
        main(int(arguments[0]), arguments[1])
