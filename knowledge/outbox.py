"""The outbox: what an asker is still to receive; claimed, sent and marked so that nothing is lost or doubled.

A row goes out in one of two ways: in the reply to the asker's next message (`due`, `give`), or pushed by a
worker (`pushable`, `claim`, then `mark_part`, `mark_pushed`, `put_back` or `mark_unsure`). Every change is a
conditional update whose row count decides, so that of two processes one wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, bindparam, or_, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, select

from knowledge.database import insert_absent
from knowledge.models import (
    Asker,
    Conversation,
    Correction,
    Inquiry,
    OutboxMessage,
    OutboxStatus,
    ReplyKind,
    StaffReply,
)
from knowledge.models.inquiries import SUPPLEMENT
from knowledge.models.outbox import UNDELIVERED

# A worker that has not marked its claim by then is dead: the outcome of its send is unknown. Longer than the
# sum of a send's own time limits.
LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class DueReply:
    """Something an asker has not received yet.

    `is_question`: a colleague asks back. `is_unsure`: it may have arrived already. `parts_sent` parts of it (as the
    channel cuts it) are known to have arrived. `is_correction`: it corrects an earlier answer, and `entry_title` is
    what a tap for the answer as it is now sends (None: there is none).
    """

    outbox_id: int
    inquiry_number: str | None
    question: str | None
    text: str
    is_question: bool = False
    is_unsure: bool = False
    parts_sent: int = 0
    is_correction: bool = False
    entry_title: str | None = None


@dataclass(frozen=True, slots=True)
class Pushable:
    """A due reply that may be pushed now: to which address, and how many messages may be sent there."""

    reply: DueReply
    asker_id: int
    address: str
    sends_left: int


def enqueue(
    session: Session,
    asker_id: int,
    now: datetime,
    *,
    inquiry_id: int | None = None,
    staff_reply_id: int | None = None,
    text: str | None = None,
) -> OutboxMessage:
    """Put a colleague's reply, or a notice with a text of its own, on its way to an asker."""
    row = OutboxMessage(
        asker_id=asker_id, inquiry_id=inquiry_id, staff_reply_id=staff_reply_id, text=text, created_at=now
    )
    session.add(row)
    session.flush()
    return row


def enqueue_correction(session: Session, correction_id: int, asker_ids: Sequence[int], now: datetime) -> int:
    """Put a correction on its way to those of the askers who can be reached; gives to how many.

    Who has it on its way already, or was given it, is left out: a worker that was killed may begin again.
    """
    waiting: dict[str, Any] = {
        "correction_id": correction_id,
        "status": OutboxStatus.WAITING,
        "created_at": now,
        "attempts": 0,
        "parts_sent": 0,
    }
    values = [bindparam(None, value, type_=getattr(OutboxMessage, name).type) for name, value in waiting.items()]
    reachable = sql_select(col(Asker.id), *values).where(
        col(Asker.id).in_(list(asker_ids)), col(Asker.address).is_not(None)
    )
    return insert_absent(session, OutboxMessage, ["asker_id", *waiting], reachable)


def due(session: Session, asker_id: int, now: datetime) -> list[DueReply]:
    """What the asker's next message brings him, oldest first.

    What a worker is pushing at this moment is left to it; where its lease is over it is due, as unsure.
    """
    rows = session.exec(
        _with_texts().where(OutboxMessage.asker_id == asker_id, _is_due(now)).order_by(col(OutboxMessage.id))
    )
    return [_due_reply(*row) for row in rows]


def give(session: Session, reply: DueReply, message_id: int, now: datetime) -> bool:
    """Take a due reply for the message whose reply carries it; False if somebody else took it."""
    taken = session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == reply.outbox_id, _is_due(now))
        .values(status=OutboxStatus.DELIVERED, delivered_at=now, delivered_by_message_id=message_id)
    )
    return _is_one(taken)


def pushable(session: Session, now: datetime, limit: int = 50) -> list[Pushable]:
    """What may be pushed now, oldest first: the asker's window is open, and no refusal says to wait."""
    # From those whose window is open, who are few; what waits for the others may be hundreds of thousands of rows.
    long_window = and_(col(Conversation.sends_until) > now, col(Conversation.sends_left) > 0)
    short_window = and_(col(Conversation.tap_sends_until) > now, col(Conversation.tap_sends_left) > 0)
    rows = session.exec(
        _with_texts()
        .add_columns(Asker.id, Asker.address, Conversation)
        .join(Asker, col(Asker.id) == OutboxMessage.asker_id)
        .join(Conversation, col(Conversation.asker_id) == OutboxMessage.asker_id)
        .where(
            OutboxMessage.status == OutboxStatus.WAITING,
            col(Asker.address).is_not(None),
            col(OutboxMessage.asker_id).in_(select(Conversation.asker_id).where(or_(long_window, short_window))),
            or_(col(OutboxMessage.next_attempt_at).is_(None), col(OutboxMessage.next_attempt_at) <= now),
            or_(long_window, short_window),
        )
        .order_by(col(OutboxMessage.created_at), col(OutboxMessage.id))
        .limit(limit)
    )
    found = []
    for *row, asker_id, address, state in rows:
        found.append(Pushable(_due_reply(*row), asker_id, address, _left(state, now)))
    return found


def sends_left(session: Session, asker_id: int, now: datetime) -> int:
    """How many messages may be sent to an asker unasked at this moment."""
    state = session.get(Conversation, asker_id)
    return _left(state, now) if state else 0


