"""What the matcher is given beside the entries: data that staff change, the trained classifier, fitted numbers."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, LargeBinary
from sqlmodel import Field, SQLModel

from knowledge.database import UtcDateTime


class MatchingKind(StrEnum):
    """One body of data each: synonyms, matters that are not ours, opposite facts, facts to ask for."""

    LEXICON = "lexicon"
    OUTSIDE = "outside"
    AXES = "axes"
    FACTS = "facts"


class MatchingData(SQLModel, table=True):
    """One body of matching data in the form of its YAML file; `seed_hash` tells whether a site has edited it."""

    __tablename__ = "matching_data"
    __table_args__ = (CheckConstraint("kind IN ('lexicon', 'outside', 'axes', 'facts')", name="kind"),)

    kind: str = Field(primary_key=True, max_length=20)
    data: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    seed_hash: str = Field(max_length=64)
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class TrainedModel(SQLModel, table=True):
    """The classifier trained for a content version; a row without `data` is a claim: somebody is training it."""

    __tablename__ = "trained_model"

    content_version: int = Field(primary_key=True)
    claimed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    made_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    data: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class FittedWeights(SQLModel, table=True):
    """Numbers a site has fitted on its own questions; the newest active row is in force, else what ships.

    The newest row that is neither active nor retired (given up, or replaced) runs in shadow: 设置 → 阈值 and
    `fawen evaluate --from-log` show what it would have decided.
    """

    __tablename__ = "fitted_weights"

    id: int | None = Field(default=None, primary_key=True)
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    is_active: bool = False
    is_retired: bool = False
    made_by: str = Field(max_length=50)
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class WeightsUsed(SQLModel, table=True):
    """Weights and thresholds that decided something, in the form of `matching.weights.as_row`; never changed.

    `digest` is the beginning of the sha-256 over that form: what ships with a release and what a site fitted are
    kept alike, so that a past decision shows the very numbers it was made with.
    """

    __tablename__ = "weights_used"

    digest: str = Field(primary_key=True, max_length=16)
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class ConfirmedQuestion(SQLModel, table=True):
    """What a curator says a logged question meant: an entry, or (entry_id empty) nothing of ours."""

    __tablename__ = "confirmed_question"

    message_id: int = Field(primary_key=True, foreign_key="message.id")
    entry_id: str | None = Field(default=None, foreign_key="faq_entry.id", max_length=100)
    confirmed_by: str = Field(max_length=50)
    confirmed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
