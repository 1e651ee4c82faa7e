"""What staff set for every conversation: texts (固定文案), fixed replies (固定回复) and urgent rules (紧急情形)."""

from datetime import datetime

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class TextVersion(SQLModel, table=True):
    """One wording that staff gave a text; the highest number is in force. No `text`: back to the shipped wording."""

    __tablename__ = "text_version"
    __table_args__ = (UniqueConstraint("key", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=40)
    number: int
    text: str | None = None
    made_by: str = Field(max_length=50)
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class FixedReply(SQLModel, table=True):
    """A text or a link for exact keywords; outside the legal figures. One that is not active is not given."""

    __tablename__ = "fixed_reply"

    id: int | None = Field(default=None, primary_key=True)
    text: str
    link: str | None = Field(default=None, max_length=1000)
    is_active: bool = True
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class FixedReplyKeyword(SQLModel, table=True):
    """A keyword as staff wrote it, and normalised as it is compared; it leads to one fixed reply."""

    __tablename__ = "fixed_reply_keyword"
    __table_args__ = (UniqueConstraint("normalized"),)

    id: int | None = Field(default=None, primary_key=True)
    fixed_reply_id: int = Field(foreign_key="fixed_reply.id", index=True)
    keyword: str = Field(max_length=50)
    normalized: str = Field(max_length=50)


class UrgentRule(SQLModel, table=True):
    """How an urgent matter is recognised, and the number to call that is said before anything else.

    A message matches where, for one of `patterns`, it holds at least one word of each group, and none of
    `exceptions`. The lower `position` is tried first.
    """

    __tablename__ = "urgent_rule"

    id: str = Field(primary_key=True, max_length=60)
    name: str = Field(max_length=50)
    position: int
    patterns: list[list[list[str]]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    exceptions: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    reply: str
    is_active: bool = True
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Revision(SQLModel, table=True):
    """Counts the changes to something that running servers keep in memory, so that they notice one."""

    __tablename__ = "revision"

    subject: str = Field(primary_key=True, max_length=40)
    number: int
