"""操作记录: who changed what and when."""

from fastapi import APIRouter, Request, Response

from admin.auth import Administrator, Reading
from admin.paging import page_number
from admin.rendering import page
from knowledge import audit

router = APIRouter()
PER_PAGE = 50


@router.get("/audit")
def list_audit(request: Request, member: Administrator, session: Reading) -> Response:
    """Records by actor, kind of action and subject, newest first."""
    actor, action, subject = (
        request.query_params.get(name, "").strip()[:60] for name in ("actor", "action", "subject")
    )
    number = page_number(request)
    found = audit.find(
        session,
        actor=actor,
        action=action,
        subject=subject,
        limit=PER_PAGE + 1,
        offset=(number - 1) * PER_PAGE,
    )
    return page(
        request,
        "audit/list.html",
        member=member,
        records=[(one, audit.changed(one)) for one in found[:PER_PAGE]],
        has_next=len(found) > PER_PAGE,
        number=number,
        actor=actor,
        action=action,
        subject=subject,
    )
