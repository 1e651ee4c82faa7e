"""Contrasts: two messages that look alike and want different entries, as curators keep them.

They let `kb check` accept near wordings of two entries, and `fawen evaluate --contrasts` see whether one is
answered with what the other wants.
"""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from knowledge.errors import ContentError
from knowledge.matching.normalize import normalize


def _listed(entries: object) -> object:
    return (entries,) if isinstance(entries, str) else entries


Text = Annotated[str, Field(min_length=1)]
Wanted = Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(_listed)]


class ContrastForm(BaseModel):
    """Two messages, and for each the entries that answer it (one, or several that do equally)."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    pair: tuple[Text, Text]
    entries: tuple[Wanted, Wanted]

    @property
    def normalized(self) -> frozenset[str]:
        """Both messages as they are compared."""
        return frozenset(map(normalize, self.pair))

    @model_validator(mode="after")
    def _sides_differ(self) -> "ContrastForm":
        if len(self.normalized) < 2:
            raise ValueError(f"「{self.pair[0]}」 and 「{self.pair[1]}」 are the same message")
        if both := set(self.entries[0]) & set(self.entries[1]):
            raise ValueError(f"「{self.pair[0]}」 and 「{self.pair[1]}」 both want {'、'.join(sorted(both))}")
        return self


def read_contrast_forms(path: Path) -> list[ContrastForm]:
    """The pairs of a file; ContentError where it breaks the form."""
    try:
        rows = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        return TypeAdapter(list[ContrastForm]).validate_python(rows or [])
    except yaml.YAMLError as error:
        raise ContentError(f"{path.name}: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise ContentError(f"{path.name}: {faults}") from error
