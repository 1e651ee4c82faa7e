"""The published content's version: what an index was built for."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class ContentVersion(SQLModel, table=True):
    """A row per published state of the content; the newest number is in force."""

    __tablename__ = "content_version"

    number: int = Field(primary_key=True)
    published_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    note: str = ""
