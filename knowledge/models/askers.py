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
    """What the last reply left open, and how many messages the channel lets us send unasked.

    `choices` are what a typed number means; `rest` waits behind 更多; `topic_entry_id` is what the last answer
    was about; `clarified_in_row` counts questions back without an answer between them; `number_for_inquiry_id`
    is the inquiry for which a call-back number is expected next. Unasked messages are allowed until
    `sends_until` (`sends_left` of them), and after a mere tap until `tap_sends_until`.
    """

    __tablename__ = "conversation"

    asker_id: int = Field(primary_key=True, foreign_key="asker.id")
    choices: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    choices_message_id: int | None = None
    wants_person: bool = False
    rest: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    topic_entry_id: str | None = Field(default=None, foreign_key="faq_entry.id", max_length=100)
    topic_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    clarified_in_row: int = 0
    number_for_inquiry_id: int | None = Field(default=None, foreign_key="inquiry.id")
    sends_left: int = 0
    sends_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    tap_sends_left: int = 0
    tap_sends_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
