"""Dialogues as they are said and heard, over every kind of command."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from knowledge import callbacks, fixed_replies, inquiries, outbox
from knowledge.answering import Answered, Choice, Clarified, Matcher, Outcome, Unresolved
from knowledge.curation import published_text
from knowledge.database import Database
from knowledge.matching.decide import Decision
from knowledge.models import (
    Asker,
    CallbackNumber,
    Inquiry,
    InquiryStatus,
    Message,
    OutboxMessage,
    StaffReply,
)
from knowledge.working_days import local_day, now_utc
from tests.conftest import NOW, Served, serving
from tests.wechat_user import WeChatUser

ODD = "公司食堂的鹅跑到马路上被车压了，司机要公司赔车漆，公司要赔吗，鹅的钱谁出"
OTHER = "邻居家的猫半夜在办公楼里乱叫，物业说要收我们公司噪音管理费合理吗"


def number_in(text: str) -> str:
    found = re.search(r"Q\d{8}-\d{4}", text)
    assert found, text
    return found[0]


def inquiry(served: Served, number: str) -> Inquiry:
    with served.database.reading() as session:
        return inquiries.by_number(session, number)


def asks_back(served: Served, number: str, text: str, at: datetime | None = None) -> None:
    with served.database.writing() as session:
        inquiries.ask_back(session, number, "李", text, at or now_utc())


def answers(served: Served, number: str, text: str) -> None:
    with served.database.writing() as session:
        inquiries.reply(session, number, "李", text, now_utc())


# --- answers ---------------------------------------------------------------------------------------------


def test_an_answer_has_its_five_parts_in_order(fawen: Served) -> None:
    heard = fawen.user("anatomy").says("试用期最长能约定多久啊")

    places = [
        heard.visible.index(part)
        for part in (
            "最长六个月",
            "依据：",
            "相关问题：",
            "本条尚未经律师复核",
            "核对日期 2026-11",
            "有用 · 没解决 · 人工",
        )
    ]
    assert places == sorted(places)
    related = [link for link in heard.links if link.label not in ("有用", "没解决", "人工")]
    assert related
    assert all(link.content == link.label for link in related)
    assert not any(link.content.isdecimal() for link in heard.links)


def test_a_tap_on_an_old_list_still_means_its_title(served: Served) -> None:
    zhang = served.user("zhang")
    old = zhang.says("试用期最长多久").links[0]
    zhang.says("拖欠工资怎么办")
    zhang.says("你好")

    zhang.says(old.content, bizmsgmenuid=old.id).hears_citation("《劳动合同法》第二十条")


def test_a_short_question_is_read_with_the_last_answer(fawen: Served) -> None:
    user = fawen.user("context")
    user.says("公司拖欠工资怎么办").hears("依据：")

    heard = user.says("那试用期呢")

    heard.hears("您是不是想问").hears("试用期工资最低多少")
    user.taps("试用期工资最低多少").hears("依据：")


def test_words_that_lean_on_nothing_known_are_read_by_themselves(fawen: Served) -> None:
    user = fawen.user("leaning")
    alone = user.says("那年假呢").hears("都不是").hears_not("已登记")
    user.says("试用期最长多久").hears("依据：")

    after = user.says("那年假呢").hears("都不是").hears_not("已登记")

    assert all("年假有几天" in [link.content for link in heard.links] for heard in (alone, after))
    with fawen.database.reading() as session:
        reasons = session.exec(select(Message.reason).where(Message.text == "那年假呢")).all()
    assert len(reasons) == 2
    assert not [reason for reason in reasons if "年假" in (reason or "")], (
        "a reason outlives the person: no words of his"
    )


def test_a_short_question_without_a_topic_before_it_stands_alone(fawen: Served) -> None:
    fawen.user("nocontext").says("那陪你聊天呢").hears("没有看出")


# --- what the matcher may say ---------------------------------------------------------------------------


class Telling(Matcher):
    """Tells the outcome a test names, so that the dialogue about it is tested whatever the matcher finds."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.told: Outcome | None = None

    def outcome(self, session: Session, decision: Decision, today: date) -> Outcome:
        return self.told or super().outcome(session, decision, today)


@pytest.fixture
def told(sqlite: Database) -> Iterator[Served]:
    with serving(sqlite, matcher=Telling(sqlite)) as served:
        yield served


def tell(served: Served, outcome: Outcome | None) -> None:
    assert isinstance(served.matcher, Telling)
    served.matcher.told = outcome


