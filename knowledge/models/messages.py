"""The question log: everything an asker sent (来信), what was decided and why, and what was replied."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class DecisionKind(StrEnum):
    """What the matcher decided about a question."""

    ANSWERED = "answered"
    CLARIFIED = "clarified"
    UNRESOLVED = "unresolved"


class Message(SQLModel, table=True):
    """One message of an asker. `key` is unique: a push that comes again finds its reply here.

    `decision` is empty for what was no question of law (a tap, a command, an event, a greeting).
    `urgent_rule_id` names the urgent rule that recognised it. `text` and `reply` are what erasing a person
    empties; the day, decision and entry version stay.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("decision IS NULL OR decision IN ('answered', 'clarified', 'unresolved')", name="decision"),
        Index("ix_message_asker_id_received_at", "asker_id", "received_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64)
    asker_id: int = Field(foreign_key="asker.id")
    received_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    kind: str = Field(max_length=20)
    text: str | None = None
    decision: str | None = Field(default=None, max_length=20)
    entry_id: str | None = Field(default=None, foreign_key="faq_entry.id", max_length=100)
    entry_version_id: int | None = Field(default=None, foreign_key="entry_version.id")
    score: float | None = None
    candidates: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    content_version: int | None = None
    inquiry_id: int | None = Field(default=None, foreign_key="inquiry.id")
    urgent_rule_id: str | None = Field(default=None, max_length=60)
    reply: str | None = None
    latency_ms: float = 0.0


class Feedback(SQLModel, table=True):
    """有用 or 没解决, said by an asker of one answer he received; one row per answer, the last word counts."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("message_id"),)

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id")
    helpful: bool
    given_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
