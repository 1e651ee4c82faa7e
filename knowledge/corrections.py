"""更正: tell everybody who received a wrong version of an entry what is right, once, after a second pair of eyes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from knowledge import audit, curation, outbox, receivers
from knowledge.errors import DraftMoved, InvalidInput, NotFound
from knowledge.inquiries import REPLY_LIMIT
from knowledge.masking import shortened
from knowledge.models import (
    Asker,
    Correction,
    CorrectionStatus,
    EntryVersion,
    FaqEntry,
    OutboxMessage,
    OutboxStatus,
    StaffMember,
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a correction stands with one asker: a shortened name (None: erased since), the outbox's state, when it
    arrived, and the message whose reply brought it (None: pushed, or not there yet)."""

    name: str | None
    status: str
    delivered_at: datetime | None
    by_message_id: int | None


def prefilled(entry: curation.EntryText) -> str:
    """What a correction's text begins with: the entry as it reads now, headed 更正."""
    return f"更正：我们此前关于“{entry.title}”的答复有变动，请以下面的内容为准。\n\n{curation.as_reply(entry)}"


def propose(
    session: Session,
    entry_id: str,
    numbers: Sequence[int],
    since: datetime | None,
    text: str,
    actor: str,
    now: datetime,
) -> Correction:
    """Write a correction for who received the versions with these numbers; nobody is told before it is confirmed.

    NotFound for an unknown entry; InvalidInput for no version, a text that is empty or too long, or where nobody
    who can be reached received one of the versions.
    """
    entry = session.get(FaqEntry, entry_id)
    if entry is None:
        raise NotFound(f"没有条目 {entry_id}")
    versions = session.exec(
        select(EntryVersion.id)
        .where(EntryVersion.entry_id == entry_id, col(EntryVersion.number).in_(list(numbers)))
        .order_by(col(EntryVersion.number))
    )
    version_ids = [one for one in versions if one is not None]
    if not version_ids:
        raise InvalidInput("请先勾选要更正的版本")
    cleaned = _readable(text)
    if not receivers.reachable(session, entry_id, version_ids, since):
        raise InvalidInput("没有能联系上的提问人收到过所选的版本，不需要更正")
    correction = Correction(
        entry_id=entry_id, version_ids=version_ids, since=since, text=cleaned, authors=[actor], created_at=now
    )
    session.add(correction)
    session.flush()
    _record(session, correction, "propose", actor, None, {"text": cleaned, "versions": list(numbers)}, now)
    return correction


def reword(session: Session, correction_id: int, text: str, actor: str, now: datetime) -> Correction:
    """Give a correction that is not sent yet another text; whoever does has written at it."""
    correction = by_id(session, correction_id)
    _must_be_proposed(correction)
    cleaned, before = _readable(text), correction.text
    if cleaned != before:
        correction.text = cleaned
        correction.authors = list(dict.fromkeys((*correction.authors, actor)))
        session.add(correction)
        _record(session, correction, "reword", actor, {"text": before}, {"text": cleaned}, now)
    return correction


def withdraw(session: Session, correction_id: int, actor: str, now: datetime) -> None:
    """Give a correction up; only while it is not sent."""
    _take(session, by_id(session, correction_id), CorrectionStatus.WITHDRAWN)
    _record(session, by_id(session, correction_id), "withdraw", actor, None, {"status": "withdrawn"}, now)


def send(session: Session, correction_id: int, confirmed_by: StaffMember, now: datetime) -> Correction:
    """Confirm a correction: it goes into the outbox for each asker concerned and reachable now, once.

    InvalidInput for whoever wrote at it; DraftMoved where it was sent or withdrawn meanwhile. The text is stored once
    and referred to, so that thousands of rows take a moment (5,000: see the benchmark in tests).
    """
    correction = by_id(session, correction_id)
    if confirmed_by.name in correction.authors:
        raise InvalidInput("起草人不能确认自己写的更正，请由另一名审核人员确认")
    _take(session, correction, CorrectionStatus.SENT)
    concerned = (correction.entry_id, correction.version_ids, correction.since)
    asker_ids = receivers.reachable(session, *concerned)
    titles = curation.titles_of(session, [correction.entry_id])
    correction.title = titles.get(correction.entry_id)
    correction.sent_by, correction.sent_at = confirmed_by.name, now
    correction.recipients = len(asker_ids)
    correction.unreachable = receivers.count(session, *concerned) - len(asker_ids)
    session.add(correction)
    session.flush()
    outbox.enqueue_correction(session, _id(correction), asker_ids, now)
    after = {"recipients": correction.recipients, "unreachable": correction.unreachable}
    _record(session, correction, "send", confirmed_by.name, None, after, now)
    return correction


