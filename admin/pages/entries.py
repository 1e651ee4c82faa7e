"""知识库: find an entry, read it as an asker would, see what it said before, take it out of use."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Curator, OwnForm, Reading, Reviewer, Transaction, Viewer
from admin.errors import status_of
from admin.paging import page_number
from admin.rendering import page
from knowledge import catalogue, curation, drafts, validity
from knowledge.catalogue import Wanted
from knowledge.differences import differences
from knowledge.errors import InvalidInput, NotFound
from knowledge.models import DOMAIN_NAMES, EntryDraft, EntryStatus, StaffMember
from knowledge.statutes import sign_offs
from knowledge.working_days import local_day

router = APIRouter()
PER_PAGE = 30
USE_DAYS = 90


@router.get("/entries")
def list_entries(request: Request, member: Viewer, session: Reading) -> Response:
    """Entries by words, field, topic, state, author and due date, and how they did."""
    wanted = wanted_of(request)
    now = request.app.state.now()
    today, number = local_day(now), page_number(request)
    order = request.query_params.get("order", "")
    since = now - timedelta(days=USE_DAYS)
    found = catalogue.find(session, wanted, today, PER_PAGE, (number - 1) * PER_PAGE, order=order, since=since)
    total = catalogue.count(session, wanted, today)
    kept = {"q": wanted.words, "domain": wanted.domain, "topic": wanted.topic, "status": wanted.status}
    kept |= {"author": wanted.author, "due": wanted.due, "unsigned": "1" if wanted.unsigned else "", "order": order}
    kept |= {"lapsed": "1" if wanted.lapsed else ""}
    return page(
        request,
        "entries/list.html",
        member=member,
        entries=found,
        use=catalogue.use_of(session, [one.id for one in found], since),
        use_days=USE_DAYS,
        schedules=validity.schedules(session, [one.id for one in found], today),
        topics=catalogue.topics(session, wanted.domain),
        has_next=number * PER_PAGE < total,
        number=number,
        wanted=wanted,
        order=order,
        total=total,
        today=today,
        kept=urlencode({name: value for name, value in kept.items() if value}),
    )


def wanted_of(request: Request) -> Wanted:
    """What an address looks for; what no filter knows counts as not given."""
    query = request.query_params
    texts = {name: query.get(name, "").strip()[:60] for name in ("q", "topic", "author")}
    domain, status, due = query.get("domain", ""), query.get("status", ""), query.get("due", "")
    return Wanted(
        words=texts["q"],
        domain=domain if domain in DOMAIN_NAMES else "",
        topic=texts["topic"],
        status=status if status in tuple(EntryStatus) else "",
        author=texts["author"],
        due=due if due in {"past", "soon", "law"} else "",
        unsigned=query.get("unsigned") == "1",
        lapsed=query.get("lapsed") == "1",
    )


@router.get("/entries/{entry_id}")
def show_entry(request: Request, entry_id: str, member: Viewer, session: Reading) -> Response:
    """One entry: as the phone shows it, basis, similar questions, dates, earlier versions."""
    return _show(request, session, member, entry_id)


@router.post("/entries/{entry_id}/drafts", dependencies=[OwnForm])
def draft_entry(request: Request, entry_id: str, member: Curator, session: Transaction) -> Response:
    """Begin to change an entry; goes to the draft that is open already, if there is one."""
    draft = drafts.begin(session, entry_id, member.name, request.app.state.now())
    return RedirectResponse(request.url_for("show_draft", draft_id=draft.id).path, status_code=303)


@router.post("/entries/{entry_id}/archival", dependencies=[OwnForm])
def archive_entry(
    request: Request, entry_id: str, member: Reviewer, session: Transaction, reason: Annotated[str, Form()] = ""
) -> Response:
    """Take it out of use; the next asker does not get it any more."""
    try:
        drafts.archive(session, entry_id, reason, member.name, request.app.state.now())
    except InvalidInput as error:
        return _show(request, session, member, entry_id, error=error)
    return RedirectResponse(request.url_for("show_entry", entry_id=entry_id).path, status_code=303)


@router.get("/entries/{entry_id}/versions/{number}")
def show_version(request: Request, entry_id: str, number: int, member: Viewer, session: Reading) -> Response:
    """What was published then, beside what was before it."""
    history = drafts.history(session, entry_id)
    found = next((one for one in history if one.number == number), None)
    if found is None:
        raise NotFound(f"条目 {entry_id} 没有第{number}稿")
    earlier = next((one for one in history if one.number < number), None)
    return page(
        request,
        "entries/version.html",
        member=member,
        entry_id=entry_id,
        version=found,
        earlier=earlier,
        is_newest=found is history[0],
        since=differences(earlier.content if earlier else {}, found.content),
        until=differences(history[0].content, found.content),
        has_draft=drafts.open_draft_of(session, entry_id) is not None,
    )


def _show(
    request: Request, session: Session, member: StaffMember, entry_id: str, *, error: InvalidInput | None = None
) -> Response:
    now = request.app.state.now()
    today = local_day(now)
    entry = curation.entry_text(session, entry_id, today)
    is_given = entry.status == EntryStatus.PUBLISHED
    texts, signed = sign_offs.of_entry(session, entry_id, today), sign_offs.signed_hashes(session, entry_id)
    schedule = validity.schedules(session, [entry_id], today)[entry_id]
    # As each will stand on its first day.
    coming = [(day, curation.published_text(session, entry_id, day)) for day in schedule.begins] if is_given else []
    history: list[EntryDraft] = drafts.history(session, entry_id)
    return page(
        request,
        "entries/show.html",
        status=status_of(error),
        member=member,
        entry=entry,
        parts=request.app.state.bot.preview(entry),
        schedule=schedule,
        coming=[(day, request.app.state.bot.preview(text)) for day, text in coming],
        variants=curation.variants_of(session, entry_id),
        history=history,
        draft=drafts.open_draft_of(session, entry_id),
        use=catalogue.use_of(session, [entry_id], now - timedelta(days=USE_DAYS)).get(entry_id),
        use_days=USE_DAYS,
        sign_off=sign_offs.newest(session, entry_id) if entry.signed_off_by or entry.sign_off_lapsed else None,
        signed_on=texts,
        amended=[one for one in texts if sign_offs.is_other(one, signed)],
        error=str(error or ""),
        today=today,
    )
