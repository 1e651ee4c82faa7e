"""`fawen kb …`: check, load, exchange the FAQ."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_base import fail, open_database, progress, usage_errors
from knowledge import curation, seeding
from knowledge.content import CONTRASTS, FAQ, FIGURES, REGISTER
from knowledge.content.checks import Finding, beside_texts, check, likeness, read_contrasts
from knowledge.content.entries import EntryForm, read_entries, read_figures
from knowledge.errors import ContentError
from knowledge.settings import KnowledgeSettings
from knowledge.statutes import library
from knowledge.statutes.register import pin, read_register, write_register
from knowledge.statutes.texts import StatuteTexts, read_statutes
from knowledge.working_days import local_day, now_utc

app = typer.Typer(no_args_is_help=True, help="The FAQ: check, load, exchange.")


@app.command("check")
def check_command(
    path: Annotated[Path, typer.Argument(exists=True, help="a YAML file or a folder of them")] = FAQ,
    as_of: Annotated[str, typer.Option(help="the day to check for, YYYY-MM-DD; today by default")] = "",
    statutes: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="statute texts to check against")
    ] = None,
    show_texts: Annotated[
        bool, typer.Option(help="print the cited text beside each answer (with texts to check against)")
    ] = True,
    imported: Annotated[bool, typer.Option("--imported", help="check against the texts in the database")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="findings and figures of each entry for a machine")] = False,
) -> None:
    """Check the FAQ files; exit 1 if there is an error. What time alone brings is a notice and no error."""
    with usage_errors():
        on = date.fromisoformat(as_of) if as_of else local_day(now_utc())
        texts = _texts(statutes, imported, on)
    try:
        entries = [entry for _, entry in read_entries(path)]
        with progress("comparing wordings") as told:
            findings = check(
                entries,
                read_register(REGISTER),
                figures={figure.key for figure in read_figures(FIGURES)},
                contrasts=read_contrasts(CONTRASTS),
                on=on,
                texts=texts,
                progress=told,
            )
    except ContentError as error:
        fail(1, str(error))
    if as_json:
        typer.echo(json.dumps(_as_json(entries, findings), ensure_ascii=False))
    else:
        _print_findings(entries, findings, texts if show_texts else None)
    raise typer.Exit(1 if any(finding.is_error for finding in findings) else 0)


def _texts(folder: Path | None, imported: bool, on: date) -> StatuteTexts | None:
    if folder:
        return read_statutes(folder)
    if not imported:
        return None
    with open_database(KnowledgeSettings()).reading() as session:
        texts = library.texts_on(session, on)
    if not texts.statutes:
        raise ContentError("数据库中还没有法规文本：先运行 fawen statutes import PATH")
    return texts


def _print_findings(entries: list[EntryForm], findings: list[Finding], texts: StatuteTexts | None) -> None:
    if texts:
        for line in beside_texts(entries, texts):
            typer.echo(line)
    for finding in findings:
        typer.echo(str(finding))
    errors = sum(finding.is_error for finding in findings)
    variants = sorted(len(entry.variants) for entry in entries) or [0]
    citations = [cited for entry in entries for cited, _ in entry.all_citations]
    typer.echo(
        f"{len(entries)} entries; variants min {variants[0]}, median {variants[len(variants) // 2]}, "
        f"total {sum(variants)}; "
        f"{len(citations)} citations, {sum(cited.unverified for cited in citations)} unverified; "
        f"{errors} errors, {len(findings) - errors} notices"
    )


def _as_json(entries: list[EntryForm], findings: list[Finding]) -> dict[str, object]:
    found = [alike for entry in entries if (alike := likeness(entry))]
    return {"findings": [asdict(finding) for finding in findings], "entries": [asdict(alike) for alike in found]}


@app.command("pin")
def pin_command(
    statutes: Annotated[Path, typer.Option(exists=True, file_okay=False, help="statute texts")],
) -> None:
    """Record in the register the facts of every cited article, from the texts it was checked against."""
    with usage_errors():
        texts = read_statutes(statutes)
        cited = [citation for _, entry in read_entries(FAQ) for citation, _ in entry.all_citations]
        register = pin(texts, cited)
        write_register(register, REGISTER)
    typer.echo(f"{len(register.statutes)} statutes, {len(register.articles)} articles in the register")


@app.command("import")
def import_command() -> None:
    """Add the shipped entries that the database lacks; what is there stays as it is."""
    database = open_database(KnowledgeSettings())
    with database.writing() as session:
        loaded = seeding.seed(session, now_utc())
    typer.echo(f"{loaded.added} entries added, {loaded.kept} were there")


@app.command("export")
def export_command(
    jsonl: Annotated[bool, typer.Option("--jsonl", help="one JSON object a line")] = False,
) -> None:
    """Print every entry in a form other tools read."""
    if not jsonl:
        fail(2, "name a form: --jsonl")
    database = open_database(KnowledgeSettings())
    with database.reading() as session:
        for row in curation.export_rows(session, local_day(now_utc())):
            typer.echo(json.dumps(row, ensure_ascii=False))
