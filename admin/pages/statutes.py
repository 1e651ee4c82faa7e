"""法规库: statutes, versions and articles, who cites them, and the entries an amendment puts into re-review."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Curator, OwnForm, Reading, Transaction, Viewer
from admin.paging import page_number
from admin.rendering import page
from knowledge import audit, curation
from knowledge.content import REGISTER
from knowledge.errors import ContentError, NotFound
from knowledge.models import Role, StaffMember, Statute, StatuteVersion
from knowledge.statutes import library, rereview
from knowledge.statutes.documents import Given, day_of, read_document
from knowledge.statutes.library import Brought, Period
from knowledge.statutes.register import read_register
from knowledge.working_days import local_day

router = APIRouter()
PER_PAGE = 50


@router.get("/statutes")
def list_statutes(request: Request, member: Viewer, session: Reading) -> Response:
    """Imported statutes whose title contains ?q=, each with its version in force and how many entries cite it."""
    query = request.query_params.get("q", "").strip()[:60]
    number, today = page_number(request), _today(request)
    found = library.find(session, query, PER_PAGE + 1, (number - 1) * PER_PAGE)
    citing = rereview.citing_counts(session)
    known = library.titles(session)
    missing = sorted(((title, times) for title, times in citing.items() if title not in known), key=lambda one: -one[1])
    return page(
        request,
        "statutes/list.html",
        member=member,
        statutes=[_summary(session, one, today, citing) for one in found[:PER_PAGE]],
        has_next=len(found) > PER_PAGE,
        number=number,
        query=query,
        total=library.count(session),
        missing=[one for one in missing if query in one[0]],
        waiting=len(rereview.entries_due(session)),
        curator=Role.CURATOR,
    )


@router.get("/statutes/import")
def import_page(request: Request, member: Curator) -> Response:
    """The form for a statute's text."""
    return _import_form(request, member, title=request.query_params.get("title", "")[:200])


