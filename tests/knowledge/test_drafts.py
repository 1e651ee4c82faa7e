"""A draft's way to publication, on both kinds of store: four eyes, versions, days, and nothing lost on the way."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from knowledge import catalogue, curation, drafts, seeding, signing, validity
from knowledge.answering import Answered, Matcher, Outcome
from knowledge.content import FIGURES
from knowledge.content.entries import read_figures
from knowledge.database import Database
from knowledge.differences import differences
from knowledge.errors import DraftMoved, InvalidInput, NotFound
from knowledge.models import Asker, AuditRecord, EntryDraft, FaqEntry, Feedback, Message, Role, StaffMember
from knowledge.statutes import rereview, sign_offs
from knowledge.statutes.register import Register
from knowledge.statutes.texts import ArticleText, StatuteFacts, StatuteText
from knowledge.validity import Schedule
from tests.builders import ARREARS, PROBATION, as_if_compared, cast_entries
from tests.conftest import NOW, add_staff

ENTRY = "labor.probation.length"
TODAY = date(2026, 11, 24)


@pytest.fixture
def stored(database: Database) -> Database:
    """The cast's entries; 李 writes, 王 is a lawyer, 陈 an administrator."""
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        for figure in read_figures(FIGURES):
            seeding.add_figure(session, figure)
        curation.publish_content(session, NOW, "tests")
    add_staff(database, "李")
    add_staff(database, "王", Role.REVIEWER)
    add_staff(database, "陈", Role.ADMINISTRATOR)
    return database


def member(session: Session, name: str) -> StaffMember:
    return session.exec(select(StaffMember).where(StaffMember.name == name)).one()


def published(session: Session, entry_id: str = ENTRY, by: str = "王", **content: Any) -> EntryDraft:
    """A change by 李 all the way to publication."""
    draft = drafts.begin(session, entry_id, "李", NOW)
    assert draft.id is not None
    drafts.save(session, draft.id, content, "李", NOW)
    drafts.submit(session, draft.id, "李", NOW, confirmed=True)
    drafts.review(session, draft.id, member(session, by), NOW)
    as_if_compared(session, draft, NOW)
    newest = drafts.newest_published(session, entry_id)
    return drafts.publish(session, draft.id, "李", NOW, against=newest.number if newest else 0)


def test_a_change_goes_through_four_eyes_and_changes_what_is_answered(stored: Database) -> None:
    matcher = Matcher(stored)
    matcher.refresh(TODAY)
    with stored.writing() as session:
        draft = drafts.begin(session, ENTRY, "李", NOW)
        assert draft.id is not None
        assert drafts.begin(session, ENTRY, "王", NOW).id == draft.id, "one draft at a time"
        fewer = {"answer": "试用期最长六个月。改过。", "variants": PROBATION[:3]}
        drafts.save(session, draft.id, fewer, "李", NOW)
        with pytest.raises(InvalidInput, match="请核对"):
            drafts.submit(session, draft.id, "李", NOW, confirmed=False)
        drafts.submit(session, draft.id, "李", NOW, confirmed=True)
        with pytest.raises(DraftMoved, match="待审核"):
            drafts.save(session, draft.id, {"answer": "偷偷改"}, "李", NOW)
        with pytest.raises(InvalidInput, match="起草人不能审核"):
            drafts.review(session, draft.id, member(session, "李"), NOW)
        with pytest.raises(DraftMoved, match="待审核"):
            drafts.publish(session, draft.id, "李", NOW, against=1)
        assert "改过" not in curation.published_text(session, ENTRY, TODAY).answer
        drafts.review(session, draft.id, member(session, "王"), NOW)
        with pytest.raises(InvalidInput, match="对照"):
            drafts.publish(session, draft.id, "李", NOW, against=1)
        as_if_compared(session, draft, NOW)
        drafts.publish(session, draft.id, "李", NOW, against=1)

    with stored.reading() as session:
        text = curation.published_text(session, ENTRY, TODAY)
        assert text.answer == "试用期最长六个月。改过。"
        assert text.signed_off_by == "王", "a lawyer's review is the sign-off"
        assert text.version == 2
        assert [one.number for one in drafts.history(session, ENTRY)] == [2, 1]
        actions = [one.action for one in session.exec(select(AuditRecord)) if one.action.startswith("draft")]
        assert actions == ["draft.begin", "draft.save", "draft.submit", "draft.review", "draft.publish"]
    assert matcher.refresh(TODAY), "running servers notice"


