"""Messages that no entry is for: other fields of law, and what is no question of law at all."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.content import CONTENT
from knowledge.errors import ContentError
from knowledge.matching.index import Document, Scope

OUTSIDE = CONTENT / "outside.yaml"


class OutsideForm(BaseModel):
    """One class of such messages as written in YAML; `referral` is the hotline to name, if there is one."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    id: str = Field(pattern=r"^outside\.[a-z0-9_]+$")
    name: str = Field(min_length=1)
    scope: Literal["other_law", "smalltalk"]
    referral: Literal["12348", "12333", "12366", "12315", "12345", "12351"] | None = None
    wordings: list[Annotated[str, Field(min_length=1)]] = Field(min_length=8)

    def document(self) -> Document:
        """The same as the index takes it."""
        return Document(self.id, self.name, tuple(self.wordings), scope=Scope(self.scope))


def read_outside(path: Path = OUTSIDE) -> list[OutsideForm]:
    """Read the classes; raises ContentError where the file breaks the form."""
    try:
        rows = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        return [OutsideForm.model_validate(row) for row in rows or []]
    except (yaml.YAMLError, ValidationError) as error:
        raise ContentError(f"{path.name}: {error}") from error
