"""Fitting the few numbers of `weights.json` on labelled questions; the entries' wordings train the rest."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process
from scipy.optimize import minimize

from knowledge.matching.decide import TRUST_FEATURES, Weights, WeightSet, rank_shares, trust_features
from knowledge.matching.index import Document, Floats, Index, Scope
from knowledge.matching.model import Model
from knowledge.matching.normalize import normalize, without_courtesy
from knowledge.matching.score import EVIDENCE, Candidate, candidates

NEAR = 50
_FOLDS = 5
# A domain has a level of its own where at least this many of its questions would be answered at it.
_LEAST_ANSWERED = 40


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question and its topic: the right entry's id is it or begins with it and a dot. None: not ours."""

    text: str
    topic: str | None
    is_law: bool


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


def without_near(documents: Iterable[Document], texts: Iterable[str]) -> list[Document]:
    """Documents without the wordings that are near to one of the texts (rapidfuzz ratio ≥ NEAR).

    A question that has a near copy among the wordings, as every logged one has that a curator added, says
    nothing about how the next, unseen question will fare; so numbers are fitted without those wordings.
    """
    measured = [normalize(text) for text in texts]
    result = []
    for document in documents:
        wordings = [normalize(wording) for wording in document.wordings]
        if not wordings or not measured:
            result.append(document)
            continue
        scores = process.cdist(wordings, measured, scorer=fuzz.ratio, score_cutoff=NEAR, dtype=np.uint8)
        kept = tuple(
            wording for wording, best in zip(document.wordings, scores.max(axis=1), strict=True) if best < NEAR
        )
        result.append(replace(document, wordings=kept))
    return result


def unfitted() -> Weights:
    """Numbers that decide nothing, to begin with where none fit this program's evidence."""
    blank = (0.0,) * TRUST_FEATURES
    neutral = WeightSet((1.0,) * len(EVIDENCE), blank, blank, {"": 1.0}, 1.0, 0.5)
    return Weights(neutral, neutral, "unfitted")


def as_row(weights: Weights) -> dict[str, Any]:
    """The form in which weights are kept; `parse_weights` reads it."""
    return {"made": weights.made, "trained": _set_row(weights.trained), "lookup": _set_row(weights.lookup)}


def write_weights(weights: Weights, path: Path) -> None:
    """Write the file that `load_weights` reads."""
    path.write_text(json.dumps(as_row(weights), ensure_ascii=False, indent=1) + "\n", "utf-8")


def is_right(identifier: str, topic: str) -> bool:
    """Whether an entry answers a question labelled with a topic: its own id, or one below it."""
    return identifier == topic or identifier.startswith(topic + ".")


def _set_row(one: WeightSet) -> dict[str, Any]:
    return {
        "rank": [round(value, 4) for value in one.rank],
        "trust": [round(value, 4) for value in one.trust],
        "scope": [round(value, 4) for value in one.scope],
        "answer_at": {domain: round(level, 3) for domain, level in one.answer_at.items()},
        "clarify_at": round(one.clarify_at, 3),
        "law_at": round(one.law_at, 3),
    }


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


def interval(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval for a share, 95 % by default: what `right` of `of` says about questions not yet seen.

    Wilson: Probable inference, the law of succession, and statistical inference (1927).
    """
    if not of:
        return 0.0, 1.0
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))
