"""WeChat on a page, in Debian's Chromium: a curator talks to the running bot as an asker would, on both widths."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Page, expect

from bot.simulator.account import SimulatedAccount
from bot.simulator.api.platform import Platform
from bot.simulator.kinds import AccountKind
from bot.simulator.sealing import Credentials
from bot.simulator.serving import serving as serving_page
from bot.simulator.verdicts import FAULT
from bot.simulator.web.app import create_page
from bot.wechat.envelope import Mode
from tests.browser.conftest import photograph
from tests.conftest import AES_KEY, APP_ID, TOKEN, Served

SECRET = "secret_for_tests"
MENU = {
    "button": [
        {"type": "click", "name": "我的提问", "key": "PROGRESS"},
        {
            "name": "常见问题",
            "sub_button": [
                {"type": "click", "name": "劳动用工", "key": "LABOR"},
                {"type": "view", "name": "办事大厅", "url": "https://example.cn/"},
            ],
        },
    ]
}

pytestmark = pytest.mark.browser


@dataclass
class WeChat:
    """The simulator's page: its address, and what stands behind it."""

    url: str
    account: SimulatedAccount
    platform: Platform

    def calls(self, path: str, fields: object) -> int:
        """A call of the fake API as the bot makes it; gives the errcode."""
        with httpx.Client(base_url=self.url, trust_env=False) as http:
            asked = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}
            token = http.post("/cgi-bin/stable_token", json=asked).json()["access_token"]
            return int(http.post(f"/cgi-bin/{path}", params={"access_token": token}, json=fields).json()["errcode"])


@pytest.fixture
def wechat(served: Served) -> Iterator[WeChat]:
    """WeChat on a page, pushing to the running Fawen."""
    with wechat_for(f"{served.url}/wechat") as wechat:
        yield wechat


@contextmanager
def wechat_for(url: str, token: str = TOKEN) -> Iterator[WeChat]:
    credentials = Credentials(token, APP_ID, AES_KEY, Mode.SAFE, app_secret=SECRET)
    with SimulatedAccount(url, credentials, kind=AccountKind.VERIFIED_SERVICE) as account:
        account.user("张三")
        account.user("李四")
        platform = Platform(account)
        with serving_page(create_page(platform), before_end=account.end_waits) as address:
            yield WeChat(address, account, platform)


def say(page: Page, words: str) -> None:
    page.get_by_label("消息", exact=True).fill(words)
    page.keyboard.press("Enter")


def expect_answers(page: Page, count: int) -> None:
    """So many pushes have been answered, a silence included."""
    expect(page.locator(".line:not(.mine):not(.waiting), .note.quiet")).to_have_count(count)


def in_panel(page: Page) -> None:
    """On a narrow screen the switches are behind the three dots."""
    if page.get_by_role("button", name="模拟设置").get_attribute("aria-expanded") == "false" and is_narrow(page):
        page.get_by_role("button", name="模拟设置").click()


def is_narrow(page: Page) -> bool:
    return bool(page.viewport_size and page.viewport_size["width"] < 860)


def test_a_curator_asks_and_taps(wechat: WeChat, page: Page) -> None:
    page.goto(wechat.url)
    expect(page.get_by_role("heading", name="法问")).to_be_visible()
    chat = page.get_by_role("log")

    say(page, "试用期最长多久")
    expect(chat).to_contain_text("最长六个月")
    expect(chat).to_contain_text("依据：《劳动合同法》第十九条")
    photograph(page, "phone-answer")
    page.get_by_role("button", name="试用期工资最低多少").click()
    expect(chat).to_contain_text("百分之八十")
    page.get_by_role("button", name="有用").first.click()
    expect(chat.locator(".mine")).to_have_count(3)
    expect_answers(page, 3)
    photograph(page, "phone-taps")
    at_end = "Math.abs(chat.scrollHeight - chat.scrollTop - chat.clientHeight) < 2"
    assert page.evaluate(at_end)
    page.get_by_role("button", name="更多功能").click()
    page.wait_for_function(at_end)
    page.reload()
    expect(chat).to_contain_text("百分之八十")
    page.wait_for_function(at_end)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_kind_of_message_can_be_sent(wechat: WeChat, page: Page) -> None:
    page.goto(wechat.url)
    chat = page.get_by_role("log")

    for number, kind in enumerate(("照片", "拍摄", "位置", "文章"), 1):
        page.get_by_role("button", name="更多功能").click()
        photograph(page, "phone-more")
        page.get_by_role("button", name=kind).click()
        expect_answers(page, number)
    page.get_by_role("button", name="表情", exact=True).click()
    page.get_by_role("button", name="发送表情贴图").click()
    expect(chat.get_by_alt_text("表情")).to_be_visible()
    expect_answers(page, 5)
    page.get_by_role("button", name="切换到语音").click()
    page.get_by_role("button", name="按住 说话").click()
    expect(chat).to_contain_text("听不了语音")
    photograph(page, "phone-kinds")
    pushed = [wechat.account.exchange(number).clear for number in range(1, 7)]
    assert all(f"[{kind}]" in xml for kind, xml in zip(
        ("image", "video", "location", "link", "text", "voice"), pushed, strict=True
    ))  # fmt: skip


