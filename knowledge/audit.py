"""The audit log: one record per change by staff, written in the transaction of the change itself."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from knowledge.models import AuditRecord

COMMAND_LINE = "命令行"


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Write down one change.

    `actor` is a member's name or COMMAND_LINE; `action` a verb of the field (`entry.publish`); `subject` what was
    changed (`entry labor.wage.arrears`). `before` and `after` hold ids and what staff wrote, plain values only;
    None where nothing was there, or nothing is left. What an asker wrote never goes in here: the log outlives
    an erasure.
    """
    session.add(
        AuditRecord(
            at=now,
            actor=actor[:50],
            action=action,
            subject=subject[:160],
            before=_plain(before),
            after=_plain(after),
        )
    )


def find(
    session: Session, *, actor: str = "", action: str = "", subject: str = "", limit: int = 50, offset: int = 0
) -> list[AuditRecord]:
    """Records by actor (exact), kind of action (its beginning) and subject (part of it); newest first."""
    statement = select(AuditRecord).order_by(col(AuditRecord.id).desc()).limit(limit).offset(offset)
    if actor:
        statement = statement.where(AuditRecord.actor == actor)
    if action:
        statement = statement.where(col(AuditRecord.action).startswith(action, autoescape=True))
    if subject:
        statement = statement.where(col(AuditRecord.subject).contains(subject, autoescape=True))
    return list(session.exec(statement).all())


def changed(entry: AuditRecord) -> list[tuple[str, Any, Any]]:
    """What differs between before and after: (field, old value, new value), None where there was no such field."""
    before, after = entry.before or {}, entry.after or {}
    names = dict.fromkeys((*before, *after))
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Days and times become text: the column is JSON."""
    if values is None:
        return None
    return {name: value.isoformat() if isinstance(value, date | datetime) else value for name, value in values.items()}
