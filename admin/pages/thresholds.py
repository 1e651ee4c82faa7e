"""阈值: the levels from which the account answers outright, in words; changed only after a look at what that does."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Transaction
from admin.effects import effects
from admin.errors import status_of
from admin.rendering import page
from knowledge import comparison, jobs, test_cases, thresholds, tuning
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.matching.budget import Budget
from knowledge.matching.weights import parse_weights
from knowledge.models import DOMAIN_NAMES, StaffMember

router = APIRouter()
SET_NAMES = {"trained": "平时", "lookup": "刚发布、分类器还在训练时"}


@router.get("/settings/thresholds")
def show_thresholds(request: Request, member: Administrator, session: Reading) -> Response:
    """The numbers in force, how they do, the form to propose others, and what waits in shadow."""
    return _show(request, session, member)


@router.post("/settings/thresholds", dependencies=[OwnForm])
def propose_thresholds(
    request: Request, member: Administrator, session: Transaction, level: Annotated[Sequence[str], Form()] = ()
) -> Response:
    """Propose other levels; the page of the proposal shows what they change."""
    now = request.app.state.now()
    names = list(thresholds.levels_of(tuning.weights_in_force(session)))
    typed = dict(zip(names, level, strict=False))
    try:
        made = thresholds.propose(session, _numbers(names, typed), member.name, now)
    except InvalidInput as error:
        return _show(request, session, member, typed=typed, error=str(error))
    return _compare(request, session, made, member)


@router.post("/settings/thresholds/budget", dependencies=[OwnForm])
def propose_budget(
    request: Request,
    member: Administrator,
    session: Reading,
    wrong: Annotated[str, Form()] = "",
    foreign: Annotated[str, Form()] = "",
) -> Response:
    """Propose the levels that keep to an error budget; computed before the unit of work that keeps them."""
    now = request.app.state.now()
    try:
        budget = Budget(precision=1 - _share(wrong), false_answers=_share(foreign))
        levels = thresholds.levels_for(session, request.app.state.matcher.engine, budget)
        with request.app.state.database.writing() as writing:
            made = thresholds.propose(writing, levels, member.name, now)
            return _compare(request, writing, made, member)
    except InvalidInput as error:
        return _show(request, session, member, budget={"wrong": wrong, "foreign": foreign}, budget_error=str(error))


@router.post("/settings/thresholds/measurement", dependencies=[OwnForm])
def measure(request: Request, member: Administrator, session: Transaction) -> Response:
    """Measure the numbers in force on the questions whose answer is known, as a job."""
    thresholds.request(session, 0, member.name, request.app.state.now())
    return RedirectResponse(request.url_for("show_thresholds").path, status_code=303)


@router.post("/settings/thresholds/restoration", dependencies=[OwnForm])
def restore_shipped(request: Request, member: Administrator, session: Transaction) -> Response:
    """Propose the shipped numbers, compared like any others before they are put in force."""
    try:
        made = thresholds.propose_shipped(session, member.name, request.app.state.now())
    except InvalidInput as error:
        return _show(request, session, member, error=str(error))
    return _compare(request, session, made, member)


@router.get("/settings/thresholds/{weights_id}")
def show_proposal(request: Request, weights_id: int, member: Administrator, session: Reading) -> Response:
    """A proposal beside what is in force: how far the comparison is, what it found, and what to do with it."""
    return _show_proposal(request, session, member, weights_id)


@router.post("/settings/thresholds/{weights_id}/comparison", dependencies=[OwnForm])
def compare_proposal(request: Request, weights_id: int, member: Administrator, session: Transaction) -> Response:
    """Compare it with what is in force now."""
    tuning.by_id(session, weights_id)
    return _compare(request, session, weights_id, member)


@router.post("/settings/thresholds/{weights_id}/comparison/cancellation", dependencies=[OwnForm])
def cancel_comparison(request: Request, weights_id: int, member: Administrator, session: Transaction) -> Response:
    """Stop it; it can be asked for again."""
    del member
    tuning.by_id(session, weights_id)
    job = thresholds.newest(session, weights_id)
    if job is not None and job.id is not None:
        jobs.cancel(session, job.id, request.app.state.now())
    return RedirectResponse(request.url_for("show_proposal", weights_id=weights_id).path, status_code=303)


@router.post("/settings/thresholds/{weights_id}/activation", dependencies=[OwnForm])
def activate_proposal(
    request: Request,
    weights_id: int,
    member: Administrator,
    session: Transaction,
    job: Annotated[int, Form()] = 0,
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Put it in force against the comparison that was looked at."""
    now = request.app.state.now()
    try:
        thresholds.put_in_force(session, weights_id, job, confirmed=confirmed == "1", actor=member.name, now=now)
    except (InvalidInput, SettingMoved) as error:
        return _show_proposal(request, session, member, weights_id, error=error)
    return RedirectResponse(f"{request.url_for('show_thresholds').path}?done=activated", status_code=303)


