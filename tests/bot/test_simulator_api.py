"""The fake API server answers and refuses as WeChat's does, and what it accepts arrives on the phone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from fastapi import FastAPI

from bot.simulator.account import Side, SimulatedAccount
from bot.simulator.api.app import api_router
from bot.simulator.api.platform import Fault, Platform, Trouble
from bot.simulator.kinds import AccountKind, Permission
from bot.simulator.sealing import Credentials
from bot.simulator.serving import serving
from bot.wechat.envelope import Mode
from tests.conftest import APP_ID, TOKEN

SECRET = "secret_for_tests"
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
MENU = {
    "button": [
        {"type": "click", "name": "问一问", "key": "ASK"},
        {"name": "服务", "sub_button": [{"type": "view", "name": "办事大厅", "url": "https://example.cn/"}]},
    ]
}


class Api:
    """A caller of one platform's API, whose clock is set by hand."""

    def __init__(self, kind: AccountKind, **options: Any) -> None:
        self.now = NOW
        credentials = Credentials(TOKEN, APP_ID, mode=Mode.PLAIN, app_secret=SECRET)
        # Nobody listens at the webhook: these tests are about the other direction.
        self.account = SimulatedAccount("http://127.0.0.1:9", credentials, kind=kind, now=lambda: self.now)
        self.platform = Platform(self.account, **options)
        self.http = httpx.Client()
        self.token = ""

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)

    def renew(self) -> None:
        """Have a token again."""
        self.token = self.platform.tokens.stable(force=False)[0]

    def get(self, path: str, **query: Any) -> Any:
        return self._read(self.http.get(f"/cgi-bin/{path}", params={"access_token": self.token, **query}))

    def post(self, path: str, data: Any, **query: Any) -> Any:
        content = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
        params = {"access_token": self.token, **query}
        return self._read(self.http.post(f"/cgi-bin/{path}", params=params, content=content))

    def send(self, openid: str, text: str) -> int:
        answer = self.post("message/custom/send", {"touser": openid, "msgtype": "text", "text": {"content": text}})
        return int(answer["errcode"])

    def classic(self, **change: str) -> Any:
        query = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET, **change}
        return self.get("token", **query)

    def stable(self, force: bool = False) -> Any:
        asked = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET, "force_refresh": force}
        return self.post("stable_token", asked)

    def _read(self, answer: httpx.Response) -> Any:
        assert answer.status_code == 200
        fields = answer.json()
        assert not fields.get("errcode") or " rid: " in fields["errmsg"]
        return fields


@contextmanager
def api(kind: AccountKind = AccountKind.VERIFIED_SERVICE, **options: Any) -> Iterator[Api]:
    """The API of an account of this kind, served, with a token at hand."""
    caller = Api(kind, **options)
    app = FastAPI(openapi_url=None)
    app.include_router(api_router(caller.platform))
    with (
        caller.account,
        serving(app) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=120) as caller.http,
    ):
        caller.renew()
        yield caller


def test_a_classic_token_replaces_the_one_before_after_five_minutes() -> None:
    with api() as caller:
        first, second = caller.classic(), caller.classic()
        assert first["expires_in"] == 7200
        assert first["access_token"] != second["access_token"]

        def code(token: str) -> int:
            return int(caller.get("menu/get", access_token=token)["errcode"])

        assert [code(one["access_token"]) for one in (first, second)] == [46003, 46003]
        caller.passes(seconds=300)
        assert [code(one["access_token"]) for one in (first, second)] == [40001, 46003]
        caller.passes(seconds=6900)
        assert code(second["access_token"]) == 42001
        assert code("") == 41001
        assert code("short") == 40014
        assert code("x" * 512) == 40001


