"""知识库 in Debian's Chromium: texts that wait for their day, and a comparison that others have published since."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from knowledge import comparison, curation, drafts, seeding, working
from knowledge.models import Role, StaffMember
from knowledge.working_days import local_day, now_utc
from tests.browser.conftest import photograph
from tests.browser.test_workbench import enter
from tests.conftest import Served, add_staff

ENTRY = "labor.probation.length"

pytestmark = pytest.mark.browser


def test_texts_that_wait_for_their_day_or_ran_out_are_told_in_the_list(served: Served, page: Page) -> None:
    add_staff(served.database)
    now = now_utc()
    today = local_day(now)
    with served.database.writing() as session:
        forms = seeding.stored_forms(session, today)
        waits = {"valid_from": today + timedelta(days=7), "valid_until": today + timedelta(days=60)}
        over = {"valid_until": today - timedelta(days=1)}
        for entry_id, days in ((ENTRY, {**waits, "answer": "下周起的答复。"}), ("labor.wage.arrears", over)):
            seeding.revise_entry(session, forms[entry_id].model_copy(update=days), now, by_seed=False)
        curation.publish_content(session, now, "tests")

    enter(page, served, "/entries")
    expect(page.get_by_text(f"待生效：自{today + timedelta(days=7)}起用新文本")).to_be_visible()
    expect(page.get_by_text(f"{today + timedelta(days=60)}以后失效")).to_be_visible()
    expect(page.get_by_text("已失效，不再答复")).to_be_visible()
    photograph(page, "entries-scheduled")
    page.goto(f"{served.url}/admin/entries/{ENTRY}")
    expect(page.get_by_role("heading", name=f"自{today + timedelta(days=7)}起的样子")).to_be_visible()
    expect(page.get_by_text("下周起的答复。")).to_be_visible()
    photograph(page, "entry-scheduled")


def test_publishing_after_others_did_wants_a_tick_or_a_new_comparison(served: Served, page: Page) -> None:
    add_staff(served.database)
    add_staff(served.database, "王", Role.REVIEWER)
    now = now_utc()
    with served.database.writing() as session:
        draft = drafts.begin(session, ENTRY, "李", now)
        drafts.save(session, draft.id or 0, {"answer": "试用期最长六个月。改过。"}, "李", now)
        drafts.submit(session, draft.id or 0, "李", now, confirmed=True)
        wang = session.exec(select(StaffMember).where(StaffMember.name == "王")).one()
        drafts.review(session, draft.id or 0, wang, now)
        comparison.request(session, draft, "李", now)
    working.work_off(served.database)
    with served.database.writing() as session:
        curation.add_variants(session, "labor.probation.wage", ["试用期工资打五折"], "王", now)

    enter(page, served, f"/drafts/{draft.id}")
    expect(page.get_by_text("对照之后知识库又有发布（1次")).to_be_visible()
    photograph(page, "comparison-outdated")
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_text("已发布")).to_have_count(0)  # the browser asks for the tick
    page.get_by_role("button", name="重新对照").click()
    expect(page.get_by_text("对照了0条测试问句")).to_be_visible()
    page.goto(f"{served.url}/admin/drafts/{draft.id}")
    expect(page.get_by_text("又有发布")).to_have_count(0)
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_text("已发布。查看条目")).to_be_visible()
