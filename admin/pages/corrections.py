"""更正: what is to be told to those who received a wrong answer, who confirms it, and whom it has reached."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Curator, OwnForm, Reading, Reviewer, Transaction
from admin.errors import status_of
from admin.pages import receivers as receivers_page
from admin.paging import day_of, page_number
from admin.rendering import page
from knowledge import corrections, curation, inquiries, receivers
from knowledge.errors import DraftMoved, InvalidInput, KnowledgeError
from knowledge.models import CorrectionStatus, OutboxStatus, StaffMember
from knowledge.models.jobs import UNFINISHED
from knowledge.working_days import local_day, start_of_day

router = APIRouter()
PER_PAGE = 30


@router.get("/corrections")
def list_corrections(request: Request, member: Curator, session: Reading) -> Response:
    """Corrections of all entries, newest first."""
    number = page_number(request)
    found = corrections.listed(session, PER_PAGE + 1, (number - 1) * PER_PAGE)
    return page(
        request,
        "corrections/list.html",
        member=member,
        found=found[:PER_PAGE],
        has_next=len(found) > PER_PAGE,
        number=number,
    )


@router.post("/entries/{entry_id}/corrections", dependencies=[OwnForm])
def propose_correction(
    request: Request,
    entry_id: str,
    member: Curator,
    session: Transaction,
    version: Annotated[Sequence[int], Form()] = (),
    since: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
) -> Response:
    """Write a correction for those who received the versions; nobody is told yet."""
    try:
        day = day_of(since.strip())
        moment = start_of_day(day) if day else None
        made = corrections.propose(session, entry_id, version, moment, text, member.name, request.app.state.now())
    except InvalidInput as error:
        return receivers_page.show(
            request, session, member, entry_id, numbers=version, since=since, text=text, error=error
        )
    return _see(request, made.id)


@router.get("/corrections/{correction_id}")
def show_correction(request: Request, correction_id: int, member: Curator, session: Reading) -> Response:
    """One correction: as the phone will show it, for whom, and, once sent, whom it has reached."""
    return _show(request, session, member, correction_id)


@router.post("/corrections/{correction_id}", dependencies=[OwnForm])
def reword_correction(
    request: Request, correction_id: int, member: Curator, session: Transaction, text: Annotated[str, Form()] = ""
) -> Response:
    """Another text, to be looked at again."""
    try:
        corrections.reword(session, correction_id, text, member.name, request.app.state.now())
    except (InvalidInput, DraftMoved) as error:
        return _show(request, session, member, correction_id, text=text, error=error)
    return _see(request, correction_id)


@router.post("/corrections/{correction_id}/confirmation", dependencies=[OwnForm])
def confirm_correction(request: Request, correction_id: int, member: Reviewer, session: Transaction) -> Response:
    """Send it: never by one who wrote at it."""
    try:
        corrections.send(session, correction_id, member, request.app.state.now())
    except (InvalidInput, DraftMoved) as error:
        return _show(request, session, member, correction_id, error=error)
    return _see(request, correction_id)


@router.post("/corrections/{correction_id}/resumption", dependencies=[OwnForm])
def resume_correction(request: Request, correction_id: int, member: Reviewer, session: Transaction) -> Response:
    """Go on with one that was confirmed and whose sending broke off."""
    try:
        corrections.resume(session, correction_id, member.name, request.app.state.now())
    except DraftMoved as error:
        return _show(request, session, member, correction_id, error=error)
    return _see(request, correction_id)


@router.post("/corrections/{correction_id}/withdrawal", dependencies=[OwnForm])
def withdraw_correction(request: Request, correction_id: int, member: Curator, session: Transaction) -> Response:
    """Give it up before it is sent."""
    try:
        corrections.withdraw(session, correction_id, member.name, request.app.state.now())
    except DraftMoved as error:
        return _show(request, session, member, correction_id, error=error)
    return _see(request, correction_id)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    correction_id: int,
    *,
    text: str | None = None,
    error: KnowledgeError | None = None,
) -> Response:
    correction = corrections.by_id(session, correction_id)
    entry = curation.entry_text(session, correction.entry_id, local_day(request.app.state.now()))
    is_open = correction.status == CorrectionStatus.PROPOSED
    concerned = (correction.entry_id, correction.version_ids, correction.since)
    reachable, gone = correction.recipients, correction.unreachable
    if is_open:
        everyone, reachable = receivers.count(session, *concerned)
        gone = everyone - reachable
    job = corrections.job_of(session, correction)
    is_under_way = job is not None and job.status in UNFINISHED
    reached = {} if is_under_way else corrections.reached(session, correction)
    title = entry.title if entry.status == "published" else None
    number = page_number(request)
    found = corrections.deliveries(session, correction, PER_PAGE + 1, (number - 1) * PER_PAGE)
    return page(
        request,
        "corrections/show.html",
        status=status_of(error),
        member=member,
        correction=correction,
        entry=entry,
        numbers=corrections.version_numbers(session, correction),
        is_open=is_open,
        job=job,
        is_under_way=is_under_way,
        is_author=member.name in correction.authors,
        reachable=reachable,
        gone=gone,
        reached=[(str(state), reached[state]) for state in OutboxStatus if state in reached],
        erased=correction.recipients - sum(reached.values()),
        found=found[:PER_PAGE],
        has_next=len(found) > PER_PAGE,
        number=number,
        parts=request.app.state.bot.preview_correction(correction.text, title if is_open else correction.title),
        text=correction.text if text is None else text,
        limit=inquiries.REPLY_LIMIT,
        error=str(error or ""),
    )


def _see(request: Request, correction_id: int | None) -> Response:
    return RedirectResponse(request.url_for("show_correction", correction_id=correction_id).path, status_code=303)
