"""待解问题: the inbox, one inquiry with those that ask the same, and what is done with them."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, Curator, OwnForm, Reading, Transaction, Viewer
from admin.errors import NotAllowed, status_of
from admin.paging import page_number
from admin.rendering import page
from knowledge import casework, curation, inbox, inquiries, particulars, staff
from knowledge.content.entries import REFERRALS
from knowledge.errors import InquiryClosed, InvalidInput, KnowledgeError
from knowledge.inbox import Wanted
from knowledge.models import DOMAIN_NAMES, Inquiry, InquiryStatus, Message, StaffMember
from knowledge.models.inquiries import SUPPLEMENT
from knowledge.particulars import Particular
from knowledge.working_days import local_day

router = APIRouter()
PER_PAGE = 30
_WORTH_SHOWING = 1.0  # score 0-100 from which an entry may have something to do with the question
STATES = {"open": "待办", **{str(status): "" for status in InquiryStatus}, "closed": "已办结", "": "全部"}
ACTS = ("answer", "entry", "ask", "refer", "decline", "merge")


@router.get("/inquiries")
def list_inquiries(request: Request, member: Viewer, session: Reading) -> Response:
    """Groups of alike inquiries, first to be worked off first, by state, words, domain, urgency and person."""
    query = request.query_params
    today = local_day(request.app.state.now())
    state = query.get("state", "open")
    domain = query.get("domain", "")
    flags = {name: query.get(name) == "1" for name in ("urgent", "mine", "overdue")}
    wanted = Wanted(
        state=state if state in STATES else "open",
        words=query.get("q", "").strip()[:60],
        domain=domain if domain in DOMAIN_NAMES else "",
        urgent=flags["urgent"],
        assignee_id=member.id if flags["mine"] else None,
        overdue_on=today if flags["overdue"] else None,
    )
    number = page_number(request)
    found = inbox.groups(session, wanted, PER_PAGE, (number - 1) * PER_PAGE)
    groups_count, inquiries_count = inbox.count(session, wanted)
    kept = {"state": wanted.state, "q": wanted.words, "domain": wanted.domain}
    kept |= {name: "1" for name, is_on in flags.items() if is_on}
    return page(
        request,
        "inquiries/list.html",
        member=member,
        groups=found,
        groups_count=groups_count,
        inquiries_count=inquiries_count,
        has_next=number * PER_PAGE < groups_count,
        number=number,
        wanted=wanted,
        flags=flags,
        states=STATES,
        today=today,
        kept=urlencode(kept),
    )


@router.get("/inquiries/{number}")
def show_inquiry(request: Request, number: str, member: Viewer, session: Reading) -> Response:
    """What was asked and by how many, what is near to it, and the next step."""
    return show(request, session, member, number)


@router.post("/inquiries/{number}/reply", dependencies=[OwnForm])
def reply_to_inquiry(
    request: Request,
    number: str,
    member: Curator,
    session: Transaction,
    text: Annotated[str, Form()] = "",
    recipients: Annotated[Sequence[str], Form()] = (),
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Answer the askers that are ticked: each reply goes into the outbox in the same transaction.

    What the text took from one asker's question and others did not write must be confirmed first.
    """
    chosen = list(recipients) or [number]
    try:
        doubts = particulars.to_confirm(text, _questions(session, chosen))
        if doubts and confirmed != "1":
            return show(request, session, member, number, text=text, chosen=chosen, doubts=doubts)
        told = casework.tell(session, chosen, text, member.name, request.app.state.now())
        _refuse_if_nobody(told)
    except (InvalidInput, InquiryClosed) as error:
        # Nothing was changed; what was typed comes back with the message beside it.
        return show(request, session, member, number, text=text, chosen=chosen, error=error)
    return _see(request, number, told=len(told.answered), late="、".join(told.too_late))


@router.post("/inquiries/{number}/question", dependencies=[OwnForm])
def ask_inquirer(
    request: Request, number: str, member: Curator, session: Transaction, text: Annotated[str, Form()] = ""
) -> Response:
    """Ask the asker for something: the due time rests until he answers."""
    try:
        inquiries.ask_back(session, number, member.name, text, request.app.state.now())
    except (InvalidInput, InquiryClosed) as error:
        return show(request, session, member, number, act="ask", text=text, error=error)
    return _see(request, number)


