"""The figures as a Word report in Chinese, for the yearly report on building a government under the rule of law.

Laid out as official documents are (GB/T 9704-2012: A4, 仿宋 of 三号 for the text, 黑体 for headings). Fonts are named,
not embedded: Word and WPS have them. Bars are shaded text, since Word takes no SVG and a server has no Chinese font
for pictures. No asker's words are in it.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from knowledge.reports import narrative, wording
from knowledge.reports.counting import Tally
from knowledge.reports.figures import AskedTopic, Report
from knowledge.reports.wording import domain_name, domain_rows, figures, share

TITLE = "法律问答服务情况统计报告"
_TEXT, _HEADING, _LATIN = "仿宋", "黑体", "Times New Roman"
_BODY_PT, _TABLE_PT, _TITLE_PT, _NOTE_PT = 16, 10.5, 22, 12  # 三号, 五号, 二号, 小四
# Everything takes its look from a named style: whoever edits the report changes one, and giving each run its own
# fonts took half of the time that the report took.
_TITLE, _SUBTITLE, _BODY, _NOTE, _CAPTION, _CELL = "Title0", "Subtitle0", "Body0", "Note0", "Caption0", "Cell0"
_SECTION = "Heading1"  # the template's own, which a table of contents is made of
_STYLE_NAMES = {
    _TITLE: "报告题目",
    _SUBTITLE: "报告时段",
    _BODY: "报告正文",
    _NOTE: "报告说明",
    _CAPTION: "报告表题",
    _CELL: "报告表格",
}
_HEAD_FILL, _ANSWERED_FILL, _OTHER_FILL = "E8EEF4", "1457A8", "C9D4E0"
# Dots of the longest bar, 52 mm, in the bar's own colour. Not blanks: LibreOffice draws no shading in a cell that holds
# nothing else, and Word gives blanks the width of either font; a dot always takes the Latin one.
_BAR, _DOT = 56, "."


def write_document(report: Report) -> bytes:
    """A report as a DOCX file."""
    document = docx.Document()
    _lay_out(document, report)
    _paragraph(document, TITLE, _TITLE)
    _paragraph(document, f"（{report.period.words()}）", _SUBTITLE)
    _overall(document, report)
    _domains(document, report)
    _topics(document, report)
    _section(document, "四、人工答复", narrative.staff(report))
    _section(document, "五、提问人的评价", narrative.ratings(report))
    _section(document, "六、知识库的不足", narrative.gaps(report))
    _explanations(document, report)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _overall(document: Document, report: Report) -> None:
    _section(document, "一、总体情况", narrative.overall(report))
    rows = [(one.name, one.shown, one.share or "—", one.basis or "—") for one in figures(report)]
    _caption(document, "表1　主要指标")
    _table(document, ("指标", "数值", "占比", "分母"), rows, (44, 32, 22, 58))
    if not report.tally.questions:
        return
    highest = max(part.tally.questions for part in report.parts)
    _caption(document, f"表2　每{report.period.stretch_name()}的提问（深色为直接答复）")
    cells = _table(
        document,
        ("起始日", "提问", "直接答复", "直接答复率", ""),
        [(part.stretch.period.first.isoformat(), *_answered(part.tally), "") for part in report.parts],
        (28, 18, 22, 24, 64),
    )
    for row, part in zip(cells, report.parts, strict=True):
        _bar(row[-1], part.tally.answered, part.tally.questions, highest)


def _domains(document: Document, report: Report) -> None:
    _section(document, "二、各领域情况", narrative.domains(report))
    if not report.tally.questions:
        return
    rows = domain_rows(report)
    highest = max(tally.questions for _, tally in rows)
    _caption(document, "表3　各领域的提问（深色为直接答复）")
    cells = _table(
        document,
        ("领域", "提问", "直接答复", "直接答复率", ""),
        [(name, *_answered(tally), "") for name, tally in rows],
        (28, 18, 22, 24, 64),
    )
    for row, (_, tally) in zip(cells, rows, strict=True):
        _bar(row[-1], tally.answered, tally.questions, highest)


def _topics(document: Document, report: Report) -> None:
    _section(document, "三、关注较多的主题", narrative.topics(report))
    if report.topics:
        _caption(document, "表4　问得最多的主题")
        _topic_table(document, report.topics, is_compared=report.is_compared)
    if report.rising:
        _caption(document, "表5　明显上升的主题")
        _topic_table(document, report.rising, is_compared=True)


def _topic_table(document: Document, topics: Sequence[AskedTopic], *, is_compared: bool) -> None:
    cells = _table(
        document,
        ("领域", "主题", "本期", "上期", ""),
        [
            (domain_name(one.domain), one.topic, f"{one.count:,}", f"{one.before:,}" if is_compared else "—", "")
            for one in topics
        ],
        (26, 40, 16, 16, 58),
    )
    highest = max(one.count for one in topics)
    for row, one in zip(cells, topics, strict=True):
        _bar(row[-1], one.count, one.count, highest)


def _explanations(document: Document, report: Report) -> None:
    _section(document, "附：指标说明", ())
    for one in figures(report):
        _paragraph(document, f"{one.name}：{one.definition}。", _NOTE)
    for name, words in (
        ("各领域", wording.DOMAINS_IS),
        ("主题", wording.TOPICS_IS),
        ("上升的主题", wording.RISING_IS),
    ):
        _paragraph(document, f"{name}：{words}。", _NOTE)
    _paragraph(
        document,
        f"以上数字由法问系统按问答记录汇总，统计到{wording.made_words(report)}，日期按北京时间。"
        "本报告不含提问人的任何个人信息和提问原文。",
        _NOTE,
    )


def _section(document: Document, heading: str, paragraphs: Iterable[str]) -> None:
    _paragraph(document, heading, _SECTION)
    for text in paragraphs:
        _paragraph(document, text)


def _paragraph(document: Document, text: str, style: str = _BODY) -> None:
    # By the style's id: by its name or as an object, each paragraph looks through all styles.
    document.add_paragraph(text)._p.style = style


def _caption(document: Document, text: str) -> None:
    _paragraph(document, text, _CAPTION)


def _table(
    document: Document, heads: Sequence[str], rows: Sequence[Sequence[str]], widths_mm: Sequence[float]
) -> list[tuple[_Cell, ...]]:
    """A table whose heading is shaded and comes again on each page; gives the cells below the heading."""
    table = document.add_table(rows=1 + len(rows), cols=len(heads))
    table.style = "Table Grid"
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)
    # Once for all: each look at `row.cells` walks the row anew.
    lines = [row.cells for row in table.rows]
    for line, texts in zip(lines, (heads, *rows), strict=True):
        for cell, text, width in zip(line, texts, widths_mm, strict=True):
            cell.width = Mm(width)
            paragraph = cell.paragraphs[0]
            paragraph._p.style = _CELL
            paragraph.add_run(text)
    for cell in lines[0]:
        _shade(cell._tc.get_or_add_tcPr(), _HEAD_FILL)
        cell.paragraphs[0].runs[0].bold = True
    for row in table.rows:
        # A row goes to the next page whole: half a cell there says nothing.
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    return lines[1:]


def _bar(cell: _Cell, dark: int, whole: int, highest: int) -> None:
    """Shaded dots: `dark` of `whole` in the dark colour, the longest bar of a table for `highest`."""
    length = max(1, round(_BAR * whole / highest)) if whole else 0
    filled = round(length * dark / whole) if whole else 0
    paragraph = cell.paragraphs[0]
    for count, colour in ((filled, _ANSWERED_FILL), (length - filled, _OTHER_FILL)):
        if count:
            run = paragraph.add_run(_DOT * count)
            run.font.color.rgb = RGBColor.from_string(colour)
            _shade(run._r.get_or_add_rPr(), colour)


def _shade(properties: Any, colour: str) -> None:
    # Any: python-docx's XML elements have no common type for what holds a shading.
    shading = OxmlElement("w:shd")
    shading.set(qn("w:val"), "clear")
    shading.set(qn("w:color"), "auto")
    shading.set(qn("w:fill"), colour)
    properties.append(shading)


def _answered(tally: Tally) -> tuple[str, str, str]:
    return f"{tally.questions:,}", f"{tally.answered:,}", share(tally.answered, tally.questions) or "—"


def _lay_out(document: Document, report: Report) -> None:
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.top_margin, page.bottom_margin, page.left_margin, page.right_margin = Mm(37), Mm(35), Mm(28), Mm(26)
    _fonts(document.styles["Normal"], _TEXT, _BODY_PT)
    _fonts(document.styles["Heading 1"], _HEADING, _BODY_PT)
    styles = {style: _add_style(document, style) for style in _STYLE_NAMES}
    for style, font, size in ((_TITLE, _HEADING, _TITLE_PT), (_CAPTION, _HEADING, _NOTE_PT), (_CELL, _TEXT, _TABLE_PT)):
        _fonts(styles[style], font, size)
    for style, size in ((_BODY, _BODY_PT), (_NOTE, _NOTE_PT)):
        _fonts(styles[style], _TEXT, size)
        styles[style].paragraph_format.first_line_indent = Pt(2 * size)
    for style in (_TITLE, _SUBTITLE):
        styles[style].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    styles[_CAPTION].paragraph_format.keep_with_next = True
    styles[_CAPTION].paragraph_format.space_before = Pt(8)
    styles[_CELL].paragraph_format.line_spacing = 1.2
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "zh-CN")
    language.set(qn("w:eastAsia"), "zh-CN")
    document.styles["Normal"].element.get_or_add_rPr().append(language)
    _number_pages(page.footer.paragraphs[0])
    made = report.made_at.astimezone(UTC).replace(tzinfo=None)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = TITLE, "法问", ""
    properties.created = properties.modified = made
    properties.language = "zh-CN"


def _add_style(document: Document, name: str) -> Any:  # Any: a style's type tells neither font nor paragraph format
    style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)  # its name becomes its id
    style.name = _STYLE_NAMES[name]
    style.base_style = document.styles["Normal"]
    return style


def _fonts(style: Any, east_asian: str, size: float) -> None:
    """Chinese characters take the East Asian font, which python-docx does not set by itself."""
    style.font.name, style.font.size, style.font.color.rgb = _LATIN, Pt(size), RGBColor(0, 0, 0)
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.line_spacing = Pt(28)
    fonts = style.element.rPr.rFonts
    for attribute in [key for key in fonts.attrib if key.endswith("Theme")]:
        del fonts.attrib[attribute]  # the template's theme would win over the font named
    fonts.set(qn("w:eastAsia"), east_asian)


def _number_pages(paragraph: Paragraph) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    run = paragraph.add_run("1")
    field.append(run._r)
    paragraph._p.append(field)
