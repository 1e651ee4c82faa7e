"""示例问题: what the welcome and the help offer to tap, each a question that the FAQ answers.

A question is kept with the entry that answered it when it was chosen, and is offered only while that entry is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from knowledge import revisions, site_settings
from knowledge.content.entries import TITLE_LIMIT
from knowledge.content.texts import shipped_examples
from knowledge.errors import InvalidInput
from knowledge.matching.normalize import normalize
from knowledge.site_settings import Kept

SUBJECT = "examples"
COUNT = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A question to tap, and the entry that answers it; no `question`: the entry's title."""

    entry_id: str
    question: str | None = None


def kept(session: Session) -> Kept:
    """The setting with who made it; its number is what a change is made against."""
    return site_settings.load(session, SUBJECT)


def shipped() -> tuple[Example, ...]:
    """Those that ship."""
    return tuple(Example(entry_id) for entry_id in shipped_examples())


def in_force(session: Session) -> tuple[Example, ...]:
    """Those that staff chose, or the shipped ones."""
    chosen = kept(session).data.get("examples")
    return tuple(Example(one["entry"], one["question"]) for one in chosen) if chosen else shipped()


def fault(question: str) -> str | None:
    """What is wrong with the form of a question to tap: a tap costs nine bytes for each of its characters."""
    if not normalize(question):
        return "请填写问题"
    if len(question) > TITLE_LIMIT:
        return f"最多{TITLE_LIMIT}字，现为{len(question)}字"
    if set("<>") & set(question) or not question.isprintable():
        return "不能含有 < 、> 和换行"
    return None


def save(session: Session, chosen: Sequence[Example] | None, *, against: int, actor: str, now: datetime) -> None:
    """Offer these questions from now on, each with the entry that answers it; None brings back the shipped ones.

    InvalidInput naming every fault of form, SettingMoved where a colleague was first.
    """
    questions = [one.question or "" for one in chosen or ()]
    if chosen is not None:
        faults = [f"第{place}个：{found}" for place, one in enumerate(questions, 1) if (found := fault(one))]
        if len(questions) != COUNT:
            faults.append(f"示例问题应为{COUNT}个")
        if len({normalize(one) for one in questions}) < len(questions):
            faults.append("示例问题不能重复")
        if faults:
            raise InvalidInput("\n".join(faults))
    site_settings.save(
        session,
        SUBJECT,
        {"examples": [{"question": one.question, "entry": one.entry_id} for one in chosen]} if chosen else {},
        against=against,
        actor=actor,
        now=now,
        before={"examples": _named(in_force(session))},
        after={"examples": _named(chosen or shipped())},
    )
    revisions.raise_by_one(session, SUBJECT)


def _named(listed: Sequence[Example]) -> list[str]:
    """For the log of changes: the questions, or the entry whose title is offered."""
    return [one.question or one.entry_id for one in listed]