def test_an_administrators_review_is_no_lawyers_signature(stored: Database) -> None:
    with stored.writing() as session:
        published(session, by="陈", answer="试用期最长六个月，由管理员看过。")
        assert curation.published_text(session, ENTRY, TODAY).signed_off_by is None


def test_who_wrote_at_it_in_between_may_not_review_it_either(stored: Database) -> None:
    with stored.writing() as session:
        draft = drafts.begin(session, ENTRY, "李", NOW)
        assert draft.id is not None
        drafts.save(session, draft.id, {"answer": "试用期最长六个月，法律顾问改。"}, "王", NOW)
        drafts.submit(session, draft.id, "李", NOW, confirmed=True)
        with pytest.raises(InvalidInput, match="起草人不能审核"):
            drafts.review(session, draft.id, member(session, "王"), NOW)


def test_a_returned_draft_keeps_the_remark_and_loses_the_review(stored: Database) -> None:
    with stored.writing() as session:
        draft = drafts.begin(session, ENTRY, "李", NOW)
        assert draft.id is not None
        drafts.submit(session, draft.id, "李", NOW, confirmed=True)
        drafts.review(session, draft.id, member(session, "王"), NOW)
        back = drafts.take_back(session, draft.id, "王", NOW, "第二款漏了")
        assert (back.status, back.reviewer, back.signed) == ("draft", None, False)
        assert [one.text for one in drafts.comments_on(session, back)] == ["第二款漏了"]


def test_what_changed_since_it_was_compared_is_not_overwritten(stored: Database) -> None:
    """An import changes the entry while a draft waits: publishing against the old version is refused."""
    with stored.writing() as session:
        draft = drafts.begin(session, ENTRY, "李", NOW)
        assert draft.id is not None
        drafts.submit(session, draft.id, "李", NOW, confirmed=True)
        drafts.review(session, draft.id, member(session, "王"), NOW)
        form = seeding.stored_forms(session, TODAY, [ENTRY])[ENTRY]
        seeding.revise_entry(session, form.model_copy(update={"answer": "导入的新答复。"}), NOW, by_seed=False)
        draft_id = draft.id
    with pytest.raises(DraftMoved, match="又有变动"), stored.writing() as session:
        drafts.publish(session, draft_id, "李", NOW, against=1)
    with stored.reading() as session:
        assert curation.published_text(session, ENTRY, TODAY).answer == "导入的新答复。"


def test_an_older_version_is_restored_by_a_draft_of_its_own(stored: Database) -> None:
    with stored.writing() as session:
        before = curation.published_text(session, ENTRY, TODAY).answer
        published(session, answer="试用期最长六个月，写错了。", title="试用期写错了")
        first = drafts.history(session, ENTRY)[-1]
        assert first.id is not None
        draft = drafts.restore(session, first.id, "李", NOW)
        with pytest.raises(InvalidInput, match="正在办理"):
            drafts.restore(session, first.id, "李", NOW)
        assert {one.field for one in differences(drafts.history(session, ENTRY)[0].content, draft.content)} >= {
            "title",
            "answer",
        }
        assert draft.id is not None
        drafts.submit(session, draft.id, "李", NOW, confirmed=True)
        drafts.review(session, draft.id, member(session, "王"), NOW)
        as_if_compared(session, draft, NOW)
        drafts.publish(session, draft.id, "李", NOW, against=2)
        text = curation.published_text(session, ENTRY, TODAY)
        assert (text.answer, text.title) == (before, "试用期最长多久")


