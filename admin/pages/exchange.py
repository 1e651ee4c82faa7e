"""知识库 as a spreadsheet: out, to be edited in Excel or WPS, and in again as drafts."""

from datetime import datetime
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from admin.auth import Curator, OwnForm, Reading, Viewer
from admin.pages.entries import wanted_of
from admin.rendering import page
from knowledge import catalogue, importing, seeding
from knowledge.content.workbook import read_workbook, write_workbook
from knowledge.errors import ContentError
from knowledge.models import StaffMember
from knowledge.working_days import local_day

router = APIRouter()
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOST = 10_000  # entries in one file


@router.get("/entries/export")
def export_entries(request: Request, _member: Viewer, session: Reading) -> Response:
    """The entries that the list shows with the same filters, as a workbook that can be imported again."""
    now: datetime = request.app.state.now()
    today = local_day(now)
    found = catalogue.find(session, wanted_of(request), today, _MOST, 0)
    content = write_workbook(seeding.stored_forms(session, today, [one.id for one in found]).values())
    name = quote(f"知识库{today}.xlsx")
    disposition = f"attachment; filename=\"entries.xlsx\"; filename*=UTF-8''{name}"
    return Response(content, media_type=_XLSX, headers={"content-disposition": disposition})


@router.get("/entries/import")
def show_import(request: Request, member: Curator) -> Response:
    """The form, and what to know before."""
    return _show(request, member)


@router.post("/entries/import", dependencies=[OwnForm])
def import_entries(request: Request, member: Curator, file: UploadFile | None = None) -> Response:
    """Begin a draft for each row that says something new, or say what is wrong with each and begin none."""
    if file is None or not file.filename:
        return _show(request, member, ["请选择要导入的 .xlsx 文件"])
    try:
        rows = read_workbook(file.file.read())
        # Not the request's own unit of work: messages would wait while the file is being read.
        with request.app.state.database.writing() as writing:
            done = importing.draft_rows(writing, rows, member.name, request.app.state.now())
    except ContentError as error:
        return _show(request, member, str(error).split("\n"))
    told = {"status": "draft", "added": done.added, "changed": done.changed, "unchanged": done.unchanged}
    return RedirectResponse(f"{request.url_for('list_drafts').path}?{urlencode(told)}", status_code=303)


def _show(request: Request, member: StaffMember, problems: list[str] | None = None) -> Response:
    return page(
        request,
        "entries/import.html",
        status=422 if problems else 200,
        member=member,
        problems=problems or [],
    )
