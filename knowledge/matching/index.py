"""The immutable index: everything a decision looks at, built once per published content version."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from knowledge.matching.contrast import Axis, Guard, build_guard
from knowledge.matching.lexicon import Lexicon
from knowledge.matching.normalize import normalize, without_courtesy

Floats = npt.NDArray[np.float64]


class Scope(StrEnum):
    """What a class of wordings is: an FAQ entry, law we have no entries for, or no question of law."""

    ENTRY = "entry"
    OTHER_LAW = "other_law"
    SMALLTALK = "smalltalk"


@dataclass(frozen=True, slots=True)
class Document:
    """What the index needs of one entry, or of one class of messages that are not ours to answer."""

    id: str
    title: str
    wordings: tuple[str, ...]
    key_terms: tuple[str, ...] = ()
    answer: str = ""
    scope: Scope = Scope.ENTRY


@dataclass(frozen=True)
class Index:
    """Wordings as weighted character n-grams, per wording and summed per document.

    `documents` is sorted by id, so that the order in which entries were stored never matters.
    """

    version: int
    documents: tuple[Document, ...]
    wordings: tuple[str, ...]  # normalised, courtesy removed
    originals: tuple[str, ...]
    owner: npt.NDArray[np.int32]  # of each wording: its document
    first_wording: npt.NDArray[np.int64]  # of each document: where its wordings begin
    vocabulary: dict[str, int]
    idf: Floats
    by_wording: sparse.csr_matrix  # unit rows; a column is a gram
    by_document: sparse.csc_matrix  # unit rows: the document's mean wording
    by_answer: sparse.csc_matrix  # unit rows: title, key terms and answer
    likelihood: sparse.csc_matrix  # log-likelihood gained where a document has the gram
    likelihood_base: Floats  # per gram: its log-likelihood elsewhere
    size_share: (
        Floats  # per document: log of its number of wordings over the mean (more are kept of what is asked more)
    )
    exact: dict[str, int]  # normalised wording or title → document
    lexicon: Lexicon
    guard: Guard

    @property
    def size(self) -> int:
        """Number of documents."""
        return len(self.documents)

    def places_in(self, classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Where each document stands among a classifier's classes; -1 where it is none of them."""
        return _places(tuple(document.id for document in self.documents), classes)


_NO_LEXICON = Lexicon()


def build_index(
    documents: Iterable[Document], version: int, lexicon: Lexicon = _NO_LEXICON, axes: Sequence[Axis] = ()
) -> Index:
    """Build the index; documents without any usable wording are left out. An empty index answers nothing."""
    listed = tuple(sorted(documents, key=lambda document: document.id))
    wordings: list[str] = []
    originals: list[str] = []
    owner: list[int] = []
    first: list[int] = []
    exact: dict[str, int] = {}
    for number, document in enumerate(listed):
        first.append(len(wordings))
        for text in (document.title, *document.wordings):
            normal = normalize(text)
            exact.setdefault(normal, number)
            prepared = without_courtesy(normal)
            if prepared:
                wordings.append(prepared)
                originals.append(text)
                owner.append(number)
    first.append(len(wordings))

    counts = [Counter(grams(text)) for text in wordings]
    about = [Counter(grams(without_courtesy(normalize("。".join((d.title, *d.key_terms, d.answer)))))) for d in listed]
    vocabulary = _vocabulary((*counts, *about))
    owners = np.asarray(owner, dtype=np.int32)
    tf = _matrix(counts, vocabulary)
    member = sparse.csr_matrix((np.ones(len(owner)), (owners, np.arange(len(owner)))), shape=(len(listed), len(owner)))
    per_document = (member @ tf).tocsr()
    # Rarity over documents, not wordings: a gram that many wordings of one entry share is what marks it.
    idf = np.log((1 + len(listed)) / (1 + _columns_used(per_document, len(vocabulary)))) + 1.0
    weighted = _unit_rows(_damped(tf) @ sparse.diags(idf))
    gains, base = _likelihood(per_document)
    return Index(
        version=version,
        documents=listed,
        wordings=tuple(wordings),
        originals=tuple(originals),
        owner=owners,
        first_wording=np.asarray(first, dtype=np.int64),
        vocabulary=vocabulary,
        idf=idf,
        by_wording=weighted.tocsr().astype(np.float32),
        by_document=_unit_rows(member @ weighted).tocsc(),
        by_answer=_unit_rows(_damped(_matrix(about, vocabulary)) @ sparse.diags(idf)).tocsc(),
        likelihood=gains.tocsc(),
        likelihood_base=base,
        size_share=_size_share(np.diff(first)),
        exact=exact,
        lexicon=lexicon,
        guard=build_guard(axes, [wordings[start:end] for start, end in pairwise(first)]),
    )


