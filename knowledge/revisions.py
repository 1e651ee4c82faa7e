"""Counting changes, so that running servers notice what was changed in what they keep in memory."""

from sqlalchemy import update
from sqlmodel import Session, col, select

from knowledge.database import insert_if_absent
from knowledge.models import Revision


def current(session: Session, subject: str) -> int:
    """How often the subject has changed."""
    return session.exec(select(Revision.number).where(Revision.subject == subject)).first() or 0


def raise_by_one(session: Session, subject: str) -> None:
    """Note a change of the subject, in the unit of work that makes it."""
    insert_if_absent(session, Revision, subject=subject, number=0)
    session.exec(update(Revision).where(col(Revision.subject) == subject).values(number=col(Revision.number) + 1))