def test_a_text_for_a_later_day_waits_for_it(stored: Database) -> None:
    later = TODAY + timedelta(days=38)
    with stored.writing() as session:
        before = curation.published_text(session, ENTRY, TODAY).answer
        published(session, answer="新法施行后的答复。", valid_from=later.isoformat())
        assert curation.published_text(session, ENTRY, TODAY).answer == before
        assert curation.published_text(session, ENTRY, later).answer == "新法施行后的答复。"


def test_a_text_that_runs_out_gives_its_place_to_none_before_it(stored: Database) -> None:
    """What it took the place of is no answer any more: it was replaced."""
    with stored.writing() as session:
        published(session, answer="只在今年有效的答复。", valid_until="2026-12-31")
        assert curation.published_text(session, ENTRY, date(2026, 12, 31)).answer == "只在今年有效的答复。"
        with pytest.raises(NotFound):
            curation.published_text(session, ENTRY, date(2027, 1, 1))
        assert ENTRY not in {one.id for one in curation.published_documents(session, date(2027, 1, 1))}
        for day in (TODAY, date(2027, 1, 1)):
            form = seeding.stored_forms(session, day, [ENTRY])[ENTRY]
            assert (form.answer, form.valid_until, form.later) == ("只在今年有效的答复。", date(2026, 12, 31), [])


def test_a_scheduled_text_is_one_version_in_the_history_before_and_after_its_day(stored: Database) -> None:
    begins, ends = TODAY + timedelta(days=7), TODAY + timedelta(days=30)
    with stored.writing() as session:
        days = {"valid_from": begins.isoformat(), "valid_until": ends.isoformat()}
        published(session, answer="下周起的答复。", **days)
        plan = {day: validity.schedules(session, [ENTRY], day)[ENTRY] for day in (TODAY, begins, ends + timedelta(1))}
        assert plan == {
            TODAY: Schedule(answers=True, begins=(begins,), ends=ends),
            begins: Schedule(answers=True, begins=(), ends=ends),
            ends + timedelta(1): Schedule(answers=False, begins=(), ends=None),
        }
    for day in (0, 8, 40):  # before it begins, while it holds, after it ran out
        with stored.writing() as session:
            draft = drafts.begin(session, ENTRY, "李", NOW + timedelta(days=day))
            assert [one.authors for one in drafts.history(session, ENTRY)] == [["李"], ["随系统发布"]], day
            drafts.discard(session, draft.id or 0, "李", NOW)


def test_a_new_entry_that_runs_out_answers_no_longer(stored: Database) -> None:
    with stored.writing() as session:
        draft = new_entry(session, valid_from=(TODAY + timedelta(days=2)).isoformat(), valid_until="2026-12-31")
        assert draft.id is not None
        as_if_compared(session, draft, NOW)
        drafts.publish(session, draft.id, "李", NOW, against=0)
    for day, answers in ((TODAY, False), (date(2026, 12, 1), True), (date(2027, 1, 1), False)):
        matcher = Matcher(stored)
        matcher.refresh(day)
        with stored.reading() as session:
            outcome = matcher.outcome(session, matcher.decide("食堂的鹅谁管"), day)
        assert isinstance(outcome, Answered) is answers, day


