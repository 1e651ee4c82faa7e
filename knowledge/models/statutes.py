"""The statute register as imported (法规库): statutes, their versions, articles, and entries to look at again."""

from datetime import date, datetime

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class Statute(SQLModel, table=True):
    """One statute under its full official title, without a version behind it."""

    __tablename__ = "statute"
    __table_args__ = (UniqueConstraint("title"),)

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200)
    aliases: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    kind: str = Field(max_length=40)
    issuer: str | None = Field(default=None, max_length=200)


class StatuteVersion(SQLModel, table=True):
    """One version of a statute, in force from `effective` (None: nobody established it) until the next one.

    `name` is what a citation of just this version writes: the title, or the title with a version behind it
    (商标法（2026年修订）). `digest` tells whether an import brings anything new. `superseded` says that it is out
    of force although no newer version is known.
    """

    __tablename__ = "statute_version"

    id: int | None = Field(default=None, primary_key=True)
    statute_id: int = Field(foreign_key="statute.id", index=True)
    name: str = Field(max_length=200, index=True)
    promulgated: date | None = None
    effective: date | None = None
    note: str | None = None
    superseded: bool = False
    superseded_by: str | None = None
    partly_changed: str | None = None
    source: str | None = None
    article_count: int
    digest: str = Field(max_length=64)
    imported_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Article(SQLModel, table=True):
    """One article (条) of a version: paragraphs joined by line ends, without 第…条 before them.

    `sub` is the number after 之, 0 where there is none, so that the key is unique in every database.
    """

    __tablename__ = "article"
    __table_args__ = (UniqueConstraint("statute_version_id", "article", "sub"),)

    id: int | None = Field(default=None, primary_key=True)
    statute_version_id: int = Field(foreign_key="statute_version.id")
    article: int
    sub: int = 0
    chapter: str | None = None
    text: str
    hash: str = Field(max_length=16)


class ReReview(SQLModel, table=True):
    """复审: an entry cites an article whose text is no longer the one the entry was checked against.

    Old and new text are kept as they were then; `old_text` is None where that text was never imported,
    `new_text` where the article is gone. Open until somebody has looked (`closed_at`).
    """

    __tablename__ = "re_review"
    __table_args__ = (UniqueConstraint("entry_id", "statute_version_id", "article", "sub"),)

    id: int | None = Field(default=None, primary_key=True)
    entry_id: str = Field(foreign_key="faq_entry.id", max_length=100, index=True)
    statute_version_id: int = Field(foreign_key="statute_version.id", index=True)
    statute: str = Field(max_length=200)
    article: int
    sub: int = 0
    old_text: str | None = None
    new_text: str | None = None
    new_hash: str | None = Field(default=None, max_length=16)
    effective: date | None = None
    opened_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    closed_by: str | None = Field(default=None, max_length=50)
