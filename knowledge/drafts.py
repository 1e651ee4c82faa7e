"""Drafts (稿): write, submit, review with four eyes, publish, restore; and the reading list for sign-offs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from knowledge import audit, comparison, curation, seeding
from knowledge.content.entries import EntryForm
from knowledge.differences import differences
from knowledge.errors import DraftMoved, InvalidInput, NotFound
from knowledge.findings import findings, form_of
from knowledge.models import (
    DraftComment,
    DraftStatus,
    EntryDraft,
    EntryStatus,
    FaqEntry,
    Inquiry,
    Role,
    StaffMember,
)
from knowledge.models.inquiries import OPEN_STATUSES
from knowledge.statutes import rereview, sign_offs
from knowledge.statutes.sign_offs import Cites, Known
from knowledge.working_days import local_day

OPEN_DRAFTS = (DraftStatus.DRAFT, DraftStatus.SUBMITTED, DraftStatus.REVIEWED)
_FIRST_AUTHOR = "随系统发布"
_NEXT_REVIEW = timedelta(days=365)


def begin(session: Session, entry_id: str, actor: str, now: datetime) -> EntryDraft:
    """A draft of a stored entry as it is; the one that is open already, if there is one. NotFound without entry."""
    opened = _open_draft(session, entry_id)
    if opened is not None:
        return opened
    content = _stored(session, entry_id, local_day(now))
    _remember(session, entry_id, content, now)
    return _add(session, entry_id, content, actor, now)


def begin_new(
    session: Session,
    domain: str,
    actor: str,
    now: datetime,
    *,
    question: str = "",
    variants: Sequence[str] = (),
    inquiry_numbers: Iterable[str] = (),
) -> EntryDraft:
    """A draft of a new entry, which the open inquiries named wait for.

    Its id is made from the day: a site's own entries never clash with a newer seed's.
    """
    today = local_day(now)
    content = {
        "question": question,
        "variants": list(variants),
        "checked_on": today.isoformat(),
        "review_by": (today + _NEXT_REVIEW).isoformat(),
    }
    draft = _add(session, _new_id(session, domain, today), content, actor, now)
    session.execute(
        update(Inquiry)
        .where(col(Inquiry.number).in_(list(inquiry_numbers)), col(Inquiry.status).in_(OPEN_STATUSES))
        .values(draft_id=draft.id)
    )
    return draft


def begin_with(session: Session, form: EntryForm, actor: str, now: datetime) -> EntryDraft:
    """A draft that says what a form says, of a stored entry or a new one; InvalidInput while one is open already."""
    if _open_draft(session, form.id):
        raise InvalidInput(f"{form.id} 有一份稿件正在办理：请先发布或放弃它")
    if session.get(FaqEntry, form.id) is not None:
        _remember(session, form.id, _stored(session, form.id, local_day(now)), now)
    return _add(session, form.id, form.model_dump(mode="json"), actor, now)


def restore(session: Session, draft_id: int, actor: str, now: datetime) -> EntryDraft:
    """A new draft that says what a published one said; InvalidInput while another draft of the entry is open."""
    old = by_id(session, draft_id)
    if _open_draft(session, old.entry_id):
        raise InvalidInput("这个条目有一份稿件正在办理：请先发布或放弃它，再恢复旧版本")
    _remember(session, old.entry_id, _stored(session, old.entry_id, local_day(now)), now)
    return _add(session, old.entry_id, dict(old.content), actor, now)


def save(session: Session, draft_id: int, content: Mapping[str, Any], actor: str, now: datetime) -> EntryDraft:
    """Keep what was written; only while the draft is one (`DraftMoved` otherwise), complete or not."""
    draft = by_id(session, draft_id)
    _must_be(draft, DraftStatus.DRAFT)
    merged = {**draft.content, **content}
    if merged != draft.content:
        before = {name: draft.content.get(name) for name in content if draft.content.get(name) != content[name]}
        after = {name: content[name] for name in before}
        # What a draft begins with may be askers' wordings, freed by a program only: not for the log, which stays.
        was_written = draft.updated_at != draft.created_at
        draft.content = merged
        draft.authors = list(dict.fromkeys((*draft.authors, actor)))
        draft.updated_at = now
        session.add(draft)
        _record(session, draft, "save", actor, before if was_written else None, after, now)
    return draft


def submit(session: Session, draft_id: int, actor: str, now: datetime, *, confirmed: bool) -> EntryDraft:
    """Hand a draft over to a reviewer; InvalidInput where it has faults, or doubts that nobody confirmed."""
    draft = by_id(session, draft_id)
    found = findings(session, draft, local_day(now))
    if found.faults:
        raise InvalidInput("；".join(found.faults))
    if found.doubts and not confirmed:
        raise InvalidInput("请核对下面的提示，确认无误后再提交")
    return _move(session, draft, DraftStatus.DRAFT, DraftStatus.SUBMITTED, "submit", actor, now)


def take_back(session: Session, draft_id: int, actor: str, now: datetime, comment: str = "") -> EntryDraft:
    """Make a submitted or reviewed draft a draft again: its author thought better, or the reviewer wants changes."""
    draft = by_id(session, draft_id)
    before = DraftStatus(draft.status)
    if before not in {DraftStatus.SUBMITTED, DraftStatus.REVIEWED}:
        _must_be(draft, DraftStatus.SUBMITTED)
    if comment.strip():
        add_comment(session, draft_id, actor, comment, now)
    draft = _move(session, draft, before, DraftStatus.DRAFT, "take_back", actor, now)
    draft.reviewer, draft.signed, draft.signed_on = None, False, None
    session.add(draft)
    return draft


def review(session: Session, draft_id: int, reviewer: StaffMember, now: datetime) -> EntryDraft:
    """Approve a submitted draft; InvalidInput for whoever wrote at it. A lawyer's approval is the sign-off."""
    draft = by_id(session, draft_id)
    if reviewer.name in draft.authors:
        raise InvalidInput("起草人不能审核自己的稿件，请由另一名审核人员审核")
    moved = _move(session, draft, DraftStatus.SUBMITTED, DraftStatus.REVIEWED, "review", reviewer.name, now)
    moved.reviewer, moved.signed = reviewer.name, reviewer.role == Role.REVIEWER
    moved.content = {**moved.content, "checked_on": local_day(now).isoformat()}
    moved.signed_on = sign_offs.as_rows(_read_by_lawyer(session, moved, local_day(now))) if moved.signed else None
    session.add(moved)
    return moved


