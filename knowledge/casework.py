"""What colleagues do with inquiries: assign, note, answer several together, refer, decline, merge, set apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from knowledge import audit, callbacks, clusters, inquiries, texts, tuning
from knowledge.content.entries import REFERRALS
from knowledge.curation import EntryText
from knowledge.errors import InquiryClosed, InvalidInput, NotFound
from knowledge.models import Asker, Inquiry, InquiryNote, InquiryStatus, StaffMember
from knowledge.models.inquiries import OPEN_STATUSES

NOTE_LIMIT = 1000  # characters


@dataclass(frozen=True, slots=True)
class Told:
    """To whom a reply went, and whose inquiry was closed by a colleague meanwhile; by inquiry number."""

    answered: tuple[str, ...]
    too_late: tuple[str, ...]


def referral_text(session: Session, hotline: str) -> str:
    """What an asker is told when his matter is another office's; a colleague may reword it before it goes."""
    office = REFERRALS.get(hotline)
    if office is None:
        raise InvalidInput(f"没有{hotline}这个转介热线")
    return texts.fill(texts.by_key(session, "staff_referral").text, {"热线": hotline, "部门": office})


def refusal_text(session: Session) -> str:
    """What an asker is told whose matter is not ours at all; a colleague may reword it before it goes."""
    return texts.fill(texts.by_key(session, "staff_refusal").text, {})


def assign(session: Session, number: str, member: StaffMember | None, actor: str, now: datetime) -> Inquiry:
    """Give an open inquiry to a colleague, or back to nobody; one that waits for its asker goes on waiting."""
    inquiry = _open(session, number)
    if member is not None and not member.is_active:
        raise InvalidInput(f"{member.name}已停用，不能指派")
    before = {"assignee": _name(session, inquiry.assignee_id), "status": inquiry.status}
    inquiry.assignee_id = member.id if member else None
    if inquiry.status != InquiryStatus.WAITING:
        inquiry.status = InquiryStatus.ASSIGNED if member else InquiryStatus.NEW
    session.add(inquiry)
    after = {"assignee": member.name if member else None, "status": inquiry.status}
    if after != before:
        _record(session, inquiry, "assign", actor, before, after, now)
    return inquiry


def mark_urgent(session: Session, number: str, *, urgent: bool, actor: str, now: datetime) -> Inquiry:
    """Put an open inquiry before all others, or back among them."""
    inquiry = _open(session, number)
    if inquiry.urgent != urgent:
        _record(session, inquiry, "urgent", actor, {"urgent": inquiry.urgent}, {"urgent": urgent}, now)
        inquiry.urgent = urgent
        session.add(inquiry)
    return inquiry


def note(session: Session, number: str, author: str, text: str, now: datetime) -> InquiryNote:
    """Leave an internal note, on a closed inquiry too. The asker never reads it."""
    cleaned = text.strip()
    if not 0 < len(cleaned) <= NOTE_LIMIT:
        raise InvalidInput(f"备注应为1至{NOTE_LIMIT}字，现为{len(cleaned)}字")
    inquiry = inquiries.by_number(session, number)
    written = InquiryNote(inquiry_id=_id(inquiry), author=author, text=cleaned, written_at=now)
    session.add(written)
    session.flush()
    # A note may quote the asker, so the log has its number only.
    _record(session, inquiry, "note", author, None, {"note": written.id}, now)
    return written


def notes_on(session: Session, inquiry: Inquiry) -> list[InquiryNote]:
    """The internal notes, oldest first."""
    rows = session.exec(select(InquiryNote).where(InquiryNote.inquiry_id == inquiry.id).order_by(col(InquiryNote.id)))
    return list(rows.all())


def has_callback(session: Session, inquiry: Inquiry) -> bool:
    """Whether the asker left a number to be called back at."""
    return callbacks.number_for(session, _id(inquiry)) is not None


def reveal_callback(session: Session, number: str, actor: str, now: datetime) -> str:
    """The number to call the asker back at, and a record that it was seen; NotFound where none was left."""
    inquiry = inquiries.by_number(session, number)
    left = callbacks.number_for(session, _id(inquiry))
    if left is None:
        raise NotFound("提问人没有留下回拨号码，或提问单已经办结、号码已删除")
    _record(session, inquiry, "callback", actor, None, {"seen": True}, now)
    return left


def shortened_asker(session: Session, inquiry: Inquiry) -> str:
    """The channel's name for the asker, shortened so that it tells two apart and nothing more; empty once erased."""
    address = _asker(session, inquiry).address or ""
    return f"{address[:4]}…{address[-4:]}" if len(address) > 12 else ("…" if address else "")


def reveal_asker(session: Session, number: str, actor: str, now: datetime) -> str:
    """The channel's whole name for the asker, and a record that it was seen; NotFound where it was erased."""
    inquiry = inquiries.by_number(session, number)
    address = _asker(session, inquiry).address
    if address is None:
        raise NotFound("提问人的资料已经清除")
    _record(session, inquiry, "asker", actor, None, {"seen": True}, now)
    return address