def claim(session: Session, item: Pushable, worker: str, sends: int, now: datetime) -> bool:
    """Claim a waiting row for a worker, and with it `sends` of the asker's allowance.

    False where another took it or the allowance is used up since; the caller's unit of work must then be
    rolled back, so that neither is taken without the other.
    """
    taken = session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == item.reply.outbox_id, col(OutboxMessage.status) == OutboxStatus.WAITING)
        .values(
            status=OutboxStatus.SENDING, claimed_by=worker, claimed_at=now, attempts=col(OutboxMessage.attempts) + 1
        )
    )
    return _is_one(taken) and spend(session, item.asker_id, sends, now)


def spend(session: Session, asker_id: int, sends: int, now: datetime) -> bool:
    """Use up `sends` messages of the allowance, of the longer window first; False where there are not so many."""
    for left, until in (
        (col(Conversation.sends_left), col(Conversation.sends_until)),
        (col(Conversation.tap_sends_left), col(Conversation.tap_sends_until)),
    ):
        spent = session.exec(
            update(Conversation)
            .where(col(Conversation.asker_id) == asker_id, until > now, left >= sends)
            .values({left: left - sends})
        )
        if _is_one(spent):
            return True
    return False


def mark_part(session: Session, outbox_id: int, worker: str, now: datetime) -> bool:
    """One more part is known to have arrived, and the lease runs anew; False where the claim is another's."""
    return _own(session, outbox_id, worker, parts_sent=col(OutboxMessage.parts_sent) + 1, claimed_at=now)


def mark_pushed(session: Session, outbox_id: int, worker: str, now: datetime) -> bool:
    """The whole has arrived; False where the claim is no longer this worker's."""
    return _own(session, outbox_id, worker, status=OutboxStatus.DELIVERED, delivered_at=now)


def put_back(
    session: Session, outbox_id: int, worker: str, *, code: int | None, next_attempt_at: datetime | None
) -> bool:
    """The send was surely not made: the row waits again, for the next attempt or the next message."""
    return _own(
        session,
        outbox_id,
        worker,
        status=OutboxStatus.WAITING,
        claimed_by=None,
        claimed_at=None,
        refused_code=code,
        next_attempt_at=next_attempt_at,
    )


def attempts(session: Session, outbox_id: int) -> int:
    """How often a row was claimed for pushing."""
    return session.exec(select(OutboxMessage.attempts).where(OutboxMessage.id == outbox_id)).first() or 0


def mark_unsure(session: Session, outbox_id: int, worker: str) -> bool:
    """Nobody knows whether the send arrived: it is not pushed again, but given at the next message."""
    return _own(session, outbox_id, worker, status=OutboxStatus.UNSURE)


def mark_abandoned(session: Session, now: datetime) -> int:
    """Claims whose worker died become unsure; gives how many."""
    left = session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.status) == OutboxStatus.SENDING, col(OutboxMessage.claimed_at) < now - LEASE)
        .values(status=OutboxStatus.UNSURE)
    )
    return left.rowcount


def close_window(session: Session, asker_id: int) -> None:
    """The channel says that no more may be sent until the asker writes again."""
    session.exec(
        update(Conversation).where(col(Conversation.asker_id) == asker_id).values(sends_left=0, tap_sends_left=0)
    )


def undelivered(session: Session) -> int:
    """How many rows wait for their askers."""
    query = select(func.count()).select_from(OutboxMessage)
    return session.exec(query.where(col(OutboxMessage.status).in_(UNDELIVERED))).one()


def _left(state: Conversation, now: datetime) -> int:
    return max(
        state.sends_left if state.sends_until and state.sends_until > now else 0,
        state.tap_sends_left if state.tap_sends_until and state.tap_sends_until > now else 0,
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        col(OutboxMessage.status).in_((OutboxStatus.WAITING, OutboxStatus.UNSURE)),
        and_(col(OutboxMessage.status) == OutboxStatus.SENDING, col(OutboxMessage.claimed_at) < now - LEASE),
    )


def _with_texts() -> Any:
    # Any: SQLModel's select types do not survive being handed on and refined.
    return (
        select(OutboxMessage, Inquiry.number, Inquiry.question, StaffReply.text)
        .add_columns(StaffReply.kind, Correction.text, Correction.title)  # type: ignore[arg-type] # SQLModel's columns type as their values
        .outerjoin(Correction, col(Correction.id) == OutboxMessage.correction_id)
        .outerjoin(Inquiry, col(Inquiry.id) == OutboxMessage.inquiry_id)
        .outerjoin(StaffReply, col(StaffReply.id) == OutboxMessage.staff_reply_id)
    )


def _due_reply(
    row: OutboxMessage,
    number: str | None,
    question: str | None,
    text: str | None,
    kind: str | None,
    corrected: str | None,
    title: str | None,
) -> DueReply:
    assert row.id is not None
    return DueReply(
        outbox_id=row.id,
        inquiry_number=number,
        # Without what was added later: a text that was sent in parts must be cut at the same places again.
        question=(question or "").split(SUPPLEMENT)[0] or None,
        text=text or corrected or row.text or "",
        is_question=kind == ReplyKind.QUESTION,
        is_unsure=row.status in (OutboxStatus.UNSURE, OutboxStatus.SENDING),
        parts_sent=row.parts_sent,
        is_correction=row.correction_id is not None,
        entry_title=title,
    )


def _own(session: Session, outbox_id: int, worker: str, **values: object) -> bool:
    changed = session.exec(
        update(OutboxMessage)
        .where(
            col(OutboxMessage.id) == outbox_id,
            col(OutboxMessage.status) == OutboxStatus.SENDING,
            col(OutboxMessage.claimed_by) == worker,
        )
        .values(**values)
    )
    return _is_one(changed)


def _is_one(result: CursorResult[Any]) -> bool:
    return result.rowcount == 1