def new_entry(session: Session, **content: Any) -> EntryDraft:
    """A reviewed draft of an entry that is not there yet."""
    draft = drafts.begin_new(session, "business", "李", NOW, question="公司食堂的鹅归谁管？", variants=["食堂的鹅谁管"])
    assert draft.id is not None
    complete = {
        "title": "食堂的鹅",
        "topic": "动物致害",
        "answer": "食堂的鹅归公司管。",
        "citations": [{"statute": "中华人民共和国劳动合同法", "article": 19}],
        "audience": ["employer"],
        "referral": "12345",
        **content,
    }
    drafts.save(session, draft.id, complete, "李", NOW)
    drafts.submit(session, draft.id, "李", NOW, confirmed=True)
    return drafts.review(session, draft.id, member(session, "王"), NOW)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"title": ""}, "请填写标题"),
        ({"title": "十三个字的标题实在是太太太长"}, "标题太长"),
        ({"answer": ""}, "请填写答复"),
        ({"answer": "看 https://example.com 吧。"}, "网址"),
        ({"citations": []}, "至少写一条依据"),
        ({"citations": [{"statute": "中华人民共和国劳动合同法", "article": 998}]}, "98"),
        ({"title": "拖欠工资怎么办"}, "已经是条目"),
        ({"variants": [ARREARS[0] + "？"]}, "一句话不能有两个答案"),
        ({"related": ["labor.nothing"]}, "不存在"),
        ({"valid_until": "不是日子"}, "失效日期不是日期"),
        ({"referral": "110"}, "请填写转介热线"),
    ],
)
def test_a_draft_with_a_fault_is_not_submitted(stored: Database, content: dict[str, Any], said: str) -> None:
    with stored.writing() as session:
        draft = drafts.begin(session, ENTRY, "李", NOW)
        assert draft.id is not None
        drafts.save(session, draft.id, content, "李", NOW)
        with pytest.raises(InvalidInput, match=said):
            drafts.submit(session, draft.id, "李", NOW, confirmed=True)


def test_a_lawyer_signs_what_was_read_and_nothing_else(stored: Database) -> None:
    with stored.writing() as session:
        assert signing.count_to_sign(session, TODAY) == 5
        first = signing.to_sign(session, TODAY)
        assert first is not None
        text = curation.published_text(session, first.id, TODAY)
        read = sign_offs.digest(sign_offs.of_entry(session, first.id, TODAY))
        with pytest.raises(InvalidInput, match="只有"):
            signing.sign(session, first.id, text.version_id, read, member(session, "陈"), NOW)
        with pytest.raises(DraftMoved, match="重新阅读"):
            signing.sign(session, first.id, text.version_id + 999, read, member(session, "王"), NOW)
        with pytest.raises(DraftMoved, match="所引条文"):
            signing.sign(session, first.id, text.version_id, "0" * 16, member(session, "王"), NOW)
        signing.sign(session, first.id, text.version_id, read, member(session, "王"), NOW)
        assert signing.count_to_sign(session, TODAY) == 4
        following = signing.to_sign(session, TODAY)
        assert following is not None
        assert following.id > first.id
        published(session, by="陈", answer="试用期最长六个月，又改。")
        assert session.get_one(FaqEntry, ENTRY).signed_off_by is None, "a new text lapses the signature"


def test_an_archived_entry_answers_no_longer_and_comes_back_by_publishing(stored: Database) -> None:
    with stored.writing() as session:
        with pytest.raises(InvalidInput, match="原因"):
            drafts.archive(session, ENTRY, " ", "王", NOW)
        drafts.archive(session, ENTRY, "写重复了", "王", NOW)
        with pytest.raises(NotFound):
            curation.published_text(session, ENTRY, TODAY)
        with pytest.raises(InvalidInput, match="只有已发布"):
            drafts.archive(session, ENTRY, "再来", "王", NOW)
        published(session, answer="试用期最长六个月，重新上线。")
        assert curation.published_text(session, ENTRY, TODAY).answer.endswith("重新上线。")


def test_a_discarded_draft_changes_nothing(stored: Database) -> None:
    with stored.writing() as session:
        draft = drafts.begin(session, ENTRY, "李", NOW)
        assert draft.id is not None
        drafts.save(session, draft.id, {"answer": "不要了"}, "李", NOW)
        drafts.discard(session, draft.id, "李", NOW)
        assert drafts.in_progress(session, 10) == []
        with pytest.raises(DraftMoved, match="已放弃"):
            drafts.discard(session, draft.id, "李", NOW)


def test_a_wording_added_meanwhile_is_in_the_draft_too(stored: Database) -> None:
    with stored.writing() as session:
        draft = drafts.begin(session, ENTRY, "李", NOW)
        drafts.add_variants(session, ENTRY, ["试用期能有多长来着"], "王", NOW)
        assert "试用期能有多长来着" in draft.content["variants"]