def publish(
    session: Session,
    draft_id: int,
    actor: str,
    now: datetime,
    *,
    against: int,
    despite: str = "",
    despite_newer: bool = False,
) -> EntryDraft:
    """Make a reviewed draft what the entry says, from its day on.

    `against` is the number of the published version that whoever publishes compared it with (0: none): if another
    was published since, or the entry was changed by an import, DraftMoved is raised and nothing happens. InvalidInput
    unless just this draft was compared (see `comparison`); where that made test cases worse, `despite` says why it is
    published all the same, and where other entries were published since it, `despite_newer` that this is known. Running
    servers answer with it as soon as they have seen the new content version.
    """
    draft = by_id(session, draft_id)
    today = local_day(now)
    entry = session.get(FaqEntry, draft.entry_id)
    if entry is not None:
        _remember(session, entry.id, _stored(session, entry.id, today), now)
    newest = newest_published(session, draft.entry_id)
    if (newest.number if newest else 0) != against:
        raise DraftMoved("条目在您查看之后又有变动：请核对最新的对照，再发布")
    found = findings(session, draft, today)
    if found.faults:
        raise InvalidInput("；".join(found.faults))
    form = form_of(draft)
    _must_be(draft, DraftStatus.REVIEWED)
    is_outdated = comparison.published_since(session, comparison.result_of(comparison.newest(session, draft)))
    comparison.require(session, draft, despite, despite_newer=despite_newer)
    if is_outdated:
        add_comment(session, draft_id, actor, "对照之后知识库又有发布，确认没有重新对照就发布", now)
    if despite.strip():
        add_comment(session, draft_id, actor, f"仍要发布的理由：{despite.strip()}"[:1000], now)
    moved = _move(session, draft, DraftStatus.REVIEWED, DraftStatus.PUBLISHED, "publish", actor, now)
    if entry is None:
        seeding.add_local_entry(session, form, now)
    else:
        seeding.revise_entry(session, form, now, by_seed=False)
        rereview.close_settled(session, form.id, now, today)
    session.flush()
    stored = session.get_one(FaqEntry, form.id)
    stored.signed_off_by = stored.sign_off_lapses_on = None
    session.add(stored)
    if draft.signed and draft.reviewer:
        # On what the lawyer read then: what was amended since lapses the sign-off at once.
        sign_offs.record(session, form.id, draft.reviewer, sign_offs.from_rows(draft.signed_on or []), now, today)
    moved.published_at, moved.published_by = now, actor
    # With the text that goes on until a later day, where that of the draft is for one.
    moved.content = _stored(session, form.id, today)
    session.add(moved)
    session.flush()
    curation.publish_content(session, now, f"{form.id}: {moved.number}")
    return moved


def begins_on(draft: EntryDraft, today: date) -> date | None:
    """The day still to come from which a draft's answer holds; None where it does at once."""
    first = form_of(draft).valid_from
    return first if first and first > today else None


