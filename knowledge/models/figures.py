"""Figures that change by law or year (最低工资, 社平工资): values with a date and a source."""

from datetime import date

from sqlmodel import Field, SQLModel


class Figure(SQLModel, table=True):
    """One yearly figure; `value` is None where nobody has confirmed it.

    A confirmed one holds from `effective`, was published as `source` says, and was compared with that on
    `checked_on`. `ask` tells an asker where to find a figure that is not confirmed.
    """

    __tablename__ = "figure"

    key: str = Field(primary_key=True, max_length=60)
    name: str
    value: str | None = None
    unit: str
    effective: date | None = None
    source: str
    ask: str
    checked_on: date | None = None
