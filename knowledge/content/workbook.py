"""Entries as an XLSX workbook that staff edit in Excel or WPS, and back again.

Every cell we write is of text type and format, so that a spreadsheet neither runs `=1+1` nor alters `+86`, 007 or
a long number. One sheet holds the entries, others their similar questions, citations and later texts, tied
together by the entry's id. Lists inside a cell have one item a line.
"""

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError

from knowledge.content.entries import EntryForm, explain
from knowledge.errors import ContentError
from knowledge.statutes.texts import shown_faults

LARGEST_BYTES = 30_000_000
_LARGEST_UNPACKED = 300_000_000
_LARGEST_CELL = 32_767  # characters a cell holds (ECMA-376 as Excel reads it)
Progress = Callable[[int, int], None]

ENTRIES = {
    "编号": "id",
    "标题": "title",
    "主题": "topic",
    "问题": "question",
    "对象": "audience",
    "答复": "answer",
    "相关条目": "related",
    "关键词": "key_terms",
    "转介热线": "referral",
    "状态": "status",
    "核对日期": "checked_on",
    "复核日期": "review_by",
    "生效日期": "valid_from",
    "失效日期": "valid_until",
    "导出标记": "mark",
}
VARIANTS = {"编号": "id", "相似问法": "text"}
CITATIONS = {
    "编号": "id",
    "文本起始日": "valid_from",
    "法规全称": "statute",
    "条": "article",
    "之": "sub",
    "款": "paragraph",
    "项": "item",
    "未核对": "unverified",
    "须核对的内容": "check",
}
LATER = {"编号": "id", "起始日": "valid_from", "答复": "answer"}
SHEETS = {"条目": ENTRIES, "相似问法": VARIANTS, "依据": CITATIONS, "以后的文本": LATER}

