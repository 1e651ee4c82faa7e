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
    # Raised when the password changes or all sessions are to end: a cookie made for an older number is void.
    session_epoch: int = 0
    # The second factor: a base32 secret (RFC 6238), encrypted (knowledge.encryption), and the last time step a code
    # was taken for, so that no code works twice. `totp_pending` is a secret shown but not yet confirmed by a code.
    totp_secret: str | None = Field(default=None, max_length=250)
    totp_pending: str | None = Field(default=None, max_length=250)
    totp_last_step: int = 0
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class StaffSession(SQLModel, table=True):
    """One signed-in browser. The cookie carries `key`; without its row a cookie is worth nothing."""

    __tablename__ = "staff_session"

    key: str = Field(primary_key=True, max_length=64)
    member_id: int = Field(foreign_key="staff_member.id", index=True)
    epoch: int
    began_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class AttemptCount(SQLModel, table=True):
    """How many attempts to sign in were made under a key (a hash, see knowledge.throttle) since a moment."""

    __tablename__ = "attempt_count"

    key: str = Field(primary_key=True, max_length=64)
    number: int
    since: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
