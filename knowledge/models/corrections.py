"""Corrections (更正): what askers who received a wrong version of an entry are told."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, Column
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class CorrectionStatus(StrEnum):
    """proposed → sent, when somebody who did not write it has confirmed it; or withdrawn."""

    PROPOSED = "proposed"
    SENT = "sent"
    WITHDRAWN = "withdrawn"


class Correction(SQLModel, table=True):
    """One text for everybody who received one of `version_ids` of an entry since a moment (None: ever).

    Never changed once sent: outbox rows refer to it. `title` is what a tap for the answer as it is now sends (None:
    the entry was not published then). `recipients` counts those it was put on its way to so far, `unreachable`, told in
    the end, those left out because they had unsubscribed or been erased.
    """

    __tablename__ = "correction"
    __table_args__ = (CheckConstraint("status IN ('proposed', 'sent', 'withdrawn')", name="status"),)

    id: int | None = Field(default=None, primary_key=True)
    entry_id: str = Field(foreign_key="faq_entry.id", max_length=100, index=True)
    version_ids: list[int] = Field(sa_column=Column(JSON, nullable=False))
    since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    text: str
    title: str | None = Field(default=None, max_length=12)
    status: str = Field(default=CorrectionStatus.PROPOSED, max_length=20, index=True)
    authors: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    sent_by: str | None = Field(default=None, max_length=50)
    sent_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    recipients: int = 0
    unreachable: int = 0
