"""The FAQ out and in: YAML and XLSX without loss, faults at their cell, nothing half-imported."""

import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from knowledge import curation, exchange, seeding
from knowledge.content import FAQ
from knowledge.content.entries import EntryForm, read_entries
from knowledge.content.files import write_entries
from knowledge.content.workbook import read_workbook, write_workbook
from knowledge.database import Database
from knowledge.errors import ContentError
from knowledge.models import EntryStatus
from tests.builders import build_entry, cast_entries
from tests.conftest import NOW

TODAY = NOW.date()
NASTY = [
    "=1+1",
    '=HYPERLINK("x","点我")',
    "+86 13800000000",
    "-1",
    "@SUM(A1)",
    "007",
    "12345678901234567890",
    "1e5",
    "2026-11-24",
    "1/2",
    "TRUE",
    "是",
    "第一行\n第二行\n\n第四行",
    "表情😀👩‍⚖️和生僻字𠮷",
    "逗号,引号\"单引号'分号;制表\t符",
    "- 像列表",
    "# 像注释",
    "a: b",
    "null",
    "~",
    "_x000D_",
    "_x005F_x000D_",
    "<b>&amp;</b>",
    "'引号开头",
    "%d {figure}",
]


def nasty_entry() -> EntryForm:
    citations = [
        {"statute": "中华人民共和国刑法", "article": 276, "sub": 1, "paragraph": 1, "item": 2},
        {"statute": "=某通知", "unverified": True, "check": "+到网站\n核对"},
    ]
    later = [
        {"valid_from": date(2027, 1, 1), "answer": "=新的。", "citations": citations[:1]},
        {"valid_from": date(2028, 1, 1), "answer": "再新的。", "citations": []},
    ]
    return build_entry(
        "labor.nasty",
        "=1+1",
        variants=NASTY,
        answer="+86。\n\n=2+2\n  缩进",
        citations=citations,
        later=later,
        key_terms=["=A1", "007"],
        audience=["employee", "founder"],
        valid_until=date(2030, 1, 1),
        status="draft",
        related=["labor.probation.length"],
    )


def forms(content: bytes) -> list[EntryForm]:
    return [one.form for one in read_workbook(content)]


def edited(content: bytes, change: Callable[[openpyxl.Workbook], object]) -> bytes:
    """The file after somebody worked on it in a spreadsheet program."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def sheet(book: openpyxl.Workbook, name: str) -> Worksheet:
    found = book[name]
    assert isinstance(found, Worksheet)
    return found


def test_a_workbook_comes_back_as_it_was_nasty_cells_and_all() -> None:
    entries = [nasty_entry(), *cast_entries()]

    assert forms(write_workbook(entries)) == entries


def test_every_cell_is_text_so_that_no_spreadsheet_runs_or_alters_it() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_workbook([nasty_entry()])))

    for one in book.worksheets:
        for row in one.iter_rows():
            assert all(cell.data_type in {"s", "inlineStr"} for cell in row)
            assert all(cell.number_format == "@" for cell in row)


def test_a_file_saved_again_by_a_spreadsheet_program_is_the_same(tmp_path: Path) -> None:
    """openpyxl's full mode rewrites the file with shared strings, as Excel and WPS do."""
    content = write_workbook([nasty_entry()])

    assert forms(edited(content, lambda book: None)) == [nasty_entry()]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1).filter(str.strip),
        min_size=1,
        max_size=5,
    )
)
def test_any_text_survives_the_workbook(texts: list[str]) -> None:
    entry = build_entry(variants=texts)

    assert forms(write_workbook([entry])) == [entry]


