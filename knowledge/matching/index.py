"""The immutable index: everything a decision looks at, built once per published content version."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from knowledge.matching.contrast import Axis, Guard, build_guard
from knowledge.matching.grams import FIRST_TRIPLE, Codes, counted
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
    ids: tuple[str, ...]  # of the documents
    wordings: tuple[str, ...]  # normalised, courtesy removed
    originals: tuple[str, ...]
    owner: npt.NDArray[np.int32]  # of each wording: its document
    first_wording: npt.NDArray[np.int64]  # of each document: where its wordings begin
    vocabulary: Codes  # sorted; a gram's column is its place here
    idf: Floats
    by_document: sparse.csc_matrix  # unit rows: the document's mean wording; a cell is one gram in one document
    likelihood: npt.NDArray[np.float32]  # of each cell: log-likelihood gained where the document has the gram
    by_wording: sparse.csc_matrix  # unit rows; its cells, too, go gram by gram, and within a gram by document
    wording_runs: npt.NDArray[np.int32]  # of each cell of `by_document`: where its wordings begin in `by_wording`
    by_answer: sparse.csc_matrix  # unit rows: title, key terms and answer
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

    def columns(self, codes: Codes) -> npt.NDArray[np.int64]:
        """The column of each gram; -1 where the index has none for it."""
        places = np.searchsorted(self.vocabulary, codes)
        places[places == len(self.vocabulary)] = 0
        if not len(self.vocabulary):
            return np.full(len(codes), -1)
        return np.where(self.vocabulary[places] == codes, places, -1)

    def places_in(self, classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Where each document stands among a classifier's classes; -1 where it is none of them."""
        return _places(self.ids, classes)


_NO_LEXICON = Lexicon()


def build_index(
    documents: Iterable[Document], version: int, lexicon: Lexicon = _NO_LEXICON, axes: Sequence[Axis] = ()
) -> Index:
    """Build the index; documents without any usable wording are left out. An empty index answers nothing."""
    listed: list[Document] = []
    wordings: list[str] = []
    originals: list[str] = []
    owner: list[int] = []
    first: list[int] = [0]
    exact: dict[str, int] = {}
    for document in sorted(documents, key=lambda document: document.id):
        number = len(listed)
        normals = [(text, normalize(text)) for text in (document.title, *document.wordings)]
        usable = [(text, prepared) for text, normal in normals if (prepared := without_courtesy(normal))]
        if not usable:
            continue
        listed.append(document)
        for _, normal in normals:
            exact.setdefault(normal, number)
        originals += [text for text, _ in usable]
        wordings += [prepared for _, prepared in usable]
        owner += [number] * len(usable)
        first.append(len(wordings))

    about = [without_courtesy(normalize("。".join((d.title, *d.key_terms, d.answer)))) for d in listed]
    tf, about_tf, vocabulary = _counts(wordings, about)
    owners = np.asarray(owner, dtype=np.int32)
    member = sparse.csr_matrix((np.ones(len(owner)), (owners, np.arange(len(owner)))), shape=(len(listed), len(owner)))
    per_document = (member @ tf).tocsr()
    # Rarity over documents, not wordings: a gram that many wordings of one entry share is what marks it.
    idf = np.log((1 + len(listed)) / (1 + _columns_used(per_document, len(vocabulary)))) + 1.0
    weighted = _unit_rows(_damped(tf) @ sparse.diags(idf))
    by_wording = weighted.tocsc().astype(np.float32)
    by_document = _unit_rows(member @ weighted).tocsc().astype(np.float32)
    return Index(
        version=version,
        documents=tuple(listed),
        ids=tuple(document.id for document in listed),
        wordings=tuple(wordings),
        originals=tuple(originals),
        owner=owners,
        first_wording=np.asarray(first, dtype=np.int64),
        vocabulary=vocabulary,
        idf=idf,
        by_document=by_document,
        likelihood=_likelihood(per_document).tocsc().data.astype(np.float32),
        by_wording=by_wording,
        wording_runs=_runs_of_documents(by_wording, owners),
        by_answer=_unit_rows(_damped(about_tf) @ sparse.diags(idf)).tocsc().astype(np.float32),
        size_share=_size_share(np.diff(first)),
        exact=exact,
        lexicon=lexicon,
        guard=build_guard(axes, [wordings[start:end] for start, end in pairwise(first)]),
    )


def runs(
    starts: npt.NDArray[np.integer], ends: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The positions of several runs one after the other, and the length of each run."""
    lengths = ends - starts
    return np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths) + np.arange(
        lengths.sum()
    ), lengths


@lru_cache(maxsize=4)
def _places(ids: tuple[str, ...], classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    position = {name: number for number, name in enumerate(classes)}
    return np.array([position.get(name, -1) for name in ids], dtype=np.int64)


def _size_share(sizes: npt.NDArray[np.int64]) -> Floats:
    shares: Floats = np.log((sizes + 1.0) / (sizes.mean() + 1.0)) if len(sizes) else np.zeros(0)
    return shares


def _counts(wordings: Sequence[str], about: Sequence[str]) -> tuple[sparse.csr_matrix, sparse.csr_matrix, Codes]:
    """How often each text has each gram, wordings and answers apart, and the grams by column.

    Triples that stand in one text only are left out: they are most of all grams, and tell nothing.
    """
    rows, codes = counted([*wordings, *about])
    vocabulary, columns = np.unique(codes, return_inverse=True)
    texts = len(wordings) + len(about)
    counts = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(texts, len(vocabulary)))
    counts.sum_duplicates()
    kept = (_columns_used(counts, len(vocabulary)) > 1) | (vocabulary < FIRST_TRIPLE)
    counts = counts[:, kept]
    return counts[: len(wordings)], counts[len(wordings) :], vocabulary[kept]


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


def _runs_of_documents(by_wording: sparse.csc_matrix, owners: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Where in the cells of `by_wording` each gram's wordings of each document begin, and where the last end."""
    owner = owners[by_wording.indices]
    begins = np.ones(len(owner), dtype=np.bool_)
    begins[1:] = owner[1:] != owner[:-1]
    starts = by_wording.indptr[:-1]
    begins[starts[starts < len(begins)]] = True  # another gram; the last ones may stand in answers only, and in no cell
    return np.append(np.flatnonzero(begins), len(owner)).astype(np.int32)


def _likelihood(counts: sparse.csr_matrix, smoothing: float = 0.3) -> sparse.csr_matrix:
    """Complement naive Bayes: how little a gram belongs to all the *other* documents.

    Rennie, Shih, Teevan, Karger: Tackling the Poor Assumptions of Naive Bayes Text Classifiers (2003).
    The weight of a gram for a document without it is the same for all such documents, so only the
    difference is kept (sparse).
    """
    damped = counts.copy().tocsr()
    damped.data = np.log1p(damped.data)
    totals = np.asarray(damped.sum(axis=0)).ravel()
    gains = damped.tocoo()
    rest = totals[gains.col] - gains.data + smoothing
    gains.data = np.log((totals[gains.col] + smoothing) / rest)
    return gains.tocsr()
