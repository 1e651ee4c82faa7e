"""Test cases (测试问句): questions whose right entry staff confirmed, in a wording freed of personal details."""

from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class TestCase(SQLModel, table=True):
    """One question and the entry that must answer it (None: it must not be answered)."""

    __test__ = False  # no class of tests, whatever pytest makes of its name
    __tablename__ = "test_case"
    __table_args__ = (UniqueConstraint("text"),)

    id: int | None = Field(default=None, primary_key=True)
    text: str
    entry_id: str | None = Field(default=None, foreign_key="faq_entry.id", max_length=100)
    author: str = Field(max_length=50)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
