"""Inquiries (提问单): open, join, reply, close; and the replies an asker is still to receive."""

from dataclasses import dataclass
from datetime import date, datetime

from rapidfuzz import fuzz
from sqlalchemy import update
from sqlmodel import Session, col, select

from knowledge.database import insert_if_absent
from knowledge.errors import InquiryClosed, InvalidInput, NotFound
from knowledge.matching.normalize import normalize
from knowledge.models import (
    Inquiry,
    InquiryCounter,
    InquiryStatus,
    Message,
    OutboxMessage,
    OutboxStatus,
    StaffReply,
)
from knowledge.models.inquiries import OPEN_STATUSES
from knowledge.working_days import after_working_days, local_day

PROMISED_WORKING_DAYS = 2
REPLY_LIMIT = 2000  # characters; a reply is cut into parts for the channel, so this only stops a paste by mistake
_SAME_QUESTION = 80  # rapidfuzz ratio from which a question repeats the one an inquiry was opened with


@dataclass(frozen=True, slots=True)
class DueReply:
    """A colleague's reply that its asker has not received yet."""

    outbox_id: int
    inquiry_number: str
    question: str | None
    text: str


def open_or_join(session: Session, asker_id: int, question: str, reason: str, now: datetime) -> tuple[Inquiry, bool]:
    """The asker's inquiry for a question, and whether it was opened now.

    What repeats an open inquiry of the same asker joins it instead of opening another.
    """
    normal = normalize(question)
    for inquiry in open_of(session, asker_id):
        if fuzz.ratio(normalize(inquiry.question or ""), normal) >= _SAME_QUESTION:
            return inquiry, False
    inquiry = Inquiry(
        number=_draw_number(session, local_day(now)),
        asker_id=asker_id,
        question=question,
        reason=reason,
        opened_at=now,
        due_on=after_working_days(local_day(now), PROMISED_WORKING_DAYS),
    )
    session.add(inquiry)
    session.flush()
    return inquiry, True


def open_of(session: Session, asker_id: int) -> list[Inquiry]:
    """An asker's open inquiries, newest first."""
    rows = session.exec(
        select(Inquiry)
        .where(Inquiry.asker_id == asker_id, col(Inquiry.status).in_(OPEN_STATUSES))
        .order_by(col(Inquiry.id).desc())
    )
    return list(rows.all())


def add_to(session: Session, inquiry: Inquiry, text: str) -> None:
    """Join what the asker adds to his open inquiry, so that whoever answers reads it too."""
    if text not in (inquiry.question or ""):
        inquiry.question = f"{inquiry.question or ''}\n（补充）{text}"
        session.add(inquiry)


def waiting(session: Session, limit: int = 50, offset: int = 0) -> list[Inquiry]:
    """Open inquiries in the order in which they are to be worked off: urgent first, then by due day."""
    rows = session.exec(
        select(Inquiry)
        .where(col(Inquiry.status).in_(OPEN_STATUSES))
        .order_by(col(Inquiry.urgent).desc(), col(Inquiry.due_on), col(Inquiry.id))
        .limit(limit)
        .offset(offset)
    )
    return list(rows.all())


def latest(session: Session, limit: int = 50, offset: int = 0) -> list[Inquiry]:
    """Inquiries of every state, newest first."""
    rows = session.exec(select(Inquiry).order_by(col(Inquiry.id).desc()).limit(limit).offset(offset))
    return list(rows.all())


def by_number(session: Session, number: str) -> Inquiry:
    """The inquiry with a number (`Q20261123-0007`, capitals or not); NotFound where there is none."""
    inquiry = session.exec(select(Inquiry).where(Inquiry.number == number.strip().upper())).first()
    if inquiry is None:
        raise NotFound(f"没有编号为{number}的提问单")
    return inquiry


def replies_to(session: Session, inquiry: Inquiry) -> list[StaffReply]:
    """What colleagues replied so far, oldest first."""
    rows = session.exec(select(StaffReply).where(StaffReply.inquiry_id == inquiry.id).order_by(col(StaffReply.id)))
    return list(rows.all())


def messages_of(session: Session, inquiry: Inquiry) -> list[Message]:
    """The asker's messages that belong to the inquiry, oldest first."""
    rows = session.exec(select(Message).where(Message.inquiry_id == inquiry.id).order_by(col(Message.id)))
    return list(rows.all())


