"""Alerts to staff: what they say, once and again after a failure, by a mail server and an endpoint for the robot."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from sqlmodel import select

from bot.alerts import Alerter, SendFailed
from bot.simulator.serving import serving as listening
from knowledge import alert_settings, alerts, inquiries
from knowledge.alert_settings import Email
from knowledge.database import Database
from knowledge.encryption import Encryption
from knowledge.errors import InvalidInput
from knowledge.models import AlertChannel, Asker, SiteSetting, StaffAlert
from tests.conftest import NOW, SECRET_KEY
from tests.mail_server import mail_server, self_signed

QUESTION = "老板把我打伤了还扣着身份证，我叫王小明"
KEY = Encryption(SECRET_KEY)
ROBOT = "/cgi-bin/webhook/send?key=abc-123"


@dataclass
class Group:
    """A group's robot: what it was told, and what it answers."""

    origin: str = ""
    told: list[str] = field(default_factory=list)
    errcode: int = 0


@contextmanager
def robot() -> Iterator[Group]:
    group = Group()
    app = FastAPI(openapi_url=None)

    @app.post("/cgi-bin/webhook/send")
    async def send(request: Request) -> dict[str, Any]:
        body = await request.json()
        if group.errcode == 0:
            group.told.append(body["text"]["content"])
        return {"errcode": group.errcode, "errmsg": "ok" if group.errcode == 0 else "invalid webhook url"}

    with listening(app) as origin:
        group.origin = origin
        yield group


