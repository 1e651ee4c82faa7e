"""Before publishing: what a draft changes in how questions are answered, as a job (see `jobs`).

Both sides are decided by the classifier at hand, which does not know the draft's new wordings yet: they count by
look-up, as they do in the first minute after publishing. Training a second classifier would take that minute, and
what it moves elsewhere is shown by `fawen evaluate --from-log` afterwards.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from knowledge import jobs
from knowledge.answering import Matcher
from knowledge.content.entries import EntryForm
from knowledge.database import Database
from knowledge.errors import InvalidInput
from knowledge.findings import form_of
from knowledge.matching.decide import Decision, Engine, Kind, decide
from knowledge.matching.index import Document, build_index
from knowledge.matching.normalize import normalize
from knowledge.models import ContentVersion, EntryDraft, Job, JobKind, JobStatus, Message, TestCase
from knowledge.wordings import clashes
from knowledge.working_days import local_day

LOOKS_BACK = timedelta(days=365)
MOST_QUESTIONS = 5000
MOST_SHOWN = 100  # changed questions kept by name; all are counted
_SAY_EVERY = 50  # questions between two words of progress


@dataclass(frozen=True, slots=True)
class Changed:
    """A question or test case (its row's `id`) that would be treated otherwise: kind of decision and entry, each."""

    id: int
    before: tuple[str, str | None]
    after: tuple[str, str | None]


@dataclass(slots=True, kw_only=True)
class LogChanges:
    """What becomes of the log's distinct questions; all are counted, `changed` holds MOST_SHOWN.

    `gained`: answered now, not before; `lost`: the other way round; `moved`: answered with another entry; `clarified`
    otherwise: another choice to tap, or none.
    """

    gained: int = 0
    lost: int = 0
    moved: int = 0
    clarified: int = 0
    changed: list[Changed] = field(default_factory=list)


@dataclass(slots=True)
class Comparison(LogChanges):
    """What a draft changes. Counts are of test cases or distinct questions; `worse` and `better` are test cases.

    `clashes` are (own wording, other entry's title, its wording, ratio).
    `content_version` is what it was compared with, `is_trained` whether a classifier was at hand.
    """

    content_version: int
    is_trained: bool
    cases: int = 0
    questions: int = 0
    worse: list[Changed] = field(default_factory=list)
    better: list[Changed] = field(default_factory=list)
    clashes: list[tuple[str, str, str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Since:
    """Publishing that came after a comparison: how many times, and when last."""

    times: int
    last_at: datetime


def request(session: Session, draft: EntryDraft, by: str, now: datetime) -> Job:
    """Ask for the comparison of a draft as it reads now; InvalidInput where it is not a complete entry yet."""
    form_of(draft)
    return jobs.request(session, JobKind.COMPARISON, _subject(draft), by, now)


def newest(session: Session, draft: EntryDraft) -> Job | None:
    """The comparison asked for last of just what the draft says now; None where there is none."""
    return jobs.newest(session, JobKind.COMPARISON, _subject(draft))


def result_of(job: Job | None) -> Comparison | None:
    """A finished comparison; None where there is none."""
    if job is None or job.status != JobStatus.DONE or job.result is None:
        return None
    row = dict(job.result)
    for name in ("worse", "better", "changed"):
        row[name] = changes_of(row[name])
    row["clashes"] = [tuple(one) for one in row["clashes"]]
    return Comparison(**row)


def changes_of(rows: Sequence[Mapping[str, Any]]) -> list[Changed]:
    """Changes as a job keeps them. Any: values as JSON has them."""
    return [Changed(one["id"], tuple(one["before"]), tuple(one["after"])) for one in rows]


def published_since(session: Session, compared: Comparison | None) -> Since | None:
    """What a finished comparison does not know of yet; None where nothing was published since, or none is finished."""
    if compared is None:
        return None
    times, last_at = session.exec(
        select(func.count(), func.max(ContentVersion.published_at)).where(
            col(ContentVersion.number) > compared.content_version
        )
    ).one()
    return Since(times, last_at) if last_at else None


def require(session: Session, draft: EntryDraft, despite: str, *, despite_newer: bool) -> None:
    """InvalidInput unless just this draft was compared, and makes no test case worse (or `despite` says why not).

    Also where others have published since, unless whoever publishes knows it (`despite_newer`).
    """
    found = result_of(newest(session, draft))
    if found is None:
        raise InvalidInput("请先完成发布前对照：看一看这份稿件会改变哪些问题的答复")
    if published_since(session, found) and not despite_newer:
        raise InvalidInput("对照之后知识库又有发布：请重新对照；不重新对照的，请勾选确认后再发布")
    if found.worse and not despite.strip():
        raise InvalidInput(f"有{len(found.worse)}条测试问句会变差：请退回修改，或写明仍要发布的理由")


def texts_of(session: Session, changes: Sequence[Changed]) -> dict[int, str]:
    """The words of changed questions, by message; those erased meanwhile are left out."""
    rows = session.exec(
        select(Message.id, Message.text).where(
            col(Message.id).in_([one.id for one in changes]), col(Message.text).is_not(None)
        )
    )
    return {message_id: text for message_id, text in rows if message_id is not None and text}


def run(database: Database, job: Job, now: Callable[[], datetime]) -> None:
    """Compare the draft that a claimed job is about, and keep the result; stops where the job was cancelled."""
    with database.reading() as session:
        form = _form(session, job)
        cases = list(session.exec(select(TestCase).order_by(col(TestCase.id))))
        asked = recent_questions(session, now())
    teller = Teller(database, job, now, total=len(cases) + len(asked))
    if not teller.says("建立索引", 0):
        return
    matcher = Matcher(database)
    matcher.refresh(local_day(now()))
    before = matcher.engine
    after = _with_draft(before, form)
    result = Comparison(before.index.version, before.model is not None, cases=len(cases), questions=len(asked))
    done = 0
    for case in cases:
        _count_case(result, case, decide(before, case.text), decide(after, case.text))
        done += 1
        if done % _SAY_EVERY == 0 and not teller.says("测试问句", done):
            return
    for message_id, text in asked:
        count_question(result, message_id, decide(before, text), decide(after, text))
        done += 1
        if done % _SAY_EVERY == 0 and not teller.says("近一年的提问", done):
            return
    if not teller.says("与其他条目的问法相比", done):
        return
    result.clashes.extend(_clashes(before, form))
    with database.writing() as session:
        jobs.finish(session, job, asdict(result), now())


@dataclass(frozen=True, slots=True)
class Teller:
    """Says how far a job is."""

    database: Database
    job: Job
    now: Callable[[], datetime]
    total: int

    def says(self, stage: str, done: int) -> bool:
        """How far it is; False where the job is not this worker's any more."""
        with self.database.writing() as session:
            return jobs.progress(session, self.job, stage, done, self.total, self.now())


def _subject(draft: EntryDraft) -> str:
    # The day of checking is set by the review and changes no decision.
    content = {name: value for name, value in draft.content.items() if name != "checked_on"}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
    return f"draft {draft.id} {digest}"


def _form(session: Session, job: Job) -> EntryForm:
    """The draft a job is about, if it still says what it said then."""
    draft = session.get(EntryDraft, int(job.subject.split()[1]))
    if draft is None or _subject(draft) != job.subject:
        raise InvalidInput("稿件在对照开始前又有改动，请重新对照")
    return form_of(draft)


def recent_questions(session: Session, now: datetime) -> list[tuple[int, str]]:
    """The newest distinct questions of the last twelve months, newest first, with their messages."""
    distinct: dict[str, tuple[int, str]] = {}
    for message_id, text in _newest_first(session, now):
        distinct.setdefault(normalize(text), (message_id, text))
        if len(distinct) >= MOST_QUESTIONS:
            break
    return list(distinct.values())


def _newest_first(session: Session, now: datetime) -> Iterator[tuple[int, str]]:
    rows = session.exec(
        select(Message.id, Message.text)
        .where(Message.kind == "question", col(Message.text).is_not(None), col(Message.received_at) >= now - LOOKS_BACK)
        .order_by(col(Message.id).desc())
        .execution_options(yield_per=1000)
    )
    for message_id, text in rows:
        if message_id is not None and text:
            yield message_id, text


def _with_draft(engine: Engine, form: EntryForm) -> Engine:
    index = engine.index
    document = Document(form.id, form.title, (form.question, *form.variants), tuple(form.key_terms), form.answer)
    others = [one for one in index.documents if one.id != form.id]
    return replace(
        engine, index=build_index([*others, document], index.version, index.lexicon, index.guard.axes.listed)
    )


def _count_case(result: Comparison, case: TestCase, before: Decision, after: Decision) -> None:
    assert case.id is not None, "a row that was read has its id"
    first, then = worth(case.entry_id, before), worth(case.entry_id, after)
    change = Changed(case.id, told(before), told(after))
    if then < first:
        result.worse.append(change)
    elif then > first:
        result.better.append(change)


def worth(entry_id: str | None, decision: Decision) -> int:
    """2 for what a test case wants, 1 where it can be tapped, 0 for anything else."""
    if entry_id is None:
        return {Kind.UNRESOLVED: 2, Kind.CLARIFY: 1, Kind.ANSWER: 0}[decision.kind]
    if decision.kind is Kind.ANSWER:
        return 2 if entry_id in {one.ranked[0].id for one in (decision, *decision.others)} else 0
    return 1 if entry_id in {choice.id for choice in decision.choices} else 0


def count_question(result: LogChanges, message_id: int, before: Decision, after: Decision) -> None:
    """Count what becomes of one question of the log."""
    first, then = told(before), told(after)
    if first == then:
        return
    was_answered, is_answered = before.kind is Kind.ANSWER, after.kind is Kind.ANSWER
    result.gained += is_answered and not was_answered
    result.lost += was_answered and not is_answered
    result.moved += was_answered and is_answered
    result.clarified += not was_answered and not is_answered
    if len(result.changed) < MOST_SHOWN:
        result.changed.append(Changed(message_id, first, then))


def told(decision: Decision) -> tuple[str, str | None]:
    """What the asker is told: the entry answered with, or the first choice to tap."""
    match decision.kind:
        case Kind.ANSWER:
            return decision.kind, decision.ranked[0].id
        case Kind.CLARIFY:
            return decision.kind, decision.choices[0].id
    return decision.kind, None


def _clashes(engine: Engine, form: EntryForm) -> Iterator[tuple[str, str, str, int]]:
    for wording in (form.title, form.question, *form.variants):
        for clash in clashes(engine.index, wording, form.id, limit=1):
            yield wording, clash.title, clash.wording, clash.ratio
