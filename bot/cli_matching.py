"""Commands around the matcher: ask it, measure it, fit its numbers."""

import json
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_base import fail, open_database, usage_errors
from knowledge import curation, training, tuning
from knowledge.answering import Matcher
from knowledge.content import CONTRASTS
from knowledge.content.contrasts import read_contrast_forms
from knowledge.evaluation import (
    BASELINES,
    Report,
    Row,
    Side,
    baseline,
    confirmed_rows,
    evaluate,
    read_rows,
    tell_contrasts,
)
from knowledge.matching.decide import Decision, Engine, Kind, decide
from knowledge.matching.fit import fit
from knowledge.matching.index import build_index
from knowledge.matching.labelled import without_near
from knowledge.matching.score import EVIDENCE
from knowledge.matching.weights import WEIGHTS, Weights, unfitted, write_weights
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import local_day, now_utc


def ask(
    text: Annotated[str, typer.Argument(help="a message as an asker would send it")] = "",
    explain: Annotated[bool, typer.Option(help="say on what evidence the decision rests")] = False,
    jsonl: Annotated[bool, typer.Option(help="read messages from standard input, one a line")] = False,
) -> None:
    """Say what Fawen would answer. Nothing is written to the log."""
    matcher = _matcher()
    if jsonl:
        for line in sys.stdin:
            message = line.rstrip("\n")
            typer.echo(json.dumps(_as_row(message, matcher.decide(message)), ensure_ascii=False))
        return
    if not text:
        fail(2, "give a message, or --jsonl with messages on standard input")
    decision = matcher.decide(text)
    if explain:
        _explain(decision)
        return
    match decision.kind:
        case Kind.ANSWER:
            with matcher.database.reading() as session:
                entry = curation.published_text(session, decision.ranked[0].id, local_day(now_utc()))
            typer.echo(entry.answer.strip())
            typer.echo("依据：" + "；".join(map(str, entry.citations)))
        case Kind.CLARIFY:
            typer.echo("您是不是想问：")
            for number, choice in enumerate(decision.choices, 1):
                typer.echo(f"{number}. {choice.title}")
        case Kind.UNRESOLVED:
            typer.echo("没有现成的答复。" + decision.reason)


def evaluate_command(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="labelled questions, JSON lines")
    ] = None,
    contrasts: Annotated[
        bool, typer.Option("--contrasts", help="measure on the pairs of contrasts.yaml that must be told apart")
    ] = False,
    from_log: Annotated[bool, typer.Option(help="measure on the log's questions that curators confirmed")] = False,
    baselines: Annotated[bool, typer.Option(help="measure plain rapidfuzz beside it")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="figures for a machine")] = False,
    part: Annotated[str, typer.Option(help="check, work or all; check where the file has such rows")] = "",
    confusions: Annotated[int, typer.Option(help="list this many pairs mixed up (never of check rows)")] = 0,
) -> None:
    """Measure the matcher on labelled questions; numbers that run in shadow are measured beside it."""
    if sum((file is not None, contrasts, from_log)) != 1:
        fail(2, "give a file of labelled questions, or --from-log, or --contrasts")
    if contrasts:
        _evaluate_contrasts(as_json)
        return
    matcher = _matcher()
    with usage_errors(), matcher.database.reading() as session:
        rows = read_rows(file) if file else confirmed_rows(tuning.confirmed(session))
        shadow = tuning.weights_in_shadow(session)
    part = part or ("check" if any(row.part == "check" for row in rows) else "all")
    rows = [row for row in rows if part in ("all", row.part)]
    if not rows:
        fail(1, f"{file} has no rows of part {part}" if file else "no question of the log has been confirmed yet")
    reports = evaluate(rows, matcher.decide)
    if shadow:
        engine = replace(matcher.engine, weights=shadow)
        reports["shadow"] = evaluate(rows, lambda text: decide(engine, text))["all"]
    measured = {name: baseline(rows, matcher.index, scorer) for name, scorer in BASELINES.items()} if baselines else {}
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "part": part,
                    "rows": len(rows),
                    "fawen": {name: report.figures() for name, report in reports.items()},
                    "baselines": {name: {"top1": one, "top3": three} for name, (one, three) in measured.items()},
                },
                ensure_ascii=False,
            )
        )
        return
    _print_evaluation(part, rows, reports, measured)
    if confusions and part != "check":
        for (topic, found), count in reports["all"].confusions.most_common(confusions):
            typer.echo(f"  {count:3}  {topic}  →  {found}")


def _evaluate_contrasts(as_json: bool) -> None:
    """Exit 1 where one message of a pair is answered with what the other wants."""
    with usage_errors():
        forms = read_contrast_forms(CONTRASTS)
    told = tell_contrasts(forms, _matcher().decide)
    counts = Counter(one.side for one in told)
    if as_json:
        bad = [asdict(one) for one in told if not one.side.is_good]
        figures = {side.name.lower(): counts[side] for side in Side}
        typer.echo(json.dumps({"pairs": len(forms), "messages": figures, "bad": bad}, ensure_ascii=False))
    else:
        for one in sorted(told, key=lambda one: list(Side).index(one.side)):
            if not one.side.is_good:
                typer.echo(f"{one.side}: {one.text}\n    {'、'.join(one.wanted)}  →  {'、'.join(one.got) or '—'}")
        typer.echo(f"{len(forms)} pairs, {len(told)} messages")
        for side in Side:
            typer.echo(f"{counts[side]:5}  {side}")
    if counts[Side.ACROSS]:
        raise typer.Exit(1)


