"""What a new wording does: how it is decided now, and which other entry's wordings it comes too near."""

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from knowledge.matching.index import Index, Scope
from knowledge.matching.normalize import normalize, without_courtesy

NEAR = 90  # rapidfuzz ratio 0-100 from which a wording is taken for another entry's, as in `kb check`
LONGEST = 200  # characters; a similar question is one sentence


@dataclass(frozen=True, slots=True)
class Clash:
    """A wording of another entry, or of a class of matters that are not ours, that is nearly the same.

    `is_same`: nothing tells them apart, so that one wording would have two answers.
    """

    document_id: str
    title: str
    wording: str
    ratio: int
    is_same: bool


def clashes(index: Index, wording: str, entry_id: str, limit: int = 3) -> list[Clash]:
    """What a wording for `entry_id` would clash with, nearest first, one per entry; empty when with nothing."""
    normal = normalize(wording)
    prepared = without_courtesy(normal)
    found: dict[str, Clash] = {}
    exact = index.exact.get(normal)
    if exact is not None and index.documents[exact].id != entry_id:
        document = index.documents[exact]
        found[document.id] = Clash(document.id, _title(document.id, document.title, document.scope), wording, 100, True)
    for text, ratio, position in process.extract(
        prepared, index.wordings, scorer=fuzz.ratio, score_cutoff=NEAR, limit=50
    ):
        document = index.documents[int(index.owner[position])]
        if document.id != entry_id and document.id not in found:
            title = _title(document.id, document.title, document.scope)
            found[document.id] = Clash(
                document.id, title, index.originals[position], round(ratio), text == prepared and ratio >= 100
            )
    return list(found.values())[:limit]


def taken_by(index: Index, wording: str, entry_id: str) -> str | None:
    """The title of another entry (or class of matters) that answers to this very wording; None where none does."""
    exact = index.exact.get(normalize(wording))
    if exact is None or index.documents[exact].id == entry_id:
        return None
    document = index.documents[exact]
    return _title(document.id, document.title, document.scope)


def distinct(wordings: Iterable[str]) -> list[str]:
    """Wordings of which no two are the same when normalised, in their order; empty ones left out."""
    kept: dict[str, str] = {}
    for wording in wordings:
        normal = normalize(wording)
        if normal:
            kept.setdefault(normal, wording.strip())
    return list(kept.values())


def _title(document_id: str, title: str, scope: Scope) -> str:
    return title if scope is Scope.ENTRY else f"范围外的问题（{title or document_id}）"
