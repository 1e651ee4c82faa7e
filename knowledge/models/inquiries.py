"""Inquiries (提问单): matters waiting for a person, and what colleagues replied."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class InquiryStatus(StrEnum):
    """new → assigned ⇄ waiting → answered | merged | declined | referred."""

    NEW = "new"
    ASSIGNED = "assigned"
    WAITING = "waiting"
    ANSWERED = "answered"
    MERGED = "merged"
    DECLINED = "declined"
    REFERRED = "referred"

    @property
    def is_open(self) -> bool:
        """Whether a colleague still has to act."""
        return self in OPEN_STATUSES


OPEN_STATUSES = (InquiryStatus.NEW, InquiryStatus.ASSIGNED, InquiryStatus.WAITING)


class Inquiry(SQLModel, table=True):
    """One matter of one asker; its number is shown to that asker only."""

    __tablename__ = "inquiry"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint(
            "status IN ('new', 'assigned', 'waiting', 'answered', 'merged', 'declined', 'referred')",
            name="status",
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(max_length=20)
    asker_id: int = Field(foreign_key="asker.id", index=True)
    question: str | None = None
    status: str = Field(default=InquiryStatus.NEW, max_length=20, index=True)
    urgent: bool = False
    reason: str = Field(max_length=20)
    opened_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    due_on: date
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    # Since when the asker is to add something: the due time rests until he does.
    waiting_since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class InquiryCounter(SQLModel, table=True):
    """The last number drawn on a day (Asia/Shanghai); raised by conditional update, gaps allowed."""

    __tablename__ = "inquiry_counter"

    day: date = Field(primary_key=True)
    last: int


class ReplyKind(StrEnum):
    """A colleague's reply answers an inquiry, or asks the asker back (反问)."""

    ANSWER = "answer"
    QUESTION = "question"


class StaffReply(SQLModel, table=True):
    """What a colleague wrote to the asker of an inquiry; `helpful` is what the asker said of it (None: nothing)."""

    __tablename__ = "staff_reply"
    __table_args__ = (CheckConstraint("kind IN ('answer', 'question')", name="kind"),)

    id: int | None = Field(default=None, primary_key=True)
    inquiry_id: int = Field(foreign_key="inquiry.id", index=True)
    author: str = Field(max_length=50)
    kind: str = Field(default=ReplyKind.ANSWER, max_length=20)
    text: str | None = None
    helpful: bool | None = None
    written_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
