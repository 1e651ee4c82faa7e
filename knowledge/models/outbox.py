"""The outbox: what colleagues wrote and an asker has not received yet. Never lost, never knowingly given twice."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class OutboxStatus(StrEnum):
    """waiting → sending → delivered; a send whose outcome nobody knows is unsure, until the next message.

    A waiting row also goes straight to delivered, in the reply to the asker's next message.
    """

    WAITING = "waiting"
    SENDING = "sending"
    UNSURE = "unsure"
    DELIVERED = "delivered"


UNDELIVERED = (OutboxStatus.WAITING, OutboxStatus.SENDING, OutboxStatus.UNSURE)


class OutboxMessage(SQLModel, table=True):
    """One text on its way to one asker: a colleague's reply, a correction, or a notice with a text of its own (`text`).

    `claimed_by` and `claimed_at` name the worker that is pushing it, `next_attempt_at` when a refused push
    may be tried again (None: at once), `refused_code` the channel's error code of the last refusal,
    `parts_sent` how many parts of a long text are known to have arrived.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'sending', 'unsure', 'delivered')", name="status"),
        CheckConstraint("staff_reply_id IS NOT NULL OR text IS NOT NULL OR correction_id IS NOT NULL", name="has_text"),
        # Whoever received several wrong versions is corrected once.
        UniqueConstraint("correction_id", "asker_id"),
        Index("ix_outbox_message_asker_id_status", "asker_id", "status"),
        Index("ix_outbox_message_status", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    asker_id: int = Field(foreign_key="asker.id")
    inquiry_id: int | None = Field(default=None, foreign_key="inquiry.id")
    staff_reply_id: int | None = Field(default=None, foreign_key="staff_reply.id")
    correction_id: int | None = Field(default=None, foreign_key="correction.id")
    text: str | None = None
    status: str = Field(default=OutboxStatus.WAITING, max_length=20)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    claimed_by: str | None = Field(default=None, max_length=40)
    claimed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    attempts: int = 0
    parts_sent: int = 0
    next_attempt_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    refused_code: int | None = None
    delivered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    delivered_by_message_id: int | None = Field(default=None, foreign_key="message.id")
