"""The inbox over HTTP: bad input, asking back, call-back numbers, and colleagues who were faster."""

import re
from collections.abc import Iterator

import httpx
import pytest
from sqlmodel import select

from knowledge import callbacks, inquiries
from knowledge.database import Database
from knowledge.models import AuditRecord, Inquiry, OutboxMessage, StaffMember
from tests.admin.test_pages import ODD, inquiry_number, sign_in, token
from tests.conftest import NOW, Served, add_staff, serving

STONE = "公司门口的石狮子半夜被人搬走了，保安公司应该赔多少"


@pytest.fixture
def served(sqlite: Database) -> Iterator[Served]:
    """A running Fawen; the kind of store makes no difference to a page."""
    with serving(sqlite) as served:
        add_staff(served.database)
        add_staff(served.database, "王")
        yield served


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as client:
        sign_in(client)
        yield client


def post(browser: httpx.Client, path: str, **fields: object) -> httpx.Response:
    return browser.post(f"/admin{path}", data={"form_token": token(browser.get("/admin/account")), **fields})


def test_asking_back_rests_the_clock_until_the_asker_writes(served: Served, browser: httpx.Client) -> None:
    number = inquiry_number(served)

    asked = post(browser, f"/inquiries/{number}/question", text="鹅是公司养的还是个人养的？")

    assert "等提问人补充" in asked.text
    assert "计时暂停" in browser.get("/admin/inquiries").text
    again = post(browser, f"/inquiries/{number}/question", text="还有呢？")
    assert again.status_code == 409
    assert "还有呢？" in again.text
    served.user("zhang").says("你好").hears("鹅是公司养的还是个人养的")
    served.user("zhang").says("是公司食堂统一养的一群鹅")
    page = browser.get(f"/admin/inquiries/{number}").text
    assert "统一养的一群鹅" in page
    assert "办理中" in page


def test_a_tap_that_opened_a_matter_hides_no_near_entries(served: Served, browser: httpx.Client) -> None:
    """没解决 itself was matched with nothing; what it is about was."""
    zhang = served.user("zhang")
    zhang.says("试用期最长多久").hears("六个月")
    found = re.search(r"Q\d{8}-\d{4}", zhang.says("没解决").text)
    assert found

    page = browser.get(f"/admin/inquiries/{found[0]}?act=entry").text

    assert f"/inquiries/{found[0]}/recognition?entry=labor.probation.length" in page


def test_a_call_back_number_is_for_the_assignee_and_seeing_it_is_logged(served: Served, browser: httpx.Client) -> None:
    number = inquiry_number(served)
    with served.database.writing() as session:
        inquiry = inquiries.by_number(session, number)
        assert inquiry.id
        callbacks.leave(session, inquiry.id, "13800138000", NOW)

    assert "由办理人查看" in browser.get(f"/admin/inquiries/{number}").text
    assert post(browser, f"/inquiries/{number}/callback").status_code == 403
    post(browser, f"/inquiries/{number}/assignment", assignee="me")
    assert "13800138000" not in browser.get(f"/admin/inquiries/{number}").text
    assert "13800138000" in post(browser, f"/inquiries/{number}/callback").text

    with served.database.reading() as session:
        seen = session.exec(select(AuditRecord).where(AuditRecord.action == "inquiry.callback")).one()
        assert "138" not in f"{seen.after}"
    post(browser, f"/inquiries/{number}/reply", text="要赔。")
    assert post(browser, f"/inquiries/{number}/callback").status_code == 404, "gone with the inquiry's end"


def test_filters_hold_while_paging_and_odd_ones_are_harmless(served: Served, browser: httpx.Client) -> None:
    inquiry_number(served)
    inquiry_number(served, STONE)

    found = browser.get("/admin/inquiries", params={"q": "石狮", "state": "open", "mine": "", "page": "1"})
    assert "石狮子" in found.text
    assert "鹅" not in found.text
    assert "没有符合" in browser.get("/admin/inquiries", params={"mine": "1", "state": ""}).text
    for query in ({"state": "x", "domain": "'; DROP"}, {"page": "-1"}, {"page": "99999999"}, {"q": "%_\\" * 50}):
        assert browser.get("/admin/inquiries", params=query).status_code == 200
    assert "没有符合" in browser.get("/admin/inquiries", params={"page": "9", "state": ""}).text


def test_steps_on_a_closed_or_unknown_matter_say_so(served: Served, browser: httpx.Client) -> None:
    number = inquiry_number(served)
    post(browser, f"/inquiries/{number}/refusal", text="不属于解答范围。")

    for path, fields in (
        ("assignment", {"assignee": "me"}),
        ("urgency", {"urgent": "1"}),
        ("referral", {"text": "打12345"}),
        ("merger", {"into": number}),
    ):
        answer = post(browser, f"/inquiries/{number}/{path}", **fields)
        assert answer.status_code in {409, 422}, path
    assert post(browser, "/inquiries/Q20200101-0001/notes", note="x").status_code == 404
    assert post(browser, f"/inquiries/{number}/assignment", assignee="77777").status_code == 404
    assert post(browser, f"/inquiries/{number}/notes", note=" " * 5).status_code == 422
    assert "事后备注" in post(browser, f"/inquiries/{number}/notes", note="事后备注").text


def test_a_member_who_was_shut_out_gets_nothing_assigned(served: Served, browser: httpx.Client) -> None:
    number = inquiry_number(served)
    with served.database.writing() as session:
        wang = session.exec(select(StaffMember).where(StaffMember.name == "王")).one()
        wang.is_active = False
        session.add(wang)

    refused = post(browser, f"/inquiries/{number}/assignment", assignee=str(wang.id))

    assert refused.status_code == 422
    assert "已停用" in refused.text


def test_a_group_shows_to_whom_each_reply_went(served: Served, browser: httpx.Client) -> None:
    number = inquiry_number(served)
    other = re.search(r"Q\d{8}-\d{4}", served.user("zhao").says(ODD).text)
    assert other
    with served.database.writing() as session:
        inquiries.reply(session, other[0], "王", "我先答了", NOW)

    late = post(browser, f"/inquiries/{number}/reply", text="要赔。", recipients=[number, other[0]])

    assert "已答复1件" in late.text
    assert f"{other[0]}已由同事办结" in late.text
    assert "待送达" in late.text
    with served.database.reading() as session:
        assert len(session.exec(select(OutboxMessage)).all()) == 2
    served.user("zhao").says("你好").hears("我先答了")
    assert "已送达" in browser.get(f"/admin/inquiries/{number}").text


def test_recognition_refuses_what_it_cannot_do(served: Served, browser: httpx.Client) -> None:
    number = inquiry_number(served)
    path = f"/inquiries/{number}/recognition"

    assert browser.get(f"/admin{path}", params={"entry": "labor.nothing"}).status_code == 404
    assert post(browser, path, entry="labor.nothing", text="x", recipients=[number]).status_code == 404
    nobody = post(browser, path, entry="labor.wage.arrears", wording=["鹅"], text="答")
    assert nobody.status_code == 422
    assert "至少选择一名" in nobody.text
    named = post(browser, path, entry="labor.wage.arrears", wording=["王经理欠我钱"], text="答", recipients=[number])
    assert named.status_code == 422
    assert "个人信息：王经理" in named.text
    long = post(browser, path, entry="labor.wage.arrears", wording=["长" * 300], text="答", recipients=[number])
    assert "请改短" in long.text
    with served.database.reading() as session:
        assert session.exec(select(Inquiry.status)).one() == "new", "nothing happened yet"
