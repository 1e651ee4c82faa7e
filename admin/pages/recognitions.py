"""就是这一条: an entry answers the question already; its wording is kept, and the askers get the entry's text."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Curator, OwnForm, Reading, Transaction
from admin.rendering import page
from knowledge import casework, curation, drafts, inbox, inquiries, particulars, wordings
from knowledge.answering import Matcher
from knowledge.errors import InquiryClosed, InvalidInput
from knowledge.models import Inquiry, InquiryStatus, StaffMember
from knowledge.particulars import Particular
from knowledge.working_days import local_day

router = APIRouter()


@router.get("/inquiries/{number}/recognition")
def show_recognition(request: Request, number: str, member: Curator, session: Reading, entry: str = "") -> Response:
    """The wordings that would be added, what each changes, and the text the askers would get."""
    return _show(request, session, member, number, entry)


@router.post("/inquiries/{number}/recognition", dependencies=[OwnForm])
def recognise_entry(
    request: Request,
    number: str,
    member: Curator,
    session: Transaction,
    entry: Annotated[str, Form()] = "",
    wording: Annotated[Sequence[str], Form()] = (),
    text: Annotated[str, Form()] = "",
    recipients: Annotated[Sequence[str], Form()] = (),
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Add the wordings to the entry and send its text to the askers that are ticked."""
    now = request.app.state.now()
    typed = [one.strip() for one in wording if one.strip()]
    known = curation.published_text(session, entry, local_day(now))
    try:
        added = wordings.distinct(typed)
        faults = _faults(request.app.state.matcher, added, entry)
        if faults:
            raise InvalidInput("；".join(faults))
        doubts = _doubts(request.app.state.matcher, session, added, entry, text, recipients, curation.as_reply(known))
        if doubts and confirmed != "1":
            return _show(
                request, session, member, number, entry, typed=typed, text=text, chosen=recipients, doubts=doubts
            )
        told = casework.tell(session, recipients, text, member.name, now, entry=known)
        if not told.answered:
            raise InquiryClosed(f"提问单{'、'.join(told.too_late)}已经办结，不能再次答复")
        drafts.add_variants(session, entry, added, member.name, now)
    except (InvalidInput, InquiryClosed) as error:
        return _show(
            request, session, member, number, entry, typed=typed, text=text, chosen=recipients, error=str(error)
        )
    query = urlencode({"told": len(told.answered), "late": "、".join(told.too_late)})
    return RedirectResponse(f"{request.url_for('show_inquiry', number=number).path}?{query}", status_code=303)


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    number: str,
    entry_id: str,
    *,
    typed: Sequence[str] | None = None,
    text: str | None = None,
    chosen: Sequence[str] | None = None,
    doubts: Sequence[str] = (),
    error: str = "",
) -> Response:
    matcher: Matcher = request.app.state.matcher
    inquiry = inquiries.by_number(session, number)
    open_ones = [one for one in (inquiry, *_siblings(session, inquiry)) if InquiryStatus(one.status).is_open]
    entry = curation.published_text(session, entry_id, local_day(request.app.state.now()))
    freed = [particulars.free(one.question or "") for one in open_ones]
    proposed = wordings.distinct(one.text for one in freed) if typed is None else list(typed)
    known = set(wordings.distinct((entry.title, entry.question, *curation.variants_of(session, entry_id))))
    return page(
        request,
        "inquiries/recognition.html",
        status=422 if error or doubts else 200,
        member=member,
        inquiry=inquiry,
        open_ones=open_ones,
        entry=entry,
        effects=[
            (one, matcher.decide(one), wordings.clashes(matcher.index, one, entry_id), one in known) for one in proposed
        ],
        removed=list(dict.fromkeys(part for one in freed for part in one.removed)),
        text=curation.as_reply(entry) if text is None else text,
        chosen=None if chosen is None else set(chosen),
        doubts=doubts,
        error=error,
        longest=wordings.LONGEST,
        limit=inquiries.REPLY_LIMIT,
    )


def _siblings(session: Session, inquiry: Inquiry) -> list[Inquiry]:
    return [one.inquiry for one in inbox.siblings(session, inquiry)]


def _faults(matcher: Matcher, added: Sequence[str], entry_id: str) -> list[str]:
    """What no confirmation mends: a wording that is another entry's already, or no sentence."""
    faults = [f"“{one[:20]}…”超过{wordings.LONGEST}字，请改短" for one in added if len(one) > wordings.LONGEST]
    for one in added:
        same = [clash for clash in wordings.clashes(matcher.index, one, entry_id) if clash.is_same]
        faults += [f"“{one}”已经是“{clash.title}”的问法，一句话不能有两个答案" for clash in same]
    return faults


def _doubts(
    matcher: Matcher,
    session: Session,
    added: Sequence[str],
    entry_id: str,
    text: str,
    recipients: Sequence[str],
    entry_text: str,
) -> list[str]:
    """What a colleague must have looked at: personal details left over, near neighbours, one asker's own figures."""
    doubts = []
    for one in added:
        left = particulars.free(one).removed
        if left:
            doubts.append(f"“{one}”似乎还有个人信息：{'、'.join(left)}")
        doubts += [
            f"“{one}”与“{clash.title}”的问法“{clash.wording}”很接近（{clash.ratio}分）"
            for clash in wordings.clashes(matcher.index, one, entry_id)
        ]
    questions = {number: inquiries.by_number(session, number).question or "" for number in recipients}
    own: list[Particular] = [one for one in particulars.to_confirm(text, questions) if one.text not in entry_text]
    doubts += [
        f"答复里的“{one.text}”出自{'、'.join(one.asked_by)}，{'、'.join(one.absent_from)}没有提到" for one in own
    ]
    return doubts
