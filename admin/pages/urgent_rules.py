"""紧急规则: how an urgent matter is recognised, and the number that is said before anything else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Transaction
from admin.errors import status_of
from admin.rendering import page
from knowledge import urgency
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.fixed_replies import split_keywords
from knowledge.matching.normalize import normalize
from knowledge.models import StaffMember, UrgentRule

router = APIRouter()
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form: patterns one a line (groups joined by +, words by 、), exceptions, what is said."""

    name: str = ""
    patterns: str = ""
    exceptions: str = ""
    reply: str = ""
    is_active: bool = True
    try_text: str = ""

    @property
    def draft(self) -> urgency.Draft:
        """The same as a rule has it."""
        patterns = [
            [split_keywords(group) for group in line.replace("＋", "+").split("+")]
            for line in self.patterns.splitlines()
            if line.strip()
        ]
        return urgency.Draft(patterns, split_keywords(self.exceptions), self.reply, self.is_active)


def typed(
    name: Annotated[str, Form()] = "",
    patterns: Annotated[str, Form()] = "",
    exceptions: Annotated[str, Form()] = "",
    reply: Annotated[str, Form()] = "",
    is_active: Annotated[str, Form()] = "",
    try_text: Annotated[str, Form()] = "",
) -> Typed:
    """The form as it was sent."""
    return Typed(name.strip(), patterns, exceptions, reply, is_active == "1", try_text.strip()[:LONGEST])


TypedForm = Annotated[Typed, Depends(typed)]


@router.get("/settings/urgent-rules")
def list_urgent_rules(request: Request, member: Administrator, session: Reading) -> Response:
    """All rules in the order in which they are tried; with ?q=, which of them a sentence triggers and why."""
    return _list(request, session, member, moved=request.query_params.get("moved", ""))


def _list(
    request: Request, session: Session, member: StaffMember, *, moved: str = "", error: str = "", status: int = 200
) -> Response:
    text = request.query_params.get("q", "").strip()[:LONGEST]
    rules = urgency.everything(session)
    found = urgency.first_match(urgency.active(session), text) if text else None
    return page(
        request,
        "settings/urgent_rules.html",
        status=status,
        member=member,
        rules=[(rule, urgency.numbers(rule.reply)) for rule in rules],
        text=text,
        found=found,
        why=_why(found, text) if found else [],
        longest=LONGEST,
        moved=moved,
        went_up=request.query_params.get("way") == "up",
        error=error,
    )


@router.get("/settings/urgent-rules/new")
def new_urgent_rule(request: Request, member: Administrator) -> Response:
    """An empty form."""
    return _show(request, member, None, Typed())


@router.post("/settings/urgent-rules/preview", dependencies=[OwnForm])
def preview_new_urgent_rule(request: Request, member: Administrator, form: TypedForm) -> Response:
    """The empty form with what was typed: what would be said, and whether a sentence triggers it."""
    return _show(request, member, None, form)


@router.post("/settings/urgent-rules", dependencies=[OwnForm])
def add_urgent_rule(request: Request, member: Administrator, session: Transaction, form: TypedForm) -> Response:
    """Make one, tried after all others."""
    try:
        with session.begin_nested():
            urgency.add_last(session, form.name, form.draft, member.name, request.app.state.now())
    except InvalidInput as error:
        return _show(request, member, None, form, error=str(error), status=422)
    return _see_list(request)


@router.get("/settings/urgent-rules/{rule_id}")
def show_urgent_rule(request: Request, rule_id: str, member: Administrator, session: Reading) -> Response:
    """One rule, to be changed, switched off or deleted."""
    return _show(request, member, urgency.by_id(session, rule_id))


@router.post("/settings/urgent-rules/{rule_id}/preview", dependencies=[OwnForm])
def preview_urgent_rule(
    request: Request, rule_id: str, member: Administrator, session: Reading, form: TypedForm
) -> Response:
    """The same page with what was typed; nothing is kept."""
    return _show(request, member, urgency.by_id(session, rule_id), form)


