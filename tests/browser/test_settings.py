"""设置 in Debian's Chromium: what staff set, seen on the page, and what an asker then hears."""

import re
from pathlib import Path

import pytest
from openpyxl import Workbook
from playwright.sync_api import Page, expect

from knowledge.models import Role
from knowledge.working_days import local_day, now_utc
from tests.browser.conftest import photograph
from tests.browser.test_workbench import enter
from tests.conftest import Served, add_staff

pytestmark = pytest.mark.browser


def test_staff_set_what_the_account_says(served: Served, page: Page, tmp_path: Path) -> None:
    """A text with its preview, a spreadsheet of fixed replies with a fault in it, a sentence tried on urgent rules."""
    add_staff(served.database, "陈", Role.ADMINISTRATOR)
    enter(page, served, "/settings", "陈")
    expect(page.get_by_role("heading", name="设置", exact=True)).to_be_visible()
    photograph(page, "settings")

    page.get_by_role("link", name=re.compile("^固定文案")).click()
    expect(page.get_by_role("heading", name="固定文案")).to_be_visible()
    photograph(page, "texts")
    page.get_by_role("link", name=re.compile("^欢迎语 ")).click()
    expect(page.get_by_role("heading", name="欢迎语", exact=True)).to_be_visible()
    page.get_by_label("文案").fill("东园的朋友，欢迎！{天数}")
    expect(page.get_by_text("没有占位符 {天数}")).to_be_visible()
    photograph(page, "text-faults")
    page.get_by_label("文案").fill("东园的朋友，欢迎！\n{示例问题}")
    expect(page.locator(".bubble")).to_contain_text("· 试用期最长多久")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    photograph(page, "text")
    served.standing.refresh()
    served.user("zhang").sends("event", Event="subscribe").hears("东园的朋友，欢迎！")

    page.get_by_role("link", name="选哪些问题").click()
    expect(page.get_by_role("heading", name="示例问题")).to_be_visible()
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("火星移民要什么手续")
    expect(page.locator("#preview")).to_contain_text("不会直接答复")
    photograph(page, "examples-faults")
    page.get_by_label("第1个").fill("行政处罚怎么听证")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已保存")
    photograph(page, "examples")
    served.standing.refresh()
    served.user("zhang").says("你好").hears("行政处罚怎么听证")

    page.goto(f"{served.url}/admin/settings/fixed-replies")
    page.get_by_label("第一行是列名").set_input_files(sheet(tmp_path, ("食堂", "十一点半开饭。"), ("停车", "")))
    page.get_by_role("button", name="导入").click()
    expect(page.get_by_role("alert")).to_contain_text("第3行：回复内容不能为空")
    photograph(page, "fixed-replies-faults")
    page.get_by_label("第一行是列名").set_input_files(sheet(tmp_path, ("食堂", "十一点半开饭。"), ("停车", "地库B1。")))
    page.get_by_role("button", name="导入").click()
    expect(page.get_by_role("status")).to_contain_text("已导入2行")
    photograph(page, "fixed-replies")
    page.get_by_role("link", name=re.compile("^停车")).click()
    expect(page.get_by_role("heading", name="停车")).to_be_visible()
    page.get_by_label("关键词").fill("停车\n试用期最长多久")
    expect(page.get_by_text("与条目标题相同")).to_be_visible()
    photograph(page, "fixed-reply")
    served.standing.refresh()
    served.user("zhang").says("食堂").hears("十一点半开饭")

    page.goto(f"{served.url}/admin/settings/urgent-rules")
    page.get_by_label("试一句，会不会触发").fill("车间着火了怎么办")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("会触发“生命危险”")
    photograph(page, "urgent-rules")
    page.get_by_role("button", name="下移“生命危险”").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("“生命危险”现在排第2")
    expect(page.get_by_role("button", name="下移“生命危险”")).to_be_focused()
    photograph(page, "urgent-rules-moved")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("“生命危险”现在排第1")
    expect(page.get_by_role("button", name="下移“生命危险”")).to_be_focused()
    page.get_by_role("link", name=re.compile("生命危险")).click()
    expect(page.get_by_role("heading", name="生命危险")).to_be_visible()
    page.get_by_label("试一句（不保存）").fill("有人要跳楼，保险赔吗")
    expect(page.get_by_text("不会触发：有例外词“保险”")).to_be_visible()
    photograph(page, "urgent-rule")


def test_a_curator_adds_a_synonym_and_an_administrator_confirms_a_figure(served: Served, page: Page) -> None:
    add_staff(served.database)
    add_staff(served.database, "陈", Role.ADMINISTRATOR)
    enter(page, served, "/settings", "李")
    expect(page.get_by_role("heading", name="设置", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^固定文案"))).to_have_count(0)
    page.get_by_role("link", name=re.compile("^同义词")).click()
    expect(page.get_by_role("heading", name="同义词")).to_be_visible()
    photograph(page, "lexicon")
    page.keyboard.press("/")
    page.keyboard.type("炒鱿鱼")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q="))
    page.get_by_role("link", name=re.compile("^解除 ")).click()
    expect(page.get_by_role("heading", name="解除")).to_be_visible()
    words = page.get_by_label("说法")
    known = words.input_value()
    words.fill(f"{known}\n跳槽")
    page.get_by_role("button", name="保存并发布").click()
    expect(page.get_by_role("alert")).to_contain_text("“跳槽”已在概念“辞职”里")
    photograph(page, "concept-faults")
    words.fill(f"{known}\n卷铺盖")
    page.get_by_role("button", name="保存并发布").click()
    expect(page.get_by_role("status")).to_contain_text("已保存并发布")
    served.matcher.refresh(local_day(now_utc()))
    page.get_by_role("link", name="试问").last.click()
    expect(page.get_by_role("heading", name="试问", exact=True)).to_be_visible()
    page.get_by_label("像提问人那样写").fill("试用期叫我卷铺盖")
    page.keyboard.press("Enter")
    expect(page.get_by_text("认出的概念：")).to_contain_text("解除")
    photograph(page, "trial-concepts")
    for kind, name in (("axes", "对立事实"), ("facts", "关键事实")):
        page.goto(f"{served.url}/admin/settings/matching/{kind}")
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        photograph(page, kind)
        page.goto(f"{served.url}/admin/settings/matching/{kind}/0")
        expect(page.get_by_role("button", name="保存并发布")).to_be_visible()
        photograph(page, f"{kind}-row")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("用户名")).to_be_visible()

    enter(page, served, "/settings/figures", "陈")
    expect(page.get_by_role("heading", name="年度数据")).to_be_visible()
    photograph(page, "figures")
    page.get_by_role("link", name=re.compile("天津市月最低工资标准")).click()
    expect(page.get_by_role("heading", name="天津市月最低工资标准")).to_be_visible()
    page.get_by_label("数值（空：未核实）").fill("1000")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert")).to_contain_text("要填起始日期")
    photograph(page, "figure-faults")
    page.get_by_label("起始日期").fill("2026-01-01")
    page.get_by_label("核对日期").fill(str(local_day(now_utc())))
    page.get_by_label("来源").fill("测试文件〔2026〕1号")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    page.goto(f"{served.url}/admin/")
    expect(page.get_by_text("没有核实的年度数据8项")).to_be_visible()
    photograph(page, "home-figures")


def sheet(folder: Path, *rows: tuple[str, str]) -> Path:
    book = Workbook()
    for row in [("关键词", "回复内容"), *rows]:
        book.worksheets[0].append(row)
    file = folder / "回复.xlsx"
    book.save(file)
    return file
