"""`fawen kb …`: check, load, exchange the FAQ."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_base import fail, open_database, progress, usage_errors
from knowledge import curation, exchange, merging, seeding
from knowledge.content import CONTRASTS, FAQ, FIGURES, REGISTER
from knowledge.content.checks import Finding, beside_texts, check, check_contrasts, likeness
from knowledge.content.contrasts import read_contrast_forms
from knowledge.content.entries import EntryForm, read_entries, read_figures
from knowledge.content.files import write_entries
from knowledge.content.matching import read_rows, unknown_entries
from knowledge.content.workbook import Sheeted, read_workbook, write_workbook
from knowledge.database import Database
from knowledge.errors import ContentError
from knowledge.merging import FIELD_NAMES, Comparison, State
from knowledge.models import MatchingKind
from knowledge.settings import KnowledgeSettings
from knowledge.statutes import library
from knowledge.statutes.register import pin, read_register, write_register
from knowledge.statutes.texts import StatuteTexts, read_statutes
from knowledge.working_days import local_day, now_utc

app = typer.Typer(no_args_is_help=True, help="The FAQ: check, load, exchange.")
STATE_NAMES = {
    State.ADDED: "种子新增",
    State.SAME: "相同",
    State.UPDATED: "种子有更新",
    State.EDITED: "本地改过",
    State.CONFLICT: "冲突",
    State.GONE: "种子已删去",
    State.LOCAL: "本地新建",
}


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
        contrasts = read_contrast_forms(CONTRASTS)
        with progress("comparing wordings") as told:
            findings = check(
                entries,
                read_register(REGISTER),
                figures={figure.key for figure in read_figures(FIGURES)},
                contrasts={form.normalized for form in contrasts},
                on=on,
                texts=texts,
                progress=told,
            )
            if path == FAQ:  # a part of the FAQ lacks entries that these want
                findings += [
                    Finding(entry, f"关键事实“{asked}”指向的条目不存在")
                    for asked, entry in unknown_entries(read_rows(MatchingKind.FACTS), {one.id for one in entries})
                ]
                findings += check_contrasts(contrasts, entries)
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


@app.command("diff")
def diff_command(
    path: Annotated[Path, typer.Argument(exists=True, help="the seed to compare with")] = FAQ,
    as_json: Annotated[bool, typer.Option("--json", help="every entry and field for a machine")] = False,
) -> None:
    """Say what differs between the seed files and the database, per field; exit 1 where a merge needs choices."""
    with usage_errors():
        forms = [form for _, form in read_entries(path)]
        with open_database(KnowledgeSettings()).reading() as session:
            found = merging.compare(session, forms, local_day(now_utc()))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found if one.state is not State.SAME], ensure_ascii=False))
    else:
        for one in found:
            if one.state not in {State.SAME, State.LOCAL}:
                _print_comparison(one)
        counts = Counter(one.state for one in found)
        typer.echo("，".join(f"{STATE_NAMES[state]}{counts[state]}" for state in State if counts[state]))
    raise typer.Exit(1 if any(one.state is State.CONFLICT for one in found) else 0)


@app.command("import")
def import_command(
    path: Annotated[
        Path | None, typer.Argument(exists=True, help="an .xlsx file, a YAML file or a folder of them; else what ships")
    ] = None,
    merge: Annotated[bool, typer.Option("--merge", help="take the files for a newer seed and merge it")] = False,
    take: Annotated[
        list[str] | None, typer.Option(help="settle a conflict for the seed: ENTRY, ENTRY:FIELD, or all; may repeat")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="settle a conflict for what is here: ENTRY or all; may repeat")
    ] = None,
    retire: Annotated[bool, typer.Option(help="archive untouched entries that the seed no longer has")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, and do nothing")] = False,
) -> None:
    """Bring entries in: shipped ones that are missing; a file as edits made here; with --merge a newer seed.

    A local edit is never overwritten by a merge: conflicts are shown side by side and settled by --take and --keep or,
    on a terminal, one by one; exit 1 while any is left.
    """
    if not merge and (take or keep or retire):
        fail(2, "--take, --keep and --retire go with --merge")
    database = open_database(KnowledgeSettings())
    if merge:
        _merge(database, path or FAQ, take or [], keep or [], retire=retire, dry_run=dry_run)
    elif path is None:
        with database.writing() as session:
            loaded = seeding.seed(session, now_utc())
        typer.echo(f"{loaded.added} entries added, {loaded.kept} were there")
    else:
        _bring_in(database, path, dry_run=dry_run)


def _bring_in(database: Database, path: Path, *, dry_run: bool) -> None:
    """A file's entries as edits made here, whole or not at all."""
    try:
        if path.suffix.lower() == ".xlsx":
            with progress("reading entries") as told:
                entries: list[Sheeted | EntryForm] = [*read_workbook(path.read_bytes(), told)]
        else:
            entries = [form for _, form in read_entries(path)]
        if dry_run:
            with database.reading() as session:
                planned = exchange.plan(session, entries, now_utc())
        else:
            with database.writing() as session:
                planned = exchange.bring_in(session, entries, now_utc())
    except ContentError as error:
        fail(1, f"{error}\n没有导入任何条目")
    for form in planned.added:
        typer.echo(f"新增 {form.id}  {form.title}")
    for form, fields in planned.changed:
        typer.echo(f"更新 {form.id}  {form.title}：{'、'.join(FIELD_NAMES[name] for name in fields)}")
    would = "将" if dry_run else ""
    typer.echo(f"{would}新增{len(planned.added)}个，{would}更新{len(planned.changed)}个，未变{planned.unchanged}个")


