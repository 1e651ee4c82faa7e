"""The audit log: who changed what, when, from what to what. Rows are added and never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class AuditRecord(SQLModel, table=True):
    """One change by one person. `before` and `after` hold ids and staff-written fields, never askers' text."""

    __tablename__ = "audit_record"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    actor: str = Field(max_length=50, index=True)
    action: str = Field(max_length=60, index=True)
    subject: str = Field(max_length=160, index=True)
    before: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    after: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