@router.post("/inquiries/{number}/callback", dependencies=[OwnForm])
def reveal_callback(request: Request, number: str, member: Curator, session: Transaction) -> Response:
    """Show the call-back number to whoever has the inquiry; the log says that it was seen."""
    inquiry = inquiries.by_number(session, number)
    if inquiry.assignee_id != member.id:
        raise NotAllowed("回拨号码只给办理人看：请先点“由我办理”")
    seen = casework.reveal_callback(session, number, member.name, request.app.state.now())
    return show(request, session, member, number, callback=seen)


@router.post("/inquiries/{number}/asker", dependencies=[OwnForm])
def reveal_asker(request: Request, number: str, member: Administrator, session: Transaction) -> Response:
    """Show the asker's whole openid; the log says that it was seen."""
    seen = casework.reveal_asker(session, number, member.name, request.app.state.now())
    return show(request, session, member, number, openid=seen)


@router.post("/inquiries/{number}/referral", dependencies=[OwnForm])
def refer_inquiry(
    request: Request,
    number: str,
    member: Curator,
    session: Transaction,
    text: Annotated[str, Form()] = "",
    recipients: Annotated[Sequence[str], Form()] = (),
) -> Response:
    """Send the askers to another office, with its hotline."""
    return _close(request, session, member, number, "refer", InquiryStatus.REFERRED, text, recipients)


@router.post("/inquiries/{number}/refusal", dependencies=[OwnForm])
def decline_inquiry(
    request: Request,
    number: str,
    member: Curator,
    session: Transaction,
    text: Annotated[str, Form()] = "",
    recipients: Annotated[Sequence[str], Form()] = (),
) -> Response:
    """Tell the askers that this is nothing we answer."""
    return _close(request, session, member, number, "decline", InquiryStatus.DECLINED, text, recipients)


@router.post("/inquiries/{number}/assignment", dependencies=[OwnForm])
def assign_inquiry(
    request: Request,
    number: str,
    member: Curator,
    session: Transaction,
    assignee: Annotated[str, Form()] = "",
) -> Response:
    """Give it to a colleague (an id, "me", or "" for nobody)."""
    try:
        if assignee == "me":
            chosen: StaffMember | None = member
        else:
            chosen = staff.by_id(session, int(assignee)) if assignee.isdecimal() else None
        casework.assign(session, number, chosen, member.name, request.app.state.now())
    except (InvalidInput, InquiryClosed) as error:
        return show(request, session, member, number, error=error)
    return _see(request, number)


@router.post("/inquiries/{number}/urgency", dependencies=[OwnForm])
def mark_inquiry(
    request: Request, number: str, member: Curator, session: Transaction, urgent: Annotated[str, Form()] = ""
) -> Response:
    """Put it before all others, or back among them."""
    try:
        casework.mark_urgent(session, number, urgent=urgent == "1", actor=member.name, now=request.app.state.now())
    except InquiryClosed as error:
        return show(request, session, member, number, error=error)
    return _see(request, number)


@router.post("/inquiries/{number}/notes", dependencies=[OwnForm])
def add_note(
    request: Request, number: str, member: Curator, session: Transaction, note: Annotated[str, Form()] = ""
) -> Response:
    """Leave a note for colleagues."""
    try:
        casework.note(session, number, member.name, note, request.app.state.now())
    except InvalidInput as error:
        return show(request, session, member, number, note=note, error=error)
    return _see(request, number)


@router.post("/inquiries/{number}/merger", dependencies=[OwnForm])
def merge_inquiry(
    request: Request, number: str, member: Curator, session: Transaction, into: Annotated[str, Form()] = ""
) -> Response:
    """Close it into another inquiry of the same asker."""
    try:
        target = casework.merge(session, number, into, member.name, request.app.state.now())
    except (InvalidInput, InquiryClosed) as error:
        return show(request, session, member, number, act="merge", error=error)
    return _see(request, target.number)


@router.post("/inquiries/{number}/separation", dependencies=[OwnForm])
def separate_inquiry(
    request: Request,
    number: str,
    member: Curator,
    session: Transaction,
    other: Annotated[str, Form()] = "",
) -> Response:
    """Take another inquiry (or this one) out of the group: it asks something else."""
    casework.separate(session, other or number, member.name, request.app.state.now())
    return _see(request, number)


