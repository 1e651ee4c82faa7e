"""Counting attempts, so that guessing is slow: at most so many of a kind within a window of time.

The count is a row raised by conditional update, so that of attempts at the same moment, in whatever process, no more
than the limit are let through. Keys are hashes: what somebody typed into a name field may be a password.
"""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col

from knowledge.database import insert_if_absent
from knowledge.models import AttemptCount

WINDOW = timedelta(minutes=15)


def take(session: Session, key: str, limit: int, now: datetime) -> bool:
    """Count one more attempt under a key; False, and nothing counted, where `limit` were made within the window.

    The window begins with the first attempt and is over WINDOW later, however many were refused in it.
    """
    hashed = _hashed(key)
    session.exec(delete(AttemptCount).where(col(AttemptCount.since) <= now - WINDOW))
    insert_if_absent(session, AttemptCount, key=hashed, number=0, since=now)
    raised = session.exec(
        update(AttemptCount)
        .where(col(AttemptCount.key) == hashed, col(AttemptCount.number) < limit)
        .values(number=col(AttemptCount.number) + 1)
    )
    return raised.rowcount == 1


def count(session: Session, key: str, now: datetime) -> int:
    """How many attempts are counted under a key within its window."""
    found = session.get(AttemptCount, _hashed(key))
    return found.number if found and found.since > now - WINDOW else 0


def forget(session: Session, key: str) -> None:
    """Forget what is counted under a key: it succeeded."""
    session.exec(delete(AttemptCount).where(col(AttemptCount.key) == _hashed(key)))


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
