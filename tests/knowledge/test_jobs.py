"""Jobs on both kinds of store: one worker each, taken over when it dies, stopped when cancelled; and the comparison."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from knowledge import comparison, curation, drafts, jobs, matching_data, seeding, test_cases, working
from knowledge.comparison import Comparison
from knowledge.database import Database
from knowledge.errors import InvalidInput
from knowledge.models import Asker, EntryDraft, Job, JobKind, JobStatus, Message, Role, StaffMember
from knowledge.working_days import now_utc
from tests.builders import PROBATION, cast_entries
from tests.conftest import NOW, add_staff

ENTRY = "labor.probation.length"
LATER = NOW + jobs.LEASE + timedelta(seconds=1)
KIND = JobKind.COMPARISON


def test_a_job_is_done_by_one_worker_only(database: Database) -> None:
    with database.writing() as session:
        asked = jobs.request(session, KIND, "draft 1 x", "李", NOW)
        assert jobs.request(session, KIND, "draft 1 x", "王", NOW).id == asked.id, "asked for twice, done once"
        assert jobs.is_waiting(session, NOW)
        job = jobs.claim(session, NOW)
        assert job
        assert jobs.claim(session, NOW) is None
        assert not jobs.is_waiting(session, NOW)
        assert jobs.progress(session, job, "半路", 3, 10, NOW)
        assert jobs.finish(session, job, {"a": 1}, NOW)
        assert not jobs.progress(session, job, "迟了", 4, 10, NOW)
        assert not jobs.cancel(session, job.id or 0, NOW)

    with database.reading() as session:
        kept = jobs.newest(session, KIND, "draft 1 x")
        assert kept
        assert (kept.status, kept.result, kept.stage) == (JobStatus.DONE, {"a": 1}, "半路")


def test_a_dead_workers_job_is_taken_over_and_the_dead_one_changes_nothing(database: Database) -> None:
    with database.writing() as session:
        jobs.request(session, KIND, "draft 1 x", "李", NOW)
        first = jobs.claim(session, NOW)
        assert first
        session.expunge(first)
        second = jobs.claim(session, LATER)
        assert second
        assert (second.id, second.attempts) == (first.id, 2)
        assert not jobs.progress(session, first, "还活着", 1, 2, LATER)
        assert not jobs.finish(session, first, {}, LATER)
        assert jobs.finish(session, second, {}, LATER)


def test_what_kills_its_worker_again_and_again_is_given_up(database: Database) -> None:
    with database.writing() as session:
        jobs.request(session, KIND, "draft 1 x", "李", NOW)
        for attempt in range(jobs.MOST_ATTEMPTS):
            assert jobs.claim(session, NOW + attempt * (LATER - NOW))
        assert jobs.claim(session, NOW + jobs.MOST_ATTEMPTS * (LATER - NOW)) is None
        kept = jobs.newest(session, KIND, "draft 1 x")
        assert kept
        session.refresh(kept)
        assert kept.status == JobStatus.FAILED
        assert "中断了3次" in (kept.fault or "")


@pytest.fixture
def desk(database: Database) -> Database:
    """The cast's entries, 李 and 王, and what was asked lately."""
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        matching_data.seed(session, NOW)
        curation.publish_content(session, NOW, "tests")
        asker = Asker(channel="t", address="张", created_at=NOW)
        session.add(asker)
        session.flush()
        assert asker.id
        for number, (text, age) in enumerate(
            [("公司养鹅闯祸了谁赔", 1), ("公司养鹅闯祸了谁赔？", 2), (PROBATION[0], 3), ("公司养鹅要办什么证", 400)]
        ):
            received = now_utc() - timedelta(days=age)
            row = Message(key=f"k{number}", asker_id=asker.id, received_at=received, kind="question", text=text)
            session.add(row)
    add_staff(database, "李")
    add_staff(database, "王", Role.REVIEWER)
    return database


def changed(session: Session, **content: Any) -> EntryDraft:
    draft = drafts.begin(session, ENTRY, "李", NOW)
    drafts.save(session, draft.id or 0, content, "李", NOW)
    comparison.request(session, draft, "李", NOW)
    return draft


def found(database: Database, draft: EntryDraft) -> Comparison:
    with database.reading() as session:
        result = comparison.result_of(comparison.newest(session, session.get_one(EntryDraft, draft.id)))
        assert result
        return result


