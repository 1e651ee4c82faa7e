"""Drafts (稿): an entry's content on its way to publication, and afterwards the history of what was published."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class DraftStatus(StrEnum):
    """draft → submitted → reviewed → published; given up at any time before that."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class EntryDraft(SQLModel, table=True):
    """One draft of an entry. A published one is never changed again: it is what was published then.

    `content` is the entry in its exchange form (`content.entries.EntryForm`), perhaps still incomplete. `authors`
    are all who wrote at it: none of them may review it. `signed` says that the reviewer did so as a lawyer, on the
    texts of law in `signed_on` (`statutes.sign_offs.as_rows`).
    """

    __tablename__ = "entry_draft"
    __table_args__ = (
        UniqueConstraint("entry_id", "number"),
        CheckConstraint("status IN ('draft', 'submitted', 'reviewed', 'published', 'discarded')", name="status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    # Not a foreign key: the entry of a first draft exists only once it is published.
    entry_id: str = Field(max_length=100)
    number: int
    status: str = Field(default=DraftStatus.DRAFT, max_length=20, index=True)
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    authors: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    reviewer: str | None = Field(default=None, max_length=50)
    signed: bool = False
    signed_on: list[dict[str, Any]] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True), nullable=True)
    )
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    published_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    published_by: str | None = Field(default=None, max_length=50)


class DraftComment(SQLModel, table=True):
    """A colleague's remark on a draft."""

    __tablename__ = "draft_comment"

    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = Field(foreign_key="entry_draft.id", index=True)
    author: str = Field(max_length=50)
    text: str
    written_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
