"""`fawen statutes …`: the statute register in the database; `kb impact` and `kb rereview` over it."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_base import fail, open_database, progress, usage_errors
from knowledge import curation
from knowledge.content import REGISTER
from knowledge.errors import ContentError, NotFound
from knowledge.settings import KnowledgeSettings
from knowledge.statutes import library, rereview
from knowledge.statutes.citation import chinese_number, short_title
from knowledge.statutes.documents import Given, day_of, read_statute_texts
from knowledge.statutes.library import Brought
from knowledge.statutes.register import read_register
from knowledge.statutes.rereview import DueReview
from knowledge.statutes.texts import StatuteText
from knowledge.working_days import local_day, now_utc

app = typer.Typer(no_args_is_help=True, help="The statute register: import texts, look them up.")


@app.command("import")
def import_command(
    path: Annotated[
        Path, typer.Argument(exists=True, help="a .md, .txt or .docx file, or a folder of them or of laws.json")
    ],
    title: Annotated[str, typer.Option(help="full official title, where the file does not say it")] = "",
    effective: Annotated[str, typer.Option(help="the day this version takes effect, YYYY-MM-DD")] = "",
    promulgated: Annotated[str, typer.Option(help="the day it was promulgated, YYYY-MM-DD")] = "",
    kind: Annotated[str, typer.Option(help="法律, 行政法规, 司法解释, …")] = "",
    issuer: Annotated[str, typer.Option(help="who issued it")] = "",
    alias: Annotated[list[str] | None, typer.Option(help="another name it goes by; may be repeated")] = None,
    note: Annotated[str, typer.Option(help="which version this is, in words")] = "",
) -> None:
    """Import statute texts; entries that cite a changed article go into re-review. The same again changes nothing."""
    database = open_database(KnowledgeSettings())
    try:
        with usage_errors():
            given = Given(
                title=title or None,
                aliases=tuple(alias or ()),
                kind=kind or None,
                issuer=issuer or None,
                promulgated=day_of(promulgated) if promulgated else None,
                effective=day_of(effective) if effective else None,
                note=note or None,
            )
        texts = read_statute_texts(path, given)
    except ContentError as error:
        fail(1, str(error))
    now, register = now_utc(), read_register(REGISTER)
    counts = dict.fromkeys(Brought, 0)
    opened: list[DueReview] = []
    lapsing = 0
    families: dict[str, list[StatuteText]] = defaultdict(list)
    for text in texts:
        families[text.title].append(text)
    with progress("importing statutes") as told:
        for done, versions in enumerate(families.values(), 1):
            # One statute, one transaction: an interrupted import is taken up by running it again, and the
            # store is never closed to askers for long.
            with database.writing() as session:
                imported = rereview.import_versions(session, versions, register, now, local_day(now))
                if imported.lapsing:
                    # Whether an answer is signed shows in every reply.
                    curation.publish_content(session, now, f"sign-offs: {versions[0].title}")
            opened += imported.opened
            lapsing += len(imported.lapsing)
            for one in imported.stored:
                counts[one.brought] += 1
            told(done, len(families))
    typer.echo(
        f"法规文本：新增{counts[Brought.NEW]}个版本，更正{counts[Brought.CORRECTED]}个，"
        f"未变{counts[Brought.UNCHANGED]}个"
    )
    if lapsing:
        typer.echo(f"律师签署因此失效（或自新文本施行之日起失效）的条目：{lapsing}个")
    _print_reviews(opened, "因条文变化进入复审的条目")


@app.command("list")
def list_command(
    query: Annotated[str, typer.Argument(help="part of a title")] = "",
) -> None:
    """List the imported statutes with their versions."""
    today = local_day(now_utc())
    with open_database(KnowledgeSettings()).reading() as session:
        found = library.find(session, query, 100_000)
        for statute in found:
            periods = library.periods(session, statute)
            current = library.in_force(periods, today)
            typer.echo(f"《{statute.title}》  {statute.kind}")
            for period in periods:
                state = "现行" if period is current else "未施行" if period.start and period.start > today else "已失效"
                end = f" 至 {period.end}" if period.end else ""
                typer.echo(f"  {period.start or '施行日期不详'}{end}  {period.version.article_count}条  {state}")
    if not found:
        typer.echo("法规库中没有这样的法规；导入：fawen statutes import PATH")


@app.command("show")
def show_command(
    statute: Annotated[str, typer.Argument(help="title, everyday name or alias")],
    article: Annotated[int, typer.Option(min=1, help="number of the article")],
    sub: Annotated[int, typer.Option(min=0, help="number after 之")] = 0,
    as_of: Annotated[str, typer.Option(help="the day, YYYY-MM-DD; today by default")] = "",
) -> None:
    """Print an article as in force on a day."""
    with usage_errors(), open_database(KnowledgeSettings()).reading() as session:
        day = day_of(as_of) if as_of else local_day(now_utc())
        found = library.by_name(session, statute)
        period = library.in_force(library.periods(session, found), day)
        row = library.article_at(session, period.version, article, sub) if period else None
        if row is None:
            raise NotFound(f"《{found.title}》在{day}没有第{article}条" + (f"之{sub}" if sub else ""))
        place = f"第{chinese_number(article)}条" + (f"之{chinese_number(sub)}" if sub else "")
        typer.echo(f"《{short_title(found.title)}》{place}（{row.chapter or '—'}）\n{row.text}")


def impact_command(
    statute: Annotated[str, typer.Argument(help="title, everyday name or alias")],
    article: Annotated[int | None, typer.Option(min=1, help="only this article")] = None,
    sub: Annotated[int | None, typer.Option(min=0, help="only this number after 之")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """List the entries that cite a statute or one of its articles."""
    with usage_errors(), open_database(KnowledgeSettings()).reading() as session:
        name = rereview.cited_title(session, statute)
        found = rereview.citing(session, name, local_day(now_utc()), article=article, sub=sub)
    entries = len({one.entry_id for one in found})
    if as_json:
        rows = [
            {
                "entry": one.entry_id,
                "title": one.title,
                "status": one.status,
                "statute": one.cited.statute,
                "place": one.cited.place,
                "from": one.start.isoformat() if one.start else None,
                "until": one.end.isoformat() if one.end else None,
            }
            for one in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        since = f"  自{one.start}" if one.start else ""
        until = f"  至{one.end}" if one.end else ""
        typer.echo(f"{one.entry_id}  {one.title}  {one.cited}{since}{until}")
    typer.echo(f"《{name}》：{entries}个条目，{len(found)}处引用")


def rereview_command(
    entry: Annotated[str, typer.Argument(help="only this entry")] = "",
    done: Annotated[bool, typer.Option("--done", help="the entry was looked at: its re-reviews are closed")] = False,
    by: Annotated[str, typer.Option(help="who looked")] = "",
) -> None:
    """List the entries to look at again because a cited article changed, old and new text side by side."""
    database = open_database(KnowledgeSettings())
    if done:
        if not entry or not by:
            fail(2, "name the entry, and with --by who looked at it")
        with usage_errors(), database.writing() as session:
            closed = rereview.close(session, entry, by, now_utc())
            if not closed:
                raise NotFound(f"条目 {entry} 没有待复审的引用")
        typer.echo(f"{entry}：{closed}处引用复审完毕")
        return
    with database.reading() as session:
        found = rereview.due(session, entry_id=entry or None, limit=100_000)
    _print_reviews(found, "待复审的条目")


def _print_reviews(reviews: Iterable[DueReview], heading: str) -> None:
    listed = list(reviews)
    typer.echo(f"{heading}：{len({one.entry_id for one in listed})}个（{len(listed)}处引用）")
    for one in listed:
        since = f"（新文本自{one.effective}起施行）" if one.effective else ""
        typer.echo(f"\n{one.entry_id}  {one.title}  {one.cited}{since}")
        typer.echo(_indented("旧", one.old_text or "（条目核对时的文本没有导入过）"))
        typer.echo(_indented("新", one.new_text or "（新版本中没有这一条）"))


def _indented(mark: str, text: str) -> str:
    return "\n".join(f"  {mark}│ {line}" for line in text.split("\n"))
