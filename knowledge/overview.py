"""What the day holds: what waits, how answering goes, what people ask. Each figure says what it counts."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from knowledge.models import (
    DecisionKind,
    DraftStatus,
    EntryDraft,
    EntryStatus,
    FaqEntry,
    Inquiry,
    InquiryStatus,
    Message,
)
from knowledge.models.inquiries import OPEN_STATUSES
from knowledge.working_days import SHANGHAI, after_working_days, local_day


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


@dataclass(frozen=True, slots=True)
class Day:
    """Questions of a day (typed or spoken, no taps, commands, fixed replies) and what became of them."""

    day: date
    answered: int
    clarified: int
    unresolved: int

    @property
    def questions(self) -> int:
        """All questions of the day that were decided."""
        return self.answered + self.clarified + self.unresolved


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


def days(session: Session, now: datetime, count: int) -> list[Day]:
    """The last `count` days, today last, each with its questions."""
    today = local_day(now)
    first = today - timedelta(days=count - 1)
    rows = session.exec(
        select(Message.received_at, Message.decision).where(
            Message.kind == "question",
            col(Message.decision).is_not(None),
            col(Message.received_at) >= datetime.combine(first, time.min, SHANGHAI),
        )
    ).all()
    counts: dict[date, dict[str, int]] = {
        first + timedelta(days=offset): dict.fromkeys(DecisionKind, 0) for offset in range(count)
    }
    for received_at, decision in rows:
        day = local_day(received_at)
        if day in counts and decision is not None:
            counts[day][decision] += 1
    return [
        Day(day, kinds[DecisionKind.ANSWERED], kinds[DecisionKind.CLARIFIED], kinds[DecisionKind.UNRESOLVED])
        for day, kinds in counts.items()
    ]


def asked_lately(session: Session, now: datetime, limit: int) -> list[tuple[Message, str | None]]:
    """Today's questions, newest first, each with the title of the entry that answered it."""
    since = datetime.combine(local_day(now), time.min, SHANGHAI)
    rows = session.exec(
        select(Message, FaqEntry.title)
        .outerjoin(FaqEntry, col(FaqEntry.id) == Message.entry_id)
        .where(Message.kind == "question", col(Message.decision).is_not(None), col(Message.received_at) >= since)
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
