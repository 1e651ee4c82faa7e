"""稿件: write an entry, see it as the phone will, submit, review, publish, and tell who waited for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session
from starlette.datastructures import FormData

from admin import editing
from admin.auth import Curator, OwnForm, Reading, Reviewer, Transaction, Viewer
from admin.effects import Effect, effects
from admin.errors import status_of
from admin.paging import page_number
from admin.rendering import page
from knowledge import (
    casework,
    catalogue,
    comparison,
    curation,
    drafts,
    findings,
    inbox,
    inquiries,
    jobs,
    particulars,
    test_cases,
    wordings,
)
from knowledge.comparison import Comparison
from knowledge.content.entries import REFERRALS, EntryForm, fill_figures
from knowledge.curation import EntryText
from knowledge.differences import cited_line, differences
from knowledge.errors import DraftMoved, InvalidInput, KnowledgeError
from knowledge.models import DOMAIN_NAMES, DraftStatus, EntryDraft, InquiryStatus, StaffMember
from knowledge.statutes import library, search
from knowledge.statutes.citation import Cited
from knowledge.statutes.search import Hits
from knowledge.working_days import local_day

router = APIRouter()
PER_PAGE = 30
_WORTH_SHOWING = 1.0  # score 0-100 from which an entry may have something to do with the question


@dataclass(frozen=True, slots=True)
class LookedUp:
    """An article that was looked for while writing: what was typed, and what was found."""

    name: str
    what: str
    found: Hits


@router.get("/drafts")
def list_drafts(request: Request, member: Viewer, session: Reading) -> Response:
    """Drafts not published yet, lately touched first."""
    status, number = request.query_params.get("status", ""), page_number(request)
    found = drafts.in_progress(session, PER_PAGE + 1, (number - 1) * PER_PAGE, status=status)
    return page(
        request,
        "drafts/list.html",
        member=member,
        drafts=found[:PER_PAGE],
        has_next=len(found) > PER_PAGE,
        number=number,
        chosen=status,
        statuses=[str(one) for one in drafts.OPEN_DRAFTS],
        imported=_imported(request),
    )


def _imported(request: Request) -> dict[str, int]:
    """How many entries an import just began, changed and left, where the address says so."""
    told = {name: request.query_params.get(name, "") for name in ("added", "changed", "unchanged")}
    is_told = all(number.isdecimal() and len(number) < 7 for number in told.values())
    return {name: int(number) for name, number in told.items()} if is_told else {}


@router.post("/drafts", dependencies=[OwnForm])
def begin_draft(
    request: Request,
    member: Curator,
    session: Transaction,
    domain: Annotated[str, Form()] = "",
    inquiry: Annotated[str, Form()] = "",
) -> Response:
    """Begin a new entry: from nothing, or from an inquiry and those that ask the same, freed of personal details."""
    if domain not in DOMAIN_NAMES:
        raise InvalidInput("请选择领域")
    question, variants, numbers = "", [], []
    if inquiry:
        first = inquiries.by_number(session, inquiry)
        alike = [first, *(one.inquiry for one in inbox.siblings(session, first))]
        freed = wordings.distinct(particulars.free(one.question or "").text for one in alike)
        question, variants = (freed[0] if freed else ""), freed
        numbers = [one.number for one in alike if InquiryStatus(one.status).is_open]
    draft = drafts.begin_new(
        session,
        domain,
        member.name,
        request.app.state.now(),
        question=question,
        variants=variants,
        inquiry_numbers=numbers,
    )
    return _see(request, draft)


@router.get("/drafts/{draft_id}")
def show_draft(request: Request, draft_id: int, member: Viewer, session: Reading) -> Response:
    """One draft: to be written, read, reviewed or published, as it stands."""
    return _show(request, session, member, draft_id)


async def written(request: Request) -> FormData:
    """All fields of the editor."""
    return await request.form()


@router.post("/drafts/{draft_id}", dependencies=[OwnForm])
def save_draft(
    request: Request,
    draft_id: int,
    member: Curator,
    session: Transaction,
    form: Annotated[FormData, Depends(written)],
) -> Response:
    """Keep what was written, and with it submit where that button was pressed."""
    now = request.app.state.now()
    try:
        content = editing.content_of(form)
        draft = drafts.save(session, draft_id, content, member.name, now)
        if form.get("then") == "look_up":
            return _show(request, session, member, draft_id, looked_up=_look_up(session, form, local_day(now)))
        if form.get("then") == "submit":
            drafts.submit(session, draft_id, member.name, now, confirmed=form.get("confirmed") == "1")
    except (InvalidInput, DraftMoved) as error:
        # What was written is kept where it could be; else it comes back in the form.
        return _show(request, session, member, draft_id, typed=form, error=error)
    return _see(request, draft)


@router.post("/drafts/{draft_id}/return", dependencies=[OwnForm])
def return_draft(
    request: Request, draft_id: int, member: Curator, session: Transaction, comment: Annotated[str, Form()] = ""
) -> Response:
    """Back to writing, with a remark."""
    return _step(
        request,
        session,
        member,
        draft_id,
        lambda: drafts.take_back(session, draft_id, member.name, request.app.state.now(), comment),
    )


@router.post("/drafts/{draft_id}/comments", dependencies=[OwnForm])
def comment_draft(
    request: Request, draft_id: int, member: Curator, session: Transaction, comment: Annotated[str, Form()] = ""
) -> Response:
    """Leave a remark."""
    return _step(
        request,
        session,
        member,
        draft_id,
        lambda: drafts.add_comment(session, draft_id, member.name, comment, request.app.state.now()),
    )


@router.post("/drafts/{draft_id}/review", dependencies=[OwnForm])
def review_draft(request: Request, draft_id: int, member: Reviewer, session: Transaction) -> Response:
    """Approve: never by one who wrote at it."""
    return _step(
        request,
        session,
        member,
        draft_id,
        lambda: _review(session, draft_id, member, request.app.state.now()),
    )


def _review(session: Session, draft_id: int, member: StaffMember, now: datetime) -> None:
    """Whoever publishes will want the comparison: by then it is done."""
    comparison.request(session, drafts.review(session, draft_id, member, now), member.name, now)


@router.post("/drafts/{draft_id}/comparison", dependencies=[OwnForm])
def compare_draft(request: Request, draft_id: int, member: Curator, session: Transaction) -> Response:
    """Find out what publishing would change, as a job; the page shows how far it is."""
    draft = drafts.by_id(session, draft_id)
    try:
        comparison.request(session, draft, member.name, request.app.state.now())
    except InvalidInput as error:
        return _show(request, session, member, draft_id, error=error)
    return RedirectResponse(request.url_for("show_comparison", draft_id=draft.id).path, status_code=303)


@router.get("/drafts/{draft_id}/comparison")
def show_comparison(request: Request, draft_id: int, member: Viewer, session: Reading) -> Response:
    """How far it is, and what it found; the page looks again by itself, as the editor, where one writes, never does."""
    draft = drafts.by_id(session, draft_id)
    return page(request, "drafts/comparison.html", member=member, draft=draft, **_compared(session, draft))


@router.post("/drafts/{draft_id}/comparison/cancellation", dependencies=[OwnForm])
def cancel_comparison(request: Request, draft_id: int, member: Curator, session: Transaction) -> Response:
    """Stop it; it can be asked for again."""
    del member
    draft = drafts.by_id(session, draft_id)
    job = comparison.newest(session, draft)
    if job is not None and job.id is not None:
        jobs.cancel(session, job.id, request.app.state.now())
    return _see(request, draft)


@router.post("/drafts/{draft_id}/removal", dependencies=[OwnForm])
def discard_draft(request: Request, draft_id: int, member: Curator, session: Transaction) -> Response:
    """Give it up."""
    try:
        drafts.discard(session, draft_id, member.name, request.app.state.now())
    except DraftMoved as error:
        return _show(request, session, member, draft_id, error=error)
    return RedirectResponse(request.url_for("list_drafts").path, status_code=303)


@router.post("/drafts/{draft_id}/restoration", dependencies=[OwnForm])
def restore_version(request: Request, draft_id: int, member: Curator, session: Transaction) -> Response:
    """Begin a draft that says what this published one said."""
    draft = drafts.restore(session, draft_id, member.name, request.app.state.now())
    return _see(request, draft)


@router.post("/drafts/{draft_id}/publication", dependencies=[OwnForm])
def publish_draft(
    request: Request,
    draft_id: int,
    member: Curator,
    session: Transaction,
    against: Annotated[int, Form()] = 0,
    recipients: Annotated[Sequence[str], Form()] = (),
    despite: Annotated[str, Form()] = "",
    despite_newer: Annotated[str, Form()] = "",
) -> Response:
    """Publish, and tell the askers that are ticked, in one unit of work."""
    now = request.app.state.now()
    try:
        with session.begin_nested():
            draft = drafts.publish(
                session,
                draft_id,
                member.name,
                now,
                against=against,
                despite=despite,
                despite_newer=despite_newer == "1",
            )
            begins = drafts.begins_on(draft, local_day(now))
            if recipients and begins:
                raise InvalidInput(f"答复自{begins}起才生效，现在不能发给提问人：请取消勾选，生效后再答复")
            if recipients:
                entry = curation.published_text(session, draft.entry_id, local_day(now))
                casework.tell(session, recipients, curation.as_reply(entry), member.name, now, entry=entry)
    except (InvalidInput, DraftMoved) as error:
        session.expire_all()
        return _show(request, session, member, draft_id, error=error, despite=despite)
    return _see(request, draft)


def _step(request: Request, session: Session, member: StaffMember, draft_id: int, step: Any) -> Response:
    # Any: a step of `drafts` with its own kind of result, which the page does not need.
    try:
        step()
    except (InvalidInput, DraftMoved) as error:
        return _show(request, session, member, draft_id, error=error)
    return _see(request, drafts.by_id(session, draft_id))


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    draft_id: int,
    *,
    typed: FormData | None = None,
    looked_up: LookedUp | None = None,
    error: KnowledgeError | None = None,
    despite: str = "",
) -> Response:
    now = request.app.state.now()
    today = local_day(now)
    draft = drafts.by_id(session, draft_id)
    found = findings.findings(session, draft, today, request.app.state.matcher.index)
    newest = drafts.newest_published(session, draft.entry_id)
    parts, preview_fault = (), ""
    try:
        parts = request.app.state.bot.preview(_as_text(session, findings.form_of(draft), draft))
    except InvalidInput as fault:
        preview_fault = str(fault)
    waiting = drafts.awaiting(session, draft)
    nearest = request.app.state.matcher.decide(draft.content.get("question") or "").ranked
    return page(
        request,
        "drafts/show.html",
        status=status_of(error),
        member=member,
        draft=draft,
        fields=editing.fields_of(draft.content, typed),
        findings=found,
        differences_listed=differences(newest.content if newest else {}, draft.content),
        newest=newest,
        parts=parts,
        preview_fault=preview_fault,
        comments=drafts.comments_on(session, draft),
        waiting=waiting,
        nearest=[one for one in nearest if one.id != draft.entry_id and one.score >= _WORTH_SHOWING],
        topics=catalogue.topics(session, draft.entry_id.split(".", 1)[0]),
        hotlines=REFERRALS,
        is_author=member.name in draft.authors,
        begins_later=(draft.content.get("valid_from") or "") > today.isoformat(),
        error=str(error or ""),
        today=today,
        looked_up=looked_up or LookedUp("", "", Hits()),
        statutes=search.titles(session),
        cited=_cited(session, draft, today),
        **_compared(session, draft),
        despite=despite,
    )


def _look_up(session: Session, form: FormData, today: date) -> LookedUp:
    name, what = str(form.get("look_up_statute", ""))[:100], str(form.get("look_up_article", ""))[:60]
    return LookedUp(name, what, search.search(session, name, what, today))


def _cited(session: Session, draft: EntryDraft, today: date) -> list[tuple[str, str]]:
    """Each citation of a draft with the text of its article, as far as it is imported."""
    listed = []
    for one in draft.content.get("citations") or []:
        line = cited_line(one)
        cited = Cited(one["statute"], one.get("article"), one.get("sub"), one.get("paragraph"), one.get("item"))
        article = library.cited_article(session, cited, today)
        listed.append((line, article.text if article else ""))
    return listed


def _compared(session: Session, draft: EntryDraft) -> dict[str, Any]:
    """What the card of the comparison shows."""
    job = comparison.newest(session, draft)
    compared = comparison.result_of(job)
    return {
        "job": job,
        "compared": compared,
        "since": comparison.published_since(session, compared),
        "effects": _effects(session, compared) if compared else {},
    }


def _effects(session: Session, compared: Comparison) -> dict[str, list[Effect]]:
    """The changed questions and test cases in words."""
    cases = test_cases.texts_of(session, [one.id for one in (*compared.worse, *compared.better)])
    return {
        "worse": effects(session, compared.worse, cases),
        "better": effects(session, compared.better, cases),
        "changed": effects(session, compared.changed, comparison.texts_of(session, compared.changed)),
    }


def _as_text(session: Session, form: EntryForm, draft: EntryDraft) -> EntryText:
    """A draft in the shape in which the bot is given entries."""
    figures = curation.worded_figures(session)
    unknown = form.figures - figures.keys()
    if unknown:
        raise InvalidInput(f"答复引用了没有登记的数字：{'、'.join(sorted(unknown))}")
    titles = curation.titles_of(session, form.related)
    return EntryText(
        id=form.id,
        version_id=0,
        version=draft.number,
        title=form.title,
        domain=form.domain,
        topic=form.topic,
        question=form.question,
        answer=fill_figures(form.answer, figures),
        citations=tuple(one.cited() for one in form.citations),
        related=tuple((one, titles[one]) for one in form.related if one in titles),
        referral=form.referral,
        status=DraftStatus(draft.status),
        checked_on=form.checked_on,
        review_by=form.review_by,
        signed_off_by=draft.reviewer if draft.signed else None,
    )


def _see(request: Request, draft: EntryDraft) -> Response:
    return RedirectResponse(request.url_for("show_draft", draft_id=draft.id).path, status_code=303)
