"""Who is signed in, what they may do, and that a form came from one of our pages."""

import hmac
import secrets
from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import Depends, Form, Request
from sqlmodel import Session

from admin.errors import NotAllowed, SignInNeeded
from knowledge import staff
from knowledge.models import Role, StaffMember

# A session ends after this long without a request, in seconds; every request renews the cookie.
IDLE_S = 2 * 60 * 60
_ORDER = list(Role)


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


def allow(role: Role) -> Callable[[Request], StaffMember]:
    """The permission of a route: the signed-in member, whose role is `role` or one above it."""

    def member(request: Request) -> StaffMember:
        stored = request.session.get("member")
        if not stored:
            raise SignInNeeded
        with request.app.state.database.reading() as session:
            found = staff.signed_in(session, stored["id"], stored["epoch"])
        if found is None:
            request.session.clear()
            raise SignInNeeded
        if _ORDER.index(Role(found.role)) < _ORDER.index(role):
            raise NotAllowed(f"这一页需要{role}权限")
        return found

    member.permission = role  # type: ignore[attr-defined] # read by the test that walks all routes
    return member


Viewer = Annotated[StaffMember, Depends(allow(Role.VIEWER))]
Curator = Annotated[StaffMember, Depends(allow(Role.CURATOR))]


def begin_session(request: Request, member: StaffMember) -> None:
    """Sign a member in: nothing of an earlier session is carried over, the form token least of all."""
    request.session.clear()
    request.session["member"] = {"id": member.id, "epoch": member.session_epoch}
    form_token(request)


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