def test_what_a_draft_changes_is_counted_and_named(desk: Database) -> None:
    with desk.writing() as session:
        test_cases.keep(session, "公司养鹅闯祸了谁赔", None, "李", NOW)
        test_cases.keep(session, PROBATION[0], ENTRY, "李", NOW)
        draft = changed(session, variants=[*PROBATION, "公司养鹅闯祸了谁赔"])
    assert working.work_off(desk) == 1

    result = found(desk, draft)
    assert (result.cases, result.questions) == (2, 2), "distinct questions of the last twelve months"
    assert (result.gained, result.lost, result.moved) == (1, 0, 0)
    assert [one.after for one in result.changed] == [("answer", ENTRY)]
    assert [one.after for one in result.worse] == [("answer", ENTRY)], "what none must answer is answered now"
    with desk.reading() as session:
        assert comparison.texts_of(session, result.changed).popitem()[1].startswith("公司养鹅闯祸了谁赔")
        kept = session.exec(select(Job)).one()
        assert "鹅" not in str(kept.result), "an asker's words stay in one place"


def test_publishing_needs_the_comparison_of_just_this_draft_and_a_reason_where_it_is_worse(desk: Database) -> None:
    with desk.writing() as session:
        test_cases.keep(session, "公司养鹅闯祸了谁赔", None, "李", NOW)
        draft = changed(session, variants=[*PROBATION, "公司养鹅闯祸了谁赔"])
        draft_id = draft.id or 0
        drafts.save(session, draft_id, {"answer": "试用期最长六个月。再改一次。"}, "李", NOW)
        drafts.submit(session, draft_id, "李", NOW, confirmed=True)
        drafts.review(session, draft_id, session.exec(select(StaffMember).where(StaffMember.name == "王")).one(), NOW)
    working.work_off(desk)
    with desk.writing() as session:
        failed = session.exec(select(Job)).one()
        assert failed.status == JobStatus.FAILED
        assert "又有改动" in (failed.fault or ""), "it was asked for before the last change"
        with pytest.raises(InvalidInput, match="请先完成"):
            drafts.publish(session, draft_id, "李", NOW, against=1)
        comparison.request(session, session.get_one(EntryDraft, draft_id), "李", NOW)
    working.work_off(desk)
    with desk.writing() as session:
        with pytest.raises(InvalidInput, match="1条测试问句会变差"):
            drafts.publish(session, draft_id, "李", NOW, against=1)
        drafts.publish(session, draft_id, "李", NOW, against=1, despite="确实该答")
        assert [one.text for one in drafts.comments_on(session, session.get_one(EntryDraft, draft_id))] == [
            "仍要发布的理由：确实该答"
        ]


def test_a_cancelled_comparison_stops_and_keeps_nothing(desk: Database) -> None:
    with desk.writing() as session:
        changed(session, answer="试用期最长六个月。改。")
        job = jobs.claim(session, now_utc())
        assert job
        assert jobs.cancel(session, job.id or 0, NOW)
        session.expunge(job)
    comparison.run(desk, job, now_utc)

    with desk.reading() as session:
        assert (kept := session.get_one(Job, job.id)).status == JobStatus.CANCELLED
        assert kept.result is None


def test_a_worker_killed_at_work_leaves_the_job_to_the_next(desk: Database) -> None:
    """Killed where its first word of progress is in the database; its successor begins anew and ends it."""
    with desk.writing() as session:
        draft = changed(session, answer="试用期最长六个月。改。")
    victim = subprocess.run(
        [sys.executable, "-c", _VICTIM],
        env={**os.environ, "FAWEN_DATABASE_URL": desk.url},
        check=False,
    )
    assert victim.returncode == -signal.SIGKILL
    with desk.writing() as session:
        job = session.exec(select(Job)).one()
        assert (job.status, job.stage) == (JobStatus.RUNNING, "建立索引")
        job.claimed_until = NOW - timedelta(days=1)  # as if a minute had gone by
        session.add(job)
    assert working.work_off(desk) == 1

    assert found(desk, draft).questions == 2


_VICTIM = """
import os, signal
from knowledge import comparison, working
from knowledge.database import Database
from knowledge.settings import KnowledgeSettings

database = Database(KnowledgeSettings().url)

class Killed(comparison.Matcher):
    def refresh(self, today):
        os.kill(os.getpid(), signal.SIGKILL)

comparison.Matcher = Killed
working.work_off(database)
"""
