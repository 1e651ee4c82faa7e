"""Spreadsheets (XLSX) that staff fill in: read into rows of our own, whatever else is on the sheet."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from knowledge.errors import ContentError

_ROWS = 5000
_HEADINGS = {
    "keywords": ("关键词", "关键字", "keyword", "keywords"),
    "text": ("回复内容", "回复", "内容", "text"),
    "link": ("链接", "网址", "url", "link"),
}


@dataclass(frozen=True, slots=True)
class FixedReplyRow:
    """One row of a sheet of fixed replies; `number` is the row's own on the sheet."""

    number: int
    keywords: str
    text: str
    link: str


def read_fixed_reply_rows(path: Path) -> list[FixedReplyRow]:
    """The rows of the first sheet, whose first row names the columns 关键词, 回复内容 and perhaps 链接.

    Empty rows are left out. Raises ContentError where the file is no XLSX, a column is missing, there are no
    rows or more than 5,000.
    """
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, OSError, ValueError) as error:
        raise ContentError(f"{path.name} 不是可以读取的 XLSX 文件：请在表格软件中另存为 .xlsx") from error
    try:
        lines = book.worksheets[0].iter_rows(values_only=True)
        headings = [_text(cell).lower() for cell in next(lines, ())]
        places = {
            name: next((headings.index(one) for one in known if one in headings), None)
            for name, known in _HEADINGS.items()
        }
        if places["keywords"] is None or places["text"] is None:
            raise ContentError(f"{path.name} 第一行要有“关键词”和“回复内容”两列（“链接”可选），现为：{headings}")
        rows = []
        for number, cells in enumerate(lines, 2):
            values = {
                name: _text(cells[place]) if place is not None and place < len(cells) else ""
                for name, place in places.items()
            }
            if any(values.values()):
                rows.append(FixedReplyRow(number, **values))
            if len(rows) > _ROWS:
                raise ContentError(f"{path.name} 超过{_ROWS}行，请分开导入")
    finally:
        book.close()
    if not rows:
        raise ContentError(f"{path.name} 没有内容")
    return rows


def _text(cell: object) -> str:
    """A cell as staff see it: a whole number without its .0 (a keyword 12345 is a number to the sheet)."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()