def discard(session: Session, draft_id: int, actor: str, now: datetime) -> EntryDraft:
    """Give a draft up; inquiries no longer wait for it."""
    draft = by_id(session, draft_id)
    before = DraftStatus(draft.status)
    if before not in OPEN_DRAFTS:
        _must_be(draft, DraftStatus.DRAFT)
    session.execute(update(Inquiry).where(col(Inquiry.draft_id) == draft.id).values(draft_id=None))
    return _move(session, draft, before, DraftStatus.DISCARDED, "discard", actor, now)


def archive(session: Session, entry_id: str, reason: str, actor: str, now: datetime) -> None:
    """Take a published entry out of use; InvalidInput without a reason or for one that is not published."""
    entry = session.get(FaqEntry, entry_id)
    if entry is None:
        raise NotFound(f"没有条目 {entry_id}")
    if entry.status != EntryStatus.PUBLISHED:
        raise InvalidInput("只有已发布的条目可以下线")
    if not reason.strip():
        raise InvalidInput("请写明下线的原因")
    entry.status = EntryStatus.ARCHIVED
    entry.updated_at = now
    session.add(entry)
    audit.record(
        session,
        actor=actor,
        action="entry.archive",
        subject=f"entry {entry_id}",
        before={"status": EntryStatus.PUBLISHED},
        after={"status": EntryStatus.ARCHIVED, "reason": reason.strip()[:500]},
        now=now,
    )
    curation.publish_content(session, now, f"{entry_id}: archived")


def add_comment(session: Session, draft_id: int, author: str, text: str, now: datetime) -> DraftComment:
    """Leave a remark; InvalidInput for an empty or overlong one."""
    cleaned = text.strip()
    if not 0 < len(cleaned) <= 1000:
        raise InvalidInput(f"意见应为1至1000字，现为{len(cleaned)}字")
    draft = by_id(session, draft_id)
    comment = DraftComment(draft_id=_id(draft), author=author, text=cleaned, written_at=now)
    session.add(comment)
    session.flush()
    _record(session, draft, "comment", author, None, {"comment": cleaned}, now)
    return comment


def comments_on(session: Session, draft: EntryDraft) -> list[DraftComment]:
    """The remarks on a draft, oldest first."""
    rows = session.exec(select(DraftComment).where(DraftComment.draft_id == draft.id).order_by(col(DraftComment.id)))
    return list(rows.all())


def by_id(session: Session, draft_id: int) -> EntryDraft:
    """The draft with an id; NotFound where there is none."""
    draft = session.get(EntryDraft, draft_id)
    if draft is None:
        raise NotFound("没有这份稿件")
    return draft


