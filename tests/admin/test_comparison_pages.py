"""The comparison before publishing over HTTP, on both kinds of store: waiting, cancelled, done, refused, confirmed."""

import re
from collections.abc import Iterator

import httpx
import pytest
from sqlmodel import col, select

from knowledge import curation, drafts, test_cases, working
from knowledge.models import AuditRecord, Role, StaffMember
from tests.admin.test_inbox import post
from tests.admin.test_pages import sign_in
from tests.conftest import NOW, Served, add_staff

GOOSE = "公司养鹅闯祸了谁赔"
REASON = "这句确实问的是试用期"


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    """李, a curator, signed in."""
    add_staff(served.database)
    add_staff(served.database, "王", Role.REVIEWER)
    with served.browser() as client:
        sign_in(client)
        yield client


@pytest.fixture
def draft(served: Served, browser: httpx.Client) -> int:
    """A reviewed draft, after `browser` brought the staff: it answers what a test case says nobody must answer."""
    del browser
    with served.database.writing() as session:
        test_cases.keep(session, GOOSE, None, "李", NOW)
        begun = drafts.begin(session, "labor.probation.length", "李", NOW)
        assert begun.id
        drafts.save(session, begun.id, {"variants": [*begun.content["variants"], GOOSE]}, "李", NOW)
        drafts.submit(session, begun.id, "李", NOW, confirmed=True)
        reviewer = session.exec(select(StaffMember).where(StaffMember.name == "王")).one()
        drafts.review(session, begun.id, reviewer, NOW)
        return begun.id


def test_a_comparison_waits_is_cancelled_and_is_asked_for_again(
    served: Served, browser: httpx.Client, draft: int
) -> None:
    waiting = post(browser, f"/drafts/{draft}/comparison")
    assert waiting.url.path == f"/admin/drafts/{draft}/comparison"
    assert "data-unfinished" in waiting.text
    assert "等待处理" in waiting.text

    cancelled = post(browser, f"/drafts/{draft}/comparison/cancellation")
    assert "已取消" in cancelled.text
    assert working.work_off(served.database) == 0
    refused = post(browser, f"/drafts/{draft}/publication", against="1")
    assert refused.status_code == 422
    assert "请先完成发布前对照" in refused.text

    post(browser, f"/drafts/{draft}/comparison")
    assert working.work_off(served.database) == 1
    done = browser.get(f"/admin/drafts/{draft}/comparison")
    assert "data-unfinished" not in done.text
    assert "对照了1条测试问句" in done.text
    assert "测试问句变差1条" in done.text
    assert "转人工 → 答“试用期最长多久”" in done.text


def test_a_worse_test_case_wants_a_reason_which_is_kept_and_logged(
    served: Served, browser: httpx.Client, draft: int
) -> None:
    post(browser, f"/drafts/{draft}/comparison")
    working.work_off(served.database)

    silent = post(browser, f"/drafts/{draft}/publication", against="1", despite="  ")
    assert silent.status_code == 422
    assert "1条测试问句会变差" in silent.text
    late = post(browser, f"/drafts/{draft}/publication", against="77", despite=REASON)
    assert late.status_code == 409
    assert f">{REASON}</textarea>" in late.text, "what was typed comes back"

    assert "已发布" in post(browser, f"/drafts/{draft}/publication", against="1", despite=REASON).text
    with served.database.reading() as session:
        logged = session.exec(select(AuditRecord).order_by(col(AuditRecord.id))).all()
    assert any(REASON in str(one.after) and one.actor == "李" for one in logged)


def test_publishing_after_others_have_wants_a_new_comparison_or_a_word(
    served: Served, browser: httpx.Client, draft: int
) -> None:
    post(browser, f"/drafts/{draft}/comparison")
    working.work_off(served.database)
    assert "又有发布" not in browser.get(f"/admin/drafts/{draft}").text
    with served.database.writing() as session:
        curation.add_variants(session, "labor.probation.wage", ["试用期工资打五折"], "王", NOW)

    page = browser.get(f"/admin/drafts/{draft}").text
    assert "对照之后知识库又有发布（1次，最近2026-11-24" in page
    assert "重新对照" in page
    assert re.search(r'name="despite_newer" value="1" required', page)
    refused = post(browser, f"/drafts/{draft}/publication", against="1", despite=REASON)
    assert refused.status_code == 422
    assert "请重新对照；不重新对照的，请勾选确认后再发布" in refused.text

    post(browser, f"/drafts/{draft}/comparison")
    working.work_off(served.database)
    assert "又有发布" not in browser.get(f"/admin/drafts/{draft}").text
    with served.database.writing() as session:
        curation.add_variants(session, "labor.probation.wage", ["试用期工资打三折"], "王", NOW)
    confirmed = post(browser, f"/drafts/{draft}/publication", against="1", despite=REASON, despite_newer="1")
    assert "已发布" in confirmed.text
    assert "对照之后知识库又有发布，确认没有重新对照就发布" in confirmed.text
