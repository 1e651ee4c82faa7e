"""The inbox on both kinds of store: likeness and what keeps apart, search, order, answering several together."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from knowledge import casework, clusters, curation, erasure, inbox, inquiries, particulars, retention, seeding, wordings
from knowledge.database import Database
from knowledge.errors import InquiryClosed, InvalidInput
from knowledge.inbox import Wanted
from knowledge.matching.index import build_index
from knowledge.models import (
    Asker,
    AuditRecord,
    Inquiry,
    InquiryNote,
    InquiryStatus,
    OutboxMessage,
    OutboxStatus,
    StaffMember,
)
from tests.builders import cast_entries
from tests.conftest import NOW, add_staff

GOOSE = "公司食堂养的鹅被车压了，司机要公司赔车漆，公司要赔吗"


def ask(session: Session, name: str, question: str, domain: str | None = None) -> Inquiry:
    """An inquiry of a named asker."""
    asker = session.exec(select(Asker).where(Asker.address == name)).first()
    if asker is None:
        asker = Asker(channel="t", address=name, created_at=NOW)
        session.add(asker)
        session.flush()
    assert asker.id is not None
    return inquiries.open_or_join(session, asker.id, question, "unresolved", NOW, domain=domain)[0]


def test_nearly_the_same_questions_of_several_askers_are_one_group(database: Database) -> None:
    with database.writing() as session:
        first = ask(session, "张", GOOSE)
        ask(session, "赵", "你好，公司食堂养的鹅被车压了，司机要公司赔车漆，公司要不要赔？")
        ask(session, "孙", "公司食堂养的鹅被车压了司机要公司赔车漆公司该赔吗")
        ask(session, "孙", "公司门口的石狮子被偷了算谁的责任")

    with database.reading() as session:
        found = inbox.groups(session, Wanted(), 10, 0)
        counts = inbox.count(session, Wanted())
    assert [(group.count, group.askers) for group in found] == [(3, 3), (1, 1)]
    assert found[0].first.number == first.number
    assert counts == (2, 4)


@pytest.mark.parametrize(
    "other",
    [
        "园区人才落户的指标能不能转让给别人",
        "园区的人才落户指标可不可以转让给别人啊",
        "园区的人才落户指标能转让给别人吗",
        "园区的人才落户指标可以转给别人不",
    ],
)
def test_every_way_to_ask_for_a_yes_or_a_no_is_the_same_question(database: Database, other: str) -> None:
    with database.writing() as session:
        first = ask(session, "张", "园区的人才落户指标可以转让给别人吗")
        assert ask(session, "赵", other).cluster_id == first.cluster_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("公司已经给我签了劳动合同还能要双倍工资吗", "公司没有给我签了劳动合同还能要双倍工资吗"),
        ("签了一年合同试用期最长可以多久啊", "签了三年合同试用期最长可以多久啊"),
        ("园区的人才落户指标能不能转让给别人", "园区的人才落户指标能不能不转让给别人"),
        ("公司跟我签没签合同都要交社保吗怎么交", "公司跟我没签合同都要交社保吗怎么交"),
        ("入职满15天离职公司要付工资吗怎么算", "入职满30天离职公司要付工资吗怎么算"),
    ],
)
def test_what_the_law_answers_differently_is_never_one_group(database: Database, one: str, other: str) -> None:
    with database.writing() as session:
        assert ask(session, "张", one).cluster_id != ask(session, "赵", other).cluster_id


def test_a_guard_of_the_matcher_keeps_apart_too(sqlite: Database) -> None:
    with sqlite.writing() as session:
        first = ask(session, "张", GOOSE)
        second = Inquiry(
            number="Q1", asker_id=first.asker_id, question=GOOSE, reason="x", opened_at=NOW, due_on=NOW.date()
        )
        session.add(second)
        session.flush()
        clusters.place(session, second, NOW, contrast=lambda _one, _other: True)
        assert second.cluster_id != first.cluster_id


def test_a_question_answered_long_ago_starts_a_group_anew(database: Database) -> None:
    with database.writing() as session:
        first = ask(session, "张", GOOSE)
        inquiries.reply(session, first.number, "李", "要赔。", NOW - timedelta(days=31))
        old = ask(session, "赵", "公司门口石狮子被偷了算谁的责任呢")
        inquiries.reply(session, old.number, "李", "报案。", NOW - timedelta(days=3))
    with database.writing() as session:
        assert ask(session, "孙", GOOSE).cluster_id != first.cluster_id
        assert ask(session, "孙", "公司门口石狮子被偷了算谁的责任").cluster_id == old.cluster_id


def test_search_finds_two_characters_and_signs_are_no_wildcards(database: Database) -> None:
    with database.writing() as session:
        found = ask(session, "张", "公司不缴社保，我能不能自己去补？", domain="labor")
        ask(session, "赵", GOOSE)

    with database.reading() as session:

        def numbers(**wanted: object) -> list[str]:
            return [group.first.number for group in inbox.groups(session, Wanted(**wanted), 10, 0)]  # type: ignore[arg-type] # one field a call

        assert numbers(words="社保") == [found.number]
        assert numbers(words="社 保") == [found.number]
        assert numbers(words=found.number.lower()) == [found.number]
        assert numbers(words="%") == []
        assert numbers(words="_") == []
        assert numbers(domain="labor") == [found.number]
        assert numbers(domain="company") == []
        assert numbers(urgent=True) == []
        assert numbers(state="closed") == []
        assert len(numbers(state="")) == 2
        assert len(numbers(overdue_on=date(2026, 12, 1))) == 2
        assert numbers(overdue_on=date(2026, 11, 26)) == []


def test_urgent_comes_first_then_who_was_promised_first_and_waiting_ones_last(database: Database) -> None:
    with database.writing() as session:
        early = ask(session, "张", "公司食堂的鹅咬人了谁负责")
        late = ask(session, "张", "公司年会抽奖不兑现怎么办")
        rests = ask(session, "张", "宿舍漏水淹了电脑要谁赔呢")
        urgent = ask(session, "张", "他们现在就要把我赶出宿舍去")
        late.due_on += timedelta(days=3)
        rests.due_on -= timedelta(days=9)
        rests.status = InquiryStatus.WAITING
        session.add_all([late, rests])
        casework.mark_urgent(session, urgent.number, urgent=True, actor="李", now=NOW)

    with database.reading() as session:
        found = inbox.groups(session, Wanted(), 10, 0)
        assert [group.first.number for group in found] == [urgent.number, early.number, late.number, rests.number]
        assert found[-1].due_on is None
        assert len(inbox.groups(session, Wanted(), 2, 2)) == 2
        assert inbox.groups(session, Wanted(overdue_on=date(2026, 11, 26)), 10, 0) == []
        following = inbox.next_open(session, urgent)
        assert following
        assert following.number == early.number


def test_assigning_gives_a_matter_to_somebody_and_back(database: Database) -> None:
    add_staff(database, "李")
    with database.writing() as session:
        number = ask(session, "张", GOOSE).number
        li = session.exec(select(StaffMember)).one()
        assert casework.assign(session, number, li, "李", NOW).status == InquiryStatus.ASSIGNED
        assert len(inbox.groups(session, Wanted(assignee_id=li.id), 10, 0)) == 1
        assert casework.assign(session, number, None, "李", NOW).status == InquiryStatus.NEW
        inquiries.reply(session, number, "李", "要赔。", NOW)
        with pytest.raises(InquiryClosed):
            casework.assign(session, number, li, "李", NOW)


def test_several_are_answered_together_and_who_was_answered_meanwhile_is_named(database: Database) -> None:
    with database.writing() as session:
        one, two, three = (ask(session, name, GOOSE) for name in "张赵孙")
        second_of_zhang = ask(session, "张", "食堂的鹅和厨师到底归谁管呀")
        inquiries.reply(session, two.number, "王", "我先答了。", NOW)
        told = casework.tell(
            session, [one.number, two.number, three.number, second_of_zhang.number], "公司要赔。", "李", NOW
        )

    assert told.answered == (one.number, three.number, second_of_zhang.number)
    assert told.too_late == (two.number,)
    with database.reading() as session:
        kept = session.get(Inquiry, second_of_zhang.id)
        assert kept
        assert kept.status == InquiryStatus.MERGED, "nobody gets the same text twice"
        assert len(session.exec(select(OutboxMessage)).all()) == 3


def test_telling_nobody_or_nothing_is_refused(sqlite: Database) -> None:
    with sqlite.writing() as session:
        number = ask(session, "张", GOOSE).number
    for numbers, text in (([], "x"), ([number], "  "), ([number], "长" * 2001)):
        with pytest.raises(InvalidInput), sqlite.writing() as session:
            casework.tell(session, numbers, text, "李", NOW)


def test_only_ones_own_inquiries_merge(database: Database) -> None:
    with database.writing() as session:
        one, other = ask(session, "张", GOOSE), ask(session, "张", "食堂的鹅和厨师到底归谁管呀")
        stranger = ask(session, "赵", "年会抽奖不兑现怎么办呢")
        with pytest.raises(InvalidInput, match="同一提问人"):
            casework.merge(session, one.number, stranger.number, "李", NOW)
        with pytest.raises(InvalidInput, match="自己"):
            casework.merge(session, one.number, one.number, "李", NOW)
        target = casework.merge(session, one.number, other.number, "李", NOW)

        assert "鹅被车压了" in (target.question or "")
        assert "鹅被车压了" in target.normal
        with pytest.raises(InquiryClosed):
            casework.merge(session, one.number, other.number, "李", NOW)


def test_a_colleague_sets_apart_what_only_looks_alike(database: Database) -> None:
    with database.writing() as session:
        one, two = ask(session, "张", GOOSE), ask(session, "赵", GOOSE)
        assert [sibling.inquiry.number for sibling in inbox.siblings(session, one)] == [two.number]
        casework.separate(session, two.number, "李", NOW)
        assert inbox.siblings(session, one) == []


def test_erasing_a_person_takes_notes_and_searched_words_along_and_the_log_has_none(database: Database) -> None:
    with database.writing() as session:
        inquiry = ask(session, "张", GOOSE)
        casework.note(session, inquiry.number, "李", "张三的鹅，问过食堂了", NOW)
        asker = session.get(Asker, inquiry.asker_id)
        assert asker
        erasure.erase(session, asker)

    with database.reading() as session:
        kept = session.exec(select(Inquiry)).one()
        assert (kept.normal, kept.likeness, kept.question) == ("", "", None)
        assert session.exec(select(InquiryNote)).all() == []
        assert "鹅" not in "".join(f"{one.before}{one.after}" for one in session.exec(select(AuditRecord)))
        assert inbox.groups(session, Wanted(), 10, 0)[0].count == 1


def test_what_is_kept_no_longer_takes_notes_and_searched_words_along(database: Database) -> None:
    with database.writing() as session:
        inquiry = ask(session, "张", GOOSE)
        casework.note(session, inquiry.number, "李", "张三的鹅，问过食堂了", NOW)
        inquiries.reply(session, inquiry.number, "李", "要赔。", NOW)
        for sent in session.exec(select(OutboxMessage)):
            sent.status = OutboxStatus.DELIVERED
            session.add(sent)
        session.flush()
        retention.clean_up(session, NOW + timedelta(days=400), 365)

    with database.reading() as session:
        kept = session.exec(select(Inquiry)).one()
        assert (kept.normal, kept.likeness, kept.question) == ("", "", None)
        assert session.exec(select(InquiryNote)).all() == []


def test_a_question_is_freed_of_what_tells_who_asked() -> None:
    freed = particulars.free(
        "我在天津滨海泰达科技有限公司上班，王经理让我2026年3月5日走人，月薪12000元，合同三年，我叫张小明，"
        "微信号abc_12345，电话13800138000，住泰达大街25号，（2026）津0116民初1234号"
    )

    for gone in ("泰达科技", "王经理", "3月5日", "12000", "张小明", "abc_12345", "13800138000", "25号", "民初1234"):
        assert gone not in freed.text, gone
    assert "合同三年" in freed.text, "what matters in law stays"
    assert particulars.free(freed.text).removed == (), "freed once is freed"
    for plain in ("老板总说下个月发工资", "我们集团要裁员怎么赔", "打12333有用吗", "试用期6个月合法吗"):
        assert particulars.free(plain) == particulars.Freed(plain, ())


@given(st.text(max_size=400))
def test_freeing_any_text_ends_and_takes_nothing_twice(text: str) -> None:
    freed = particulars.free(text)
    assert len(freed.text) <= len(text) + 8 * len(text)
    particulars.mentioned(text)


def test_what_came_out_of_one_question_must_be_confirmed_for_the_others() -> None:
    questions = {"Q1": "欠了我三个月工资，王总不接电话", "Q2": "公司欠工资怎么办"}

    found = particulars.to_confirm("欠三个月工资的，可以找王总，也可以依据第三十条打12333。", questions)

    assert {(one.text, one.asked_by, one.absent_from) for one in found} == {
        ("三个月", ("Q1",), ("Q2",)),
        ("王总", ("Q1",), ("Q2",)),
    }
    assert particulars.to_confirm("三个月", {"Q1": "三个月"}) == []
    assert particulars.to_confirm("打12333", {"Q1": "12333打不通", "Q2": "没钱"}) == []


def test_a_wording_that_is_anothers_is_seen(database: Database) -> None:
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        documents = curation.published_documents(session, NOW.date())
        index = build_index(documents, 1)
        same = wordings.clashes(index, "老板三个月不发工资了？", "labor.probation.length")
        near = wordings.clashes(index, "老板三个月没发工资了", "labor.probation.length")

        assert [(clash.document_id, clash.is_same) for clash in same] == [("labor.wage.arrears", True)]
        assert [(clash.document_id, clash.is_same) for clash in near] == [("labor.wage.arrears", False)]
        assert wordings.clashes(index, "老板三个月不发工资了", "labor.wage.arrears") == []
        assert curation.add_variants(
            session, "labor.wage.arrears", ["老板三个月不发工资了！", "  ", "欠薪咋整"], "李", NOW
        ) == ["欠薪咋整"]
        assert curation.content_version(session) == 1
        assert session.exec(select(AuditRecord)).one().after == {"variants": ["欠薪咋整"]}