def texts(served: Served, *names: str) -> list[Answered]:
    decision = served.matcher.decide("试用期最长多久")
    with served.database.reading() as session:
        return [Answered(published_text(session, name, local_day(NOW)), decision) for name in names]


def test_several_questions_get_their_first_lines_and_a_tap_each(told: Served) -> None:
    first, second, third = texts(told, "labor.probation.length", "labor.wage.arrears", "company.capital.five_year")
    tell(told, Answered(first.entry, first.decision, (second.entry, third.entry)))

    heard = told.user("zhang").says("试用期多久？工资拖着怎么办？注册资本几年缴足？")

    heard.hears("您问到了几个问题").hears("没有说到的，请单独再问").hears("试用期最长六个月").hears_not(
        "合同不满一年的不超过一个月"
    )
    assert heard.visible.count("依据：") == 3
    whole = heard.links[:3]
    assert [link.content for link in whole] == ["试用期最长多久", "拖欠工资怎么办", "五年内缴足注册资本"]
    tell(told, None)
    told.user("zhang").says(whole[1].content, bizmsgmenuid=whole[1].id).hears("劳动监察")


def test_a_decisive_fact_is_asked_for_twice_in_a_row_at_most(told: Served) -> None:
    zhang = told.user("zhang")
    choices = (
        Choice("labor.probation.length", "试用期最长多久", "还没转正"),
        Choice("labor.probation.wage", "试用期工资最低多少", "已经转正"),
    )
    tell(told, Clarified(choices, told.matcher.decide("试用期"), "您转正了吗"))

    for _ in range(2):
        heard = zhang.says("试用期的事")
        heard.hears("您转正了吗").hears_choices("还没转正", "已经转正", "都不是")
        assert heard.links[0].content == "试用期最长多久"
    zhang.says("试用期的事").hears_not("您转正了吗").hears_choices("试用期最长多久", "试用期工资最低多少", "都不是")
    zhang.says("2").hears_citation("《劳动合同法》第二十条")
    zhang.says("试用期的事").hears("您转正了吗")


def test_digits_mean_the_newest_list_only_and_none_of_these_opens_an_inquiry(told: Served) -> None:
    zhang = told.user("zhang")
    pair = [
        Choice("labor.probation.length", "试用期最长多久", "试用期最长多久"),
        Choice("labor.wage.arrears", "拖欠工资怎么办", "拖欠工资怎么办"),
    ]
    decision = told.matcher.decide("试用期")
    tell(told, Clarified((pair[0], pair[1]), decision))
    zhang.says("公司不讲理怎么办呢")
    tell(told, Clarified((pair[1], pair[0]), decision))
    heard = zhang.says("公司又不讲理了怎么办呢")
    tell(told, None)

    zhang.says("１").hears("劳动监察")
    number = number_in(zhang.says("都不是", bizmsgmenuid=heard.links[-1].id).hears("已登记").text)
    assert inquiry(told, number).question == "公司又不讲理了怎么办呢"
    zhang.says("2").hears("没有看出")


# --- a colleague asks back -------------------------------------------------------------------------------


def test_the_next_message_joins_the_inquiry_that_waits_for_it(served: Served) -> None:
    zhang = served.user("zhang")
    number = number_in(zhang.says(ODD).text)
    asks_back(served, number, "鹅是公司养的还是员工养的？")

    zhang.says("你好").hears("鹅是公司养的还是员工养的").hears("直接回复即可")
    zhang.says("谢谢").hears("不客气")
    heard = zhang.says("是公司养的，一共三只").hears("已转给工作人员").hears(number)

    assert [link.label for link in heard.links] == ["这是新问题"]
    joined = inquiry(served, number)
    assert joined.status == InquiryStatus.ASSIGNED
    assert "（补充）是公司养的，一共三只" in (joined.question or "")
    zhang.says("试用期最长多久").hears("最长六个月")


def test_a_question_that_was_not_meant_for_the_colleague_is_taken_out_and_answered(served: Served) -> None:
    zhang = served.user("zhang")
    number = number_in(zhang.says(ODD).text)
    asks_back(served, number, "鹅是谁养的？")
    zhang.says("你好")
    zhang.says("试用期最长能约定多久啊").hears("已转给工作人员")

    zhang.taps("这是新问题").hears_citation("《劳动合同法》第十九条")

    waiting = inquiry(served, number)
    assert (waiting.question, waiting.status) == (ODD, InquiryStatus.WAITING)
    zhang.says("员工养的").hears("已转给工作人员")


