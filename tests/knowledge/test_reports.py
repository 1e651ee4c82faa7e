"""Figures of a small log, counted by hand, on both kinds of store; the same in the workbook and the Word report."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from sqlmodel import select

from knowledge import erasure, overview, seeding
from knowledge.database import Database
from knowledge.errors import InvalidInput
from knowledge.models import Asker
from knowledge.reports import figures, narrative, periods, wording
from knowledge.reports.counting import Messages, Tally
from knowledge.reports.document import TITLE, write_document
from knowledge.reports.figures import AskedTopic, Report
from knowledge.reports.matters import Gaps, Matters, Ratings
from knowledge.reports.periods import Period
from knowledge.reports.workbook import write_workbook
from tests.builders import cast_entries
from tests.conftest import NOW
from tests.question_log import NOVEMBER, Log, keep_log, noon


@pytest.fixture
def report(database: Database) -> Report:
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        keep_log(session)
    with database.reading() as session:
        return figures.make(session, NOVEMBER, NOW)


def test_questions_are_what_counts_and_nothing_else(report: Report) -> None:
    assert report.messages == Messages(questions=7, repeats=1, additions=1, taps=1, commands=1, fixed=1, media=1)
    assert report.messages.all == 13
    assert report.tally == Tally(answered=4, clarified=1, unresolved=2)
    assert report.askers == 3
    assert report.given == 6  # four questions, the repeat and the tap
    assert report.domains == {
        "labor": Tally(3, 1, 0),
        "company": Tally(1, 0, 0),
        "business": Tally(0, 0, 1),
        None: Tally(0, 0, 1),
    }
    assert report.before == Tally(2, 0, 0)
    assert not report.is_compared, "the log does not reach back over 24 days before November"


def test_days_are_those_of_shanghai(report: Report) -> None:
    asked = {part.stretch.label: part.tally for part in report.parts if part.tally.questions}

    assert len(report.parts) == 24
    assert asked == {
        "11-01": Tally(1, 0, 0),
        "11-02": Tally(2, 1, 0),
        "11-03": Tally(0, 0, 1),
        "11-04": Tally(0, 0, 1),
        "11-24": Tally(1, 0, 0),
    }


def test_matters_are_counted_where_they_began_and_timed_to_the_first_answer(report: Report) -> None:
    # 3 h and 0 days, 72 h and 1 day, 8 h and 0 days, half an hour and 0 days.
    assert report.matters == Matters(
        opened=7,
        replied=4,
        answered=2,
        referred=1,
        declined=0,
        waiting=3,
        again=1,
        merged=1,
        median_hours=5.5,
        median_days=0,
    )
    assert report.entry_ratings == Ratings(helpful=2, unhelpful=1)
    assert report.reply_ratings == Ratings(helpful=1, unhelpful=1)


def test_gaps_are_grouped_freed_of_personal_details_and_none_that_an_entry_answers(report: Report) -> None:
    gaps = report.gaps

    assert (gaps.groups, gaps.inquiries, gaps.by_domain) == (2, 4, {"business": 3, "labor": 1})
    first, second = gaps.most_asked
    assert (first.count, first.askers, first.is_open, first.has_draft) == (3, 3, True, False)
    assert "鹅归谁管" in first.title
    for personal in ("张小明", "泰达科技", "13800138000"):
        assert personal not in first.title
    assert second.title == ""


def test_gaps_are_counted_also_where_none_is_listed(database: Database, report: Report) -> None:
    with database.reading() as session:
        none_listed = figures.make(session, NOVEMBER, NOW, gaps_listed=0).gaps
        nothing_asked = figures.make(session, Period(date(2025, 1, 1), date(2025, 1, 31)), NOW, gaps_listed=0).gaps

    assert none_listed == replace(report.gaps, most_asked=())
    assert nothing_asked == Gaps(groups=0, inquiries=0, by_domain={}, most_asked=())


def test_who_only_tapped_or_repeated_or_asked_at_another_time_is_no_asker_of_the_period(database: Database) -> None:
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        log = Log(session)
        entry = cast_entries()[0].id
        log.message(log.asker("张"), noon(2), kind="tap")
        log.answered(log.asker("李"), noon(31, 10), entry)
        zhao = log.asker("赵")
        log.answered(zhao, noon(3), entry)
        log.answered(zhao, noon(9), entry)
    with database.reading() as session:
        assert figures.make(session, NOVEMBER, NOW).askers == 1


def test_today_and_the_report_count_alike(database: Database, report: Report) -> None:
    with database.reading() as session:
        days = overview.days(session, NOW, 24)
        asked = overview.asked_lately(session, NOW, 10)

    assert sum((day.tally for day in days), Tally()) == report.tally
    assert [message.kind for message, _ in asked] == ["question", "new_matter"]


def test_erasing_a_person_changes_no_figure(database: Database, report: Report) -> None:
    with database.writing() as session:
        for asker in session.exec(select(Asker)).all():
            erasure.erase(session, asker)
    with database.reading() as session:
        after = figures.make(session, NOVEMBER, NOW)

    assert replace(after, gaps=report.gaps) == report
    assert {gap.title for gap in after.gaps.most_asked} == {""}


def test_what_is_asked_a_little_more_is_no_rise(database: Database) -> None:
    """Before: 1, 2, 20, 0. Now: 2, 10, 24, 4: the second alone rises."""
    counts = {"试用期": (1, 2), "工资支付": (2, 10), "注册资本": (20, 24), "行政处罚": (0, 4)}
    entries = {form.topic: form.id for form in cast_entries()}
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        log = Log(session)
        zhang = log.asker("张")
        log.message(zhang, noon(1, 9), kind="command")  # the log reaches back far enough
        for topic, (before, now) in counts.items():
            for _ in range(before):
                log.answered(zhang, noon(20, 10), entries[topic])
            for _ in range(now):
                log.answered(zhang, 20, entries[topic])
    with database.reading() as session:
        report = figures.make(session, NOVEMBER, NOW)

    assert report.is_compared
    assert [(one.topic, one.before, one.count) for one in report.rising] == [("工资支付", 2, 10)]
    assert [one.topic for one in report.topics] == ["注册资本", "工资支付", "行政处罚", "试用期"]
    assert report.topics_count == 4
    assert (report.entries[0].title, report.entries[0].count, report.entries[0].before) == (
        "五年内缴足注册资本",
        24,
        20,
    )
    assert "明显上升的主题有工资支付（2问升至10问）。" in narrative.topics(report)[1]
    assert "的23问相比，提问增加17问，增长73.9%。" in narrative.overall(report)[2]


@pytest.mark.parametrize(
    ("before", "now", "rises"), [(1, 2, False), (0, 4, False), (0, 5, True), (5, 10, False), (2, 10, True)]
)
def test_a_rise_needs_a_number_and_more_than_chance(before: int, now: int, rises: bool) -> None:
    assert AskedTopic("labor", "试用期", now, before).rises is rises


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("week", "2026-11-23", "2026-11-24"),
        ("month", "2026-11-01", "2026-11-24"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("quarter", "2026-10-01", "2026-11-24"),
        ("year", "2026-01-01", "2026-11-24"),
        ("last_year", "2025-01-01", "2025-12-31"),
    ],
)
def test_periods_by_name(name: str, first: str, last: str) -> None:
    period = periods.preset(name, date(2026, 11, 24))

    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)
    stretches = [one.period for one in period.stretches()]
    assert stretches[0].first == period.first
    assert stretches[-1].last == period.last
    assert sum(one.days for one in stretches) == period.days
    assert period.before.last == period.first - timedelta(days=1)
    assert period.before.days == period.days
    assert {len(one.name) for one in period.stretches()} <= {7, 10, 16}
    assert [periods.preset(name, date(2027, 1, 1)).days for name in ("month", "quarter", "year")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("2026-11-02", "2026-11-01", "晚于结束日期"),
        ("2026-11-01", "2026-11-25", "还没有到"),
        ("", "2026-11-01", "请填写开始日期"),
        ("2026-11-01", "", "请填写结束日期"),
        ("2026-02-30", "2026-11-01", "“2026-02-30”不是日期"),
        ("昨天", "2026-11-01", "不是日期"),
        ("0001-01-01", "2026-11-01", "最早可填2000-01-01"),
        ("2020-01-01", "2026-11-01", "最多统计五年"),
    ],
)
def test_an_impossible_period_is_refused_saying_what_to_do(first: str, last: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        periods.between(first, last, date(2026, 11, 24))
    with pytest.raises(InvalidInput, match="没有“decade”这个时段"):
        periods.preset("decade", date(2026, 11, 24))


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [(0, 0, ""), (0, 3, "0.0%"), (1, 3, "33.3%"), (1, 16, "6.3%"), (3, 3, "100.0%")]
)
def test_shares_are_rounded_half_up(part: int, whole: int, shown: str) -> None:
    assert wording.share(part, whole) == shown


@pytest.mark.parametrize(
    ("hours", "shown"), [(None, "没有数据"), (0.001, "不到1分钟"), (0.5, "30分钟"), (5.5, "5.5小时"), (72, "3.0天")]
)
def test_times_are_told_in_fitting_units(hours: float | None, shown: str) -> None:
    assert wording.hours_words(hours) == shown


def cells(content: bytes) -> dict[str, list[list[Any]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}


def test_the_workbook_holds_the_figures_as_numbers_its_texts_as_text_and_native_charts(report: Report) -> None:
    entry = replace(report.gaps.most_asked[0], title="=1+1")
    nasty = replace(report, gaps=replace(report.gaps, most_asked=(entry, *report.gaps.most_asked[1:])))
    content = write_workbook(nasty)
    book, sheets = openpyxl.load_workbook(io.BytesIO(content)), cells(content)

    by_name = {row[0]: row for row in sheets["指标"] if row[2]}
    assert by_name["来信"][1:3] == [13, "件"]
    assert by_name["提问"][1:5] == [7, "问", pytest.approx(7 / 13), 13]
    assert by_name["直接答复"][1:5] == [4, "问", pytest.approx(4 / 7), 7]
    assert by_name["首次答复用时"][1:5] == [5.5, "小时", None, 4]
    assert by_name["条目答复有用率"][1:5] == [2, "次", pytest.approx(2 / 3), 3]
    assert all(by_name[one.name][6] == one.definition for one in wording.figures(report))
    assert sheets["趋势"][2] == ["2026-11-02", "2026-11-02", 3, 2, 1, 0, pytest.approx(2 / 3)]
    assert sum(row[2] for row in sheets["趋势"][1:]) == 7
    assert sheets["领域"][1] == ["劳动用工", 4, 3, 1, 0, 0.75, 1]
    assert [row[1:3] for row in sheets["主题和条目"][1:4]] == [["工资支付", 2], ["注册资本", 1], ["试用期", 1]]
    assert sheets["没有条目的问题"][1] == ["=1+1", "营商环境", 3, 3, "还有待办的"]
    assert sheets["没有条目的问题"][2][:3] == ["其余1组：不足3人问或已清除的，不列文字", None, 1]
    kinds = {cell.data_type for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value}
    assert kinds == {"s", "n"}, "nothing is a formula"
    assert [len(sheet._charts) for sheet in book.worksheets] == [0, 1, 1, 1, 0]  # type: ignore[attr-defined] # openpyxl names them so


def test_what_few_askers_asked_is_only_counted_in_an_export(report: Report) -> None:
    few = replace(report.gaps.most_asked[0], askers=2)
    content = write_workbook(replace(report, gaps=replace(report.gaps, most_asked=(few,))))

    assert "鹅" not in str(cells(content)["没有条目的问题"])


def test_the_word_report_states_the_figures_in_chinese_fonts(report: Report) -> None:
    content = write_document(report)
    document = docx.Document(io.BytesIO(content))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables]

    assert text.startswith(f"{TITLE}\n（2026年11月1日至2026年11月24日）")
    for sentence in (
        "（时段尚未结束，统计到2026-11-24 10:00），共收到来信13件，其中提问7问（占53.8%），由3人提出。",
        "直接答复4问，占57.1%；请提问人确认1问，占14.3%；转人工2问，占28.6%。",
        "（2026年10月8日至2026年10月31日）记录不全，不作比较。",
        "按领域分，劳动用工4问，占57.1%；公司事务1问，占14.3%；营商环境1问，占14.3%；未归类1问，占14.3%。",
        "直接答复的提问涉及3个主题，问得最多的是工资支付（2问）、注册资本（1问）、试用期（1问）。",
        "期内开出提问单7件。统计时，已答复2件、已转有关部门1件、答复后再次办理1件、尚未答复3件。",
        "工作人员已经回复4件，占57.1%；首次答复用时的中位数为5.5小时，按工作日计为0个工作日（当天）。",
        "期内的条目答复有3次得到评价，其中2次说“有用”，有用率66.7%。",
        "期内有2组问题（4件提问单）还没有可以直接答复的条目：营商环境3件、劳动用工1件。",
    ):
        assert sentence in text, sentence
    assert tables[0][4] == ["直接答复", "4问", "57.1%", "占提问7问"]
    assert [row[:4] for row in tables[2][1:]] == [
        ["劳动用工", "4", "3", "75.0%"],
        ["公司事务", "1", "1", "100.0%"],
        ["营商环境", "1", "0", "0.0%"],
        ["未归类", "1", "0", "0.0%"],
    ]
    assert [len(row[4]) for row in tables[2][1:]] == [56, 14, 14, 14], "bars in proportion"
    assert all(row._tr.xpath("w:trPr/w:cantSplit") for table in document.tables for row in table.rows)
    everything = text + str(tables)
    for of_an_asker in ("鹅", "张小明", "13800138000", "离婚"):
        assert of_an_asker not in everything
    in_cells = [paragraph for table in document.tables for cell in table._cells for paragraph in cell.paragraphs]
    styles = {one.style.name: east_asian_font(one.style) for one in [*document.paragraphs, *in_cells] if one.style}
    assert styles == {
        "报告题目": "黑体",
        "报告时段": "仿宋",
        "报告正文": "仿宋",
        "报告说明": "仿宋",
        "报告表题": "黑体",
        "报告表格": "仿宋",
        "Heading 1": "黑体",
    }
    assert "w:rFonts" not in document.element.xml, "what a run says of its fonts would win over its style"


def east_asian_font(style: Any) -> str:  # Any: a style's type tells neither its parts nor what it is based on
    own = style.element.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
    return east_asian_font(style.base_style) if own is None else str(own.get(qn("w:eastAsia")))


def test_a_period_without_anything_says_so_everywhere(database: Database) -> None:
    with database.reading() as session:
        empty = figures.make(session, Period(date(2025, 1, 1), date(2025, 12, 31)), NOW)
    document = docx.Document(io.BytesIO(write_document(empty)))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)

    assert "2025年1月1日至2025年12月31日，没有收到来信，以下各项没有数据。" in text
    for sentence in ("没有开出提问单", "没有收到评价，无法计算有用率", "没有发现缺少条目", "无法列出主题"):
        assert sentence in text, sentence
    assert "%" not in text
    shown = {one.key: (one.shown, one.share) for one in wording.figures(empty)}
    assert shown["answered"] == ("0问", "没有数据")
    assert shown["helpful"] == ("没有数据", "")
    assert shown["median_hours"] == ("没有数据", "")
    by_name = {row[0]: row for row in cells(write_workbook(empty))["指标"] if row[2]}
    assert by_name["直接答复"][1:5] == [0, "问", None, 0]
    assert by_name["首次答复用时"][1] is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: replace(r, is_compared=True, before=Tally(7)), "的7问持平。"),
        (lambda r: replace(r, is_compared=True, before=Tally(10)), "的10问相比，提问减少3问，下降30.0%。"),
        (lambda r: replace(r, is_compared=True, before=Tally()), "没有提问。"),
        (lambda r: replace(r, tally=Tally()), "其中没有需要解答的提问。"),
        (lambda r: replace(r, made_at=NOW + timedelta(days=1)), "2026年11月24日，共收到来信"),
    ],
)
def test_sentences_fit_the_case(report: Report, change: Callable[[Report], Report], says: str) -> None:
    assert says in "".join(narrative.overall(change(report)))
