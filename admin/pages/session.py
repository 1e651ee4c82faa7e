"""Signing in and out."""

from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Form, Request, Response
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


async def slowed(request: Request, name: Annotated[str, Form()] = "") -> None:
    """Keep an attempt waiting where many were made for its name; async, so that no thread waits with it."""
    await anyio.sleep(await anyio.to_thread.run_sync(_wait_s, request, name))


@router.post("/sign-in", dependencies=[OwnForm, Depends(slowed)])
def sign_in(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002 # the field's usual name
) -> Response:
    """Check name and password; a failure says no more than that it failed.

    The attempt is counted before the password is looked at, so that many at once are not more than allowed; and it
    is looked at outside of any unit of work, since that takes long on purpose.
    """
    database, now = request.app.state.database, request.app.state.now()
    with database.reading() as session:
        member = staff.named(session, name)
    source = request.app.state.devices.source(request, member)
    with database.writing() as session:
        may_try = staff.count_attempt(session, name, source, now)
    if not may_try:
        error = "输错次数过多，请15分钟后再试。忘记密码请联系管理员重设。"
        return page(request, "session/sign_in.html", status=429, name=name, error=error, next=next)
    if not staff.is_password_of(member, password):
        error = f"用户名或密码不对。15分钟内最多输错{staff.ATTEMPTS}次。"
        return page(request, "session/sign_in.html", status=401, name=name, error=error, next=next)
    assert member is not None
    with database.writing() as session:
        staff.forget_attempts(session, name, source)
        if member.totp_secret is None:
            return _let_in(request, session, member, next)
    await_code(request, member)
    return page(request, "session/code.html", error="", next=next)


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
    if not staff.check_code(session, request.app.state.encryption, member, code, request.app.state.now()):
        error = f"验证码不对或已经用过，请等下一个。15分钟内最多输错{staff.ATTEMPTS}次。"
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
    response = RedirectResponse(target if is_ours else f"{root}/", status_code=303)
    request.app.state.devices.remember(request, response, member)
    return response


def _wait_s(request: Request, name: str) -> float:
    with request.app.state.database.reading() as session:
        if request.app.state.devices.known(request, staff.named(session, name)):
            return 0.0
        return staff.wait_s(session, name, request.app.state.now())