def test_a_published_menu_shows_and_its_buttons_push_events(wechat: WeChat, page: Page) -> None:
    page.goto(wechat.url)
    say(page, "你好")
    expect_answers(page, 1)
    assert wechat.calls("menu/create", MENU) == 0

    page.get_by_role("menuitem", name="常见问题").click()
    photograph(page, "phone-menu")
    page.get_by_role("menuitem", name="劳动用工").click()
    expect(page.get_by_role("log")).to_contain_text("你点了菜单：劳动用工")
    expect_answers(page, 2)
    assert "[LABOR]" in wechat.account.exchange(2).clear
    page.get_by_role("button", name="切换到输入").click()
    page.get_by_role("button", name="切换到菜单").click()
    page.get_by_role("menuitem", name="常见问题").click()
    page.get_by_role("menuitem", name="办事大厅").click()
    expect(page.get_by_role("log")).to_contain_text("事件：VIEW")


def test_following_scanning_and_leaving(wechat: WeChat, page: Page) -> None:
    page.goto(wechat.url)
    chat = page.get_by_role("log")
    in_panel(page)
    if is_narrow(page):
        page.get_by_role("button", name="完成").click()
        in_panel(page)
    page.get_by_role("button", name="取消关注").click()
    expect(page.get_by_role("button", name="关注公众号")).to_be_visible()
    expect(page.get_by_label("消息", exact=True)).to_be_hidden()
    photograph(page, "phone-left")

    page.get_by_role("button", name="关注公众号").click()
    expect(chat).to_contain_text("欢迎关注")
    in_panel(page)
    page.get_by_label("二维码场景").fill("园区大厅")
    page.keyboard.press("Enter")
    expect(chat).to_contain_text("你扫了公众号的二维码：园区大厅")
    expect_answers(page, 3)
    assert "[园区大厅]" in wechat.account.exchange(3).clear


def test_a_pushed_message_arrives_by_itself_and_others_are_marked(wechat: WeChat, page: Page) -> None:
    page.goto(wechat.url)
    zhang, li = wechat.account.user("张三"), wechat.account.user("李四")
    expect(page.get_by_label("消息", exact=True)).to_be_visible()
    zhang.says("你好")
    li.says("你好")
    text = {"content": "您的提问已有答复：<b>不是标签</b>"}
    for user in (zhang, li):
        assert wechat.calls("message/custom/send", {"touser": user.openid, "msgtype": "text", "text": text}) == 0

    expect(page.get_by_role("log")).to_contain_text("您的提问已有答复：<b>不是标签</b>")
    expect(page.get_by_role("log")).to_contain_text("客服消息（主动推送）")
    in_panel(page)
    expect(page.get_by_text("因发消息：4条")).to_be_visible()
    expect(page.locator(".people .new")).to_have_text("李四")
    photograph(page, "phone-pushed")
    page.get_by_role("button", name="李四").click()
    expect(page.locator(".people [aria-pressed=true]")).to_have_text("李四")
    expect(page.locator(".people .new")).to_have_count(0)
    in_panel(page)
    page.get_by_label("新用户的名字").fill("王五")
    page.keyboard.press("Enter")
    expect(page.locator(".people [aria-pressed=true]")).to_have_text("王五")
    expect(page.get_by_role("log")).to_have_text("")


def test_the_fault_notice_tells_its_reason_and_shows_the_xml(served: Served, page: Page) -> None:
    with wechat_for(f"{served.url}/wechat", token="another token") as wechat:
        page.goto(wechat.url)
        say(page, "你好")
        chat = page.get_by_role("log")
        expect(chat).to_contain_text(FAULT)
        expect(chat).to_contain_text("原因：状态码403")
        photograph(page, "phone-fault")
        page.get_by_role("button", name="看报文").click()
        raw = page.locator("#raw")
        expect(raw).to_contain_text("<Content><![CDATA[你好]]></Content>")
        expect(raw).to_contain_text("msg_signature=")
        expect(raw).to_contain_text("第3次回应：403")
        photograph(page, "phone-raw")


def test_the_page_obeys_nobody_elses_pages(wechat: WeChat) -> None:
    """A page of another site may reach loopback from the same browser, by address or by a name that leads here."""
    act = {"openid": wechat.account.user("张三").openid, "action": "text", "text": "你好"}
    with httpx.Client(base_url=wechat.url, trust_env=False) as http:
        page = http.get("/")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "://" not in page.text
        assert http.get("/", headers={"host": "evil.example"}).status_code == 400
        assert http.post("/phone/acts", json=act, headers={"origin": "https://evil.example"}).status_code == 403
        assert http.post("/phone/acts", json={**act, "openid": "o_nobody"}).status_code == 404
        assert http.post("/phone/acts", json={**act, "action": "dance"}).status_code == 422
        assert http.post("/phone/acts", json={**act, "action": "tap", "bubble": 7}).status_code == 409
        assert http.get("/phone/exchanges/0").status_code == 404
    assert wechat.account.bubbles() == []