def in_progress(session: Session, limit: int, offset: int = 0, *, status: str = "") -> list[EntryDraft]:
    """Drafts not published yet, lately touched first; of one status, if given."""
    wanted = [status] if status in OPEN_DRAFTS else list(OPEN_DRAFTS)
    rows = session.exec(
        select(EntryDraft)
        .where(col(EntryDraft.status).in_(wanted))
        .order_by(col(EntryDraft.updated_at).desc(), col(EntryDraft.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return list(rows.all())


def open_draft_of(session: Session, entry_id: str) -> EntryDraft | None:
    """The draft of an entry that is not published yet, if there is one."""
    return _open_draft(session, entry_id)


def history(session: Session, entry_id: str) -> list[EntryDraft]:
    """What was published of an entry, newest first."""
    rows = session.exec(
        select(EntryDraft)
        .where(EntryDraft.entry_id == entry_id, EntryDraft.status == DraftStatus.PUBLISHED)
        .order_by(col(EntryDraft.number).desc())
    )
    return list(rows.all())


def newest_published(session: Session, entry_id: str) -> EntryDraft | None:
    """The newest published draft of an entry; None where it was only ever loaded, or never published."""
    return next(iter(history(session, entry_id)), None)


def add_variants(session: Session, entry_id: str, texts: Sequence[str], actor: str, now: datetime) -> list[str]:
    """Add similar questions to a published entry at once, and to its open draft, which must not lose them."""
    added = curation.add_variants(session, entry_id, texts, actor, now)
    draft = _open_draft(session, entry_id)
    if draft is not None and added:
        draft.content = {**draft.content, "variants": [*draft.content.get("variants", []), *added]}
        session.add(draft)
    return added


def awaiting(session: Session, draft: EntryDraft) -> list[Inquiry]:
    """Open inquiries that wait for the draft to be published."""
    rows = session.exec(
        select(Inquiry)
        .where(Inquiry.draft_id == draft.id, col(Inquiry.status).in_(OPEN_STATUSES))
        .order_by(col(Inquiry.id))
        .limit(200)
    )
    return list(rows.all())


def _read_by_lawyer(session: Session, draft: EntryDraft, today: date) -> list[Known]:
    """The texts of the articles a draft cites, as they stand beside it for whoever reviews it."""
    spans = form_of(draft).as_of(today).spans
    cites = [Cites(cited, None, span.start, span.end) for span in spans for cited in span.citations]
    return sign_offs.known(session, cites, today)


def _stored(session: Session, entry_id: str, today: date) -> dict[str, Any]:
    forms = seeding.stored_forms(session, today, [entry_id])
    if entry_id not in forms:
        raise NotFound(f"没有条目 {entry_id}")
    return forms[entry_id].model_dump(mode="json")


def _remember(session: Session, entry_id: str, content: dict[str, Any], now: datetime) -> None:
    """Keep what stands now as a published version, where it came by the seed or an import and not by a draft."""
    newest = newest_published(session, entry_id)
    if newest is not None and not differences(_as_of(newest.content, local_day(now)), content):
        return
    authors = [_FIRST_AUTHOR if newest is None else "导入"]
    session.add(
        EntryDraft(
            entry_id=entry_id,
            number=_next_number(session, entry_id),
            status=DraftStatus.PUBLISHED,
            content=content,
            authors=authors,
            created_at=now,
            updated_at=now,
            published_at=session.get_one(FaqEntry, entry_id).updated_at,
        )
    )
    session.flush()


def _as_of(content: dict[str, Any], today: date) -> dict[str, Any]:
    """What was published, without what ran out since: a text that gave way on its day is no change by others."""
    if not content.get("later") and not content.get("valid_from"):
        return content
    return EntryForm.model_validate(content).as_of(today).model_dump(mode="json")


def _add(session: Session, entry_id: str, content: dict[str, Any], actor: str, now: datetime) -> EntryDraft:
    draft = EntryDraft(
        entry_id=entry_id,
        number=_next_number(session, entry_id),
        content=content,
        authors=[actor],
        created_at=now,
        updated_at=now,
    )
    session.add(draft)
    session.flush()
    _record(session, draft, "begin", actor, None, {"number": draft.number}, now)
    return draft


def _open_draft(session: Session, entry_id: str) -> EntryDraft | None:
    return session.exec(
        select(EntryDraft).where(EntryDraft.entry_id == entry_id, col(EntryDraft.status).in_(OPEN_DRAFTS))
    ).first()


def _next_number(session: Session, entry_id: str) -> int:
    newest = session.exec(select(func.max(EntryDraft.number)).where(EntryDraft.entry_id == entry_id)).one()
    return (newest or 0) + 1


def _new_id(session: Session, domain: str, today: date) -> str:
    start = f"{domain}.local.d{today:%Y%m%d}_"
    known = set(
        session.exec(select(EntryDraft.entry_id).where(col(EntryDraft.entry_id).startswith(start, autoescape=True)))
    )
    number = 1
    while f"{start}{number}" in known:
        number += 1
    return f"{start}{number}"


def _move(
    session: Session,
    draft: EntryDraft,
    before: DraftStatus,
    after: DraftStatus,
    action: str,
    actor: str,
    now: datetime,
) -> EntryDraft:
    """A conditional update, so that of two colleagues at once exactly one takes the step."""
    taken = session.exec(
        update(EntryDraft)
        .where(col(EntryDraft.id) == draft.id, col(EntryDraft.status) == before)
        .values(status=after, updated_at=now)
    )
    if taken.rowcount != 1:
        session.refresh(draft)
        _must_be(draft, before)
    session.refresh(draft)
    _record(session, draft, action, actor, {"status": before}, {"status": after}, now)
    return draft


def _must_be(draft: EntryDraft, wanted: DraftStatus) -> None:
    if draft.status != wanted:
        names = {
            "draft": "草稿",
            "submitted": "待审核",
            "reviewed": "已审核",
            "published": "已发布",
            "discarded": "已放弃",
        }
        raise DraftMoved(f"稿件现在是“{names[draft.status]}”，不能这样操作：请看最新状态")


_STATUS_WORDS = {
    "draft": "草稿",
    "submitted": "待审核",
    "reviewed": "已审核",
    "published": "已发布",
    "discarded": "已放弃",
}


def _id(draft: EntryDraft) -> int:
    assert draft.id is not None, "a row that was read has its id"
    return draft.id


def _record(
    session: Session,
    draft: EntryDraft,
    action: str,
    actor: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"draft.{action}",
        subject=f"entry {draft.entry_id} #{draft.number}",
        before=before,
        after=after,
        now=now,
    )
