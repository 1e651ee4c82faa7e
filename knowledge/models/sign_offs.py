"""Sign-offs (签署): that a lawyer stands behind an entry, and the very texts of law it was given on."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class SignOff(SQLModel, table=True):
    """One sign-off; the newest of an entry is the one in `FaqEntry.signed_off_by`, as far as that is set."""

    __tablename__ = "sign_off"

    id: int | None = Field(default=None, primary_key=True)
    entry_id: str = Field(foreign_key="faq_entry.id", max_length=100, index=True)
    lawyer: str = Field(max_length=50)
    signed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class SignedArticle(SQLModel, table=True):
    """One text of a cited article that a sign-off was given on.

    `statute` is the title without a version, `version` what the version was called (None: the text was not at hand,
    and `hash` is the one the citation was checked against, if it is known at all). `hash` is "" where the version
    has no such article.
    """

    __tablename__ = "signed_article"

    id: int | None = Field(default=None, primary_key=True)
    sign_off_id: int = Field(foreign_key="sign_off.id", index=True)
    statute: str = Field(max_length=200)
    article: int
    sub: int = 0
    hash: str | None = Field(default=None, max_length=16)
    version: str | None = Field(default=None, max_length=200)
