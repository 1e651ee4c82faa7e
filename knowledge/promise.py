"""答复时限: within how many working days staff promise a reply."""

from datetime import datetime

from sqlmodel import Session

from knowledge import revisions, site_settings
from knowledge.errors import InvalidInput
from knowledge.site_settings import Kept

SUBJECT = "reply_promise"
DEFAULT, SHORTEST, LONGEST = 2, 1, 30


def kept(session: Session) -> Kept:
    """The setting with who made it; its number is what a change is made against."""
    return site_settings.load(session, SUBJECT)


def working_days(session: Session) -> int:
    """How many working days after the day of the question a reply is due."""
    return int(kept(session).data.get("working_days", DEFAULT))


def save(session: Session, days: int, *, against: int, actor: str, now: datetime) -> None:
    """Promise another number of working days, for questions from now on; what was promised before stays promised.

    InvalidInput outside SHORTEST to LONGEST, SettingMoved where a colleague was first.
    """
    if not SHORTEST <= days <= LONGEST:
        raise InvalidInput(f"答复时限应为{SHORTEST}至{LONGEST}个工作日")
    site_settings.save(
        session,
        SUBJECT,
        {"working_days": days},
        against=against,
        actor=actor,
        now=now,
        before={"working_days": working_days(session)},
        after={"working_days": days},
    )
    revisions.raise_by_one(session, SUBJECT)
