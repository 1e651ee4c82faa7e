"""固定回复: exact keywords that get a text or a link before anything is matched; by hand and by spreadsheet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Curator, OwnForm, Reading, Transaction
from admin.errors import status_of
from admin.paging import page_number
from admin.rendering import page
from knowledge import fixed_replies
from knowledge.content.spreadsheets import read_fixed_reply_rows, write_fixed_reply_rows
from knowledge.errors import ContentError, InvalidInput, SettingMoved
from knowledge.fixed_replies import FixedText
from knowledge.matching.normalize import normalize
from knowledge.models import StaffMember

router = APIRouter()
PER_PAGE = 50
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form: keywords one a line, the text, the link, and whether it is to be given."""

    keywords: str = ""
    text: str = ""
    link: str = ""
    is_active: bool = True


def typed(
    keywords: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    link: Annotated[str, Form()] = "",
    is_active: Annotated[str, Form()] = "",
) -> Typed:
    """The form as it was sent."""
    return Typed(keywords, text, link, is_active == "1")


TypedForm = Annotated[Typed, Depends(typed)]


@router.get("/settings/fixed-replies")
def list_fixed_replies(request: Request, member: Curator, session: Reading) -> Response:
    """All of them, those with ?q= in keyword or text; and what stands in the way of each."""
    return _list(request, session, member)


@router.get("/settings/fixed-replies/export")
def export_fixed_replies(_member: Curator, session: Reading) -> Response:
    """All of them as a spreadsheet that can be imported again."""
    content = write_fixed_reply_rows(fixed_replies.rows(session))
    headers = {"content-disposition": 'attachment; filename="fixed-replies.xlsx"'}
    return Response(content, media_type=_XLSX, headers=headers)


@router.post("/settings/fixed-replies/import", dependencies=[OwnForm])
def import_fixed_replies(
    request: Request, member: Curator, session: Reading, file: UploadFile | None = None
) -> Response:
    """Take a spreadsheet whole, or not at all and say what is wrong with each row."""
    if file is None or not file.filename:
        return _list(request, session, member, problems=["请选择要导入的 .xlsx 文件"])
    try:
        rows = read_fixed_reply_rows(file.file, file.filename)
    except ContentError as error:
        return _list(request, session, member, problems=[str(error)])
    # Not the request's own unit of work: messages would wait while the file is being read.
    with request.app.state.database.writing() as writing:
        problems = fixed_replies.add_rows(writing, rows, request.app.state.now(), member.name)
    if problems:
        return _list(request, session, member, problems=problems)
    return RedirectResponse(f"{request.url_for('list_fixed_replies').path}?imported={len(rows)}", status_code=303)


@router.get("/settings/fixed-replies/new")
def new_fixed_reply(request: Request, member: Curator, session: Reading) -> Response:
    """An empty form."""
    return _show(request, session, member, None, Typed())


@router.post("/settings/fixed-replies/preview", dependencies=[OwnForm])
def preview_new_fixed_reply(request: Request, member: Curator, session: Reading, form: TypedForm) -> Response:
    """The empty form with what was typed, as the phone would show it."""
    return _show(request, session, member, None, form)


@router.post("/settings/fixed-replies", dependencies=[OwnForm])
def add_fixed_reply(request: Request, member: Curator, session: Transaction, form: TypedForm) -> Response:
    """Make one; it is given from the next message on."""
    try:
        with session.begin_nested():
            fixed_replies.add(
                session,
                fixed_replies.split_keywords(form.keywords),
                form.text,
                form.link,
                request.app.state.now(),
                is_active=form.is_active,
                actor=member.name,
            )
    except InvalidInput as error:
        return _show(request, session, member, None, form, error=str(error), status=422)
    return _see_list(request)


@router.get("/settings/fixed-replies/{reply_id}")
def show_fixed_reply(request: Request, reply_id: int, member: Curator, session: Reading) -> Response:
    """One of them, to be changed, switched off or deleted."""
    return _show(request, session, member, fixed_replies.by_id(session, reply_id))


@router.post("/settings/fixed-replies/{reply_id}/preview", dependencies=[OwnForm])
def preview_fixed_reply(
    request: Request, reply_id: int, member: Curator, session: Reading, form: TypedForm
) -> Response:
    """The same page with what was typed; nothing is kept."""
    return _show(request, session, member, fixed_replies.by_id(session, reply_id), form)


