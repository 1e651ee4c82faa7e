"""Fitting the few numbers of `weights.json` on labelled questions; the entries' wordings train the rest."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from knowledge.matching.decide import Weights, rank_shares, trust_features
from knowledge.matching.index import Floats, Index, Scope
from knowledge.matching.normalize import normalize, without_courtesy
from knowledge.matching.score import EVIDENCE, Candidate, candidates


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question and its topic: the right entry's id is it or begins with it and a dot. None: not ours."""

    text: str
    topic: str | None
    is_law: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """What the thresholds must keep to, as shares (0 to 1) measured on the labelled questions."""

    precision: float = 0.94
    false_answers: float = 0.02
    clarified_nulls: float = 0.13


@dataclass(frozen=True, slots=True)
class _Seen:
    text: str
    found: list[Candidate]
    right: Floats  # 1 for candidates of the labelled topic
    row: Labelled


def fit(index: Index, rows: Sequence[Labelled], made: str, budget: Budget | None = None) -> Weights:
    """Weights and thresholds for an index, fitted on `rows` (deterministic)."""
    seen = [one for row in rows if (one := _see(index, row))]
    start = Weights((1.0,) * len(EVIDENCE), (), (), 1.0, 1.0, 0.5, made)
    weights = replace(start, rank=_fit_rank(seen))
    weights = _fit_confidence(index, seen, weights)
    return _fit_thresholds(index, seen, weights, budget or Budget())


def write_weights(weights: Weights, path: Path) -> None:
    """Write the file that `load_weights` reads."""
    row = {
        "made": weights.made,
        "rank": [round(value, 4) for value in weights.rank],
        "trust": [round(value, 4) for value in weights.trust],
        "scope": [round(value, 4) for value in weights.scope],
        "answer_at": round(weights.answer_at, 3),
        "clarify_at": round(weights.clarify_at, 3),
        "law_at": round(weights.law_at, 3),
    }
    path.write_text(json.dumps(row, ensure_ascii=False, indent=1) + "\n", "utf-8")


def is_right(identifier: str, topic: str) -> bool:
    """Whether an entry answers a question labelled with a topic: its own id, or one below it."""
    return identifier == topic or identifier.startswith(topic + ".")


def _see(index: Index, row: Labelled) -> _Seen | None:
    text = without_courtesy(normalize(row.text))
    found = candidates(index, text)
    if not found:
        return None
    right = np.array(
        [float(row.topic is not None and is_right(index.documents[c.document].id, row.topic)) for c in found]
    )
    return _Seen(text, found, right, row)


def _fit_rank(seen: list[_Seen]) -> tuple[float, ...]:
    usable = [one for one in seen if one.right.any()]
    evidence = [np.array([candidate.evidence for candidate in one.found]) for one in usable]

    def loss(weights: Floats) -> float:
        total = 0.0
        for matrix, one in zip(evidence, usable, strict=True):
            scores = matrix @ weights
            scores -= scores.max()
            shares = np.exp(scores)
            total -= np.log((shares * one.right).sum() / shares.sum() + 1e-9)
        return float(total / len(usable) + 1e-4 * (weights**2).sum())

    return tuple(_least(loss, np.full(len(EVIDENCE), 5.0)))


def _fit_confidence(index: Index, seen: list[_Seen], weights: Weights) -> Weights:
    features, right, law = [], [], []
    for one in seen:
        shares = rank_shares(one.found, weights)
        best = int(np.argmax(shares))
        features.append(trust_features(index, one.text, one.found, shares))
        right.append(bool(one.right[best]))
        law.append(one.row.is_law)
    matrix = np.array(features)
    return replace(
        weights,
        trust=_fit_logistic(matrix, np.array(right, dtype=float)),
        scope=_fit_logistic(matrix, np.array(law, dtype=float)),
    )


def _fit_logistic(features: Floats, truth: Floats) -> tuple[float, ...]:
    def loss(weights: Floats) -> float:
        margin = features @ weights
        return float(np.logaddexp(0, np.where(truth > 0, -margin, margin)).mean() + 3e-4 * (weights[:-1] ** 2).sum())

    return tuple(_least(loss, np.zeros(features.shape[1])))


def _least(loss: Callable[[Floats], float], start: Floats) -> list[float]:
    return [float(value) for value in minimize(loss, start, method="L-BFGS-B").x]


def _fit_thresholds(index: Index, seen: list[_Seen], weights: Weights, budget: Budget) -> Weights:
    rows = []
    for one in seen:
        shares = rank_shares(one.found, weights)
        order = np.argsort(-shares)
        best = int(order[0])
        trust = float(1 / (1 + np.exp(-trust_features(index, one.text, one.found, shares) @ np.array(weights.trust))))
        entries = [p for p in order if index.documents[one.found[p].document].scope is Scope.ENTRY][:4]
        hope = min(1.0, float(shares[entries].sum()) * trust / float(shares[best]))
        is_entry = index.documents[one.found[best].document].scope is Scope.ENTRY
        rows.append((trust, hope, bool(one.right[best]), is_entry, one.row.topic is not None))
    answer_at = _lowest(lambda level: _within_budget([row for row in rows if row[3] and row[0] >= level], rows, budget))
    nulls = sum(not row[4] for row in rows)

    def clarify_ok(level: float) -> bool:
        asked = sum(not row[4] and row[3] and row[0] < answer_at and row[1] >= level for row in rows)
        return asked <= budget.clarified_nulls * max(1, nulls)

    return replace(weights, answer_at=answer_at, clarify_at=_lowest(clarify_ok))


def _within_budget(
    answered: list[tuple[float, float, bool, bool, bool]],
    rows: list[tuple[float, float, bool, bool, bool]],
    budget: Budget,
) -> bool:
    ours = [row for row in answered if row[4]]
    nulls = sum(not row[4] for row in rows)
    precise = sum(row[2] for row in ours) >= budget.precision * len(ours)
    return precise and len(answered) - len(ours) <= budget.false_answers * max(1, nulls)


def _lowest(holds: Callable[[float], bool]) -> float:
    """The lowest level, in hundredths, at which the condition holds; 0.99 where it holds at none.

    Shares jump where few rows are left at a high level, so a miss there does not end the search.
    """
    return next((level / 100 for level in range(5, 99) if holds(level / 100)), 0.99)
