"""Urgent matters: recognised by curated rules, so that the right number is said before anything else."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from knowledge import audit, revisions
from knowledge.errors import InvalidInput, NotFound, SettingMoved
from knowledge.matching.normalize import normalize
from knowledge.models import UrgentRule

SUBJECT = "urgent_rules"
REPLY_LIMIT = 400  # characters: the answer itself follows it in the same message
NAME_LIMIT = 50
# Shipped rules that may save a life: staff may change them, and drop them only after confirming.
LIFE_DANGER = frozenset({"life", "accident"})
# Emergency and public-service numbers, landlines, 400 and mobile numbers.
_NUMBER = re.compile(
    r"(?<![\d.])(?:110|119|120|122|12\d{3}|9[56]\d{3,4}|400-?\d{3,4}-?\d{3,4}|0\d{2,3}-?\d{7,8}|1[3-9]\d{9})(?![\d.]?\d)"
)


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


@dataclass(frozen=True, slots=True)
class Draft:
    """What staff may change of a rule, words as they wrote them."""

    patterns: list[list[list[str]]]
    exceptions: list[str]
    reply: str
    is_active: bool = True


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


def numbers(text: str) -> list[str]:
    """Telephone numbers in a text, in the order in which it names them."""
    return list(dict.fromkeys(_NUMBER.findall(text)))


def by_id(session: Session, rule_id: str) -> UrgentRule:
    """One rule; NotFound where there is none."""
    rule = session.get(UrgentRule, rule_id)
    if rule is None:
        raise NotFound(f"没有紧急规则 {rule_id}")
    return rule


def add(session: Session, rule: UrgentRule, actor: str = audit.COMMAND_LINE) -> None:
    """Add a rule; InvalidInput where it could never match, or would match everything, or names no number to call."""
    _store(session, rule)
    _record(session, "add", actor, rule, None, _values(rule), rule.updated_at)


def add_last(session: Session, name: str, draft: Draft, actor: str, now: datetime) -> UrgentRule:
    """Add a rule that is tried after all others, under a new id; raises like `add`."""
    ids = {one.id for one in everything(session)}
    number = next(n for n in range(1, len(ids) + 2) if f"own_{n}" not in ids)
    position = max((one.position for one in everything(session)), default=0) + 1
    rule = UrgentRule(id=f"own_{number}", name=name, position=position, reply="", updated_at=now)
    _fill(rule, draft, now)
    add(session, rule, actor)
    return rule


def seed(session: Session, rules: Iterable[UrgentRule]) -> None:
    """Load what ships; no record is kept, since nobody changed anything."""
    for rule in rules:
        _store(session, rule)


def change(
    session: Session,
    rule_id: str,
    draft: Draft,
    *,
    now: datetime,
    name: str | None = None,
    actor: str = audit.COMMAND_LINE,
    against: datetime | None = None,
    confirmed: bool = False,
) -> UrgentRule:
    """Change what a rule recognises and says; raises like `add`, and NotFound.

    `against`: when the rule was last changed as the editor saw it; SettingMoved where that is no longer so.
    A rule for danger to life is switched off only `confirmed`.
    """
    rule = by_id(session, rule_id)
    if against is not None and rule.updated_at != against:
        raise SettingMoved("这条紧急规则刚才被同事改过，请核对现在的内容后再保存")
    if rule.is_active and not draft.is_active:
        _confirm(rule, "停用", confirmed=confirmed)
    before = _values(rule)
    rule.name = rule.name if name is None else name.strip()
    _fill(rule, draft, now)
    _store(session, rule)
    if _values(rule) != before:
        _record(session, "change", actor, rule, before, _values(rule), now)
    return rule


def move(session: Session, rule_id: str, *, past: str, actor: str, now: datetime) -> int:
    """Try a rule before, or after, its neighbour `past`; gives its new place, counted from 1.

    NotFound for an unknown rule; SettingMoved where the two do not stand side by side any more.
    """
    # Raised first: it holds whoever else moves a rule until this unit of work is over.
    revisions.raise_by_one(session, SUBJECT)
    rule, listed = by_id(session, rule_id), everything(session)
    ids = [one.id for one in listed]
    before, beside = ids.index(rule_id), ids.index(past) if past in ids else -2
    if abs(before - beside) != 1:
        raise SettingMoved("紧急规则的顺序刚才被同事改过，请核对现在的顺序后再移")
    listed.insert(beside, listed.pop(before))
    for place, one in enumerate(listed, 1):
        one.position = place
    session.flush()
    _record(session, "move", actor, rule, {"position": before + 1}, {"position": beside + 1}, now)
    return beside + 1


def remove(
    session: Session, rule_id: str, now: datetime, actor: str = audit.COMMAND_LINE, *, confirmed: bool = False
) -> None:
    """Delete a rule; NotFound where there is none. One for danger to life goes only `confirmed`."""
    rule = by_id(session, rule_id)
    _confirm(rule, "删除", confirmed=confirmed)
    session.delete(rule)
    session.flush()
    _record(session, "remove", actor, rule, _values(rule), None, now)
    revisions.raise_by_one(session, SUBJECT)


def _confirm(rule: UrgentRule, act: str, *, confirmed: bool) -> None:
    if rule.id in LIFE_DANGER and not confirmed:
        raise InvalidInput(f"“{rule.name}”关系人身安全：{act}前请勾选确认")


def _fill(rule: UrgentRule, draft: Draft, now: datetime) -> None:
    rule.patterns, rule.exceptions, rule.reply = draft.patterns, draft.exceptions, draft.reply.strip()
    rule.is_active, rule.updated_at = draft.is_active, now


def _store(session: Session, rule: UrgentRule) -> None:
    _check(rule)
    session.add(rule)
    session.flush()
    revisions.raise_by_one(session, SUBJECT)


def _check(rule: UrgentRule) -> None:
    if not 0 < len(rule.name) <= NAME_LIMIT:
        raise InvalidInput(f"规则名称应为1至{NAME_LIMIT}字")
    if not rule.patterns or any(not pattern for pattern in rule.patterns):
        raise InvalidInput(f"紧急规则“{rule.name}”至少要有一组词")
    words = [word for pattern in rule.patterns for group in pattern for word in (group or [""])]
    for word in [*words, *rule.exceptions]:
        if len(normalize(word)) < 2:
            # One character stands in half of all messages.
            raise InvalidInput(f"紧急规则“{rule.name}”的每个词至少两个字，“{word}”不够")
    if not rule.reply.strip() or len(rule.reply) > REPLY_LIMIT:
        raise InvalidInput(f"紧急规则“{rule.name}”的提示不能为空，最多{REPLY_LIMIT}字")
    if set("<>") & set(rule.reply):
        raise InvalidInput("提示不能含有 < 和 >，需要时请写成＜和＞")
    if not numbers(rule.reply.strip().splitlines()[0]):
        raise InvalidInput(f"紧急规则“{rule.name}”的提示第一行要写明拨打的号码，例如：请先拨打 110")


def _values(rule: UrgentRule) -> dict[str, object]:
    """What staff wrote, for the log of changes."""
    return {
        "name": rule.name,
        "patterns": [" + ".join("、".join(group) for group in pattern) for pattern in rule.patterns],
        "exceptions": list(rule.exceptions),
        "reply": rule.reply,
        "is_active": rule.is_active,
    }


def _record(
    session: Session,
    action: str,
    actor: str,
    rule: UrgentRule,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
    now: datetime,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"urgent_rule.{action}",
        subject=f"urgent_rule {rule.id}（{rule.name}）",
        before=before,
        after=after,
        now=now,
    )
