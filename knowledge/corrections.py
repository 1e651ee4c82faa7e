"""更正: tell everybody who received a wrong version of an entry what is right, once, after a second pair of eyes.

Who confirms decides; putting it into the outbox of each asker is a job (see `jobs`), for there may be very many.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from knowledge import audit, curation, jobs, outbox, receivers
from knowledge.database import Database
from knowledge.errors import DraftMoved, InvalidInput, NotFound
from knowledge.inquiries import REPLY_LIMIT
from knowledge.masking import shortened
from knowledge.models import (
    Asker,
    Correction,
    CorrectionStatus,
    EntryVersion,
    FaqEntry,
    Job,
    JobKind,
    JobStatus,
    OutboxMessage,
    OutboxStatus,
    StaffMember,
)

_PORTION = 500  # askers in one unit of work: everybody else's message waits while it lasts


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
    _, reachable = receivers.count(session, entry_id, version_ids, since)
    if not reachable:
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
    """Confirm a correction: from now on nothing of it changes, and a job puts it on its way to each who is concerned.

    InvalidInput for whoever wrote at it; DraftMoved where it was sent or withdrawn meanwhile.
    """
    correction = by_id(session, correction_id)
    if confirmed_by.name in correction.authors:
        raise InvalidInput("起草人不能确认自己写的更正，请由另一名审核人员确认")
    _take(session, correction, CorrectionStatus.SENT)
    titles = curation.titles_of(session, [correction.entry_id])
    correction.title = titles.get(correction.entry_id)
    correction.sent_by, correction.sent_at = confirmed_by.name, now
    session.add(correction)
    session.flush()
    jobs.request(session, JobKind.CORRECTION, _subject(_id(correction)), confirmed_by.name, now)
    _record(session, correction, "send", confirmed_by.name, None, {"status": correction.status}, now)
    return correction


def job_of(session: Session, correction: Correction) -> Job | None:
    """The job that puts a confirmed correction on its way; None before, and for those sent before there were jobs."""
    return jobs.newest(session, JobKind.CORRECTION, _subject(_id(correction)))


def resume(session: Session, correction_id: int, actor: str, now: datetime) -> Correction:
    """Go on with a confirmed correction whose job was given up; whoever has it already does not get it again.

    DraftMoved where no such job was given up.
    """
    correction = by_id(session, correction_id)
    job = job_of(session, correction)
    if job is None or job.status != JobStatus.FAILED:
        raise DraftMoved("这件更正没有中断，不需要继续发送")
    jobs.request(session, JobKind.CORRECTION, _subject(_id(correction)), actor, now)
    _record(session, correction, "resume", actor, None, {"recipients": correction.recipients}, now)
    return correction


def run(database: Database, job: Job, now: Callable[[], datetime]) -> None:
    """Put the correction that a claimed job is about on its way to each who had been given a wrong text by then.

    Each portion is counted and its progress told in the unit of work that writes it, so that a worker that takes the
    job over after a kill does what is left and nothing twice.
    """
    with database.reading() as session:
        correction = by_id(session, int(job.subject.split()[1]))
        assert correction.sent_at is not None, "a job is asked for with the confirmation"
        sent_at, correction_id = correction.sent_at, _id(correction)
        concerned = (correction.entry_id, correction.version_ids, correction.since, sent_at)
        everyone, _ = receivers.count(session, *concerned)
        asker_ids = receivers.reachable(session, *concerned)
    for start in range(0, len(asker_ids), _PORTION):
        began = time.monotonic()
        with database.writing() as session:
            if not jobs.progress(session, job, "放入发件箱", start, len(asker_ids), now()):
                return
            added = outbox.enqueue_correction(session, correction_id, asker_ids[start : start + _PORTION], sent_at)
            _count(session, correction_id, recipients=col(Correction.recipients) + added)
        if database.is_sqlite:
            # Its file has one writer at a time and no queue: without a pause nobody else would have a turn.
            time.sleep(time.monotonic() - began)
    with database.writing() as session:
        if jobs.finish(session, job, {}, now()):
            _count(session, correction_id, unreachable=everyone - col(Correction.recipients))


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


def _subject(correction_id: int) -> str:
    return f"correction {correction_id}"


def _count(session: Session, correction_id: int, **values: Any) -> None:  # Any: sums over the row's own columns
    session.exec(update(Correction).where(col(Correction.id) == correction_id).values(**values))


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
