"""The FAQ out and in again as staff exchange it: what an import would change, and doing it whole or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from knowledge.content.entries import EntryForm
from knowledge.content.workbook import Sheeted, mark_of
from knowledge.curation import publish_content
from knowledge.errors import ContentError
from knowledge.merging import FIELDS
from knowledge.models import EntryStatus
from knowledge.seeding import add_local_entry, free_titles, revise_entry, settle_reviews, stored_forms
from knowledge.statutes.texts import shown_faults
from knowledge.working_days import local_day


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do: new entries, changed ones with the fields that change, and how many stay as they are.

    Entries of the database that the file does not hold stay as they are and are not counted.
    """

    added: tuple[EntryForm, ...]
    changed: tuple[tuple[EntryForm, tuple[str, ...]], ...]
    unchanged: int


def plan(session: Session, entries: Iterable[Sheeted | EntryForm], now: datetime) -> Plan:
    """Look what bringing the entries in would change, changing nothing.

    Raises ContentError listing every fault: an id or title twice, in the file or with an entry that the file does
    not hold; a related entry nobody has; and an entry of a workbook that has been changed here since it was
    written out (its mark is another's), which the file would otherwise overwrite.
    """
    today = local_day(now)
    stored = stored_forms(session, today)
    listed = [one if isinstance(one, Sheeted) else Sheeted(one, "", 0) for one in entries]
    faults = [*_double_names(listed, stored), *_lost_relations(listed, stored)]
    added, changed, unchanged = [], [], 0
    for one in listed:
        form, here = one.form.as_of(today), stored.get(one.form.id)
        if here is None:
            added.append(one.form)
            continue
        fields = tuple(name for name in FIELDS if getattr(form, name) != getattr(here, name))
        if not fields:
            unchanged += 1
            continue
        if one.mark and one.mark != mark_of(here):
            faults.append(f"{_where(one)}导出之后，{form.id} 在系统里改过；请重新导出，在新表上修改")
        changed.append((one.form, fields))
    if faults:
        raise ContentError(shown_faults(faults))
    return Plan(tuple(added), tuple(changed), unchanged)


def bring_in(
    session: Session,
    entries: Iterable[Sheeted | EntryForm],
    now: datetime,
    *,
    status: EntryStatus | None = None,
) -> Plan:
    """Bring the entries in as edits made here; gives what was done.

    `status` is what new and changed entries get instead of the one the file says (so that a page may have them
    reviewed first). Published content gets a new number where anything changed. Raises ContentError as `plan`
    does, and then nothing is changed.
    """
    planned = plan(session, entries, now)
    update = {"status": status.value} if status else {}
    added = [form.model_copy(update=update) for form in planned.added]
    changed = [form.model_copy(update=update) for form, _ in planned.changed]
    free_titles(session, changed)
    for form in changed:
        revise_entry(session, form, now, by_seed=False)
    for form in added:
        add_local_entry(session, form, now)
    if added or changed:
        settle_reviews(session, {form.id for form in (*added, *changed)}, now)
        publish_content(session, now, f"import: {len(added)} added, {len(changed)} changed")
    return planned


def _double_names(listed: list[Sheeted], stored: dict[str, EntryForm]) -> list[str]:
    faults = []
    ids: dict[str, Sheeted] = {}
    coming = {one.form.id for one in listed}
    titles = {form.title: entry_id for entry_id, form in stored.items() if entry_id not in coming}
    for one in listed:
        if one.form.id in ids:
            faults.append(f"{_where(one)}编号 {one.form.id} 重复")
        ids[one.form.id] = one
        if one.form.title in titles:
            faults.append(f"{_where(one)}标题“{one.form.title}”已用于 {titles[one.form.title]}")
        titles[one.form.title] = one.form.id
    return faults


def _lost_relations(listed: list[Sheeted], stored: dict[str, EntryForm]) -> list[str]:
    known = {*stored, *(one.form.id for one in listed)}
    return [
        f"{_where(one)}{one.form.id}：相关条目 {related} 不存在"
        for one in listed
        for related in one.form.related
        if related not in known
    ]


def _where(one: Sheeted) -> str:
    return f"工作表“条目”第{one.row}行：" if one.row else ""
