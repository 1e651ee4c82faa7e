"""今日: the next thing to do, and how answering goes."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from admin.auth import Reading, Viewer
from admin.rendering import page
from knowledge import catalogue, corrections, figures, inbox, overview, signing
from knowledge.inbox import Wanted
from knowledge.reports.counting import QUESTION_IS
from knowledge.statutes import rereview
from knowledge.working_days import local_day

router = APIRouter()
TREND_DAYS = 14
_ASKED_SHOWN = 15


@router.get("/")
def home(request: Request, member: Viewer, session: Reading) -> Response:
    """What waits, what is due, what people asked today, and the share answered at once."""
    now = request.app.state.now()
    today = local_day(now)
    figures_unset, figures_past_due = figures.to_see_to(session, today)
    return page(
        request,
        "home.html",
        member=member,
        today=today,
        waiting=overview.waiting(session, today),
        next_groups=inbox.groups(session, Wanted(), 5, 0),
        mine=inbox.count(session, Wanted(assignee_id=member.id))[1],
        due_entries=overview.entries_due(session, today, timedelta(days=30)),
        due_count=catalogue.count(session, catalogue.Wanted(due="soon"), today),
        rereviews=len(rereview.entries_due(session)),
        to_sign=signing.count_to_sign(session, today),
        lapsed=signing.count_lapsed(session, today),
        figures_unset=figures_unset,
        figures_past_due=figures_past_due,
        to_confirm=corrections.count_proposed(session),
        stages=overview.drafts_by_status(session),
        days=overview.days(session, now, TREND_DAYS),
        question_is=QUESTION_IS,
        asked=overview.asked_lately(session, now, _ASKED_SHOWN),
    )
