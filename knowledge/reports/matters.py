"""Matters that went to a person, counted over a period: how many, how they stand, how long the first reply took."""

import statistics
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlmodel import Session, col

from knowledge import particulars
from knowledge.database import seconds_of
from knowledge.models import Feedback, Inquiry, InquiryStatus, Message, ReplyKind, StaffReply
from knowledge.models.inquiries import OPEN_STATUSES
from knowledge.reports.periods import Period
from knowledge.working_days import local_day, working_days_between

# What nobody has written up: it was asked, and no entry was there, or none of those offered was it.
_NO_ENTRY = ("unresolved", "none_of_these")
_NOT_OURS = (InquiryStatus.DECLINED, InquiryStatus.REFERRED, InquiryStatus.MERGED)
_TITLE_LENGTH = 60
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Matters:
    """Inquiries opened in a period without those merged into another, as they stand now.

    `replied` is how many a colleague has replied to (answered, referred or declined); `median_hours` and
    `median_days` (working days; the same day is 0) how long the first reply took, None where there is none.
    """

    opened: int = 0
    replied: int = 0
    answered: int = 0
    referred: int = 0
    declined: int = 0
    waiting: int = 0
    again: int = 0
    merged: int = 0
    median_hours: float | None = None
    median_days: float | None = None


@dataclass(frozen=True, slots=True)
class Ratings:
    """What askers said of answers: 有用 or 没解决, each answer's last word."""

    helpful: int = 0
    unhelpful: int = 0

    @property
    def rated(self) -> int:
        """Answers that were rated."""
        return self.helpful + self.unhelpful


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that no entry answers: alike inquiries of the period, named by the first of them.

    `title` is its wording freed of what could tell who asked ("" where it was erased), `number` its inquiry's.
    """

    number: str
    title: str
    domain: str | None
    count: int
    askers: int
    is_open: bool
    has_draft: bool


@dataclass(frozen=True, slots=True)
class Gaps:
    """Questions without entries: all groups and their inquiries, by field of law, and those most asked."""

    groups: int
    inquiries: int
    by_domain: dict[str | None, int]
    most_asked: tuple[Gap, ...]


def matters(session: Session, period: Period) -> Matters:
    """The inquiries opened in a period and their first replies, whenever these came."""
    first_reply = (
        select(func.min(col(StaffReply.written_at)))
        .where(col(StaffReply.inquiry_id) == col(Inquiry.id), col(StaffReply.kind) == ReplyKind.ANSWER)
        .correlate(Inquiry)
        .scalar_subquery()
    )
    opened_at, replied_at = seconds_of(col(Inquiry.opened_at)), seconds_of(first_reply)
    rows = _execute(session, select(col(Inquiry.status), opened_at, replied_at).where(*_opened_within(period)))
    statuses: Counter[str] = Counter()
    waited, days, again = [], [], 0
    for status, opened, replied in rows:
        statuses[status] += 1
        if replied is None or status == InquiryStatus.MERGED:
            continue
        again += status in OPEN_STATUSES
        waited.append(replied - opened)
        days.append(_working_days(_local_day(opened // _HOUR_S), _local_day(replied // _HOUR_S)))
    merged = statuses.pop(InquiryStatus.MERGED, 0)
    return Matters(
        opened=statuses.total(),
        replied=len(waited),
        answered=statuses[InquiryStatus.ANSWERED],
        referred=statuses[InquiryStatus.REFERRED],
        declined=statuses[InquiryStatus.DECLINED],
        waiting=sum(statuses[one] for one in OPEN_STATUSES) - again,
        again=again,
        merged=merged,
        median_hours=round(statistics.median(waited) / _HOUR_S, 2) if waited else None,
        median_days=statistics.median(days) if days else None,
    )


def entry_ratings(session: Session, period: Period) -> Ratings:
    """What askers said of the entries' answers that they were given in a period, whenever they said it."""
    # By what was rated, which is little, rather than by all that was answered.
    answered = (
        exists()
        .where(
            col(Message.id) == col(Feedback.message_id),
            col(Message.entry_id).is_not(None),
            col(Message.received_at) >= period.start,
            col(Message.received_at) < period.end,
        )
        .correlate(Feedback)
    )
    return Ratings(*_execute(session, select(*_said(col(Feedback.helpful))).where(answered))[0])