def test_a_stable_token_stays_until_its_last_five_minutes() -> None:
    with api() as caller:
        first = caller.stable()
        caller.passes(seconds=6899)
        assert caller.stable()["access_token"] == first["access_token"]
        assert caller.stable()["expires_in"] == 301
        caller.passes(seconds=1)
        renewed = caller.stable()
        assert renewed["access_token"] != first["access_token"]
        assert caller.get("menu/get", access_token=first["access_token"])["errcode"] == 46003

        caller.classic()
        assert caller.stable()["access_token"] == renewed["access_token"]
        forced = caller.stable(force=True)
        assert caller.get("menu/get", access_token=renewed["access_token"])["errcode"] == 40001
        assert caller.stable(force=True)["errcode"] == 45011
        assert caller.stable()["access_token"] == forced["access_token"]
        for _ in range(19):
            caller.passes(seconds=30)
            assert "access_token" in caller.stable(force=True)
        caller.passes(seconds=30)
        assert caller.stable(force=True)["errcode"] == 45009
        caller.passes(days=1)
        assert "access_token" in caller.stable(force=True)
        caller.platform.tokens.revoke()
        assert caller.get("menu/get", access_token=caller.stable()["access_token"])["errcode"] == 46003


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"grant_type": "password"}, 40002),
        ({"appid": ""}, 41002),
        ({"appid": "wx0"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "wrong"}, 40125),
    ],
)
def test_a_token_is_refused_to_who_has_not_the_secret(change: dict[str, str], code: int) -> None:
    with api() as caller:
        assert caller.classic(**change)["errcode"] == code


def test_addresses_that_are_not_listed_get_no_token_and_read_their_address() -> None:
    with api(ip_whitelist={"10.0.0.1"}) as caller:
        refused = caller.stable()

    assert refused["errcode"] == 40164
    assert "invalid ip 127.0.0.1" in refused["errmsg"]


def test_a_message_arrives_and_is_charged() -> None:
    with api() as caller:
        zhang = caller.account.user("张")
        assert caller.send(zhang.openid, "早") == 45015
        zhang.says("你好")
        assert [caller.send(zhang.openid, f"第{n}条") for n in range(6)] == [0] * 5 + [45047]
        caller.passes(hours=48)
        caller.renew()
        assert caller.send(zhang.openid, "晚了") == 45015
        zhang.follows()
        assert [caller.send(zhang.openid, f"欢迎{n}") for n in range(4)] == [0] * 3 + [45047]
        zhang.unfollows()
        assert caller.send(zhang.openid, "别走") == 45015
        assert caller.send("o_nobody", "谁") == 40003
        arrived = [one.text for one in caller.account.bubbles(zhang.openid) if one.side is Side.PUSHED]

    assert arrived == [*(f"第{n}条" for n in range(5)), *(f"欢迎{n}" for n in range(3))]


def test_kinds_of_message_and_their_limits() -> None:
    with api() as caller:
        zhang = caller.account.user("张")
        zhang.says("你好")

        def send(**fields: Any) -> int:
            return int(caller.post("message/custom/send", {"touser": zhang.openid, **fields})["errcode"])

        assert caller.send(zhang.openid, "长" * 683) == 45002
        assert caller.send(zhang.openid, "") == 44004
        assert send(msgtype="hologram") == 40008
        assert send(msgtype="text") == 47001
        assert send(msgtype="news", news={"articles": [{"title": "一"}, {"title": "二"}]}) == 45008
        assert send(msgtype="news", news={"articles": [{"title": "一", "url": "https://example.cn"}]}) == 0
        choices = [{"id": "101", "content": "满意"}, {"id": "102", "content": "不满意+"}]
        assert send(msgtype="msgmenu", msgmenu={"head_content": "评价", "list": choices, "tail_content": "谢谢"}) == 0
        assert send(msgtype="msgmenu", msgmenu={"list": []}) == 40035
        assert caller.post("message/custom/send", b"{")["errcode"] == 47001
        assert caller.post("message/custom/send", b"")["errcode"] == 44002
        assert caller.post("message/custom/send", b"[]")["errcode"] == 47001
        assert [tap.text for tap in zhang.offered] == ["满意", "不满意+"]


def test_escapes_in_json_reach_the_phone_as_they_are() -> None:
    with api() as caller:
        zhang = caller.account.user("张")
        zhang.says("你好")
        fields = {"touser": zhang.openid, "msgtype": "text", "text": {"content": "答"}}

        assert caller.post("message/custom/send", json.dumps(fields).encode())["errcode"] == 0
        assert caller.account.bubbles(zhang.openid)[-1].text == "\\u7b54"
        assert caller.post("menu/create", json.dumps(MENU).encode())["errcode"] == 40033


