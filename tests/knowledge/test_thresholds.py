"""Thresholds as administrators change them: proposed, compared as a job, put in force, given up, shipped again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from knowledge import audit, curation, matching_data, seeding, test_cases, thresholds, tuning, working
from knowledge.answering import Matcher
from knowledge.database import Database
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.matching.budget import Budget
from knowledge.matching.decide import Kind, decide
from knowledge.models import Asker, Message
from knowledge.working_days import now_utc
from tests.builders import ARREARS, CAPITAL, FINE, PROBATION, cast_entries
from tests.conftest import NOW

WORDED = "老板拖着三个月工资没有发"  # no wording of an entry, and answered by the shipped numbers
ENTRY = "labor.wage.arrears"


@pytest.fixture
def desk(database: Database) -> Database:
    """The cast's entries published, one test case, one question in the log."""
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        matching_data.seed(session, NOW)
        curation.publish_content(session, NOW, "tests")
        test_cases.keep(session, WORDED, ENTRY, "李", NOW)
        asker = Asker(channel="t", address="a", created_at=NOW)
        session.add(asker)
        session.flush()
        assert asker.id is not None
        # The worker's clock is the machine's: of the last twelve months counts from today.
        asked = now_utc() - timedelta(days=1)
        session.add(Message(key="m", asker_id=asker.id, received_at=asked, kind="question", text=WORDED + "啊"))
    return database


def matcher(database: Database) -> Matcher:
    found = Matcher(database)
    found.refresh(NOW.date())
    return found


def raised(session: Session, level: int = 99) -> dict[str, int]:
    """The levels in force, with all of them raised to one."""
    return {
        name: value if name.endswith("clarify") else level
        for name, value in thresholds.levels_of(tuning.weights_in_force(session)).items()
    }


def proposed(database: Database) -> int:
    with database.writing() as session:
        made = thresholds.propose(session, raised(session), "陈", NOW)
        thresholds.request(session, made, "陈", NOW)
    assert working.work_off(database) == 1
    return made


def test_a_proposal_decides_nothing_until_it_was_compared_and_put_in_force(desk: Database) -> None:
    assert matcher(desk).decide(WORDED).kind is Kind.ANSWER
    made = proposed(desk)
    assert matcher(desk).decide(WORDED).kind is Kind.ANSWER, "in shadow"

    with desk.reading() as session:
        job = thresholds.newest(session, made)
        found = thresholds.result_of(job)
    assert job
    assert found
    assert (found.cases, found.questions) == (1, 1)
    assert (found.before["labor"].answered, found.after["labor"].answered) == (1, 0)
    assert found.before["labor"].right == 1
    assert [one.before for one in found.worse] == [("answer", ENTRY)]
    assert found.lost == 1
    with desk.writing() as session, pytest.raises(InvalidInput, match="请勾选确认"):
        thresholds.put_in_force(session, made, job.id or 0, confirmed=False, actor="陈", now=NOW)
    with desk.writing() as session:
        thresholds.put_in_force(session, made, job.id or 0, confirmed=True, actor="陈", now=NOW)

    assert matcher(desk).decide(WORDED).kind is not Kind.ANSWER
    with desk.reading() as session:
        assert tuning.shadow(session) is None
        kept = audit.find(session, action="thresholds")
        assert [one.action for one in kept] == ["thresholds.activate", "thresholds.propose"]
        assert ("lookup.labor", 92, 99) in audit.changed(kept[0])


def test_the_shipped_numbers_come_back_the_same_way(desk: Database) -> None:
    made = proposed(desk)
    with desk.writing() as session:
        with pytest.raises(InvalidInput, match="就是出厂的数字"):
            thresholds.propose_shipped(session, "陈", NOW)
        job = thresholds.newest(session, made)
        assert job
        thresholds.put_in_force(session, made, job.id or 0, confirmed=True, actor="陈", now=NOW)
        back = thresholds.propose_shipped(session, "陈", NOW)
        thresholds.request(session, back, "陈", NOW)
    working.work_off(desk)
    with desk.writing() as session:
        job = thresholds.newest(session, back)
        assert job
        thresholds.put_in_force(session, back, job.id or 0, confirmed=False, actor="陈", now=NOW)
        assert tuning.in_force_id(session) == 0, "and those of later releases with them"

    assert matcher(desk).decide(WORDED).kind is Kind.ANSWER


