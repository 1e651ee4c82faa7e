"""Whether WeChat and Fawen reach each other: what works and what does not, in words for the administrator."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import httpx
from sqlalchemy import func
from sqlmodel import select

from bot.refusals import Refusals, Refused, Why
from bot.settings import Account
from bot.wechat.client import ApiClient
from bot.wechat.envelope import signature
from bot.wechat.errors import CallError
from knowledge.database import Database
from knowledge.models import Message
from knowledge.working_days import SHANGHAI


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its name, whether it is right (None: nothing to say yet), and what was found."""

    name: str
    is_right: bool | None
    words: str


# What is looked at over the network ends after this long, in seconds; each call has its own, shorter bound.
WITHIN_S = 15.0


def within(limit_s: float, looked: Iterator[Finding]) -> list[Finding]:
    """What a check finds in `limit_s` seconds; where it takes longer, what was found by then and a word on it."""
    found: list[Finding] = []
    pool = ThreadPoolExecutor(1, thread_name_prefix="connection-check")
    try:
        pool.submit(found.extend, looked).result(limit_s)
    except TimeoutError:
        words = f"{limit_s:g}秒内没有做完，其余项目没有检查：网络太慢，请稍后再试"
        return [*found, Finding("检查", False, words)]
    finally:
        pool.shutdown(wait=False)
    return found


def check(
    database: Database,
    account: Account,
    client: ApiClient | None,
    *,
    public_url: str = "",
    refusals: Refusals | None = None,
) -> Iterator[Finding]:
    """Look at the settings, the webhook's address, the pushes received, the API credentials and permissions.

    `public_url` is the webhook as WeChat calls it; without it that is left out. `client` is None where no
    AppSecret is set; `refusals` are the running server's (None: not known here). Nothing is sent to anybody,
    and no secret is in what is found.
    """
    yield from _settings(account)
    if public_url:
        yield _webhook(account, public_url)
    else:
        words = "没有设置 FAWEN_BASE_URL（公众看到的网址，如 https://fawen.example.cn），没有检查服务器地址"
        yield Finding("服务器地址", None, f"{words}。{_WHERE}")
    yield _pushes(database, refusals.newest if refusals else None)
    if client is None:
        words = "没有设置 FAWEN_WECHAT_APP_SECRET：不能主动发送、不能设置菜单，答复在对方下次来信时送达"
        yield Finding("接口凭证", None, f"{words}。{_WHERE}")
        return
    try:
        client.token()
        addresses = client.server_addresses()
    except CallError as error:
        yield Finding("接口凭证", False, str(error))
        return
    yield Finding("接口凭证", True, f"AppID、AppSecret 和 IP 白名单均正确（微信有{len(addresses)}个推送地址）")
    yield _sending(client)
    yield _menu(client)


_WHERE = "在服务器的 .env 文件里设置，重启后生效"


def _settings(account: Account) -> Iterator[Finding]:
    if account.is_simulated:
        words = (
            "没有设置公众号：现在用的是模拟器。请从公众平台“设置与开发→基本配置”复制 AppID、Token、EncodingAESKey 和"
            " AppSecret，填入 FAWEN_WECHAT_APP_ID、FAWEN_WECHAT_TOKEN、FAWEN_WECHAT_AES_KEY 和 FAWEN_WECHAT_APP_SECRET"
        )
        yield Finding("公众号设置", None, f"{words}。{_WHERE}")
        return
    modes = {"plain": "明文模式", "compat": "兼容模式", "safe": "安全模式"}
    words = f"AppID 和 Token 已设置，{modes[account.mode]}（要与公众平台选的一致）"
    yield Finding("公众号设置", True, words)


def _webhook(account: Account, url: str) -> Finding:
    """Ask our own webhook for its echo, as WeChat's URL check does, over its public address."""
    name = "服务器地址"
    stamp, nonce, echo = str(int(datetime.now(SHANGHAI).timestamp())), "4711", "fawen-check"
    query = {
        "signature": signature(account.token, stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "echostr": echo,
    }
    try:
        answer = httpx.get(url, params=query, timeout=5, follow_redirects=False)
    except httpx.HTTPError as error:
        return Finding(name, False, f"打不开 {url}（{type(error).__name__}）：请检查域名、证书和反向代理")
    if answer.is_redirect:
        # Without its query, which holds the signature of our question.
        target = answer.headers.get("location", "").partition("?")[0]
        return Finding(name, False, f"{url} 会跳转到 {target}：微信不跟随跳转，请填最终地址")
    if answer.status_code == 403:
        return Finding(
            name, False, "地址通了，但签名不被接受：运行中的 FAWEN_WECHAT_TOKEN 与这里的不一致，或服务器时钟不准"
        )
    if answer.status_code != 200 or answer.text != echo:
        return Finding(name, False, f"{url} 返回了状态码{answer.status_code}和别的内容：请确认转发到 Fawen 的 /wechat")
    return Finding(name, True, f"{url} 可用，Token 正确")


def _pushes(database: Database, refused: Refused | None) -> Finding:
    name = "接收消息"
    with database.reading() as session:
        last = session.exec(select(func.max(Message.received_at))).one()
    if refused is not None and (last is None or refused.at > last):
        at = refused.at.astimezone(SHANGHAI)
        times = f"启动以来拒收{refused.count}次，最近一次{at:%m-%d %H:%M}，之后没有收到正常的消息"
        return Finding(name, False, f"{times}：{_REFUSED_FOR[refused.why]}")
    if last is None:
        words = "还没有收到过消息：在公众平台启用服务器配置后，用手机发一条试试；收不到请核对 Token 与 EncodingAESKey"
        return Finding(name, None, words)
    return Finding(name, True, f"最近一次 {last.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")


_REFUSED_FOR = {
    Why.SIGNATURE: (
        "签名不对。FAWEN_WECHAT_TOKEN 与公众平台填的 Token 不一致时就会这样，请逐字核对（也可能是别人在试探这个地址）"
    ),
    Why.STALE: "时间差得太多，请校准服务器的时钟",
    Why.UNREADABLE: (
        "解不开。FAWEN_WECHAT_AES_KEY 与公众平台的 EncodingAESKey 不一致，或 FAWEN_WECHAT_APP_ID 不是这个公众号的"
    ),
}


def _sending(client: ApiClient) -> Finding:
    try:
        may = client.may_send()
    except CallError as error:
        return Finding("主动发送", False, str(error))
    if may:
        return Finding("主动发送", True, "可以在对方来信后48小时内主动送达答复")
    return Finding("主动发送", None, "账号没有客服消息权限（未认证）：答复在对方下次来信时送达，不影响使用")


def _menu(client: ApiClient) -> Finding:
    try:
        buttons = client.menu()
    except CallError as error:
        return Finding("自定义菜单", None, str(error))
    return Finding("自定义菜单", True, f"有权限，已发布{len(buttons)}个一级菜单" if buttons else "有权限，还没有菜单")
