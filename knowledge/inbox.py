"""The inbox: inquiries found by words and state, and grouped by likeness."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from knowledge.matching.normalize import normalize
from knowledge.models import (
    Inquiry,
    InquiryStatus,
    OutboxMessage,
    StaffMember,
    StaffReply,
)
from knowledge.models.inquiries import OPEN_STATUSES

_SHOWN_OF_CLUSTER = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. `state` is a status, "open", "closed" or "" for all; "" and None elsewhere: any.

    `overdue_on` keeps only open ones promised before that day; those that wait for their asker are not overdue.
    """

    state: str = "open"
    words: str = ""
    domain: str = ""
    urgent: bool = False
    assignee_id: int | None = None
    overdue_on: date | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Alike inquiries among those looked for: how many, of how many askers, the first of them, the earliest day.

    `due_on` is None where all of them wait for their askers.
    """

    cluster_id: int
    count: int
    askers: int
    urgent: bool
    due_on: date | None
    first: Inquiry
    assignees: tuple[str, ...]
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another inquiry of the same cluster, and how its newest reply stands (None: nothing was written)."""

    inquiry: Inquiry
    delivery: str | None


def groups(session: Session, wanted: Wanted, limit: int, offset: int) -> list[Group]:
    """Groups in the order in which they are to be worked off: urgent, then promised first; closed ones newest first."""
    earliest = func.min(case((col(Inquiry.status) != InquiryStatus.WAITING, col(Inquiry.due_on))))
    is_urgent = func.max(case((col(Inquiry.urgent), 1), else_=0))
    order = (
        (is_urgent.desc(), earliest.asc().nulls_last(), func.min(Inquiry.id))
        if wanted.state in ("open", *OPEN_STATUSES)
        else (func.max(Inquiry.id).desc(),)
    )
    columns: Any = select  # SQLModel's overloads end at four columns
    statement = (
        columns(
            Inquiry.cluster_id,
            func.count(),
            func.count(func.distinct(Inquiry.asker_id)),
            is_urgent,
            earliest,
            func.min(Inquiry.id),
        )
        .where(*_conditions(wanted))
        .group_by(col(Inquiry.cluster_id))
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    rows = session.exec(statement).all()
    firsts = {one.id: one for one in session.exec(select(Inquiry).where(col(Inquiry.id).in_([row[5] for row in rows])))}
    states = _states(session, [row[0] for row in rows], wanted)
    return [
        Group(
            cluster_id=cluster_id,
            count=count,
            askers=askers,
            urgent=bool(urgent),
            due_on=due_on,
            first=firsts[first],
            assignees=states[cluster_id][0],
            statuses=states[cluster_id][1],
        )
        for cluster_id, count, askers, urgent, due_on, first in rows
    ]


def count(session: Session, wanted: Wanted) -> tuple[int, int]:
    """How many groups and how many inquiries are there to be seen."""
    row = session.exec(
        select(func.count(func.distinct(Inquiry.cluster_id)), func.count()).where(*_conditions(wanted))
    ).one()
    return row[0], row[1]


def siblings(session: Session, inquiry: Inquiry) -> list[Sibling]:
    """The other inquiries of a cluster, open ones first, oldest first; at most 200."""
    rows = session.exec(
        select(Inquiry)
        .where(Inquiry.cluster_id == inquiry.cluster_id, Inquiry.id != inquiry.id)
        .order_by(col(Inquiry.closed_at).is_not(None), col(Inquiry.id))
        .limit(_SHOWN_OF_CLUSTER)
    ).all()
    delivered = deliveries(session, [one.id for one in rows if one.id is not None])
    return [Sibling(one, delivered.get(one.id or 0)) for one in rows]


def deliveries(session: Session, inquiry_ids: Sequence[int]) -> dict[int, str]:
    """The outbox status of each inquiry's newest reply."""
    rows = session.exec(
        select(StaffReply.inquiry_id, OutboxMessage.status)
        .join(OutboxMessage, col(OutboxMessage.staff_reply_id) == StaffReply.id)
        .where(col(StaffReply.inquiry_id).in_(inquiry_ids))
        .order_by(col(StaffReply.id))
    )
    return dict(rows.all())


def of_same_asker(session: Session, inquiry: Inquiry) -> list[Inquiry]:
    """The same asker's other open inquiries, newest first: into one of them an inquiry can be merged."""
    rows = session.exec(
        select(Inquiry)
        .where(Inquiry.asker_id == inquiry.asker_id, Inquiry.id != inquiry.id, col(Inquiry.status).in_(OPEN_STATUSES))
        .order_by(col(Inquiry.id).desc())
        .limit(20)
    )
    return list(rows.all())


def next_open(session: Session, after: Inquiry) -> Inquiry | None:
    """What to do next: the first of the group that is to be worked off first, leaving out `after`'s own."""
    for group in groups(session, Wanted(), 2, 0):
        if group.cluster_id != after.cluster_id:
            return group.first
    return None


def _conditions(wanted: Wanted) -> list[Any]:
    # Any: SQLAlchemy's condition types differ by column and are only handed on.
    conditions: list[Any] = [col(Inquiry.cluster_id).is_not(None)]
    if wanted.state == "open":
        conditions.append(col(Inquiry.status).in_(OPEN_STATUSES))
    elif wanted.state == "closed":
        conditions.append(col(Inquiry.status).not_in(OPEN_STATUSES))
    elif wanted.state:
        conditions.append(Inquiry.status == wanted.state)
    if wanted.words.strip():
        words = normalize(wanted.words)
        by_words = col(Inquiry.normal).contains(words, autoescape=True) if words else col(Inquiry.id) < 0
        conditions.append(by_words | (col(Inquiry.number) == wanted.words.strip().upper()))
    if wanted.domain:
        conditions.append(Inquiry.domain == wanted.domain)
    if wanted.urgent:
        conditions.append(col(Inquiry.urgent).is_(True))
    if wanted.assignee_id is not None:
        conditions.append(Inquiry.assignee_id == wanted.assignee_id)
    if wanted.overdue_on is not None:
        conditions += [
            col(Inquiry.due_on) < wanted.overdue_on,
            col(Inquiry.status).in_((InquiryStatus.NEW, InquiryStatus.ASSIGNED)),
        ]
    return conditions


def _states(
    session: Session, cluster_ids: list[int], wanted: Wanted
) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Per cluster: the names of those who have it, and the statuses in it."""
    chosen: Any = select(Inquiry.cluster_id, Inquiry.status, StaffMember.name)  # its typed form knows no outer join
    rows = session.exec(
        chosen.outerjoin(StaffMember, col(StaffMember.id) == Inquiry.assignee_id)
        .where(col(Inquiry.cluster_id).in_(cluster_ids), *_conditions(wanted))
        .distinct()
    ).all()
    found: dict[int, tuple[dict[str, None], dict[str, None]]] = {one: ({}, {}) for one in cluster_ids}
    for cluster_id, status, name in rows:
        if cluster_id is None:
            continue
        found[cluster_id][1][status] = None
        if name:
            found[cluster_id][0][name] = None
    return {one: (tuple(names), tuple(statuses)) for one, (names, statuses) in found.items()}