def fit_command(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="labelled questions; their work rows are used")
    ],
    ship: Annotated[
        bool, typer.Option(help="write weights.json, the numbers that ship, instead of the site's")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="put the new numbers in force without asking")] = False,
    by: Annotated[str, typer.Option(help="who does it")] = "管理员",
) -> None:
    """Fit the matcher's weights and thresholds on labelled questions; show before and after, and ask.

    Not taken over, the new numbers stay in shadow: evaluate --from-log shows what they would have decided.
    """
    matcher = _matcher(unfitted() if ship else None)
    with usage_errors():
        rows = read_rows(file)
    used = [row for row in rows if row.fit != "loose" and row.part in ("work", None)]
    texts = [row.text for row in used]
    held_out = _held_out(matcher, texts)
    made = f"fawen fit {file.name}: {len(used)} questions, {matcher.index.size} classes"
    assert held_out.model is not None
    weights = fit(held_out.index, held_out.model, [row.labelled for row in used], made)
    engines = {"before": held_out, "after": replace(held_out, weights=weights)}
    for name, engine in engines.items():
        if name == "after" or not ship:
            report = evaluate(used, lambda text, engine=engine: decide(engine, text))["all"]  # type: ignore[misc] # binds it
            low, high = report.precision_interval()
            typer.echo(f"{name}: {_figures(report)}")
            typer.echo(f"{name}: right of those answered, 95 % interval {low:.3f} to {high:.3f}")
    typer.echo(f"answer at {weights.trained.answer_at}, clarify at {weights.trained.clarify_at}")
    if ship:
        write_weights(weights, WEIGHTS)
        typer.echo(f"written to {WEIGHTS}")
        return
    with matcher.database.writing() as session:
        kept = tuning.propose(session, weights, by, now_utc())
    if yes or (sys.stdin.isatty() and typer.confirm("put the new numbers in force?")):
        with matcher.database.writing() as session:
            tuning.activate(session, kept)
            curation.publish_content(session, now_utc(), f"weights {kept}")
        typer.echo("in force; running servers take them up within two seconds")
    else:
        typer.echo("kept in shadow, not in force")


def _held_out(matcher: Matcher, texts: list[str]) -> Engine:
    """The engine in force without the wordings near to the questions it is to be fitted on."""
    engine = matcher.engine
    typer.echo("training without the wordings near to these questions …", err=True)
    model = training.train_held_out(matcher.database.url, texts)
    documents = without_near(engine.index.documents, texts)
    index = build_index(documents, engine.index.version, engine.index.lexicon, engine.index.guard.axes.listed)
    return replace(engine, index=index, model=model)


def _matcher(weights: Weights | None = None) -> Matcher:
    """The matcher over the content in force, with its classifier: trained now if nobody has yet."""
    database = open_database(KnowledgeSettings())
    matcher = Matcher(database, weights)
    matcher.refresh(local_day(now_utc()))
    if matcher.index.version == 0:
        fail(2, "the database holds no entries yet: run  fawen migrate")
    if not matcher.is_trained:
        typer.echo("training the classifier on the wordings in force (once after a change of them) …", err=True)
        if code := training.start(database.url).wait():
            fail(1, f"training failed with exit {code}; its message stands above")
        matcher.refresh(local_day(now_utc()))
    return matcher


def _as_row(message: str, decision: Decision) -> dict[str, object]:
    return {
        "text": message,
        "decision": decision.kind,
        "entry": decision.ranked[0].id if decision.kind is Kind.ANSWER else None,
        "choices": [choice.id for choice in decision.choices],
        "candidates": [{"id": one.id, "score": one.score} for one in decision.ranked],
    }


def _explain(decision: Decision) -> None:
    names = {Kind.ANSWER: "直接答复", Kind.CLARIFY: "请提问人确认", Kind.UNRESOLVED: "转人工"}
    typer.echo(f"决定：{names[decision.kind]}。{decision.reason}")
    for other in decision.others:
        typer.echo(f"另一个问题：{other.ranked[0].title}（{other.ranked[0].id}）  {other.reason}")
    if decision.question:
        typer.echo(f"先问：{decision.question}（{'／'.join(decision.labels)}）")
    for number, ranked in enumerate(decision.ranked, 1):
        typer.echo(f"{number}. {ranked.title}（{ranked.id}）  {ranked.score}分")
        typer.echo(f"   最相近的问法：{ranked.wording}")
        for name, value in ranked.evidence.items():
            part = ranked.contributions.get(name, 0.0)
            effect = "有利" if part > 0.05 else "不利" if part < -0.05 else "无影响"
            typer.echo(f"   {EVIDENCE[name]}：{value:.2f}（{effect}，{part:+.2f}）")


def _print_evaluation(
    part: str, rows: list[Row], reports: dict[str, Report], measured: dict[str, tuple[float, float]]
) -> None:
    typer.echo(f"part {part}: {len(rows)} rows")
    typer.echo(f"{'':<20}{'top-1':>8}{'top-3':>8}")
    figures = reports["all"].figures()
    typer.echo(f"{'fawen':<20}{figures['top1']:>8.3f}{figures['top3']:>8.3f}")
    for name, (one, three) in measured.items():
        typer.echo(f"{name:<20}{one:>8.3f}{three:>8.3f}")
    for name, report in reports.items():
        typer.echo(f"{name}: {_figures(report)}")
        low, high = report.precision_interval()
        typer.echo(f"{name}: right of those answered, 95 % interval {low:.3f} to {high:.3f}")


def _figures(report: Report) -> str:
    return ", ".join(f"{key} {value}" for key, value in report.figures().items())
