"""来信: find a past message, and replay what it was answered, by which texts, evidence and numbers."""

from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from admin.auth import Curator, Reading
from admin.paging import day_of, page_number
from admin.rendering import page
from knowledge import replay
from knowledge.errors import InvalidInput
from knowledge.matching.score import EVIDENCE
from knowledge.models import DecisionKind, Message
from knowledge.replay import Sought
from knowledge.working_days import local_day, start_of_day

router = APIRouter()
PER_PAGE = 30
_SHOWN_DAYS = 30
KINDS = {
    "question": "提问",
    "new_matter": "作为新问题",
    "tap": "点按",
    "command": "口令",
    "fixed": "固定回复",
    "event": "事件",
    "image": "图片",
    "voice": "语音",
}


@router.get("/messages")
def list_messages(request: Request, member: Curator, session: Reading) -> Response:
    """Messages of some days whose text holds ?q=, newest first; of an entry, a decision, if wanted."""
    query = request.query_params
    today, number = local_day(request.app.state.now()), page_number(request)
    typed = {name: query.get(name, "").strip()[:60] for name in ("q", "entry", "decision", "since", "until")}
    typed["since"] = typed["since"] or (today - timedelta(days=_SHOWN_DAYS)).isoformat()
    found: list[tuple[Message, str | None]] = []
    error = ""
    try:
        since, until = day_of(typed["since"]), day_of(typed["until"])
        if since and until and until < since:
            raise InvalidInput("截止日期不能早于起始日期")
        decision = typed["decision"] if typed["decision"] in tuple(DecisionKind) else ""
        first = start_of_day(since) if since else None
        last = start_of_day(until + timedelta(days=1)) if until else None
        sought = Sought(typed["q"], typed["entry"], decision, first, last)
        found = replay.find(session, sought, PER_PAGE + 1, (number - 1) * PER_PAGE)
    except InvalidInput as fault:
        error = str(fault)
    return page(
        request,
        "messages/list.html",
        status=422 if error else 200,
        member=member,
        found=found[:PER_PAGE],
        has_next=len(found) > PER_PAGE,
        number=number,
        typed=typed,
        kinds=KINDS,
        kept=urlencode({name: value for name, value in typed.items() if value}),
        error=error,
    )


@router.get("/messages/{message_id}")
def replay_message(request: Request, message_id: int, member: Curator, session: Reading) -> Response:
    """One message as it was answered."""
    replayed = replay.of_message(session, message_id)
    bot = request.app.state.bot
    message = replayed.message
    return page(
        request,
        "messages/show.html",
        member=member,
        replayed=replayed,
        message=message,
        parts=bot.shown((message.reply,)) if message.reply else (),
        weights=_in_use(replayed),
        is_trained=message.classifier_version is not None and message.classifier_version == message.content_version,
        evidence_names=EVIDENCE,
        kinds=KINDS,
    )


def _in_use(replayed: replay.Replayed) -> dict[str, float] | None:
    """The thresholds (0 to 1) that decided the message; None where they were not kept."""
    if replayed.weights is None:
        return None
    trained = replayed.message.classifier_version == replayed.message.content_version
    chosen = replayed.weights.trained if trained else replayed.weights.lookup
    best = str(replayed.message.candidates[0]["id"]) if replayed.message.candidates else ""
    return {
        "直接答复的界限": chosen.answer_level(best),
        "请提问人确认的界限": chosen.clarify_at,
        "算作法律问题的界限": chosen.law_at,
    }
