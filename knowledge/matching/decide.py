"""From evidence to a decision: answer, clarify, or leave it to a person."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.matching.index import Floats, Index, Scope
from knowledge.matching.normalize import normalize, without_courtesy
from knowledge.matching.score import EVIDENCE, Candidate, candidates, known_share

WEIGHTS = Path(__file__).with_name("weights.json")
CHOICES = 4
SHOWN = 5
_LEAST_KNOWN = 0.25  # share of a message's character sequences that must occur in the index at all
_SENTENCE = 8  # Chinese characters
_HAN = re.compile(r"[\u4e00-\u9fff]")


class Kind(StrEnum):
    """What to do with a message."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Weights:
    """Numbers fitted by `fawen fit` on labelled questions, never by hand; `made` says on which and when."""

    rank: tuple[float, ...]
    trust: tuple[float, ...]
    scope: tuple[float, ...]
    answer_at: float
    clarify_at: float
    law_at: float
    made: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score: the calibrated probability, times 100, that it is what was asked."""

    id: str
    title: str
    score: float
    evidence: dict[str, float]
    wording: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one message. `ranked` is best first, also when unresolved; it holds entries only.

    `choices` are the ranked ones offered by a clarify. `scope` is what the message seems to be: one of our
    entries' matters, law we have no entries for, or no question of law; `outside` names the class of
    matters then (its id, e.g. "outside.family").
    """

    kind: Kind
    ranked: tuple[Ranked, ...]
    choices: tuple[Ranked, ...]
    scope: Scope
    outside: str | None
    reason: str


def decide(index: Index, text: str, weights: Weights) -> Decision:
    """Decide what a message's text means. Never raises, whatever the text; same text, same decision."""
    normal = normalize(text)
    exact = index.exact.get(normal)
    prepared = without_courtesy(normal)
    # One character, or nothing but digits, names no matter: whatever looks near to it is near by chance.
    found = candidates(index, prepared) if len(prepared) > 1 and not prepared.isdecimal() else []
    if not found:
        return Decision(Kind.UNRESOLVED, (), (), _scope_unknown(prepared), None, "没有可供比较的文字")
    shares = rank_shares(found, weights)
    trust, ours = confidence(index, prepared, found, shares, weights)
    ranked = _ranked(index, found, shares, trust)
    best = int(np.argmax(shares))
    top = index.documents[found[best].document]
    scope, outside = _scope(index, found, shares)

    if exact is not None:
        document = index.documents[exact]
        if document.scope is Scope.ENTRY:
            same = Ranked(document.id, document.title, 99.0, {}, text)
            rest = tuple(r for r in ranked if r.id != document.id)
            return Decision(Kind.ANSWER, (same, *rest)[:SHOWN], (), Scope.ENTRY, None, "与标题或一条相似问法完全一致")
        return Decision(Kind.UNRESOLVED, ranked, (), document.scope, document.id, "与一条范围外问法完全一致")
    if known_share(index, prepared) < _LEAST_KNOWN:
        return Decision(Kind.UNRESOLVED, ranked, (), _scope_unknown(prepared), None, "用语在知识库中几乎没有出现过")
    if top.scope is Scope.ENTRY and trust >= weights.answer_at:
        return Decision(
            Kind.ANSWER,
            ranked,
            (),
            Scope.ENTRY,
            None,
            f"把握{trust:.0%}，达到直接答复的界限{weights.answer_at:.0%}",
        )
    choices = ranked[:CHOICES]
    hope = min(1.0, sum(choice.score for choice in choices) / 100.0)
    if len(choices) >= 2 and top.scope is Scope.ENTRY and hope >= weights.clarify_at:
        return Decision(
            Kind.CLARIFY,
            ranked,
            choices,
            Scope.ENTRY,
            None,
            f"把握{trust:.0%}，不足以直接答复；前几项合计{hope:.0%}，请提问人确认",
        )
    if scope is Scope.ENTRY and ours < weights.law_at:
        scope = Scope.SMALLTALK
    return Decision(
        Kind.UNRESOLVED, ranked, (), scope, outside, f"把握{trust:.0%}，前几项合计{hope:.0%}，均不足，转人工"
    )


