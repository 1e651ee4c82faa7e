"""Replay (回放): what a past message was answered, by which texts and numbers; and finding such messages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from knowledge import curation, tuning
from knowledge.errors import NotFound
from knowledge.masking import shortened
from knowledge.matching.weights import Weights
from knowledge.models import (
    Asker,
    ContentVersion,
    Correction,
    EntryVersion,
    FaqEntry,
    Feedback,
    FurtherAnswer,
    Inquiry,
    Message,
    OutboxMessage,
    StaffReply,
)
from knowledge.statutes.citation import Cited

AROUND = 4  # messages of the same asker shown before and after


@dataclass(frozen=True, slots=True)
class Given:
    """An entry's text as one version has it; `newest` is the number of the entry's newest version now."""

    entry_id: str
    title: str
    version: EntryVersion
    citations: tuple[Cited, ...]
    newest: int


@dataclass(frozen=True, slots=True)
class Brought:
    """What waited for the asker and went out with the reply: a colleague's text, a correction, or another notice."""

    inquiry_number: str | None
    author: str | None
    correction_id: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One past message with everything that is known of its answer.

    `asker` is a shortened name, None where the person was erased. `given` are the entries' texts in the order of
    the reply. `weights` are the numbers that decided, None where they were not kept (before this was recorded) or
    are for other evidence. `corrected` are the corrections of these versions that this asker was sent, with the
    outbox's state. `around` are the asker's messages shortly before and after, oldest first.
    """

    message: Message
    asker: str | None
    given: tuple[Given, ...]
    brought: tuple[Brought, ...]
    titles: dict[str, str]
    weights: Weights | None
    content: ContentVersion | None
    inquiry: Inquiry | None
    feedback: Feedback | None
    corrected: tuple[tuple[Correction, str], ...]
    around: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for among messages: part of the text, an entry that was given, a decision, days."""

    words: str = ""
    entry_id: str = ""
    decision: str = ""
    since: datetime | None = None
    until: datetime | None = None


def of_message(session: Session, message_id: int) -> Replayed:
    """The message with an id, replayed; NotFound where there is none."""
    message = session.get(Message, message_id)
    if message is None:
        raise NotFound("没有这条来信")
    asker = session.get_one(Asker, message.asker_id)
    given = _given(session, message)
    return Replayed(
        message=message,
        asker=shortened(asker.address) if asker.address else None,
        given=given,
        brought=_brought(session, message),
        titles=_titles(session, [str(one["id"]) for one in message.candidates]),
        weights=tuning.used(session, message.weights_digest) if message.weights_digest else None,
        content=session.get(ContentVersion, message.content_version) if message.content_version else None,
        inquiry=session.get(Inquiry, message.inquiry_id) if message.inquiry_id else None,
        feedback=session.exec(select(Feedback).where(Feedback.message_id == message.id)).first(),
        corrected=_corrected(session, message, {one.version.id for one in given}),
        around=_around(session, message),
    )


def find(session: Session, sought: Sought, limit: int, offset: int) -> list[tuple[Message, str | None]]:
    """Messages as sought, newest first, each with the title of the entry it was given."""
    statement = select(Message, FaqEntry.title).outerjoin(FaqEntry, col(FaqEntry.id) == Message.entry_id)
    rows = session.exec(
        statement.where(*_conditions(sought)).order_by(col(Message.received_at).desc(), col(Message.id).desc())
        .limit(limit)
        .offset(offset)
    )  # fmt: skip
    return list(rows.all())


def _conditions(sought: Sought) -> list[Any]:
    # Any: SQLAlchemy's condition types differ by column and are only handed on.
    conditions: list[Any] = [Message.kind != "event"]
    if sought.since:
        conditions.append(col(Message.received_at) >= sought.since)
    if sought.until:
        conditions.append(col(Message.received_at) < sought.until)
    if sought.words:
        conditions.append(col(Message.text).contains(sought.words, autoescape=True))
    if sought.decision:
        conditions.append(Message.decision == sought.decision)
    if sought.entry_id:
        further = select(FurtherAnswer.message_id).where(FurtherAnswer.entry_id == sought.entry_id)
        conditions.append(or_(col(Message.entry_id) == sought.entry_id, col(Message.id).in_(further)))
    return conditions


def _given(session: Session, message: Message) -> tuple[Given, ...]:
    versions = [message.entry_version_id] if message.entry_version_id else []
    versions += session.exec(
        select(FurtherAnswer.entry_version_id)
        .where(FurtherAnswer.message_id == message.id)
        .order_by(col(FurtherAnswer.position))
    ).all()
    return tuple(_version(session, one) for one in versions)


def _version(session: Session, version_id: int) -> Given:
    version = session.get_one(EntryVersion, version_id)
    newest = session.exec(select(func.max(EntryVersion.number)).where(EntryVersion.entry_id == version.entry_id)).one()
    return Given(
        entry_id=version.entry_id,
        title=session.get_one(FaqEntry, version.entry_id).title,
        version=version,
        citations=curation.citations_of(session, version_id),
        newest=newest or version.number,
    )


def _brought(session: Session, message: Message) -> tuple[Brought, ...]:
    rows = session.exec(
        select(OutboxMessage, StaffReply, Inquiry.number, Correction.text)
        .outerjoin(Correction, col(Correction.id) == OutboxMessage.correction_id)
        .outerjoin(StaffReply, col(StaffReply.id) == OutboxMessage.staff_reply_id)
        .outerjoin(Inquiry, col(Inquiry.id) == OutboxMessage.inquiry_id)
        .where(OutboxMessage.delivered_by_message_id == message.id)
        .order_by(col(OutboxMessage.id))
    ).all()
    return tuple(
        Brought(
            number,
            written.author if written else None,
            row.correction_id,
            (written.text if written else corrected or row.text) or None,
        )
        for row, written, number, corrected in rows
    )


def _corrected(session: Session, message: Message, version_ids: set[int | None]) -> tuple[tuple[Correction, str], ...]:
    rows = session.exec(
        select(Correction, OutboxMessage.status)
        .join(OutboxMessage, col(OutboxMessage.correction_id) == Correction.id)
        .where(OutboxMessage.asker_id == message.asker_id)
        .order_by(col(Correction.id))
    )
    return tuple((one, status) for one, status in rows if version_ids.intersection(one.version_ids))


def _titles(session: Session, entry_ids: list[str]) -> dict[str, str]:
    """Of archived entries too: they were candidates then."""
    return dict(session.exec(select(FaqEntry.id, FaqEntry.title).where(col(FaqEntry.id).in_(entry_ids))).all())


def _around(session: Session, message: Message) -> tuple[Message, ...]:
    own = select(Message).where(Message.asker_id == message.asker_id, Message.kind != "event")
    before = session.exec(own.where(col(Message.id) < message.id).order_by(col(Message.id).desc()).limit(AROUND)).all()
    after = session.exec(own.where(col(Message.id) > message.id).order_by(col(Message.id)).limit(AROUND)).all()
    return (*reversed(before), message, *after)
