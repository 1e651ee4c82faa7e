"""Retention (保存期限): texts older than the period set are erased; days, decisions and counts stay."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, update
from sqlmodel import Session, col, select

from knowledge import erasure
from knowledge.models import Asker, CallbackNumber, Inquiry, InquiryNote, Message, OutboxMessage, StaffReply
from knowledge.models.inquiries import OPEN_STATUSES
from knowledge.models.outbox import UNDELIVERED

# Rows per unit of work, so that nobody's message waits long for the clean-up.
BATCH = 500


def clean_up(session: Session, now: datetime, days: int) -> int:
    """Erase one batch of what is older than `days` (0: nothing ever is); gives how many rows changed.

    Texts of messages and their replies; inquiries closed so long ago, with what colleagues wrote; askers who
    have not written since and wait for nothing. Call-back numbers of closed inquiries go at once, whatever
    the period. Personal data is kept no longer than needed: 个人信息保护法 第十九条、第四十七条.
    """
    changed = _forget_numbers(session)
    if days <= 0:
        return changed
    before = now - timedelta(days=days)
    return changed + _messages(session, before) + _inquiries(session, before) + _askers(session, before)


def _forget_numbers(session: Session) -> int:
    """Closing deletes a number; this is for steps that forget to."""
    closed = select(Inquiry.id).where(col(Inquiry.status).not_in(OPEN_STATUSES))
    return session.exec(delete(CallbackNumber).where(col(CallbackNumber.inquiry_id).in_(closed))).rowcount


def _messages(session: Session, before: datetime) -> int:
    old = (
        select(Message.id)
        .where(
            col(Message.received_at) < before,
            or_(col(Message.text).is_not(None), col(Message.reply).is_not(None)),
            # What belongs to an open inquiry is still needed to answer it.
            or_(
                col(Message.inquiry_id).is_(None),
                col(Message.inquiry_id).not_in(select(Inquiry.id).where(col(Inquiry.status).in_(OPEN_STATUSES))),
            ),
        )
        .limit(BATCH)
    )
    return session.exec(update(Message).where(col(Message.id).in_(old)).values(text=None, reply=None)).rowcount


def _inquiries(session: Session, before: datetime) -> int:
    old = list(
        session.exec(
            select(Inquiry.id)
            .where(
                col(Inquiry.closed_at) < before,
                col(Inquiry.question).is_not(None),
                ~exists().where(
                    col(OutboxMessage.inquiry_id) == Inquiry.id, col(OutboxMessage.status).in_(UNDELIVERED)
                ),
            )
            .limit(BATCH)
        )
    )
    session.exec(update(StaffReply).where(col(StaffReply.inquiry_id).in_(old)).values(text=None))
    session.exec(delete(InquiryNote).where(col(InquiryNote.inquiry_id).in_(old)))
    # What an inquiry is searched and compared by is the asker's words too.
    emptied = update(Inquiry).where(col(Inquiry.id).in_(old)).values(question=None, normal="", likeness="")
    return session.exec(emptied).rowcount


def _askers(session: Session, before: datetime) -> int:
    gone = session.exec(
        select(Asker)
        .where(
            col(Asker.address).is_not(None),
            col(Asker.created_at) < before,
            ~exists().where(col(Message.asker_id) == Asker.id, col(Message.received_at) >= before),
            ~exists().where(col(Inquiry.asker_id) == Asker.id, col(Inquiry.status).in_(OPEN_STATUSES)),
            ~exists().where(col(OutboxMessage.asker_id) == Asker.id, col(OutboxMessage.status).in_(UNDELIVERED)),
        )
        .limit(BATCH)
    ).all()
    for asker in gone:
        erasure.erase(session, asker)
    return len(gone)
