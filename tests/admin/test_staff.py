"""People of the workbench: second factor, sessions that end, managing staff, and the log of it all."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
from sqlmodel import select

from admin.limits import BODY_LIMIT_BYTES
from admin.rendering import ACTION_NAMES, SUBJECT_NAMES
from knowledge import audit, staff
from knowledge.database import Database
from knowledge.encryption import Encryption
from knowledge.errors import InvalidInput
from knowledge.models import Role, StaffMember
from tests.admin.test_pages import sign_in, token
from tests.conftest import NOW, PASSWORD, SECRET_KEY, Served, add_staff, serving

ENCRYPTION = Encryption(SECRET_KEY)


class Clock:
    """A clock that a test turns by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(sqlite: Database, clock: Clock) -> Iterator[Served]:
    """A running Fawen whose clock stands still; the kind of store makes no difference to a page."""
    with serving(sqlite, now=clock) as served:
        add_staff(sqlite, "陈", Role.ADMINISTRATOR)
        add_staff(sqlite, "李")
        yield served


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as client:
        yield client


def post(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    form = {"form_token": token(browser.get("/admin/account")), **fields}
    return browser.post(f"/admin{path}", data=form)


def test_a_second_factor_is_set_up_and_asked_for(served: Served, browser: httpx.Client, clock: Clock) -> None:
    sign_in(browser)
    shown = post(browser, "/account/second-factor")
    found = re.search(r"<code>([A-Z2-7]{32})</code>", shown.text)
    assert found
    assert "<svg" in shown.text
    app = pyotp.TOTP(found[1])
    assert "验证码不对" in post(browser, "/account/second-factor/confirmation", code="abcdef").text
    confirmed = post(browser, "/account/second-factor/confirmation", code=app.at(clock()))
    assert "已启用" in confirmed.text
    post(browser, "/sign-out")

    asked = sign_in(browser)
    assert "手机验证码" in asked.text
    assert browser.get("/admin/entries").url.path == "/admin/sign-in", "the password alone opens nothing"

    asked = sign_in(browser)
    used = browser.post("/admin/sign-in/code", data={"form_token": token(asked), "code": app.at(clock())})
    assert used.status_code == 401, "the code that switched it on works no second time"
    clock.turn(seconds=30)
    arrived = browser.post("/admin/sign-in/code", data={"form_token": token(used), "code": app.at(clock())})
    assert arrived.status_code == 200
    assert browser.get("/admin/entries").url.path == "/admin/entries"


def test_codes_guessed_lock_the_name_and_a_password_given_long_ago_does_not_count(
    served: Served, browser: httpx.Client, clock: Clock
) -> None:
    with served.database.writing() as session:
        member = session.exec(select(StaffMember).where(StaffMember.name == "李")).one()
        secret = pyotp.random_base32()
        member.totp_secret = ENCRYPTION.encrypt(secret)
        session.add(member)
        app = pyotp.TOTP(secret)
    page = sign_in(browser)
    clock.turn(minutes=6)
    late = browser.post("/admin/sign-in/code", data={"form_token": token(page), "code": app.at(clock())})
    assert "请重新输入用户名和密码" in late.text

    page = sign_in(browser)
    wrong = next(code for code in ("000000", "111111", "222222", "333333") if not _fits(app, code, clock()))
    for _ in range(staff.ATTEMPTS):
        page = browser.post("/admin/sign-in/code", data={"form_token": token(page), "code": wrong})

    locked = browser.post("/admin/sign-in/code", data={"form_token": token(page), "code": app.at(clock())})
    assert locked.status_code == 401
    clock.turn(minutes=16)
    page = sign_in(browser)
    assert "手机验证码" in page.text
    right = browser.post("/admin/sign-in/code", data={"form_token": token(page), "code": app.at(clock())})
    assert right.status_code == 200


def test_who_guesses_passwords_is_stopped_and_the_colleague_is_not(served: Served, browser: httpx.Client) -> None:
    """The attacker sits behind the same address: only a browser known from before tells the colleague apart."""
    sign_in(browser)
    post(browser, "/sign-out")
    with served.browser() as attacker:
        tried = [sign_in(attacker, password="wrong password").status_code for _ in range(staff.ATTEMPTS + 1)]
        assert tried == [401] * staff.ATTEMPTS + [429]
        assert "15分钟后再试" in sign_in(attacker).text, "the right one does not help either"
        unknown = [sign_in(attacker, name="没有这人").status_code for _ in range(staff.ATTEMPTS + 1)]
        assert unknown == tried, "a name nobody has is no different"

    assert sign_in(browser).status_code == 200
    with served.browser() as elsewhere:
        elsewhere.headers["x-forwarded-for"] = "192.0.2.7"
        assert sign_in(elsewhere).status_code == 200, "from another address, never seen before"
        post(elsewhere, "/sign-out")
        sign_in(elsewhere, "陈")
        assert "15分钟内尝试登录" in elsewhere.get("/admin/staff").text


def test_a_name_tried_from_everywhere_lets_its_owner_in_all_the_same(served: Served, browser: httpx.Client) -> None:
    for place in range(12):
        browser.headers["x-forwarded-for"] = f"198.51.100.{place}"
        assert sign_in(browser, password="wrong password").status_code == 401

    browser.headers["x-forwarded-for"] = "192.0.2.7"
    assert sign_in(browser).status_code == 200


def test_a_second_factor_is_stored_encrypted(served: Served, browser: httpx.Client) -> None:
    sign_in(browser)
    found = re.search(r"<code>([A-Z2-7]{32})</code>", post(browser, "/account/second-factor").text)
    assert found

    stored = _member(served, "李").totp_pending
    assert stored
    assert found[1] not in stored
    assert ENCRYPTION.decrypt(stored) == found[1]


def test_a_changed_secret_key_is_said(served: Served, browser: httpx.Client) -> None:
    with served.database.writing() as session:
        member = session.exec(select(StaffMember).where(StaffMember.name == "李")).one()
        member.totp_secret = Encryption("another key than the one in force, long").encrypt(pyotp.random_base32())
        session.add(member)

    refused = browser.post("/admin/sign-in/code", data={"form_token": token(sign_in(browser)), "code": "123456"})

    assert refused.status_code == 409
    assert "FAWEN_SECRET_KEY 已经更换" in refused.text


def test_an_idle_session_ends_and_a_busy_one_ends_after_half_a_day(browser: httpx.Client, clock: Clock) -> None:
    sign_in(browser)
    for _ in range(7):
        clock.turn(minutes=100)
        assert browser.get("/admin/entries").url.path == "/admin/entries"
    clock.turn(minutes=100)
    assert browser.get("/admin/entries").url.path == "/admin/sign-in", "twelve hours"

    sign_in(browser)
    clock.turn(minutes=121)
    assert browser.get("/admin/entries").url.path == "/admin/sign-in", "two hours idle"


def test_a_copied_cookie_is_void_after_signing_out(served: Served, browser: httpx.Client) -> None:
    page = sign_in(browser)
    stolen = browser.cookies["fawen_session"]
    browser.post("/admin/sign-out", data={"form_token": token(page)})

    with httpx.Client(base_url=served.url, cookies={"fawen_session": stolen}, trust_env=False) as thief:
        assert thief.get("/admin/entries").headers["location"].startswith("/admin/sign-in")


def test_signing_in_changes_session_and_form_token(browser: httpx.Client) -> None:
    before = token(browser.get("/admin/sign-in"))
    first = token(sign_in(browser))
    second = token(sign_in(browser))

    assert len({before, first, second}) == 3


def test_an_administrator_adds_changes_and_shuts_out_people(served: Served, browser: httpx.Client) -> None:
    sign_in(browser, "陈")

    added = post(browser, "/staff", name="王", password="a good first password", role="reviewer")
    assert "王" in added.text
    short = post(browser, "/staff", name="孙", password="short", role="reviewer")
    assert short.status_code == 422
    assert 'value="孙"' in short.text
    assert post(browser, "/staff", name="孙", password="a good first password", role="king").status_code == 422
    assert "已有名为王的人员" in post(browser, "/staff", name="王", password="a good first password").text

    with httpx.Client(base_url=served.url, follow_redirects=True, trust_env=False) as other:
        sign_in(other, "王", "a good first password")
        assert other.get("/admin/entries").url.path == "/admin/entries"
        member = _member(served, "王")
        post(browser, f"/staff/{member.id}/access", role="viewer", is_active="0")
        assert other.get("/admin/entries").url.path == "/admin/sign-in", "shut out at once"
        assert sign_in(other, "王", "a good first password").status_code == 401
        post(browser, f"/staff/{member.id}/access", role="curator", is_active="1")
        post(browser, f"/staff/{member.id}/password", password="quite another one")
        assert sign_in(other, "王", "quite another one").status_code == 200

    log = browser.get("/admin/audit", params={"subject": "王"}).text
    for words in ("添加人员", "修改权限", "重设密码", "<del>审核（律师）</del>", "<ins>查看</ins>", "陈"):
        assert words in log, words
    assert "password" not in log.split("<main", 1)[1]


def test_the_last_administrator_stays(served: Served, browser: httpx.Client) -> None:
    sign_in(browser, "陈")
    member = _member(served, "陈")

    refused = post(browser, f"/staff/{member.id}/access", role="curator", is_active="1")

    assert refused.status_code == 422
    assert "至少要有一名" in refused.text
    assert _member(served, "陈").role == Role.ADMINISTRATOR
    assert browser.get("/admin/staff").status_code == 200, "still signed in"


def test_ones_own_password_is_changed_and_other_sessions_end(served: Served, browser: httpx.Client) -> None:
    sign_in(browser)
    with httpx.Client(base_url=served.url, follow_redirects=True, trust_env=False) as other:
        sign_in(other)
        wrong = post(browser, "/account/password", current="nope", new="a brand new one", again="a brand new one")
        differ = post(browser, "/account/password", current=PASSWORD, new="a brand new one", again="a brand old one")
        done = post(browser, "/account/password", current=PASSWORD, new="a brand new one", again="a brand new one")

        assert "当前密码不对" in wrong.text
        assert "不一致" in differ.text
        assert "密码已修改" in done.text
        assert browser.get("/admin/entries").url.path == "/admin/entries", "this session goes on"
        assert other.get("/admin/entries").url.path == "/admin/sign-in"


def test_a_lost_phone_is_taken_off_by_an_administrator(served: Served, browser: httpx.Client) -> None:
    with served.database.writing() as session:
        member = session.exec(select(StaffMember).where(StaffMember.name == "李")).one()
        member.totp_secret = ENCRYPTION.encrypt(pyotp.random_base32())
        session.add(member)
    sign_in(browser, "陈")
    assert "密码和手机验证码" in browser.get("/admin/staff").text

    post(browser, f"/staff/{member.id}/second-factor/removal")

    assert "手机验证码" not in sign_in(browser).text


def test_ones_own_second_factor_goes_only_with_a_code(served: Served, browser: httpx.Client, clock: Clock) -> None:
    sign_in(browser)
    found = re.search(r"<code>([A-Z2-7]{32})</code>", post(browser, "/account/second-factor").text)
    assert found
    app = pyotp.TOTP(found[1])
    post(browser, "/account/second-factor/confirmation", code=app.at(clock()))

    assert "验证码不对" in post(browser, "/account/second-factor/removal", code="000").text
    clock.turn(seconds=30)
    assert "已关闭" in post(browser, "/account/second-factor/removal", code=app.at(clock())).text


def test_the_log_keeps_before_and_after_as_plain_values(database: Database) -> None:
    with database.writing() as session:
        audit.record(
            session,
            actor="李",
            action="entry.publish",
            subject="entry labor.x",
            before=None,
            after={"review_by": NOW.date(), "variants": ["一", "二"], "number": 3},
            now=NOW,
        )
    with database.reading() as session:
        [kept] = audit.find(session, action="entry", subject="labor")
        assert audit.changed(kept) == [
            ("review_by", None, "2026-11-24"),
            ("variants", None, ["一", "二"]),
            ("number", None, 3),
        ]
        assert audit.find(session, actor="王") == []
        assert audit.find(session, subject="%") == []


def test_a_body_too_large_is_refused(browser: httpx.Client, served: Served) -> None:
    sign_in(browser, "陈")

    def endless() -> Iterator[bytes]:
        yield b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\n'
        for _ in range(BODY_LIMIT_BYTES // 65536 + 2):
            yield b"x" * 65536

    declared = browser.post("/admin/staff", content=b"x" * (BODY_LIMIT_BYTES + 1))
    assert declared.status_code == 413
    form = {"content-type": "multipart/form-data; boundary=edge"}
    assert browser.post("/admin/staff", content=endless(), headers=form).status_code == 413


def test_no_member_may_be_left_without_a_name(database: Database) -> None:
    with pytest.raises(InvalidInput), database.writing() as session:
        staff.add(session, "  ", PASSWORD, Role.VIEWER, NOW)


def _member(served: Served, name: str) -> StaffMember:
    with served.database.reading() as session:
        return session.exec(select(StaffMember).where(StaffMember.name == name)).one()


def _fits(app: pyotp.TOTP, code: str, now: datetime) -> bool:
    return app.verify(code, for_time=now, valid_window=1)


def test_the_log_speaks_chinese(browser: httpx.Client) -> None:
    """Every action and kind of subject that code records has its word; an unknown one would stand there in English."""
    sources = [one.read_text() for folder in ("admin", "bot", "knowledge") for one in Path(folder).rglob("*.py")]
    actions = {name for text in sources for name in re.findall(r'action="([a-z_]+\.[a-z_]+)"', text)}
    subjects = {name for text in sources for name in re.findall(r'subject=f?"([a-z_]+) ', text)}

    assert actions
    assert actions <= set(ACTION_NAMES)
    assert subjects
    assert subjects <= set(SUBJECT_NAMES)
    sign_in(browser, "陈")
    page = browser.get("/admin/audit").text
    assert "人员 陈" in page
    assert "staff " not in page
