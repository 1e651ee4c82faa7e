"""设置 in Debian's Chromium: what administrators run the account with, against the API that plays WeChat."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bot.wechat.client import ApiClient
from knowledge.database import Database
from knowledge.models import Role
from tests.browser.conftest import photograph
from tests.browser.test_workbench import enter
from tests.conftest import Served, add_staff, serving
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
