"""答复时限: within how many working days a reply is promised."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Transaction
from admin.errors import status_of
from admin.rendering import page
from knowledge import promise
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.models import StaffMember

router = APIRouter()


@router.get("/settings/promise")
def show_promise(request: Request, member: Administrator, session: Reading) -> Response:
    """What is promised now."""
    return _show(request, session, member, saved=request.query_params.get("saved") == "1")


@router.post("/settings/promise", dependencies=[OwnForm])
def save_promise(
    request: Request,
    member: Administrator,
    session: Transaction,
    days: Annotated[str, Form()] = "",
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Promise another number of working days from now on."""
    try:
        if not (days.isascii() and days.isdecimal()):
            raise InvalidInput("请填写整数")
        promise.save(session, int(days[:4]), against=against, actor=member.name, now=request.app.state.now())
    except (InvalidInput, SettingMoved) as error:
        status = status_of(error)
        return _show(request, session, member, days=days, error=str(error), status=status)
    return RedirectResponse(f"{request.url_for('show_promise').path}?saved=1", status_code=303)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    *,
    days: str | None = None,
    error: str = "",
    saved: bool = False,
    status: int = 200,
) -> Response:
    return page(
        request,
        "settings/promise.html",
        status=status,
        member=member,
        kept=promise.kept(session),
        days=promise.working_days(session) if days is None else days,
        shortest=promise.SHORTEST,
        longest=promise.LONGEST,
        error=error,
        saved=saved,
    )
