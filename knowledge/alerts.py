"""Alerts to staff: which are due, what they say, and what became of each.

An alert never holds what an asker wrote: number, field, age and address only. Rows are made by occasion under a unique
key, claimed before they are sent and marked after, so that several servers send none twice. Where a server dies in
between, its alert is sent again: staff who read one twice come to no harm, staff who read none may.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from knowledge.alert_settings import AlertSettings
from knowledge.database import insert_if_absent
from knowledge.models import DOMAIN_NAMES, AlertChannel, AlertKind, AlertStatus, Inquiry, InquiryStatus, StaffAlert
from knowledge.working_days import SHANGHAI, is_working_day, local_day, working_days_between

# An alert whose server died is taken up again after this long.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 8  # over some two hours
_RENEWED_FOR = timedelta(days=3)
_LIMIT_BYTES = 1900  # a robot takes 2,048 bytes of text (developer.work.weixin.qq.com/document/path/91770)
_ACTIONABLE = (InquiryStatus.NEW, InquiryStatus.ASSIGNED)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that staff are to be told by a channel, once."""

    key: str
    kind: AlertKind
    channel: AlertChannel
    inquiry_id: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What an alert says: one line, and the text."""

    subject: str
    text: str


def occasions(session: Session, settings: AlertSettings, now: datetime) -> list[Occasion]:
    """What staff are to be told and have no alert yet, by each channel that is set."""
    found: list[Occasion] = []
    urgent = session.exec(
        select(Inquiry.id, Inquiry.number).where(Inquiry.urgent, col(Inquiry.status).in_(_ACTIONABLE))
    ).all()
    local, today = now.astimezone(SHANGHAI), local_day(now)
    is_time = is_working_day(today) and local.hour >= settings.daily_hour
    has_open = is_time and session.exec(select(Inquiry.id).where(col(Inquiry.status).in_(_ACTIONABLE))).first()
    for channel in settings.channels:
        found += [Occasion(f"urgent:{number}:{channel}", AlertKind.URGENT, channel, key) for key, number in urgent]
        if has_open:
            found.append(Occasion(f"daily:{today}:{channel}", AlertKind.DAILY, channel, None))
    keys = [one.key for one in found]
    known = set(session.exec(select(StaffAlert.key).where(col(StaffAlert.key).in_(keys)))) if keys else set()
    return [one for one in found if one.key not in known]


def add(session: Session, found: Sequence[Occasion], now: datetime) -> None:
    """A row for each, unless another server was first."""
    for one in found:
        insert_if_absent(
            session,
            StaffAlert,
            key=one.key,
            kind=one.kind,
            channel=one.channel,
            inquiry_id=one.inquiry_id,
            status=AlertStatus.WAITING,
            attempts=0,
            created_at=now,
            next_attempt_at=now,
        )


def due(session: Session, now: datetime, limit: int = 20) -> list[StaffAlert]:
    """Alerts that may be tried now, oldest first; those whose server died among them."""
    waiting = (col(StaffAlert.status) == AlertStatus.WAITING) & (col(StaffAlert.next_attempt_at) <= now)
    abandoned = (col(StaffAlert.status) == AlertStatus.SENDING) & (col(StaffAlert.claimed_at) < now - LEASE)
    rows = session.exec(select(StaffAlert).where(waiting | abandoned).order_by(col(StaffAlert.id)).limit(limit))
    return list(rows)


def claim(session: Session, alert: StaffAlert, now: datetime) -> bool:
    """Take an alert up; False where another server did."""
    taken = session.exec(
        update(StaffAlert)
        .where(
            col(StaffAlert.id) == alert.id,
            col(StaffAlert.status) == alert.status,
            col(StaffAlert.attempts) == alert.attempts,
        )
        .values(status=AlertStatus.SENDING, claimed_at=now, attempts=alert.attempts + 1)
    )
    return taken.rowcount == 1


def compose(session: Session, alert: StaffAlert, workbench: str, now: datetime) -> Notice | None:
    """What an alert says now; None where nothing is left to be told. `workbench` is its address (empty: not given)."""
    if alert.kind == AlertKind.DAILY:
        return _daily(session, workbench, now)
    inquiry = session.get(Inquiry, alert.inquiry_id)
    if inquiry is None or inquiry.status not in _ACTIONABLE or not inquiry.urgent:
        return None
    lines = ["有一件紧急提问等待处理。", _line(inquiry, now), *_address(workbench, f"/inquiries/{inquiry.number}")]
    return Notice(f"【法问】紧急提问 {inquiry.number}", "\n".join(lines))


def trial(workbench: str) -> Notice:
    """What a test says."""
    lines = ["这是法问工作台发出的测试提醒，收到说明设置正确。", *_address(workbench, "/settings/alerts")]
    return Notice("【法问】测试提醒", "\n".join(lines))


def mark_sent(session: Session, alert_id: int, now: datetime) -> None:
    """It has gone out."""
    _mark(session, alert_id, status=AlertStatus.SENT, sent_at=now, error=None)


def mark_dropped(session: Session, alert_id: int) -> None:
    """There is nothing left to be told."""
    _mark(session, alert_id, status=AlertStatus.DROPPED, error=None)


def mark_failed(session: Session, alert: StaffAlert, why: str, *, may_pass: bool, now: datetime) -> None:
    """It did not go out: tried again later, ever more slowly, unless the failure cannot pass by itself.

    `alert` as it was claimed: its attempts are those before this one.
    """
    tried = alert.attempts + 1
    if may_pass and tried < MOST_ATTEMPTS:
        again = now + timedelta(minutes=min(2 ** (tried - 1), 60))
        _mark(session, _id(alert), status=AlertStatus.WAITING, next_attempt_at=again, error=why[:300])
        return
    _mark(session, _id(alert), status=AlertStatus.FAILED, error=why[:300])


def renew(session: Session, channel: AlertChannel, now: datetime) -> None:
    """The channel's settings were changed: what failed in the last days, or waits, is tried again at once."""
    session.exec(
        update(StaffAlert)
        .where(
            col(StaffAlert.channel) == channel,
            col(StaffAlert.status).in_((AlertStatus.FAILED, AlertStatus.WAITING)),
            col(StaffAlert.created_at) > now - _RENEWED_FOR,
        )
        .values(status=AlertStatus.WAITING, attempts=0, next_attempt_at=now)
    )


