"""What administrators set, as stored: read by subject, changed against the state that was looked at, on the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from knowledge import audit
from knowledge.database import insert_if_absent
from knowledge.errors import SettingMoved
from knowledge.models import SiteSetting


@dataclass(frozen=True, slots=True)
class Kept:
    """A subject's settings; `number` is 0, and `data` empty, where nobody has set anything."""

    data: Mapping[str, Any]  # Any: JSON; each subject's module parses its own
    number: int
    changed_by: str
    changed_at: datetime | None


def load(session: Session, name: str, *, locked: bool = False) -> Kept:
    """What is set for a subject; `locked`: nobody else changes it before this unit of work is over."""
    row = session.get(SiteSetting, name, populate_existing=True, with_for_update=locked)
    if row is None:
        return Kept({}, 0, "", None)
    return Kept(row.data, row.number, row.changed_by, row.changed_at)


def rewrite(session: Session, name: str, data: Mapping[str, Any]) -> None:
    """Store a subject's settings, which must be there, in another form: nobody changed what they say."""
    session.exec(update(SiteSetting).where(col(SiteSetting.name) == name).values(data=dict(data)))


def save(
    session: Session,
    name: str,
    data: Mapping[str, Any],
    *,
    against: int,
    actor: str,
    now: datetime,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    action: str = "setting.save",
) -> None:
    """Set a subject's settings; SettingMoved where a colleague has changed them since `against`.

    `before` and `after` go into the log: the settings in words, without secrets.
    """
    insert_if_absent(session, SiteSetting, name=name, data={}, number=0, changed_by=actor[:50], changed_at=now)
    changed = session.exec(
        update(SiteSetting)
        .where(col(SiteSetting.name) == name, col(SiteSetting.number) == against)
        .values(data=dict(data), number=against + 1, changed_by=actor[:50], changed_at=now)
    )
    if changed.rowcount != 1:
        raise SettingMoved("同事刚刚改过这项设置，请看过现在的内容后再改")
    audit.record(session, actor=actor, action=action, subject=f"setting {name}", before=before, after=after, now=now)