def show(
    request: Request,
    session: Session,
    member: StaffMember,
    number: str,
    *,
    act: str = "",
    text: str | None = None,
    note: str = "",
    chosen: Sequence[str] | None = None,
    doubts: Sequence[Particular] = (),
    callback: str = "",
    openid: str = "",
    error: KnowledgeError | None = None,
) -> Response:
    """The page of one inquiry, with what was typed and what was wrong with it, if anything."""
    query = request.query_params
    inquiry = inquiries.by_number(session, number)
    messages = inquiries.messages_of(session, inquiry)
    siblings = inbox.siblings(session, inquiry)
    open_siblings = [one.inquiry for one in siblings if InquiryStatus(one.inquiry.status).is_open]
    candidates = _near(request, inquiry, messages)
    titles = curation.titles_of(session, [entry_id for entry_id, _ in candidates])
    replied = [(one, inquiries.is_delivered(session, one)) for one in inquiries.replies_to(session, inquiry)]
    sought = query.get("find", "").strip()[:60]
    act = act or query.get("act", "answer")
    hotline = query.get("hotline", "")
    status = status_of(error) if error else (422 if doubts else 200)
    return page(
        request,
        "inquiries/show.html",
        status=status,
        member=member,
        inquiry=inquiry,
        is_open=InquiryStatus(inquiry.status).is_open,
        messages=messages,
        siblings=siblings,
        open_siblings=open_siblings,
        candidates=[(entry_id, titles[entry_id], score) for entry_id, score in candidates if entry_id in titles],
        replies=replied,
        notes=casework.notes_on(session, inquiry),
        people=[one for one in staff.everybody(session) if one.is_active],
        assignee=session.get(StaffMember, inquiry.assignee_id) if inquiry.assignee_id else None,
        merged_into=session.get(Inquiry, inquiry.merged_into_id) if inquiry.merged_into_id else None,
        own_others=inbox.of_same_asker(session, inquiry),
        next_one=inbox.next_open(session, inquiry),
        act=act if act in ACTS else "answer",
        text=_prepared(session, act, hotline) if text is None else text,
        typed=text or "",
        note=note,
        chosen=None if chosen is None else set(chosen),
        doubts=doubts,
        callback=callback,
        openid=openid,
        short_openid=casework.shortened_asker(session, inquiry),
        has_callback=casework.has_callback(session, inquiry),
        error=str(error or ""),
        sought=sought,
        found=curation.find(session, sought, "", 8, 0) if sought else [],
        hotline=hotline,
        hotlines=REFERRALS,
        limit=inquiries.REPLY_LIMIT,
        told=query.get("told", ""),
        late=query.get("late", ""),
        today=local_day(request.app.state.now()),
    )


def _near(request: Request, inquiry: Inquiry, messages: Sequence[Message]) -> list[tuple[str, float]]:
    """Entries (id, score 0-100) that may be what was asked, best first: as found then, or else as found now.

    What opened the inquiry may have been a tap (都不是, 没解决, 人工), which was matched with nothing.
    """
    found = [(one["id"], one["score"]) for message in messages[:1] for one in message.candidates]
    if not found and inquiry.question:
        ranked = request.app.state.matcher.decide(inquiry.question.split(SUPPLEMENT, 1)[0]).ranked
        found = [(one.id, one.score) for one in ranked]
    return [(entry_id, score) for entry_id, score in found if score >= _WORTH_SHOWING]


def _close(
    request: Request,
    session: Session,
    member: StaffMember,
    number: str,
    act: str,
    closed_as: InquiryStatus,
    text: str,
    recipients: Sequence[str],
) -> Response:
    chosen = list(recipients) or [number]
    try:
        told = casework.tell(session, chosen, text, member.name, request.app.state.now(), closed_as=closed_as)
        _refuse_if_nobody(told)
    except (InvalidInput, InquiryClosed) as error:
        return show(request, session, member, number, act=act, text=text, chosen=chosen, error=error)
    return _see(request, number, told=len(told.answered), late="、".join(told.too_late))


def _refuse_if_nobody(told: casework.Told) -> None:
    if not told.answered:
        raise InquiryClosed(f"提问单{'、'.join(told.too_late)}已经办结，不能再次答复")


def _questions(session: Session, numbers: Sequence[str]) -> dict[str, str]:
    return {one: inquiries.by_number(session, one).question or "" for one in numbers}


def _prepared(session: Session, act: str, hotline: str) -> str:
    """The text a step begins with; a hotline nobody knows begins with none."""
    if act == "refer":
        return casework.referral_text(session, hotline) if hotline in REFERRALS else ""
    return casework.refusal_text(session) if act == "decline" else ""


def _see(request: Request, number: str, **values: object) -> Response:
    told = {name: str(value) for name, value in values.items() if value}
    path = request.url_for("show_inquiry", number=number).path
    return RedirectResponse(f"{path}?{urlencode(told)}" if told else path, status_code=303)