def is_delivered(session: Session, reply: StaffReply) -> bool:
    """Whether the asker has received a reply."""
    rows = session.exec(
        select(OutboxMessage.id).where(
            OutboxMessage.staff_reply_id == reply.id, OutboxMessage.status == OutboxStatus.WAITING
        )
    )
    return rows.first() is None


def reply(session: Session, number: str, author: str, text: str, now: datetime) -> StaffReply:
    """A colleague answers an inquiry: it closes, and the reply waits in the outbox for the asker.

    Raises NotFound for an unknown number, InquiryClosed where the inquiry is answered or closed already
    (so that two colleagues cannot both answer), InvalidInput for an empty or overlong text.
    """
    cleaned = text.strip()
    if not cleaned:
        raise InvalidInput("答复不能为空")
    if len(cleaned) > REPLY_LIMIT:
        raise InvalidInput(f"答复最多{REPLY_LIMIT}字，现为{len(cleaned)}字")
    inquiry = by_number(session, number)
    # A conditional update, so that of two colleagues at once exactly one answers.
    claimed = session.exec(
        update(Inquiry)
        .where(col(Inquiry.id) == inquiry.id, col(Inquiry.status).in_(OPEN_STATUSES))
        .values(status=InquiryStatus.ANSWERED, closed_at=now)
    )
    if claimed.rowcount != 1:
        raise InquiryClosed(f"提问单{inquiry.number}已经办结，不能再次答复")
    session.refresh(inquiry)
    written = StaffReply(inquiry_id=_id(inquiry.id), author=author, text=cleaned, written_at=now)
    session.add(written)
    session.flush()
    session.add(
        OutboxMessage(
            asker_id=inquiry.asker_id,
            inquiry_id=_id(inquiry.id),
            staff_reply_id=_id(written.id),
            created_at=now,
        )
    )
    session.flush()
    return written


def reopen(session: Session, inquiry: Inquiry, now: datetime) -> None:
    """没解决 after a colleague's reply: the inquiry is assigned again, with a new due day."""
    inquiry.status = InquiryStatus.ASSIGNED
    inquiry.closed_at = None
    inquiry.due_on = after_working_days(local_day(now), PROMISED_WORKING_DAYS)
    session.add(inquiry)


def due_replies(session: Session, asker_id: int) -> list[DueReply]:
    """Replies an asker is still to receive, oldest first."""
    rows = session.exec(
        select(OutboxMessage.id, Inquiry.number, Inquiry.question, StaffReply.text)
        .join(Inquiry, col(Inquiry.id) == OutboxMessage.inquiry_id)
        .join(StaffReply, col(StaffReply.id) == OutboxMessage.staff_reply_id)
        .where(OutboxMessage.asker_id == asker_id, OutboxMessage.status == OutboxStatus.WAITING)
        .order_by(col(OutboxMessage.id))
    )
    return [DueReply(_id(number), name, question, text or "") for number, name, question, text in rows]


def mark_delivered(session: Session, due: DueReply, message_id: int, now: datetime) -> bool:
    """Take a reply out of the outbox for the message that carries it; False if another one took it."""
    taken = session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == due.outbox_id, col(OutboxMessage.status) == OutboxStatus.WAITING)
        .values(status=OutboxStatus.DELIVERED, delivered_at=now, delivered_by_message_id=message_id)
    )
    return taken.rowcount == 1


def _draw_number(session: Session, day: date) -> str:
    """The next number of a day: a counter row raised by conditional update (design.md; gaps allowed)."""
    while True:
        counter = session.exec(select(InquiryCounter.last).where(InquiryCounter.day == day)).first()
        if counter is None:
            insert_if_absent(session, InquiryCounter, day=day, last=0)
            continue
        raised = session.exec(
            update(InquiryCounter)
            .where(col(InquiryCounter.day) == day, col(InquiryCounter.last) == counter)
            .values(last=counter + 1)
        )
        if raised.rowcount == 1:
            return f"Q{day:%Y%m%d}-{counter + 1:04d}"


def _id(value: int | None) -> int:
    assert value is not None, "a row that was flushed or read has its id"
    return value
