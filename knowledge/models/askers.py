"""Askers (提问人) and what the dialogue with each has open."""

from datetime import datetime

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class Asker(SQLModel, table=True):
    """A person who asks; `address` is the channel's name for them and means nothing here."""

    __tablename__ = "asker"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str = Field(max_length=20)
    address: str | None = Field(default=None, max_length=128)
    scene: str | None = Field(default=None, max_length=128)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Conversation(SQLModel, table=True):
    """What the last reply left open: the choices a typed number means, the rest behind 更多, a wish for a person."""

    __tablename__ = "conversation"

    asker_id: int = Field(primary_key=True, foreign_key="asker.id")
    choices: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    choices_message_id: int | None = None
    wants_person: bool = False
    rest: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
