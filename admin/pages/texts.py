"""固定文案: what the account says beside the answers; changed with a preview, every version kept."""

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Transaction
from admin.bot_side import PhonePart
from admin.errors import status_of
from admin.pages import examples
from admin.rendering import page
from knowledge import texts
from knowledge.content.texts import LIMIT_BYTES, placeholder_meanings
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.models import StaffMember

router = APIRouter()


@router.get("/settings/texts")
def list_texts(request: Request, member: Administrator, session: Reading) -> Response:
    """Every text under the occasion it belongs to, and which of them staff have changed."""
    listed = texts.everything(session)
    groups = [(name, list(rows)) for name, rows in groupby(listed, key=lambda one: one.form.group)]
    offered = examples.in_force(request, session)
    return page(request, "settings/texts.html", member=member, groups=groups, examples=offered)


@router.get("/settings/texts/{key}")
def show_text(request: Request, key: str, member: Administrator, session: Reading) -> Response:
    """One text, as it is said now, as the phone shows it, and its versions."""
    return _show(request, session, member, key, saved=request.query_params.get("saved") == "1")


@router.post("/settings/texts/{key}", dependencies=[OwnForm])
def save_text(
    request: Request,
    key: str,
    member: Administrator,
    session: Transaction,
    text: Annotated[str, Form()] = "",
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Say it in these words from now on; running servers take it up within two seconds."""
    form, text = texts.by_key(session, key).form, texts.tidied(text)
    try:
        if not form.faults(text):
            _refuse_if_long(_parts(request, text))
        texts.save(session, key, text, against=against, actor=member.name, now=request.app.state.now())
    except (InvalidInput, SettingMoved) as error:
        status = status_of(error)
        return _show(request, session, member, key, text=text, errors=str(error).split("\n"), status=status)
    return RedirectResponse(f"{request.url_for('show_text', key=key).path}?saved=1", status_code=303)


@router.post("/settings/texts/{key}/preview", dependencies=[OwnForm])
def preview_text(
    request: Request, key: str, member: Administrator, session: Reading, text: Annotated[str, Form()] = ""
) -> Response:
    """The same page with what was typed, as the phone would show it; nothing is kept."""
    return _show(request, session, member, key, text=texts.tidied(text))


@router.post("/settings/texts/{key}/restoration", dependencies=[OwnForm])
def restore_text(
    request: Request,
    key: str,
    member: Administrator,
    session: Transaction,
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Back to the shipped wording."""
    try:
        texts.save(session, key, None, against=against, actor=member.name, now=request.app.state.now())
    except SettingMoved as error:
        return _show(request, session, member, key, errors=[str(error)], status=409)
    return RedirectResponse(f"{request.url_for('show_text', key=key).path}?saved=1", status_code=303)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    key: str,
    *,
    text: str | None = None,
    errors: list[str] | None = None,
    saved: bool = False,
    status: int = 200,
) -> Response:
    standing = texts.by_key(session, key)
    typed = standing.text if text is None else text
    faults = standing.form.faults(typed)
    return page(
        request,
        "settings/text.html",
        status=status,
        member=member,
        one=standing,
        typed=typed,
        errors=errors or [],
        faults=faults,
        parts=() if faults else _parts(request, typed),
        size=len(typed.strip().encode()),
        limit=LIMIT_BYTES,
        meanings=placeholder_meanings(),
        history=texts.history(session, key),
        saved=saved,
    )


def _parts(request: Request, text: str) -> tuple[PhonePart, ...]:
    parts: tuple[PhonePart, ...] = request.app.state.bot.preview_text(text)
    return parts


def _refuse_if_long(parts: tuple[PhonePart, ...]) -> None:
    if len(parts) > 1:
        size = sum(part.size_bytes for part in parts)
        raise InvalidInput(f"填好占位符后{size}字节，一条消息最多{parts[0].limit_bytes}字节，请写短一些")
