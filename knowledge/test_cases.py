"""Test cases (测试问句): kept from trials, in a wording freed of personal details."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from knowledge import audit, particulars
from knowledge.errors import InvalidInput, NotFound
from knowledge.models import FaqEntry, TestCase

LONGEST = 300  # characters


def keep(session: Session, text: str, entry_id: str | None, author: str, now: datetime) -> TestCase:
    """Keep a question with the entry that must answer it (None: none must); the same question again changes it.

    InvalidInput for an empty or long text, or one that still tells who asked; NotFound for an unknown entry.
    """
    cleaned = " ".join(text.split())
    if not 0 < len(cleaned) <= LONGEST:
        raise InvalidInput(f"测试问句应为1至{LONGEST}字，现为{len(cleaned)}字")
    left = particulars.free(cleaned).removed
    if left:
        raise InvalidInput(f"请先去掉个人信息：{'、'.join(left)}")
    if entry_id is not None and session.get(FaqEntry, entry_id) is None:
        raise NotFound(f"没有条目 {entry_id}")
    known = session.exec(select(TestCase).where(TestCase.text == cleaned)).first()
    case = known or TestCase(text=cleaned, author=author, created_at=now)
    before = {"entry": known.entry_id} if known else None
    case.entry_id = entry_id
    session.add(case)
    session.flush()
    audit.record(
        session,
        actor=author,
        action="test_case.keep",
        subject=f"test_case {case.id}",
        before=before,
        after={"text": cleaned, "entry": entry_id},
        now=now,
    )
    return case


def remove(session: Session, case_id: int, actor: str, now: datetime) -> None:
    """Take a test case out; NotFound where there is none."""
    case = session.get(TestCase, case_id)
    if case is None:
        raise NotFound("没有这条测试问句")
    audit.record(
        session,
        actor=actor,
        action="test_case.remove",
        subject=f"test_case {case.id}",
        before={"text": case.text, "entry": case.entry_id},
        after=None,
        now=now,
    )
    session.delete(case)


def newest(session: Session, limit: int, offset: int = 0) -> list[TestCase]:
    """Test cases, newest first."""
    rows = session.exec(select(TestCase).order_by(col(TestCase.id).desc()).limit(limit).offset(offset))
    return list(rows.all())


def texts_of(session: Session, case_ids: Sequence[int]) -> dict[int, str]:
    """The words of test cases, by id; those removed meanwhile are left out."""
    rows = session.exec(select(TestCase.id, TestCase.text).where(col(TestCase.id).in_(case_ids)))
    return {case_id: text for case_id, text in rows if case_id is not None}
