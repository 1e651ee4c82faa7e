"""Thresholds from an error budget: what would be decided for labelled questions, and from which level on it may be.

Apart from `fit`, which loads an optimiser that a web process has no use for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from knowledge.matching.decide import rank_shares, trust_features
from knowledge.matching.index import Floats, Index, Scope
from knowledge.matching.labelled import Labelled, is_right
from knowledge.matching.model import Model
from knowledge.matching.normalize import normalize, without_courtesy
from knowledge.matching.score import Candidate, Query, candidates, read_query
from knowledge.matching.weights import Weights, WeightSet

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
class Seen:
    """One labelled question with its evidence."""

    query: Query
    found: list[Candidate]
    right: Floats  # 1 for candidates of the labelled topic
    row: Labelled


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would be decided for one question, before any threshold."""

    trust: float
    hope: float
    is_right: bool
    is_entry: bool
    domain: str
    is_ours: bool


def with_budget(
    index: Index, model: Model | None, rows: Sequence[Labelled], weights: Weights, budget: Budget
) -> Weights:
    """The same weights with the thresholds that keep to a budget on `rows`. They must not be what was fitted on.

    Without a classifier the numbers that go with one stay as they are.
    """

    def over(one: WeightSet, with_model: Model | None) -> WeightSet:
        seen = [found for row in rows if (found := see(index, row, with_model))]
        return with_thresholds(one, [outcome_of(index, each, one) for each in seen], budget)

    trained = over(weights.trained, model) if model else weights.trained
    return Weights(trained, over(weights.lookup, None), weights.made)


def see(index: Index, row: Labelled, model: Model | None) -> Seen | None:
    """The evidence for one question; None where its text has nothing to compare."""
    query = read_query(index, without_courtesy(normalize(row.text)))
    found = candidates(index, query, model)
    if not found:
        return None
    right = np.array(
        [float(row.topic is not None and is_right(index.documents[c.document].id, row.topic)) for c in found]
    )
    return Seen(query, found, right, row)


def outcome_of(index: Index, one: Seen, weights: WeightSet) -> Outcome:
    """What the weights make of a question's evidence."""
    shares = rank_shares(one.found, weights)
    order = np.argsort(-shares)
    best = int(order[0])
    features = trust_features(index, one.query, one.found, shares)
    trust = float(1 / (1 + np.exp(-features @ np.array(weights.trust))))
    entries = [p for p in order if index.documents[one.found[p].document].scope is Scope.ENTRY][:4]
    document = index.documents[one.found[best].document]
    return Outcome(
        trust=trust,
        hope=min(1.0, float(shares[entries].sum()) * trust / float(shares[best])),
        is_right=bool(one.right[best]),
        is_entry=document.scope is Scope.ENTRY,
        domain=document.id.split(".", 1)[0],
        is_ours=one.row.topic is not None,
    )


def with_thresholds(weights: WeightSet, outcomes: list[Outcome], budget: Budget) -> WeightSet:
    """The weights with the lowest levels that keep to the budget on the outcomes."""
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
