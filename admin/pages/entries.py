"""知识库: find an entry, and read it as an asker would."""

from fastapi import APIRouter, Request, Response

from admin.auth import Reading, Viewer
from admin.paging import page_number
from admin.rendering import page
from knowledge import curation
from knowledge.working_days import local_day

router = APIRouter()
PER_PAGE = 30


@router.get("/entries")
def list_entries(request: Request, member: Viewer, session: Reading) -> Response:
    """Entries whose title, question or id contains ?q=, within ?domain=."""
    query = request.query_params.get("q", "").strip()[:60]
    domain = request.query_params.get("domain", "")
    number = page_number(request)
    found = curation.find(session, query, domain, PER_PAGE + 1, (number - 1) * PER_PAGE)
    return page(
        request,
        "entries/list.html",
        member=member,
        entries=found[:PER_PAGE],
        has_next=len(found) > PER_PAGE,
        number=number,
        query=query,
        domain=domain,
        total=curation.count(session),
    )


@router.get("/entries/{entry_id}")
def show_entry(request: Request, entry_id: str, member: Viewer, session: Reading) -> Response:
    """One entry: answer, basis, similar questions, dates."""
    return page(
        request,
        "entries/show.html",
        member=member,
        entry=curation.entry_text(session, entry_id, local_day(request.app.state.now())),
        variants=curation.variants_of(session, entry_id),
        today=local_day(request.app.state.now()),
    )