def test_what_was_compared_with_something_else_is_not_put_in_force(desk: Database) -> None:
    made = proposed(desk)
    with desk.writing() as session:
        job = thresholds.newest(session, made)
        assert job
        curation.publish_content(session, NOW, "a colleague")
    with desk.writing() as session, pytest.raises(SettingMoved, match="重新对照"):
        thresholds.put_in_force(session, made, job.id or 0, confirmed=True, actor="陈", now=NOW)

    with desk.writing() as session:
        thresholds.discard(session, made, "陈", NOW)
        assert tuning.shadow(session) is None
        assert tuning.in_force_id(session) == 0


def test_levels_that_make_no_sense_are_refused(desk: Database) -> None:
    with desk.writing() as session:
        with pytest.raises(InvalidInput, match="与现在的门槛相同"):
            thresholds.propose(session, thresholds.levels_of(tuning.weights_in_force(session)), "陈", NOW)
        with pytest.raises(InvalidInput, match="30%至99%"):
            thresholds.propose(session, raised(session, 20), "陈", NOW)
        with pytest.raises(InvalidInput, match="不能高于直接答复"):
            thresholds.propose(session, raised(session) | {"lookup.clarify": 95, "lookup.labor": 90}, "陈", NOW)


def test_a_budget_needs_enough_questions_and_the_stricter_one_asks_for_more(sqlite: Database) -> None:
    entries = {"labor.wage.arrears": ARREARS, "labor.probation.length": PROBATION}
    entries |= {"company.capital.five_year": CAPITAL, "business.admin.hearing": FINE}
    with sqlite.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        matching_data.seed(session, NOW)
        curation.publish_content(session, NOW, "tests")
    engine = matcher(sqlite).engine
    with sqlite.reading() as session, pytest.raises(InvalidInput, match="只有0条，至少要100条"):
        thresholds.levels_for(session, engine, Budget())
    with sqlite.writing() as session:
        for entry_id, wordings in entries.items():
            for wording in wordings:
                for ending in ("这种事", "怎么处理才好", "有没有人知道"):
                    test_cases.keep(session, f"{wording}{ending}", entry_id, "李", NOW)
                test_cases.keep(session, f"隔壁邻居说{wording[:4]}那天的猫", None, "李", NOW)

    with sqlite.reading() as session:
        current = tuning.weights_in_force(session)
        strict = thresholds.levels_for(session, engine, Budget(precision=0.999, false_answers=0.001))
        loose = thresholds.levels_for(session, engine, Budget(precision=0.7, false_answers=0.3))
        rows = thresholds.labelled(session)

    assert strict != loose
    assert all(strict[name] >= loose[name] for name in strict if not name.endswith("clarify"))
    one = replace(
        current.lookup,
        answer_at={
            "": strict["lookup.labor"] / 100,
            **{domain: strict[f"lookup.{domain}"] / 100 for domain in ("labor", "company", "business")},
        },
    )
    tuned = replace(engine, weights=replace(current, lookup=one))
    told = [(row, decide(tuned, row.text)) for row in rows]
    answered = [(row, decision) for row, decision in told if decision.kind is Kind.ANSWER and row.topic]
    wrong = [row for row, decision in answered if decision.ranked[0].id != row.topic]
    assert len(wrong) <= 0.001 * max(len(answered), 1)


def test_the_log_holds_the_ids_of_questions_only(desk: Database) -> None:
    made = proposed(desk)
    with desk.reading() as session:
        job = thresholds.newest(session, made)
        assert job
        assert WORDED not in str(job.result)
        assert session.exec(select(Message.id)).one() in [one["id"] for one in (job.result or {})["changed"]]
