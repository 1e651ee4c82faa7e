"""Evidence: how much speaks for each of the few entries a message may mean."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from knowledge.matching.grams import FIRST_PAIR, gram_codes
from knowledge.matching.index import Floats, Index
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


def candidates(index: Index, text: str, model: Model | None = None) -> list[Candidate]:
    """The at most SHORTLIST documents a prepared text may mean, with their evidence, in index order.

    Without a `model` the trained evidence is 0 for all: numbers fitted for that case go with it.
    """
    query = _query(index, text)
    if query is None:
        return []
    columns, counts, unit = query
    overall = _dot(index.by_document, columns, unit)
    answer = _dot(index.by_answer, columns, unit)
    damped = np.log1p(counts)
    likelihood = _dot(index.likelihood, columns, damped) / damped.sum()
    trained, is_trained = _trained(index, model, text)

    shortlist = _shortlist(likelihood, overall, trained) if model else _shortlist(likelihood, overall, answer)
    weight = index.idf[columns] * damped
    coverage = _present(index.likelihood, columns, weight) / weight.sum()
    dense = np.zeros(len(index.idf), dtype=np.float32)
    dense[columns] = unit
    result = []
    for document in shortlist:
        similar = _similarities(index, document, dense)
        wording, fuzzy = _fuzzy(index, text, document, similar)
        evidence = (
            likelihood[document],
            float(similar.max()),
            overall[document],
            answer[document],
            fuzzy,
            coverage[document],
            trained[document],
            index.size_share[document],
        )
        result.append(
            Candidate(document, tuple(float(value) for value in evidence), wording, bool(is_trained[document]))
        )
    return result


def known_share(index: Index, text: str) -> float:
    """How much of a normalised text (0 to 1) occurs in the index: its pairs and triples of characters.

    Single characters say nothing here: every Latin letter occurs in some wording.
    """
    codes = gram_codes(text)
    sequences = codes[codes >= FIRST_PAIR]
    return float((index.columns(sequences) >= 0).sum()) / max(1, len(sequences))


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


def _similarities(index: Index, document: int, query: npt.NDArray[np.float32]) -> Floats:
    """Cosine of the query to each of a document's wordings."""
    matrix = index.by_wording
    start, end = int(index.first_wording[document]), int(index.first_wording[document + 1])
    low, high = matrix.indptr[start], matrix.indptr[end]
    products = matrix.data[low:high] * query[matrix.indices[low:high]]
    result: Floats = np.add.reduceat(np.append(products, 0.0), matrix.indptr[start:end] - low)
    return result


def _query(index: Index, text: str) -> tuple[npt.NDArray[np.int64], Floats, Floats] | None:
    places = index.columns(gram_codes(text))
    columns, counts = np.unique(places[places >= 0], return_counts=True)
    if not len(columns) or not index.size:
        return None
    values = counts.astype(np.float64)
    weights = (1.0 + np.log(values)) * index.idf[columns]
    return columns, values, weights / np.sqrt((weights**2).sum())


def _dot(matrix: object, columns: npt.NDArray[np.int64], weights: Floats) -> Floats:
    # A product over the few columns a message has; scipy's own sparse product builds objects that cost
    # more than the arithmetic for one row.
    indptr, indices, data = matrix.indptr, matrix.indices, matrix.data  # type: ignore[attr-defined] # scipy is untyped
    offsets, lengths = _runs(indptr[columns], indptr[columns + 1])
    rows = matrix.shape[0]  # type: ignore[attr-defined] # scipy is untyped
    result: Floats = np.bincount(
        indices[offsets], weights=data[offsets] * np.repeat(weights, lengths), minlength=rows
    ).astype(np.float64)
    return result


def _present(matrix: object, columns: npt.NDArray[np.int64], weights: Floats) -> Floats:
    """Per row the sum of the weights of those columns that the row has at all."""
    indptr, indices = matrix.indptr, matrix.indices  # type: ignore[attr-defined] # scipy is untyped
    offsets, lengths = _runs(indptr[columns], indptr[columns + 1])
    rows = matrix.shape[0]  # type: ignore[attr-defined] # scipy is untyped
    result: Floats = np.bincount(indices[offsets], weights=np.repeat(weights, lengths), minlength=rows).astype(
        np.float64
    )
    return result


def _runs(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The positions of several runs one after the other, and the length of each run."""
    lengths = ends - starts
    return np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths) + np.arange(
        lengths.sum()
    ), lengths


def _shortlist(*evidences: Floats) -> list[int]:
    """The best of each kind of evidence, taken in turn, so that none alone decides who is looked at."""
    orders = [np.argsort(-evidence, kind="stable")[:SHORTLIST] for evidence in evidences]
    chosen: dict[int, None] = {}
    for rank in range(len(orders[0])):
        for order in orders:
            if len(chosen) < SHORTLIST:
                chosen.setdefault(int(order[rank]), None)
    return sorted(chosen)


def _fuzzy(index: Index, text: str, document: int, similar: Floats) -> tuple[str, float]:
    """Of the document's wordings nearest by grams, the one that compares best letter by letter."""
    start = int(index.first_wording[document])
    best, best_wording = 0.0, index.originals[start]
    for position in start + np.argsort(-similar, kind="stable")[:_WORDINGS_LOOKED_AT]:
        wording = index.wordings[position]
        whole = fuzz.ratio(text, wording)
        within = 100.0 * LCSseq.similarity(text, wording) / max(1, min(len(text), len(wording)))
        value = (0.7 * whole + 0.3 * within * min(1.0, len(wording) / 8)) / 100.0
        if value > best:
            best, best_wording = value, index.originals[position]
    return best_wording, best
