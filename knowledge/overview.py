"""What the day holds: what waits, how answering goes, what people ask. Each figure says what it counts."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from knowledge.models import (
    DraftStatus,
    EntryDraft,
    EntryStatus,
    FaqEntry,
    Inquiry,
    InquiryStatus,
    Message,
)
from knowledge.models.inquiries import OPEN_STATUSES
from knowledge.reports import counting
from knowledge.reports.counting import Part
from knowledge.reports.periods import Period
from knowledge.working_days import after_working_days, local_day


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open inquiries: `late` are past their promised day, `today` promised for today, `soon` for the next working day.

    Those that wait for their asker are counted in `resting` and nowhere else but in `urgent`.
    """

    urgent: int
    late: int
    today: int
    soon: int
    later: int
    resting: int

    @property
    def all(self) -> int:
        """All open ones."""
        return self.late + self.today + self.soon + self.later + self.resting


def waiting(session: Session, today: date) -> Waiting:
    """Open inquiries by how pressing they are."""
    columns: Any = select  # SQLModel's overloads know no such mixture
    rows = session.exec(
        columns(Inquiry.due_on, Inquiry.status, Inquiry.urgent, func.count())
        .where(col(Inquiry.status).in_(OPEN_STATUSES))
        .group_by(col(Inquiry.due_on), col(Inquiry.status), col(Inquiry.urgent))
    ).all()
    tomorrow = after_working_days(today, 1)
    counts = dict.fromkeys(("urgent", "late", "today", "soon", "later", "resting"), 0)
    for due_on, status, urgent, number in rows:
        if urgent:
            counts["urgent"] += number
        if status == InquiryStatus.WAITING:
            counts["resting"] += number
        elif due_on < today:
            counts["late"] += number
        elif due_on == today:
            counts["today"] += number
        else:
            counts["soon" if due_on <= tomorrow else "later"] += number
    return Waiting(**counts)


def days(session: Session, now: datetime, count: int) -> list[Part]:
    """The last `count` days, today last, each with its questions."""
    today = local_day(now)
    return counting.parts(session, Period(today - timedelta(days=count - 1), today).stretches())


def asked_lately(session: Session, now: datetime, limit: int) -> list[tuple[Message, str | None]]:
    """Today's questions, newest first, each with the title of the entry that answered it."""
    today = local_day(now)
    rows = session.exec(
        select(Message, FaqEntry.title)
        .outerjoin(FaqEntry, col(FaqEntry.id) == Message.entry_id)
        .where(counting.is_question(), col(Message.received_at) >= Period(today, today).start)
        .order_by(col(Message.received_at).desc(), col(Message.id).desc())
        .limit(limit)
    )
    return list(rows.all())


def entries_due(session: Session, today: date, within: timedelta) -> list[FaqEntry]:
    """Published entries whose re-review is past or due within a time, most pressing first; at most 10."""
    rows = session.exec(
        select(FaqEntry)
        .where(FaqEntry.status == EntryStatus.PUBLISHED, col(FaqEntry.review_by) < today + within)
        .order_by(col(FaqEntry.review_by), col(FaqEntry.id))
        .limit(10)
    )
    return list(rows.all())


def drafts_by_status(session: Session) -> dict[str, int]:
    """How many drafts are being written, wait for review, and for publication."""
    rows = session.exec(
        select(EntryDraft.status, func.count())
        .where(col(EntryDraft.status).in_((DraftStatus.DRAFT, DraftStatus.SUBMITTED, DraftStatus.REVIEWED)))
        .group_by(col(EntryDraft.status))
    )
    return dict(rows.all())
