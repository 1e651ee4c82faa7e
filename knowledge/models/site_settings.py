"""What administrators set for the site, one row a subject: the reply promise, staff alerts, the menu's draft."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class SiteSetting(SQLModel, table=True):
    """One subject's settings; `number` counts its changes. Secrets in `data` are encrypted (knowledge.encryption)."""

    __tablename__ = "site_setting"

    name: str = Field(primary_key=True, max_length=40)
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    number: int
    changed_by: str = Field(max_length=50)
    changed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
