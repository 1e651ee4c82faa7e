"""签署: the reading list on which a lawyer signs entry after entry."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import OwnForm, Reading, Reviewer, Transaction
from admin.errors import STATUS
from admin.rendering import page
from knowledge import curation, drafts
from knowledge.errors import DraftMoved, InvalidInput, KnowledgeError
from knowledge.models import StaffMember
from knowledge.statutes import library
from knowledge.working_days import local_day

router = APIRouter()


@router.get("/signing")
def show_signing(request: Request, member: Reviewer, session: Reading, after: str = "") -> Response:
    """The next entry to sign, with the text of what it cites beside it; ?after=ID skips to the one behind."""
    return _show(request, session, member, after)


@router.post("/signing", dependencies=[OwnForm])
def sign_entry(
    request: Request,
    member: Reviewer,
    session: Transaction,
    entry: Annotated[str, Form()] = "",
    version: Annotated[int, Form()] = 0,
    after: Annotated[str, Form()] = "",
) -> Response:
    """Sign what was read, and go on to the next."""
    try:
        drafts.sign(session, entry, version, member, request.app.state.now())
    except (InvalidInput, DraftMoved) as error:
        return _show(request, session, member, after, error=error)
    address = request.url_for("show_signing").include_query_params(after=entry)
    return RedirectResponse(f"{address.path}?{address.query}", status_code=303)


@router.post("/signing/objection", dependencies=[OwnForm])
def object_to_entry(
    request: Request,
    member: Reviewer,
    session: Transaction,
    entry: Annotated[str, Form()] = "",
    comment: Annotated[str, Form()] = "",
) -> Response:
    """Not to be signed as it is: a draft with the lawyer's remark, for a curator to change."""
    now = request.app.state.now()
    try:
        if not comment.strip():
            raise InvalidInput("请写明要改什么")
        draft = drafts.begin(session, entry, "待修改", now)
        drafts.add_comment(session, draft.id or 0, member.name, comment, now)
    except InvalidInput as error:
        return _show(request, session, member, "", error=error)
    address = request.url_for("show_signing").include_query_params(after=entry)
    return RedirectResponse(f"{address.path}?{address.query}", status_code=303)


def _show(
    request: Request, session: Session, member: StaffMember, after: str, *, error: KnowledgeError | None = None
) -> Response:
    today = local_day(request.app.state.now())
    listed = drafts.to_sign(session, 1, after=after) or drafts.to_sign(session, 1)
    entry = curation.published_text(session, listed[0].id, today) if listed else None
    cited = [(one, library.cited_article(session, one, today)) for one in entry.citations] if entry else []
    return page(
        request,
        "signing/show.html",
        status=STATUS[type(error)] if error else 200,
        member=member,
        entry=entry,
        cited=cited,
        parts=request.app.state.bot.preview(entry) if entry else (),
        variants=curation.variants_of(session, entry.id) if entry else [],
        draft=drafts.open_draft_of(session, entry.id) if entry else None,
        left=drafts.count_to_sign(session),
        after=after,
        error=str(error or ""),
    )
