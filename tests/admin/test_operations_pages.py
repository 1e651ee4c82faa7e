"""设置 over HTTP: the connection check and the menu, against the API that plays WeChat."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from bot.simulator.kinds import AccountKind
from knowledge import audit
from knowledge.database import Database
from knowledge.models import Role
from tests.admin.test_pages import sign_in, token
from tests.conftest import AES_KEY, APP_ID, TOKEN, Served, add_staff, serving
from tests.wechat_api import SECRET, WeChat, wechat

TOPS, SUBS = 3, 5


@pytest.fixture
def weixin() -> Iterator[WeChat]:
    with wechat() as weixin:
        yield weixin


@pytest.fixture
def served(database: Database, weixin: WeChat) -> Iterator[Served]:
    with serving(database, client=weixin.client()) as served:
        yield served


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with signed_in(served) as client:
        yield client


@contextmanager
def signed_in(served: Served) -> Iterator[httpx.Client]:
    """陈, an administrator."""
    add_staff(served.database, "陈", Role.ADMINISTRATOR)
    with served.browser() as client:
        sign_in(client, "陈")
        yield client


def post(browser: httpx.Client, path: str, **fields: str | list[str]) -> httpx.Response:
    form = {"form_token": token(browser.get("/admin/account")), **fields}
    return browser.post(f"/admin/settings{path}", data=form)


def menu_form(*tops: tuple[tuple[str, str, str], list[tuple[str, str, str]]], against: int = 0) -> dict[str, list[str]]:
    """The whole form: each top line followed by its five, empty ones filled up."""
    lines = []
    for place in range(TOPS):
        top, below = tops[place] if place < len(tops) else (("", "click", ""), [])
        lines += [top, *below, *[("", "click", "")] * (SUBS - len(below))]
    return {
        "name": [line[0] for line in lines],
        "kind": [line[1] for line in lines],
        "value": [line[2] for line in lines],
        "against": [str(against)],
    }


ASKED = (("法律问答", "group", ""), [("试用期最长多久", "click", "试用期最长多久"), ("查进度", "click", "进度")])
HALL = (("办事大厅", "view", "https://example.cn/hall"), list[tuple[str, str, str]]())


def seen(page: httpx.Response) -> str:
    return page.text.split('name="seen" value="')[1].split('"')[0]


def test_a_menu_is_kept_compared_published_and_deleted(served: Served, browser: httpx.Client, weixin: WeChat) -> None:
    saved = post(browser, "/menu", **menu_form(ASKED, HALL))
    assert "草稿已保存" in saved.text
    assert weixin.platform.menu is None, "nothing is published yet"
    compared = browser.get("/admin/settings/menu/comparison")
    assert "<ins>　└ 查进度 → 发送“进度”</ins>" in compared.text

    published = post(browser, "/menu/publication", seen=seen(compared))

    assert "菜单已发布" in published.text
    assert "草稿与微信上的相同" in published.text
    assert weixin.platform.menu
    assert [one["name"] for one in weixin.platform.menu] == ["法律问答", "办事大厅"]
    assert [one["key"] for one in weixin.platform.menu[0]["sub_button"]] == ["试用期最长多久", "进度"]
    assert "请先勾选" in post(browser, "/menu/removal", seen=seen(published)).text
    assert "已删除" in post(browser, "/menu/removal", seen=seen(published), confirmed="1").text
    assert weixin.platform.menu is None
    with served.database.reading() as session:
        kept = audit.find(session, subject="setting menu")
    assert [one.action for one in kept] == ["menu.delete", "menu.publish", "menu.save"]
    assert kept[1].after == {
        "menu": [
            "法律问答",
            "　└ 试用期最长多久 → 发送“试用期最长多久”",
            "　└ 查进度 → 发送“进度”",
            "办事大厅 → 打开 https://example.cn/hall",
        ]
    }


def test_only_what_was_looked_at_is_published(browser: httpx.Client, weixin: WeChat) -> None:
    post(browser, "/menu", **menu_form(HALL))
    looked = seen(browser.get("/admin/settings/menu/comparison"))
    weixin.client().publish_menu([{"name": "别人发的", "type": "click", "key": "x"}])

    late = post(browser, "/menu/publication", seen=looked)

    assert late.status_code == 409
    assert "别人发的" in late.text
    assert weixin.platform.menu
    assert weixin.platform.menu[0]["name"] == "别人发的"
    assert "同事刚刚改过" in post(browser, "/menu", **menu_form(ASKED, against=0)).text


@pytest.mark.parametrize(
    ("tops", "why"),
    [
        ([(("法律问答服务", "click", "a"), [])], "18字节，最多16字节"),
        ([(("问", "view", "ftp://x"), [])], "https://"),
        ([(("问", "click", ""), [])], "不能为空"),
        ([(("问", "click", "长" * 50), [])], "150字节"),
        ([(("问", "group", ""), [])], "至少要有1个菜单"),
        ([(("问", "click", "a"), [("下", "click", "b")])], "请把类型选为“展开二级菜单”"),
        ([], "至少要有1个菜单"),
    ],
)
def test_what_wechat_would_refuse_comes_back_with_what_was_typed(
    sqlite: Database, tops: list[tuple[tuple[str, str, str], list[tuple[str, str, str]]]], why: str
) -> None:
    with serving(sqlite) as served, signed_in(served) as browser:
        refused = post(browser, "/menu", **menu_form(*tops))

    assert refused.status_code == 422
    assert why in refused.text
    assert all(f'value="{top[0]}"' in refused.text for top, _ in tops)


def test_the_published_menu_becomes_the_draft_unless_it_cannot_be_edited_here(
    browser: httpx.Client, weixin: WeChat
) -> None:
    weixin.client().publish_menu([{"name": "大厅", "type": "view", "url": "https://example.cn/"}])
    assert 'value="https://example.cn/"' in post(browser, "/menu/fetch", against="0").text
    mini = {"name": "小程序", "type": "miniprogram", "url": "https://example.cn/", "appid": "wx1", "pagepath": "a"}
    weixin.client().publish_menu([mini])

    refused = post(browser, "/menu/fetch", against="1")

    assert refused.status_code == 422
    assert "fawen menu" in refused.text


def test_an_account_that_may_not_is_told_so(sqlite: Database) -> None:
    with (
        wechat(kind=AccountKind.SUBSCRIPTION) as weixin,
        serving(sqlite, client=weixin.client()) as served,
        signed_in(served) as browser,
    ):
        post(browser, "/menu", **menu_form(HALL))
        compared = browser.get("/admin/settings/menu/comparison")
        refused = post(browser, "/menu/publication", seen="x")

    assert "没有该接口的权限" in compared.text
    assert "没有该接口的权限" in refused.text


def test_without_an_app_secret_the_menu_says_what_to_set(sqlite: Database) -> None:
    with serving(sqlite) as served, signed_in(served) as browser:
        compared = browser.get("/admin/settings/menu/comparison")
        checked = post(browser, "/connection")

    for page in (compared, checked):
        assert "没有设置 FAWEN_WECHAT_APP_SECRET" in page.text


def test_the_check_says_what_is_wrong_and_shows_no_secret(sqlite: Database, weixin: WeChat) -> None:
    client = weixin.client(secret="a_wrong_secret_of_ours")
    with serving(sqlite, client=client) as served, signed_in(served) as browser:
        assert served.user("zhang", token="another_token").says("你好").status == 403
        checked = post(browser, "/connection").text

    assert "发现2处问题" in checked
    assert "AppSecret 不正确：请在公众平台“基本配置”中重置" in checked
    assert "FAWEN_WECHAT_TOKEN 与公众平台填的 Token 不一致" in checked
    assert "没有设置 FAWEN_BASE_URL" in checked
    assert not [secret for secret in (TOKEN, AES_KEY, SECRET, "a_wrong_secret_of_ours") if secret in checked]


def test_a_check_without_faults_says_so(browser: httpx.Client, served: Served) -> None:
    served.user("zhang").says("你好")

    checked = post(browser, "/connection").text

    assert "没有发现问题" in checked
    assert "有权限，还没有菜单" in checked
    assert APP_ID not in checked
