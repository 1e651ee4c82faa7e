"""From evidence to a decision: answer, clarify, or leave it to a person."""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from knowledge.matching.contrast import Guard, Said
from knowledge.matching.index import Floats, Index, Scope
from knowledge.matching.model import Model
from knowledge.matching.normalize import normalize, without_courtesy
from knowledge.matching.score import EVIDENCE, Candidate, Query, candidates, read_query
from knowledge.matching.split import questions
from knowledge.matching.weights import Weights, WeightSet

CHOICES = 4
SHOWN = 5
MORE_QUESTIONS = 2  # beside the first: three in one reply at most (design.md)
_LEAST_KNOWN = 0.25  # share of a message's character sequences that must occur in the index at all
_SENTENCE = 8  # Chinese characters
# A candidate whose opposite the message says keeps this share of its belief: words can be misread, so not none.
_DOUBTED = 0.1
_HAN = re.compile(r"[\u4e00-\u9fff]")


class Kind(StrEnum):
    """What to do with a message."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Fact:
    """A decisive fact: what to ask where its options' entries compete, and (label, entry ids) of each option."""

    question: str
    options: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything a decision rests on; immutable, shared by all threads, replaced whole."""

    index: Index
    weights: Weights
    model: Model | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score: the calibrated probability, times 100, that it is what was asked.

    `evidence` is 0 to about 1 per kind; `contributions` say how far each kind put this candidate before (above 0)
    or behind the average of all that were looked at, in units of log-odds.
    """

    id: str
    title: str
    score: float
    evidence: dict[str, float]
    wording: str
    contributions: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one message. `ranked` is best first, also when unresolved; it holds entries only.

    `choices` are the ranked ones offered by a clarify; where a decisive fact is asked for, `question` asks for it
    and `labels` are what the choices are called in its terms. `scope` is what the message seems to be: one of our
    entries' matters, law we have no entries for, or no question of law; `outside` names the class of
    matters then (its id, e.g. "outside.family"). `others` answer further questions in the same message.
    """

    kind: Kind
    ranked: tuple[Ranked, ...]
    choices: tuple[Ranked, ...]
    scope: Scope
    outside: str | None
    reason: str
    question: str | None = None
    labels: tuple[str, ...] = ()
    others: tuple["Decision", ...] = field(default=())


def decide(engine: Engine, text: str) -> Decision:
    """Decide what a message's text means. Never raises, whatever the text; same text, same decision.

    Where a message holds several questions, the first that has an answer leads and the others follow it.
    """
    whole = _decide_one(engine, text)
    parts = questions(text, lambda piece: (normal := normalize(piece)) != "" and normal in engine.index.exact)
    if len(parts) < 2 or whole.reason == _EXACT:
        return whole
    answered: dict[str, Decision] = {}
    for part in parts:
        one = _decide_one(engine, part)
        if one.kind is Kind.ANSWER:
            answered.setdefault(one.ranked[0].id, one)
    if whole.kind is Kind.ANSWER:
        answered = {whole.ranked[0].id: whole, **answered}
    if len(answered) < 2:
        return whole
    first, *others = answered.values()
    return replace(first, others=tuple(others[:MORE_QUESTIONS]))


_EXACT = "与标题或一条相似问法完全一致"


def _decide_one(engine: Engine, text: str) -> Decision:
    index = engine.index
    normal = normalize(text)
    exact = index.exact.get(normal)
    prepared = without_courtesy(normal)
    # One character, or nothing but digits, names no matter: whatever looks near to it is near by chance.
    query = read_query(index, prepared)
    found = candidates(index, query, engine.model) if len(prepared) > 1 and not prepared.isdecimal() else []
    if not found:
        return Decision(Kind.UNRESOLVED, (), (), _scope_unknown(prepared), None, "没有可供比较的文字")
    weights = weights_for(engine.weights, engine.model, found)
    shares = rank_shares(found, weights)
    trust, ours = confidence(index, query, found, shares, weights)
    said = index.guard.read(normal)
    opposed = index.guard.contradicts(said, found[int(np.argmax(shares))].document)
    is_vouched = opposed is None
    if opposed is not None:
        shares = _doubted(index.guard, found, shares, said)
        best = found[int(np.argmax(shares))].document
        is_vouched = not index.guard.contradicts(said, best) and index.guard.affirms(said, best, opposed)
        if is_vouched:
            # The fact that rules the first one out speaks for this one: it is judged beside what agrees with it.
            agreeing = [one for one in found if not index.guard.contradicts(said, one.document)]
            trust, _ = confidence(index, query, agreeing, rank_shares(agreeing, weights), weights)
    ranked = _ranked(index, found, shares, trust, weights)
    top = index.documents[found[int(np.argmax(shares))].document]
    scope, outside = _scope(index, found, shares)

    if exact is not None:
        document = index.documents[exact]
        if document.scope is Scope.ENTRY:
            same = Ranked(document.id, document.title, 99.0, {}, text)
            rest = tuple(r for r in ranked if r.id != document.id)
            return Decision(Kind.ANSWER, (same, *rest)[:SHOWN], (), Scope.ENTRY, None, _EXACT)
        return Decision(Kind.UNRESOLVED, ranked, (), document.scope, document.id, "与一条范围外问法完全一致")
    if query.known < _LEAST_KNOWN:
        return Decision(Kind.UNRESOLVED, ranked, (), _scope_unknown(prepared), None, "用语在知识库中几乎没有出现过")
    level = weights.answer_level(top.id)
    if top.scope is Scope.ENTRY and trust >= level and is_vouched:
        return Decision(Kind.ANSWER, ranked, (), Scope.ENTRY, None, f"把握{trust:.0%}，达到直接答复的界限{level:.0%}")
    choices = ranked[:CHOICES]
    hope = min(1.0, sum(choice.score for choice in choices) / 100.0)
    if len(choices) >= 2 and top.scope is Scope.ENTRY and hope >= weights.clarify_at:
        why = f"最接近的条目在“{opposed}”上与问句相反" if opposed else f"把握{trust:.0%}，不足以直接答复"
        reason = f"{why}；前几项合计{hope:.0%}，请提问人确认"
        return _asked(engine.facts, Decision(Kind.CLARIFY, ranked, choices, Scope.ENTRY, None, reason))
    if scope is Scope.ENTRY and ours < weights.law_at:
        scope = Scope.SMALLTALK
    return Decision(
        Kind.UNRESOLVED, ranked, (), scope, outside, f"把握{trust:.0%}，前几项合计{hope:.0%}，均不足，转人工"
    )


def weights_for(weights: Weights, model: Model | None, found: list[Candidate]) -> WeightSet:
    """The numbers that fit the evidence at hand."""
    trained = model is not None and all(candidate.is_trained for candidate in found)
    return weights.trained if trained else weights.lookup


def rank_shares(found: list[Candidate], weights: WeightSet) -> Floats:
    """How the candidates share the belief between them: a softmax of the weighted evidence."""
    scores = np.array([candidate.evidence for candidate in found]) @ np.array(weights.rank)
    shares = np.exp(scores - scores.max())
    result: Floats = shares / shares.sum()
    return result


def _doubted(guard: Guard, found: list[Candidate], shares: Floats, said: Said) -> Floats:
    """The shares where the message says the opposite of some candidates: those keep little of their belief."""
    doubt = np.array([_DOUBTED if guard.contradicts(said, one.document) else 1.0 for one in found])
    result: Floats = shares * doubt / (shares * doubt).sum()
    return result


def confidence(
    index: Index, query: Query, found: list[Candidate], shares: Floats, weights: WeightSet
) -> tuple[float, float]:
    """Probability that the best candidate is what was asked, and that the message is a question of law."""
    features = trust_features(index, query, found, shares)
    return _logistic(features, weights.trust), _logistic(features, weights.scope)


def trust_features(index: Index, query: Query, found: list[Candidate], shares: Floats) -> Floats:
    """What tells a trustworthy best candidate from a merely best one; the last is a constant 1."""
    order = np.argsort(-shares)
    position = int(order[0])
    best = found[position]
    second = float(shares[order[1]]) if len(order) > 1 else 0.0
    outside = sum(
        float(share)
        for candidate, share in zip(found, shares, strict=True)
        if index.documents[candidate.document].scope is not Scope.ENTRY
    )
    top_share = float(shares[position])
    logit = float(np.log((top_share + 1e-3) / (second + 1e-3)))
    evidence = np.array([candidate.evidence for candidate in found])
    lead = evidence[position].copy()
    if len(evidence) > 1:
        evidence[position] = -np.inf
        lead -= evidence.max(axis=0)
    return np.array(
        [
            top_share,
            logit / 5,
            outside,
            *best.evidence,
            *lead,
            float((lead >= 0).mean()),
            query.known,
            min(len(query.text), 100) / 100,
            1.0 if len(query.text) < 5 else 0.0,
            1.0,
        ]
    )


def _asked(facts: tuple[Fact, ...], decision: Decision) -> Decision:
    """The same clarify, asking for the decisive fact between its choices where one is known.

    Of several facts the one whose entries hold most of the belief is asked for; choices that it does not
    tell apart stay in the list behind its options, so that nothing offered before is lost.
    """
    best: tuple[float, Fact, dict[str, Ranked]] | None = None
    for fact in facts:
        told = _told_apart(fact, decision.choices)
        belief = sum(choice.score for choice in told.values())
        # The fact decides only if the two best are told apart by it.
        if {choice.id for choice in decision.choices[:2]} <= {choice.id for choice in told.values()} and (
            best is None or belief > best[0]
        ):
            best = belief, fact, told
    if best is None:
        return decision
    _, fact, told = best
    rest = [choice for choice in decision.choices if choice not in told.values()]
    choices = [*told.values(), *rest][:CHOICES]
    labels = [*told, *(choice.title for choice in rest)][:CHOICES]
    return replace(decision, choices=tuple(choices), question=fact.question, labels=tuple(labels))


def _told_apart(fact: Fact, choices: tuple[Ranked, ...]) -> dict[str, Ranked]:
    """Per option of a fact the best of the choices that it leads to; options that lead to none are left out."""
    told = {}
    for label, entries in fact.options:
        if found := next((choice for choice in choices if choice.id in entries), None):
            told[label] = found
    return told


def _ranked(
    index: Index, found: list[Candidate], shares: Floats, trust: float, weights: WeightSet
) -> tuple[Ranked, ...]:
    order = np.argsort(-shares, kind="stable")
    # The best candidate's calibrated probability scales all of them: shares say how they compare.
    scale = trust / float(shares[order[0]])
    evidence = np.array([candidate.evidence for candidate in found])
    contributions = (evidence - evidence.mean(axis=0)) * np.array(weights.rank)
    result: list[Ranked] = []
    for position in order:
        document = index.documents[found[position].document]
        if document.scope is Scope.ENTRY and len(result) < SHOWN:
            result.append(
                Ranked(
                    id=document.id,
                    title=document.title,
                    score=round(100 * min(0.99, float(shares[position]) * scale), 1),
                    evidence=dict(zip(EVIDENCE, found[position].evidence, strict=True)),
                    wording=found[position].wording,
                    contributions=dict(zip(EVIDENCE, map(float, contributions[position]), strict=True)),
                )
            )
    return tuple(result)


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
