"""Who is signed in, what they may do, and that a form came from one of our pages."""

import hmac
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Form, Request
from sqlmodel import Session

from admin.errors import NotAllowed, SignInNeeded
from knowledge import staff
from knowledge.models import Role, StaffMember

# A session ends after this long without a request, in seconds; every request renews the cookie.
IDLE_S = 2 * 60 * 60
# Between the password and the second factor's code, in seconds.
CODE_WITHIN_S = 5 * 60
_ORDER = list(Role)
ROLE_NAMES = {
    Role.VIEWER: "查看",
    Role.CURATOR: "编辑",
    Role.REVIEWER: "审核（律师）",
    Role.ADMINISTRATOR: "管理员",
}


def transaction(request: Request) -> Iterator[Session]:
    """One unit of work per request; it commits before the answer leaves (style.md §9)."""
    with request.app.state.database.writing() as session:
        yield session


def reading(request: Request) -> Iterator[Session]:
    """A session to look with."""
    with request.app.state.database.reading() as session:
        yield session


Transaction = Annotated[Session, Depends(transaction, scope="function")]
Reading = Annotated[Session, Depends(reading, scope="function")]


def may(member: StaffMember, role: Role | str) -> bool:
    """Whether a member's role is `role` or one above it."""
    return _ORDER.index(Role(member.role)) >= _ORDER.index(Role(role))


def allow(role: Role) -> Callable[[Request], StaffMember]:
    """The permission of a route: the signed-in member, whose role is `role` or one above it."""

    def member(request: Request) -> StaffMember:
        found = signed_in(request)
        if found is None:
            request.session.clear()
            raise SignInNeeded
        if not may(found, role):
            raise NotAllowed(f"这一页需要“{ROLE_NAMES[role]}”权限，您的权限是“{ROLE_NAMES[Role(found.role)]}”")
        return found

    member.permission = role  # type: ignore[attr-defined] # read by the test that walks all routes
    return member


Viewer = Annotated[StaffMember, Depends(allow(Role.VIEWER))]
Curator = Annotated[StaffMember, Depends(allow(Role.CURATOR))]
Reviewer = Annotated[StaffMember, Depends(allow(Role.REVIEWER))]
Administrator = Annotated[StaffMember, Depends(allow(Role.ADMINISTRATOR))]


def signed_in(request: Request) -> StaffMember | None:
    """Who is signed in, if anybody; a session left idle for IDLE_S is over."""
    key, seen = request.session.get("key"), request.session.get("seen", 0)
    now: datetime = request.app.state.now()
    if not key or now.timestamp() - seen > IDLE_S:
        return None
    with request.app.state.database.reading() as session:
        found: StaffMember | None = staff.signed_in(session, key, now)
    if found is not None:
        request.session["seen"] = now.timestamp()
    return found


def begin_session(request: Request, session: Session, member: StaffMember) -> None:
    """Sign a member in: nothing of an earlier session is carried over, the form token least of all."""
    now: datetime = request.app.state.now()
    end_session(request, session)
    request.session["key"] = staff.begin_session(session, member, now)
    request.session["seen"] = now.timestamp()
    form_token(request)


def end_session(request: Request, session: Session) -> None:
    """Sign out: the session's row goes, so that no copy of the cookie works any more."""
    key = request.session.get("key")
    if key:
        staff.end_session(session, key)
    request.session.clear()


def await_code(request: Request, member: StaffMember) -> None:
    """The password was right and the second factor is still to come: nobody is signed in yet."""
    request.session.clear()
    request.session["awaits"] = {
        "id": member.id,
        "epoch": member.session_epoch,
        "since": request.app.state.now().timestamp(),
    }
    form_token(request)


def awaited(request: Request, session: Session) -> StaffMember | None:
    """Whose code is awaited; None where the password was not given, or too long ago, or changed since."""
    stored = request.session.get("awaits")
    if not stored or request.app.state.now().timestamp() - stored["since"] > CODE_WITHIN_S:
        return None
    member = session.get(StaffMember, stored["id"])
    return member if member and member.is_active and member.session_epoch == stored["epoch"] else None


def form_token(request: Request) -> str:
    """The token every form of this session carries."""
    token: str = request.session.setdefault("form_token", secrets.token_urlsafe(24))
    return token


def own_form(request: Request, form_token: Annotated[str, Form()] = "") -> None:
    """Refuse a form that did not come from one of our pages (cross-site request forgery)."""
    expected = request.session.get("form_token", "")
    if not expected or not hmac.compare_digest(expected.encode(), form_token.encode()):
        raise NotAllowed("页面已过期，请返回重新打开后再提交")


OwnForm = Depends(own_form)
