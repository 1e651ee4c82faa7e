"""How staff are alerted, as administrators set it: by e-mail, by a group robot, or not at all.

Passwords and the robot's address (whoever has it can write to the group) are stored encrypted and never shown again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlmodel import Session

from knowledge import site_settings
from knowledge.encryption import Encryption, Renewal
from knowledge.errors import InvalidInput
from knowledge.models import AlertChannel
from knowledge.site_settings import Kept

SUBJECT = "alerts"
DAILY_HOUR = 9  # local time
MOST_RECIPIENTS = 20
SECURITY = {"tls": "TLS（常用端口465）", "starttls": "STARTTLS（常用端口587）", "none": "不加密（仅限内网邮件服务器）"}
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Email:
    """A mail server and what is sent through it; `user` empty: it wants no sign-in."""

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """The channels that are set (None: not set), and from which hour of a working day its list is sent."""

    email: Email | None
    robot: str | None
    daily_hour: int

    @property
    def channels(self) -> tuple[AlertChannel, ...]:
        """Those that are set."""
        given = {AlertChannel.EMAIL: self.email, AlertChannel.ROBOT: self.robot}
        return tuple(channel for channel, one in given.items() if one is not None)


def kept(session: Session) -> Kept:
    """The settings as stored, secrets encrypted: what a page may read of them."""
    return site_settings.load(session, SUBJECT)


def load(session: Session, encryption: Encryption) -> AlertSettings:
    """The settings, ready for use; SecretUnreadable where they were encrypted with another key."""
    data = kept(session).data
    email, robot = data.get("email"), data.get("robot")
    return AlertSettings(
        email=Email(
            host=email["host"],
            port=email["port"],
            security=email["security"],
            user=email["user"],
            password=encryption.decrypt(email["password"]) if email["password"] else "",
            sender=email["sender"],
            recipients=tuple(email["recipients"]),
        )
        if email
        else None,
        robot=encryption.decrypt(robot) if robot else None,
        daily_hour=data.get("daily_hour", DAILY_HOUR),
    )


def renew_secrets(session: Session, encryption: Encryption) -> Renewal:
    """Bring password and robot's address under the key in force, as `staff.renew_second_factors` does."""
    renewal = Renewal()
    data = dict(site_settings.load(session, SUBJECT, locked=True).data)
    if data.get("email") and data["email"]["password"]:
        data["email"] = {**data["email"], "password": renewal.of(encryption, data["email"]["password"])}
    if data.get("robot"):
        data["robot"] = renewal.of(encryption, data["robot"])
    if renewal.changed:
        site_settings.rewrite(session, SUBJECT, data)
    return renewal


def save_email(
    session: Session, encryption: Encryption, email: Email, *, against: int, actor: str, now: datetime
) -> None:
    """Set the mail server; an empty password keeps the one there is, as long as it goes to the same server and user.

    InvalidInput for what cannot be an address, a host or a port; SettingMoved where a colleague was first.
    """
    _check(email)
    data = dict(kept(session).data)
    before = data.get("email")
    sealed = encryption.encrypt(email.password) if email.password else ""
    if email.user and not email.password:
        known = (before["host"], before["port"], before["user"]) if before else None
        if before is None or known != (email.host, email.port, email.user) or not before["password"]:
            raise InvalidInput("请输入邮箱密码（更换服务器或用户名时也要重新输入）")
        sealed = before["password"]
    data["email"] = {
        "host": email.host,
        "port": email.port,
        "security": email.security,
        "user": email.user,
        "password": sealed if email.user else "",
        "sender": email.sender,
        "recipients": list(email.recipients),
    }
    _save(session, data, against=against, actor=actor, now=now)


def save_robot(
    session: Session, encryption: Encryption, address: str, *, origin: str, against: int, actor: str, now: datetime
) -> None:
    """Set the group robot; InvalidInput for an address that is not one of `origin` (`https://…`)."""
    check_robot(address, origin)
    data = {**kept(session).data, "robot": encryption.encrypt(address)}
    _save(session, data, against=against, actor=actor, now=now)


def check_robot(address: str, origin: str) -> None:
    """InvalidInput where an address is not a group robot's: alerts go nowhere else, whatever was typed or stored.

    https://developer.work.weixin.qq.com/document/path/91770
    """
    parts = urlsplit(address)
    is_ours = f"{parts.scheme}://{parts.netloc}" == origin and parts.path == "/cgi-bin/webhook/send"
    if not is_ours or not parse_qs(parts.query).get("key"):
        raise InvalidInput(f"请从企业微信群机器人复制完整的 Webhook 地址，以 {origin}/cgi-bin/webhook/send?key= 开头")


def save_daily_hour(session: Session, hour: int, *, against: int, actor: str, now: datetime) -> None:
    """From which hour (0 to 23) of a working day its list is sent."""
    if not 0 <= hour <= 23:
        raise InvalidInput("发送时间应为0至23点")
    _save(session, {**kept(session).data, "daily_hour": hour}, against=against, actor=actor, now=now)


def remove(session: Session, channel: AlertChannel, *, against: int, actor: str, now: datetime) -> None:
    """Alert nobody by this channel any more, and forget its secrets."""
    data = {name: value for name, value in kept(session).data.items() if name != channel}
    _save(session, data, against=against, actor=actor, now=now)


def _save(session: Session, data: Mapping[str, Any], *, against: int, actor: str, now: datetime) -> None:
    before = _in_words(kept(session).data)
    site_settings.save(
        session, SUBJECT, data, against=against, actor=actor, now=now, before=before, after=_in_words(data)
    )


def _in_words(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the log may know: no password, no robot's address."""
    email = data.get("email")
    words = {f"email_{name}": value for name, value in email.items() if name != "password"} if email else {}
    return {**words, "robot": bool(data.get("robot")), "daily_hour": data.get("daily_hour", DAILY_HOUR)}


def _check(email: Email) -> None:
    if not _HOST.fullmatch(email.host):
        raise InvalidInput("邮件服务器应是主机名，如 smtp.example.cn")
    if not 1 <= email.port <= 65535:
        raise InvalidInput("端口应为1至65535")
    if email.security not in SECURITY:
        raise InvalidInput("请选择加密方式")
    if email.security == "none" and email.user:
        raise InvalidInput("不加密时密码会在网络上裸传：请选 TLS 或 STARTTLS，或不填用户名")
    if not _ADDRESS.fullmatch(email.sender):
        raise InvalidInput(f"发件人不是邮箱地址：{email.sender[:60]}")
    if not 1 <= len(email.recipients) <= MOST_RECIPIENTS:
        raise InvalidInput(f"收件人应为1至{MOST_RECIPIENTS}个，每行一个")
    for one in email.recipients:
        if not _ADDRESS.fullmatch(one):
            raise InvalidInput(f"收件人不是邮箱地址：{one[:60]}")