@router.post("/settings/urgent-rules/{rule_id}", dependencies=[OwnForm])
def change_urgent_rule(
    request: Request,
    rule_id: str,
    member: Administrator,
    session: Transaction,
    form: TypedForm,
    against: Annotated[str, Form()] = "",
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Save what was typed; a rule for danger to life is switched off only with the tick that confirms it."""
    try:
        with session.begin_nested():
            urgency.change(
                session,
                rule_id,
                form.draft,
                name=form.name,
                now=request.app.state.now(),
                actor=member.name,
                against=datetime.fromisoformat(against) if against else None,
                confirmed=confirmed == "1",
            )
    except (InvalidInput, SettingMoved) as error:
        session.expire_all()
        status = status_of(error)
        return _show(request, member, urgency.by_id(session, rule_id), form, error=str(error), status=status)
    return _see_list(request)


@router.post("/settings/urgent-rules/{rule_id}/place", dependencies=[OwnForm])
def move_urgent_rule(
    request: Request,
    rule_id: str,
    member: Administrator,
    session: Transaction,
    past: Annotated[str, Form()] = "",
    way: Annotated[str, Form()] = "",
) -> Response:
    """Try it before, or after, the neighbour it was seen beside; the order decides which rule speaks."""
    try:
        with session.begin_nested():
            urgency.move(session, rule_id, past=past, actor=member.name, now=request.app.state.now())
    except SettingMoved as error:
        return _list(request, session, member, error=str(error), status=status_of(error))
    query = urlencode({"moved": rule_id, "way": way})
    return RedirectResponse(f"{request.url_for('list_urgent_rules').path}?{query}", status_code=303)


@router.post("/settings/urgent-rules/{rule_id}/removal", dependencies=[OwnForm])
def remove_urgent_rule(
    request: Request,
    rule_id: str,
    member: Administrator,
    session: Transaction,
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Delete a rule; one for danger to life only with the tick that confirms it."""
    try:
        urgency.remove(session, rule_id, request.app.state.now(), member.name, confirmed=confirmed == "1")
    except InvalidInput as error:
        rule = urgency.by_id(session, rule_id)
        return _show(request, member, rule, error=str(error), status=422)
    return _see_list(request)


def _show(
    request: Request,
    member: StaffMember,
    rule: UrgentRule | None,
    form: Typed | None = None,
    *,
    error: str = "",
    status: int = 200,
) -> Response:
    form = form or _as_typed(rule)
    draft = form.draft
    trial = urgency.applied(
        UrgentRule(
            id="", name=form.name, position=0, patterns=draft.patterns, exceptions=draft.exceptions,
            reply=draft.reply, updated_at=request.app.state.now(),
        )
    )  # fmt: skip
    is_match = bool(form.try_text) and trial.matches(normalize(form.try_text))
    return page(
        request,
        "settings/urgent_rule.html",
        status=status,
        member=member,
        rule=rule,
        form=form,
        error=error,
        numbers=urgency.numbers(form.reply),
        is_match=is_match,
        why=_why(trial, form.try_text) if is_match else [],
        stopped_by=[word for word in draft.exceptions if normalize(word) in normalize(form.try_text)],
        parts=request.app.state.bot.preview_fixed(form.reply.strip()[:LONGEST], None),
        is_life_danger=rule is not None and rule.id in urgency.LIFE_DANGER,
        reply_limit=urgency.REPLY_LIMIT,
        name_limit=urgency.NAME_LIMIT,
    )


def _as_typed(rule: UrgentRule | None) -> Typed:
    assert rule is not None, "an empty form is given for a new rule"
    lines = [" + ".join("、".join(group) for group in pattern) for pattern in rule.patterns]
    return Typed(rule.name, "\n".join(lines), "、".join(rule.exceptions), rule.reply.strip(), rule.is_active)


def _why(rule: urgency.Urgent, text: str) -> list[str]:
    """The words by which a rule recognises a text, of the first pattern that holds."""
    normalized = normalize(text)
    for pattern in rule.patterns:
        found = [next((word for word in group if word in normalized), None) for group in pattern]
        if all(found):
            return [word for word in found if word]
    return []


def _see_list(request: Request) -> Response:
    return RedirectResponse(request.url_for("list_urgent_rules").path, status_code=303)
