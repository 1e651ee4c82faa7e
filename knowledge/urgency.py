"""Urgent matters: recognised by curated rules, so that the right number is said before anything else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from knowledge import revisions
from knowledge.errors import InvalidInput, NotFound
from knowledge.matching.normalize import normalize
from knowledge.models import UrgentRule

SUBJECT = "urgent_rules"
REPLY_LIMIT = 400  # characters: the answer itself follows it in the same message


@dataclass(frozen=True, slots=True)
class Urgent:
    """A rule as it is applied: words normalised; `reply` names the number to call."""

    id: str
    name: str
    patterns: tuple[tuple[tuple[str, ...], ...], ...]
    exceptions: tuple[str, ...]
    reply: str

    def matches(self, normalized: str) -> bool:
        """Whether for one pattern the text holds a word of every group, and no exception."""
        if any(word in normalized for word in self.exceptions):
            return False
        return any(all(any(word in normalized for word in group) for group in pattern) for pattern in self.patterns)


def everything(session: Session) -> list[UrgentRule]:
    """All rules, in the order in which they are tried."""
    return list(session.exec(select(UrgentRule).order_by(col(UrgentRule.position), col(UrgentRule.id))).all())


def active(session: Session) -> list[Urgent]:
    """The rules in force, in the order in which they are tried."""
    return [applied(rule) for rule in everything(session) if rule.is_active]


def applied(rule: UrgentRule) -> Urgent:
    """A rule in the form in which it is matched."""
    return Urgent(
        id=rule.id,
        name=rule.name,
        patterns=tuple(
            tuple(tuple(normalize(word) for word in group) for group in pattern) for pattern in rule.patterns
        ),
        exceptions=tuple(normalize(word) for word in rule.exceptions),
        reply=rule.reply,
    )


def first_match(rules: Sequence[Urgent], text: str) -> Urgent | None:
    """The first rule that recognises a message."""
    normalized = normalize(text)
    return next((rule for rule in rules if rule.matches(normalized)), None)


def add(session: Session, rule: UrgentRule) -> None:
    """Add a rule; InvalidInput where it could never match, or would match everything."""
    _check(rule)
    session.add(rule)
    session.flush()
    revisions.raise_by_one(session, SUBJECT)


def change(
    session: Session,
    rule_id: str,
    *,
    patterns: list[list[list[str]]],
    exceptions: list[str],
    reply: str,
    is_active: bool,
    now: datetime,
) -> UrgentRule:
    """Change what a rule recognises and says; raises like `add`, and NotFound."""
    rule = session.get(UrgentRule, rule_id)
    if rule is None:
        raise NotFound(f"没有紧急规则 {rule_id}")
    rule.patterns, rule.exceptions, rule.reply = patterns, exceptions, reply.strip()
    rule.is_active, rule.updated_at = is_active, now
    _check(rule)
    session.add(rule)
    session.flush()
    revisions.raise_by_one(session, SUBJECT)
    return rule


def remove(session: Session, rule_id: str) -> None:
    """Delete a rule; NotFound where there is none."""
    rule = session.get(UrgentRule, rule_id)
    if rule is None:
        raise NotFound(f"没有紧急规则 {rule_id}")
    session.delete(rule)
    session.flush()
    revisions.raise_by_one(session, SUBJECT)


def _check(rule: UrgentRule) -> None:
    if not rule.patterns or any(not pattern for pattern in rule.patterns):
        raise InvalidInput(f"紧急规则“{rule.name}”至少要有一组词")
    words = [word for pattern in rule.patterns for group in pattern for word in (group or [""])]
    if any(len(normalize(word)) < 2 for word in words):
        # One character stands in half of all messages.
        raise InvalidInput(f"紧急规则“{rule.name}”的每个词至少两个字")
    if not rule.reply.strip() or len(rule.reply) > REPLY_LIMIT:
        raise InvalidInput(f"紧急规则“{rule.name}”的提示不能为空，最多{REPLY_LIMIT}字")
