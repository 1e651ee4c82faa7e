"""What counts as a question, and counting it: the one definition for 今日, 统计 and every export."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, column, exists, func, select, values
from sqlmodel import Session, col

from knowledge.database import UtcDateTime
from knowledge.matching.normalize import normalize
from knowledge.models import Asker, DecisionKind, Domain, FaqEntry, Message
from knowledge.reports.periods import Period, Stretch

QUESTION_IS = (
    "打字或说出、要作解答的问题；点按、口令（如“人工”“进度”）、固定回复、问候、对提问单的补充，"
    "以及同一人24小时内重复的同一问题都不算"
)
REPEATS_WITHIN = timedelta(hours=24)
# A question that had joined an inquiry by mistake becomes one with the tap 这是新问题.
_KINDS = ("question", "new_matter")
_OTHER_KINDS = ("tap", "command", "fixed", "event")
_DECISIONS = (DecisionKind.ANSWERED, DecisionKind.CLARIFIED, DecisionKind.UNRESOLVED)
_COMPARED = 20
# What an asker asked of late. Built once: it is looked for in every turn.
_EARLIER = (
    select(col(Message.text))
    .where(
        col(Message.asker_id) == bindparam("asker_id"),
        col(Message.received_at) > bindparam("since"),
        col(Message.kind).in_(_KINDS),
        col(Message.decision).is_not(None),
        col(Message.text).is_not(None),
        col(Message.id) != bindparam("message_id"),
    )
    .order_by(col(Message.received_at).desc())
    .limit(_COMPARED)
)


@dataclass(frozen=True, slots=True)
class Tally:
    """Questions by what became of them at once."""

    answered: int = 0
    clarified: int = 0
    unresolved: int = 0

    @property
    def questions(self) -> int:
        """All of them."""
        return self.answered + self.clarified + self.unresolved

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.answered + other.answered, self.clarified + other.clarified, self.unresolved + other.unresolved
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the period with its questions by the field of law they seem to be of (None: of none known)."""

    stretch: Stretch
    domains: dict[str | None, Tally]

    @property
    def tally(self) -> Tally:
        """All its questions."""
        return sum(self.domains.values(), Tally())


@dataclass(frozen=True, slots=True)
class Messages:
    """Everything that askers sent, each in one kind: they add up to `all`. Events (follow, scan) are none."""

    questions: int = 0
    repeats: int = 0
    additions: int = 0
    taps: int = 0
    commands: int = 0
    fixed: int = 0
    media: int = 0

    @property
    def all(self) -> int:
        """All messages."""
        return self.questions + self.repeats + self.additions + self.taps + self.commands + self.fixed + self.media


@dataclass(frozen=True, slots=True)
class Asked:
    """How often an entry answered a question at once: in the period, and in the one of equal length before."""

    entry_id: str
    title: str
    domain: str
    topic: str
    count: int
    before: int


def is_question() -> ColumnElement[bool]:
    """Whether a message counts as a question (QUESTION_IS)."""
    return and_(col(Message.kind).in_(_KINDS), col(Message.decision).is_not(None), col(Message.is_repeat).is_(False))


def is_repeat(session: Session, message: Message, text: str) -> bool:
    """Whether an asker's question is, in words, one that he had asked within 24 hours before."""
    if message.kind not in _KINDS:
        return False
    before = {
        "asker_id": message.asker_id,
        "since": message.received_at - REPEATS_WITHIN,
        "message_id": message.id,
    }
    asked = session.connection().scalars(_EARLIER, before).all()
    return message.text in asked or normalize(text) in {normalize(words) for words in asked if words}


