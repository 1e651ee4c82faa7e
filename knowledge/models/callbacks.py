"""Call-back numbers (回拨号码): left with consent, apart from the log, gone when the inquiry closes."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class CallbackNumber(SQLModel, table=True):
    """The telephone number at which an asker wants to be called about one inquiry."""

    __tablename__ = "callback_number"

    inquiry_id: int = Field(primary_key=True, foreign_key="inquiry.id")
    number: str = Field(max_length=30)
    consented_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
