"""更正 in Debian's Chromium: from the entry to who received it, the correction, its confirmation and a replay."""

import re

import pytest
from playwright.sync_api import Page, expect

from knowledge.models import Role
from tests.admin.test_messages import ENTRY, QUESTION, revise
from tests.browser.conftest import photograph
from tests.browser.test_workbench import enter
from tests.conftest import Served, add_staff

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