def test_typing_shows_only_while_somebody_waits() -> None:
    with api() as caller:
        zhang = caller.account.user("张")

        def typing(command: str = "Typing") -> int:
            return int(caller.post("message/custom/typing", {"touser": zhang.openid, "command": command})["errcode"])

        assert typing() == 45080
        zhang.says("你好")
        assert [typing("Dancing"), typing(), typing(), typing("CancelTyping"), typing()] == [45072, 0, 45081, 0, 0]
        caller.passes(seconds=31)
        assert typing() == 45080


def test_a_menu_is_kept_as_sent_and_gone_when_deleted() -> None:
    with api() as caller:
        assert caller.get("menu/get")["errcode"] == 46003
        assert caller.post("menu/create", MENU) == {"errcode": 0, "errmsg": "ok"}
        got = caller.get("menu/get")["menu"]
        assert got["button"][0] == {"type": "click", "name": "问一问", "key": "ASK", "sub_button": []}
        assert got["button"][1]["sub_button"][0]["url"] == "https://example.cn/"
        assert "menuid" in caller.post("menu/addconditional", {**MENU, "matchrule": {"tag_id": "2"}})
        assert caller.post("menu/addconditional", MENU)["errcode"] == 65304
        assert len(caller.get("menu/get")["conditionalmenu"]) == 1
        assert caller.get("menu/delete")["errcode"] == 0
        assert caller.get("menu/get")["errcode"] == 46003
        assert caller.post("menu/addconditional", {**MENU, "matchrule": {"tag_id": "2"}})["errcode"] == 65303


def click(**change: Any) -> dict[str, Any]:
    return {"type": "click", "name": "问", "key": "K", **change}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], 40016),
        ([click()] * 4, 40016),
        ([click(name="六个汉字的名")], 40018),
        ([click(name="")], 40018),
        ([click(name="五个汉字名")], 0),
        ([click(key="")], 40019),
        ([click(key="长" * 43)], 40019),
        ([click(type="dance")], 40017),
        ([{"type": "view", "name": "网", "url": "https://e.cn/" + "a" * 1024}], 40020),
        ([{"type": "view", "name": "网", "url": "ftp://e.cn/"}], 40055),
        ([{"type": "miniprogram", "name": "网", "url": "https://e.cn/"}], 40035),
        ([{"type": "media_id", "name": "图"}], 40007),
        ([{"name": "多", "sub_button": [click()] * 6}], 40023),
        ([{"name": "多", "sub_button": [click(name="二十一个汉字的名字太长了微信不收这样的名字")]}], 40025),
        ([{"name": "多", "sub_button": [click(type="dance")]}], 40024),
        ([{"name": "多", "sub_button": [click(key="")]}], 40026),
        ([{"name": "多", "sub_button": [{"type": "view", "name": "网"}]}], 40027),
        ("words", 47001),
    ],
)
def test_a_menu_of_the_wrong_shape_is_refused(buttons: Any, code: int) -> None:
    with api() as caller:
        assert caller.post("menu/create", {"button": buttons})["errcode"] == code


@pytest.mark.parametrize("kind", list(AccountKind))
def test_each_kind_of_account_may_do_what_the_table_says(kind: AccountKind) -> None:
    with api(kind) as caller:
        zhang = caller.account.user("张")
        zhang.says("你好")
        asked = {
            Permission.CUSTOM_MESSAGES: caller.send(zhang.openid, "答"),
            Permission.MENU: caller.post("menu/create", MENU)["errcode"],
            Permission.USERS: caller.get("user/info", openid=zhang.openid).get("errcode", 0),
        }

    refused = {permission for permission, code in asked.items() if code == 48001}
    assert refused == {permission for permission in asked if not kind.may(permission)}
    assert set(asked.values()) <= {0, 48001}
    assert refused == {
        AccountKind.SUBSCRIPTION: set(asked),
        AccountKind.SERVICE: {Permission.CUSTOM_MESSAGES, Permission.USERS},
    }.get(kind, set())


