"""示例问题: the three questions offered to tap in the welcome and the help, each tried on the FAQ in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, assert_never

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Transaction
from admin.errors import status_of
from admin.rendering import page
from knowledge import curation, examples, fixed_replies, urgency
from knowledge.answering import Answered, Clarified, Unresolved
from knowledge.content.entries import TITLE_LIMIT
from knowledge.curation import EntryText
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.examples import Example
from knowledge.matching.normalize import normalize
from knowledge.models import StaffMember
from knowledge.working_days import local_day

router = APIRouter()
_NOTHING = ("",) * examples.COUNT


@dataclass(frozen=True, slots=True)
class Tried:
    """A question and what a tap on it gets now: the entry that answers it outright, or why none does."""

    question: str
    entry: EntryText | None
    fault: str = ""


@router.get("/settings/examples")
def show_examples(request: Request, member: Administrator, session: Reading) -> Response:
    """The questions that are offered, and what a tap on each gets."""
    saved = request.query_params.get("saved") == "1"
    return _show(request, session, member, in_force(request, session), saved=saved)


@router.post("/settings/examples", dependencies=[OwnForm])
def save_examples(
    request: Request,
    member: Administrator,
    session: Transaction,
    question: Annotated[Sequence[str], Form()] = _NOTHING,
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Offer these from now on; one that is not answered outright is refused."""
    tried = [_try(request, session, one) for one in question]
    chosen = [Example(one.entry.id, one.question) for one in tried if one.entry]
    try:
        if faults := [f"第{place}个：{one.fault}" for place, one in enumerate(tried, 1) if one.fault]:
            raise InvalidInput("\n".join(faults))
        examples.save(session, chosen, against=against, actor=member.name, now=request.app.state.now())
    except (InvalidInput, SettingMoved) as error:
        return _show(request, session, member, tried, errors=str(error).split("\n"), status=status_of(error))
    return RedirectResponse(f"{request.url_for('show_examples').path}?saved=1", status_code=303)


@router.post("/settings/examples/preview", dependencies=[OwnForm])
def preview_examples(
    request: Request, member: Administrator, session: Reading, question: Annotated[Sequence[str], Form()] = _NOTHING
) -> Response:
    """The same page with what was typed, and what a tap on each would get; nothing is kept."""
    return _show(request, session, member, [_try(request, session, one) for one in question])


@router.post("/settings/examples/restoration", dependencies=[OwnForm])
def restore_examples(
    request: Request, member: Administrator, session: Transaction, against: Annotated[int, Form()] = 0
) -> Response:
    """Back to the shipped ones."""
    try:
        examples.save(session, None, against=against, actor=member.name, now=request.app.state.now())
    except SettingMoved as error:
        tried = in_force(request, session)
        return _show(request, session, member, tried, errors=[str(error)], status=status_of(error))
    return RedirectResponse(f"{request.url_for('show_examples').path}?saved=1", status_code=303)


def in_force(request: Request, session: Session) -> list[Tried]:
    """The questions in force, each tried; one whose entry is not given any more is left out of what askers see."""
    listed = examples.in_force(session)
    titles = curation.titles_of(session, [one.entry_id for one in listed])
    tried = []
    for one in listed:
        result = _try(request, session, one.question or titles.get(one.entry_id, ""))
        if one.entry_id not in titles:
            result = Tried(result.question, None, f"原来答复它的条目 {one.entry_id} 已不在发布中，公众号不再显示它")
        tried.append(result)
    return tried


def _try(request: Request, session: Session, question: str) -> Tried:
    """What the account says to a question, by the steps of a conversation: commands, fixed replies, urgent, FAQ."""
    question = question.strip()
    if fault := examples.fault(question):
        return Tried(question, None, fault)
    if request.app.state.bot.is_command(question):
        return Tried(question, None, "这是公众号的口令，不会当作问题")
    if any(normalize(question) in one.normalized for one in fixed_replies.active(session)):
        return Tried(question, None, "这是固定回复的关键词，点按的人会得到固定回复")
    if urgent := urgency.first_match(urgency.active(session), question):
        return Tried(question, None, f"会触发紧急规则“{urgent.name}”，并登记为提问单")
    matcher = request.app.state.matcher
    outcome = matcher.outcome(session, matcher.decide(question), local_day(request.app.state.now()))
    match outcome:
        case Answered(entry=entry):
            return Tried(question, entry)
        case Clarified():
            return Tried(question, None, "不会直接答复：公众号会请提问人从几个条目里选")
        case Unresolved(is_withheld=is_withheld):
            why = "条目的律师签署已失效，按设置转人工" if is_withheld else "没有现成答复"
            return Tried(question, None, f"不会直接答复：{why}")
        case _:
            assert_never(outcome)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    tried: Sequence[Tried],
    *,
    errors: Sequence[str] = (),
    saved: bool = False,
    status: int = 200,
) -> Response:
    kept = examples.kept(session)
    return page(
        request,
        "settings/examples.html",
        status=status,
        member=member,
        tried=tried,
        kept=kept,
        is_shipped=not kept.data,
        longest=TITLE_LIMIT,
        errors=errors,
        saved=saved,
    )
