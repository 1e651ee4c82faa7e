"""阈值: from how much confidence on the account answers outright, as administrators change it.

A change is proposed first and runs in shadow: it decides nothing. A job (see `jobs`) tells what it would change on the
test cases, the questions curators confirmed and the log; it is put in force against just that comparison.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from sqlmodel import Session, col, select

from knowledge import audit, comparison, curation, jobs, tuning
from knowledge.answering import Matcher
from knowledge.comparison import Changed, LogChanges
from knowledge.database import Database
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.matching.budget import Budget, with_budget
from knowledge.matching.decide import Decision, Engine, Kind, decide
from knowledge.matching.labelled import Labelled, interval
from knowledge.matching.normalize import normalize
from knowledge.matching.weights import Weights, WeightSet, as_row, load_weights, parse_weights
from knowledge.models import ConfirmedQuestion, Domain, Job, JobKind, JobStatus, Message, TestCase
from knowledge.working_days import local_day

SETS = ("trained", "lookup")
LOWEST, HIGHEST = 30, 99  # per cent
# Fewer labelled questions than this say nothing about a budget; more than the most take too long for a page.
LEAST_LABELLED, MOST_LABELLED = 100, 400
_MOST_CONFIRMED = 5000
_SAY_EVERY = 50

Levels = Mapping[str, int]  # "trained.labor" → per cent; "trained.clarify" is where 请提问人确认 begins


@dataclass(slots=True)
class Count:
    """Labelled questions of one field (or of none of ours): how many, answered outright, and rightly so."""

    asked: int = 0
    answered: int = 0
    right: int = 0

    @property
    def wrong(self) -> int:
        """Answered, and not with what was asked."""
        return self.answered - self.right

    @property
    def wrong_interval(self) -> tuple[float, float]:
        """What the share of wrong ones among those answered says about questions not yet seen (95 %), 0 to 1."""
        return interval(self.wrong, self.answered)


@dataclass(slots=True)
class Trial(LogChanges):
    """What proposed numbers change. `before` and `after` count labelled questions by field ("" is none of ours).

    `worse` and `better` are test cases, `worse_confirmed` and `better_confirmed` confirmed questions of the log (by
    message).
    """

    content_version: int
    is_trained: bool
    cases: int = 0
    confirmed: int = 0
    questions: int = 0
    before: dict[str, Count] = field(default_factory=dict)
    after: dict[str, Count] = field(default_factory=dict)
    worse: list[Changed] = field(default_factory=list)
    better: list[Changed] = field(default_factory=list)
    worse_confirmed: list[Changed] = field(default_factory=list)
    better_confirmed: list[Changed] = field(default_factory=list)

    @property
    def more_wrong(self) -> int:
        """How many more labelled questions would be answered wrongly (fewer: below 0)."""
        return sum(one.wrong for one in self.after.values()) - sum(one.wrong for one in self.before.values())


def levels_of(weights: Weights) -> dict[str, int]:
    """The levels in per cent, by set and field."""
    found = {}
    for name in SETS:
        one: WeightSet = getattr(weights, name)
        for domain in Domain:
            found[f"{name}.{domain}"] = round(100 * one.answer_level(domain))
        found[f"{name}.clarify"] = round(100 * one.clarify_at)
    return found


def propose(session: Session, levels: Levels, actor: str, now: datetime) -> int:
    """Propose other levels; they run in shadow. Gives their id. InvalidInput for a level that makes no sense."""
    current = tuning.weights_in_force(session)
    before = levels_of(current)
    _check(levels)
    if levels == before:
        raise InvalidInput("与现在的门槛相同，没有要改的")
    return _propose(session, _with_levels(current, levels, f"设置：{actor} {local_day(now)}"), actor, now)


def levels_for(session: Session, engine: Engine, budget: Budget) -> dict[str, int]:
    """The levels that keep to an error budget on the labelled questions; InvalidInput where they are few.

    A question that has become a similar question itself is left out: it is answered whatever the level.
    """
    known = engine.index.exact
    rows = [one for one in labelled(session) if normalize(one.text) not in known][:MOST_LABELLED]
    if len(rows) < LEAST_LABELLED:
        few = f"可用的已确认问句只有{len(rows)}条，至少要{LEAST_LABELLED}条才能按答错预算计算"
        raise InvalidInput(f"{few}；可以先直接改门槛，看对照结果")
    fitted = with_budget(engine.index, engine.model, rows, tuning.weights_in_force(session), budget)
    levels = {name: min(HIGHEST, max(LOWEST, level)) for name, level in levels_of(fitted).items()}
    for name in SETS:
        lowest = min(levels[f"{name}.{domain}"] for domain in Domain)
        levels[f"{name}.clarify"] = min(levels[f"{name}.clarify"], lowest)
    return levels


def propose_shipped(session: Session, actor: str, now: datetime) -> int:
    """Propose the numbers that ship; InvalidInput where they are in force."""
    if tuning.in_force_id(session) == 0:
        raise InvalidInput("现在用的就是出厂的数字")
    return _propose(session, load_weights(), actor, now)


def labelled(session: Session) -> list[Labelled]:
    """Test cases and confirmed questions of the log, newest first."""
    cases = session.exec(select(TestCase).order_by(col(TestCase.id).desc())).all()
    return [
        *(Labelled(one.text, one.entry_id, is_law=True) for one in cases),
        *reversed(tuning.confirmed(session)),
    ]


def request(session: Session, weights_id: int, by: str, now: datetime) -> Job:
    """Ask what a proposal changes; with 0, for the figures of the numbers in force."""
    return jobs.request(session, JobKind.THRESHOLDS, _subject(session, weights_id), by, now)


def newest(session: Session, weights_id: int) -> Job | None:
    """The comparison asked for last of a proposal with the numbers and the content in force now; None: none was."""
    return jobs.newest(session, JobKind.THRESHOLDS, _subject(session, weights_id))


def result_of(job: Job | None) -> Trial | None:
    """A finished comparison; None where there is none."""
    if job is None or job.status != JobStatus.DONE or job.result is None:
        return None
    row = dict(job.result)
    for name in ("worse", "better", "worse_confirmed", "better_confirmed", "changed"):
        row[name] = comparison.changes_of(row[name])
    for name in ("before", "after"):
        row[name] = {domain: Count(**one) for domain, one in row[name].items()}
    return Trial(**row)


def put_in_force(session: Session, weights_id: int, job_id: int, *, confirmed: bool, actor: str, now: datetime) -> None:
    """Put a proposal in force; running servers take it up within two seconds.

    SettingMoved unless `job_id` is its finished comparison with what is in force now; InvalidInput where more would be
    answered wrongly and that is not `confirmed`.
    """
    job = newest(session, weights_id)
    found = result_of(job)
    if job is None or found is None or job.id != job_id:
        raise SettingMoved("对照还没有做完，或做完后知识库、门槛又变了：请重新对照，看过结果再投入使用")
    if (found.more_wrong > 0 or found.worse) and not confirmed:
        raise InvalidInput("会多答错或使测试问句变差：仍要投入使用请勾选确认")
    before = levels_of(tuning.weights_in_force(session))
    proposed = tuning.by_id(session, weights_id)
    if proposed.data == as_row(load_weights()):
        tuning.restore_shipped(session)
    else:
        tuning.activate(session, weights_id)
    curation.publish_content(session, now, f"weights {weights_id}")
    _record(session, "thresholds.activate", weights_id, before, levels_of(parse_weights(proposed.data)), actor, now)


def discard(session: Session, weights_id: int, actor: str, now: datetime) -> None:
    """Give a proposal up."""
    row = tuning.by_id(session, weights_id)
    if row.is_active:
        raise InvalidInput("正在使用的数字不能放弃；要换回来请用“恢复出厂的数字”")
    row.is_retired = True
    session.add(row)
    _record(session, "thresholds.discard", weights_id, levels_of(parse_weights(row.data)), None, actor, now)


def run(database: Database, job: Job, now: Callable[[], datetime]) -> None:
    """Compare the proposal that a claimed job is about with what is in force, and keep the result."""
    with database.reading() as session:
        weights_id = int(job.subject.split()[1])
        if _subject(session, weights_id) != job.subject:
            raise InvalidInput("开始前知识库或门槛又有改动，请重新对照")
        proposed = parse_weights(tuning.by_id(session, weights_id).data) if weights_id else None
        cases = list(session.exec(select(TestCase).order_by(col(TestCase.id))))
        confirmed = _confirmed(session)
        asked = comparison.recent_questions(session, now()) if proposed else []
    teller = comparison.Teller(database, job, now, total=len(cases) + len(confirmed) + len(asked))
    if not teller.says("建立索引", 0):
        return
    matcher = Matcher(database)
    matcher.refresh(local_day(now()))
    before = matcher.engine
    after = replace(before, weights=proposed or before.weights)
    result = Trial(before.index.version, before.model is not None, len(cases), len(confirmed), len(asked))
    done = 0
    for stage, rows, worse, better in (
        ("测试问句", [(one.id or 0, one.text, one.entry_id) for one in cases], result.worse, result.better),
        ("已确认的提问", confirmed, result.worse_confirmed, result.better_confirmed),
    ):
        for key, text, entry_id in rows:
            first = decide(before, text)
            then = decide(after, text) if proposed else first
            _count(result.before, entry_id, first)
            _count(result.after, entry_id, then)
            gain = comparison.worth(entry_id, then) - comparison.worth(entry_id, first)
            if gain:
                (better if gain > 0 else worse).append(Changed(key, comparison.told(first), comparison.told(then)))
            done += 1
            if done % _SAY_EVERY == 0 and not teller.says(stage, done):
                return
    for key, text in asked:
        comparison.count_question(result, key, decide(before, text), decide(after, text))
        done += 1
        if done % _SAY_EVERY == 0 and not teller.says("近一年的提问", done):
            return
    with database.writing() as session:
        jobs.finish(session, job, asdict(result), now())


def _propose(session: Session, weights: Weights, actor: str, now: datetime) -> int:
    before = levels_of(tuning.weights_in_force(session))
    made = tuning.propose(session, weights, actor, now)
    _record(session, "thresholds.propose", made, before, levels_of(weights), actor, now)
    return made


def _with_levels(weights: Weights, levels: Levels, made: str) -> Weights:
    changed = {}
    for name in SETS:
        one: WeightSet = getattr(weights, name)
        answer_at = {**one.answer_at, **{str(domain): levels[f"{name}.{domain}"] / 100 for domain in Domain}}
        changed[name] = replace(one, answer_at=answer_at, clarify_at=levels[f"{name}.clarify"] / 100)
    return Weights(changed["trained"], changed["lookup"], made)


def _check(levels: Levels) -> None:
    if not all(LOWEST <= level <= HIGHEST for level in levels.values()):
        raise InvalidInput(f"门槛应为{LOWEST}%至{HIGHEST}%")
    for name in SETS:
        lowest = min(levels[f"{name}.{domain}"] for domain in Domain)
        if levels[f"{name}.clarify"] > lowest:
            raise InvalidInput(f"请提问人确认的门槛（{levels[f'{name}.clarify']}%）不能高于直接答复的（{lowest}%）")


def _subject(session: Session, weights_id: int) -> str:
    return f"weights {weights_id} over {tuning.in_force_id(session)} content {curation.content_version(session)}"


def _confirmed(session: Session) -> list[tuple[int, str, str | None]]:
    rows = session.exec(
        select(ConfirmedQuestion.message_id, Message.text, ConfirmedQuestion.entry_id)
        .join(Message, col(ConfirmedQuestion.message_id) == Message.id)
        .where(col(Message.text).is_not(None))
        .order_by(col(ConfirmedQuestion.message_id).desc())
        .limit(_MOST_CONFIRMED)
    )
    return [(key, text or "", entry_id) for key, text, entry_id in rows]


def _count(counts: dict[str, Count], entry_id: str | None, decision: Decision) -> None:
    count = counts.setdefault(entry_id.split(".", 1)[0] if entry_id else "", Count())
    count.asked += 1
    if decision.kind is Kind.ANSWER:
        count.answered += 1
        count.right += entry_id is not None and entry_id in {one.ranked[0].id for one in (decision, *decision.others)}


def _record(
    session: Session,
    action: str,
    weights_id: int,
    before: Levels | None,
    after: Levels | None,
    actor: str,
    now: datetime,
) -> None:
    audit.record(
        session, actor=actor, action=action, subject=f"weights {weights_id}", before=before, after=after, now=now
    )