def test_who_follows() -> None:
    with api() as caller:
        zhang, li = caller.account.user("张"), caller.account.user("李")
        zhang.follows("摊位7")
        info = caller.get("user/info", openid=zhang.openid, lang="zh_CN")
        assert (info["subscribe"], info["qr_scene_str"]) == (1, "摊位7")
        assert caller.get("user/get")["data"]["openid"] == [zhang.openid, li.openid]
        assert caller.get("user/get", next_openid=zhang.openid)["data"]["openid"] == [li.openid]
        assert "data" not in caller.get("user/get", next_openid=li.openid)
        zhang.unfollows()
        assert caller.get("user/info", openid=zhang.openid) == {"subscribe": 0, "openid": zhang.openid}
        assert caller.get("user/info", openid="o_nobody")["errcode"] == 40003


def test_a_template_message_arrives_and_how_it_fared_comes_as_an_event() -> None:
    with api(templates=["t1"]) as caller:
        zhang = caller.account.user("张")
        fields = {"touser": zhang.openid, "template_id": "t1", "data": {"事项": {"value": "答复"}}}

        assert caller.post("message/template/send", {**fields, "template_id": "t2"})["errcode"] == 40037
        assert caller.post("message/template/send", {**fields, "data": {"事项": "答复"}})["errcode"] == 47003
        sent = caller.post("message/template/send", fields)
    finished = ET.fromstring(caller.account.exchange(1).clear)
    assert finished.findtext("Event") == "TEMPLATESENDJOBFINISH"
    assert finished.findtext("MsgID") == str(sent["msgid"])


def test_drafts_addresses_and_what_does_not_exist() -> None:
    with api() as caller:
        media_id = caller.post("draft/add", {"articles": [{"title": "一"}]})["media_id"]
        assert caller.post("freepublish/submit", {"media_id": media_id})["errcode"] == 0
        assert caller.post("freepublish/submit", {"media_id": "no"})["errcode"] == 40007
        assert caller.get("getcallbackip")["ip_list"]
        assert caller.get("no/such/path")["errcode"] == 40066
        assert caller.get("menu/create")["errcode"] == 43002
        assert caller.post("menu/get", {})["errcode"] == 43001


def test_the_days_calls_are_counted() -> None:
    with api(AccountKind.TEST) as caller:
        caller.platform.quotas["menu/create"] = 2
        codes = [caller.post("menu/create", MENU)["errcode"] for _ in range(3)]
        assert codes == [0, 0, 45009]
        assert [caller.post("clear_quota", {"appid": APP_ID})["errcode"] for _ in range(11)] == [0] * 10 + [48006]
        assert caller.post("menu/create", MENU)["errcode"] == 0
        assert [call.errcode for call in caller.platform.calls if call.path == "menu/create"] == [0, 0, 45009, 0]


def test_faults_are_switched_on_for_a_path_and_a_number_of_times() -> None:
    with api() as caller:
        zhang = caller.account.user("张")
        zhang.says("你好")
        caller.platform.switch_on(Fault(Trouble.ERROR, "message/custom/send", code=45009, times=2))
        assert [caller.send(zhang.openid, "答") for _ in range(3)] == [45009, 45009, 0]
        assert caller.get("menu/get")["errcode"] == 46003

        caller.platform.switch_on(Fault(Trouble.HTML))
        page = caller.http.get("/cgi-bin/menu/get")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        caller.platform.switch_off()
        caller.platform.switch_on(Fault(Trouble.EMPTY, times=1))
        assert caller.http.get("/cgi-bin/menu/get").content == b""


def test_a_stall_may_come_before_or_after_the_deed() -> None:
    with api() as caller:
        zhang = caller.account.user("张")
        zhang.says("你好")
        for after in (False, True):
            caller.platform.switch_on(Fault(Trouble.STALL, "message/custom/send", times=1, after=after))
            caller.http.timeout = httpx.Timeout(0.3)
            with pytest.raises(httpx.ReadTimeout):
                caller.send(zhang.openid, f"做了：{after}")
    # The server has come to an end here, so what was under way is done.
    arrived = [one.text for one in caller.account.bubbles(zhang.openid) if one.side is Side.PUSHED]
    assert arrived == ["做了：True"]