def tell(
    session: Session,
    numbers: Iterable[str],
    text: str,
    author: str,
    now: datetime,
    *,
    closed_as: InquiryStatus = InquiryStatus.ANSWERED,
    entry: EntryText | None = None,
) -> Told:
    """Send one text to the askers of several inquiries, closing each; `entry` is whose text it is, if one's.

    An inquiry that a colleague closed meanwhile is left alone and named. InvalidInput for an unfit text, for no
    inquiry, or where the same asker's second inquiry would bring him the text twice: that one is merged instead.
    With `entry_id` the questions are confirmed to have meant that entry: evidence for `evaluate --from-log` and `fit`.
    """
    chosen = list(dict.fromkeys(numbers))
    if not chosen:
        raise InvalidInput("请至少选择一名提问人")
    answered: list[str] = []
    too_late: list[str] = []
    served: dict[int, Inquiry] = {}
    for number in chosen:
        inquiry = inquiries.by_number(session, number)
        if inquiry.asker_id in served and InquiryStatus(inquiry.status).is_open:
            merge(session, number, served[inquiry.asker_id].number, author, now)
            answered.append(number)
            continue
        try:
            written = inquiries.reply(session, number, author, text, now, closed_as=closed_as)
        except InquiryClosed:
            too_late.append(number)
            continue
        session.refresh(inquiry)
        if entry is not None:
            inquiry.entry_id, written.entry_version_id = entry.id, entry.version_id
            session.add_all([inquiry, written])
            _learn(session, inquiry, entry.id, author, now)
        served[inquiry.asker_id] = inquiry
        answered.append(number)
    return Told(tuple(answered), tuple(too_late))


def merge(session: Session, number: str, into: str, actor: str, now: datetime) -> Inquiry:
    """Close an inquiry into another one of the same asker, whose reply then answers both.

    InvalidInput where they are not one asker's, or the same; InquiryClosed where the first is closed already.
    """
    inquiry, target = inquiries.by_number(session, number), inquiries.by_number(session, into)
    if inquiry.id == target.id:
        raise InvalidInput("不能并入自己")
    if inquiry.asker_id != target.asker_id:
        raise InvalidInput("只能并入同一提问人的提问单；不同提问人的同类问题可以一并答复")
    claimed = session.exec(
        update(Inquiry)
        .where(col(Inquiry.id) == inquiry.id, col(Inquiry.status).in_(OPEN_STATUSES))
        .values(status=InquiryStatus.MERGED, closed_at=now, waiting_since=None, merged_into_id=target.id)
    )
    if claimed.rowcount != 1:
        raise InquiryClosed(f"提问单{inquiry.number}已经办结")
    session.refresh(inquiry)
    callbacks.forget(session, _id(inquiry))
    if InquiryStatus(target.status).is_open:
        inquiries.add_to(session, target, inquiry.question or "")
    _record(session, inquiry, "merge", actor, None, {"into": target.number}, now)
    return target


def separate(session: Session, number: str, actor: str, now: datetime) -> Inquiry:
    """Take an inquiry out of its cluster: it asks something else."""
    inquiry = inquiries.by_number(session, number)
    before = {"cluster": inquiry.cluster_id}
    clusters.separate(session, inquiry, now)
    _record(session, inquiry, "separate", actor, before, {"cluster": inquiry.cluster_id}, now)
    return inquiry


def _learn(session: Session, inquiry: Inquiry, entry_id: str, author: str, now: datetime) -> None:
    """Confirm what the inquiry was opened with; what the asker added later is no question by itself."""
    asked = next((one for one in inquiries.messages_of(session, inquiry) if one.kind == "question"), None)
    if asked is not None and asked.id is not None:
        tuning.confirm(session, asked.id, entry_id, author, now)


def _open(session: Session, number: str) -> Inquiry:
    inquiry = inquiries.by_number(session, number)
    if not InquiryStatus(inquiry.status).is_open:
        raise InquiryClosed(f"提问单{inquiry.number}已经办结")
    return inquiry


def _name(session: Session, member_id: int | None) -> str | None:
    member = session.get(StaffMember, member_id) if member_id else None
    return member.name if member else None


def _id(inquiry: Inquiry) -> int:
    assert inquiry.id is not None, "a row that was read has its id"
    return inquiry.id


def _asker(session: Session, inquiry: Inquiry) -> Asker:
    asker = session.get(Asker, inquiry.asker_id)
    assert asker is not None, "an inquiry's asker is never deleted, only emptied"
    return asker


def _record(
    session: Session,
    inquiry: Inquiry,
    action: str,
    actor: str,
    before: Mapping[str, object] | None,
    after: Mapping[str, object],
    now: datetime,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"inquiry.{action}",
        subject=f"inquiry {inquiry.number}",
        before=before,
        after=after,
        now=now,
    )
