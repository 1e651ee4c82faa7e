"""The loop that is the product: ask, be answered or be given a number, and hear from a colleague."""

import re

import pytest
from sqlmodel import col, select

from bot import receipts
from bot.wechat.messages import OpenId
from knowledge import casework, curation, inquiries, tuning
from knowledge.errors import InquiryClosed
from knowledge.models import Conversation, Inquiry, Message
from knowledge.working_days import local_day
from tests.conftest import NOW, Served

ODD = "公司食堂的鹅跑到马路上被车压了，司机要公司赔车漆，公司要赔吗，鹅的钱谁出"


def test_a_question_is_answered_with_its_basis(fawen: Served) -> None:
    heard = fawen.user("asks").says("试用期最长能约定多久啊")

    heard.hears_citation("《劳动合同法》第十九条").hears("核对日期 20").hears("不代替个案法律意见")
    assert {"有用", "没解决", "人工"} <= {link.label for link in heard.links}


def test_an_unresolved_question_goes_the_whole_loop(served: Served) -> None:
    zhang, zhao = served.user("zhang"), served.user("zhao")
    number = _number(zhang.says(ODD).hears("已登记").text)
    zhang.says("进度").hears(number).hears("等待工作人员")
    zhao.says(number).hears("没有查到")

    with served.database.writing() as session:
        inquiries.reply(session, number, "李", "鹅归公司管，公司要承担相应责任。", NOW)

    zhang.says("你好").hears("鹅归公司管").hears(number).hears("请直接发送您的法律问题")
    zhang.says("你好").hears_not("鹅归公司管")
    zhang.says(number).hears("已答复")


def test_a_due_reply_stands_before_the_new_answer(served: Served) -> None:
    zhang = served.user("zhang")
    number = _number(zhang.says(ODD).text)
    with served.database.writing() as session:
        inquiries.reply(session, number, "李", "先看现场。", NOW)

    heard = zhang.says("试用期最长多久").hears("先看现场").hears_citation("《劳动合同法》第十九条")

    assert heard.text.index("先看现场") < heard.text.index("最长六个月")


def test_asking_the_same_again_joins_the_open_inquiry(served: Served) -> None:
    zhang = served.user("zhang")
    number = _number(zhang.says(ODD).text)

    zhang.says(ODD + "？").hears("已并入").hears(number)

    with served.database.reading() as session:
        assert len(session.exec(select(Inquiry)).all()) == 1


def test_opposite_facts_never_share_a_group_however_alike_they_look(served: Served) -> None:
    groups = []
    for name, event in (("zhang", "被辞退"), ("zhao", "要辞职"), ("sun", "被开除")):
        user = served.user(name)
        user.says("人工")
        number = _number(user.says(f"公司食堂师傅{event}以后，食堂养的鹅归谁照看，饲料钱找谁报销").text)
        with served.database.reading() as session:
            groups.append(inquiries.by_number(session, number).cluster_id)

    assert groups[0] == groups[2] != groups[1]


def test_what_a_colleague_recognised_becomes_evidence(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.says("人工")
    number = _number(zhang.says("转正前那几个月钱给得很少行不行").text)
    with served.database.writing() as session:
        known = curation.published_text(session, "labor.probation.wage", local_day(NOW))
        casework.tell(session, [number], "不低于百分之八十。", "李", NOW, entry=known)

    with served.database.reading() as session:
        assert [(one.text, one.topic) for one in tuning.confirmed(session)] == [
            ("转正前那几个月钱给得很少行不行", "labor.probation.wage")
        ]


def test_two_colleagues_cannot_both_answer(served: Served) -> None:
    number = _number(served.user("zhang").says(ODD).text)

    with served.database.writing() as session:
        inquiries.reply(session, number, "李", "一", NOW)
    with pytest.raises(InquiryClosed, match=number), served.database.writing() as session:
        inquiries.reply(session, number, "王", "二", NOW)


def test_choices_work_by_number_and_by_tap(served: Served) -> None:
    zhang = served.user("zhang")
    choices = _choices_of(served, zhang.openid)
    with served.database.writing() as session:
        session.add(choices)

    zhang.says("２").hears_citation("《劳动合同法》第二十条")
    zhang.says("试用期最长多久")
    zhang.taps("试用期工资最低多少").hears_citation("《劳动合同法》第二十条")
    zhang.says("2").hears("没有看出")


def test_greetings_thanks_and_fragments_open_no_inquiry(fawen: Served) -> None:
    user = fawen.user("polite")

    user.says("你好").hears("请直接发送您的法律问题")
    user.says("谢谢！").hears("不客气")
    user.says("[微笑]").hears("文字")
    user.says("菜单").hears("我能解答")
    user.says("1").hears("没有看出")

    with fawen.database.reading() as session:
        asked = session.exec(select(Message).where(col(Message.text).in_(["你好", "谢谢！"]))).all()
        assert all(message.decision is None and message.inquiry_id is None for message in asked)


def test_unhelpful_opens_an_inquiry_about_what_was_asked(fawen: Served) -> None:
    user = fawen.user("unhappy")
    user.says("试用期最长多久")

    number = _number(user.taps("没解决").hears("已登记").text)

    with fawen.database.reading() as session:
        assert inquiries.by_number(session, number).question == "试用期最长多久"


def test_a_person_can_be_asked_for_first(served: Served) -> None:
    zhang = served.user("zhang")

    zhang.says("人工").hears("写清楚您的问题")
    zhang.says("试用期最长多久").hears("已登记").hears("Q2")


def test_a_new_follower_is_welcomed_with_examples_that_answer(fawen: Served) -> None:
    user = fawen.user("follower")
    user.event("subscribe", EventKey="qrscene_fair2026").hears("欢迎关注")

    examples = user.event("subscribe", EventKey="").links
    assert len(examples) == 3
    for link in examples:
        user.says(link.content, bizmsgmenuid=link.id).hears("依据：")


def test_unfollowing_erases_what_was_written(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.says(ODD)
    zhang.event("unsubscribe", EventKey="")

    with served.database.reading() as session:
        assert all(m.text is None and m.reply is None for m in session.exec(select(Message)).all())
        assert [inquiry.question for inquiry in session.exec(select(Inquiry))] == [None]


def test_personal_numbers_are_never_stored(served: Served) -> None:
    served.user("zhang").says("老板叫我把13800138000和身份证120101199003077774发给鹅厂，鹅被车压了要赔吗")

    with served.database.reading() as session:
        stored = " ".join(
            [m.text or "" for m in session.exec(select(Message))]
            + [i.question or "" for i in session.exec(select(Inquiry))]
        )
    assert "13800138000" not in stored
    assert "120101199003077774" not in stored
    assert "〔手机号〕" in stored


def _number(text: str) -> str:
    found = re.search(r"Q\d{8}-\d{4}", text)
    assert found, text
    return found[0]


def _choices_of(served: Served, openid: str) -> Conversation:
    """A list as a clarify leaves it, so that the test does not rest on what the matcher finds unclear."""
    with served.database.writing() as session:
        asker_id = receipts.know_asker(session, OpenId(openid), NOW)
        choices = ["labor.probation.length", "labor.probation.wage"]
        return Conversation(asker_id=asker_id, choices=choices, updated_at=NOW)
