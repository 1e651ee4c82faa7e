"""待解问题: the open inquiries, one inquiry, and the reply to it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Curator, OwnForm, Reading, Transaction, Viewer
from admin.errors import STATUS
from admin.paging import page_number
from admin.rendering import page
from knowledge import curation, inquiries
from knowledge.errors import InquiryClosed, InvalidInput
from knowledge.models import StaffMember
from knowledge.working_days import local_day

router = APIRouter()
PER_PAGE = 30
_WORTH_SHOWING = 1.0  # score 0-100 from which an entry may have something to do with the question


@router.get("/inquiries")
def list_inquiries(request: Request, member: Viewer, session: Reading) -> Response:
    """Open ones first to be answered first; with ?all=1 every one, newest first."""
    everything = request.query_params.get("all") == "1"
    number = page_number(request)
    find = inquiries.latest if everything else inquiries.waiting
    found = find(session, PER_PAGE + 1, (number - 1) * PER_PAGE)
    return page(
        request,
        "inquiries/list.html",
        member=member,
        inquiries=found[:PER_PAGE],
        has_next=len(found) > PER_PAGE,
        number=number,
        everything=everything,
        today=local_day(request.app.state.now()),
    )


@router.get("/inquiries/{number}")
def show_inquiry(request: Request, number: str, member: Viewer, session: Reading) -> Response:
    """What was asked, what the matcher thought of it, what was replied."""
    return _show(request, session, member, number)


@router.post("/inquiries/{number}/reply", dependencies=[OwnForm])
def reply_to_inquiry(
    request: Request, number: str, member: Curator, session: Transaction, text: Annotated[str, Form()] = ""
) -> Response:
    """Answer: the reply goes into the outbox in the same transaction."""
    try:
        inquiries.reply(session, number, member.name, text, request.app.state.now())
    except (InvalidInput, InquiryClosed) as error:
        # Nothing was changed; what was typed comes back with the message beside it.
        return _show(request, session, member, number, text=text, error=error)
    return RedirectResponse(request.url_for("show_inquiry", number=number).path, status_code=303)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    number: str,
    *,
    text: str = "",
    error: InvalidInput | InquiryClosed | None = None,
) -> Response:
    inquiry = inquiries.by_number(session, number)
    messages = inquiries.messages_of(session, inquiry)
    candidates = [one for message in messages[:1] for one in message.candidates if one["score"] >= _WORTH_SHOWING]
    titles = curation.titles_of(session, [one["id"] for one in candidates])
    replied = [(one, inquiries.is_delivered(session, one)) for one in inquiries.replies_to(session, inquiry)]
    return page(
        request,
        "inquiries/show.html",
        status=STATUS[type(error)] if error else 200,
        member=member,
        inquiry=inquiry,
        messages=messages,
        candidates=[(one, titles[one["id"]]) for one in candidates if one["id"] in titles],
        replies=replied,
        text=text,
        error=str(error or ""),
        limit=inquiries.REPLY_LIMIT,
        today=local_day(request.app.state.now()),
    )