@router.post("/statutes/import", dependencies=[OwnForm])
def import_statute(
    request: Request,
    member: Curator,
    session: Transaction,
    file: Annotated[UploadFile | None, File()] = None,
    title: Annotated[str, Form()] = "",
    effective: Annotated[str, Form()] = "",
    promulgated: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Store a version and put into re-review exactly the entries whose cited text it changes."""
    typed = {"title": title, "effective": effective, "promulgated": promulgated, "note": note}
    if file is None or not file.filename:
        return _import_form(request, member, error="请选择文件", **typed)
    try:
        given = Given(
            title=title.strip() or None,
            effective=day_of(effective) if effective.strip() else None,
            promulgated=day_of(promulgated) if promulgated.strip() else None,
            note=note.strip() or None,
        )
        text = read_document(file.filename, file.file.read(), given)
    except (ContentError, ValueError) as error:
        return _import_form(request, member, error=str(error), **typed)
    now = request.app.state.now()
    imported = rereview.import_versions(session, [text], read_register(REGISTER), now, local_day(now))
    [stored], opened = imported.stored, imported.opened
    if stored.brought is not Brought.UNCHANGED:
        audit.record(
            session,
            actor=member.name,
            action="statute.import",
            subject=f"statute {stored.statute.title}",
            before=None,
            after={
                "version": stored.version.name,
                "effective": stored.version.effective,
                "articles": len(text.articles),
                "entries": sorted({one.entry_id for one in opened}),
                "sign_offs": imported.lapsing,
            },
            now=now,
        )
    if imported.lapsing:
        # Whether an answer is signed shows in every reply.
        curation.publish_content(session, now, f"sign-offs: {stored.statute.title}")
    address = request.url_for("show_statute", statute_id=str(stored.statute.id)).path
    count = len({one.entry_id for one in opened})
    return RedirectResponse(
        f"{address}?version={stored.version.id}&brought={stored.brought}&reviews={count}&lapsing={len(imported.lapsing)}",
        status_code=303,
    )


@router.get("/statutes/reviews")
def list_reviews(request: Request, member: Viewer, session: Reading) -> Response:
    """Entries to look at again, old and new text side by side; of one entry with ?entry=."""
    entry_id = request.query_params.get("entry", "")[:100]
    number = page_number(request)
    found = rereview.due(session, entry_id=entry_id or None, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
    return page(
        request,
        "statutes/reviews.html",
        member=member,
        reviews=[(one, rereview.side_by_side(one.old_text, one.new_text)) for one in found[:PER_PAGE]],
        has_next=len(found) > PER_PAGE,
        number=number,
        entry_id=entry_id,
        total=len(rereview.entries_due(session)),
        closed=request.query_params.get("closed", "")[:100],
        curator=Role.CURATOR,
        today=_today(request),
    )


@router.post("/statutes/reviews/{entry_id}/closing", dependencies=[OwnForm])
def close_reviews(request: Request, entry_id: str, member: Curator, session: Transaction) -> Response:
    """The entry was looked at against the new texts and stands."""
    now = request.app.state.now()
    closed = rereview.close(session, entry_id, member.name, now)
    if not closed:
        raise NotFound(f"条目 {entry_id} 没有待复审的引用，可能同事已经处理")
    audit.record(
        session,
        actor=member.name,
        action="entry.rereview",
        subject=f"entry {entry_id}",
        before={"open": closed},
        after={"open": 0},
        now=now,
    )
    return RedirectResponse(f"{request.url_for('list_reviews').path}?closed={entry_id}", status_code=303)


@router.get("/statutes/{statute_id}")
def show_statute(request: Request, statute_id: int, member: Viewer, session: Reading) -> Response:
    """A statute: its versions, who cites it, and of one (?version=, else the one in force) the articles with ?q=."""
    today, number = _today(request), page_number(request)
    statute = library.by_id(session, statute_id)
    periods = library.periods(session, statute)
    version = _chosen(periods, request.query_params.get("version", ""), today)
    query = request.query_params.get("q", "").strip()[:60]
    cited = _citing(session, statute, today)
    articles = [one for one in library.articles_of(session, version) if query in one.text or not query]
    if request.query_params.get("cited") == "1":
        articles = [one for one in articles if (one.article, one.sub) in cited]
    start = (number - 1) * PER_PAGE
    return page(
        request,
        "statutes/show.html",
        member=member,
        statute=statute,
        periods=[(period, _state(period, periods, today)) for period in reversed(periods)],
        version=version,
        articles=articles[start : start + PER_PAGE],
        found=len(articles),
        has_next=len(articles) > start + PER_PAGE,
        number=number,
        query=query,
        only_cited=request.query_params.get("cited") == "1",
        cited=cited,
        entries=sorted({(one.entry_id, one.title) for listed in cited.values() for one in listed}),
        brought=request.query_params.get("brought", ""),
        reviews=_whole(request.query_params.get("reviews", "")),
        lapsing=_whole(request.query_params.get("lapsing", "")),
        place_name=library.place_name,
    )


@router.get("/statutes/{statute_id}/articles/{place}")
def show_article(request: Request, statute_id: int, place: str, member: Viewer, session: Reading) -> Response:
    """One article (12, or 276-1 for 第二百七十六条之一) in every version, neighbours compared, and who cites it."""
    statute = library.by_id(session, statute_id)
    main, _, sub = place.partition("-")
    key = (_whole(main), _whole(sub))
    today = _today(request)
    periods = library.periods(session, statute)
    texts = [(one, library.article_at(session, one.version, *key)) for one in periods]
    if not any(article for _, article in texts):
        raise NotFound(f"《{statute.title}》没有这一条")
    steps = []
    for position in range(len(texts) - 1, -1, -1):
        period, article = texts[position]
        before = texts[position - 1][1] if position else None
        sides = rereview.side_by_side(before.text if before else None, article.text if article else None)
        is_changed = position > 0 and (before.hash if before else None) != (article.hash if article else None)
        steps.append((period, _state(period, periods, today), article, sides if is_changed else None))
    return page(
        request,
        "statutes/article.html",
        member=member,
        statute=statute,
        name=library.place_name(*key),
        steps=steps,
        citing=rereview.citing(session, statute.title, today, article=key[0], sub=key[1]),
    )


def _summary(
    session: Session, statute: Statute, today: date, citing: dict[str, int]
) -> tuple[Statute, Period | None, list[Period], int]:
    periods = library.periods(session, statute)
    return statute, library.in_force(periods, today), periods, citing.get(statute.title, 0)


def _citing(session: Session, statute: Statute, today: date) -> dict[tuple[int, int], list[rereview.Citing]]:
    cited: dict[tuple[int, int], list[rereview.Citing]] = {}
    for one in rereview.citing(session, statute.title, today):
        cited.setdefault((one.cited.article or 0, one.cited.sub or 0), []).append(one)
    return cited


def _chosen(periods: list[Period], wanted: str, today: date) -> StatuteVersion:
    """The version asked for, else the one in force, else the newest."""
    named = next((one for one in periods if str(one.version.id) == wanted), None)
    return (named or library.in_force(periods, today) or periods[-1]).version


def _state(period: Period, periods: list[Period], today: date) -> str:
    if period is library.in_force(periods, today):
        return "现行"
    return "尚未施行" if period.start and period.start > today else "已失效"


def _import_form(request: Request, member: StaffMember, *, error: str = "", **typed: str) -> Response:
    fields = {"title": "", "effective": "", "promulgated": "", "note": "", **typed}
    return page(
        request,
        "statutes/import.html",
        status=422 if error else 200,
        member=member,
        errors=error.split("\n") if error else [],
        **fields,
    )


def _today(request: Request) -> date:
    return local_day(request.app.state.now())


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
