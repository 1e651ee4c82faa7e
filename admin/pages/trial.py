"""试问: what would the account say, and why; and trials kept as test cases."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Curator, OwnForm, Reading, Transaction, Viewer
from admin.bot_side import Trial
from admin.paging import page_number
from admin.rendering import page
from knowledge import particulars, test_cases
from knowledge.errors import InvalidInput, NotFound
from knowledge.matching.normalize import normalize
from knowledge.matching.score import EVIDENCE
from knowledge.models import FaqEntry, StaffMember

router = APIRouter()
PER_PAGE = 20
LONGEST = 1000


@router.get("/trial")
def show_trial(request: Request, member: Viewer, session: Reading) -> Response:
    """Try ?q=: the reply as the phone shows it, the decision, the evidence in words. Nothing is kept."""
    text = request.query_params.get("q", "").strip()[:LONGEST]
    return _show(request, session, member, text, request.app.state.bot.attempt(text) if text else None)


@router.post("/trial/cases", dependencies=[OwnForm])
def keep_case(
    request: Request,
    member: Curator,
    session: Transaction,
    text: Annotated[str, Form()] = "",
    entry: Annotated[str, Form()] = "",
    tried: Annotated[str, Form()] = "",
) -> Response:
    """Keep a trial as a test case, in a wording freed of personal details."""
    try:
        test_cases.keep(session, text, entry.strip() or None, member.name, request.app.state.now())
    except (InvalidInput, NotFound) as error:
        # Not tried again here: a trial is a unit of work of its own, and this one is still open.
        return _show(request, session, member, tried, None, wording=text, entry=entry, error=str(error))
    return RedirectResponse(f"{request.url_for('show_trial').path}?kept=1", status_code=303)


@router.post("/trial/cases/{case_id}/removal", dependencies=[OwnForm])
def remove_case(request: Request, case_id: int, member: Curator, session: Transaction) -> Response:
    """Take a test case out."""
    test_cases.remove(session, case_id, member.name, request.app.state.now())
    return RedirectResponse(request.url_for("show_trial").path, status_code=303)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    text: str,
    trial: Trial | None,
    *,
    wording: str | None = None,
    entry: str | None = None,
    error: str = "",
) -> Response:
    decision = trial.decision if trial else None
    best = decision.ranked[0] if decision and decision.ranked else None
    number = page_number(request)
    cases = test_cases.newest(session, PER_PAGE + 1, (number - 1) * PER_PAGE)
    expected = best.id if best and decision and decision.kind == "answer" else ""
    return page(
        request,
        "trial.html",
        status=422 if error else 200,
        member=member,
        text=text,
        trial=trial,
        decision=decision,
        concepts=request.app.state.matcher.index.lexicon.found(normalize(text)),
        evidence_names=EVIDENCE,
        wording=particulars.free(text).text if wording is None else wording,
        expected=expected if entry is None else entry,
        error=error,
        kept=request.query_params.get("kept") == "1",
        cases=[(one, _title(session, one.entry_id)) for one in cases[:PER_PAGE]],
        has_next=len(cases) > PER_PAGE,
        number=number,
        longest=LONGEST,
    )


def _title(session: Session, entry_id: str | None) -> str:
    found = session.get(FaqEntry, entry_id) if entry_id else None
    return found.title if found else ""