def test_what_is_sent_before_the_question_arrived_is_no_answer_to_it(served: Served) -> None:
    zhang = served.user("zhang")
    number = number_in(zhang.says(ODD).text)
    asks_back(served, number, "鹅是谁养的？")

    zhang.says("试用期最长多久").hears("鹅是谁养的").hears("最长六个月")

    assert inquiry(served, number).question == ODD


def test_taps_and_commands_do_not_join(served: Served) -> None:
    zhang = served.user("zhang")
    number = number_in(zhang.says(ODD).text)
    asks_back(served, number, "鹅是谁养的？")
    zhang.says("你好")

    zhang.says("进度").hears("在等您补充")
    zhang.says("试用期最长多久", bizmsgmenuid="m1").hears("最长六个月")
    zhang.event("CLICK", EventKey="试用期期限").hears("最长六个月")
    # A test account does not tell that a link was tapped (wechat.md §1.7); a title stands alone all the same.
    zhang.says("试用期最长多久").hears("最长六个月")

    assert inquiry(served, number).question == ODD
    with served.database.reading() as session:
        kinds = session.exec(select(Message.kind).order_by(col(Message.id)))
        assert list(kinds) == ["question", "command", "command", "tap", "tap", "question"]
    zhang.says("员工养的").hears("已转给工作人员").hears(number)


def test_the_due_time_rests_while_the_asker_is_asked(served: Served) -> None:
    zhang = served.user("zhang")
    number = number_in(zhang.says(ODD).text)
    with served.database.writing() as session:
        row = inquiries.by_number(session, number)
        row.due_on = date(2026, 11, 26)  # asked on Tuesday 24, promised for Thursday
        session.add(row)
    asks_back(served, number, "鹅是谁养的？", NOW)

    with served.database.writing() as session:
        row = inquiries.by_number(session, number)
        inquiries.answer_back(session, row, "员工养的", NOW + timedelta(days=13))  # Monday, 7 December

    assert inquiry(served, number).due_on == date(2026, 12, 9)


# --- a person --------------------------------------------------------------------------------------------


def test_a_person_is_asked_about_the_answer_that_was_tapped(served: Served) -> None:
    zhang = served.user("zhang")
    first = zhang.says("试用期最长能约定多久啊")
    zhang.says("拖欠工资怎么办")
    human = next(link for link in first.links if link.label == "人工")

    number = number_in(zhang.says(human.content, bizmsgmenuid=human.id).hears("转给工作人员").text)

    assert inquiry(served, number).question == "试用期最长能约定多久啊"


