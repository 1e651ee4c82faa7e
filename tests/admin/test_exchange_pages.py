"""知识库 as a spreadsheet over HTTP: out by the list's filters, in again as drafts, and nothing past the reviewer."""

from collections.abc import Callable, Iterator
from io import BytesIO

import httpx
import pytest
from openpyxl import Workbook, load_workbook
from sqlmodel import select

from knowledge import curation, drafts
from knowledge.database import Database
from knowledge.models import EntryDraft
from knowledge.working_days import local_day
from tests.admin.test_inbox import post
from tests.admin.test_pages import sign_in, token
from tests.conftest import NOW, Served, add_staff, serving

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENTRY = "labor.probation.length"


@pytest.fixture
def served(database: Database) -> Iterator[Served]:
    """A running Fawen on either store."""
    with serving(database) as served:
        add_staff(served.database)
        yield served


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as client:
        sign_in(client)
        yield client


def exported(browser: httpx.Client, query: str = "") -> Workbook:
    """The workbook behind 导出 XLSX."""
    answer = browser.get(f"/admin/entries/export{query}")
    assert answer.headers["content-type"] == XLSX
    return load_workbook(BytesIO(answer.content))


def bring(browser: httpx.Client, book: Workbook) -> httpx.Response:
    """Upload a workbook."""
    content = BytesIO()
    book.save(content)
    return browser.post(
        "/admin/entries/import",
        data={"form_token": token(browser.get("/admin/account"))},
        files={"file": ("知识库.xlsx", content.getvalue(), XLSX)},
    )


def edit(book: Workbook, heading: str, change: Callable[[str], str], entry_id: str = ENTRY) -> None:
    """Change one cell of an entry's row."""
    sheet = book["条目"]
    columns = {str(cell.value): number for number, cell in enumerate(sheet[1], 1)}
    row = next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, columns["编号"]).value == entry_id)
    cell = sheet.cell(row, columns[heading])
    cell.value = change(str(cell.value))


def test_the_file_holds_what_the_list_shows(browser: httpx.Client) -> None:
    ids = [row[0].value for row in exported(browser, "?q=试用期")["条目"].iter_rows(min_row=2)]

    assert ENTRY in ids
    assert len(ids) < exported(browser)["条目"].max_row - 1
    assert "导出 XLSX" in browser.get("/admin/entries").text


def test_an_edited_file_comes_back_as_drafts_and_changes_no_answer(served: Served, browser: httpx.Client) -> None:
    book = exported(browser)
    total = book["条目"].max_row - 1
    edit(book, "答复", lambda text: f"{text}\n=1+1")
    # A new entry: the row of another one under an id of its own.
    sheet = book["条目"]
    columns = {str(cell.value): number for number, cell in enumerate(sheet[1], 1)}
    copied = {heading: sheet.cell(2, column).value for heading, column in columns.items()}
    copied |= {"编号": "labor.local.canteen", "标题": "食堂能养鹅吗", "导出标记": None}
    sheet.append([copied[heading] for heading in columns])

    done = bring(browser, book)

    assert "新条目1份，修改1份" in done.text
    assert f"没有变的{total - 1}条" in done.text
    assert "食堂能养鹅吗" in done.text
    with served.database.reading() as session:
        draft = drafts.open_draft_of(session, ENTRY)
        assert draft is not None
        assert draft.content["answer"].endswith("=1+1"), "nothing is run as a formula, nothing altered"
        assert draft.authors == ["李"], "who imports is an author, and reviews none of it"
        assert "=1+1" not in curation.entry_text(session, ENTRY, local_day(NOW)).answer
        assert drafts.history(session, ENTRY)[0].content["answer"] != draft.content["answer"]
    again = bring(browser, book)
    assert again.status_code == 422
    assert f"{ENTRY} 有一份稿件正在办理" in again.text


def test_with_one_fault_nothing_is_imported(served: Served, browser: httpx.Client) -> None:
    book = exported(browser)
    edit(book, "答复", lambda text: f"{text}改过。")
    edit(book, "复核日期", lambda _text: "明年", "labor.probation.wage")

    refused = bring(browser, book)

    assert refused.status_code == 422
    assert "没有导入任何一行" in refused.text
    assert "复核日期" in refused.text
    with served.database.reading() as session:
        assert session.exec(select(EntryDraft)).all() == []


def test_what_was_changed_here_meanwhile_and_states_are_not_overwritten(browser: httpx.Client) -> None:
    book = exported(browser)
    edit(book, "状态", lambda _text: "已下线")
    assert "状态不能在表格里改" in bring(browser, book).text
    edit(book, "状态", lambda _text: "已发布")
    edit(book, "导出标记", lambda _text: "0" * 16)
    edit(book, "答复", lambda text: f"{text}改过。")
    assert "在系统里改过" in bring(browser, book).text


def test_no_file_and_no_workbook_are_said(browser: httpx.Client) -> None:
    assert "请选择要导入的" in post(browser, "/entries/import").text
    answer = browser.post(
        "/admin/entries/import",
        data={"form_token": token(browser.get("/admin/account"))},
        files={"file": ("x.xlsx", b"no zip", XLSX)},
    )
    assert "不是 XLSX 文件" in answer.text
