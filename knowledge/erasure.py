"""Erasing a person: what could tell who they are or what they wrote goes; days and counts stay."""

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from knowledge.errors import NotFound
from knowledge.models import (
    Asker,
    CallbackNumber,
    Conversation,
    Inquiry,
    InquiryNote,
    Message,
    OutboxMessage,
    StaffReply,
)
from knowledge.models.outbox import UNDELIVERED


def erase(session: Session, asker: Asker) -> None:
    """Delete the asker's address and scene, call-back numbers, the texts of messages, replies, notices,
    inquiries and internal notes, and what was not delivered yet.

    WeChat requires it when a user unfollows (wechat.md §2, Wechat_Accreditation_Event_Push). Day, decision,
    entry version and counts stay, so that reports remain right.
    """
    inquiries = select(Inquiry.id).where(col(Inquiry.asker_id) == asker.id)
    of_asker = col(OutboxMessage.asker_id) == asker.id
    session.exec(delete(CallbackNumber).where(col(CallbackNumber.inquiry_id).in_(inquiries)))
    session.exec(delete(OutboxMessage).where(of_asker, col(OutboxMessage.status).in_(UNDELIVERED)))
    # A notice that was delivered keeps its row, for the count, without its text.
    session.exec(update(OutboxMessage).where(of_asker, col(OutboxMessage.text).is_not(None)).values(text=""))
    session.exec(update(StaffReply).where(col(StaffReply.inquiry_id).in_(inquiries)).values(text=None))
    session.exec(delete(InquiryNote).where(col(InquiryNote.inquiry_id).in_(inquiries)))
    session.exec(update(Inquiry).where(col(Inquiry.asker_id) == asker.id).values(question=None, normal="", likeness=""))
    session.exec(update(Message).where(col(Message.asker_id) == asker.id).values(text=None, reply=None))
    session.exec(delete(Conversation).where(col(Conversation.asker_id) == asker.id))
    asker.address = None
    asker.scene = None
    session.add(asker)
    session.flush()


def asker_at(session: Session, channel: str, address: str) -> Asker:
    """The asker with a channel's address; NotFound where there is none (or they were erased already)."""
    asker = session.exec(select(Asker).where(Asker.channel == channel, Asker.address == address)).first()
    if asker is None:
        raise NotFound("没有这个提问人，或已经清除")
    return asker
