"""签署: the reading list for lawyers, the signature, and what is done with an entry whose sign-off has lapsed."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from knowledge import audit, curation, site_settings
from knowledge.errors import DraftMoved, InvalidInput
from knowledge.models import DraftStatus, EntryDraft, EntryStatus, FaqEntry, Role, StaffMember
from knowledge.statutes import sign_offs
from knowledge.working_days import local_day

SUBJECT = "lapsed_sign_offs"


class Lapsed(StrEnum):
    """An entry whose sign-off has lapsed is offered with a notice, or withheld: the asker then gets an inquiry."""

    NOTICE = "notice"
    WITHHELD = "withheld"


LAPSED_NAMES = {Lapsed.NOTICE: "照常答复，附一句提示", Lapsed.WITHHELD: "暂不直接答复，转人工"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What is set, and the number of the setting it was read at."""

    lapsed: Lapsed
    number: int


def rule(session: Session) -> Rule:
    """What is done with lapsed sign-offs; a notice where nobody has set anything."""
    kept = site_settings.load(session, SUBJECT)
    return Rule(Lapsed(kept.data.get("lapsed", Lapsed.NOTICE)), kept.number)


def set_rule(session: Session, lapsed: str, against: int, actor: str, now: datetime) -> None:
    """Set it, from the next message on; InvalidInput for no such rule, SettingMoved where a colleague was first."""
    if lapsed not in tuple(Lapsed):
        raise InvalidInput("请选择签署失效后怎样处理")
    before = rule(session)
    site_settings.save(
        session,
        SUBJECT,
        {"lapsed": lapsed},
        against=against,
        actor=actor,
        now=now,
        before={"lapsed": LAPSED_NAMES[before.lapsed]},
        after={"lapsed": LAPSED_NAMES[Lapsed(lapsed)]},
    )
    # Running servers keep what they may answer with the content's version.
    curation.publish_content(session, now, f"lapsed sign-offs: {lapsed}")


def withheld(session: Session, on: date) -> frozenset[str]:
    """Ids of the published entries that are not to be given on a day because their sign-off has lapsed."""
    if rule(session).lapsed is Lapsed.NOTICE:
        return frozenset()
    return frozenset(session.exec(select(FaqEntry.id).where(_PUBLISHED, has_lapsed(on))))


def has_lapsed(on: date) -> ColumnElement[bool]:
    """The condition that an entry was signed, and an article it was signed on is another by a day."""
    return and_(col(FaqEntry.signed_off_by).is_not(None), col(FaqEntry.sign_off_lapses_on) <= on)


def is_unsigned(on: date) -> ColumnElement[bool]:
    """The condition that no sign-off holds for an entry on a day: there never was one, or it has lapsed."""
    return or_(col(FaqEntry.signed_off_by).is_(None), has_lapsed(on))


def to_sign(session: Session, today: date, after: str = "", *, is_past_lapsed: bool = False) -> FaqEntry | None:
    """The published entry to be signed next: lapsed ones first, then those never signed, each by id.

    `after` names the one just seen, `is_past_lapsed` says that it was no lapsed one; behind the last the list
    begins anew. None where every entry is signed.
    """
    lapsed = select(FaqEntry).where(_PUBLISHED, has_lapsed(today)).order_by(col(FaqEntry.id))
    never = select(FaqEntry).where(_PUBLISHED, col(FaqEntry.signed_off_by).is_(None)).order_by(col(FaqEntry.id))
    wanted: list[Any] = [lapsed, never] if not after else []
    if after and is_past_lapsed:
        wanted = [never.where(col(FaqEntry.id) > after), lapsed, never]
    elif after:
        wanted = [lapsed.where(col(FaqEntry.id) > after), never, lapsed]
    return next((found for one in wanted if (found := session.exec(one.limit(1)).first()) is not None), None)


def count_to_sign(session: Session, today: date) -> int:
    """How many published entries want a lawyer's sign-off, those whose sign-off has lapsed among them."""
    return session.exec(select(func.count()).select_from(FaqEntry).where(_PUBLISHED, is_unsigned(today))).one()


def count_lapsed(session: Session, today: date) -> int:
    """How many published entries have a sign-off that has lapsed."""
    return session.exec(select(func.count()).select_from(FaqEntry).where(_PUBLISHED, has_lapsed(today))).one()


def sign(session: Session, entry_id: str, version_id: int, read: str, lawyer: StaffMember, now: datetime) -> None:
    """A lawyer signs an entry as it reads now, on the texts of law that stood beside it (`sign_offs.digest`).

    DraftMoved where another text of the entry is in force than the one read (`version_id`), or of the law (`read`);
    InvalidInput for anybody but a lawyer (the reviewer's role), or for one who wrote it.
    """
    if lawyer.role != Role.REVIEWER:
        raise InvalidInput("只有“审核（律师）”权限的人员可以签署条目")
    today = local_day(now)
    text = curation.published_text(session, entry_id, today)
    if text.version_id != version_id:
        raise DraftMoved("条目刚刚有了新的版本：请重新阅读后再签署")
    texts = sign_offs.of_entry(session, entry_id, today)
    if sign_offs.digest(texts) != read:
        raise DraftMoved("所引条文刚刚有了新的文本：请重新阅读后再签署")
    if lawyer.name in _authors(session, entry_id):
        raise InvalidInput("起草人不能签署自己写的条目")
    entry = session.get_one(FaqEntry, entry_id)
    before = entry.signed_off_by
    entry.updated_at = now
    session.add(entry)
    sign_offs.record(session, entry_id, lawyer.name, texts, now, today)
    audit.record(
        session,
        actor=lawyer.name,
        action="entry.sign",
        subject=f"entry {entry_id}",
        before={"signed_off_by": before},
        after={"signed_off_by": lawyer.name, "version_id": version_id},
        now=now,
    )
    # Whether an answer is signed shows in every reply.
    curation.publish_content(session, now, f"{entry_id}: signed")


def _authors(session: Session, entry_id: str) -> list[str]:
    newest = session.exec(
        select(EntryDraft)
        .where(EntryDraft.entry_id == entry_id, EntryDraft.status == DraftStatus.PUBLISHED)
        .order_by(col(EntryDraft.number).desc())
        .limit(1)
    ).first()
    return newest.authors if newest else []


_PUBLISHED = col(FaqEntry.status) == EntryStatus.PUBLISHED
