"""更正 in Debian's Chromium: from the entry to who received it, the correction, its confirmation and a replay."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from knowledge import corrections, jobs, working
from knowledge.database import Database
from knowledge.models import Role
from knowledge.working_days import now_utc
from tests.admin.test_messages import ENTRY, QUESTION, revise
from tests.admin.test_statute_pages import NEW, OLD
from tests.browser.conftest import photograph
from tests.browser.test_workbench import enter
from tests.conftest import Served, add_staff, serving

pytestmark = pytest.mark.browser


def test_a_wrong_answer_is_corrected_and_replayed(served: Served, page: Page) -> None:
    add_staff(served.database)
    add_staff(served.database, "王", Role.REVIEWER)
    zhang, zhao = served.user("zhang"), served.user("zhao")
    zhang.says(QUESTION).hears("试用期最长六个月")
    zhang.taps("没解决")
    zhao.says("签三年合同试用期几个月").hears("试用期最长六个月")
    revise(served, "试用期的上限以劳动合同的期限为准。\n三年以上的合同不超过六个月。")

    enter(page, served, f"/entries/{ENTRY}")
    expect(page.get_by_role("heading", name="试用期最长多久")).to_be_visible()
    page.get_by_role("link", name="谁收到过").click()
    expect(page.get_by_role("heading", name="收到任何一版的提问人2人")).to_be_visible()
    page.get_by_label("第1版").check()
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_label("更正第1版")).to_have_value(re.compile("^更正：我们此前关于“试用期最长多久”"))
    photograph(page, "receivers")
    page.get_by_role("button", name="存为待确认的更正").click()
    expect(page.get_by_role("heading", name="更正“试用期最长多久”")).to_be_visible()
    expect(page.get_by_text("请另一名审核人员确认")).to_be_visible()
    page.get_by_label("更正的内容").fill("更正：三年以上的合同，试用期才可以约定六个月。")
    page.get_by_role("button", name="保存并预览").click()
    expect(page.locator(".bubble")).to_contain_text("三年以上的合同，试用期才可以")
    photograph(page, "correction-proposed")
    address = page.url

    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("用户名")).to_be_visible()
    enter(page, served, "/", "王")
    expect(page.get_by_role("heading", name="今日")).to_be_visible()
    page.get_by_role("link", name="待确认的更正1件").click()
    expect(page.get_by_role("heading", name="更正", exact=True)).to_be_visible()
    photograph(page, "corrections")
    page.goto(address)
    page.get_by_role("button", name="确认并发给2人").click()
    expect(page.get_by_text("王确认")).to_be_visible()
    expect(page.get_by_text("待送达的：")).to_be_visible()  # the job is done, and the page looked by itself
    zhang.says("你好").hears("更正：三年以上的合同")
    page.reload()
    expect(page.get_by_role("link", name="随来信送达")).to_be_visible()
    photograph(page, "correction-sent")

    page.goto(f"{served.url}/admin/messages")
    expect(page.get_by_role("heading", name="来信", exact=True)).to_be_visible()
    photograph(page, "messages")
    page.get_by_role("link", name=re.compile("试用期最长可以约定多久")).click()
    expect(page.get_by_role("heading", name="回放来信")).to_be_visible()
    expect(page.get_by_text("此后条目有了第2版")).to_be_visible()
    expect(page.get_by_text("对这条答复发过")).to_be_visible()
    photograph(page, "replay")


def test_sending_a_correction_shows_how_far_it_is(sqlite: Database, page: Page) -> None:
    with serving(sqlite, works=False) as served:
        for name, role in (("李", Role.CURATOR), ("王", Role.REVIEWER)):
            add_staff(sqlite, name, role)
        for name in ("zhang", "zhao"):
            served.user(name).says(QUESTION)
        with sqlite.writing() as session:
            made = corrections.propose(session, ENTRY, [1], None, "更正：以新答复为准。", "李", now_utc())
        enter(page, served, f"/corrections/{made.id}", "王")
        page.get_by_role("button", name="确认并发给2人").click()
        expect(page.get_by_text("已确认，等待发送")).to_be_visible()
        with sqlite.writing() as session:
            job = jobs.claim(session, now_utc())
            assert job
            jobs.progress(session, job, "放入发件箱", 1, 2, now_utc())
        expect(page.get_by_text("正在放入发件箱：1 / 2人")).to_be_visible()
        photograph(page, "correction-sending")
        with sqlite.writing() as session:
            jobs.fail(session, job, "处理进程中断了3次，已停止重试", now_utc())
        expect(page.get_by_role("button", name="继续发送")).to_be_visible()
        photograph(page, "correction-broken-off")
        page.get_by_role("button", name="继续发送").click()
        expect(page.get_by_text("已确认，等待发送")).to_be_visible()
        working.work_off(sqlite)
        expect(page.get_by_text("待送达的：")).to_be_visible()


def test_an_amended_statute_lapses_a_sign_off_which_is_given_again(served: Served, page: Page, tmp_path: Path) -> None:
    add_staff(served.database, "王", Role.REVIEWER)
    add_staff(served.database, "陈", Role.ADMINISTRATOR)
    zhang = served.user("zhang")
    law = tmp_path / "劳动合同法.md"
    enter(page, served, "/statutes/import", "王")
    expect(page.get_by_label("本版施行日期")).to_be_visible()
    for since, text in (("2013-07-01", OLD), ("2026-11-01", NEW)):
        law.write_text(f"中华人民共和国劳动合同法\n{text}", "utf-8")
        page.goto(f"{served.url}/admin/statutes/import")
        page.get_by_label(re.compile("^文件")).set_input_files(law)
        page.get_by_label("本版施行日期").fill(since)
        page.get_by_role("button", name="导入").click()
        expect(page.get_by_role("status")).to_contain_text("已导入新版本")
        if text is OLD:
            page.goto(f"{served.url}/admin/signing?entry={ENTRY}")
            page.get_by_role("button", name="已复核，签署并看下一条").click()
            expect(page.get_by_text("还有4条未签署")).to_be_visible()
    photograph(page, "statute-lapsing")
    zhang.says(QUESTION).hears("待律师重新复核")

    page.get_by_role("link", name="今日", exact=True).click()
    expect(page.get_by_role("link", name="签署因法规修改失效的条目1条")).to_be_visible()
    photograph(page, "today-lapsed")
    page.get_by_role("link", name="签署因法规修改失效的条目1条").click()
    expect(page.get_by_text("王的签署已失效")).to_be_visible()
    page.get_by_role("link", name=re.compile("试用期最长多久")).click()
    expect(page.get_by_text("的签署已失效：《劳动合同法》第十九条")).to_be_visible()
    photograph(page, "entry-lapsed")
    page.get_by_role("link", name="重新签署").click()
    expect(page.get_by_text("签署后修改", exact=True)).to_be_visible()
    photograph(page, "signing-lapsed")

    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("用户名")).to_be_visible()
    enter(page, served, "/settings/sign-offs", "陈")
    expect(page.get_by_role("heading", name="律师签署", exact=True)).to_be_visible()
    page.get_by_label(re.compile("暂不直接答复")).check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    photograph(page, "sign-off-rule")
    zhang.says(QUESTION).hears("已登记")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("用户名")).to_be_visible()
    enter(page, served, "/signing", "王")
    expect(page.get_by_text("签署后修改", exact=True)).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_text("还有4条未签署")).to_be_visible()
    zhang.says(QUESTION).hears("试用期最长六个月").hears_not("待律师重新复核")