def grams(text: str) -> list[str]:
    """A text's characters, pairs and triples of characters, with the ends marked."""
    marked = f"^{text}$"
    pairs = [marked[i : i + 2] for i in range(len(marked) - 1)]
    triples = [text[i : i + 3] for i in range(len(text) - 2)]
    return [*text, *pairs, *triples]


@lru_cache(maxsize=4)
def _places(ids: tuple[str, ...], classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    position = {name: number for number, name in enumerate(classes)}
    return np.array([position.get(name, -1) for name in ids], dtype=np.int64)


def _size_share(sizes: npt.NDArray[np.int64]) -> Floats:
    shares: Floats = np.log((sizes + 1.0) / (sizes.mean() + 1.0)) if len(sizes) else np.zeros(0)
    return shares


def _vocabulary(counters: Sequence[Counter[str]]) -> dict[str, int]:
    """Every gram there is, but for triples that stand in one text only: most of all grams, and telling nothing."""
    used: Counter[str] = Counter()
    for counter in counters:
        used.update(counter.keys())
    kept = (gram for gram, count in used.items() if count > 1 or len(gram) < 3)
    return {gram: position for position, gram in enumerate(kept)}


def _matrix(counters: Sequence[Counter[str]], vocabulary: dict[str, int]) -> sparse.csr_matrix:
    indices: list[int] = []
    values: list[int] = []
    starts = [0]
    for counter in counters:
        for gram, count in counter.items():
            if (position := vocabulary.get(gram)) is not None:
                indices.append(position)
                values.append(count)
        starts.append(len(indices))
    return sparse.csr_matrix(
        (np.array(values, dtype=np.float64), np.array(indices, dtype=np.int32), np.array(starts)),
        shape=(len(counters), len(vocabulary)),
    )


def _damped(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    damped = counts.copy()
    damped.data = 1.0 + np.log(damped.data)
    return damped


def _columns_used(matrix: sparse.csr_matrix, width: int) -> Floats:
    return np.bincount(matrix.indices, minlength=width).astype(np.float64)


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    norms[norms == 0] = 1.0
    return sparse.diags(1.0 / norms) @ matrix


def _likelihood(counts: sparse.csr_matrix, smoothing: float = 0.3) -> tuple[sparse.csr_matrix, Floats]:
    """Complement naive Bayes: how little a gram belongs to all the *other* documents.

    Rennie, Shih, Teevan, Karger: Tackling the Poor Assumptions of Naive Bayes Text Classifiers (2003).
    The weight of a gram for a document without it is the same for all such documents, so only the
    difference is kept (sparse), beside the common base.
    """
    damped = counts.copy().tocsr()
    damped.data = np.log1p(damped.data)
    totals = np.asarray(damped.sum(axis=0)).ravel()
    grand = totals.sum() + smoothing * len(totals)
    base = -np.log((totals + smoothing) / grand)
    gains = damped.tocoo()
    rest = totals[gains.col] - gains.data + smoothing
    gains.data = np.log((totals[gains.col] + smoothing) / rest)
    return gains.tocsr(), base
