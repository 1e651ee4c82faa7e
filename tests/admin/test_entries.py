"""知识库, 试问 and 今日 over HTTP: bad input in the editor, trials that leave nothing, figures that add up."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import httpx
import pytest
from sqlmodel import select

from knowledge import working
from knowledge.database import Database
from knowledge.models import Asker, Inquiry, InquiryCounter, Message, Role, TestCase
from knowledge.statutes import library
from knowledge.statutes.texts import ArticleText, StatuteFacts, StatuteText
from knowledge.working_days import local_day, now_utc, start_of_day
from tests.admin.test_inbox import post
from tests.admin.test_pages import ODD, inquiry_number, sign_in, token
from tests.bot.test_outbox import Clock
from tests.conftest import NOW, Served, add_staff, serving
from tests.wechat_api import wechat


@pytest.fixture
def served(sqlite: Database) -> Iterator[Served]:
    """A running Fawen; the kind of store makes no difference to a page."""
    with serving(sqlite) as served:
        add_staff(served.database)
        add_staff(served.database, "王", Role.REVIEWER)
        yield served


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as client:
        sign_in(client)
        yield client


EDITED = {
    "title": "试用期最长多久",
    "topic": "试用期",
    "question": "试用期最长可以约定多久？",
    "answer": "试用期最长六个月。改过了。",
    "citations": "劳动合同法 第十九条第二款\n《中华人民共和国劳动合同法》第二十条",
    "variants": "签三年合同试用期几个月\n试用期能不能约定一年\n\n试用期能不能约定一年？",
    "audience": ["employee"],
    "referral": "12333",
    "review_by": "2027-11-24",
}


def test_the_editor_keeps_what_was_typed_and_says_what_it_cannot_read(browser: httpx.Client) -> None:
    draft = post(browser, "/entries/labor.probation.length/drafts").url.path.removeprefix("/admin")

    odd = post(browser, draft, **{**EDITED, "citations": "见有关规定第几条来着 吧"})
    assert odd.status_code == 422
    assert "看不懂依据" in odd.text
    assert "改过了" in odd.text, "what was typed comes back"
    day = post(browser, draft, **{**EDITED, "review_by": "明年"})
    assert "不是日期" in day.text

    kept = post(browser, draft, **EDITED)
    assert kept.status_code == 200
    assert "《中华人民共和国劳动合同法》第十九条第二款" in kept.text
    assert "字节" in kept.text, "the phone's size of each part"
    assert kept.text.count("试用期能不能约定一年") >= 1
    assert "只有2条相似问法" in kept.text
    refused = post(browser, draft, **EDITED, then="submit")
    assert "请核对下面的提示" in refused.text
    submitted = post(browser, draft, **EDITED, then="submit", confirmed="1")
    assert "待审核" in submitted.text
    late = post(browser, draft, **{**EDITED, "answer": "晚了一步的改动"})
    assert late.status_code == 409


def test_an_article_is_looked_up_and_cited_while_writing(served: Served, browser: httpx.Client) -> None:
    facts = StatuteFacts("中华人民共和国某某法", ("某某法",), "法律", date(2020, 1, 1), False, None, None, 2)
    text = StatuteText(facts, (ArticleText(1, None, "甲。"), ArticleText(2, None, "押金不得收取。")))
    with served.database.writing() as session:
        library.store(session, text, NOW)
    draft = post(browser, "/entries/labor.probation.length/drafts").url.path.removeprefix("/admin")

    found = post(browser, draft, **EDITED, then="look_up", look_up_statute="某某", look_up_article="押金")
    assert "押金不得收取" in found.text
    assert "改过了" in found.text, "what was written is kept"
    cited = re.search(r'name="cite" value="([^"]+)"', found.text)
    assert cited
    kept = post(browser, draft, **EDITED, cite=cited[1])
    assert "《中华人民共和国某某法》第二条" in kept.text
    assert kept.text.count("押金不得收取") == 1, "the text stands beside the citation"
    nothing = post(browser, draft, **EDITED, then="look_up", look_up_statute="没有的法", look_up_article="1")
    assert "没有导入" in nothing.text


def test_only_a_reviewer_reviews_and_a_lawyer_signs(served: Served, browser: httpx.Client) -> None:
    draft = post(browser, "/entries/labor.probation.length/drafts").url.path.removeprefix("/admin")
    post(browser, draft, **EDITED, then="submit", confirmed="1")
    assert post(browser, f"{draft}/review").status_code == 403
    with served.browser() as lawyer:
        sign_in(lawyer, "王")
        reviewed = post(lawyer, f"{draft}/review")
        assert "王审核并签署" in reviewed.text
        listed = lawyer.get("/admin/signing")
        assert "还有5条未签署" in listed.text
        entry = re.search(r'name="entry" value="([^"]+)"', listed.text)
        version = re.search(r'name="version" value="(\d+)"', listed.text)
        assert entry
        assert version
        read = re.search(r'name="read" value="([0-9a-f]+)"', listed.text)
        assert read
        signed = post(lawyer, "/signing", entry=entry[1], version=version[1], read=read[1])
        assert "还有4条未签署" in signed.text
        stale = post(lawyer, "/signing", entry=entry[1], version="99999")
        assert stale.status_code == 409
        assert post(lawyer, "/signing/objection", entry="labor.wage.arrears", comment=" ").status_code == 422
        post(lawyer, "/signing/objection", entry="labor.wage.arrears", comment="漏了加付赔偿金")
    objected = re.search(
        r'/admin(/drafts/\d+)" data-row>\s*<span class="question">拖欠', browser.get("/admin/drafts").text
    )
    assert objected
    assert "漏了加付赔偿金" in browser.get(f"/admin{objected[1]}").text
    stale = post(browser, f"{draft}/publication", against="77")
    assert stale.status_code == 409
    early = post(browser, f"{draft}/publication", against="1")
    assert early.status_code == 422
    assert "请先完成发布前对照" in early.text
    assert working.work_off(served.database) == 1, "the review asked for it"
    assert "测试问句没有变差" in browser.get(f"/admin{draft}").text
    assert "已发布" in post(browser, f"{draft}/publication", against="1").text
    assert "<ins>" in browser.get("/admin/entries/labor.probation.length/versions/2").text
    assert browser.get("/admin/entries/labor.probation.length/versions/9").status_code == 404


def test_a_text_published_for_next_week_waits_holds_and_runs_out(sqlite: Database) -> None:
    """Published today: the old text until then, the new one from that day, none after its last; the list tells each."""
    clock = Clock()
    begins, ends = (local_day(clock()) + timedelta(days=days) for days in (7, 30))
    with serving(sqlite, now=clock) as served, wechat(f"{served.url}/wechat", now=clock) as weixin:
        for name, role in (("李", Role.CURATOR), ("王", Role.REVIEWER)):
            add_staff(sqlite, name, role)
        with signed_in(served, "李") as li:
            draft = post(li, "/entries/labor.probation.length/drafts").url.path.removeprefix("/admin")
            days = {"valid_from": begins.isoformat(), "valid_until": ends.isoformat()}
            post(li, draft, **EDITED, **days, then="submit", confirmed="1")
        with signed_in(served, "王") as wang:
            post(wang, f"{draft}/review")
        working.work_off(sqlite)
        with signed_in(served, "李") as li:
            page = li.get(f"/admin{draft}").text
            assert f"答复自{begins}起生效，在此之前仍按原来的文本答复" in page
            assert f"{ends}以后不再答复" in page
            assert "已发布" in post(li, f"{draft}/publication", against="1").text

        told: list[tuple[bool, bool]] = []
        for later in (0, 6, 1, 23, 1):
            clock.passes(days=later)
            served.matcher.refresh(local_day(clock()))
            heard = weixin.account.user(f"asker-{clock():%m%d}").says("试用期最长多久").text
            told.append(("试用期最长六个月，视合同期限而定" in heard, "改过了" in heard))
            with signed_in(served, "李") as li:
                listed = li.get("/admin/entries", params={"q": "labor.probation.length"}).text
                shown = li.get("/admin/entries/labor.probation.length").text
            waits = clock() < start_of_day(begins)
            assert (f"待生效：自{begins}起用新文本" in listed) is waits
            assert (f"待生效：自{begins}起换用新文本" in shown, f"自{begins}起的样子" in shown) == (waits, waits)
            is_over = local_day(clock()) > ends
            assert (f"{ends}以后失效" in listed, "已失效，不再答复" in listed) == (not is_over, is_over)
            assert ("有效期已过，现在不答复" in shown) is is_over

    assert told == [(True, False), (True, False), (False, True), (False, True), (False, False)]


def test_who_waits_is_not_told_what_does_not_hold_yet(served: Served, browser: httpx.Client) -> None:
    number = inquiry_number(served)
    begins = local_day(now_utc()) + timedelta(days=7)
    draft = post(browser, "/drafts", domain="labor", inquiry=number).url.path.removeprefix("/admin")
    variants = "\n".join(f"{ODD}{word}" for word in ("吗", "呢", "怎么办", "归谁", "算什么"))
    typed = {**EDITED, "title": "养鹅伤人谁赔", "question": ODD, "variants": variants, "valid_from": begins.isoformat()}
    submitted = post(browser, draft, **typed, then="submit", confirmed="1")
    assert "待审核" in submitted.text
    with signed_in(served, "王") as wang:
        post(wang, f"{draft}/review")
    working.work_off(served.database)

    page = browser.get(f"/admin{draft}").text
    assert f"等这一条的1件提问，到{begins}生效后再答复" in page
    assert "在此之前不答复" in page
    refused = post(browser, f"{draft}/publication", against="0", recipients=number)
    assert refused.status_code == 422
    assert "现在不能发给提问人" in refused.text
    assert "已发布" in post(browser, f"{draft}/publication", against="0").text
    assert f"待生效：自{begins}起答复" in browser.get("/admin/entries", params={"q": "养鹅"}).text


@contextmanager
def signed_in(served: Served, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, follow_redirects=True, timeout=20, trust_env=False) as client:
        sign_in(client, name)
        yield client


def test_a_trial_leaves_nothing_and_shows_the_reply_and_why(served: Served, browser: httpx.Client) -> None:
    answered = browser.get("/admin/trial", params={"q": "试用期最长多久"})
    unresolved = browser.get("/admin/trial", params={"q": ODD})
    greeting = browser.get("/admin/trial", params={"q": "你好"})
    script = browser.get("/admin/trial", params={"q": "<script>alert(1)</script>"})

    assert "直接答复" in answered.text
    assert "《劳动合同法》第十九条" in answered.text
    assert 'title="点按发送：' in answered.text
    assert "已登记" in unresolved.text
    assert "没有经过匹配" in greeting.text
    assert "<script>alert" not in script.text
    with served.database.reading() as session:
        for table in (Message, Inquiry, Asker, InquiryCounter):
            assert session.exec(select(table)).all() == [], table


def test_a_trial_becomes_a_test_case_without_personal_details(served: Served, browser: httpx.Client) -> None:
    page = browser.get("/admin/trial", params={"q": "我叫张小明，试用期最长多久"})
    assert "我叫某人，试用期最长多久" in page.text

    named = post(browser, "/trial/cases", text="我叫张小明", entry="labor.probation.length", tried="x")
    assert named.status_code == 422
    assert "张小明" in named.text
    unknown = post(browser, "/trial/cases", text="试用期多久", entry="labor.nothing")
    assert unknown.status_code == 422
    assert "已存为测试问句" in post(browser, "/trial/cases", text="试用期多久", entry="labor.probation.length").text
    post(browser, "/trial/cases", text="试用期多久", entry="")

    with served.database.reading() as session:
        [case] = session.exec(select(TestCase)).all()
        assert (case.text, case.entry_id) == ("试用期多久", None)
    assert post(browser, f"/trial/cases/{case.id}/removal").status_code == 200
    assert post(browser, f"/trial/cases/{case.id}/removal").status_code == 404


def test_today_counts_what_waits_and_what_was_answered(served: Served, browser: httpx.Client) -> None:
    inquiry_number(served)
    served.user("zhao").says("试用期最长多久")
    served.user("zhao").says("试用期最长多久？")  # a repeat, which counts once
    served.user("sun").says("试用期最长多久？")
    served.user("zhao").says("你好")

    home = browser.get("/admin/").text

    assert re.search(r"<strong>1</strong>以后到期", home)
    assert "66.7%" in home
    assert "2/3：" in home
    assert "尚未经律师签署的条目5条" in home
    assert "鹅" in home


def test_a_new_entry_wants_a_field_of_law_and_an_inquiry_that_exists(browser: httpx.Client) -> None:
    assert post(browser, "/drafts", domain="criminal").status_code == 422
    assert post(browser, "/drafts", domain="labor", inquiry="Q20200101-0001").status_code == 404
    empty = post(browser, "/drafts", domain="labor")
    assert "填写完整后可以预览" in empty.text
    assert token(empty)
    gone = post(browser, empty.url.path.removeprefix("/admin") + "/removal")
    assert "没有正在办理的稿件" in gone.text
