"""Fitting the few numbers of `weights.json` on labelled questions; the entries' wordings train the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from knowledge.matching.decide import rank_shares, trust_features
from knowledge.matching.index import Floats, Index, Scope
from knowledge.matching.labelled import Labelled, is_right
from knowledge.matching.model import Model
from knowledge.matching.normalize import normalize, without_courtesy
from knowledge.matching.score import EVIDENCE, Candidate, candidates
from knowledge.matching.weights import Weights, WeightSet

_FOLDS = 5
# A domain has a level of its own where at least this many of its questions would be answered at it.
_LEAST_ANSWERED = 40


@dataclass(frozen=True, slots=True)
class Budget:
    """What the thresholds must keep to, as shares (0 to 1) measured out of fold on the labelled questions.

    `precision`: right ones among the answered, per domain; `false_answers`: answers among what is not ours;
    `clarified_nulls`: clarifies among what is not ours.
    """

    precision: float = 0.95
    false_answers: float = 0.02
    clarified_nulls: float = 0.13


@dataclass(frozen=True, slots=True)
class _Seen:
    """One labelled question with its evidence."""

    text: str
    found: list[Candidate]
    right: Floats  # 1 for candidates of the labelled topic
    row: Labelled


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What would be decided for one question, before any threshold."""

    trust: float
    hope: float
    is_right: bool
    is_entry: bool
    domain: str
    is_ours: bool


def fit(index: Index, model: Model, rows: Sequence[Labelled], made: str, budget: Budget | None = None) -> Weights:
    """Weights and thresholds for an index with and without its classifier, fitted on `rows` (deterministic).

    Thresholds are set on probabilities out of fold: each question is judged by numbers fitted without it.
    """
    budget = budget or Budget()
    return Weights(_fit_set(index, model, rows, budget), _fit_set(index, None, rows, budget), made)


def with_budget(
    index: Index, model: Model | None, rows: Sequence[Labelled], weights: Weights, budget: Budget
) -> Weights:
    """The same weights with the thresholds that keep to a budget on `rows`. They must not be what was fitted on.

    Without a classifier the numbers that go with one stay as they are.
    """

    def over(one: WeightSet, with_model: Model | None) -> WeightSet:
        seen = [found for row in rows if (found := _see(index, row, with_model))]
        return _with_thresholds(one, [_outcome(index, each, one) for each in seen], budget)

    trained = over(weights.trained, model) if model else weights.trained
    return Weights(trained, over(weights.lookup, None), weights.made)


def _fit_set(index: Index, model: Model | None, rows: Sequence[Labelled], budget: Budget) -> WeightSet:
    seen = [one for row in rows if (one := _see(index, row, model))]
    outcomes: list[_Outcome] = []
    for fold in range(_FOLDS):
        weights = _fit_numbers(index, [one for place, one in enumerate(seen) if place % _FOLDS != fold])
        outcomes += [_outcome(index, one, weights) for place, one in enumerate(seen) if place % _FOLDS == fold]
    return _with_thresholds(_fit_numbers(index, seen), outcomes, budget)


def _fit_numbers(index: Index, seen: list[_Seen]) -> WeightSet:
    start = WeightSet((1.0,) * len(EVIDENCE), (), (), {"": 1.0}, 1.0, 0.5)
    weights = replace(start, rank=_fit_rank(seen))
    features, right, law = [], [], []
    for one in seen:
        shares = rank_shares(one.found, weights)
        features.append(trust_features(index, one.text, one.found, shares))
        right.append(bool(one.right[int(np.argmax(shares))]))
        law.append(one.row.is_law)
    matrix = np.array(features)
    return replace(
        weights,
        trust=_fit_logistic(matrix, np.array(right, dtype=float)),
        scope=_fit_logistic(matrix, np.array(law, dtype=float)),
    )


def _see(index: Index, row: Labelled, model: Model | None) -> _Seen | None:
    text = without_courtesy(normalize(row.text))
    found = candidates(index, text, model)
    if not found:
        return None
    right = np.array(
        [float(row.topic is not None and is_right(index.documents[c.document].id, row.topic)) for c in found]
    )
    return _Seen(text, found, right, row)


def _fit_rank(seen: list[_Seen]) -> tuple[float, ...]:
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


def _outcome(index: Index, one: _Seen, weights: WeightSet) -> _Outcome:
    shares = rank_shares(one.found, weights)
    order = np.argsort(-shares)
    best = int(order[0])
    features = trust_features(index, one.text, one.found, shares)
    trust = float(1 / (1 + np.exp(-features @ np.array(weights.trust))))
    entries = [p for p in order if index.documents[one.found[p].document].scope is Scope.ENTRY][:4]
    document = index.documents[one.found[best].document]
    return _Outcome(
        trust=trust,
        hope=min(1.0, float(shares[entries].sum()) * trust / float(shares[best])),
        is_right=bool(one.right[best]),
        is_entry=document.scope is Scope.ENTRY,
        domain=document.id.split(".", 1)[0],
        is_ours=one.row.topic is not None,
    )


def _with_thresholds(weights: WeightSet, outcomes: list[_Outcome], budget: Budget) -> WeightSet:
    nulls = max(1, sum(not one.is_ours for one in outcomes))

    def keeps(level: float, domain: str) -> bool:
        answered = [one for one in outcomes if one.is_entry and one.trust >= level and domain in ("", one.domain)]
        ours = [one for one in answered if one.is_ours]
        if domain and len(ours) < _LEAST_ANSWERED:
            return False
        precise = sum(one.is_right for one in ours) >= budget.precision * len(ours)
        return precise and len(answered) - len(ours) <= budget.false_answers * nulls

    everywhere = _lowest(lambda level: keeps(level, ""), 0.99)
    answer_at = {"": everywhere}
    for domain in sorted({one.domain for one in outcomes if one.is_entry}):
        answer_at[domain] = _lowest(lambda level, domain=domain: keeps(level, domain), everywhere)  # type: ignore[misc] # binds the loop's value
    weights = replace(weights, answer_at=answer_at)

    def clarify_ok(level: float) -> bool:
        asked = sum(
            not one.is_ours and one.is_entry and one.trust < answer_at.get(one.domain, everywhere) and one.hope >= level
            for one in outcomes
        )
        return asked <= budget.clarified_nulls * nulls

    return replace(weights, clarify_at=_lowest(clarify_ok, 0.99))


def _lowest(holds: Callable[[float], bool], otherwise: float) -> float:
    """The lowest level, in hundredths, at which the condition holds; `otherwise` where it holds at none.

    Shares jump where few rows are left at a high level, so a miss there does not end the search.
    """
    return next((level / 100 for level in range(5, 99) if holds(level / 100)), otherwise)
