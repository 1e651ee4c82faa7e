"""Evidence: how much speaks for each of the few entries a message may mean."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import LCSseq
from scipy import sparse

from knowledge.matching.grams import FIRST_PAIR, gram_codes
from knowledge.matching.index import Floats, Index, runs
from knowledge.matching.model import Model

SHORTLIST = 16
_WORDINGS_LOOKED_AT = 6

# The kinds of evidence, each 0 to about 1, in the order of a Candidate's `evidence`; with the words in
# which a curator reads them.
EVIDENCE = {
    "likelihood": "用字用词与该条目相似问法的吻合度",
    "nearest": "最相近的一条相似问法",
    "overall": "与全部相似问法的总体接近度",
    "answer": "与答复、标题和关键词的接近度",
    "fuzzy": "逐字比较（容错别字）",
    "coverage": "问句要点被该条目覆盖的程度",
    "trained": "由全部相似问法训练出的分类器的判断",
    "frequency": "这类问题被问到的多少",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One document and what speaks for it; `wording` is its wording nearest to the message.

    `is_trained`: the classifier knows the document, so that its evidence counts.
    """

    document: int
    evidence: tuple[float, ...]
    wording: str
    is_trained: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """A prepared text as the index sees it: the columns of its grams, how often it has each, and their unit weights.

    `known` is how much of the text (0 to 1) occurs in the index: its pairs and triples of characters. Single
    characters say nothing there: every Latin letter occurs in some wording.
    """

    text: str
    columns: npt.NDArray[np.int64]
    counts: Floats
    unit: Floats
    known: float


def read_query(index: Index, text: str) -> Query:
    """Look a prepared text up in an index."""
    # Sorted, so that the look-up in the long vocabulary walks one way.
    codes, counts = np.unique(gram_codes(text), return_counts=True)
    places = index.columns(codes)
    is_there, is_sequence = places >= 0, codes >= FIRST_PAIR
    known = float(counts[is_there & is_sequence].sum()) / max(1, int(counts[is_sequence].sum()))
    columns, counted = places[is_there], counts[is_there].astype(np.float64)
    weights = (1.0 + np.log(counted)) * index.idf[columns]
    return Query(text, columns, counted, weights / (np.sqrt((weights**2).sum()) or 1.0), known)


def candidates(index: Index, query: Query, model: Model | None = None) -> list[Candidate]:
    """The at most SHORTLIST documents a text may mean, with their evidence, in index order.

    Without a `model` the trained evidence is 0 for all: numbers fitted for that case go with it.
    """
    text, columns, counts, unit = query.text, query.columns, query.counts, query.unit
    if not len(columns) or not index.size:
        return []
    cells, documents, lengths = _cells(index.by_document, columns)
    damped = np.log1p(counts)
    weight = index.idf[columns] * damped

    def summed(values: Floats) -> Floats:
        return np.bincount(documents, weights=values, minlength=index.size).astype(np.float64)

    overall = summed(index.by_document.data[cells] * np.repeat(unit, lengths))
    likelihood = summed(index.likelihood[cells] * np.repeat(damped, lengths)) / damped.sum()
    coverage = summed(np.repeat(weight, lengths)) / weight.sum()
    answer = _answer(index, columns, unit)
    trained, is_trained = _trained(index, model, text)

    shortlist = _shortlist(likelihood, overall, trained) if model else _shortlist(likelihood, overall, answer)
    similar = _similarities(index, shortlist, cells, documents, np.repeat(unit, lengths))
    wordings, fuzzy = _fuzzy(index, text, shortlist, similar)
    evidence = np.column_stack(
        (
            likelihood[shortlist],
            [one.max() for one in similar],
            overall[shortlist],
            answer[shortlist],
            fuzzy,
            coverage[shortlist],
            trained[shortlist],
            index.size_share[shortlist],
        )
    ).tolist()
    return [
        Candidate(document, tuple(evidence[place]), wordings[place], bool(is_trained[document]))
        for place, document in enumerate(shortlist)
    ]


