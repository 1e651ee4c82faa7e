"""谁收到过: who received which version of an entry, and what they said of it."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from admin.auth import Curator, Reading
from admin.errors import status_of
from admin.paging import day_of, page_number
from admin.rendering import page
from knowledge import corrections, curation, inquiries, receivers
from knowledge.errors import InvalidInput, KnowledgeError
from knowledge.models import StaffMember
from knowledge.working_days import local_day, start_of_day

router = APIRouter()
PER_PAGE = 30
_CORRECTIONS_SHOWN = 10


@router.get("/entries/{entry_id}/recipients")
def list_receivers(request: Request, entry_id: str, member: Curator, session: Reading) -> Response:
    """Who received the versions ticked (?version=, none: any) since ?since=, newest first."""
    query = request.query_params
    ticked = [int(one) for one in query.getlist("version") if one.isdecimal() and len(one) < 7]
    return show(request, session, member, entry_id, numbers=ticked, since=query.get("since", "").strip()[:20])


def show(
    request: Request,
    session: Session,
    member: StaffMember,
    entry_id: str,
    *,
    numbers: Sequence[int],
    since: str,
    text: str | None = None,
    error: KnowledgeError | None = None,
) -> Response:
    """The page, with what was asked for, the correction as typed, and what was wrong with it, if anything."""
    now = request.app.state.now()
    entry = curation.entry_text(session, entry_id, local_day(now))
    moment: datetime | None = None
    try:
        day = day_of(since)
        moment = start_of_day(day) if day else None
    except InvalidInput as fault:
        error = fault
    given = receivers.by_version(session, entry_id, moment)
    chosen = [one.version for one in given if one.version.number in numbers]
    ids = [one.id or 0 for one in chosen]
    number = page_number(request)
    found = receivers.listed(session, entry_id, ids, moment, PER_PAGE + 1, (number - 1) * PER_PAGE)
    kept = [("version", str(one)) for one in numbers] + [("since", since)] * bool(since)
    return page(
        request,
        "receivers/list.html",
        status=status_of(error),
        member=member,
        entry=entry,
        given=given,
        numbers=[one.number for one in chosen],
        since=since,
        found=found[:PER_PAGE],
        total=receivers.count(session, entry_id, ids, moment)[0],
        has_next=len(found) > PER_PAGE,
        number=number,
        kept=urlencode(kept),
        corrections=corrections.listed(session, _CORRECTIONS_SHOWN, entry_id=entry_id),
        text=corrections.prefilled(entry) if text is None else text,
        limit=inquiries.REPLY_LIMIT,
        error=str(error or ""),
    )
