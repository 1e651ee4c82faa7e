"""统计: the figures of a period with their definitions; the same as a workbook and as a Word report."""

from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from admin.auth import Reading, Viewer
from admin.errors import status_of
from admin.rendering import page
from knowledge.errors import InvalidInput
from knowledge.models import StaffMember
from knowledge.reports import figures, periods, wording
from knowledge.reports.document import write_document
from knowledge.reports.figures import Report
from knowledge.reports.periods import Period
from knowledge.reports.workbook import GAPS_LISTED, write_workbook
from knowledge.working_days import local_day

router = APIRouter()
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_FIRST_SHOWN = "month"


@router.get("/reports")
def show_report(request: Request, member: Viewer, session: Reading) -> Response:
    """The figures of a named period or from one day to another; the running month at first."""
    try:
        period = _period(request)
    except InvalidInput as error:
        return _page(request, member, error=error)
    return _page(request, member, figures.make(session, period, request.app.state.now()))


@router.get("/reports/workbook")
def download_workbook(request: Request, member: Viewer, session: Reading) -> Response:  # noqa: ARG001 # the permission
    """The same as an XLSX file with charts."""
    report = _report(request, session, GAPS_LISTED)
    return _file(write_workbook(report), report, "xlsx", _XLSX)


@router.get("/reports/document")
def download_document(request: Request, member: Viewer, session: Reading) -> Response:  # noqa: ARG001 # the permission
    """The same as a Word report."""
    report = _report(request, session, 0)
    return _file(write_document(report), report, "docx", _DOCX)


def _period(request: Request) -> Period:
    query, today = request.query_params, local_day(request.app.state.now())
    first, last = query.get("from", ""), query.get("to", "")
    if first or last:
        return periods.between(first, last, today)
    return periods.preset(query.get("period", _FIRST_SHOWN), today)


def _report(request: Request, session: Session, gaps_listed: int) -> Report:
    return figures.make(session, _period(request), request.app.state.now(), gaps_listed=gaps_listed)


def _page(
    request: Request, member: StaffMember, report: Report | None = None, *, error: InvalidInput | None = None
) -> Response:
    query, today = request.query_params, local_day(request.app.state.now())
    known = [(name, words, periods.preset(name, today)) for name, words in periods.PRESETS.items()]
    days = {"from": query.get("from", ""), "to": query.get("to", "")}
    if report:
        days = {"from": report.period.first.isoformat(), "to": report.period.last.isoformat()}
    return page(
        request,
        "reports/show.html",
        status=status_of(error),
        member=member,
        report=report,
        figures=wording.figures(report) if report else (),
        wording=wording,
        presets=known,
        days=days,
        kept=urlencode(days),
        today=today,
        error=str(error or ""),
    )


def _file(content: bytes, report: Report, ending: str, kind: str) -> Response:
    name = f"{wording.file_name(report)}.{ending}"
    return Response(
        content,
        media_type=kind,
        headers={"content-disposition": f"attachment; filename=\"report.{ending}\"; filename*=UTF-8''{quote(name)}"},
    )
