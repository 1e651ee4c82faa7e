"""Inquiries (提问单): open, join, ask back, reply, close."""

from collections.abc import Sequence
from datetime import date, datetime

from rapidfuzz import fuzz
from sqlalchemy import update
from sqlmodel import Session, col, select

from knowledge import audit, callbacks, clusters, outbox, promise
from knowledge.clusters import Contrast
from knowledge.database import insert_if_absent
from knowledge.errors import InquiryClosed, InvalidInput, NotFound
from knowledge.matching.normalize import normalize
from knowledge.models import (
    Inquiry,
    InquiryCounter,
    InquiryStatus,
    Message,
    OutboxMessage,
    ReplyKind,
    StaffReply,
)
from knowledge.models.inquiries import OPEN_STATUSES, SUPPLEMENT
from knowledge.models.outbox import UNDELIVERED
from knowledge.working_days import after_working_days, local_day, working_days_between

REPLY_LIMIT = 2000  # characters; a reply is cut into parts for the channel, so this only stops a paste by mistake
_SAME_QUESTION = 80  # rapidfuzz ratio from which a question repeats the one an inquiry was opened with


def open_or_join(
    session: Session,
    asker_id: int,
    question: str,
    reason: str,
    now: datetime,
    *,
    urgent: bool = False,
    domain: str | None = None,
    contrast: Contrast = clusters.polarity_differs,
) -> tuple[Inquiry, bool]:
    """The asker's inquiry for a question, and whether it was opened now. `domain` is the field it seems to be of.

    What repeats an open inquiry of the same asker joins it instead of opening another; it stays or becomes
    urgent where either is. `contrast` tells which normalised questions must not share an answer, however alike.
    """
    normal = normalize(question)
    for inquiry in open_of(session, asker_id):
        opened_with = normalize((inquiry.question or "").split(SUPPLEMENT)[0])
        if fuzz.ratio(opened_with, normal) >= _SAME_QUESTION and not contrast(opened_with, normal):
            inquiry.urgent = inquiry.urgent or urgent
            session.add(inquiry)
            return inquiry, False
    inquiry = Inquiry(
        number=_draw_number(session, local_day(now)),
        asker_id=asker_id,
        question=question,
        reason=reason,
        urgent=urgent,
        domain=domain,
        opened_at=now,
        due_on=after_working_days(local_day(now), promise.working_days(session)),
    )
    session.add(inquiry)
    session.flush()
    clusters.place(session, inquiry, now, contrast)
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
        inquiry.question = f"{inquiry.question or ''}{SUPPLEMENT}{text}"
        clusters.read(inquiry)
        session.add(inquiry)


def waiting_for_asker(session: Session, asker_id: int) -> Inquiry | None:
    """The asker's inquiry that waits for him, the one asked back last; None where none does."""
    return session.exec(
        select(Inquiry)
        .where(Inquiry.asker_id == asker_id, Inquiry.status == InquiryStatus.WAITING)
        .order_by(col(Inquiry.waiting_since).desc())
    ).first()


def answer_back(session: Session, inquiry: Inquiry, text: str, now: datetime) -> None:
    """What the asker was asked for came: the inquiry is a colleague's again, and its due time goes on.

    The days it waited are given back: as many working days are left as were when he was asked.
    """
    add_to(session, inquiry, text)
    since = inquiry.waiting_since or now
    left = working_days_between(local_day(since), inquiry.due_on)
    inquiry.due_on = after_working_days(local_day(now), left) if left else max(inquiry.due_on, local_day(now))
    inquiry.status = InquiryStatus.ASSIGNED
    inquiry.waiting_since = None
    session.add(inquiry)


def take_back(session: Session, inquiry: Inquiry, text: str, now: datetime) -> None:
    """What joined an inquiry was a matter of its own: it is taken out, and the inquiry waits for the asker again.

    An inquiry that a colleague has answered meanwhile stays answered.
    """
    inquiry.question = (inquiry.question or "").replace(f"{SUPPLEMENT}{text}", "", 1)
    clusters.read(inquiry)
    if inquiry.status == InquiryStatus.ASSIGNED:
        inquiry.status, inquiry.waiting_since = InquiryStatus.WAITING, now
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
            OutboxMessage.staff_reply_id == reply.id, col(OutboxMessage.status).in_(UNDELIVERED)
        )
    )
    return rows.first() is None


