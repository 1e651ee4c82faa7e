"""The question log: everything an asker sent (来信), what was decided and why, and what was replied."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class DecisionKind(StrEnum):
    """What the matcher decided about a question."""

    ANSWERED = "answered"
    CLARIFIED = "clarified"
    UNRESOLVED = "unresolved"


class Message(SQLModel, table=True):
    """One message of an asker. `key` is unique: a push that comes again finds its reply here.

    `decision` is empty for what was no question of law (a tap, a command, an event, a greeting), and `entry_id`
    where no entry's text was given. `domain` is the field of law that a question seems to be of; `is_repeat` says
    that the same asker had asked just this within a day before. `urgent_rule_id` names the urgent rule that
    recognised it. What the decision rested on: `content_version`, the weights and thresholds (`weights_digest`), and
    the content version whose classifier was asked (None: none was); `reason` says it in words, ours only. `text` and
    `reply` (as sent) are what erasing a person empties; the day, decision and entry version stay.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("decision IS NULL OR decision IN ('answered', 'clarified', 'unresolved')", name="decision"),
        # What one asker sent of late; and whether he asked anything in a period, without a look at the row.
        Index("ix_message_asked", "asker_id", "received_at", "kind", "is_repeat", "decision"),
        CheckConstraint("domain IS NULL OR domain IN ('labor', 'company', 'business')", name="domain"),
        # Each count of a report is one range of these two. The second also tells who received an entry; most
        # messages received none.
        Index("ix_message_counted", "kind", "is_repeat", "decision", "domain", "received_at", "asker_id", "entry_id"),
        Index(
            "ix_message_answered",
            "entry_id",
            "received_at",
            "decision",
            "kind",
            "is_repeat",
            sqlite_where=text("entry_id IS NOT NULL"),
            postgresql_where=text("entry_id IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64)
    asker_id: int = Field(foreign_key="asker.id")
    received_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    kind: str = Field(max_length=20)
    text: str | None = None
    decision: str | None = Field(default=None, max_length=20)
    domain: str | None = Field(default=None, max_length=20)
    is_repeat: bool = False
    entry_id: str | None = Field(default=None, foreign_key="faq_entry.id", max_length=100)
    entry_version_id: int | None = Field(default=None, foreign_key="entry_version.id")
    score: float | None = None
    candidates: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    content_version: int | None = None
    weights_digest: str | None = Field(default=None, foreign_key="weights_used.digest", max_length=16)
    classifier_version: int | None = None
    reason: str | None = None
    inquiry_id: int | None = Field(default=None, foreign_key="inquiry.id")
    urgent_rule_id: str | None = Field(default=None, max_length=60)
    reply: str | None = None
    latency_ms: float = 0.0


class FurtherAnswer(SQLModel, table=True):
    """The second and third entry given in one reply to several questions; the first stands in the message."""

    __tablename__ = "further_answer"

    message_id: int = Field(primary_key=True, foreign_key="message.id")
    position: int = Field(primary_key=True)
    entry_id: str = Field(foreign_key="faq_entry.id", max_length=100, index=True)
    entry_version_id: int = Field(foreign_key="entry_version.id")


class Feedback(SQLModel, table=True):
    """有用 or 没解决, said by an asker of one answer he received; one row per answer, the last word counts."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("message_id"),)

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id")
    helpful: bool
    given_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
