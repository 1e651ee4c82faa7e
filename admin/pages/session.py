"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from admin.auth import OwnForm, Transaction, begin_session
from admin.rendering import page
from knowledge import staff

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
    begin_session(request, member)
    home = request.url_for("list_inquiries").path
    root = request.scope.get("root_path", "")
    # Only a path of ours: an address from outside in `next` would send the member elsewhere.
    target = next if next.startswith(f"{root}/") and "//" not in next and "\\" not in next else home
    return RedirectResponse(target, status_code=303)


@router.post("/sign-out", dependencies=[OwnForm])
def sign_out(request: Request) -> Response:
    """End the session."""
    request.session.clear()
    return RedirectResponse(request.url_for("sign_in_page").path, status_code=303)
