"""年度数据: figures that change by law or year; without a source and a day there is none."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Transaction
from admin.errors import status_of
from admin.rendering import page
from knowledge import curation, figures
from knowledge.content.entries import word_figure
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.figures import Confirmed
from knowledge.models import StaffMember
from knowledge.working_days import local_day

router = APIRouter()


def typed(
    value: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
    effective: Annotated[str, Form()] = "",
    source: Annotated[str, Form()] = "",
    checked_on: Annotated[str, Form()] = "",
    ask: Annotated[str, Form()] = "",
) -> Confirmed:
    """The form as it was sent; a day that is none is left out, which is then found wanting."""
    return Confirmed(value, unit, _day(effective), source, _day(checked_on), ask)


TypedForm = Annotated[Confirmed, Depends(typed)]


@router.get("/settings/figures")
def list_figures(request: Request, member: Administrator, session: Reading) -> Response:
    """Every figure: what stands in answers now, since when, from where, and which entries name it."""
    today = local_day(request.app.state.now())
    used = curation.entries_with_figures(session, today)
    return page(
        request,
        "settings/figures.html",
        member=member,
        figures=[(one, figures.is_past_due(one, today), used.get(one.key, [])) for one in figures.everything(session)],
        saved=request.query_params.get("saved") == "1",
    )


@router.get("/settings/figures/{figure_key}")
def show_figure(request: Request, figure_key: str, member: Administrator, session: Reading) -> Response:
    """One figure, to be confirmed, renewed or taken back."""
    return _show(request, session, member, figure_key)


@router.post("/settings/figures/{figure_key}", dependencies=[OwnForm])
def save_figure(
    request: Request,
    figure_key: str,
    member: Administrator,
    session: Transaction,
    form: TypedForm,
    against: Annotated[str, Form()] = "",
) -> Response:
    """Save what was typed; refused without source and days."""
    now = request.app.state.now()
    try:
        figures.save(
            session, figure_key, form, today=local_day(now), actor=member.name, now=now, against=against or None
        )
    except (InvalidInput, SettingMoved) as error:
        status = status_of(error)
        return _show(request, session, member, figure_key, form, errors=str(error).split("\n"), status=status)
    return RedirectResponse(f"{request.url_for('list_figures').path}?saved=1", status_code=303)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    key: str,
    form: Confirmed | None = None,
    *,
    errors: list[str] | None = None,
    status: int = 200,
) -> Response:
    figure = figures.by_key(session, key)
    today = local_day(request.app.state.now())
    form = form or Confirmed(
        figure.value or "", figure.unit, figure.effective, figure.source, figure.checked_on, figure.ask
    )
    return page(
        request,
        "settings/figure.html",
        status=status,
        member=member,
        figure=figure,
        form=form,
        errors=errors or [],
        said=word_figure(figure.value, figure.unit, figure.effective, figure.ask),
        past_due=figures.is_past_due(figure, today),
        state=figures.state_of(figure),
        entries=curation.entries_with_figures(session, today).get(key, []),
        today=today,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
