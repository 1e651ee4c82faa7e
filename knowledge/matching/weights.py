"""The numbers that turn evidence into a decision, and the form in which they are kept."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge.matching.score import EVIDENCE

WEIGHTS = Path(__file__).with_name("weights.json")
TRUST_FEATURES = 2 * len(EVIDENCE) + 8


@dataclass(frozen=True, slots=True)
class WeightSet:
    """Numbers that turn evidence into a decision. `answer_at` has a level per domain, "" for the others."""

    rank: tuple[float, ...]
    trust: tuple[float, ...]
    scope: tuple[float, ...]
    answer_at: dict[str, float]
    clarify_at: float
    law_at: float

    def answer_level(self, document_id: str) -> float:
        """The probability (0 to 1) from which an entry is given outright."""
        return self.answer_at.get(document_id.split(".", 1)[0], self.answer_at[""])


@dataclass(frozen=True, slots=True)
class Weights:
    """Fitted by `fawen fit` on labelled questions, never by hand; `made` says on which and when.

    `trained` goes with the classifier's evidence, `lookup` with the evidence there is without it: while the
    classifier for newly published content is still being trained, or where a candidate is newer than it.
    """

    trained: WeightSet
    lookup: WeightSet
    made: str


@lru_cache(maxsize=4)
def load_weights(path: Path = WEIGHTS) -> Weights:
    """The weights that ship; raises ValueError where the file does not fit this program's evidence."""
    return parse_weights(json.loads(path.read_text("utf-8")))


def parse_weights(row: dict[str, Any]) -> Weights:
    """Weights from the form in which they are kept; ValueError where they are for other evidence."""
    sets = {}
    for name in ("trained", "lookup"):
        one = row[name]
        sets[name] = WeightSet(
            rank=tuple(one["rank"]),
            trust=tuple(one["trust"]),
            scope=tuple(one["scope"]),
            answer_at=dict(one["answer_at"]),
            clarify_at=one["clarify_at"],
            law_at=one["law_at"],
        )
        if len(sets[name].rank) != len(EVIDENCE) or len(sets[name].trust) != TRUST_FEATURES:
            raise ValueError(f"weights for other evidence than this program's {len(EVIDENCE)} kinds: run  fawen fit")
    return Weights(sets["trained"], sets["lookup"], row["made"])


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


def _set_row(one: WeightSet) -> dict[str, Any]:
    return {
        "rank": [round(value, 4) for value in one.rank],
        "trust": [round(value, 4) for value in one.trust],
        "scope": [round(value, 4) for value in one.scope],
        "answer_at": {domain: round(level, 3) for domain, level in one.answer_at.items()},
        "clarify_at": round(one.clarify_at, 3),
        "law_at": round(one.law_at, 3),
    }
