"""The workbench over HTTP: who may see what, forms that are not ours, and answering an inquiry."""

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlmodel import select

from admin.app import ROUTERS
from knowledge import inquiries, staff
from knowledge.models import AuditRecord, OutboxMessage, Role, StaffMember
from tests.conftest import NOW, PASSWORD, Served, add_staff

OPEN_TO_ALL = {"/sign-in", "/sign-in/code", "/sign-out"}
ODD = "公司食堂的鹅跑到马路上被车压了，司机要公司赔车漆，公司要赔吗"


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    """A browser that keeps its cookies and follows redirections."""
    with served.browser() as client:
        yield client


def token(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found[1]


def sign_in(browser: httpx.Client, name: str = "李", password: str = PASSWORD, **fields: str) -> httpx.Response:
    form = {"form_token": token(browser.get("/admin/sign-in")), "name": name, "password": password, **fields}
    return browser.post("/admin/sign-in", data=form)


def inquiry_number(served: Served, text: str = ODD) -> str:
    found = re.search(r"Q\d{8}-\d{4}", served.user("zhang").says(text).text)
    assert found
    return found[0]


def test_every_page_wants_a_sign_in() -> None:
    """Walks all routes: one without a permission fails here."""
    routes = [route for router in ROUTERS for route in router.routes]
    assert len(routes) > 10

    for route in routes:
        assert isinstance(route, APIRoute)
        if route.path in OPEN_TO_ALL:
            continue
        calls = [dependency.call for dependency in route.dependant.dependencies]
        permissions = [getattr(call, "permission") for call in calls if hasattr(call, "permission")]  # noqa: B009
        assert len(permissions) == 1, route.path
        if "POST" in (route.methods or ()):
            assert permissions[0] is not Role.VIEWER or route.path.startswith("/account"), route.path
            assert any(getattr(call, "__name__", "") == "own_form" for call in calls), route.path


def test_a_stranger_is_sent_to_sign_in_and_then_where_he_was_going(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)

    asked = browser.get("/admin/entries")
    assert asked.url.path == "/admin/sign-in"
    form = {"form_token": token(asked), "name": "李", "password": PASSWORD, "next": asked.url.params["next"]}
    arrived = browser.post("/admin/sign-in", data=form)

    assert arrived.url.path == "/admin/entries"
    assert "知识库" in arrived.text


def test_an_address_from_outside_is_no_place_to_go_after_signing_in(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)

    assert sign_in(browser, next="https://evil.example/").url.path == "/admin/"


def test_a_wrong_password_says_no_more_than_that(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)

    known, unknown = sign_in(browser, password="wrong password"), sign_in(browser, name="没有这人")

    assert known.status_code == unknown.status_code == 401
    assert "用户名或密码不对" in known.text
    assert "用户名或密码不对" in unknown.text
    assert PASSWORD not in known.text


def test_a_form_from_elsewhere_is_refused(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)
    number = inquiry_number(served)
    sign_in(browser)

    refused = browser.post(f"/admin/inquiries/{number}/reply", data={"text": "伪造", "form_token": "x"})

    assert refused.status_code == 403
    with served.database.reading() as session:
        assert session.exec(select(OutboxMessage)).all() == []


def test_a_colleague_answers_and_the_asker_hears_it(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)
    number = inquiry_number(served)
    listed = sign_in(browser)
    assert "鹅" in listed.text
    page = browser.get(f"/admin/inquiries/{number}")

    answered = browser.post(
        f"/admin/inquiries/{number}/reply", data={"text": "鹅归公司管，要赔。", "form_token": token(page)}
    )

    assert "已答复" in answered.text
    assert "待送达" in answered.text
    served.user("zhang").says("你好").hears("鹅归公司管，要赔。")
    assert "已送达" in browser.get(f"/admin/inquiries/{number}").text
    assert "没有待办的提问单" in browser.get("/admin/inquiries").text


def test_the_log_holds_no_word_of_an_asker(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)
    number = inquiry_number(served)
    page = sign_in(browser)
    browser.post(f"/admin/inquiries/{number}/reply", data={"text": "鹅归公司管。", "form_token": token(page)})

    with served.database.reading() as session:
        kept = session.exec(select(AuditRecord).where(AuditRecord.action == "inquiry.answered")).one()
    assert kept.subject == f"inquiry {number}"
    assert "鹅" not in f"{kept.before}{kept.after}"


def test_an_openid_is_shortened_and_revealed_to_administrators_on_the_record(
    served: Served, browser: httpx.Client
) -> None:
    add_staff(served.database)
    add_staff(served.database, "陈", Role.ADMINISTRATOR)
    number = inquiry_number(served)
    openid = served.user("zhang").openid
    sign_in(browser)
    page = browser.get(f"/admin/inquiries/{number}")
    assert openid not in page.text
    assert f"{openid[:4]}…{openid[-4:]}" in page.text
    assert "显示完整标识" not in page.text
    sign_in(browser, "陈")
    page = browser.get(f"/admin/inquiries/{number}")

    assert openid in browser.post(f"/admin/inquiries/{number}/asker", data={"form_token": token(page)}).text

    with served.database.reading() as session:
        kept = session.exec(select(AuditRecord).where(AuditRecord.action == "inquiry.asker")).one()
    assert (kept.actor, kept.subject, kept.after) == ("陈", f"inquiry {number}", {"seen": True})


def test_a_reply_that_is_refused_comes_back_with_what_was_typed(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)
    number = inquiry_number(served)
    sign_in(browser)
    page = browser.get(f"/admin/inquiries/{number}")
    with served.database.writing() as session:
        inquiries.reply(session, number, "王", "我先答了。", NOW)

    late = browser.post(f"/admin/inquiries/{number}/reply", data={"text": "写了很久的答复", "form_token": token(page)})
    empty = browser.post(f"/admin/inquiries/{number}/reply", data={"text": "  ", "form_token": token(page)})

    assert late.status_code == 409
    assert "写了很久的答复" in late.text
    assert empty.status_code == 422


def test_a_viewer_reads_and_does_not_answer(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database, role=Role.VIEWER)
    number = inquiry_number(served)
    sign_in(browser)
    page = browser.get(f"/admin/inquiries/{number}")

    refused = browser.post(f"/admin/inquiries/{number}/reply", data={"text": "答", "form_token": token(page)})

    assert page.status_code == 200
    assert refused.status_code == 403


def test_what_askers_write_is_shown_as_text(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)
    number = inquiry_number(served, "<script>alert(1)</script>公司养的鹅被压了要赔车漆吗" + ODD)
    sign_in(browser)

    page = browser.get(f"/admin/inquiries/{number}")

    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_entries_are_found_and_read(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)
    sign_in(browser)

    found = browser.get("/admin/entries", params={"q": "试用期", "domain": "labor"})
    entry = browser.get("/admin/entries/labor.probation.length")

    assert "试用期最长多久" in found.text
    assert "行政处罚" not in found.text
    assert "《劳动合同法》第十九条" in entry.text
    assert "本条尚未经律师复核" in entry.text
    assert "没有找到条目" in browser.get("/admin/entries", params={"q": "100%_"}).text
    assert browser.get("/admin/entries/labor.nothing").status_code == 404
    assert browser.get("/admin/inquiries/Q20200101-0001").status_code == 404


def test_a_new_password_ends_the_sessions(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)
    sign_in(browser)
    with served.database.writing() as session:
        staff.set_password(session, "李", "another good password", NOW)

    assert browser.get("/admin/inquiries").url.path == "/admin/sign-in"
    with served.database.writing() as session:
        member = session.exec(select(StaffMember)).one()
        member.is_active = False
        session.add(member)
    assert sign_in(browser, password="another good password").status_code == 401


def test_signing_out_ends_the_session(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database)
    page = sign_in(browser)

    browser.post("/admin/sign-out", data={"form_token": token(page)})

    assert browser.get("/admin/inquiries").url.path == "/admin/sign-in"


def test_headers_keep_other_sites_out(served: Served, browser: httpx.Client) -> None:
    answer = browser.get("/admin/sign-in")
    style = browser.get("/admin/static/style.css")

    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/admin" in cookie
    assert style.status_code == 200