@settings(deadline=None, max_examples=40)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1).filter(str.strip))
def test_any_text_survives_the_yaml(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    entry = build_entry(variants=[text], question=text, answer=text.replace("http", ""))
    folder = tmp_path_factory.mktemp("yaml")

    write_entries([entry], folder)

    assert [form for _, form in read_entries(folder)] == [entry]


def test_numbers_and_days_typed_into_a_spreadsheet_are_taken_for_what_they_are() -> None:
    def type_in(book: openpyxl.Workbook) -> None:
        entries, variants = sheet(book, "条目"), sheet(book, "相似问法")
        entries["K2"] = datetime(2026, 11, 1)  # noqa: DTZ001 # as a spreadsheet has it
        variants["B2"] = 12333
        variants["B3"] = 0.5

    [entry] = forms(edited(write_workbook([build_entry()]), type_in))

    assert entry.checked_on == date(2026, 11, 1)
    assert entry.variants[:2] == ["12333", "0.5"]


@pytest.mark.parametrize(
    ("where", "cell", "value", "part"),
    [
        ("条目", "B2", "标题长得超过了十二个字就不行", "工作表“条目”第2行B列（标题）：太长，最多12字"),
        ("条目", "A2", "tax.vat", "A列（编号）"),
        ("条目", "E2", "老板", "E列（对象）：不认识“老板”，可填 劳动者"),
        ("条目", "F2", "见 https://evil.example", "F列（答复）：答复里不能有网址"),
        ("条目", "I2", "110", "I列（转介热线）：“110”不在可填的范围内"),
        ("条目", "J2", "上线", "J列（状态）：不认识“上线”"),
        ("条目", "K2", "去年", "K列（核对日期）：“去年”不是日期"),
        ("条目", "K2", None, "K列（核对日期）"),
        ("条目", "B2", "=A2", "B列（标题）：是公式"),
        ("相似问法", "B3", 12345678901234567890, "工作表“相似问法”第3行B列（相似问法）：是过长的数字"),
        ("相似问法", "A3", "labor.nobody", "第3行A列（编号）：工作表“条目”里没有 labor.nobody"),
        ("相似问法", "B4", "  ", "第4行B列（相似问法）：没有填写"),
        ("依据", "D2", "十九", "工作表“依据”第2行D列（条）：“十九”不是数字"),
        ("依据", "D2", "0", "第2行D列（条）：应大于0"),
        ("依据", "C2", None, "第2行C列（法规全称）：没有填写"),
        ("依据", "B2", "2027-01-01", "第2行B列（文本起始日）：工作表“以后的文本”里没有"),
        ("依据", "H2", "也许", "第2行H列（未核对）：“也许”应为"),
        ("条目", "A1", "ID", "工作表“条目”第1行：缺少列 编号"),
    ],
)
def test_a_fault_is_named_by_sheet_row_and_column(where: str, cell: str, value: Any, part: str) -> None:
    content = edited(write_workbook([build_entry()]), lambda book: sheet(book, where).__setitem__(cell, value))

    with pytest.raises(ContentError) as raised:
        read_workbook(content)
    assert part in str(raised.value)


def test_every_fault_is_told_at_once_and_a_foreign_file_is_refused() -> None:
    def break_all(book: openpyxl.Workbook) -> None:
        sheet(book, "条目")["B2"] = "长" * 13
        sheet(book, "条目")["I2"] = "110"

    with pytest.raises(ContentError, match=r"(?s)B列.*I列"):
        read_workbook(edited(write_workbook([build_entry()]), break_all))
    with pytest.raises(ContentError, match="缺少工作表“相似问法”"):
        read_workbook(edited(write_workbook([build_entry()]), lambda book: book.remove(book["相似问法"])))
    with pytest.raises(ContentError, match="不是 XLSX"):
        read_workbook(b"PK no zip")
    with pytest.raises(ContentError, match="表格的单元格最多"):
        write_workbook([build_entry(answer="长" * 40_000)])


def test_the_shipped_faq_survives_yaml_and_workbook(tmp_path: Path) -> None:
    entries = sorted((form for _, form in read_entries(FAQ)), key=lambda form: form.id)

    write_entries(entries, tmp_path / "out")

    assert sorted((form for _, form in read_entries(tmp_path / "out")), key=lambda form: form.id) == entries
    assert forms(write_workbook(entries)) == entries
    with pytest.raises(ContentError, match="不是空文件夹"):
        write_entries(entries, tmp_path / "out")


def test_the_database_gives_back_what_was_brought_in(database: Database) -> None:
    entries = sorted([nasty_entry(), *cast_entries()], key=lambda form: form.id)
    with database.writing() as session:
        done = exchange.bring_in(session, entries, NOW)
        assert (len(done.added), done.changed, done.unchanged) == (6, (), 0)
        assert curation.content_version(session) == 1
    with database.reading() as session:
        stored = list(seeding.stored_forms(session, TODAY).values())

    assert sorted(stored, key=lambda form: form.id) == entries


def test_an_import_changes_what_differs_adds_what_is_new_and_leaves_the_rest(database: Database) -> None:
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
    with database.reading() as session:
        content = write_workbook(seeding.stored_forms(session, TODAY).values())

    def work(book: openpyxl.Workbook) -> None:
        entries = sheet(book, "条目")
        for row in range(2, 7):
            if entries.cell(row, 1).value == "labor.probation.length":
                entries.cell(row, 6).value = "改过的答复。"
        entries.append(["labor.new", "新条目", "某主题", "问？", "劳动者", "答。", None, None, "12348", "草稿",
                        "2026-11-01", "2027-11-01"])  # fmt: skip

    with database.writing() as session:
        done = exchange.bring_in(session, read_workbook(edited(content, work)), NOW, status=EntryStatus.DRAFT)

    assert [form.id for form in done.added] == ["labor.new"]
    assert [(form.id, fields) for form, fields in done.changed] == [("labor.probation.length", ("answer",))]
    assert done.unchanged == 4
    with database.reading() as session:
        stored = seeding.stored_forms(session, TODAY)
        assert stored["labor.probation.length"].answer == "改过的答复。"
        assert stored["labor.probation.length"].status == stored["labor.new"].status == "draft"
        assert stored["labor.wage.arrears"].status == "published"


def test_what_was_changed_since_the_export_is_not_overwritten_and_nothing_is_half_imported(database: Database) -> None:
    with database.writing() as session:
        seeding.add_entry(session, build_entry(), NOW)
        content = write_workbook(seeding.stored_forms(session, TODAY).values())
        form = build_entry(answer="同事改过的。")
        seeding.revise_entry(session, form, NOW, by_seed=False)

    def work(book: openpyxl.Workbook) -> None:
        sheet(book, "条目")["F2"] = "表里改的。"
        sheet(book, "条目").append(["labor.new", "新条目", "某主题", "问？", "劳动者", "答。", "labor.nobody", None,
                                  "12348", "草稿", "2026-11-01", "2027-11-01"])  # fmt: skip

    with pytest.raises(ContentError) as raised, database.writing() as session:
        exchange.bring_in(session, read_workbook(edited(content, work)), NOW)
    assert "第2行：导出之后，labor.probation.length 在系统里改过" in str(raised.value)
    assert "第3行：labor.new：相关条目 labor.nobody 不存在" in str(raised.value)
    with database.reading() as session:
        stored = seeding.stored_forms(session, TODAY)
    assert {form.id: form.answer for form in stored.values()} == {"labor.probation.length": "同事改过的。"}


def test_names_used_twice_are_refused(database: Database) -> None:
    with database.writing() as session:
        seeding.add_entry(session, build_entry(), NOW)
    twice = [build_entry("labor.a", "甲题"), build_entry("labor.a", "乙题"), build_entry("labor.b", "试用期最长多久")]

    with database.reading() as session, pytest.raises(ContentError) as raised:
        exchange.plan(session, twice, NOW)
    assert "编号 labor.a 重复" in str(raised.value)
    assert "标题“试用期最长多久”已用于 labor.probation.length" in str(raised.value)
