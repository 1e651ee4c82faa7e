"""Entries of a spreadsheet as drafts: what is imported in the workbench is reviewed before any asker gets it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from knowledge import drafts, exchange
from knowledge.content.workbook import Sheeted
from knowledge.errors import ContentError, InvalidInput
from knowledge.statutes.texts import shown_faults


@dataclass(frozen=True, slots=True)
class Drafted:
    """How many drafts an import began, of new and of stored entries, and how many rows say what stands already."""

    added: int
    changed: int
    unchanged: int


def draft_rows(session: Session, rows: Sequence[Sheeted], actor: str, now: datetime) -> Drafted:
    """Begin a draft for every new or changed entry of a workbook, whole or not at all.

    Raises ContentError listing every fault by row: what `exchange.plan` finds, a changed state (an entry is taken
    out of use on its own page, with a reason), and an entry that somebody is writing at.
    """
    planned = exchange.plan(session, rows, now)
    numbers = {one.form.id: one.row for one in rows}
    faults = [
        f"工作表“条目”第{numbers[form.id]}行：{form.id} 的状态不能在表格里改；下线请在条目页上办理"
        for form, fields in planned.changed
        if "status" in fields
    ]
    for form in (*planned.added, *(form for form, _ in planned.changed)):
        try:
            drafts.begin_with(session, form, actor, now)
        except InvalidInput as error:
            faults.append(f"工作表“条目”第{numbers[form.id]}行：{error}")
    if faults:
        raise ContentError(shown_faults(faults))
    return Drafted(len(planned.added), len(planned.changed), planned.unchanged)
