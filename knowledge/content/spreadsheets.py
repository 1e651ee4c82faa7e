"""Spreadsheets (XLSX) that staff fill in: read into rows of our own, whatever else is on the sheet."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment
from openpyxl.utils.exceptions import InvalidFileException

from knowledge.errors import ContentError

_ROWS = 5000
_HEADINGS = {
    "id": ("法问编号",),
    "keywords": ("关键词", "关键字", "keyword", "keywords"),
    "text": ("回复内容", "回复", "内容", "text"),
    "link": ("链接", "网址", "url", "link"),
    "active": ("启用", "active"),
}


@dataclass(frozen=True, slots=True)
class FixedReplyRow:
    """One row of a sheet of fixed replies; `number` is the row's own on the sheet.

    Cells as they stand there: `id` is that of the fixed reply the row changes ("": a new one), `active` 是 or 否
    or nothing, which means 是.
    """

    number: int
    keywords: str
    text: str
    link: str = ""
    id: str = ""
    active: str = ""


def write_fixed_reply_rows(rows: Iterable[FixedReplyRow]) -> bytes:
    """An XLSX of the rows, as `read_fixed_reply_rows` takes it in again; every cell is text."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "固定回复"
    sheet.append(["法问编号", "关键词", "回复内容", "链接", "启用"])
    for row in rows:
        sheet.append([row.id, row.keywords, row.text, row.link, row.active])
    for letter, width in zip("ABCDE", (8, 30, 70, 40, 8), strict=True):
        sheet.column_dimensions[letter].width = width
    for cells in sheet.iter_rows():
        for cell in cells:
            # Text whatever it begins with: nothing staff wrote may be run as a formula.
            cell.data_type, cell.number_format = "s", "@"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def read_fixed_reply_rows(file: Path | BinaryIO, name: str = "") -> list[FixedReplyRow]:
    """The rows of the first sheet, whose first row names the columns 关键词, 回复内容, perhaps 法问编号, 链接 and 启用.

    `name` is what the file is called where that is not its path.

    Empty rows are left out. Raises ContentError where the file is no XLSX, a column is missing, there are no
    rows or more than 5,000.
    """
    name = name or (file.name if isinstance(file, Path) else "文件")
    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, OSError, ValueError) as error:
        raise ContentError(f"{name} 不是可以读取的 XLSX 文件：请在表格软件中另存为 .xlsx") from error
    try:
        lines = book.worksheets[0].iter_rows(values_only=True)
        headings = [_text(cell).lower() for cell in next(lines, ())]
        places = {
            field: next((headings.index(one) for one in known if one in headings), None)
            for field, known in _HEADINGS.items()
        }
        if places["keywords"] is None or places["text"] is None:
            raise ContentError(f"{name} 第一行要有“关键词”和“回复内容”两列（“链接”可选），现为：{headings}")
        rows = []
        for number, cells in enumerate(lines, 2):
            values = {
                field: _text(cells[place]) if place is not None and place < len(cells) else ""
                for field, place in places.items()
            }
            if any(values.values()):
                rows.append(FixedReplyRow(number, **values))
            if len(rows) > _ROWS:
                raise ContentError(f"{name} 超过{_ROWS}行，请分开导入")
    finally:
        book.close()
    if not rows:
        raise ContentError(f"{name} 没有内容")
    return rows


def _text(cell: object) -> str:
    """A cell as staff see it: a whole number without its .0 (a keyword 12345 is a number to the sheet)."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()
