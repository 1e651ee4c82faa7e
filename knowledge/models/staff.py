"""Staff members: who may sign in to the workbench, and as what."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class Role(StrEnum):
    """What a member may do; each role may also do what those before it may."""

    VIEWER = "viewer"
    CURATOR = "curator"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"


class StaffMember(SQLModel, table=True):
    """One member of staff. The password is kept as an argon2id hash only."""

    __tablename__ = "staff_member"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("role IN ('viewer', 'curator', 'reviewer', 'administrator')", name="role"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=50)
    role: str = Field(max_length=20)
    password_hash: str
    is_active: bool = True
    failed_sign_ins: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    # Raised when the password changes or all sessions are to end: a cookie made for an older number is void.
    session_epoch: int = 0
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
