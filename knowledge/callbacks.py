"""Call-back numbers (回拨号码): left with consent, seen by the assignee, deleted when the inquiry closes."""

import re
import unicodedata
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col

from knowledge.errors import InvalidInput
from knowledge.models import CallbackNumber

_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_MOBILE_AMONG_WORDS = re.compile(rf"(?<!\d){_MOBILE.pattern}(?!\d)", re.ASCII)
_SHORT = 40  # characters; a longer message tells a story
_LANDLINE = re.compile(r"(0\d{2,3}\d{7,8}|[2-8]\d{6,7})")


def read_number(text: str) -> str | None:
    """The telephone number that a message consists of, digits only; None where it is anything else."""
    digits = re.sub(r"[\s\-()（）－—]", "", unicodedata.normalize("NFKC", text))
    for pattern in (_MOBILE, _LANDLINE):
        if found := pattern.fullmatch(digits):
            return found[1]
    return None


def number_in(text: str) -> str | None:
    """The one mobile number in a short message that says more, digits only; None where there is none, or several.

    For a message that was asked for a number: elsewhere a number among words is no consent to keep it.
    """
    if len(text) > _SHORT:
        return None
    found = _MOBILE_AMONG_WORDS.findall(re.sub(r"[\s\-－—]", "", unicodedata.normalize("NFKC", text)))
    return found[0] if len(found) == 1 else None


def leave(session: Session, inquiry_id: int, number: str, now: datetime) -> None:
    """Keep the number for an inquiry, in place of an earlier one; InvalidInput where it is no number."""
    read = read_number(number)
    if read is None:
        raise InvalidInput("请填写11位手机号，或带区号的固定电话")
    kept = session.get(CallbackNumber, inquiry_id) or CallbackNumber(
        inquiry_id=inquiry_id, number=read, consented_at=now
    )
    kept.number, kept.consented_at = read, now
    session.add(kept)
    session.flush()


def number_for(session: Session, inquiry_id: int) -> str | None:
    """The number to call about an inquiry, for its assignee's eyes; None where none was left."""
    kept = session.get(CallbackNumber, inquiry_id)
    return kept.number if kept else None


def forget(session: Session, inquiry_id: int) -> bool:
    """Delete the number of an inquiry, as every step that closes one must; True if there was one."""
    gone = session.exec(delete(CallbackNumber).where(col(CallbackNumber.inquiry_id) == inquiry_id))
    return gone.rowcount == 1