@router.post("/settings/fixed-replies/{reply_id}", dependencies=[OwnForm])
def change_fixed_reply(
    request: Request,
    reply_id: int,
    member: Curator,
    session: Transaction,
    form: TypedForm,
    against: Annotated[str, Form()] = "",
) -> Response:
    """Save what was typed."""
    try:
        with session.begin_nested():
            fixed_replies.change(
                session,
                reply_id,
                fixed_replies.split_keywords(form.keywords),
                form.text,
                form.link,
                request.app.state.now(),
                is_active=form.is_active,
                actor=member.name,
                against=_moment(against),
            )
    except (InvalidInput, SettingMoved) as error:
        session.expire_all()
        status = status_of(error)
        reply = fixed_replies.by_id(session, reply_id)
        return _show(request, session, member, reply, form, error=str(error), status=status)
    return _see_list(request)


@router.post("/settings/fixed-replies/{reply_id}/removal", dependencies=[OwnForm])
def remove_fixed_reply(request: Request, reply_id: int, member: Curator, session: Transaction) -> Response:
    """Delete it; the log of changes keeps what it said."""
    fixed_replies.remove(session, reply_id, request.app.state.now(), member.name)
    return _see_list(request)


def _list(request: Request, session: Session, member: StaffMember, *, problems: list[str] | None = None) -> Response:
    query = request.query_params.get("q", "").strip()[:60]
    number = page_number(request)
    found = fixed_replies.find(session, query, PER_PAGE + 1, (number - 1) * PER_PAGE)
    words = fixed_replies.keywords_of_all(session)
    titles = fixed_replies.titles_among(session, (normal for _, _, normal in words))
    is_command = request.app.state.bot.is_command
    return page(
        request,
        "settings/fixed_replies.html",
        status=422 if problems else 200,
        member=member,
        replies=[(one, _conflicts(request, one, titles)) for one in found[:PER_PAGE]],
        in_conflict=len({one for one, word, normal in words if normal in titles or is_command(word)}),
        query=query,
        number=number,
        has_next=len(found) > PER_PAGE,
        problems=problems or [],
        imported=request.query_params.get("imported", ""),
    )


def _conflicts(request: Request, reply: FixedText, titles: set[str]) -> list[str]:
    """What keeps a keyword from its fixed reply, or an entry from its asker, in words."""
    found = []
    for word, normal in zip(reply.keywords, reply.normalized, strict=True):
        if request.app.state.bot.is_command(word):
            found.append(f"“{word}”是公众号的口令，不会得到这条固定回复")
        if normal in titles:
            found.append(f"“{word}”与条目标题相同：点按这个条目的人会得到这条固定回复")
    return found


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    reply: FixedText | None,
    form: Typed | None = None,
    *,
    error: str = "",
    status: int = 200,
) -> Response:
    if form is None:
        assert reply is not None, "an empty form is given for a new one"
        form = Typed("\n".join(reply.keywords), reply.text, reply.link or "", reply.is_active)
    bot = request.app.state.bot
    words = {normalize(word): word for word in fixed_replies.split_keywords(form.keywords)}
    asked = FixedText(0, tuple(words.values()), "", None, normalized=tuple(words))
    try:
        fault = ""
        fixed_replies.check(form.text, form.link)
    except InvalidInput as found:
        fault = str(found)
    return page(
        request,
        "settings/fixed_reply.html",
        status=status,
        member=member,
        reply=reply,
        form=form,
        error=error,
        conflicts=_conflicts(request, asked, fixed_replies.titles_among(session, words)),
        parts=() if fault else bot.preview_fixed(form.text.strip(), form.link.strip() or None),
        fault=fault,
        size=len(form.text.strip().encode()),
        limit=fixed_replies.TEXT_LIMIT,
    )


def _see_list(request: Request) -> Response:
    return RedirectResponse(request.url_for("list_fixed_replies").path, status_code=303)


def _moment(text: str) -> datetime | None:
    """When the form was filled in from what was stored; None for a form that does not say so."""
    return datetime.fromisoformat(text) if text else None
