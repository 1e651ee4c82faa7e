"""Jobs: long work that waits as a row, is claimed by a worker, shows its progress and keeps its result."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class JobKind(StrEnum):
    """What kind of work it is."""

    COMPARISON = "comparison"
    THRESHOLDS = "thresholds"
    CORRECTION = "correction"


class JobStatus(StrEnum):
    """Where a job stands. A failed or cancelled one is never taken up again: it is asked for anew."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (JobStatus.WAITING, JobStatus.RUNNING)


class Job(SQLModel, table=True):
    """One piece of long work. `subject` says what it is about, the same words for the same thing.

    A worker holds a running job until `claimed_until` and says so again as it goes on; after that it has died, and
    another may take the job over from the beginning. `attempts` counts who took it. `result` never holds an asker's
    words: they are erased in one place only.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="status"),
        Index("ix_job_kind_subject", "kind", "subject"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=20)
    subject: str = Field(max_length=120)
    status: str = Field(default=JobStatus.WAITING, max_length=20, index=True)
    stage: str = Field(default="", max_length=100)
    done: int = 0
    total: int = 0
    attempts: int = 0
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    fault: str | None = None
    requested_by: str = Field(max_length=50)
    requested_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    claimed_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
