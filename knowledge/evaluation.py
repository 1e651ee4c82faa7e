"""Measuring the matcher on labelled questions, side by side with plain rapidfuzz."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from rapidfuzz import fuzz, process

from knowledge.content.contrasts import ContrastForm
from knowledge.errors import InvalidInput
from knowledge.matching.decide import Decision, Kind
from knowledge.matching.index import Index, Scope
from knowledge.matching.labelled import Labelled, interval, is_right
from knowledge.matching.normalize import normalize


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled question: `topic` None must not be answered; `fit` loose is reported, not counted."""

    text: str
    topic: str | None
    fit: str | None
    domain: str
    part: str | None

    @property
    def labelled(self) -> Labelled:
        """The same for fitting."""
        return Labelled(self.text, self.topic, self.topic is not None or self.domain == "other_law")


@dataclass
class Report:
    """Figures over the rows; shares are 0 to 1, `counts` are rows."""

    in_scope: int = 0
    top1: int = 0
    top3: int = 0
    answered: int = 0
    answered_right: int = 0
    helped: int = 0  # answered right, or clarified with the right one among the choices
    loose: int = 0
    loose_top3: int = 0
    nulls: Counter[str] = field(default_factory=Counter)
    null_answered: Counter[str] = field(default_factory=Counter)
    null_clarified: Counter[str] = field(default_factory=Counter)
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def figures(self) -> dict[str, float | int]:
        """The figures by name, as `--json` prints them."""
        nulls, null_answered = self.nulls.total(), self.null_answered.total()
        result: dict[str, float | int] = {
            "in_scope": self.in_scope,
            "top1": _share(self.top1, self.in_scope),
            "top3": _share(self.top3, self.in_scope),
            "answered": _share(self.answered, self.in_scope),
            "precision_in_scope": _share(self.answered_right, self.answered),
            "precision_all": _share(self.answered_right, self.answered + null_answered),
            "answered_right": _share(self.answered_right, self.in_scope),
            "helped": _share(self.helped, self.in_scope),
            "loose": self.loose,
            "loose_top3": _share(self.loose_top3, self.loose),
            "null": nulls,
            "null_clarified": _share(self.null_clarified.total(), nulls),
        }
        for domain in sorted(self.nulls):
            result[f"false_answers_{domain}"] = _share(self.null_answered[domain], self.nulls[domain])
        return result

    def precision_interval(self) -> tuple[float, float]:
        """What the share of right ones among those answered says about questions not yet seen (95 %)."""
        return interval(self.answered_right, self.answered)


def read_rows(path: Path) -> list[Row]:
    """Read labelled questions, one JSON object a line; raises InvalidInput naming the bad line."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            rows.append(Row(row["text"], row["topic"], row.get("fit"), row["domain"], row.get("part")))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput(f"{path.name}, line {number}: not a labelled question: {error!r}") from error
    return rows


def confirmed_rows(questions: Iterable[Labelled]) -> list[Row]:
    """Questions of the log as curators confirmed them, in the form that is measured."""
    return [
        Row(one.text, one.topic, "good" if one.topic else None, (one.topic or "other_law").split(".", 1)[0], None)
        for one in questions
    ]


def evaluate(rows: Iterable[Row], decide: Callable[[str], Decision]) -> dict[str, Report]:
    """Reports under "all" and under each domain of the in-scope rows."""
    reports: dict[str, Report] = defaultdict(Report)
    for row in rows:
        decision = decide(row.text)
        names = ("all", row.domain) if row.topic else ("all",)
        for name in names:
            _count(reports[name], row, decision)
    return dict(reports)


class Side(StrEnum):
    """What became of one message of a contrast."""

    RIGHT = "answered right"
    ACROSS = "answered with what the other side wants"
    THIRD = "answered with a third entry"
    OFFERED = "clarified, the right entry among the choices"
    MISSED = "clarified without the right entry"
    UNRESOLVED = "unresolved"

    @property
    def is_good(self) -> bool:
        """Whether the asker gets, or can tap, what was asked."""
        return self in (Side.RIGHT, Side.OFFERED)


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a contrast: what it wants, what became of it, and the entries it got."""

    text: str
    wanted: tuple[str, ...]
    side: Side
    got: tuple[str, ...]


def tell_contrasts(contrasts: Iterable[ContrastForm], decide: Callable[[str], Decision]) -> list[Told]:
    """Decide both messages of every pair."""
    told = []
    for form in contrasts:
        for text, wanted, other in zip(form.pair, form.entries, reversed(form.entries), strict=True):
            decision = decide(text)
            told.append(_told(text, wanted, other, decision))
    return told


def _told(text: str, wanted: tuple[str, ...], other: tuple[str, ...], decision: Decision) -> Told:
    match decision.kind:
        case Kind.ANSWER:
            got = tuple(one.ranked[0].id for one in (decision, *decision.others))
            across, right = not set(got).isdisjoint(other), got[0] in wanted
            side = Side.ACROSS if across else Side.RIGHT if right else Side.THIRD
        case Kind.CLARIFY:
            got = tuple(choice.id for choice in decision.choices)
            side = Side.MISSED if set(got).isdisjoint(wanted) else Side.OFFERED
        case Kind.UNRESOLVED:
            got, side = (), Side.UNRESOLVED
    return Told(text, wanted, side, got)


def baseline(rows: Sequence[Row], index: Index, scorer: Callable[..., float]) -> tuple[float, float]:
    """Top-1 and top-3 of a plain rapidfuzz scorer over the same entries' wordings."""
    wordings = [
        (normalize(text), document.id)
        for document in index.documents
        if document.scope is Scope.ENTRY
        for text in (document.title, *document.wordings)
    ]
    texts = [text for text, _ in wordings]
    top1 = top3 = counted = 0
    for row in rows:
        if row.topic is None or row.fit != "good":
            continue
        counted += 1
        best: dict[str, None] = {}
        for _, _, position in process.extract(normalize(row.text), texts, scorer=scorer, limit=60):
            best.setdefault(wordings[position][1])
        marks = _topic_marks(list(best), row.topic)
        top1 += marks[0] if marks else False
        top3 += any(marks[:3])
    return _share(top1, counted), _share(top3, counted)


BASELINES: dict[str, Callable[..., float]] = {"rapidfuzz WRatio": fuzz.WRatio, "rapidfuzz ratio": fuzz.ratio}


def _count(report: Report, row: Row, decision: Decision) -> None:
    if row.topic is None:
        report.nulls[row.domain] += 1
        report.null_answered[row.domain] += decision.kind is Kind.ANSWER
        report.null_clarified[row.domain] += decision.kind is Kind.CLARIFY
        return
    marks = _topic_marks([ranked.id for ranked in decision.ranked], row.topic)
    if row.fit != "good":
        report.loose += 1
        report.loose_top3 += any(marks[:3])
        return
    report.in_scope += 1
    right = bool(marks) and marks[0]
    report.top1 += right
    report.top3 += any(marks[:3])
    report.answered += decision.kind is Kind.ANSWER
    report.answered_right += decision.kind is Kind.ANSWER and right
    offered = any(is_right(choice.id, row.topic) for choice in decision.choices)
    report.helped += (decision.kind is Kind.ANSWER and right) or offered
    if not right and decision.ranked:
        report.confusions[row.topic, decision.ranked[0].id] += 1


def _topic_marks(ids: list[str], topic: str) -> list[bool]:
    """Right or wrong per place, candidates of the labelled topic counted once (the first)."""
    marks: list[bool] = []
    for identifier in ids:
        right = is_right(identifier, topic)
        if right and any(marks):
            continue
        marks.append(right)
    return marks


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
