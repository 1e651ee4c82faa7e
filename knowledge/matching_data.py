"""Synonyms, matters that are not ours, opposite facts and facts to ask for, as stored."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from knowledge.content.matching import MatchingSet, check_rows, matching_set, read_rows, rows_hash
from knowledge.models import MatchingData, MatchingKind


def seed(session: Session, now: datetime) -> bool:
    """Store what ships; what a site has edited stays as it is. True if anything changed."""
    changed = False
    for kind in MatchingKind:
        rows = read_rows(kind)
        seed_hash = rows_hash(rows)
        stored = session.get(MatchingData, kind)
        if stored is None:
            session.add(MatchingData(kind=kind, data=rows, seed_hash=seed_hash, updated_at=now))
            changed = True
        elif stored.seed_hash != seed_hash and stored.seed_hash == rows_hash(stored.data):
            stored.data, stored.seed_hash, stored.updated_at = rows, seed_hash, now
            session.add(stored)
            changed = True
    return changed


def load(session: Session) -> MatchingSet:
    """Everything, ready for use."""
    return matching_set({MatchingKind(row.kind): row.data for row in session.exec(select(MatchingData))})


def rows(session: Session, kind: MatchingKind) -> list[dict[str, Any]]:
    """The rows of a kind in the form of its YAML file."""
    stored = session.get(MatchingData, kind)
    return list(stored.data) if stored else []


def save(session: Session, kind: MatchingKind, new: list[dict[str, Any]], now: datetime) -> None:
    """Replace the rows of a kind; ContentError where they break its form.

    The caller publishes the content (`curation.publish_content`), so that running servers take them up.
    """
    check_rows(kind, new)
    stored = session.get(MatchingData, kind)
    if stored is None:
        stored = MatchingData(kind=kind, data=new, seed_hash="", updated_at=now)
    stored.data, stored.updated_at = new, now
    session.add(stored)
    session.flush()