AUDIENCES = {"劳动者": "employee", "用人单位": "employer", "创业者": "founder"}
STATUSES = {"草稿": "draft", "待审核": "submitted", "已审核": "reviewed", "已发布": "published", "已下线": "archived"}
_LISTS = {"related", "key_terms"}
_DAYS = {"checked_on", "review_by", "valid_from", "valid_until"}
_NUMBERS = {"article", "sub", "paragraph", "item"}
_OPTIONAL = {"valid_from", "valid_until", "status"}
_WIDE = {"question": 40, "answer": 60, "text": 50, "statute": 40, "check": 40, "id": 34, "title": 22}
_TEXT_STYLE = "文字"
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPE = re.compile(r"_x005[Ff]_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True, slots=True)
class Sheeted:
    """An entry as read from a workbook: its form, and the mark it was exported with ("" for a new one)."""

    form: EntryForm
    mark: str
    row: int


def mark_of(form: EntryForm) -> str:
    """What tells on the way back in whether the entry has changed here since it was written out."""
    return form.seed_hash()[:16]


def write_workbook(entries: Iterable[EntryForm], progress: Progress | None = None) -> bytes:
    """The entries as an XLSX file; raises ContentError for a text too long for a cell."""
    tables = [_rows(entry) for entry in entries]
    for table in tables:
        _refuse_long_cells(table)
    book = openpyxl.Workbook(write_only=True)
    sheets = {name: book.create_sheet(name) for name in SHEETS}
    for name, columns in SHEETS.items():
        sheet = sheets[name]
        sheet.freeze_panes = "B2"
        for number, field_name in enumerate(columns.values(), 1):
            sheet.column_dimensions[get_column_letter(number)].width = _WIDE.get(field_name, 14)
        sheet.append([head_cell(sheet, heading) for heading in columns])
    for done, table in enumerate(tables, 1):
        for name, rows in table.items():
            for row in rows:
                sheets[name].append([text_cell(sheets[name], row[key]) for key in SHEETS[name].values()])
        if progress:
            progress(done, len(tables))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def read_workbook(content: bytes, progress: Progress | None = None) -> list[Sheeted]:
    """The entries of an XLSX file; raises ContentError listing every fault with sheet, row and column.

    Sheets other than ours are left aside, and so are columns without a heading.
    """
    book = _open(content)
    try:
        faults: list[str] = []
        tables = {name: _table(book, name, columns, faults) for name, columns in SHEETS.items()}
    finally:
        book.close()
    if faults:
        raise ContentError(shown_faults(faults))
    entries = _assemble(tables, faults, progress)
    if faults:
        raise ContentError(shown_faults(faults))
    return entries


@dataclass(slots=True)
class _Row:
    """One row: its number, and each field's text with the column it stands in."""

    number: int
    values: dict[str, str]
    columns: dict[str, str] = field(default_factory=dict)

    def at(self, sheet: str, name: str) -> str:
        letter = self.columns.get(name, "")
        heading = next((heading for heading, key in SHEETS[sheet].items() if key == name), name)
        return f"工作表“{sheet}”第{self.number}行{letter}列（{heading}）"


def _rows(entry: EntryForm) -> dict[str, list[dict[str, str]]]:
    audiences = {value: name for name, value in AUDIENCES.items()}
    statuses = {value: name for name, value in STATUSES.items()}
    first = {
        "id": entry.id,
        "title": entry.title,
        "topic": entry.topic,
        "question": entry.question,
        "audience": "\n".join(audiences[one] for one in entry.audience),
        "answer": entry.answer,
        "related": "\n".join(entry.related),
        "key_terms": "\n".join(entry.key_terms),
        "referral": entry.referral,
        "status": statuses[entry.status],
        "checked_on": entry.checked_on.isoformat(),
        "review_by": entry.review_by.isoformat(),
        "valid_from": _day_text(entry.valid_from),
        "valid_until": _day_text(entry.valid_until),
        "mark": mark_of(entry),
    }
    texts = [(None, entry.citations), *((later.valid_from, later.citations) for later in entry.later)]
    return {
        "条目": [first],
        "相似问法": [{"id": entry.id, "text": text} for text in entry.variants],
        "依据": [
            {
                "id": entry.id,
                "valid_from": _day_text(start),
                "statute": one.statute,
                **{name: str(getattr(one, name) or "") for name in _NUMBERS},
                "unverified": "是" if one.unverified else "",
                "check": one.check or "",
            }
            for start, citations in texts
            for one in citations
        ],
        "以后的文本": [
            {"id": entry.id, "valid_from": later.valid_from.isoformat(), "answer": later.answer}
            for later in entry.later
        ],
    }


def _day_text(day: date | None) -> str:
    return day.isoformat() if day else ""


def _refuse_long_cells(table: Mapping[str, list[dict[str, str]]]) -> None:
    for rows in table.values():
        for row in rows:
            longest = max(map(len, row.values()))
            if longest > _LARGEST_CELL:
                raise ContentError(
                    f"条目 {row['id']}：一段文字有{longest}字，表格的单元格最多{_LARGEST_CELL}字；请改用 YAML 导出"
                )


def text_cell(sheet: Any, text: str) -> Any:
    """A cell of text type and format for a write-only sheet: nothing in it is run, or altered on the way back in."""
    # Any: openpyxl's write-only sheets and cells have no types in its stubs.
    # ECMA-376 reads _x000D_ as a character: what looks like it in a text is escaped.
    cell = WriteOnlyCell(sheet, _ESCAPED.sub("_x005F_", text))
    # Set after the value: given a value that begins with "=", the library takes the cell for a formula.
    cell.data_type = "s"
    # A style of the book, registered once: built for each cell, it took two thirds of an export.
    book = sheet.parent
    if _TEXT_STYLE not in book.named_styles:
        look = NamedStyle(_TEXT_STYLE, alignment=Alignment(wrap_text=True, vertical="top"), number_format="@")
        book.add_named_style(look)
    cell.style = _TEXT_STYLE
    return cell


def head_cell(sheet: Any, text: str) -> Any:
    """A column's heading for a write-only sheet."""
    cell = WriteOnlyCell(sheet, text)
    cell.number_format = "@"
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="FFE8EEF4")
    return cell