def reply_ratings(session: Session, period: Period) -> Ratings:
    """What askers said of colleagues' replies to inquiries opened in a period."""
    statement = (
        select(*_said(col(StaffReply.helpful)))
        .join(Inquiry, col(Inquiry.id) == col(StaffReply.inquiry_id))
        .where(*_opened_within(period), col(StaffReply.kind) == ReplyKind.ANSWER)
    )
    return Ratings(*_execute(session, statement)[0])


def gaps(session: Session, period: Period, limit: int) -> Gaps:
    """Questions of a period that no entry answers, those of most askers first."""
    # Where one of a group was answered by an entry, the others are answered by it too.
    with_entry = select(col(Inquiry.cluster_id)).where(
        col(Inquiry.entry_id).is_not(None), col(Inquiry.cluster_id).is_not(None)
    )
    wanted = (
        *_opened_within(period),
        col(Inquiry.reason).in_(_NO_ENTRY),
        col(Inquiry.status).not_in(_NOT_OURS),
        col(Inquiry.cluster_id).is_not(None),
        col(Inquiry.cluster_id).not_in(with_entry),
    )
    cluster, domain = col(Inquiry.cluster_id), col(Inquiry.domain)
    by_domain = dict(
        tuple(row) for row in _execute(session, select(domain, func.count()).where(*wanted).group_by(domain))
    )
    count, asked_by = func.count(), func.count(func.distinct(Inquiry.asker_id))
    first = func.min(Inquiry.id)
    rows = _execute(
        session,
        select(
            first,
            count,
            asked_by,
            func.count(case((col(Inquiry.status).in_(OPEN_STATUSES), 1))),
            func.count(col(Inquiry.draft_id)),
            func.count().over(),  # of groups, before the limit
        )
        .where(*wanted)
        .group_by(cluster)
        .order_by(asked_by.desc(), count.desc(), first)
        .limit(max(limit, 1)),  # the number of groups stands in a row
    )
    groups = rows[0][-1] if rows else 0
    named = rows[:limit]
    firsts = {
        one: (number, question, field)
        for one, number, question, field in _execute(
            session,
            select(col(Inquiry.id), col(Inquiry.number), col(Inquiry.question), domain).where(
                col(Inquiry.id).in_([row[0] for row in named])
            ),
        )
    }
    return Gaps(
        groups=groups,
        inquiries=sum(by_domain.values()),
        by_domain=by_domain,
        most_asked=tuple(
            Gap(
                number=firsts[one][0],
                title=_title(firsts[one][1]),
                domain=firsts[one][2],
                count=counted,
                askers=persons,
                is_open=bool(still_open),
                has_draft=bool(drafts),
            )
            for one, counted, persons, still_open, drafts, _ in named
        ),
    )


@lru_cache(50_000)
def _local_day(hour: int) -> date:
    """The day in Asia/Shanghai of an hour since 1970; days begin at a full hour of UTC there."""
    return local_day(datetime.fromtimestamp(hour * _HOUR_S, UTC))


@lru_cache(50_000)
def _working_days(start: date, end: date) -> int:
    return working_days_between(start, end)


def _title(question: str | None) -> str:
    # A spreadsheet takes no control characters.
    words = "".join(one for one in particulars.free(question or "").text if one.isprintable())
    return words if len(words) <= _TITLE_LENGTH else f"{words[:_TITLE_LENGTH]}…"


def _opened_within(period: Period) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Inquiry.opened_at) >= period.start, col(Inquiry.opened_at) < period.end


def _said(helpful: Any) -> tuple[ColumnElement[int], ColumnElement[int]]:
    return func.count(case((helpful.is_(True), 1))), func.count(case((helpful.is_(False), 1)))


def _execute(session: Session, statement: Any) -> Any:
    # By the connection: only values are read. Any: SQLAlchemy's row types differ by statement.
    return session.connection().execute(statement).all()
