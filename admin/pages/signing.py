"""签署: the reading list on which a lawyer signs entry after entry, and what happens when a sign-off lapses."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Reviewer, Transaction
from admin.errors import status_of
from admin.rendering import page
from knowledge import curation, drafts, signing
from knowledge.errors import DraftMoved, InvalidInput, KnowledgeError, NotFound, SettingMoved
from knowledge.models import FaqEntry, StaffMember
from knowledge.statutes import rereview, sign_offs
from knowledge.statutes.rereview import SideBySide
from knowledge.statutes.sign_offs import Known, Place
from knowledge.working_days import local_day

router = APIRouter()


@router.get("/signing")
def show_signing(
    request: Request, member: Reviewer, session: Reading, after: str = "", past: str = "", entry: str = ""
) -> Response:
    """The next entry to sign, with the texts it cites beside it; ?after=ID skips to the one behind (?past=1: which
    was not among the lapsed ones), ?entry=ID opens that one."""
    return _show(request, session, member, after, past=past, entry_id=entry)


@router.post("/signing", dependencies=[OwnForm])
def sign_entry(
    request: Request,
    member: Reviewer,
    session: Transaction,
    entry: Annotated[str, Form()] = "",
    version: Annotated[int, Form()] = 0,
    read: Annotated[str, Form()] = "",
    past: Annotated[str, Form()] = "",
) -> Response:
    """Sign what was read, and go on to the next."""
    try:
        signing.sign(session, entry, version, read, member, request.app.state.now())
    except (InvalidInput, DraftMoved) as error:
        return _show(request, session, member, "", past=past, entry_id=entry, error=error)
    return _next(request, entry, past)


@router.post("/signing/objection", dependencies=[OwnForm])
def object_to_entry(
    request: Request,
    member: Reviewer,
    session: Transaction,
    entry: Annotated[str, Form()] = "",
    comment: Annotated[str, Form()] = "",
    past: Annotated[str, Form()] = "",
) -> Response:
    """Not to be signed as it is: a draft with the lawyer's remark, for a curator to change."""
    now = request.app.state.now()
    try:
        if not comment.strip():
            raise InvalidInput("请写明要改什么")
        draft = drafts.begin(session, entry, "待修改", now)
        drafts.add_comment(session, draft.id or 0, member.name, comment, now)
    except InvalidInput as error:
        return _show(request, session, member, "", past=past, entry_id=entry, error=error)
    return _next(request, entry, past)


@router.get("/settings/sign-offs")
def show_rule(request: Request, member: Administrator, session: Reading) -> Response:
    """What is done with an entry whose sign-off has lapsed."""
    return _show_rule(request, session, member)


@router.post("/settings/sign-offs", dependencies=[OwnForm])
def set_rule(
    request: Request,
    member: Administrator,
    session: Transaction,
    lapsed: Annotated[str, Form()] = "",
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Offer it with a notice, or withhold it."""
    try:
        signing.set_rule(session, lapsed, against, member.name, request.app.state.now())
    except (InvalidInput, SettingMoved) as error:
        return _show_rule(request, session, member, error=error)
    return RedirectResponse(f"{request.url_for('show_rule').path}?saved=1", status_code=303)


def _show_rule(
    request: Request, session: Session, member: StaffMember, *, error: KnowledgeError | None = None
) -> Response:
    return page(
        request,
        "settings/sign_offs.html",
        status=status_of(error),
        member=member,
        rule=signing.rule(session),
        names=signing.LAPSED_NAMES,
        lapsed=signing.count_lapsed(session, local_day(request.app.state.now())),
        saved=request.query_params.get("saved") == "1",
        error=str(error or ""),
    )


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    after: str,
    *,
    past: str,
    entry_id: str = "",
    error: KnowledgeError | None = None,
) -> Response:
    today = local_day(request.app.state.now())
    listed = _named(session, entry_id) or signing.to_sign(session, today, after, is_past_lapsed=past == "1")
    entry = curation.published_text(session, listed.id, today) if listed else None
    texts = sign_offs.of_entry(session, entry.id, today) if entry else []
    signed = sign_offs.signed_hashes(session, entry.id) if entry else {}
    return page(
        request,
        "signing/show.html",
        status=status_of(error),
        member=member,
        entry=entry,
        texts=[(one, _changed(session, one, signed)) for one in texts],
        read=sign_offs.digest(texts),
        unchecked=[one for one in entry.citations if one.unverified or one.article is None] if entry else [],
        last=sign_offs.newest(session, entry.id) if entry and entry.sign_off_lapsed else None,
        parts=request.app.state.bot.preview(entry) if entry else (),
        variants=curation.variants_of(session, entry.id) if entry else [],
        draft=drafts.open_draft_of(session, entry.id) if entry else None,
        left=signing.count_to_sign(session, today),
        lapsed=signing.count_lapsed(session, today),
        past="" if entry and entry.sign_off_lapsed else "1",
        error=str(error or ""),
    )


def _changed(session: Session, text: Known, signed: dict[Place, set[str]]) -> SideBySide | None:
    """A text beside the one that was signed; None where it is that very one, or nothing was signed."""
    if not sign_offs.is_other(text, signed):
        return None
    return rereview.side_by_side(sign_offs.text_signed(session, text, signed), text.text)


def _named(session: Session, entry_id: str) -> FaqEntry | None:
    """The published entry that is asked for; NotFound where there is none by that id."""
    if not entry_id:
        return None
    found = session.get(FaqEntry, entry_id)
    if found is None or found.status != "published":
        raise NotFound(f"没有已发布的条目 {entry_id}")
    return found


def _next(request: Request, entry_id: str, past: str) -> Response:
    address = request.url_for("show_signing").include_query_params(after=entry_id, past=past)
    return RedirectResponse(f"{address.path}?{address.query}", status_code=303)