def _open(content: bytes) -> openpyxl.Workbook:
    if len(content) > LARGEST_BYTES:
        raise ContentError(f"文件超过{LARGEST_BYTES // 1_000_000}MB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > _LARGEST_UNPACKED:
                raise ContentError("文件解开后过大，不是条目表")
        return openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise ContentError(f"不是 XLSX 文件（旧的 .xls 请先另存为 .xlsx）：{error}") from error


def _table(book: openpyxl.Workbook, name: str, columns: Mapping[str, str], faults: list[str]) -> list[_Row]:
    if name not in book.sheetnames:
        faults.append(f"缺少工作表“{name}”")
        return []
    sheet = book[name]
    sheet.reset_dimensions()  # some programs write a wrong size
    rows = sheet.iter_rows()
    headings = [_heading(cell.value) for cell in next(rows, ())]
    missing = [heading for heading in columns if heading not in headings and heading != "导出标记"]
    if missing:
        faults.append(f"工作表“{name}”第1行：缺少列 {'、'.join(missing)}")
    twice = sorted({one for one in headings if one in columns and headings.count(one) > 1})
    if twice:
        faults.append(f"工作表“{name}”第1行：列 {'、'.join(twice)} 重复")
    if missing or twice:
        return []
    places = {columns[heading]: number for number, heading in enumerate(headings) if heading in columns}
    letters = {key: get_column_letter(number + 1) for key, number in places.items()}
    table = []
    for number, cells in enumerate(rows, 2):
        row = _Row(number, {}, letters)
        for key, place in places.items():
            value, fault = _read_cell(cells[place]) if place < len(cells) else ("", "")
            if fault:
                faults.append(f"{row.at(name, key)}：{fault}")
            row.values[key] = value
        if any(row.values.values()):
            table.append(row)
    return table


def _heading(value: object) -> str:
    return str(value).strip() if value is not None else ""


def _read_cell(cell: Any) -> tuple[str, str]:
    """A cell's text, and what is wrong with it. Any: openpyxl's cells hold whatever the file does."""
    value = cell.value
    if value is None:
        return "", ""
    if cell.data_type == "f":
        return "", "是公式；请改成文字"
    if cell.data_type == "e":
        return "", f"是错误值 {value}"
    match value:
        case bool():
            return "是" if value else "", ""
        case str():
            return _ESCAPE.sub("_", value).strip(), ""
        case datetime():
            return (value.date().isoformat(), "") if not value.time() or value.time().isoformat() == "00:00:00" else (
                "", "是带时刻的日期；请只写日期"
            )  # fmt: skip
        case int() if abs(value) < 10**15:
            return str(value), ""
        case float() if value.is_integer() and abs(value) < 10**15:
            return str(int(value)), ""
        case float() if abs(value) < 10**15:
            return repr(value), ""
        case int() | float():
            return "", "是过长的数字，表格可能已经改动了它；请把单元格设成文本格式后重新填写"
        case _:
            return "", f"读不懂的内容：{value!r}"


def _assemble(tables: Mapping[str, list[_Row]], faults: list[str], progress: Progress | None) -> list[Sheeted]:
    rows: dict[str, _Row] = {}
    for row in tables["条目"]:
        entry_id = row.values["id"]
        if not entry_id:
            faults.append(f"{row.at('条目', 'id')}：没有填写")
        elif entry_id in rows:
            faults.append(f"{row.at('条目', 'id')}：{entry_id} 与第{rows[entry_id].number}行重复")
        else:
            rows[entry_id] = row
    parts = {name: _by_entry(name, tables[name], rows, faults) for name in ("相似问法", "依据", "以后的文本")}
    entries = []
    for done, (entry_id, row) in enumerate(rows.items(), 1):
        found = _entry(row, {name: part[entry_id] for name, part in parts.items()}, faults)
        if found:
            entries.append(Sheeted(found, row.values.get("mark", ""), row.number))
        if progress:
            progress(done, len(rows))
    return entries


def _by_entry(name: str, table: list[_Row], entries: Mapping[str, _Row], faults: list[str]) -> dict[str, list[_Row]]:
    grouped: dict[str, list[_Row]] = defaultdict(list)
    for row in table:
        entry_id = row.values["id"]
        if entry_id in entries:
            grouped[entry_id].append(row)
        else:
            problem = f"工作表“条目”里没有 {entry_id}" if entry_id else "没有填写"
            faults.append(f"{row.at(name, 'id')}：{problem}")
    return grouped


def _entry(row: _Row, parts: Mapping[str, list[_Row]], faults: list[str]) -> EntryForm | None:
    before = len(faults)
    values = {name: text for name, text in row.values.items() if name != "mark"}
    content: dict[str, Any] = {name: text for name, text in values.items() if text or name not in _OPTIONAL}
    for name in _LISTS:
        content[name] = [line.strip() for line in values[name].split("\n") if line.strip()]
    content["audience"] = list(_named(row, "audience", re.split(r"[\n、，,]", values["audience"]), AUDIENCES, faults))
    if values["status"]:
        content["status"] = next(_named(row, "status", [values["status"]], STATUSES, faults), "draft")
    content["variants"] = [one.values["text"] for one in parts["相似问法"]]
    citations: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in parts["依据"]:
        citations[one.values["valid_from"]].append(_citation(one, faults))
    starts = {one.values["valid_from"]: one for one in parts["以后的文本"]}
    faults += [
        f"{one.at('依据', 'valid_from')}：工作表“以后的文本”里没有这一天的文本"
        for one in parts["依据"]
        if one.values["valid_from"] not in {"", *starts}
    ]
    content["citations"] = citations[""]
    content["later"] = [
        {"valid_from": start, "answer": one.values["answer"], "citations": citations[start]}
        for start, one in sorted(starts.items())
    ]
    if len(starts) < len(parts["以后的文本"]):
        faults.append(f"{parts['以后的文本'][-1].at('以后的文本', 'valid_from')}：同一天有两段文本")
    try:
        form = EntryForm.model_validate(content)
    except ValidationError as error:
        faults += _placed(error, row, parts)
        return None
    return form if len(faults) == before else None


def _named(row: _Row, name: str, words: Iterable[str], known: Mapping[str, str], faults: list[str]) -> Iterator[str]:
    for word in filter(None, (word.strip() for word in words)):
        if word in known or word in known.values():
            yield known.get(word, word)
        else:
            faults.append(f"{row.at('条目', name)}：不认识“{word}”，可填 {'、'.join(known)}")


def _citation(row: _Row, faults: list[str]) -> dict[str, Any]:
    content: dict[str, Any] = {"statute": row.values["statute"]}
    for name in sorted(_NUMBERS):
        text = row.values[name]
        if text and not text.isdecimal():
            faults.append(f"{row.at('依据', name)}：“{text}”不是数字（写 19，不写 十九）")
        elif text:
            content[name] = int(text)
    unverified = row.values["unverified"]
    if unverified not in {"", "是", "否"}:
        faults.append(f"{row.at('依据', 'unverified')}：“{unverified}”应为“是”或留空")
    content["unverified"] = unverified == "是"
    if row.values["check"]:
        content["check"] = row.values["check"]
    return content


def _placed(error: ValidationError, row: _Row, parts: Mapping[str, list[_Row]]) -> Iterator[str]:
    """Each fault of form at the cell it comes from."""
    in_order = {"variants": ("相似问法", "text"), "later": ("以后的文本", "valid_from")}
    now_cited = [one for one in parts["依据"] if not one.values["valid_from"]]
    for item in error.errors():
        place = item["loc"]
        words = explain(item)
        name = str(place[0]) if place else "id"
        number = place[1] if len(place) > 1 and isinstance(place[1], int) else None
        if name == "citations" and number is not None:
            yield f"{now_cited[number].at('依据', str(place[-1]))}：{words}"
        elif name in in_order and number is not None:
            sheet, column = in_order[name]
            listed = (
                parts[sheet] if name == "variants" else sorted(parts[sheet], key=lambda one: one.values["valid_from"])
            )
            inner = str(place[2]) if name == "later" and len(place) > 2 and place[2] != "citations" else column
            yield f"{listed[number].at(sheet, inner)}：{words}"
        else:
            yield f"{row.at('条目', name)}：{words}"
