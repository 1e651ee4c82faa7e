"""Migrations, units of work and the seed, on both kinds of database."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import UniqueConstraint, inspect, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from knowledge import curation, inquiries, seeding, staff, throttle
from knowledge.answering import Matcher
from knowledge.database import WITHIN_A_REPLY, Database, insert_row, read_row, update_row, values_of
from knowledge.encryption import Encryption, Renewal
from knowledge.errors import InvalidInput, SecretUnreadable
from knowledge.migrations import is_current, migrate
from knowledge.models import Asker, Conversation, FaqEntry, Inquiry, InquiryCounter, Role, StaffMember, metadata
from knowledge.working_days import after_working_days, is_working_day, local_day
from tests.builders import build_entry
from tests.conftest import NOW, add_staff
from tests.databases import opened_database


def test_every_migration_runs_down_and_up_again(database: Database) -> None:
    assert is_current(database)
    migrate(database, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    migrate(database)
    assert is_current(database)


def test_migrating_keeps_what_is_stored(database: Database) -> None:
    """Down to the first schema and up again, step by step, with rows that refer to each other."""
    with database.writing() as session:
        seeding.add_entry(session, build_entry(), NOW)
        seeding.seed_standing(session, NOW)
        curation.publish_content(session, NOW, "tests")
        asker = Asker(channel="t", address="张", created_at=NOW)
        session.add(asker)
        session.flush()
        assert asker.id
        number = inquiries.open_or_join(session, asker.id, "公司养的鹅归谁", "unresolved", NOW)[0].number
        inquiries.reply(session, number, "李", "归公司。", NOW)

    def counted() -> dict[str, int]:
        tables = (
            "faq_entry",
            "variant",
            "entry_version",
            "citation",
            "asker",
            "inquiry",
            "staff_reply",
            "outbox_message",
        )
        with database.engine.connect() as connection:
            present = set(inspect(connection).get_table_names())
            return {
                table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for table in tables
                if table in present
            }

    before = counted()
    assert all(before.values()), before
    for revision in ("0007", "head", "0001", "head"):
        migrate(database, revision)
        after = counted()
        assert after == {table: before[table] for table in after}, revision
    assert is_current(database)
    assert counted() == before


def test_the_migrations_make_the_tables_the_models_describe(database: Database) -> None:
    stored = inspect(database.engine)

    for table in metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in stored.get_columns(table.name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}, table.name
        unique = {tuple(sorted(item["column_names"])) for item in stored.get_unique_constraints(table.name)}
        wanted = {
            tuple(sorted(column.name for column in item.columns))
            for item in table.constraints
            if isinstance(item, UniqueConstraint)
        }
        assert unique == wanted, table.name


def test_times_come_back_aware_and_naive_ones_are_refused(database: Database) -> None:
    east = datetime(2026, 11, 24, 10, 0, tzinfo=timezone(timedelta(hours=8)))
    with database.writing() as session:
        session.add(Asker(channel="t", address="a", created_at=east))
    with database.reading() as session:
        assert session.exec(select(Asker.created_at)).one() == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    with pytest.raises(Exception, match="without zone"), database.writing() as session:
        session.add(Asker(channel="t", address="b", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001 # the fault


def test_a_unit_of_work_that_fails_leaves_nothing(database: Database) -> None:
    def twice_the_same() -> None:
        with database.writing() as session:
            for _ in range(2):
                session.add(Asker(channel="t", address="a", created_at=NOW))
                session.flush()

    with pytest.raises(IntegrityError):
        twice_the_same()
    with database.reading() as session:
        assert session.exec(select(Asker)).all() == []


def test_reading_changes_nothing(database: Database) -> None:
    with database.reading() as session:
        session.add(Asker(channel="t", address="a", created_at=NOW))
        session.flush()
    with database.reading() as session:
        assert session.exec(select(Asker)).all() == []


def test_a_row_outside_a_session_writes_only_what_changed(database: Database) -> None:
    with database.writing() as session:
        asker_id = insert_row(session.connection(), Asker(channel="t", address="张", created_at=NOW))
        insert_row(session.connection(), Conversation(asker_id=asker_id, choices=["a"], sends_left=5, updated_at=NOW))

    with database.writing() as session:
        state = read_row(session.connection(), Conversation, asker_id)
        assert state is not None
        before = values_of(state)
        # Spent by the worker that pushes, after this turn had looked.
        session.exec(update(Conversation).values(sends_left=4))
        state.choices, state.rest = [], ["第二段"]
        update_row(session.connection(), state, before)

    with database.reading() as session:
        kept = session.exec(select(Conversation)).one()
        assert (kept.choices, kept.rest, kept.sends_left, kept.updated_at) == ([], ["第二段"], 4, NOW)
        assert read_row(session.connection(), Conversation, asker_id + 1) is None


def test_a_turn_to_write_is_one_threads_and_waits_no_longer_than_a_lock_may(tmp_path: Path) -> None:
    with opened_database("sqlite", tmp_path, replace(WITHIN_A_REPLY, lock_s=0.2)) as database:
        with database.turn_to_write(), ThreadPoolExecutor(1) as pool:
            with database.writing() as session:
                session.add(Asker(channel="t", address="张", created_at=NOW))

            with pytest.raises(TimeoutError, match="another write"):
                pool.submit(staff_count, database).result()

        assert staff_count(database) == 0


def staff_count(database: Database) -> int:
    with database.writing() as session:
        return len(session.exec(select(StaffMember)).all())


def test_numbers_drawn_at_once_differ(database: Database) -> None:
    """Two processes share a database but not a lock of ours: here two engines stand for them."""
    other = Database(database.url)
    with database.writing() as session:
        session.add(Asker(channel="t", address="a", created_at=NOW))
    barrier = threading.Barrier(8)

    def open_one(position: int) -> str:
        barrier.wait()
        store = (database, other)[position % 2]
        with store.writing() as session:
            asker = session.exec(select(Asker)).one()
            assert asker.id is not None
            return inquiries.open_or_join(session, asker.id, f"{position}" * 30, "unresolved", NOW)[0].number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(open_one, range(8)))
    other.dispose()

    assert sorted(numbers) == [f"Q20261124-{n:04d}" for n in range(1, 9)]
    with database.reading() as session:
        assert session.exec(select(InquiryCounter.last)).one() == 8
        assert len(session.exec(select(Inquiry)).all()) == 8


def test_the_seed_adds_what_is_missing_and_keeps_what_was_edited(database: Database) -> None:
    with database.writing() as session:
        first = seeding.seed(session, NOW)
        edited = session.exec(select(FaqEntry)).first()
        assert edited is not None
        edited.question = "本地改过的问题"
        session.add(edited)
        edited_id = edited.id
    with database.writing() as session:
        again = seeding.seed(session, NOW)

    assert first.added > 0
    assert (again.added, again.kept) == (0, first.added)
    with database.reading() as session:
        assert curation.entry_text(session, edited_id, NOW.date()).question == "本地改过的问题"
        assert curation.content_version(session) == 1


def test_a_text_with_a_later_version_switches_on_its_day(database: Database) -> None:
    form = build_entry(
        later=[
            {
                "valid_from": date(2027, 1, 1),
                "answer": "新的答复。",
                "citations": [{"statute": "中华人民共和国公司法", "article": 47}],
            }
        ]
    )
    with database.writing() as session:
        seeding.add_entry(session, form, NOW)
    with database.reading() as session:
        before = curation.published_text(session, form.id, date(2026, 12, 31))
        after = curation.published_text(session, form.id, date(2027, 1, 1))

    assert (before.version, after.version) == (1, 2)
    assert after.answer == "新的答复。"
    assert str(after.citations[0]) == "《公司法》第四十七条"


def test_a_running_matcher_sees_what_is_published_next(database: Database) -> None:
    matcher = Matcher(database)
    assert matcher.refresh(NOW.date()) is True
    with database.writing() as session:
        seeding.add_entry(session, build_entry(), NOW)
        curation.publish_content(session, NOW, "new")

    assert matcher.refresh(NOW.date()) is True
    assert matcher.refresh(NOW.date()) is False
    assert matcher.decide("试用期最长多久").ranked[0].id == "labor.probation.length"


def test_guesses_from_one_place_are_few_and_shut_nobody_else_out(database: Database) -> None:
    def may_try(source: str, at: datetime = NOW) -> bool:
        with database.writing() as session:
            return staff.count_attempt(session, "李", source, at)

    assert [may_try("attacker") for _ in range(staff.ATTEMPTS + 2)] == [True] * staff.ATTEMPTS + [False] * 2
    assert may_try("office")
    assert may_try("attacker", NOW + throttle.WINDOW), "the window is over"


def test_many_attempts_at_once_are_no_more_than_allowed(database: Database) -> None:
    def may_try(_: int) -> bool:
        with database.writing() as session:
            return staff.count_attempt(session, "李", "attacker", NOW)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(may_try, range(24))) == staff.ATTEMPTS


def test_many_places_make_a_name_slow_and_never_shut(database: Database) -> None:
    waits = []
    for place in range(30):
        with database.writing() as session:
            waits.append(staff.wait_s(session, "李", NOW))
            assert staff.count_attempt(session, "李", f"botnet {place}", NOW)

    assert waits[:11] == [0.0] * 11
    assert waits[11:] == sorted(waits[11:])
    assert 0 < waits[11] < waits[-1] <= 5.0


def test_second_factors_stored_plainly_are_encrypted_when_a_server_starts(database: Database) -> None:
    add_staff(database)
    key, other = Encryption("k" * 40), Encryption("x" * 40)
    with database.writing() as session:
        member = staff.named(session, "李")
        assert member
        member.totp_secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        session.add(member)

    with database.writing() as session:
        assert staff.renew_second_factors(session, key) == Renewal(changed=1)
        assert staff.renew_second_factors(session, key) == Renewal()
        assert staff.renew_second_factors(session, other) == Renewal(unreadable=1)
    with database.reading() as session:
        stored = session.exec(select(StaffMember.totp_secret)).one()
    assert stored
    assert "JBSWY3DP" not in stored
    assert key.decrypt(stored) == "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    with pytest.raises(SecretUnreadable, match="FAWEN_SECRET_KEY"):
        other.decrypt(stored)
    with pytest.raises(SecretUnreadable):
        key.decrypt(stored[:-2] + "xx")


def test_staff_rules(database: Database) -> None:
    add_staff(database)
    with pytest.raises(InvalidInput, match="已有"):
        add_staff(database)
    with pytest.raises(InvalidInput, match="密码长度"), database.writing() as session:
        staff.add(session, "王", "short", Role.REVIEWER, NOW)
    with database.reading() as session:
        stored = session.exec(select(StaffMember.password_hash)).one()
    assert stored.startswith("$argon2id$")


def test_working_days_follow_the_announced_holidays_and_go_on_beyond_them() -> None:
    assert not is_working_day(date(2026, 10, 1))
    assert after_working_days(date(2026, 11, 24), 2) == date(2026, 11, 26)
    assert after_working_days(date(2026, 11, 27), 1) == date(2026, 11, 30)
    assert is_working_day(date(2031, 3, 3))
    assert local_day(datetime(2026, 11, 24, 17, 0, tzinfo=UTC)) == date(2026, 11, 25)


def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(text("INSERT INTO variant (entry_id, text) VALUES ('nobody', 'x')"))
