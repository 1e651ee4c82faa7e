"""What a change does to questions, in words: what each asker gets now, and would get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from knowledge import curation
from knowledge.comparison import Changed

_TOLD = {"answer": "答“{0}”", "clarify": "让提问人选“{0}”等", "unresolved": "转人工"}


@dataclass(frozen=True, slots=True)
class Effect:
    """A question that would be treated otherwise: its words, what its asker gets now, and would get."""

    text: str
    before: str
    after: str


def effects(session: Session, changes: Sequence[Changed], texts: Mapping[int, str]) -> list[Effect]:
    """Changed questions in words; `texts` are the questions' own, those erased meanwhile left out."""
    titles = curation.titles_of(session, {one for each in changes for _, one in (each.before, each.after) if one})

    def worded(told: tuple[str, str | None]) -> str:
        kind, entry_id = told
        return _TOLD[kind].format(titles.get(entry_id or "", entry_id))

    return [Effect(texts.get(one.id, "（原文已删除）"), worded(one.before), worded(one.after)) for one in changes]
