"""The catalogue: entries found by words, field, state, author and due date, with how they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import case, func, or_
from sqlmodel import Session, col, select

from knowledge import signing
from knowledge.models import DraftStatus, EntryDraft, EntryStatus, FaqEntry, Feedback, Message, ReReview, Variant

SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; "" and None: any. `due` is "past" or "soon" (within 30 days) of the review's day, or
    "law" where a cited article was amended and nobody has looked yet (待复审)."""

    words: str = ""
    domain: str = ""
    topic: str = ""
    status: str = ""
    author: str = ""
    due: str = ""
    unsigned: bool = False
    lapsed: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """How an entry did: answers given with it, and of those rated how many were called helpful and not."""

    answers: int
    helpful: int
    unhelpful: int


def find(
    session: Session,
    wanted: Wanted,
    today: date,
    limit: int,
    offset: int,
    *,
    order: str = "",
    since: datetime | None = None,
) -> list[FaqEntry]:
    """Entries by id; with a due date wanted, the most pressing first.

    `order`: "answers", those that answered most since a moment first; "unhelpful", those called unhelpful most.
    """
    statement = select(FaqEntry).where(*_conditions(session, wanted, today))
    if order in {"answers", "unhelpful"}:
        counted: Any = select(col(Message.entry_id).label("entry_id"), func.count().label("number"))
        counted = counted.where(col(Message.entry_id).is_not(None))
        if since:
            counted = counted.where(col(Message.received_at) >= since)
        if order == "unhelpful":
            counted = counted.join(Feedback, col(Feedback.message_id) == Message.id).where(
                col(Feedback.helpful).is_(False)
            )
        ranked = counted.group_by(col(Message.entry_id)).subquery()
        statement = statement.outerjoin(ranked, ranked.c.entry_id == FaqEntry.id).order_by(
            func.coalesce(ranked.c.number, 0).desc()
        )
    elif wanted.due:
        statement = statement.order_by(col(FaqEntry.review_by))
    return list(session.exec(statement.order_by(col(FaqEntry.id)).limit(limit).offset(offset)).all())


def count(session: Session, wanted: Wanted, today: date) -> int:
    """How many entries are as wanted."""
    return session.exec(select(func.count()).select_from(FaqEntry).where(*_conditions(session, wanted, today))).one()


def topics(session: Session, domain: str = "") -> list[str]:
    """The topics in use, of a domain if one is given."""
    statement = select(FaqEntry.topic).distinct().order_by(col(FaqEntry.topic))
    if domain:
        statement = statement.where(FaqEntry.domain == domain)
    return list(session.exec(statement).all())


def use_of(session: Session, entry_ids: Sequence[str], since: datetime) -> dict[str, Use]:
    """What entries did since a moment."""
    rated: Any = select  # SQLModel's overloads end at four columns
    rows = session.exec(
        rated(
            Message.entry_id,
            func.count(func.distinct(Message.id)),
            func.sum(case((col(Feedback.helpful).is_(True), 1), else_=0)),
            func.sum(case((col(Feedback.helpful).is_(False), 1), else_=0)),
        )
        .outerjoin(Feedback, col(Feedback.message_id) == Message.id)
        .where(col(Message.entry_id).in_(list(entry_ids)), col(Message.received_at) >= since)
        .group_by(col(Message.entry_id))
    ).all()
    return {
        entry_id: Use(answers, int(helpful or 0), int(unhelpful or 0)) for entry_id, answers, helpful, unhelpful in rows
    }


def _conditions(session: Session, wanted: Wanted, today: date) -> list[Any]:
    # Any: SQLAlchemy's condition types differ by column and are only handed on.
    conditions: list[Any] = []
    if wanted.words:
        like = [
            column.contains(wanted.words, autoescape=True)
            for column in (col(FaqEntry.title), col(FaqEntry.question), col(FaqEntry.id))
        ]
        by_variant = select(Variant.entry_id).where(col(Variant.text).contains(wanted.words, autoescape=True))
        conditions.append(or_(*like, col(FaqEntry.id).in_(by_variant)))
    if wanted.domain:
        conditions.append(FaqEntry.domain == wanted.domain)
    if wanted.topic:
        conditions.append(FaqEntry.topic == wanted.topic)
    if wanted.status:
        conditions.append(FaqEntry.status == wanted.status)
    if wanted.unsigned:
        conditions += [signing.is_unsigned(today), FaqEntry.status == EntryStatus.PUBLISHED]
    if wanted.lapsed:
        conditions += [signing.has_lapsed(today), FaqEntry.status == EntryStatus.PUBLISHED]
    if wanted.due == "law":
        conditions.append(col(FaqEntry.id).in_(select(ReReview.entry_id).where(col(ReReview.closed_at).is_(None))))
    elif wanted.due:
        until = today if wanted.due == "past" else today + SOON
        conditions += [col(FaqEntry.review_by) < until, FaqEntry.status == EntryStatus.PUBLISHED]
    if wanted.author:
        published = session.exec(
            select(EntryDraft.entry_id, EntryDraft.authors).where(EntryDraft.status == DraftStatus.PUBLISHED)
        )
        conditions.append(col(FaqEntry.id).in_({one for one, authors in published if wanted.author in authors}))
    return conditions
