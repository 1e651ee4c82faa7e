"""统计 in Debian's Chromium: a period picked, the figures read, both files downloaded and opened again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import docx
import openpyxl
import pytest
from playwright.sync_api import Page, expect

from knowledge.database import Database
from knowledge.models import Role
from tests.browser.conftest import photograph
from tests.browser.test_workbench import enter
from tests.builders import cast_entries
from tests.conftest import NOW, Served, add_staff, serving
from tests.question_log import Log, keep_log, noon

pytestmark = pytest.mark.browser


@pytest.fixture
def served(sqlite: Database) -> Iterator[Served]:
    """A running Fawen on 2026-11-24, with the small log of November and a busier one of the year before."""
    with serving(sqlite, now=lambda: NOW) as served:
        with sqlite.writing() as session:
            keep_log(session)
            log = Log(session)
            log.number = 1000
            sun = log.asker("老孙")
            entries = [form.id for form in cast_entries()]
            for number in range(150):
                at = noon(1) - timedelta(days=320 + number * (number % 3))
                log.answered(sun, at, entries[number * number % 5])
                if number % 4 == 0:
                    log.message(sun, at, ("clarified", "unresolved")[number // 4 % 2], domain="labor")
        add_staff(sqlite, "李", Role.VIEWER)
        yield served


def test_a_period_is_picked_and_exported(served: Served, page: Page, tmp_path: Path) -> None:
    enter(page, served, "/reports")
    expect(page.get_by_text("2026年11月1日至2026年11月24日，共24天")).to_be_visible()
    expect(page.locator(".figures .card").filter(has_text="由知识库条目当即答复")).to_contain_text("4问 57.1%")
    expect(page.get_by_role("link", name="本月")).to_have_attribute("aria-current", "page")
    page.get_by_text("看数据").click()
    expect(page.get_by_role("row", name="2026-11-02")).to_contain_text("66.7%")
    photograph(page, "reports")

    page.get_by_role("link", name="去年").click()
    expect(page.get_by_text("2025年1月1日至2025年12月31日，共365天")).to_be_visible()
    expect(page.get_by_label("从")).to_have_value("2025-01-01")
    photograph(page, "reports-year")

    page.get_by_label("从").fill("2026-11-03")
    page.get_by_label("到（含）").fill("2026-11-02")
    page.get_by_role("button", name="统计").click()
    expect(page.get_by_role("alert")).to_contain_text("开始日期2026-11-03晚于结束日期2026-11-02，请对调")
    expect(page.get_by_label("从")).to_have_value("2026-11-03")
    photograph(page, "reports-refused")
    page.get_by_label("从").fill("2026-11-01")
    page.get_by_label("到（含）").fill("2026-11-24")
    page.get_by_role("button", name="统计").click()
    expect(page.get_by_role("heading", name="没有条目的问题")).to_contain_text("2组4件")

    with page.expect_download() as downloading:
        page.get_by_role("link", name="导出表格").click()
    downloaded = downloading.value
    assert downloaded.suggested_filename == "法律问答统计_2026-11-01_2026-11-24.xlsx"
    downloaded.save_as(tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    rows = {row[0]: row[1] for row in book["指标"].iter_rows(values_only=True)}
    assert (rows["来信"], rows["提问"], rows["直接答复"], rows["首次答复用时"]) == (13, 7, 4, 5.5)

    with page.expect_download() as downloading:
        page.get_by_role("link", name="导出报告").click()
    downloading.value.save_as(tmp_path / "r.docx")
    text = "\n".join(one.text for one in docx.Document(str(tmp_path / "r.docx")).paragraphs)
    assert "共收到来信13件，其中提问7问（占53.8%），由3人提出。" in text


def test_a_quiet_period_says_so(served: Served, page: Page) -> None:
    enter(page, served, "/reports")
    expect(page.get_by_role("heading", name="统计")).to_be_visible()
    page.goto(f"{served.url}/admin/reports?from=2024-01-01&to=2024-01-01")
    expect(page.get_by_text("这段时间没有收到来信")).to_be_visible()
    expect(page.get_by_text("没有数据").first).to_be_visible()
    photograph(page, "reports-empty")