def test_a_callback_number_is_kept_apart_and_goes_when_the_inquiry_closes(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.says("试用期最长能约定多久啊")
    number = number_in(zhang.taps("人工").text)

    zhang.taps("留电话").hears("办结即删除").hears("发送号码即表示同意")
    zhang.says("138 0013 8000").hears("尾号 8000").hears_not("13800138000")

    with served.database.reading() as session:
        row = inquiries.by_number(session, number)
        assert row.id is not None
        assert callbacks.number_for(session, row.id) == "13800138000"
        stored = [f"{m.text} {m.reply}" for m in session.exec(select(Message))]
        assert not any("0013" in text for text in stored)
        assert "0013" not in (row.question or "")
    answers(served, number, "最长六个月。")
    with served.database.reading() as session:
        assert session.exec(select(CallbackNumber)).all() == []


def test_a_callback_number_may_stand_among_a_few_words_once_it_was_asked_for(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.says(ODD)
    zhang.says("我的电话是13800138000").hears_not("尾号")
    zhang.says("留电话")

    zhang.says("打138 0013 8000，下午三点后").hears("尾号 8000")

    with served.database.reading() as session:
        assert session.exec(select(CallbackNumber.number)).all() == ["13800138000"]
        stored = " ".join(f"{m.text} {m.reply}" for m in session.exec(select(Message)))
        assert "0013" not in stored
    zhang.says("留电话")
    zhang.says("我和同事的电话是13800138000和13900139000").hears_not("尾号")


def test_a_number_nobody_asked_for_is_not_kept(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.says("13800138000").hears("没有保存")
    zhang.says(ODD)

    zhang.says("13800138000").hears("没有保存").hears("留电话")
    zhang.taps("留电话")
    zhang.says("0551-65551234").hears("尾号 1234")
    zhang.taps("删除电话").hears("已删除")

    with served.database.reading() as session:
        assert session.exec(select(CallbackNumber)).all() == []


# --- what the asker says of an answer ---------------------------------------------------------------------


def test_unhelpful_after_a_colleagues_reply_reopens_the_inquiry(served: Served) -> None:
    zhang = served.user("zhang")
    number = number_in(zhang.says(ODD).text)
    answers(served, number, "公司要赔。")
    zhang.says("你好").hears("公司要赔")

    zhang.taps("没解决").hears(number).hears("重新办理")

    reopened = inquiry(served, number)
    assert (reopened.status, reopened.closed_at) == (InquiryStatus.ASSIGNED, None)
    with served.database.reading() as session:
        assert [reply.helpful for reply in session.exec(select(StaffReply))] == [False]


def test_typed_unhelpful_speaks_of_what_came_last(served: Served) -> None:
    zhang = served.user("zhang")
    number = number_in(zhang.says(ODD).text)
    answers(served, number, "公司要赔。")
    zhang.says("你好")
    zhang.says("试用期最长能约定多久啊")

    opened = number_in(zhang.says("没解决").hears("已登记").text)

    assert opened != number
    assert inquiry(served, number).status == InquiryStatus.ANSWERED


def test_nobody_rates_or_reopens_what_is_another_askers(served: Served) -> None:
    zhang, zhao = served.user("zhang"), served.user("zhao")
    number = number_in(zhang.says(ODD).text)
    answers(served, number, "公司要赔。")
    zhang.says("你好")

    zhao.says("没解决", bizmsgmenuid="r1").hears("没有找到")
    zhao.says("没解决", bizmsgmenuid="m1").hears("没有找到")
    zhao.says("人工", bizmsgmenuid="m1").hears("写清楚您的问题")

    assert inquiry(served, number).status == InquiryStatus.ANSWERED


def test_progress_lists_several_inquiries_by_number(served: Served) -> None:
    zhang = served.user("zhang")
    numbers = [number_in(zhang.says(text).text) for text in (ODD, OTHER)]

    heard = zhang.says("进度")

    assert [link.content for link in heard.links] == numbers[::-1]
    zhang.taps(numbers[0]).hears(f"提问 {numbers[0]}")


# --- rules of staff ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("刚刚同事的手被机器压断了怎么办", "120"),
        ("老板跑路了，我们三十个工人的工资没发", "12333"),
        ("隔壁厂里招了好多14岁的小孩干活", "12333"),
        ("工资一直要不到，我不想活了", "12356"),
    ],
)
def test_an_urgent_matter_gets_the_right_number_first_and_a_person(fawen: Served, text: str, number: str) -> None:
    heard = fawen.user(f"urgent{number}{len(text)}").says(text)

    first, _, rest = heard.visible.partition("\n\n")
    assert number in first
    opened = inquiry(fawen, number_in(rest))
    assert opened.urgent
    assert "已标为紧急" in rest


def test_an_urgent_matter_names_no_other_hotline_beside_its_own(fawen: Served) -> None:
    fawen.user("onlyone").says("工资一直要不到，我不想活了").hears("12356").hears_not("着急可先拨")


def test_a_question_that_goes_to_a_person_names_the_hotline_of_its_field(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.says("试用期最长多久").hears("依据：")
    zhang.says("没解决").hears("着急可先拨12333（人力资源和社会保障）")
    with served.database.reading() as session:
        assert session.exec(select(Inquiry.domain)).all() == ["labor"]

    zhang.says("没解决").hears("已并入").hears_not("着急可先拨")


def test_a_person_asked_for_after_all_offers_to_call_back(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.says("试用期最长多久").hears("依据：")
    number = number_in(zhang.says("没解决").hears_not("留电话").visible)

    zhang.says("人工").hears("已并入").hears(number).hears("留电话")
    zhang.says("有答复了吗").hears(number).hears("等待工作人员受理")


def test_no_list_offers_none_of_these_twice(told: Served) -> None:
    choices = (
        Choice("labor.probation.length", "试用期最长多久", "还没转正"),
        Choice("labor.probation.wage", "试用期工资最低多少", "都不是"),
    )
    tell(told, Clarified(choices, told.matcher.decide("试用期"), "您转正了吗"))

    told.user("zhang").says("试用期的事").hears_choices("还没转正", "试用期工资最低多少", "都不是")


def test_chat_is_not_read_into_an_open_inquiry(told: Served) -> None:
    zhang = told.user("zhang")
    number = number_in(zhang.says(ODD).visible)

    zhang.says("你几岁了").hears("没有看出")
    zhang.says("哈哈哈").hears("没有看出")

    assert inquiry(told, number).question == ODD
    fragment = replace(told.matcher.decide("有录音"), outside=None)
    tell(told, Unresolved(is_law=False, referral=None, decision=fragment))
    zhang.says("有录音").hears("已并入").hears(number)


def test_a_question_about_a_past_accident_is_not_urgent(fawen: Served) -> None:
    fawen.user("calm").says("去年在工地摔伤，伤残等级下来了怎么赔").hears_not("120（急救）")


def test_a_fixed_reply_comes_before_matching_and_stays_out_of_the_figures(served: Served) -> None:
    zhang = served.user("zhang")
    with served.database.writing() as session:
        fixed_replies.add(
            session, ["地址", "园区在哪"], "园区管委会：科技路1号。", "https://example.cn/map?a=1&b=2", NOW
        )
    served.standing.refresh()

    heard = zhang.says("地址？")

    assert heard.text == '园区管委会：科技路1号。\n<a href="https://example.cn/map?a=1&b=2">点此查看</a>'
    zhang.says("园区地址在哪里啊要交多少税").hears_not("科技路")
    with served.database.reading() as session:
        stored = session.exec(select(Message).where(col(Message.kind) == "fixed")).one()
        assert (stored.decision, stored.entry_id) == (None, None)


# --- scenes and leaving ----------------------------------------------------------------------------------


def test_the_scene_that_brought_somebody_is_remembered_until_he_leaves(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.event("subscribe", EventKey="qrscene_fair2026", Ticket="t").hears("欢迎关注")
    zhang.event("SCAN", EventKey="visit_7", Ticket="t").hears("您好").hears_not("欢迎关注")

    assert scenes(served) == ["visit_7"]
    zhang.event("unsubscribe", EventKey="")
    assert scenes(served) == [None]


def scenes(served: Served) -> list[str | None]:
    with served.database.reading() as session:
        return list(session.exec(select(Asker.scene)).all())


def test_leaving_erases_numbers_texts_and_what_was_not_delivered(served: Served) -> None:
    zhang = served.user("zhang")
    number = number_in(zhang.says(ODD).text)
    zhang.says("留电话")
    zhang.says("13800138000")
    asks_back(served, number, "鹅是谁养的？")
    with served.database.writing() as session:
        asker = session.exec(select(Asker)).one()
        assert asker.id is not None
        outbox.enqueue(session, asker.id, NOW, text="更正：……")

    zhang.event("unsubscribe", EventKey="")

    with served.database.reading() as session:
        assert session.exec(select(CallbackNumber)).all() == []
        assert session.exec(select(OutboxMessage)).all() == []
        assert [reply.text for reply in session.exec(select(StaffReply))] == [None]
        assert session.exec(select(Asker.address)).all() == [None]
        assert all(m.text is None and m.reply is None for m in session.exec(select(Message)))


def fetched(user: WeChatUser, key: str) -> str:
    return user.says("取答复", bizmsgmenuid=f"k{key[:16]}").visible


def test_a_reply_that_came_too_late_can_be_fetched(served: Served) -> None:
    zhang, zhao = served.user("zhang"), served.user("zhao")
    zhang.says("试用期最长能约定多久啊")
    with served.database.reading() as session:
        key = session.exec(select(Message.key)).one()

    assert "最长六个月" in fetched(zhang, key)
    assert "没有待取的答复" in fetched(zhao, key)
    assert "没有待取的答复" in served.user("wang").says("取答复").visible
    zhang.says("你好")
    zhang.says("试用期最长多久")
    zhang.says("取答复").hears("最长六个月")


def test_what_does_not_fit_beside_the_first_due_reply_waits_for_the_next_message(served: Served) -> None:
    """Behind 更多 it would be lost to somebody who asks something else instead."""
    zhang = served.user("zhang")
    for place, number in enumerate([number_in(zhang.says(text).text) for text in (ODD, OTHER)]):
        answers(served, number, f"第{place}件：" + "长" * 420)

    zhang.says("试用期最长多久").hears("第0件").hears_not("第1件")
    zhang.says("拖欠工资怎么办").hears("第1件")

    with served.database.reading() as session:
        assert {row.status for row in session.exec(select(OutboxMessage))} == {"delivered"}