def parts(session: Session, stretches: Sequence[Stretch]) -> list[Part]:
    """The questions of each stretch by field of law; a stretch with none is there, too."""
    given = (
        values(column("number", Integer), column("start", UtcDateTime), column("after", UtcDateTime))
        .data([(number, one.period.start, one.period.end) for number, one in enumerate(stretches)])
        .cte("stretch")
    )
    # Each cell is one range of `ix_message_counted`, so that no row is sorted: grouping them takes ten times as long.
    cells = [(domain, decision) for domain in (*Domain, None) for decision in _DECISIONS]
    counts = (
        select(func.count())
        .select_from(Message)
        .where(
            is_question(),
            col(Message.decision) == decision,
            col(Message.domain).is_(None) if domain is None else col(Message.domain) == domain,
            col(Message.received_at) >= given.c.start,
            col(Message.received_at) < given.c.after,
        )
        .correlate(given)
        .scalar_subquery()
        for domain, decision in cells
    )
    rows = {number: counted for number, *counted in _execute(session, select(given.c.number, *counts))}
    size = len(_DECISIONS)
    return [
        Part(
            one,
            {
                domain: Tally(*rows[number][place * size : (place + 1) * size])
                for place, domain in enumerate((*Domain, None))
            },
        )
        for number, one in enumerate(stretches)
    ]


def askers(session: Session, period: Period) -> int:
    """How many persons asked at least one question."""
    # Asker by asker over `ix_message_asked`, up to the first question of each: sorting all questions by asker took
    # four times as long with few askers, and twice with as many as there can be.
    asked = exists().where(col(Message.asker_id) == col(Asker.id), is_question(), *_within(period)).correlate(Asker)
    return int(_execute(session, select(func.count()).select_from(Asker).where(asked))[0][0])


def messages(session: Session, period: Period, tally: Tally) -> tuple[Messages, int]:
    """What came in, by kind, `tally` of it questions; and how many messages were answered with an entry, taps and
    choices included."""
    kind = col(Message.kind)
    count = select(func.count()).select_from(Message).where(*_within(period))
    with_answers = count.add_columns(func.count(col(Message.entry_id)))
    asks = kind.in_(_KINDS)
    [(everything,)] = _execute(session, count)
    [(repeats, repeated_answers)] = _execute(session, with_answers.where(asks, col(Message.is_repeat).is_(True)))
    undecided = (asks, col(Message.is_repeat).is_(False), col(Message.decision).is_(None))
    [(additions,)] = _execute(session, count.where(*undecided))
    by_kind = with_answers.add_columns(kind).where(kind.in_(_OTHER_KINDS)).group_by(kind)
    others = {one: (counted, answers) for counted, answers, one in _execute(session, by_kind)}
    taps, commands, fixed, events = (others.get(one, (0, 0))[0] for one in _OTHER_KINDS)
    known = tally.questions + repeats + additions + taps + commands + fixed + events
    counted = Messages(tally.questions, repeats, additions, taps, commands, fixed, everything - known)
    return counted, tally.answered + repeated_answers + sum(answers for _, answers in others.values())


def entries_asked(session: Session, period: Period) -> list[Asked]:
    """The entries that answered questions at once in the period or the one before, most asked first."""
    # A range of `ix_message_answered` for each entry, for the same reason.
    now, before = (
        select(func.count())
        .select_from(Message)
        .where(
            col(Message.entry_id) == col(FaqEntry.id),
            col(Message.decision) == DecisionKind.ANSWERED,
            is_question(),
            *_within(one),
        )
        .correlate(FaqEntry)
        .scalar_subquery()
        for one in (period, period.before)
    )
    rows = _execute(
        session,
        select(col(FaqEntry.id), col(FaqEntry.title), col(FaqEntry.domain), col(FaqEntry.topic), now, before),
    )
    asked = [one for one in (Asked(*row) for row in rows) if one.count or one.before]
    return sorted(asked, key=lambda one: (-one.count, one.entry_id))


def first_question_at(session: Session) -> datetime | None:
    """Since when the log is kept; None where it is empty."""
    found: datetime | None = _execute(session, select(func.min(col(Message.received_at))))[0][0]
    return found


def _within(period: Period) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Message.received_at) >= period.start, col(Message.received_at) < period.end


def _execute(session: Session, statement: Any) -> Any:
    # By the connection: only values are read. Any: SQLAlchemy's row types differ by statement.
    return session.connection().execute(statement).all()