def _trained(index: Index, model: Model | None, text: str) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The classifier's margin per document, and whether it was trained on the document at all."""
    margins: Floats = np.zeros(index.size)
    known = np.zeros(index.size, dtype=np.bool_)
    if model is not None:
        places = index.places_in(model.classes)
        known = places >= 0
        margins[known] = model.margins(text, index.lexicon)[places[known]]
        margins[~known] = margins.min()
    return margins, known


def _similarities(
    index: Index,
    shortlist: list[int],
    cells: npt.NDArray[np.int64],
    documents: npt.NDArray[np.int32],
    weights: Floats,
) -> list[Floats]:
    """For each document of the (ascending) shortlist the cosine of the query to each of its wordings.

    `cells` are the query's grams in documents, with the document and the query's weight of each.
    """
    sizes = index.first_wording[np.add(shortlist, 1)] - index.first_wording[shortlist]
    ends = np.cumsum(sizes)
    # What is added to a wording's number to get its place among the shortlist's; of no meaning for other documents.
    shift = np.full(index.size, -1, dtype=np.int64)
    is_listed = np.zeros(index.size, dtype=np.bool_)
    shift[shortlist], is_listed[shortlist] = ends - sizes - index.first_wording[shortlist], True
    listed = is_listed[documents]
    cells = cells[listed]
    places, lengths = runs(index.wording_runs[cells], index.wording_runs[cells + 1])
    sums = np.bincount(
        index.by_wording.indices[places] + np.repeat(shift[documents[listed]], lengths),
        weights=index.by_wording.data[places] * np.repeat(weights[listed], lengths),
        minlength=int(ends[-1]),
    )
    return np.split(sums, ends[:-1])


def _cells(
    matrix: sparse.csc_matrix, columns: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """The cells of the few columns a message has: their places, their rows, and how many each column has.

    scipy's own sparse product builds objects that cost more than the arithmetic for one message.
    """
    cells, lengths = runs(matrix.indptr[columns], matrix.indptr[columns + 1])
    return cells, matrix.indices[cells], lengths


def _answer(index: Index, columns: npt.NDArray[np.int64], unit: Floats) -> Floats:
    """Cosine of the query to each document's title, key terms and answer."""
    cells, documents, lengths = _cells(index.by_answer, columns)
    weights = index.by_answer.data[cells] * np.repeat(unit, lengths)
    return np.bincount(documents, weights=weights, minlength=index.size).astype(np.float64)


def _shortlist(*evidences: Floats) -> list[int]:
    """The best of each kind of evidence, taken in turn, so that none alone decides who is looked at."""
    orders = [np.argsort(-evidence, kind="stable")[:SHORTLIST] for evidence in evidences]
    chosen: dict[int, None] = {}
    for rank in range(len(orders[0])):
        for order in orders:
            if len(chosen) < SHORTLIST:
                chosen.setdefault(int(order[rank]), None)
    return sorted(chosen)


def _fuzzy(index: Index, text: str, documents: list[int], similar: list[Floats]) -> tuple[list[str], list[float]]:
    """Of each document's wordings nearest by grams, the one that compares best letter by letter, and how well."""
    nearest = [
        int(index.first_wording[document]) + np.argsort(-cosines, kind="stable")[:_WORDINGS_LOOKED_AT]
        for document, cosines in zip(documents, similar, strict=True)
    ]
    places = np.concatenate(nearest)
    compared = [index.wordings[place] for place in places]
    lengths = np.array([len(wording) for wording in compared], dtype=np.float64)
    whole = process.cdist([text], compared, scorer=fuzz.ratio, dtype=np.float64)[0]
    within = process.cdist([text], compared, scorer=LCSseq.similarity, dtype=np.int32)[0]
    within = 100.0 * within / np.minimum(len(text), lengths)
    values = (0.7 * whole + 0.3 * within * np.minimum(1.0, lengths / 8)) / 100.0
    wordings, bests, start = [], [], 0
    for group in nearest:
        best = start + int(np.argmax(values[start : start + len(group)]))
        wordings.append(index.originals[places[best]])
        bests.append(float(values[best]))
        start += len(group)
    return wordings, bests