@router.post("/settings/thresholds/{weights_id}/removal", dependencies=[OwnForm])
def discard_proposal(request: Request, weights_id: int, member: Administrator, session: Transaction) -> Response:
    """Give it up."""
    thresholds.discard(session, weights_id, member.name, request.app.state.now())
    return RedirectResponse(f"{request.url_for('show_thresholds').path}?done=discarded", status_code=303)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    *,
    typed: Mapping[str, str] | None = None,
    error: str = "",
    budget: Mapping[str, str] | None = None,
    budget_error: str = "",
) -> Response:
    current = tuning.weights_in_force(session)
    levels = thresholds.levels_of(current)
    job = thresholds.newest(session, 0)
    return page(
        request,
        "settings/thresholds.html",
        status=422 if error or budget_error else 200,
        member=member,
        is_shipped=tuning.in_force_id(session) == 0,
        shadow=tuning.shadow(session),
        levels=levels,
        typed=dict(typed) if typed else {name: str(level) for name, level in levels.items()},
        names=_names(),
        job=job,
        measured=thresholds.result_of(job),
        domain_names=DOMAIN_NAMES,
        budget=budget or {"wrong": "5", "foreign": "2"},
        least=thresholds.LEAST_LABELLED,
        most=thresholds.MOST_LABELLED,
        lowest=thresholds.LOWEST,
        highest=thresholds.HIGHEST,
        error=error,
        budget_error=budget_error,
        done=request.query_params.get("done", ""),
    )


def _show_proposal(
    request: Request,
    session: Session,
    member: StaffMember,
    weights_id: int,
    *,
    error: InvalidInput | SettingMoved | None = None,
) -> Response:
    row = tuning.by_id(session, weights_id)
    job = thresholds.newest(session, weights_id)
    found = thresholds.result_of(job)
    changes = {}
    if found:
        cases = test_cases.texts_of(session, [one.id for one in (*found.worse, *found.better)])
        logged = [*found.worse_confirmed, *found.better_confirmed, *found.changed]
        asked = comparison.texts_of(session, logged)
        changes = {
            "变差的测试问句": effects(session, found.worse, cases),
            "变好的测试问句": effects(session, found.better, cases),
            "变差的已确认提问": effects(session, found.worse_confirmed, asked),
            "变好的已确认提问": effects(session, found.better_confirmed, asked),
            "答复有变的提问": effects(session, found.changed, asked),
        }
    return page(
        request,
        "settings/threshold_proposal.html",
        status=status_of(error),
        member=member,
        row=row,
        levels=thresholds.levels_of(tuning.weights_in_force(session)),
        proposed=thresholds.levels_of(parse_weights(row.data)),
        names=_names(),
        job=job,
        found=found,
        changes=changes,
        domain_names=DOMAIN_NAMES,
        error=str(error or ""),
    )


def _compare(request: Request, session: Session, weights_id: int, member: StaffMember) -> Response:
    thresholds.request(session, weights_id, member.name, request.app.state.now())
    return RedirectResponse(request.url_for("show_proposal", weights_id=weights_id).path, status_code=303)


def _names() -> dict[str, dict[str, str]]:
    """The levels by set: the name of each form field and what it is called."""
    last = {"clarify": "请提问人确认"}
    return {
        SET_NAMES[one]: {f"{one}.{key}": name for key, name in (DOMAIN_NAMES | last).items()} for one in thresholds.SETS
    }


def _numbers(names: Sequence[str], typed: Mapping[str, str]) -> dict[str, int]:
    numbers = {name: text.strip().removesuffix("%") for name, text in typed.items()}
    if set(numbers) != set(names) or not all(one.isascii() and one.isdecimal() for one in numbers.values()):
        raise InvalidInput("门槛请都填整数，如 90")
    return {name: int(number[:4]) for name, number in numbers.items()}


def _share(text: str) -> float:
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError as error:
        raise InvalidInput("预算请填数字，如 5") from error
    if not 0.001 <= share <= 0.3:
        raise InvalidInput("预算应为0.1%至30%")
    return share