def by_id(session: Session, correction_id: int) -> Correction:
    """The correction with an id; NotFound where there is none."""
    correction = session.get(Correction, correction_id)
    if correction is None:
        raise NotFound("没有这件更正")
    return correction


def listed(session: Session, limit: int, offset: int = 0, *, entry_id: str = "") -> list[tuple[Correction, str]]:
    """Corrections, newest first, each with its entry's title; of one entry, if named."""
    statement = select(Correction, FaqEntry.title).join(FaqEntry, col(FaqEntry.id) == Correction.entry_id)
    if entry_id:
        statement = statement.where(Correction.entry_id == entry_id)
    return list(session.exec(statement.order_by(col(Correction.id).desc()).limit(limit).offset(offset)).all())


def count_proposed(session: Session) -> int:
    """How many corrections wait for somebody to confirm them."""
    query = select(func.count()).select_from(Correction).where(Correction.status == CorrectionStatus.PROPOSED)
    return session.exec(query).one()


def version_numbers(session: Session, correction: Correction) -> list[int]:
    """The numbers of the versions it corrects, ascending."""
    rows = session.exec(select(EntryVersion.number).where(col(EntryVersion.id).in_(correction.version_ids)))
    return sorted(rows)


def reached(session: Session, correction: Correction) -> dict[str, int]:
    """How many of its outbox rows stand how; whoever was erased before it arrived has none any more."""
    rows = session.exec(
        select(OutboxMessage.status, func.count())
        .where(OutboxMessage.correction_id == correction.id)
        .group_by(col(OutboxMessage.status))
    )
    return {str(OutboxStatus(status)): number for status, number in rows}


def deliveries(session: Session, correction: Correction, limit: int, offset: int = 0) -> list[Delivery]:
    """Whom it is to reach and how it stands with each."""
    columns: Any = select  # SQLModel's overloads end at four columns
    rows = session.exec(
        columns(Asker.address, OutboxMessage.status, OutboxMessage.delivered_at, OutboxMessage.delivered_by_message_id)
        .join(Asker, col(Asker.id) == OutboxMessage.asker_id)
        .where(OutboxMessage.correction_id == correction.id)
        .order_by(col(OutboxMessage.id))
        .limit(limit)
        .offset(offset)
    )
    return [Delivery(shortened(address) if address else None, *rest) for address, *rest in rows]


def _readable(text: str) -> str:
    cleaned = text.replace("\r\n", "\n").strip()
    if not cleaned:
        raise InvalidInput("更正不能为空")
    if len(cleaned) > REPLY_LIMIT:
        raise InvalidInput(f"更正最多{REPLY_LIMIT}字，现为{len(cleaned)}字")
    return cleaned


def _take(session: Session, correction: Correction, after: CorrectionStatus) -> None:
    """A conditional update, so that of two colleagues at once exactly one takes the step."""
    taken = session.exec(
        update(Correction)
        .where(col(Correction.id) == correction.id, col(Correction.status) == CorrectionStatus.PROPOSED)
        .values(status=after)
    )
    session.refresh(correction)
    if taken.rowcount != 1:
        _must_be_proposed(correction)


def _must_be_proposed(correction: Correction) -> None:
    if correction.status != CorrectionStatus.PROPOSED:
        state = "已经发出" if correction.status == CorrectionStatus.SENT else "已经撤回"
        raise DraftMoved(f"这件更正{state}，不能再改")


def _record(
    session: Session,
    correction: Correction,
    action: str,
    actor: str,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    now: datetime,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"correction.{action}",
        subject=f"entry {correction.entry_id} correction {correction.id}",
        before=before,
        after=after,
        now=now,
    )


def _id(correction: Correction) -> int:
    assert correction.id is not None, "a row that was flushed or read has its id"
    return correction.id
