"""Alerting staff: claim, send by e-mail or group robot, mark. The waits are bounded and nothing is sent inside a
unit of work.
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import httpx
import structlog
from sqlalchemy.exc import SQLAlchemyError

from knowledge import alert_settings, alerts
from knowledge.alert_settings import AlertSettings, Email
from knowledge.alerts import Notice
from knowledge.database import Database
from knowledge.encryption import Encryption
from knowledge.errors import InvalidInput, SecretUnreadable
from knowledge.models import AlertChannel, StaffAlert

log = structlog.get_logger()

# WeCom's host for group robots: https://developer.work.weixin.qq.com/document/path/91770
ROBOT_ORIGIN = "https://qyapi.weixin.qq.com"
LOOK_EVERY_S = 5.0
_TIMEOUT_S = 10.0
_ROBOT_WORDS = {
    93000: ("机器人的地址不对或机器人已被移出群：请重新复制 Webhook 地址", False),
    45009: ("发得太快，每个机器人每分钟最多20条", True),
    40058: ("内容不合要求", False),
}


class SendFailed(Exception):
    """An alert did not go out; the text says why in Chinese. `may_pass`: it may do so later, nothing changed."""

    def __init__(self, words: str, *, may_pass: bool) -> None:
        """`words` are shown to administrators: no secret is in them."""
        super().__init__(words)
        self.may_pass = may_pass


def send_email(email: Email, notice: Notice, now: datetime) -> None:
    """Send a notice to every recipient; SendFailed where the server takes it for none of them."""
    message = EmailMessage()
    message["Subject"] = notice.subject
    message["From"] = email.sender
    message["To"] = ", ".join(email.recipients)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=email.sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text)
    try:
        with _connected(email) as server:
            if email.user:
                server.login(email.user, email.password)
            refused = server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise _mail_trouble(email, error) from error
    if refused:
        log.warning("alert_recipients_refused", count=len(refused))


def _connected(email: Email) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if email.security == "tls":
        return smtplib.SMTP_SSL(email.host, email.port, timeout=_TIMEOUT_S, context=context)
    server = smtplib.SMTP(email.host, email.port, timeout=_TIMEOUT_S)
    try:
        if email.security == "starttls":
            server.starttls(context=context)
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def _mail_trouble(email: Email, error: OSError | smtplib.SMTPException) -> SendFailed:
    place = f"{email.host}:{email.port}"
    match error:
        case smtplib.SMTPAuthenticationError():
            return SendFailed("邮件服务器不接受用户名或密码（有的邮箱要用“授权码”代替密码）", may_pass=False)
        case smtplib.SMTPRecipientsRefused():
            codes = sorted({code for code, _ in error.recipients.values()})
            return SendFailed(f"邮件服务器拒收全部收件人（{codes}）", may_pass=all(code < 500 for code in codes))
        case smtplib.SMTPNotSupportedError():
            return SendFailed("邮件服务器不支持所选的加密方式或登录", may_pass=False)
        case smtplib.SMTPResponseException():
            said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else ""
            return SendFailed(f"邮件服务器拒绝了：{error.smtp_code} {said[:120]}", may_pass=error.smtp_code < 500)
        case ssl.SSLError():
            return SendFailed(f"{place} 的加密连接没有建立：请核对加密方式、端口和证书", may_pass=False)
        case socket.gaierror():
            return SendFailed(f"找不到邮件服务器 {email.host}", may_pass=True)
    return SendFailed(f"连不上邮件服务器 {place}（{type(error).__name__}）", may_pass=True)


def send_to_robot(address: str, notice: Notice, origin: str) -> None:
    """Post a notice to a group; SendFailed where WeCom did not take it, or the address is not one of `origin`."""
    try:
        alert_settings.check_robot(address, origin)
    except InvalidInput as error:
        raise SendFailed(str(error), may_pass=False) from error
    body = {"msgtype": "text", "text": {"content": f"{notice.subject}\n{notice.text}"}}
    try:
        # Redirects are not followed: the address was checked, another was not.
        answer = httpx.post(address, json=body, timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False)
        fields = answer.json()
    except httpx.HTTPError as error:
        raise SendFailed(f"连不上企业微信（{type(error).__name__}）", may_pass=True) from error
    except ValueError as error:
        raise SendFailed(f"企业微信的回答看不懂（状态码{answer.status_code}）", may_pass=True) from error
    code = fields.get("errcode") if isinstance(fields, dict) else None
    if code != 0:
        words, may_pass = _ROBOT_WORDS.get(code, ("企业微信没有接受", True)) if isinstance(code, int) else ("", True)
        raise SendFailed(f"{words or '企业微信没有接受'}（{code}）", may_pass=may_pass)


class Alerter:
    """One worker that alerts; any number of processes may run one each."""

    def __init__(
        self,
        database: Database,
        encryption: Encryption,
        now: Callable[[], datetime],
        *,
        workbench: str = "",
        robot_origin: str = ROBOT_ORIGIN,
    ) -> None:
        """`workbench` is its address for the links in alerts; `robot_origin` the only place robots may be at."""
        self._database = database
        self._encryption = encryption
        self._now = now
        self._workbench = workbench
        self._robot_origin = robot_origin

    def run(self, stop: threading.Event) -> None:
        """Alert until told to stop. A database that is away is waited for."""
        while not stop.wait(LOOK_EVERY_S):
            try:
                self.run_once()
            except (SQLAlchemyError, TimeoutError) as error:
                log.warning("alerts_not_reached", error=type(error).__name__)

    def run_once(self) -> int:
        """Make the alerts that are due and send them; gives how many went out."""
        now = self._now()
        with self._database.reading() as session:
            try:
                settings = alert_settings.load(session, self._encryption)
            except SecretUnreadable as error:
                log.error("alert_settings_unreadable", why=str(error))
                return 0
            found = alerts.occasions(session, settings, now)
        if not settings.channels:
            return 0
        if found:
            with self._database.writing() as session:
                alerts.add(session, found, now)
        with self._database.reading() as session:
            waiting = alerts.due(session, now)
        return sum(self._alert(settings, one) for one in waiting)

    def send_trial(self, channel: AlertChannel) -> None:
        """Send a test by a channel now; SendFailed says what is wrong, InvalidInput that it is not set."""
        with self._database.reading() as session:
            settings = alert_settings.load(session, self._encryption)
        if channel not in settings.channels:
            raise InvalidInput("还没有设置，请先保存")
        self._send(settings, channel, alerts.trial(self._workbench))

    def _alert(self, settings: AlertSettings, alert: StaffAlert) -> bool:
        assert alert.id is not None, "a row that was read has its id"
        channel = AlertChannel(alert.channel)
        with self._database.writing() as session:
            if not alerts.claim(session, alert, self._now()):
                return False
            notice = alerts.compose(session, alert, self._workbench, self._now())
            if notice is None or channel not in settings.channels:
                alerts.mark_dropped(session, alert.id)
                return False
        try:
            self._send(settings, channel, notice)
        except SendFailed as error:
            log.warning("alert_not_sent", alert=alert.id, channel=alert.channel, why=str(error))
            with self._database.writing() as session:
                alerts.mark_failed(session, alert, str(error), may_pass=error.may_pass, now=self._now())
            return False
        with self._database.writing() as session:
            alerts.mark_sent(session, alert.id, self._now())
        log.info("alert_sent", alert=alert.id, channel=alert.channel)
        return True

    def _send(self, settings: AlertSettings, channel: AlertChannel, notice: Notice) -> None:
        match channel:
            case AlertChannel.EMAIL:
                assert settings.email is not None
                send_email(settings.email, notice, self._now())
            case AlertChannel.ROBOT:
                assert settings.robot is not None
                send_to_robot(settings.robot, notice, self._robot_origin)
