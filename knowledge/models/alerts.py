"""Alerts to staff (人员提醒): a row each, so that none is lost and none is sent twice."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class AlertChannel(StrEnum):
    """How staff are reached."""

    EMAIL = "email"
    ROBOT = "robot"


class AlertKind(StrEnum):
    """An urgent inquiry at once, or the day's list of what is open."""

    URGENT = "urgent"
    DAILY = "daily"


class AlertStatus(StrEnum):
    """waiting → sending → sent; back to waiting after a failure that may pass; dropped: there was no need any more."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class StaffAlert(SQLModel, table=True):
    """One alert by one channel. `key` names its occasion (`urgent:Q20261124-0001:email`); `error` is in words."""

    __tablename__ = "staff_alert"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("status IN ('waiting', 'sending', 'sent', 'failed', 'dropped')", name="status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=60)
    kind: str = Field(max_length=10)
    channel: str = Field(max_length=10)
    inquiry_id: int | None = Field(default=None, foreign_key="inquiry.id")
    status: str = Field(default=AlertStatus.WAITING, max_length=10, index=True)
    attempts: int = 0
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    next_attempt_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    claimed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    sent_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    error: str | None = Field(default=None, max_length=300)
