"""同义词, 对立事实, 关键事实 and 年度数据 over HTTP, and what the matcher and the answers make of them."""

import re
from datetime import timedelta

import httpx
import pytest

from admin.pages.matching import Editable, Typed, lines_of, row_of
from knowledge import matching_data
from knowledge.content.matching import read_rows
from knowledge.database import Database
from knowledge.models import Figure, Role
from knowledge.working_days import local_day, now_utc
from tests.admin.test_operations_pages import post
from tests.admin.test_pages import sign_in
from tests.admin.test_settings_pages import browser
from tests.conftest import Served, add_staff

__all__ = ["browser"]


def form_of(page: httpx.Response) -> dict[str, str]:
    """What the form of a row holds."""
    found = re.search(
        r'name="against" value="([^"]*)".*?name="name" value="([^"]*)".*?<textarea[^>]*>(.*?)</textarea>',
        page.text,
        re.DOTALL,
    )
    assert found, page.text[-800:]
    return {"against": found[1], "name": found[2], "lines": found[3]}


def opened(browser: httpx.Client, kind: str, query: str) -> tuple[str, dict[str, str]]:
    """The path and the form of the first row that is found."""
    listed = browser.get(f"/admin/settings/matching/{kind}", params={"q": query})
    found = re.search(rf'href="/admin/settings(/matching/{kind}/\d+)"', listed.text)
    assert found, listed.text[-800:]
    return found[1], form_of(browser.get(f"/admin/settings{found[1]}"))


def test_a_curator_adds_a_synonym_and_a_trial_shows_it(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database, "李")
    sign_in(browser, "李")
    path, form = opened(browser, "lexicon", "炒鱿鱼")
    assert form["name"] == "解除"
    taken = post(browser, path, **{**form, "lines": form["lines"] + "\n辞职"})
    assert (taken.status_code, "“辞职”已在概念“辞职”里" in taken.text) == (422, True)

    saved = post(browser, path, **{**form, "lines": form["lines"] + "\n卷铺盖"})
    served.matcher.refresh(local_day(now_utc()))

    assert "已保存并发布" in saved.text
    assert "认出的概念：解除" in browser.get("/admin/trial?q=卷铺盖").text
    assert post(browser, path, **form).status_code == 409, "李 saved since"
    assert post(browser, "/matching/outside", name="x", lines="y").status_code == 422


def test_opposite_facts_and_facts_to_ask_are_edited_by_lines(served: Served, browser: httpx.Client) -> None:
    path, form = opened(browser, "axes", "没签合同")
    assert "没有冒号" in post(browser, path, **{**form, "lines": "已签、签了"}).text
    assert "已保存" in post(browser, path, **{**form, "lines": form["lines"] + "\n不明：不知道签没签"}).text
    path, form = opened(browser, "axes", "不知道签没签")
    assert "不明：不知道签没签" in form["lines"]

    asked = {"name": "您问时间还是工资", "lines": "时间：试用期最长多久\n工资：labor.probation.wage"}
    unknown = post(browser, "/matching/facts", **{**asked, "lines": "时间：没有这个\n工资：试用期工资最低多少"})
    assert (unknown.status_code, "没有已发布的条目“没有这个”" in unknown.text) == (422, True)
    assert "已保存" in post(browser, "/matching/facts", **asked).text
    path, form = opened(browser, "facts", "您问时间还是工资")
    assert form["lines"] == "时间：试用期最长多久\n工资：试用期工资最低多少", "entries are shown by title"
    assert "已保存" in post(browser, f"{path}/removal", against=form["against"]).text
    with served.database.reading() as session:
        assert not [one for one in matching_data.rows(session, Editable.FACTS.stored) if one["ask"] == asked["name"]]


def test_phrases_that_two_concepts_hold_are_shown(browser: httpx.Client) -> None:
    assert "“求助”也在“怎么办”里，只按“怎么办”认" in browser.get("/admin/settings/matching/lexicon?q=口语求助").text


@pytest.mark.parametrize("kind", Editable)
def test_every_shipped_row_comes_back_from_its_form_as_it_was(sqlite: Database, kind: Editable) -> None:
    """Nothing is lost or cut in two where a curator opens a row and saves it again."""
    with sqlite.reading() as session:
        for row in read_rows(kind.stored):
            form = Typed(matching_data.name_of(kind.stored, row), "\n".join(lines_of(kind, row, {})))
            assert row_of(session, kind, form) == row


def test_a_figure_is_confirmed_and_after_a_year_flagged_on_the_first_page(
    served: Served, browser: httpx.Client
) -> None:
    assert "没有核实的年度数据9项" in browser.get("/admin/").text
    page = browser.get("/admin/settings/figures/tianjin_minimum_wage_month").text
    assert "可拨12333查询，查到正式文件再填，不要估计" in page
    today = local_day(now_utc())
    fields = {
        "value": "1000",
        "unit": "元/月",
        "effective": "2026-01-01",
        "checked_on": str(today),
        "ask": "可拨12333查询",
    }
    refused = post(browser, "/figures/tianjin_minimum_wage_month", **fields, source="")
    assert (refused.status_code, "要填来源" in refused.text, 'value="1000"' in refused.text) == (422, True, True)

    saved = post(browser, "/figures/tianjin_minimum_wage_month", **fields, source="测试文件〔2026〕1号")
    assert "1000元/月" in saved.text
    assert "没有核实的年度数据8项" in browser.get("/admin/").text
    with served.database.writing() as session:
        figure = session.get_one(Figure, "tianjin_minimum_wage_month")
        figure.checked_on = today - timedelta(days=366)
        session.add(figure)
    add_staff(served.database, "孙", Role.VIEWER)
    assert "超过一年没有核对" in browser.get("/admin/settings/figures").text
    assert "超过一年没有核对的年度数据1项" in browser.get("/admin/").text
    sign_in(browser, "孙")
    for_viewers = browser.get("/admin/").text
    assert "超过一年没有核对的年度数据1项" in for_viewers
    assert "/settings/figures" not in for_viewers
