"""Urgent rules and fixed replies as shipped: what a database without any is first filled with."""

from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from knowledge.content import CONTENT
from knowledge.errors import ContentError

URGENT = CONTENT / "urgent.yaml"
FIXED_REPLIES = CONTENT / "fixed_replies.yaml"

Word = Annotated[str, Field(min_length=2)]
Form = TypeVar("Form")


class UrgentForm(BaseModel):
    """One urgent rule as written in YAML."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z_]{1,60}$")
    name: str = Field(min_length=1, max_length=50)
    patterns: list[list[list[Word]]] = Field(min_length=1)
    exceptions: list[Word] = []
    reply: str = Field(min_length=1)


class FixedReplyForm(BaseModel):
    """One fixed reply as written in YAML."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    keywords: list[str] = Field(min_length=1)
    text: str = Field(min_length=1)
    link: str | None = None


def read_urgent(path: Path = URGENT) -> list[UrgentForm]:
    """Read the urgent rules; raises ContentError where the file breaks the form."""
    return _read(path, TypeAdapter(list[UrgentForm]))


def read_fixed_replies(path: Path = FIXED_REPLIES) -> list[FixedReplyForm]:
    """Read the fixed replies; raises ContentError where the file breaks the form."""
    return _read(path, TypeAdapter(list[FixedReplyForm]))


def _read(path: Path, form: TypeAdapter[list[Form]]) -> list[Form]:
    try:
        return form.validate_python(yaml.safe_load(path.read_text("utf-8")) or [])
    except (yaml.YAMLError, ValidationError) as error:
        raise ContentError(f"{path.name}: {error}") from error
