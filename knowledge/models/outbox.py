"""The outbox: staff replies an asker has not received yet. Never lost, never knowingly given twice."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Index
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class OutboxStatus(StrEnum):
    """waiting → delivered (in the reply to the asker's next message)."""

    WAITING = "waiting"
    DELIVERED = "delivered"


class OutboxMessage(SQLModel, table=True):
    """One staff reply on its way to one asker."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'delivered')", name="status"),
        Index("ix_outbox_message_asker_id_status", "asker_id", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    asker_id: int = Field(foreign_key="asker.id")
    inquiry_id: int = Field(foreign_key="inquiry.id")
    staff_reply_id: int = Field(foreign_key="staff_reply.id")
    status: str = Field(default=OutboxStatus.WAITING, max_length=20)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    delivered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    delivered_by_message_id: int | None = Field(default=None, foreign_key="message.id")
