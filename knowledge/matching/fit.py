"""Fitting the few numbers of `weights.json` on labelled questions; the entries' wordings train the rest."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from knowledge.matching.budget import Budget, Outcome, Seen, outcome_of, see, with_thresholds
from knowledge.matching.decide import rank_shares, trust_features
from knowledge.matching.index import Floats, Index
from knowledge.matching.labelled import Labelled
from knowledge.matching.model import Model
from knowledge.matching.score import EVIDENCE
from knowledge.matching.weights import Weights, WeightSet

_FOLDS = 5


def fit(index: Index, model: Model, rows: Sequence[Labelled], made: str, budget: Budget | None = None) -> Weights:
    """Weights and thresholds for an index with and without its classifier, fitted on `rows` (deterministic).

    Thresholds are set on probabilities out of fold: each question is judged by numbers fitted without it.
    """
    budget = budget or Budget()
    return Weights(_fit_set(index, model, rows, budget), _fit_set(index, None, rows, budget), made)


def _fit_set(index: Index, model: Model | None, rows: Sequence[Labelled], budget: Budget) -> WeightSet:
    seen = [one for row in rows if (one := see(index, row, model))]
    outcomes: list[Outcome] = []
    for fold in range(_FOLDS):
        weights = _fit_numbers(index, [one for place, one in enumerate(seen) if place % _FOLDS != fold])
        outcomes += [outcome_of(index, one, weights) for place, one in enumerate(seen) if place % _FOLDS == fold]
    return with_thresholds(_fit_numbers(index, seen), outcomes, budget)


def _fit_numbers(index: Index, seen: list[Seen]) -> WeightSet:
    start = WeightSet((1.0,) * len(EVIDENCE), (), (), {"": 1.0}, 1.0, 0.5)
    weights = replace(start, rank=_fit_rank(seen))
    features, right, law = [], [], []
    for one in seen:
        shares = rank_shares(one.found, weights)
        features.append(trust_features(index, one.query, one.found, shares))
        right.append(bool(one.right[int(np.argmax(shares))]))
        law.append(one.row.is_law)
    matrix = np.array(features)
    return replace(
        weights,
        trust=_fit_logistic(matrix, np.array(right, dtype=float)),
        scope=_fit_logistic(matrix, np.array(law, dtype=float)),
    )


def _fit_rank(seen: list[Seen]) -> tuple[float, ...]:
    usable = [one for one in seen if one.right.any()]
    width = max(len(one.found) for one in usable)
    evidence = np.zeros((len(usable), width, len(EVIDENCE)))
    right = np.zeros((len(usable), width))
    absent = np.full((len(usable), width), -1e9)
    for place, one in enumerate(usable):
        evidence[place, : len(one.found)] = [candidate.evidence for candidate in one.found]
        right[place, : len(one.found)] = one.right
        absent[place, : len(one.found)] = 0.0

    def loss(weights: Floats) -> float:
        scores = evidence @ weights + absent
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        held = (shares * right).sum(axis=1) / shares.sum(axis=1)
        return float(-np.log(held + 1e-9).mean() + 1e-4 * (weights**2).sum())

    return tuple(_least(loss, np.full(len(EVIDENCE), 2.0)))


def _fit_logistic(features: Floats, truth: Floats) -> tuple[float, ...]:
    def loss(weights: Floats) -> float:
        margin = features @ weights
        return float(np.logaddexp(0, np.where(truth > 0, -margin, margin)).mean() + 3e-4 * (weights[:-1] ** 2).sum())

    return tuple(_least(loss, np.zeros(features.shape[1])))


def _least(loss: Callable[[Floats], float], start: Floats) -> list[float]:
    return [float(value) for value in minimize(loss, start, method="L-BFGS-B").x]
