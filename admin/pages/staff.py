"""人员: who may sign in, and as what; and each member's own password and second factor."""

from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from sqlmodel import Session

from admin.auth import ROLE_NAMES, Administrator, OwnForm, Reading, Transaction, Viewer, begin_session
from admin.rendering import page
from knowledge import staff
from knowledge.errors import InvalidInput
from knowledge.models import Role, StaffMember
from knowledge.passwords import SHORTEST

router = APIRouter()


@router.get("/staff")
def list_staff(request: Request, member: Administrator, session: Reading) -> Response:
    """Everybody who may sign in, or once might."""
    return _list(request, session, member)


@router.post("/staff", dependencies=[OwnForm])
def add_staff(
    request: Request,
    member: Administrator,
    session: Transaction,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = Role.CURATOR,
) -> Response:
    """Add a member with a first password, which they change on their own page."""
    try:
        staff.add(session, name, password, _role(role), request.app.state.now(), actor=member.name)
    except InvalidInput as error:
        return _list(request, session, member, name=name, role=role, error=str(error))
    return _see(request, "list_staff")


@router.get("/staff/{member_id}")
def show_staff(request: Request, member_id: int, member: Administrator, session: Reading) -> Response:
    """One member: role, access, password, second factor."""
    return _show(request, session, member, member_id)


@router.post("/staff/{member_id}/access", dependencies=[OwnForm])
def change_access(
    request: Request,
    member_id: int,
    member: Administrator,
    session: Transaction,
    role: Annotated[str, Form()] = "",
    is_active: Annotated[str, Form()] = "",
) -> Response:
    """Another role, or access shut or opened; the member's sessions end."""
    try:
        chosen = _role(role)
        with session.begin_nested():
            staff.change(
                session,
                member_id,
                role=chosen,
                is_active=is_active == "1",
                actor=member.name,
                now=request.app.state.now(),
            )
    except InvalidInput as error:
        session.expire_all()
        return _show(request, session, member, member_id, error=str(error))
    return _see(request, "list_staff")


@router.post("/staff/{member_id}/password", dependencies=[OwnForm])
def reset_password(
    request: Request,
    member_id: int,
    member: Administrator,
    session: Transaction,
    password: Annotated[str, Form()] = "",
) -> Response:
    """Set another member's password; their sessions end."""
    name = staff.by_id(session, member_id).name
    try:
        staff.set_password(session, name, password, request.app.state.now(), actor=member.name)
    except InvalidInput as error:
        return _show(request, session, member, member_id, error=str(error))
    return _see(request, "list_staff")


@router.post("/staff/{member_id}/second-factor/removal", dependencies=[OwnForm])
def reset_second_factor(request: Request, member_id: int, member: Administrator, session: Transaction) -> Response:
    """A lost phone: the member signs in with the password alone until they set it up again."""
    staff.remove_second_factor(session, staff.by_id(session, member_id), member.name, request.app.state.now())
    return _see(request, "list_staff")


@router.get("/account")
def show_account(request: Request, member: Viewer) -> Response:
    """One's own password and second factor."""
    return _account(request, member, done=request.query_params.get("done", ""))


@router.post("/account/password", dependencies=[OwnForm])
def change_password(
    request: Request,
    signed_in: Viewer,
    session: Transaction,
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Set one's own password. Every other session ends; this one goes on under a new key."""
    member = staff.by_id(session, _id(signed_in))
    try:
        if new != again:
            raise InvalidInput("两次输入的新密码不一致")
        staff.change_own_password(session, member, current, new, request.app.state.now())
    except InvalidInput as error:
        return _account(request, member, error=str(error))
    begin_session(request, session, member)
    return _see(request, "show_account", done="password")


@router.post("/account/second-factor", dependencies=[OwnForm])
def propose_second_factor(request: Request, signed_in: Viewer, session: Transaction) -> Response:
    """Show a secret for an authenticator app."""
    staff.propose_second_factor(session, request.app.state.encryption, staff.by_id(session, _id(signed_in)))
    return _see(request, "show_account")


@router.post("/account/second-factor/confirmation", dependencies=[OwnForm])
def confirm_second_factor(
    request: Request, signed_in: Viewer, session: Transaction, code: Annotated[str, Form()] = ""
) -> Response:
    """Switch the second factor on once the app gives the right code."""
    member = staff.by_id(session, _id(signed_in))
    try:
        staff.confirm_second_factor(session, request.app.state.encryption, member, code, request.app.state.now())
    except InvalidInput as error:
        return _account(request, member, error=str(error))
    return _see(request, "show_account", done="second-factor")


@router.post("/account/second-factor/removal", dependencies=[OwnForm])
def remove_second_factor(
    request: Request, signed_in: Viewer, session: Transaction, code: Annotated[str, Form()] = ""
) -> Response:
    """Switch one's own second factor off, for which a code is needed."""
    member = staff.by_id(session, _id(signed_in))
    now = request.app.state.now()
    if not staff.check_code(session, request.app.state.encryption, member, code, now):
        return _account(request, member, error="验证码不对或已经用过，请等下一个")
    staff.remove_second_factor(session, member, member.name, now)
    begin_session(request, session, member)
    return _see(request, "show_account", done="second-factor-off")


def _list(
    request: Request,
    session: Session,
    member: StaffMember,
    *,
    name: str = "",
    role: str = Role.CURATOR,
    error: str = "",
) -> Response:
    return page(
        request,
        "staff/list.html",
        status=422 if error else 200,
        member=member,
        people=[(one, staff.attempts(session, one.name, request.app.state.now())) for one in staff.everybody(session)],
        many=staff.ATTEMPTS,
        name=name,
        role=role,
        error=error,
        shortest=SHORTEST,
    )


def _show(request: Request, session: Session, member: StaffMember, member_id: int, *, error: str = "") -> Response:
    return page(
        request,
        "staff/show.html",
        status=422 if error else 200,
        member=member,
        person=staff.by_id(session, member_id),
        error=error,
        shortest=SHORTEST,
    )


def _account(request: Request, member: StaffMember, *, error: str = "", done: str = "") -> Response:
    secret = staff.pending_secret(request.app.state.encryption, member)
    picture = ""
    if secret:
        code = segno.make(staff.second_factor_address(member, secret), error="m")
        # Our own drawing, without style attributes, which the content-security policy forbids.
        picture = Markup(code.svg_inline(scale=4, border=2, dark="#000", light="#fff"))  # noqa: S704 # made by segno
    return page(
        request,
        "staff/account.html",
        status=422 if error else 200,
        member=member,
        role_name=ROLE_NAMES[Role(member.role)],
        secret=secret,
        picture=picture,
        error=error,
        done=done,
        shortest=SHORTEST,
    )


def _see(request: Request, name: str, **query: str) -> Response:
    address = request.url_for(name).include_query_params(**query)
    return RedirectResponse(f"{address.path}?{address.query}" if query else address.path, status_code=303)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InvalidInput(f"没有“{text}”这种权限") from error


def _id(member: StaffMember) -> int:
    assert member.id is not None, "a signed-in member is stored"
    return member.id