def test_the_catalogue_finds_by_every_field(stored: Database) -> None:
    with stored.writing() as session:
        published(session, answer="试用期最长六个月，作者是李。")

        def found(**wanted: Any) -> set[str]:
            return {one.id for one in catalogue.find(session, catalogue.Wanted(**wanted), TODAY, 50, 0)}

        assert found(words="转正前工资") == {"labor.probation.wage"}, "by a similar question"
        assert found(words="%") == set()
        assert found(domain="company") == {"company.capital.five_year"}
        assert found(topic="工资支付") == {"labor.wage.arrears"}
        assert found(author="李") == {ENTRY}
        assert found(author="赵") == set()
        assert ENTRY not in found(unsigned=True)
        assert found(due="past") == set()
        assert found(status="archived") == set()
        assert len(catalogue.find(session, catalogue.Wanted(due="past"), TODAY + timedelta(days=900), 50, 0)) == 5


def test_the_catalogue_puts_first_what_answers_most_and_what_helps_least(stored: Database) -> None:
    with stored.writing() as session:
        asker = Asker(channel="t", address="张", created_at=NOW)
        session.add(asker)
        session.flush()
        assert asker.id
        for number, entry_id in enumerate(["labor.wage.arrears", "labor.wage.arrears", ENTRY]):
            answered = Message(
                key=str(number),
                asker_id=asker.id,
                received_at=NOW,
                kind="question",
                decision="answered",
                entry_id=entry_id,
            )
            session.add(answered)
        session.flush()
        assert answered.id
        session.add(Feedback(message_id=answered.id, helpful=False, given_at=NOW))
        session.flush()

        def first(order: str, since: datetime = NOW) -> str:
            return catalogue.find(session, catalogue.Wanted(), TODAY, 1, 0, order=order, since=since)[0].id

        assert first("answers") == "labor.wage.arrears"
        assert first("unhelpful") == ENTRY
        assert first("answers", NOW + timedelta(days=1)) == first("")


def test_an_entry_whose_law_was_amended_is_found_until_somebody_looked(stored: Database) -> None:
    def listed(session: Session) -> list[str]:
        return [one.id for one in catalogue.find(session, catalogue.Wanted(due="law"), TODAY, 50, 0)]

    with stored.writing() as session:
        assert listed(session) == []
        facts = StatuteFacts(
            "中华人民共和国劳动合同法", ("劳动合同法",), "法律", date(2020, 1, 1), False, None, None, 98
        )
        text = StatuteText(facts, (ArticleText(19, None, "改过的条文。"),))
        rereview.import_versions(session, [text], Register({}, {}), NOW, TODAY)
        assert ENTRY in listed(session)
        assert "company.capital.five_year" not in listed(session)


def test_differences_read_well() -> None:
    [found] = differences({"answer": "最长六个月。\n不变"}, {"answer": "最长三个月。\n不变"})
    assert found.field == "answer"
    assert found.pieces == (
        ("same", "最长"),
        ("gone", "六"),
        ("new", "三"),
        ("same", "个月。"),
        ("same", "\n"),
        ("same", "不变\n"),
    )


def test_what_was_answered_before_is_not_once_it_is_archived_or_revised(stored: Database) -> None:
    """The index is as it was: texts a matcher keeps are those of the content in force."""
    matcher = Matcher(stored)
    matcher.refresh(TODAY)
    decision = matcher.decide("试用期最长多久")

    def told() -> Outcome:
        with stored.reading() as session:
            return matcher.outcome(session, decision, TODAY)

    first = told()
    assert isinstance(first, Answered)
    assert told() == first
    with stored.writing() as session:
        published(session, by="陈", answer="试用期最长六个月。改过。")
    revised = told()
    assert isinstance(revised, Answered)
    assert revised.entry.answer == "试用期最长六个月。改过。"
    with stored.writing() as session:
        drafts.archive(session, ENTRY, "重复", "李", NOW)
    assert not isinstance(told(), Answered)
