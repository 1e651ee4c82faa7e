"""Training the linear classifier on the wordings: the only importer of scikit-learn, never in a web process."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.svm import LinearSVC

from knowledge.matching.index import Document, Floats
from knowledge.matching.lexicon import Lexicon
from knowledge.matching.model import CONCEPT_WEIGHT, Model, model_features, training_digest
from knowledge.matching.normalize import normalize, without_courtesy

# Weights smaller than this change no ranking (measured: `fawen evaluate` is the same to the third digit)
# and are most of them.
_LEAST_WEIGHT = 0.02
# A feature of a single wording says nothing about the next one; leaving them out makes training twice as fast.
_LEAST_WORDINGS = 2
_LEAST_SENTENCE = 8  # characters


def train(documents: Sequence[Document], lexicon: Lexicon, version: int, regularization: float = 0.3) -> Model:
    """One-against-rest linear support vectors over characters and concepts (deterministic).

    Beside its wordings a document is known by its key terms and the sentences of its answer: formal questions use the
    answer's words rather than other askers' (measured: 1 to 2 more of a hundred right).

    Fan, Chang, Hsieh, Wang, Lin: LIBLINEAR, a library for large linear classification (2008).
    """
    listed = sorted(documents, key=lambda document: document.id)
    texts: list[str] = []
    labels: list[int] = []
    for number, document in enumerate(listed):
        for wording in (document.title, *document.wordings, *document.key_terms, *_sentences(document.answer)):
            if prepared := without_courtesy(normalize(wording)):
                texts.append(prepared)
                labels.append(number)
    blocks = list(zip(*(model_features(text, lexicon) for text in texts), strict=True))
    matrices: list[sparse.csr_matrix] = []
    vocabulary: dict[str, int] = {}
    idf: list[Floats] = []
    for block, weight in zip(blocks, (1.0, CONCEPT_WEIGHT), strict=True):
        matrix, names, rarity = _weighted(block)
        matrices.append(matrix * weight)
        vocabulary |= {name: len(vocabulary) + position for position, name in enumerate(names)}
        idf.append(rarity)
    features = sparse.hstack(matrices).tocsr()
    machine = LinearSVC(C=regularization, random_state=0, tol=1e-2).fit(features, np.array(labels))
    ids = [document.id for document in listed]
    model = _pruned(machine, ids, vocabulary, np.concatenate(idf), version)
    return replace(model, trained_on=training_digest(listed, lexicon))


def _sentences(answer: str) -> list[str]:
    """Sentences of an answer that are long enough to tell something."""
    return [sentence for sentence in re.split(r"[。；\n]", answer) if len(sentence) >= _LEAST_SENTENCE]


def _weighted(block: Sequence[list[str]]) -> tuple[sparse.csr_matrix, list[str], Floats]:
    used = Counter(name for row in block for name in set(row))
    names = sorted(name for name, count in used.items() if count >= _LEAST_WORDINGS)
    positions = {name: position for position, name in enumerate(names)}
    counts = [Counter(name for name in row if name in positions) for row in block]
    rows = np.repeat(np.arange(len(counts)), [len(count) for count in counts])
    columns = [positions[name] for count in counts for name in count]
    values = 1.0 + np.log([float(n) for count in counts for n in count.values()])
    idf = np.log((1 + len(block)) / (1 + np.array([used[name] for name in names], dtype=np.float64))) + 1.0
    matrix = sparse.csr_matrix((values, (rows, columns)), shape=(len(block), len(names))) @ sparse.diags(idf)
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    norms[norms == 0] = 1.0
    return sparse.diags(1.0 / norms) @ matrix, names, idf


def _pruned(machine: LinearSVC, ids: list[str], vocabulary: dict[str, int], idf: Floats, version: int) -> Model:
    weights = machine.coef_.T.astype(np.float32)
    weights[np.abs(weights) < _LEAST_WEIGHT] = 0.0
    kept = sparse.csr_matrix(weights)
    return Model(
        version=version,
        classes=tuple(ids[label] for label in machine.classes_),
        vocabulary=vocabulary,
        idf=idf.astype(np.float32),
        indptr=kept.indptr.astype(np.int64),
        columns=kept.indices.astype(np.uint16),
        weights=kept.data,
        intercept=machine.intercept_.astype(np.float32),
    )