def reply(
    session: Session,
    number: str,
    author: str,
    text: str,
    now: datetime,
    *,
    closed_as: InquiryStatus = InquiryStatus.ANSWERED,
) -> StaffReply:
    """A colleague answers an inquiry: it closes, and the reply waits in the outbox for the asker.

    `closed_as` is how it closes where the reply is no answer: referred, declined.

    Raises NotFound for an unknown number, InquiryClosed where the inquiry is answered or closed already
    (so that two colleagues cannot both answer), InvalidInput for an empty or overlong text.
    """
    cleaned = _readable(text, "答复")
    inquiry = by_number(session, number)
    _step(session, inquiry, OPEN_STATUSES, closed_as, closed_at=now, waiting_since=None)
    callbacks.forget(session, _id(inquiry.id))
    return _send(session, inquiry, author, ReplyKind.ANSWER, cleaned, now)


def ask_back(session: Session, number: str, author: str, text: str, now: datetime) -> StaffReply:
    """A colleague asks the asker for something: the inquiry waits for him, and its due time rests.

    Raises like `reply`, and InquiryClosed too where the inquiry waits for its asker already.
    """
    cleaned = _readable(text, "反问")
    inquiry = by_number(session, number)
    asked = (InquiryStatus.NEW, InquiryStatus.ASSIGNED)
    _step(session, inquiry, asked, InquiryStatus.WAITING, waiting_since=now)
    return _send(session, inquiry, author, ReplyKind.QUESTION, cleaned, now)


def _readable(text: str, what: str) -> str:
    cleaned = text.strip()
    if not cleaned:
        raise InvalidInput(f"{what}不能为空")
    if len(cleaned) > REPLY_LIMIT:
        raise InvalidInput(f"{what}最多{REPLY_LIMIT}字，现为{len(cleaned)}字")
    return cleaned


def _step(
    session: Session,
    inquiry: Inquiry,
    before: Sequence[InquiryStatus],
    after: InquiryStatus,
    **values: datetime | None,
) -> None:
    """A conditional update, so that of two colleagues at once exactly one takes the step."""
    taken = session.exec(
        update(Inquiry)
        .where(col(Inquiry.id) == inquiry.id, col(Inquiry.status).in_(before))
        .values(status=after, **values)
    )
    if taken.rowcount != 1:
        session.refresh(inquiry)
        why = "正在等提问人补充" if inquiry.status == InquiryStatus.WAITING else "已经办结"
        raise InquiryClosed(f"提问单{inquiry.number}{why}，不能再次{'答复' if closes(after) else '反问'}")
    session.refresh(inquiry)


def closes(status: InquiryStatus) -> bool:
    """Whether a state ends an inquiry."""
    return not status.is_open


def _send(session: Session, inquiry: Inquiry, author: str, kind: ReplyKind, text: str, now: datetime) -> StaffReply:
    written = StaffReply(inquiry_id=_id(inquiry.id), author=author, kind=kind, text=text, written_at=now)
    session.add(written)
    session.flush()
    outbox.enqueue(session, inquiry.asker_id, now, inquiry_id=_id(inquiry.id), staff_reply_id=_id(written.id))
    audit.record(
        session,
        actor=author,
        action=f"inquiry.{inquiry.status}",
        subject=f"inquiry {inquiry.number}",
        before=None,
        after={"status": inquiry.status, "reply": written.id},
        now=now,
    )
    return written


def reopen(session: Session, inquiry: Inquiry, now: datetime) -> None:
    """没解决 after a colleague's reply: the inquiry is assigned again, with a new due day.

    Saying it again, of an inquiry that is open, changes nothing.
    """
    if InquiryStatus(inquiry.status).is_open:
        return
    inquiry.status = InquiryStatus.ASSIGNED
    inquiry.closed_at = None
    inquiry.due_on = after_working_days(local_day(now), promise.working_days(session))
    session.add(inquiry)


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
