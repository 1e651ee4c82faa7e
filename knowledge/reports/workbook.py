"""The figures as an XLSX workbook: numbers are numbers, texts are text, charts are the spreadsheet's own."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter

from knowledge.content.workbook import head_cell, text_cell
from knowledge.reports import wording
from knowledge.reports.counting import Tally
from knowledge.reports.figures import Report
from knowledge.reports.wording import NAMED_FROM_ASKERS, domain_name, domain_rows, figures, matter_rows, message_rows

# Groups of questions without entries that are looked at; those of too few askers are not named.
GAPS_LISTED = 500
_TALLY = ("提问", "直接答复", "请提问人确认", "转人工")
# A share as Excel shows it; it is stored as the exact quotient.
_PERCENT = "0.0%"
_COLOURS = ("1457A8", "E8A33D", "8894A1")  # answered, clarified, unresolved


def write_workbook(report: Report) -> bytes:
    """A report as an XLSX file. No formula is in it, and no asker's words but those that several asked, masked."""
    book = openpyxl.Workbook(write_only=True)
    _summary(book, report)
    _trend(book, report)
    _domains(book, report)
    _topics(book, report)
    _gaps(book, report)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _summary(book: openpyxl.Workbook, report: Report) -> None:
    sheet = _sheet(book, "指标", (26, 12, 12, 12, 12, 44, 90))
    sheet.append([text_cell(sheet, f"法律问答统计  {report.period.words()}")])
    sheet.append([text_cell(sheet, f"统计到{wording.made_words(report)}（北京时间）")])
    sheet.append([])
    _heads(sheet, ("指标", "数值", "单位", "占比", "分母", "分母是什么", "怎样计算"))
    for one in figures(report):
        _row(sheet, (one.name, one.value, one.unit, _Share(one.quotient), one.of, one.basis, one.definition))
    sheet.append([])
    _heads(sheet, ("来信构成", "件"))
    for row in message_rows(report):
        _row(sheet, row)
    sheet.append([])
    _heads(sheet, ("提问单现状", "件"))
    for row in matter_rows(report):
        _row(sheet, row)


def _trend(book: openpyxl.Workbook, report: Report) -> None:
    sheet = _sheet(book, "趋势", (14, 14, 10, 10, 14, 10, 12))
    _heads(sheet, ("起", "止", *_TALLY, "直接答复率"))
    for part in report.parts:
        period = part.stretch.period
        _row(sheet, (period.first.isoformat(), period.last.isoformat(), *_counts(part.tally), _rate(part.tally)))
    chart = _chart(sheet, f"每{report.period.stretch_name()}的提问", len(report.parts), first_column=4, labels=1)
    chart.width, chart.height = 28, 11
    sheet.add_chart(chart, "I2")


def _domains(book: openpyxl.Workbook, report: Report) -> None:
    sheet = _sheet(book, "领域", (16, 10, 10, 14, 10, 12, 14))
    _heads(sheet, ("领域", *_TALLY, "直接答复率", "没有条目的问题（件）"))
    rows = domain_rows(report)
    lacking = {domain_name(domain): 0 for domain in report.gaps.by_domain}
    for domain, number in report.gaps.by_domain.items():
        lacking[domain_name(domain)] += number
    names = [name for name, _ in rows]
    rows += [(name, Tally()) for name in lacking if name not in names]
    for name, tally in rows:
        _row(sheet, (name, *_counts(tally), _rate(tally), lacking.get(name, 0)))
    sheet.append([])
    sheet.append([text_cell(sheet, wording.DOMAINS_IS)])
    sheet.add_chart(_chart(sheet, "各领域的提问", len(rows), first_column=3, labels=1), "I2")