class Clock:
    """A clock that a test turns by hand; it begins at ten in the morning of a working day."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def asked(database: Database, *, urgent: bool = False, name: str = "a", at: datetime = NOW) -> str:
    with database.writing() as session:
        asker = Asker(channel="t", address=name, created_at=NOW)
        session.add(asker)
        session.flush()
        assert asker.id is not None
        opened, _ = inquiries.open_or_join(session, asker.id, QUESTION, "unresolved", at, urgent=urgent, domain="labor")
        return opened.number


def by_mail(database: Database, port: int, **fields: Any) -> None:
    email = Email(
        **{
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "user": "",
            "password": "",
            "sender": "fawen@example.cn",
            "recipients": ("li@example.cn", "wang@example.cn"),
            **fields,
        }
    )
    with database.writing() as session:
        against = alert_settings.kept(session).number
        alert_settings.save_email(session, KEY, email, against=against, actor="陈", now=NOW)


def by_robot(database: Database, origin: str) -> None:
    with database.writing() as session:
        against = alert_settings.kept(session).number
        alert_settings.save_robot(session, KEY, origin + ROBOT, origin=origin, against=against, actor="陈", now=NOW)


def alerter(database: Database, clock: Clock, origin: str = "") -> Alerter:
    return Alerter(database, KEY, clock, workbench="https://fawen.example.cn/admin", robot_origin=origin)


def states(database: Database) -> list[tuple[str, str, str | None]]:
    with database.reading() as session:
        return [(one.kind, one.status, one.error) for one in session.exec(select(StaffAlert).order_by(StaffAlert.key))]


def test_an_urgent_inquiry_is_told_at_once_and_the_rest_once_a_day(database: Database, clock: Clock) -> None:
    with mail_server() as mail:
        by_mail(database, mail.port)
        urgent, calm = asked(database, urgent=True), asked(database, name="b")
        worker = alerter(database, clock)

        assert worker.run_once() == 2
        assert worker.run_once() == 0, "each is told once"

    texts = {one["subject"]: one.get_content() for one in mail.taken}
    assert list(texts) == [f"【法问】紧急提问 {urgent}", "【法问】11月24日待解问题2件"]
    told, listed = texts.values()
    assert f"{urgent} 紧急 劳动用工" in told
    assert f"https://fawen.example.cn/admin/inquiries/{urgent}" in told
    assert calm in listed
    assert listed.index(urgent) < listed.index(calm)
    for text in (told, listed):
        assert "11月26日前答复" in text
        assert not [word for word in ("老板", "身份证", "王小明") if word in text], "never what an asker wrote"
    assert mail.taken[0]["to"] == "li@example.cn, wang@example.cn"


def test_the_daily_list_waits_for_its_hour_and_for_a_working_day(database: Database, clock: Clock) -> None:
    with robot() as group:
        by_robot(database, group.origin)
        asked(database)
        worker = alerter(database, clock, group.origin)
        clock.now = NOW.replace(hour=0)  # eight in the morning here
        assert worker.run_once() == 0
        clock.now = NOW + timedelta(days=4)  # a Saturday
        assert worker.run_once() == 0
        clock.now = NOW + timedelta(days=6)
        assert worker.run_once() == 1

    [told] = group.told
    assert told.startswith("【法问】11月30日待解问题1件，其中1件已逾期")
    assert "已等4个工作日" in told


def test_a_long_list_fits_a_robots_message(sqlite: Database, clock: Clock) -> None:
    with robot() as group:
        by_robot(sqlite, group.origin)
        for place in range(60):
            asked(sqlite, name=f"n{place}")
        alerter(sqlite, clock, group.origin).run_once()

    [told] = group.told
    assert len(told.encode()) <= 2048
    shown = told.count("Q20261124-")
    assert f"其余{60 - shown}件见工作台" in told


def test_what_may_pass_is_tried_again_and_ever_more_slowly(database: Database, clock: Clock) -> None:
    with mail_server(busy_for=2) as mail:
        by_mail(database, mail.port)
        asked(database, urgent=True)
        clock.now = NOW.replace(hour=0)
        worker = alerter(database, clock)
        assert worker.run_once() == 0
        [(_, status, error)] = states(database)
        assert status == "waiting"
        assert error
        assert "421" in error
        assert worker.run_once() == 0, "not at once"
        clock.now += timedelta(minutes=1)
        assert worker.run_once() == 0
        clock.now += timedelta(minutes=1)
        assert worker.run_once() == 0, "the second wait is longer"
        clock.now += timedelta(minutes=1)
        assert worker.run_once() == 1

    assert states(database) == [("urgent", "sent", None)]


def test_what_cannot_pass_is_shown_and_tried_again_once_the_settings_are_changed(
    sqlite: Database, clock: Clock
) -> None:
    with robot() as group:
        by_robot(sqlite, group.origin)
        asked(sqlite, urgent=True)
        clock.now = NOW.replace(hour=0)
        group.errcode = 93000
        worker = alerter(sqlite, clock, group.origin)
        assert worker.run_once() == 0
        [(_, status, error)] = states(sqlite)
        assert status == "failed"
        assert error
        assert "请重新复制 Webhook 地址" in error
        group.errcode = 0
        assert worker.run_once() == 0, "nothing has changed"
        with sqlite.writing() as session:
            alerts.renew(session, AlertChannel.ROBOT, clock())
        assert worker.run_once() == 1

    assert states(sqlite) == [("urgent", "sent", None)]


def test_an_inquiry_answered_meanwhile_is_told_to_nobody(sqlite: Database, clock: Clock) -> None:
    with mail_server(busy_for=1) as mail:
        by_mail(sqlite, mail.port)
        number = asked(sqlite, urgent=True)
        clock.now = NOW.replace(hour=0)
        worker = alerter(sqlite, clock)
        worker.run_once()
        with sqlite.writing() as session:
            inquiries.reply(session, number, "李", "请立即报警。", NOW)
        clock.now += timedelta(minutes=2)
        assert worker.run_once() == 0

    assert mail.taken == []
    assert states(sqlite)[0][1] == "dropped"


def test_two_servers_send_one_alert(database: Database, clock: Clock) -> None:
    with mail_server() as mail:
        by_mail(database, mail.port)
        asked(database, urgent=True)
        clock.now = NOW.replace(hour=0)
        with database.reading() as session:
            found = alerts.occasions(session, alert_settings.load(session, KEY), clock())
        for _ in range(2):
            with database.writing() as session:
                alerts.add(session, found, clock())
        with database.reading() as session:
            [seen] = alerts.due(session, clock())
        with database.writing() as session:
            assert alerts.claim(session, seen, clock())
        with database.writing() as session:
            assert not alerts.claim(session, seen, clock())
        assert alerter(database, clock).run_once() == 0, "the first one has it"
        clock.now += alerts.LEASE + timedelta(seconds=1)
        assert alerter(database, clock).run_once() == 1, "and died with it"

    assert len(mail.taken) == 1


def test_mail_goes_encrypted_with_a_password_and_a_server_nobody_vouches_for_is_refused(
    sqlite: Database, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    with mail_server(certificate, user="fawen", password="good secret") as mail:
        by_mail(sqlite, mail.port, security="tls", user="fawen", password="good secret")
        with pytest.raises(SendFailed, match="加密连接没有建立"):
            alerter(sqlite, clock).send_trial(AlertChannel.EMAIL)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        alerter(sqlite, clock).send_trial(AlertChannel.EMAIL)
        assert [one["subject"] for one in mail.taken] == ["【法问】测试提醒"]
        by_mail(sqlite, mail.port, security="tls", user="fawen", password="mistyped")
        with pytest.raises(SendFailed, match="不接受用户名或密码"):
            alerter(sqlite, clock).send_trial(AlertChannel.EMAIL)


def test_recipients_that_are_all_refused_are_said(sqlite: Database, clock: Clock) -> None:
    with mail_server(refuses={"li@example.cn", "wang@example.cn"}) as mail:
        by_mail(sqlite, mail.port)
        with pytest.raises(SendFailed, match="拒收全部收件人") as failed:
            alerter(sqlite, clock).send_trial(AlertChannel.EMAIL)

    assert not failed.value.may_pass
    with pytest.raises(SendFailed, match="连不上邮件服务器"):
        alerter(sqlite, clock).send_trial(AlertChannel.EMAIL)


@pytest.mark.parametrize(
    "address",
    [
        "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a",
        "https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=a",
        "https://qyapi.weixin.qq.com@evil.example/cgi-bin/webhook/send?key=a",
        "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=a",
        "https://qyapi.weixin.qq.com/cgi-bin/other?key=a",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
        "https://127.0.0.1/cgi-bin/webhook/send?key=a",
        "",
    ],
)
def test_a_robot_is_at_wecom_and_nowhere_else(address: str) -> None:
    alert_settings.check_robot(f"https://qyapi.weixin.qq.com{ROBOT}", "https://qyapi.weixin.qq.com")
    with pytest.raises(InvalidInput, match="Webhook"):
        alert_settings.check_robot(address, "https://qyapi.weixin.qq.com")


def test_secrets_are_stored_encrypted_and_stay_with_their_server(database: Database) -> None:
    by_mail(database, 465, security="tls", user="fawen", password="a good secret")
    by_robot(database, "https://qyapi.weixin.qq.com")
    with database.reading() as session:
        stored = str(session.exec(select(SiteSetting.data)).one())
        assert alert_settings.load(session, KEY).robot == f"https://qyapi.weixin.qq.com{ROBOT}"
    assert "a good secret" not in stored
    assert "abc-123" not in stored

    by_mail(database, 465, security="tls", user="fawen", password="")
    with database.reading() as session:
        email = alert_settings.load(session, KEY).email
    assert email
    assert email.password == "a good secret", "kept where nothing else changed"
    with pytest.raises(InvalidInput, match="重新输入"):
        by_mail(database, 465, host="smtp.evil.example", security="tls", user="fawen", password="")
