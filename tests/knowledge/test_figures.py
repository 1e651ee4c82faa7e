"""年度数据: no value without a day and a source, nothing invented, and answers that follow."""

from datetime import date, timedelta

import pytest

from knowledge import audit, curation, figures, seeding
from knowledge.content import FIGURES
from knowledge.content.entries import read_figures
from knowledge.database import Database
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.figures import Confirmed
from tests.builders import build_entry
from tests.conftest import NOW

TODAY = date(2026, 11, 24)
KEY = "tianjin_minimum_wage_month"
# A made-up value: which one is right, staff look up.
GOOD = Confirmed("1000", "元/月", date(2026, 1, 1), "测试文件〔2026〕1号", TODAY, "可拨12333查询")


@pytest.fixture
def stored(database: Database) -> Database:
    with database.writing() as session:
        for form in read_figures(FIGURES):
            seeding.add_figure(session, form)
        seeding.add_entry(session, build_entry(answer=f"最低工资为{{figure:{KEY}}}。"), NOW)
        curation.publish_content(session, NOW, "test")
    return database


def answer(database: Database) -> str:
    with database.reading() as session:
        return curation.published_text(session, "labor.probation.length", TODAY).answer


def test_what_ships_has_no_value_and_says_whom_to_ask(stored: Database) -> None:
    with stored.reading() as session:
        shipped = figures.everything(session)
        unset, past_due = figures.to_see_to(session, TODAY)

    assert all(one.value is None and "查询" in one.ask for one in shipped)
    assert (unset, past_due) == (len(shipped), 0)
    assert "以最新公布为准（可拨12333查询）" in answer(stored)


def test_a_confirmed_figure_stands_in_the_answer_until_it_is_taken_back(stored: Database) -> None:
    with stored.writing() as session:
        version = curation.content_version(session)
        figures.save(session, KEY, GOOD, today=TODAY, actor="陈", now=NOW)
        assert curation.content_version(session) == version + 1
        assert curation.entries_with_figures(session, TODAY) == {KEY: [("labor.probation.length", "试用期最长多久")]}
    assert "1000元/月（2026年1月起执行）" in answer(stored)

    with stored.writing() as session:
        looked_again = Confirmed("1,000", "元/月", GOOD.effective, GOOD.source, TODAY + timedelta(days=1), GOOD.ask)
        figures.save(session, KEY, looked_again, today=TODAY + timedelta(days=1), actor="陈", now=NOW)
        assert curation.content_version(session) == version + 1, "the answer reads as before"
        figures.save(session, KEY, Confirmed("", "元/月", None, "", None, GOOD.ask), today=TODAY, actor="王", now=NOW)
        taken_back, looked, confirmed = audit.find(session, subject=KEY)
    assert "以最新公布为准" in answer(stored)
    assert [one.actor for one in (taken_back, looked, confirmed)] == ["王", "陈", "陈"]
    assert ("value", None, "1000") in audit.changed(confirmed)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Confirmed("1000", "元/月", None, GOOD.source, TODAY, GOOD.ask), "要填起始日期"),
        (Confirmed("1000", "元/月", TODAY + timedelta(days=1), GOOD.source, TODAY, GOOD.ask), "还没有到"),
        (Confirmed("1000", "元/月", GOOD.effective, " ", TODAY, GOOD.ask), "要填来源"),
        (Confirmed("1000", "元/月", GOOD.effective, "某通知（填写文号）", TODAY, GOOD.ask), "不能保留“填写文号”"),
        (Confirmed("1000", "元/月", GOOD.effective, GOOD.source, None, GOOD.ask), "要填核对日期"),
        (Confirmed("1000", "元/月", GOOD.effective, GOOD.source, TODAY + timedelta(days=1), GOOD.ask), "在今天以后"),
        (Confirmed("约1000", "元/月", GOOD.effective, GOOD.source, TODAY, GOOD.ask), "只填数字"),
        (Confirmed("1000", "", GOOD.effective, GOOD.source, TODAY, GOOD.ask), "单位应为"),
        (Confirmed("", "元/月", None, "", None, " "), "向谁查询"),
    ],
)
def test_a_figure_that_nobody_can_check_is_refused(stored: Database, said: Confirmed, why: str) -> None:
    with pytest.raises(InvalidInput, match=why), stored.writing() as session:
        figures.save(session, KEY, said, today=TODAY, actor="陈", now=NOW)

    with stored.reading() as session:
        assert figures.by_key(session, KEY).value is None


def test_after_a_year_it_is_to_be_looked_at_again(stored: Database) -> None:
    with stored.writing() as session:
        figure = figures.save(session, KEY, GOOD, today=TODAY, actor="陈", now=NOW)
        assert not figures.is_past_due(figure, TODAY + timedelta(days=364))
        assert figures.is_past_due(figure, TODAY + timedelta(days=365))
        assert figures.to_see_to(session, TODAY + timedelta(days=365))[1] == 1
        with pytest.raises(SettingMoved):
            figures.save(session, KEY, GOOD, today=TODAY, actor="王", now=NOW, against="what stood there before")
