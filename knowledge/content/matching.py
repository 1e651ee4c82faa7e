"""What the matcher is given beside the entries, in YAML form: synonyms, matters not ours, opposite facts, facts to ask.

Editors change the files; a database holds them in the same form after the first load.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from knowledge.content import AXES, FACTS, LEXICON, OUTSIDE
from knowledge.errors import ContentError
from knowledge.matching.contrast import Axis, build_axis
from knowledge.matching.decide import Fact
from knowledge.matching.index import Document, Scope
from knowledge.matching.lexicon import Concept, Lexicon, build_lexicon
from knowledge.models import MatchingKind

FILES = {
    MatchingKind.LEXICON: LEXICON,
    MatchingKind.OUTSIDE: OUTSIDE,
    MatchingKind.AXES: AXES,
    MatchingKind.FACTS: FACTS,
}

Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ConceptForm(_Strict):
    """One concept of the lexicon with the words people use for it."""

    concept: Text
    words: list[Text] = Field(min_length=1)


class OutsideForm(_Strict):
    """One class of messages that no entry is for; `referral` is the hotline to name, if there is one."""

    id: str = Field(pattern=r"^outside\.[a-z0-9_]+$")
    name: Text
    scope: Literal["other_law", "smalltalk"]
    referral: Literal["12348", "12333", "12366", "12315", "12345", "12351"] | None = None
    wordings: list[Text] = Field(min_length=8)

    def document(self) -> Document:
        """The same as the index takes it."""
        return Document(self.id, self.name, tuple(self.wordings), scope=Scope(self.scope))


class AxisForm(_Strict):
    """One fact with opposite values, and the words that tell each."""

    axis: Text
    values: dict[str, list[Text]] = Field(min_length=2)


class OptionForm(_Strict):
    """One value of a decisive fact, as a button says it, and the entries it leads to, the likeliest first."""

    label: str = Field(min_length=1, max_length=16)
    entries: list[Text] = Field(min_length=1)


class FactForm(_Strict):
    """A fact to ask for where the entries of its options compete."""

    ask: str = Field(min_length=4, max_length=40)
    options: list[OptionForm] = Field(min_length=2, max_length=4)

    @model_validator(mode="after")
    def _labels_differ(self) -> "FactForm":
        if len({option.label for option in self.options}) < len(self.options):
            raise ValueError(f"two options of 「{self.ask}」 have the same label")
        return self


_FORMS: dict[MatchingKind, TypeAdapter[Any]] = {
    MatchingKind.LEXICON: TypeAdapter(list[ConceptForm]),
    MatchingKind.OUTSIDE: TypeAdapter(list[OutsideForm]),
    MatchingKind.AXES: TypeAdapter(list[AxisForm]),
    MatchingKind.FACTS: TypeAdapter(list[FactForm]),
}


@dataclass(frozen=True, slots=True)
class MatchingSet:
    """All four, as the index and the decision take them."""

    lexicon: Lexicon
    outside: tuple[OutsideForm, ...]
    axes: tuple[Axis, ...]
    facts: tuple[Fact, ...]


def read_rows(kind: MatchingKind, path: Path | None = None) -> list[dict[str, Any]]:
    """The rows of a kind's file (by default the one that ships), checked; ContentError where it breaks the form."""
    path = path or FILES[kind]
    try:
        rows = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError as error:
        raise ContentError(f"{path.name}: {error}") from error
    check_rows(kind, rows or [])
    return rows or []


def check_rows(kind: MatchingKind, rows: list[dict[str, Any]]) -> None:
    """Raise ContentError naming what breaks the form of a kind's rows."""
    try:
        _FORMS[kind].validate_python(rows)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise ContentError(f"{FILES[kind].name}: {faults}") from error


def rows_hash(rows: list[dict[str, Any]]) -> str:
    """A hash over what the rows say."""
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def unknown_entries(rows: list[dict[str, Any]], entry_ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Entries that decisive facts lead to and nobody has written: (the fact's question, the entry's id)."""
    known = set(entry_ids)
    for form in _FORMS[MatchingKind.FACTS].validate_python(rows):
        for option in form.options:
            yield from ((form.ask, entry) for entry in option.entries if entry not in known)


def matching_set(rows: dict[MatchingKind, list[dict[str, Any]]]) -> MatchingSet:
    """The rows of every kind, ready for use; a kind that is absent is empty."""
    forms = {kind: adapter.validate_python(rows.get(kind, [])) for kind, adapter in _FORMS.items()}
    return MatchingSet(
        lexicon=build_lexicon(Concept(form.concept, tuple(form.words)) for form in forms[MatchingKind.LEXICON]),
        outside=tuple(forms[MatchingKind.OUTSIDE]),
        axes=tuple(build_axis(form.axis, form.values.items()) for form in forms[MatchingKind.AXES]),
        facts=tuple(
            Fact(form.ask, tuple((option.label, tuple(option.entries)) for option in form.options))
            for form in forms[MatchingKind.FACTS]
        ),
    )
