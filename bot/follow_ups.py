"""Short questions that mean something only after the last answer: 那试用期呢, 要是公司不同意呢."""

import re
from dataclasses import replace
from datetime import timedelta

from knowledge.answering import Matcher
from knowledge.matching.decide import CHOICES, Decision, Kind, Ranked
from knowledge.matching.index import Scope

# After a longer silence a short question stands alone: nobody remembers what was asked before.
TOPIC_HOLDS = timedelta(minutes=30)
_LONGEST = 14  # characters; a longer question says what it is about
_LEAD = re.compile(r"^(那么|那|如果是|如果|要是|假如|换成|若是|还有)+(我|我们|公司|单位)?")
_TAIL = re.compile(r"(怎么办|怎么算|可以吗|行吗|也一样吗|一样吗|又怎么说|呢|吗)+$")
_MARKS = re.compile(r"[\s，,。．.！!？?～~、]+")


def rest_of(text: str) -> str | None:
    """What is new in a question that leans on the one before (那试用期呢 → 试用期); None where it stands alone."""
    bare = _MARKS.sub("", text)
    if len(bare) > _LONGEST or not (_LEAD.match(bare) or bare.endswith("呢")):
        return None
    return _TAIL.sub("", _LEAD.sub("", bare)) or None


def decide_alone(matcher: Matcher, text: str) -> Decision:
    """The decision for a message with no answer before it."""
    whole, rest = matcher.decide(text), rest_of(text)
    return whole if rest is None else _or_bare(matcher, whole, rest)


def decide_in_context(matcher: Matcher, text: str, topic_id: str, topic_title: str) -> Decision:
    """The decision for a message after an answer about a topic.

    A question that is answered as it stands, or that does not lean on the last one, is decided alone. Else it
    is read together with the topic; what is found so with confidence answers, what is merely near is offered,
    together with what the words alone may mean.
    """
    whole, rest = matcher.decide(text), rest_of(text)
    if rest is None or whole.kind is Kind.ANSWER:
        return whole
    together = matcher.decide(rest + topic_title)
    if together.kind is Kind.ANSWER and together.ranked[0].id != topic_id:
        return replace(together, reason=f"接着“{topic_title}”问：{together.reason}")
    alone = _or_bare(matcher, whole, rest)
    # The topic's title was put there by us, so it is no evidence that the topic is meant again.
    near = [one for one in together.ranked if one.id != topic_id and (rest in one.title or rest in one.wording)]
    choices = _best([*near, *alone.choices])[:CHOICES]
    if alone.kind is Kind.ANSWER or len(choices) < 2:
        return alone
    return Decision(
        Kind.CLARIFY,
        _best([*choices, *alone.ranked]),
        choices,
        Scope.ENTRY,
        None,
        f"接着“{topic_title}”问的短句，请提问人确认",
    )


def _or_bare(matcher: Matcher, whole: Decision, rest: str) -> Decision:
    """Where nothing is found for a question that begins as if it went on (那年假呢), its new words are read alone.

    The words around them (年假) stand in no wording, and make what is plain look strange.
    """
    if whole.kind is not Kind.UNRESOLVED:
        return whole
    bare = matcher.decide(rest)
    return whole if bare.kind is Kind.UNRESOLVED else replace(bare, reason=f"只看这句里的新词：{bare.reason}")


def _best(ranked: list[Ranked]) -> tuple[Ranked, ...]:
    """Each entry once, the one first that both readings speak for most."""
    total: dict[str, float] = {}
    for one in ranked:
        total[one.id] = total.get(one.id, 0.0) + one.score
    firsts = {one.id: one for one in reversed(ranked)}
    return tuple(firsts[name] for name in sorted(total, key=lambda name: -total[name]))
