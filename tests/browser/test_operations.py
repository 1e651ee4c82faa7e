"""设置 in Debian's Chromium: what administrators run the account with, against the API that plays WeChat."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bot.wechat.client import ApiClient
from knowledge import test_cases, working
from knowledge.database import Database
from knowledge.models import Role
from tests.browser.conftest import photograph
from tests.browser.test_workbench import enter
from tests.conftest import NOW, Served, add_staff, serving
from tests.knowledge.test_thresholds import ENTRY, WORDED
from tests.mail_server import mail_server
from tests.wechat_api import WeChat, wechat

pytestmark = pytest.mark.browser


@pytest.fixture
def weixin() -> Iterator[WeChat]:
    with wechat() as weixin:
        yield weixin


@pytest.fixture
def client(weixin: WeChat) -> ApiClient:
    return weixin.client()


@pytest.fixture
def served(sqlite: Database, client: ApiClient) -> Iterator[Served]:
    with serving(sqlite, client=client) as served:
        add_staff(sqlite, "陈", Role.ADMINISTRATOR)
        yield served


def test_a_menu_is_edited_compared_and_published(served: Served, page: Page, weixin: WeChat) -> None:
    enter(page, served, "/settings", "陈")
    page.get_by_role("link", name=re.compile("^菜单")).click()
    expect(page.get_by_role("heading", name="菜单", exact=True)).to_be_visible()
    page.get_by_label("一级菜单1的名称", exact=True).fill("法律问答服务")
    page.get_by_label("一级菜单1做什么").select_option("展开二级菜单")
    page.get_by_label("一级菜单1的二级菜单1的名称").fill("查进度")
    page.get_by_label("一级菜单1的二级菜单1发送的文字或网址").fill("进度")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("alert")).to_contain_text("18字节，最多16字节")
    expect(page.get_by_label("一级菜单1的名称", exact=True)).to_have_value("法律问答服务")
    photograph(page, "menu-refused")
    page.get_by_label("一级菜单1的名称", exact=True).fill("法律问答")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("status")).to_contain_text("草稿已保存")
    photograph(page, "menu")

    page.get_by_role("link", name="与微信上的比较，然后发布").click()
    expect(page.get_by_text("└ 查进度 → 发送“进度”")).to_be_visible()
    photograph(page, "menu-comparison")
    page.get_by_role("button", name="发布草稿").click()

    expect(page.get_by_role("status")).to_contain_text("菜单已发布")
    photograph(page, "menu-published")
    assert weixin.platform.menu
    assert weixin.platform.menu[0]["sub_button"][0]["key"] == "进度"


class TestWithAWrongSecret:
    """The AppSecret was mistyped, and WeChat pushes with another token."""

    @pytest.fixture
    def client(self, weixin: WeChat) -> ApiClient:
        return weixin.client(secret="mistyped")

    def test_the_check_says_so_in_words(self, served: Served, page: Page) -> None:
        assert served.user("zhang", token="another_token").says("你好").status == 403
        enter(page, served, "/settings", "陈")
        page.get_by_role("link", name=re.compile("^微信连接")).click()
        expect(page.get_by_role("heading", name="微信连接")).to_be_visible()
        photograph(page, "connection")
        page.get_by_role("button", name="开始检查").click()

        expect(page.get_by_role("status")).to_contain_text("发现2处问题")
        expect(page.get_by_text("AppSecret 不正确")).to_be_visible()
        expect(page.get_by_text("FAWEN_WECHAT_TOKEN 与公众平台填的 Token 不一致")).to_be_visible()
        photograph(page, "connection-wrong")


def test_alerts_are_set_up_and_a_failure_is_shown(served: Served, page: Page) -> None:
    with mail_server() as mail:
        enter(page, served, "/settings/alerts", "陈")
        page.get_by_label("邮件服务器").fill("127.0.0.1")
        page.get_by_label("端口").fill(str(mail.port))
        page.get_by_label("加密", exact=True).select_option("不加密（仅限内网邮件服务器）")
        page.get_by_label("发件人邮箱").fill("fawen@example.cn")
        page.get_by_label("收件人邮箱").fill("li@example.cn")
        page.get_by_role("button", name="保存邮件设置").click()
        expect(page.get_by_role("status")).to_contain_text("已保存")
        page.get_by_role("button", name="发一封测试邮件").click()
        expect(page.get_by_role("status")).to_contain_text("测试邮件已交给邮件服务器")
        assert mail.taken[0]["subject"] == "【法问】测试提醒"
    page.get_by_role("button", name="发一封测试邮件").click()
    expect(page.get_by_role("alert")).to_contain_text("连不上邮件服务器")
    photograph(page, "alerts")
    page.goto(f"{served.url}/admin/settings/promise")
    page.get_by_label("几个工作日内答复").fill("40")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert")).to_contain_text("1至30个工作日")
    photograph(page, "promise")


def test_thresholds_are_changed_after_a_look_at_what_that_does(served: Served, page: Page) -> None:
    with served.database.writing() as session:
        test_cases.keep(session, WORDED, ENTRY, "李", NOW)
    served.user("zhang").says(WORDED).hears("劳动监察投诉")
    enter(page, served, "/settings", "陈")
    page.get_by_role("link", name=re.compile("^阈值")).click()
    expect(page.get_by_role("heading", name="阈值", exact=True)).to_be_visible()
    page.get_by_role("button", name="测一测").click()
    expect(page.get_by_text("等待处理")).to_be_visible()
    working.work_off(served.database)
    expect(page.get_by_text("1条中直接答复1条")).to_be_visible()
    for field in page.get_by_role("group", name="刚发布").get_by_role("textbox").all()[:3]:
        field.fill("99")
    photograph(page, "thresholds")
    page.get_by_role("button", name="看看会怎样", exact=True).click()
    expect(page.get_by_role("heading", name="门槛对照")).to_be_visible()
    photograph(page, "thresholds-waiting")
    working.work_off(served.database)

    expect(page.get_by_text("测试问句：变差1条")).to_be_visible()
    page.get_by_text("变差的测试问句（1）").click()
    photograph(page, "thresholds-compared")
    page.get_by_role("button", name="投入使用").click()
    expect(page.get_by_role("alert")).to_contain_text("请勾选确认")
    page.get_by_label("仍要投入使用").check()
    page.get_by_role("button", name="投入使用").click()

    expect(page.get_by_role("status")).to_contain_text("已投入使用")
    photograph(page, "thresholds-in-force")
