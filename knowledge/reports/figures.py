"""The figures of a period: all that the page, the workbook, the report and the command line show."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from math import sqrt

from sqlmodel import Session

from knowledge.reports import counting, matters
from knowledge.reports.counting import Asked, Messages, Part, Tally
from knowledge.reports.matters import Gaps, Matters, Ratings
from knowledge.reports.periods import Period, Stretch
from knowledge.working_days import local_day

LISTED = 10
# A topic rises where it was asked so often, and so much more often than before that chance would hardly do it:
# two counts of rare events differ by up to twice the root of their sum in 19 of 20 cases (Poisson).
RISES_FROM = 5
_CHANCE = 2.0
_GAPS_LISTED = 30


@dataclass(frozen=True, slots=True)
class AskedTopic:
    """How many questions the entries of a topic answered at once, in the period and in the one before."""

    domain: str
    topic: str
    count: int
    before: int

    @property
    def rises(self) -> bool:
        """Whether it was asked more than before, and not by chance: 1 → 2 is no rise, 2 → 10 is one."""
        return self.count >= RISES_FROM and self.count - self.before >= _CHANCE * sqrt(self.count + self.before)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything over one period, as it stood at `made_at`.

    `is_compared` says whether the log reaches back over the whole period before; without that nothing rises.
    `topics` and `entries` are those asked most; `topics_count` is how many there were.
    """

    period: Period
    made_at: datetime
    messages: Messages
    given: int
    tally: Tally
    before: Tally
    is_compared: bool
    askers: int
    parts: tuple[Part, ...]
    domains: dict[str | None, Tally]
    matters: Matters
    entry_ratings: Ratings
    reply_ratings: Ratings
    topics: tuple[AskedTopic, ...]
    topics_count: int
    rising: tuple[AskedTopic, ...]
    entries: tuple[Asked, ...]
    gaps: Gaps

    @property
    def is_over(self) -> bool:
        """Whether the period had ended when this was made."""
        return self.period.last < local_day(self.made_at)


def make(session: Session, period: Period, now: datetime, *, gaps_listed: int = _GAPS_LISTED) -> Report:
    """The figures of a period; `gaps_listed` is how many groups of questions without entries are named."""
    *parts, before = counting.parts(session, [*period.stretches(), Stretch("", period.before)])
    tally = sum((part.tally for part in parts), Tally())
    messages, given = counting.messages(session, period, tally)
    asked = counting.entries_asked(session, period)
    topics = _topics(asked)
    since = counting.first_question_at(session)
    is_compared = since is not None and local_day(since) <= period.before.first
    rising = [one for one in topics if one.rises] if is_compared else []
    return Report(
        period=period,
        made_at=now,
        messages=messages,
        given=given,
        tally=tally,
        before=before.tally,
        is_compared=is_compared,
        askers=counting.askers(session, period),
        parts=tuple(parts),
        domains=_domains(parts),
        matters=matters.matters(session, period),
        entry_ratings=matters.entry_ratings(session, period),
        reply_ratings=matters.reply_ratings(session, period),
        topics=tuple([one for one in topics if one.count][:LISTED]),
        topics_count=sum(one.count > 0 for one in topics),
        rising=tuple(sorted(rising, key=lambda one: (one.before - one.count, one.topic))[:LISTED]),
        entries=tuple([one for one in asked if one.count][:LISTED]),
        gaps=matters.gaps(session, period, gaps_listed),
    )


def _domains(parts: list[Part]) -> dict[str | None, Tally]:
    found: dict[str | None, Tally] = {}
    for part in parts:
        for domain, tally in part.domains.items():
            found[domain] = found.get(domain, Tally()) + tally
    return found


def _topics(asked: list[Asked]) -> list[AskedTopic]:
    now: Counter[tuple[str, str]] = Counter()
    before: Counter[tuple[str, str]] = Counter()
    for one in asked:
        now[one.domain, one.topic] += one.count
        before[one.domain, one.topic] += one.before
    return sorted(
        (AskedTopic(*key, now[key], before[key]) for key in now | before), key=lambda one: (-one.count, one.topic)
    )
