"""回放 and 谁收到过 over HTTP: what a past message was answered, and who received which version of an entry."""

import re
from collections.abc import Iterator

import httpx
import pytest
from sqlmodel import col, select

from knowledge import curation, erasure, seeding, tuning
from knowledge.matching.weights import load_weights
from knowledge.models import Asker, FurtherAnswer, Message, WeightsUsed
from knowledge.working_days import local_day, now_utc
from tests.admin.test_pages import sign_in, token
from tests.conftest import Served, add_staff

ENTRY = "labor.probation.length"
QUESTION = "试用期最长可以约定多久？"


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    add_staff(served.database)
    with served.browser() as client:
        sign_in(client)
        yield client


def newest(served: Served) -> Message:
    with served.database.reading() as session:
        return session.exec(select(Message).order_by(col(Message.id).desc())).first()  # type: ignore[return-value] # asked before


def revise(served: Served, answer: str) -> None:
    """The entry says something else from now on."""
    with served.database.writing() as session:
        form = seeding.stored_forms(session, local_day(now_utc()), [ENTRY])[ENTRY]
        seeding.revise_entry(session, form.model_copy(update={"answer": answer}), now_utc(), by_seed=False)
        curation.publish_content(session, now_utc(), "tests")


def test_a_replay_shows_the_version_given_then_though_the_entry_has_changed(
    served: Served, browser: httpx.Client
) -> None:
    zhang = served.user("zhang")
    zhang.says(QUESTION).hears("试用期最长六个月")
    asked = newest(served)
    zhang.taps("没解决")
    revise(served, "试用期现在另有规定。")

    shown = browser.get(f"/admin/messages/{asked.id}").text

    assert "给出的条目" in shown
    assert "第1版" in shown
    assert "此后条目有了第2版" in shown
    assert shown.count("试用期最长六个月") >= 2, "as sent, and as the version has it"
    assert "试用期现在另有规定" not in shown
    assert "与标题或一条相似问法完全一致" in shown
    assert "直接答复的界限" in shown
    assert "提问人说：没解决" in shown
    assert "o_zhang_" not in shown
    with served.database.reading() as session:
        assert asked.weights_digest == tuning.digest_of(load_weights())
        assert [one.digest for one in session.exec(select(WeightsUsed))] == [asked.weights_digest]


def test_what_was_erased_stays_erased_and_the_page_says_so(served: Served, browser: httpx.Client) -> None:
    zhang = served.user("zhang")
    zhang.says("签三年合同试用期几个月")
    asked = newest(served)
    zhang.event("unsubscribe")

    shown = browser.get(f"/admin/messages/{asked.id}").text

    assert "内容已按要求或保存期限清除" in shown
    assert "回复原文已随提问人的内容清除" in shown
    assert "提问人已退订或清除" in shown
    assert "试用期最长六个月" in shown, "the version stays: staff wrote it"
    assert "签三年合同" not in shown
    assert browser.get("/admin/messages/999999").status_code == 404


def test_messages_are_found_by_words_entry_decision_and_days(served: Served, browser: httpx.Client) -> None:
    zhang = served.user("zhang")
    zhang.says(QUESTION)
    zhang.says("公司拖欠工资去哪里投诉")
    zhang.says("你好")

    def found(**query: str) -> list[str]:
        return re.findall(r'class="question">([^<]*)<', browser.get("/admin/messages", params=query).text)

    assert found() == ["你好", "公司拖欠工资去哪里投诉", QUESTION]
    assert found(q="试用期") == [QUESTION]
    assert found(q="100%_") == []
    assert found(entry="labor.wage.arrears") == ["公司拖欠工资去哪里投诉"]
    assert found(decision="unresolved") == []
    assert found(since=local_day(now_utc()).isoformat(), until=local_day(now_utc()).isoformat())
    assert found(since="2020-01-01", until="2020-01-02") == []
    assert browser.get("/admin/messages", params={"since": "明天"}).status_code == 422
    assert (
        "截止日期不能早于" in browser.get("/admin/messages", params={"since": "2026-01-02", "until": "2026-01-01"}).text
    )


def test_who_received_which_version_counts_every_way_of_receiving(served: Served, browser: httpx.Client) -> None:
    """An answer, a tap, the second answer of one reply; not a registration that gave no answer."""
    served.user("zhang").says(QUESTION)
    served.user("zhang").says("签三年合同试用期几个月").hears("试用期最长六个月")
    served.user("zhao").says("公司拖欠工资去哪里投诉？签三年合同试用期几个月？").hears("您问到了")
    wants_person = served.user("sun")
    wants_person.says("人工")
    wants_person.says(QUESTION).hears("已登记")
    gone = served.user("qian")
    gone.says(QUESTION)
    gone.event("unsubscribe")
    revise(served, "试用期现在另有规定。")
    served.user("li").says(QUESTION)

    page = browser.get(f"/admin/entries/{ENTRY}/recipients").text
    first = browser.get(f"/admin/entries/{ENTRY}/recipients", params={"version": "1"}).text
    later = browser.get(f"/admin/entries/{ENTRY}/recipients", params={"since": "2099-01-01"}).text

    assert "收到任何一版的提问人4人" in page
    assert re.search(r"第1版</label></td><td>[^<]*</td><td>4次</td><td>3人</td><td>1人</td>", page), page
    assert re.search(r"第2版</label></td><td>[^<]*</td><td>1次</td><td>1人</td><td>0人</td>", page)
    assert "收到第1版的提问人3人" in first
    assert "已退订或清除的提问人" in first
    assert "2次，最近" in first
    assert "没有人收到过" in later
    assert browser.get(f"/admin/entries/{ENTRY}/recipients", params={"since": "x"}).status_code == 422
    with served.database.reading() as session:
        assert [one.entry_id for one in session.exec(select(FurtherAnswer))] == [ENTRY]


def test_a_colleagues_reply_with_an_entrys_text_counts_and_leads_to_its_inquiry(
    served: Served, browser: httpx.Client
) -> None:
    zhao = served.user("zhao")
    number = re.search(r"Q\d{8}-\d{4}", zhao.says("公司食堂养的鹅跑到马路上被车压了，鹅的钱谁出").text)
    assert number
    form = browser.get(f"/admin/inquiries/{number[0]}/recognition", params={"entry": ENTRY})
    sent = browser.post(
        f"/admin/inquiries/{number[0]}/recognition",
        data={
            "form_token": token(form),
            "entry": ENTRY,
            "wording": "试用期能约定几个月呀",
            "text": "试用期最长六个月。",
            "recipients": number[0],
            "confirmed": "1",
        },
    )
    assert "已答复1件" in sent.text, sent.text
    zhao.says("你好").hears("试用期最长六个月")
    greeted = newest(served)

    page = browser.get(f"/admin/entries/{ENTRY}/recipients").text
    replayed = browser.get(f"/admin/messages/{greeted.id}").text

    assert "收到任何一版的提问人1人" in page
    assert f'/inquiries/{number[0]}">' in page
    assert f"李对{number[0]}的答复随这次回复送达" in replayed


def test_erasing_leaves_the_version_in_the_log(served: Served) -> None:
    served.user("zhang").says(QUESTION)
    with served.database.writing() as session:
        erasure.erase(session, session.exec(select(Asker)).one())
    message = newest(served)

    assert (message.text, message.reply) == (None, None)
    assert message.entry_version_id
    assert message.reason
