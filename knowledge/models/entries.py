"""FAQ entries (条目): curated answers, their versions, similar questions and citations."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class Domain(StrEnum):
    """The three fields of law Fawen answers in."""

    LABOR = "labor"
    COMPANY = "company"
    BUSINESS = "business"


# As askers and staff read them.
DOMAIN_NAMES: dict[str, str] = {
    Domain.LABOR: "劳动用工",
    Domain.COMPANY: "公司事务",
    Domain.BUSINESS: "营商环境",
}


class EntryStatus(StrEnum):
    """An entry's life: draft → submitted → reviewed → published → archived."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class FaqEntry(SQLModel, table=True):
    """One curated entry; what it says on a given day is its `EntryVersion` valid on that day."""

    __tablename__ = "faq_entry"
    __table_args__ = (
        UniqueConstraint("title"),
        CheckConstraint("domain IN ('labor', 'company', 'business')", name="domain"),
        CheckConstraint("status IN ('draft', 'submitted', 'reviewed', 'published', 'archived')", name="status"),
    )

    id: str = Field(primary_key=True, max_length=100)
    title: str = Field(max_length=12)
    domain: str = Field(max_length=20, index=True)
    topic: str = Field(max_length=50)
    question: str
    audience: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    key_terms: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    related: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    referral: str = Field(max_length=5)
    status: str = Field(default=EntryStatus.DRAFT, max_length=20, index=True)
    checked_on: date
    review_by: date = Field(index=True)
    # Which seed text the entry was loaded from (sha-256 over the file's form of it): tells an entry nobody
    # has edited since from one that a site has made its own.
    seed_hash: str | None = Field(default=None, max_length=64)
    # The lawyer who signed the text there is, and the first day on which an article it cites is another than was
    # signed (statutes.sign_offs): from then on the sign-off has lapsed.
    signed_off_by: str | None = Field(default=None, max_length=50)
    sign_off_lapses_on: date | None = None
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class EntryVersion(SQLModel, table=True):
    """The text of an entry and the days it holds. Never changed once an asker may have received it."""

    __tablename__ = "entry_version"
    __table_args__ = (UniqueConstraint("entry_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    entry_id: str = Field(foreign_key="faq_entry.id", max_length=100)
    number: int
    answer: str
    valid_from: date | None = None
    valid_until: date | None = None
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Citation(SQLModel, table=True):
    """One legal basis of an entry version (依据)."""

    __tablename__ = "citation"
    __table_args__ = (UniqueConstraint("entry_version_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    entry_version_id: int = Field(foreign_key="entry_version.id")
    position: int
    statute: str = Field(max_length=200, index=True)
    article: int | None = None
    sub: int | None = None
    paragraph: int | None = None
    item: int | None = None
    unverified: bool = False
    check_note: str | None = None
    # Which text of the article the citation was checked against (`statutes.texts.text_hash`); None: not known.
    checked_hash: str | None = Field(default=None, max_length=16)


class EntrySeed(SQLModel, table=True):
    """The seed's text of an entry as it was loaded: the common ancestor when a newer seed meets local edits."""

    __tablename__ = "entry_seed"

    entry_id: str = Field(foreign_key="faq_entry.id", primary_key=True, max_length=100)
    form: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class Variant(SQLModel, table=True):
    """One similar question (相似问法): a wording that leads to the entry."""

    __tablename__ = "variant"
    __table_args__ = (UniqueConstraint("entry_id", "text"),)

    id: int | None = Field(default=None, primary_key=True)
    entry_id: str = Field(foreign_key="faq_entry.id", max_length=100, index=True)
    text: str