def rank_shares(found: list[Candidate], weights: Weights) -> Floats:
    """How the candidates share the belief between them: a softmax of the weighted evidence."""
    scores = np.array([candidate.evidence for candidate in found]) @ np.array(weights.rank)
    shares = np.exp(scores - scores.max())
    result: Floats = shares / shares.sum()
    return result


def confidence(
    index: Index, text: str, found: list[Candidate], shares: Floats, weights: Weights
) -> tuple[float, float]:
    """Probability that the best candidate is what was asked, and that the message is a question of law."""
    features = trust_features(index, text, found, shares)
    return _logistic(features, weights.trust), _logistic(features, weights.scope)


def trust_features(index: Index, text: str, found: list[Candidate], shares: Floats) -> Floats:
    """What tells a trustworthy best candidate from a merely best one; the last is a constant 1."""
    order = np.argsort(-shares)
    best = found[int(order[0])]
    second = float(shares[order[1]]) if len(order) > 1 else 0.0
    outside = sum(
        float(share)
        for candidate, share in zip(found, shares, strict=True)
        if index.documents[candidate.document].scope is not Scope.ENTRY
    )
    top_share = float(shares[order[0]])
    logit = float(np.log((top_share + 1e-3) / (second + 1e-3)))
    return np.array(
        [
            top_share,
            logit / 5,
            outside,
            *best.evidence,
            known_share(index, text),
            min(len(text), 100) / 100,
            1.0 if len(text) < 5 else 0.0,
            1.0,
        ]
    )


@lru_cache(maxsize=4)
def load_weights(path: Path = WEIGHTS) -> Weights:
    """The weights that ship; raises ValueError where the file does not fit this program's evidence."""
    row: dict[str, Any] = json.loads(path.read_text("utf-8"))
    weights = Weights(
        rank=tuple(row["rank"]),
        trust=tuple(row["trust"]),
        scope=tuple(row["scope"]),
        answer_at=row["answer_at"],
        clarify_at=row["clarify_at"],
        law_at=row["law_at"],
        made=row["made"],
    )
    if len(weights.rank) != len(EVIDENCE):
        raise ValueError(f"{path} has {len(weights.rank)} weights for {len(EVIDENCE)} kinds of evidence: fit again")
    return weights


def _ranked(index: Index, found: list[Candidate], shares: Floats, trust: float) -> tuple[Ranked, ...]:
    order = np.argsort(-shares, kind="stable")
    # The best candidate's calibrated probability scales all of them: shares say how they compare.
    scale = trust / float(shares[order[0]])
    result = []
    for position in order:
        document = index.documents[found[position].document]
        if document.scope is Scope.ENTRY:
            evidence = dict(zip(EVIDENCE, found[position].evidence, strict=True))
            score = round(100 * min(0.99, float(shares[position]) * scale), 1)
            result.append(Ranked(document.id, document.title, score, evidence, found[position].wording))
    return tuple(result[:SHOWN])


def _scope(index: Index, found: list[Candidate], shares: Floats) -> tuple[Scope, str | None]:
    """The scope that holds most of the belief, and the strongest class outside where it is not ours."""
    held = dict.fromkeys(Scope, 0.0)
    strongest: dict[Scope, tuple[float, str]] = {}
    for candidate, share in zip(found, shares, strict=True):
        document = index.documents[candidate.document]
        held[document.scope] += float(share)
        strongest[document.scope] = max(strongest.get(document.scope, (0.0, "")), (float(share), document.id))
    scope = max(held, key=lambda name: held[name])
    return scope, None if scope is Scope.ENTRY else strongest[scope][1]


def _scope_unknown(prepared: str) -> Scope:
    """What an unfamiliar message is taken for: with a sentence of Chinese in it, a matter for a person."""
    return Scope.OTHER_LAW if len(_HAN.findall(prepared)) >= _SENTENCE else Scope.SMALLTALK


def _logistic(features: Floats, weights: tuple[float, ...]) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(features @ np.array(weights), -30, 30))))
