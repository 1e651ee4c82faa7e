"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import OwnForm, Transaction, await_code, awaited, begin_session, end_session
from admin.rendering import page
from knowledge import audit, staff
from knowledge.models import StaffMember

router = APIRouter()


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """The form; open to everybody."""
    return page(request, "session/sign_in.html", name="", error="", next=request.query_params.get("next", ""))


@router.post("/sign-in", dependencies=[OwnForm])
def sign_in(
    request: Request,
    session: Transaction,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002 # the field's usual name
) -> Response:
    """Check name and password; a failure says no more than that it failed."""
    member = staff.sign_in(session, name, password, request.app.state.now())
    if member is None:
        error = f"用户名或密码不对。连续输错{staff.ATTEMPTS}次将锁定15分钟。"
        return page(request, "session/sign_in.html", status=401, name=name, error=error, next=next)
    if member.totp_secret is not None:
        await_code(request, member)
        return page(request, "session/code.html", error="", next=next)
    return _let_in(request, session, member, next)


@router.post("/sign-in/code", dependencies=[OwnForm])
def sign_in_with_code(
    request: Request,
    session: Transaction,
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002 # the field's usual name
) -> Response:
    """Check the second factor of whoever gave the right password just before."""
    member = awaited(request, session)
    if member is None:
        error = "请重新输入用户名和密码。"
        return page(request, "session/sign_in.html", status=401, name="", error=error, next=next)
    if not staff.check_code(session, member, code, request.app.state.now()):
        error = f"验证码不对或已经用过，请等下一个。连续输错{staff.ATTEMPTS}次将锁定15分钟。"
        return page(request, "session/code.html", status=401, error=error, next=next)
    return _let_in(request, session, member, next)


@router.post("/sign-out", dependencies=[OwnForm])
def sign_out(request: Request, session: Transaction) -> Response:
    """End the session."""
    end_session(request, session)
    return RedirectResponse(request.url_for("sign_in_page").path, status_code=303)


def _let_in(request: Request, session: Session, member: StaffMember, target: str) -> Response:
    begin_session(request, session, member)
    audit.record(
        session,
        actor=member.name,
        action="staff.sign_in",
        subject=f"staff {member.name}",
        before=None,
        after=None,
        now=request.app.state.now(),
    )
    root = request.scope.get("root_path", "")
    # Only a path of ours: an address from outside in `next` would send the member elsewhere.
    is_ours = target.startswith(f"{root}/") and "//" not in target and "\\" not in target
    return RedirectResponse(target if is_ours else f"{root}/", status_code=303)
