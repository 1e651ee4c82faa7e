"""`fawen report`: the figures of a period, in words, as JSON, as a workbook and as a Word report."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_base import fail, open_database, usage_errors
from knowledge.reports import figures, narrative, periods, wording
from knowledge.reports.document import write_document
from knowledge.reports.figures import Report
from knowledge.reports.workbook import GAPS_LISTED, write_workbook
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import local_day, now_utc


def report_command(
    first: Annotated[str, typer.Option("--from", help="first day, YYYY-MM-DD; 1 January by default")] = "",
    last: Annotated[str, typer.Option("--to", help="last day, included; today by default")] = "",
    xlsx: Annotated[Path | None, typer.Option("--xlsx", dir_okay=False, help="a workbook to write")] = None,
    docx: Annotated[Path | None, typer.Option("--docx", dir_okay=False, help="a Word report to write")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the figures for a machine")] = False,
) -> None:
    """Figures of a period, each with its denominator; questions in them are masked or only counted."""
    now = now_utc()
    today = local_day(now)
    with usage_errors():
        period = periods.between(first or f"{today.year}-01-01", last or today.isoformat(), today)
        database = open_database(KnowledgeSettings())
        with database.reading() as session:
            made = figures.make(session, period, now, gaps_listed=GAPS_LISTED)
        for path, content in ((xlsx, write_workbook), (docx, write_document)):
            if path is not None:
                _write(path, content(made))
                typer.echo(f"已写入 {path}", err=True)
    if as_json:
        typer.echo(json.dumps(as_plain(made), ensure_ascii=False))
    elif xlsx is None and docx is None:
        _print(made)


def as_plain(report: Report) -> dict[str, object]:
    """A report as `--json` prints it: figures with denominators and definitions, no asker's words."""
    return {
        "from": report.period.first.isoformat(),
        "to": report.period.last.isoformat(),
        "made_at": report.made_at.isoformat(timespec="seconds"),
        "figures": {
            one.key: {"name": one.name, "value": one.value, "of": one.of, "definition": one.definition}
            for one in wording.figures(report)
        },
        "questions_before": report.before.questions if report.is_compared else None,
        "domains": {domain or "unknown": asdict(tally) for domain, tally in report.domains.items()},
        "messages": asdict(report.messages),
        "inquiries": asdict(report.matters),
        "topics": [asdict(one) for one in report.topics],
        "rising": [asdict(one) for one in report.rising],
        "entries": [asdict(one) for one in report.entries],
        "gaps": {
            "groups": report.gaps.groups,
            "inquiries": report.gaps.inquiries,
            "by_domain": {domain or "unknown": number for domain, number in report.gaps.by_domain.items()},
        },
        "trend": [
            {
                "from": part.stretch.period.first.isoformat(),
                "to": part.stretch.period.last.isoformat(),
                **asdict(part.tally),
            }
            for part in report.parts
        ],
    }


def _print(report: Report) -> None:
    typer.echo(f"{report.period.words()}，统计到{wording.made_words(report)}")
    for one in wording.figures(report):
        typer.echo(f"{one.name}：{'，'.join(filter(None, (one.shown, one.share, one.basis)))}")
    for paragraph in (*narrative.domains(report), *narrative.topics(report)):
        typer.echo(paragraph)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        fail(2, f"写不了文件 {path}：{error.strerror or error}；请换一个可以写入的位置")
