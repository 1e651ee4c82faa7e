"""谁收到过: which askers received which version of an entry, by an answer or in a colleague's reply."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Subquery, case, cast, distinct, func, null, union_all
from sqlmodel import Session, col, select

from knowledge.masking import shortened
from knowledge.models import Asker, EntryVersion, Feedback, FurtherAnswer, Inquiry, Message, StaffReply


@dataclass(frozen=True, slots=True)
class Given:
    """How one version went out: times and askers, how many of these cannot be reached any more (unsubscribed or
    erased), and how often it was called helpful and not."""

    version: EntryVersion
    times: int
    askers: int
    gone: int
    helpful: int
    unhelpful: int


@dataclass(frozen=True, slots=True)
class Receiver:
    """One asker: a shortened name (None: unsubscribed or erased), the versions received, how often and when last,
    the last message that brought one, or the number of the inquiry whose reply did, and whether he said 没解决."""

    asker_id: int
    name: str | None
    versions: tuple[int, ...]
    times: int
    last_at: datetime
    message_id: int | None
    inquiry_number: str | None
    said_unhelpful: bool


def by_version(session: Session, entry_id: str, since: datetime | None) -> list[Given]:
    """Every version of an entry, newest first, and how it went out since a moment (None: ever)."""
    given = _given(entry_id, (), since)
    columns: Any = select  # SQLModel's overloads end at four columns
    rows = session.exec(
        columns(
            given.c.version_id,
            func.count(),
            func.count(distinct(given.c.asker_id)),
            func.count(distinct(case((col(Asker.address).is_(None), given.c.asker_id)))),
            func.sum(case((given.c.helpful == 1, 1), else_=0)),
            func.sum(case((given.c.helpful == 0, 1), else_=0)),
        )
        .join(Asker, col(Asker.id) == given.c.asker_id)
        .group_by(given.c.version_id)
    ).all()
    counts = {version_id: tuple(int(one or 0) for one in numbers) for version_id, *numbers in rows}
    versions = session.exec(
        select(EntryVersion).where(EntryVersion.entry_id == entry_id).order_by(col(EntryVersion.number).desc())
    )
    return [Given(one, *counts.get(one.id or 0, (0, 0, 0, 0, 0))) for one in versions]


def listed(
    session: Session, entry_id: str, version_ids: Sequence[int], since: datetime | None, limit: int, offset: int
) -> list[Receiver]:
    """Who received one of the versions (none named: any), those who did last first."""
    given = _given(entry_id, version_ids, since)
    columns: Any = select  # SQLModel's overloads end at four columns
    last = func.max(given.c.at)
    rows = session.exec(
        columns(given.c.asker_id, Asker.address, func.count(), last, func.min(given.c.helpful))
        .join(Asker, col(Asker.id) == given.c.asker_id)
        .group_by(given.c.asker_id, col(Asker.address))
        .order_by(last.desc(), given.c.asker_id)
        .limit(limit)
        .offset(offset)
    ).all()
    seen = _seen(session, given, [row[0] for row in rows])
    return [
        Receiver(
            asker_id,
            shortened(address) if address else None,
            tuple(sorted({number for number, *_ in seen[asker_id]})),
            times,
            seen[asker_id][-1][1],
            next((one for *_, one, _ in reversed(seen[asker_id]) if one), None),
            next((one for *_, one in reversed(seen[asker_id]) if one), None),
            helpful == 0,
        )
        for asker_id, address, times, _, helpful in rows
    ]


def reachable(
    session: Session, entry_id: str, version_ids: Sequence[int], since: datetime | None, until: datetime
) -> list[int]:
    """Ids of the askers who received one of the versions by `until` and can still be reached, in ascending order."""
    given = _given(entry_id, version_ids, since, until)
    return list(
        session.exec(
            select(given.c.asker_id)
            .join(Asker, col(Asker.id) == given.c.asker_id)
            .where(col(Asker.address).is_not(None))
            .distinct()
            .order_by(given.c.asker_id)
        )
    )


def count(
    session: Session,
    entry_id: str,
    version_ids: Sequence[int],
    since: datetime | None,
    until: datetime | None = None,
) -> tuple[int, int]:
    """How many askers received one of the versions (until a moment, if told), and how many of them can be reached."""
    given = _given(entry_id, version_ids, since, until)
    can_be_reached = case((col(Asker.address).is_not(None), given.c.asker_id))
    everyone, reached = session.exec(
        select(func.count(distinct(given.c.asker_id)), func.count(distinct(can_be_reached))).join(
            Asker, col(Asker.id) == given.c.asker_id
        )
    ).one()
    return everyone, reached


def _seen(
    session: Session, given: Subquery, asker_ids: Sequence[int]
) -> dict[int, list[tuple[int, datetime, int | None, str | None]]]:
    """Of each asker what he received, oldest first: version number, when, message, inquiry number."""
    columns: Any = select  # SQLModel's overloads end at four columns
    rows = session.exec(
        columns(given.c.asker_id, EntryVersion.number, given.c.at, given.c.message_id, Inquiry.number)
        .join(EntryVersion, col(EntryVersion.id) == given.c.version_id)
        .outerjoin(Inquiry, col(Inquiry.id) == given.c.inquiry_id)
        .where(given.c.asker_id.in_(list(asker_ids)))
        .order_by(given.c.at)
    ).all()
    found: dict[int, list[tuple[int, datetime, int | None, str | None]]] = defaultdict(list)
    for asker_id, *what in rows:
        found[asker_id].append((what[0], what[1], what[2], what[3]))
    return found


def _given(
    entry_id: str, version_ids: Sequence[int], since: datetime | None, until: datetime | None = None
) -> Subquery:
    """Every time a version went out: asker, version, when, by which message or for which inquiry, and whether it
    was called helpful (1), not (0) or nothing was said (None)."""
    columns: Any = select  # SQLModel's overloads end at four columns
    helpful = cast(col(Feedback.helpful), Integer).label("helpful")
    by_answer = (
        columns(
            Message.asker_id,
            col(Message.entry_version_id).label("version_id"),
            col(Message.received_at).label("at"),
            col(Message.id).label("message_id"),
            cast(null(), Integer).label("inquiry_id"),
            helpful,
        )
        .outerjoin(Feedback, col(Feedback.message_id) == Message.id)
        .where(Message.entry_id == entry_id, col(Message.entry_version_id).is_not(None))
    )
    by_further = (
        columns(
            Message.asker_id,
            FurtherAnswer.entry_version_id,
            Message.received_at,
            Message.id,
            cast(null(), Integer),
            helpful,
        )
        .join(FurtherAnswer, col(FurtherAnswer.message_id) == Message.id)
        .outerjoin(Feedback, col(Feedback.message_id) == Message.id)
        .where(FurtherAnswer.entry_id == entry_id)
    )
    by_colleague = (
        columns(
            Inquiry.asker_id,
            StaffReply.entry_version_id,
            StaffReply.written_at,
            cast(null(), Integer),
            Inquiry.id,
            cast(col(StaffReply.helpful), Integer),
        )
        .join(Inquiry, col(Inquiry.id) == StaffReply.inquiry_id)
        .join(EntryVersion, col(EntryVersion.id) == StaffReply.entry_version_id)
        .where(EntryVersion.entry_id == entry_id)
    )
    if version_ids:
        wanted = list(version_ids)
        by_answer = by_answer.where(col(Message.entry_version_id).in_(wanted))
        by_further = by_further.where(col(FurtherAnswer.entry_version_id).in_(wanted))
        by_colleague = by_colleague.where(col(StaffReply.entry_version_id).in_(wanted))
    if since is not None:
        by_answer = by_answer.where(col(Message.received_at) >= since)
        by_further = by_further.where(col(Message.received_at) >= since)
        by_colleague = by_colleague.where(col(StaffReply.written_at) >= since)
    if until is not None:
        by_answer = by_answer.where(col(Message.received_at) <= until)
        by_further = by_further.where(col(Message.received_at) <= until)
        by_colleague = by_colleague.where(col(StaffReply.written_at) <= until)
    return union_all(by_answer, by_further, by_colleague).subquery("given")
