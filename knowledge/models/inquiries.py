"""Inquiries (提问单): matters waiting for a person, and what colleagues replied."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime

# What the asker added to his question later on stands after this.
SUPPLEMENT = "\n（补充）"


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
    # For the inbox: `normal` is the whole question normalised (searched by substring), `likeness` its first wording
    # without courtesy (compared with others). Both are the asker's words and go with them.
    normal: str = ""
    likeness: str = ""
    domain: str | None = Field(default=None, max_length=20)
    cluster_id: int | None = Field(default=None, foreign_key="inquiry_cluster.id", index=True)
    assignee_id: int | None = Field(default=None, foreign_key="staff_member.id")
    # The draft that is being written to answer it, and the entry that did.
    draft_id: int | None = Field(default=None, foreign_key="entry_draft.id", index=True)
    entry_id: str | None = Field(default=None, foreign_key="faq_entry.id", max_length=100, index=True)
    merged_into_id: int | None = Field(default=None, foreign_key="inquiry.id")


class InquiryCluster(SQLModel, table=True):
    """Inquiries that ask nearly the same, whoever asked."""

    __tablename__ = "inquiry_cluster"

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class InquiryNote(SQLModel, table=True):
    """An internal note on an inquiry: colleagues read it, the asker never. It goes when its asker is erased."""

    __tablename__ = "inquiry_note"

    id: int | None = Field(default=None, primary_key=True)
    inquiry_id: int = Field(foreign_key="inquiry.id", index=True)
    author: str = Field(max_length=50)
    text: str
    written_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


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
    """What a colleague wrote to the asker of an inquiry; `helpful` is what the asker said of it (None: nothing).

    `entry_version_id`: it is an entry's text, of that version.
    """

    __tablename__ = "staff_reply"
    __table_args__ = (CheckConstraint("kind IN ('answer', 'question')", name="kind"),)

    id: int | None = Field(default=None, primary_key=True)
    inquiry_id: int = Field(foreign_key="inquiry.id", index=True)
    author: str = Field(max_length=50)
    kind: str = Field(default=ReplyKind.ANSWER, max_length=20)
    text: str | None = None
    helpful: bool | None = None
    entry_version_id: int | None = Field(default=None, foreign_key="entry_version.id", index=True)
    written_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