def _merge(database: Database, path: Path, take: list[str], keep: list[str], *, retire: bool, dry_run: bool) -> None:
    with usage_errors():
        forms = [form for _, form in read_entries(path)]
        with database.reading() as session:
            found = merging.compare(session, forms, local_day(now_utc()))
        conflicts = [one for one in found if one.state is State.CONFLICT]
        choices = _choices(conflicts, take, keep)
        if dry_run:
            for one in found:
                if one.state in {State.ADDED, State.UPDATED, State.CONFLICT, State.GONE}:
                    _print_comparison(one)
            raise typer.Exit(1 if any(one.entry_id not in choices for one in conflicts) else 0)
        if sys.stdin.isatty():
            choices |= _ask_each([one for one in conflicts if one.entry_id not in choices])
        with database.writing() as session:
            done = merging.merge(session, forms, now_utc(), choices=choices, retire=retire)
    for one in done.conflicts:
        _print_comparison(one)
    for entry_id, reason in done.blocked:
        typer.echo(f"没有导入 {entry_id}：{reason}")
    gone = [one for one in found if one.state is State.GONE and one.entry_id not in done.retired]
    for one in gone:
        typer.echo(f"新种子已没有 {one.entry_id}  {one.title}（未改动的条目可用 --retire 下线）")
    typer.echo(
        f"新增{len(done.added)}个，更新{len(done.updated)}个，按选择采用{len(done.taken)}个、保留{len(done.kept)}个，"
        f"下线{len(done.retired)}个，待选择的冲突{len(done.conflicts)}个"
    )
    if done.conflicts:
        typer.echo("请逐个选择：fawen kb import --merge --take 编号[:字段] 或 --keep 编号")
    raise typer.Exit(1 if done.conflicts or done.blocked else 0)


def _choices(conflicts: list[Comparison], take: list[str], keep: list[str]) -> dict[str, frozenset[str] | None]:
    """The options as choices; `all` means every conflict that no other option names."""
    named: dict[str, frozenset[str] | None] = {one: frozenset() for one in keep if one != "all"}
    for one in take:
        entry_id, _, name = one.partition(":")
        if entry_id == "all":
            continue
        if entry_id in named and entry_id in keep:
            fail(2, f"--take and --keep both name {entry_id}")
        fields = named.get(entry_id, frozenset())
        named[entry_id] = None if not name or fields is None else fields | {name}
    if "all" in take and "all" in keep:
        fail(2, "--take all and --keep all contradict each other")
    rest: frozenset[str] | None = None if "all" in take else frozenset()
    if "all" in take or "all" in keep:
        named |= {one.entry_id: rest for one in conflicts if one.entry_id not in named}
    return named


def _ask_each(conflicts: list[Comparison]) -> dict[str, frozenset[str] | None]:
    """Let the operator choose conflict by conflict."""
    chosen: dict[str, frozenset[str] | None] = {}
    for one in conflicts:
        _print_comparison(one)
        answer = typer.prompt("保留本地(k)、采用新种子(t)、以后再说(s)", default="s").strip().lower()
        if answer in {"k", "t"}:
            chosen[one.entry_id] = None if answer == "t" else frozenset()
    return chosen


def _print_comparison(one: Comparison) -> None:
    typer.echo(f"\n{STATE_NAMES[one.state]}  {one.entry_id}  {one.title}")
    for difference in one.fields:
        typer.echo(f"  {FIELD_NAMES[difference.field]}（{difference.field}）")
        if one.state is State.CONFLICT and difference.base is not None and difference.field != "variants":
            typer.echo(_side("原", difference.base))
        if one.state is not State.UPDATED or difference.changed_here:
            typer.echo(_side("本地", difference.local))
        if one.state is not State.EDITED or difference.changed_in_seed:
            typer.echo(_side("种子", difference.seed))


def _side(name: str, value: object) -> str:
    """One side of a field, a line for each line or item."""
    if isinstance(value, list):
        items = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in value]
        lines = [line for item in items for line in item.split("\n")] or ["（无）"]
    else:
        lines = str(value if value is not None else "（无）").split("\n")
    return "\n".join(f"    {name}│ {line}" for line in lines)


@app.command("export")
def export_command(
    jsonl: Annotated[bool, typer.Option("--jsonl", help="print one JSON object a line")] = False,
    yaml: Annotated[Path | None, typer.Option("--yaml", file_okay=False, help="a new folder for YAML files")] = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", dir_okay=False, help="a workbook to write")] = None,
) -> None:
    """Write every entry in a form other tools read; YAML and XLSX come back in by `kb import`."""
    if sum((jsonl, yaml is not None, xlsx is not None)) != 1:
        fail(2, "name one form: --jsonl, --yaml FOLDER or --xlsx FILE")
    database = open_database(KnowledgeSettings())
    today = local_day(now_utc())
    if jsonl:
        with database.reading() as session:
            for row in curation.export_rows(session, today):
                typer.echo(json.dumps(row, ensure_ascii=False))
        return
    with usage_errors():
        with database.reading() as session:
            forms = list(seeding.stored_forms(session, today).values())
        if yaml is not None:
            files = write_entries(forms, yaml)
            typer.echo(f"{len(forms)}个条目已写入 {yaml}（{len(files)}个文件）")
        elif xlsx is not None:
            with progress("writing entries") as told:
                content = write_workbook(forms, told)
            xlsx.write_bytes(content)
            typer.echo(f"{len(forms)}个条目已写入 {xlsx}")