def _topics(book: openpyxl.Workbook, report: Report) -> None:
    sheet = _sheet(book, "主题和条目", (14, 26, 10, 10, 12))
    before = "上期" if report.is_compared else "上期（记录不全）"
    _heads(sheet, ("领域", "问得最多的主题", "本期", before))
    for topic in report.topics:
        _row(sheet, (domain_name(topic.domain), topic.topic, topic.count, topic.before))
    sheet.append([text_cell(sheet, wording.TOPICS_IS)])
    sheet.append([])
    _heads(sheet, ("领域", "上升的主题", "本期", before))
    for topic in report.rising:
        _row(sheet, (domain_name(topic.domain), topic.topic, topic.count, topic.before))
    sheet.append([text_cell(sheet, wording.RISING_IS)])
    sheet.append([])
    _heads(sheet, ("领域", "答复最多的条目", "本期", before, "编号"))
    for entry in report.entries:
        _row(sheet, (domain_name(entry.domain), entry.title, entry.count, entry.before, entry.entry_id))
    if report.topics:
        chart = BarChart()
        chart.type, chart.title, chart.legend, chart.gapWidth = "bar", "问得最多的主题", None, 60
        chart.add_data(Reference(sheet, min_col=3, min_row=1, max_row=len(report.topics) + 1), titles_from_data=True)
        chart.set_categories(Reference(sheet, min_col=2, min_row=2, max_row=len(report.topics) + 1))
        chart.series[0].graphicalProperties.solidFill = _COLOURS[0]
        # The first of the list stands at the top.
        chart.x_axis.scaling.orientation = "maxMin"
        _show_axes(chart)
        chart.width, chart.height = 18, 11
        sheet.add_chart(chart, "G2")


def _gaps(book: openpyxl.Workbook, report: Report) -> None:
    sheet = _sheet(book, "没有条目的问题", (70, 14, 10, 10, 16))
    gaps = report.gaps
    named = [gap for gap in gaps.most_asked if gap.askers >= NAMED_FROM_ASKERS and gap.title]
    _heads(sheet, ("问题（已去掉个人信息）", "领域", "件", "人", "现状"))
    for gap in named:
        state = "正在起草条目" if gap.has_draft else ("还有待办的" if gap.is_open else "都已答复")
        _row(sheet, (gap.title, domain_name(gap.domain), gap.count, gap.askers, state))
    groups, inquiries = gaps.groups - len(named), gaps.inquiries - sum(gap.count for gap in named)
    if groups:
        _row(sheet, (f"其余{groups}组：不足{NAMED_FROM_ASKERS}人问或已清除的，不列文字", "", inquiries, None, ""))
    sheet.append([])
    sheet.append([text_cell(sheet, wording.GAPS_IS)])


@dataclass(frozen=True, slots=True)
class _Share:
    """A quotient that is shown as a percentage; None shows nothing."""

    value: float | None


_Value = str | float | _Share | None


def _sheet(book: openpyxl.Workbook, name: str, widths: Sequence[int]) -> Any:
    # Any: openpyxl's write-only sheets have no types in its stubs.
    sheet: Any = book.create_sheet(name)
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    return sheet


def _heads(sheet: Any, names: Iterable[str]) -> None:
    sheet.append([head_cell(sheet, name) for name in names])


def _row(sheet: Any, values: Iterable[_Value]) -> None:
    sheet.append([_cell(sheet, value) for value in values])


def _cell(sheet: Any, value: _Value) -> Any:
    if isinstance(value, str):
        return text_cell(sheet, value)
    if isinstance(value, _Share):
        cell = WriteOnlyCell(sheet, value.value)
        cell.number_format = _PERCENT
    else:
        cell = WriteOnlyCell(sheet, value)
    cell.alignment = Alignment(vertical="top")
    return cell


def _counts(tally: Tally) -> tuple[int, int, int, int]:
    return tally.questions, tally.answered, tally.clarified, tally.unresolved


def _rate(tally: Tally) -> _Share:
    return _Share(tally.answered / tally.questions if tally.questions else None)


def _chart(sheet: Any, title: str, rows: int, *, first_column: int, labels: int) -> BarChart:
    """Three columns, answered, clarified and unresolved, stacked over the rows below a heading in row 1."""
    chart = BarChart()
    chart.grouping, chart.overlap, chart.gapWidth, chart.title = "stacked", 100, 40, title
    for number, colour in enumerate(_COLOURS):
        chart.add_data(
            Reference(sheet, min_col=first_column + number, min_row=1, max_row=rows + 1), titles_from_data=True
        )
        chart.series[number].graphicalProperties.solidFill = colour
    chart.set_categories(Reference(sheet, min_col=labels, min_row=2, max_row=rows + 1))
    chart.legend.position = "b"
    _show_axes(chart)
    return chart


def _show_axes(chart: BarChart) -> None:
    # Left alone, openpyxl 3.1 writes axes that Excel takes for deleted.
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = "0"
