"""答复时限 and 人员提醒 over HTTP: what is promised to whom, and channels that are set, tried and taken away."""

import re
from collections.abc import Iterator

import httpx
import pytest
from sqlmodel import select

from knowledge import alert_settings, audit, promise
from knowledge.encryption import Encryption
from knowledge.models import Inquiry
from knowledge.working_days import after_working_days, local_day
from tests.admin.test_operations_pages import post, signed_in
from tests.admin.test_pages import ODD
from tests.conftest import NOW, Served
from tests.mail_server import mail_server

WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=very-secret"


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with signed_in(served) as client:
        yield client


def by_mail(port: int, **fields: str) -> dict[str, str]:
    return {
        "host": "127.0.0.1",
        "port": str(port),
        "security": "none",
        "sender": "fawen@example.cn",
        "recipients": "li@example.cn\nwang@example.cn",
        "against": "0",
        **fields,
    }


def test_another_promise_holds_for_new_questions(served: Served, browser: httpx.Client) -> None:
    served.user("zhang").says(ODD).hears("2个工作日内")

    assert "已保存" in post(browser, "/promise", days="5", against="0").text
    served.standing.refresh()

    served.user("wu").says(ODD).hears("5个工作日内")
    with served.database.reading() as session:
        dues = [
            (one.due_on, local_day(one.opened_at)) for one in session.exec(select(Inquiry).order_by(Inquiry.number))
        ]
        [kept] = audit.find(session, subject=f"setting {promise.SUBJECT}")
    assert dues == [(after_working_days(day, days), day) for days, (_, day) in zip((2, 5), dues, strict=True)]
    assert (kept.before, kept.after) == ({"working_days": 2}, {"working_days": 5})


@pytest.mark.parametrize("days", ["0", "31", "", "两", "-1", "9999999"])
def test_a_promise_nobody_can_keep_is_refused(served: Served, browser: httpx.Client, days: str) -> None:
    refused = post(browser, "/promise", days=days, against="0")

    assert refused.status_code == 422
    assert post(browser, "/promise", days="3", against="7").status_code == 409


def test_mail_is_set_tried_and_taken_away(served: Served, browser: httpx.Client) -> None:
    with mail_server() as mail:
        saved = post(browser, "/alerts/email", **by_mail(mail.port))
        assert "已保存" in saved.text
        assert "测试邮件已交给邮件服务器" in post(browser, "/alerts/email/test").text
        assert mail.taken[0]["to"] == "li@example.cn, wang@example.cn"
    failed = post(browser, "/alerts/email/test")
    assert failed.status_code == 422
    assert "测试没有发出：连不上邮件服务器" in failed.text

    assert "没有设置" in post(browser, "/alerts/email/removal", against="1").text
    assert "还没有设置" in post(browser, "/alerts/email/test").text
    with served.database.reading() as session:
        kept = audit.find(session, subject="setting alerts")
    assert [one.after and one.after.get("email_host") for one in kept] == [None, "127.0.0.1"]


def test_what_cannot_be_comes_back_with_what_was_typed_and_without_the_password(browser: httpx.Client) -> None:
    for wrong, why in (
        ({"host": "smtp example"}, "应是主机名"),
        ({"port": "70000"}, "端口应为"),
        ({"recipients": "li"}, "收件人不是邮箱地址"),
        ({"recipients": "a@b.cn,c@d.cn"}, "收件人不是邮箱地址"),
        ({"sender": "x\r\nBcc: y@evil.example"}, "发件人不是邮箱地址"),
        ({"user": "fawen", "password": "typed-secret"}, "密码会在网络上裸传"),
        ({"user": "fawen", "security": "tls"}, "请输入邮箱密码"),
    ):
        refused = post(browser, "/alerts/email", **{**by_mail(465), **wrong})
        assert refused.status_code == 422
        assert why in refused.text, wrong
        assert "typed-secret" not in refused.text
        assert 'value="127.0.0.1"' in refused.text or "host" in wrong


def test_secrets_of_another_key_are_said(served: Served, browser: httpx.Client) -> None:
    with served.database.writing() as session:
        alert_settings.save_robot(
            session,
            Encryption("another key than the one in force, long"),
            WECOM,
            origin="https://qyapi.weixin.qq.com",
            against=0,
            actor="陈",
            now=NOW,
        )

    assert "一条提醒也发不出" in browser.get("/admin/settings/alerts").text
    assert "FAWEN_SECRET_KEY 已经更换" in post(browser, "/alerts/robot/test").text
    assert "已保存" in post(browser, "/alerts/robot", address=WECOM, against="1").text
    assert "一条提醒也发不出" not in browser.get("/admin/settings/alerts").text


def test_a_robots_address_is_never_shown_again(served: Served, browser: httpx.Client) -> None:
    refused = post(browser, "/alerts/robot", address="https://evil.example/cgi-bin/webhook/send?key=a", against="0")
    assert refused.status_code == 422
    assert "企业微信群机器人" in refused.text

    saved = post(browser, "/alerts/robot", address=WECOM, against="0")

    assert "very-secret" not in saved.text
    assert "已保存，不再显示" in saved.text
    assert "very-secret" not in browser.get("/admin/audit").text
    assert post(browser, "/alerts/robot", address=WECOM, against="0").status_code == 409
    assert "9点" in post(browser, "/alerts/hour", hour="17", against="1").text
    assert re.search(r'<option value="17" selected>', browser.get("/admin/settings/alerts").text)
    assert post(browser, "/alerts/pigeon/test").status_code == 404