def drop(session: Session, channel: AlertChannel) -> None:
    """The channel is not used any more: what waits for it is dropped."""
    session.exec(
        update(StaffAlert)
        .where(col(StaffAlert.channel) == channel, col(StaffAlert.status) == AlertStatus.WAITING)
        .values(status=AlertStatus.DROPPED)
    )


def newest(session: Session, limit: int = 20) -> list[StaffAlert]:
    """The newest alerts, for the page that shows what became of them."""
    return list(session.exec(select(StaffAlert).order_by(col(StaffAlert.id).desc()).limit(limit)))


def _daily(session: Session, workbench: str, now: datetime) -> Notice | None:
    rows = session.exec(
        select(Inquiry)
        .where(col(Inquiry.status).in_(_ACTIONABLE))
        .order_by(col(Inquiry.urgent).desc(), col(Inquiry.due_on), col(Inquiry.id))
    ).all()
    if not rows:
        return None
    today = local_day(now)
    late = sum(one.due_on < today for one in rows)
    head = f"待解问题{len(rows)}件" + (f"，其中{late}件已逾期" if late else "")
    address = _address(workbench, "/inquiries")
    lines: list[str] = []
    size = len("\n".join([head, *address]).encode()) + 60
    for one in rows:
        line = _line(one, now)
        size += len(line.encode()) + 1
        if size > _LIMIT_BYTES:
            lines.append(f"……其余{len(rows) - len(lines)}件见工作台")
            break
        lines.append(line)
    return Notice(f"【法问】{today.month}月{today.day}日{head}", "\n".join([head, *lines, *address]))


def _line(inquiry: Inquiry, now: datetime) -> str:
    """Number, field, age and due day of an inquiry: nothing that the asker wrote."""
    domain = DOMAIN_NAMES.get(inquiry.domain or "", "未分领域")
    days = working_days_between(local_day(inquiry.opened_at), local_day(now))
    age = f"已等{days}个工作日" if days else f"{inquiry.opened_at.astimezone(SHANGHAI):%m-%d %H:%M}收到"
    due_day = f"{inquiry.due_on.month}月{inquiry.due_on.day}日前答复"
    return " ".join(filter(None, (inquiry.number, "紧急" if inquiry.urgent else "", domain, age, due_day)))


def _address(workbench: str, path: str) -> list[str]:
    return [f"{workbench}{path}"] if workbench else []


def _mark(session: Session, alert_id: int, **values: object) -> None:
    session.exec(update(StaffAlert).where(col(StaffAlert.id) == alert_id).values(**values))


def _id(alert: StaffAlert) -> int:
    assert alert.id is not None, "a row that was read has its id"
    return alert.id
