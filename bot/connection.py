"""Whether WeChat and Fawen reach each other: what works and what does not, in words for the administrator."""

from dataclasses import dataclass
from datetime import datetime

import httpx
from sqlalchemy import func
from sqlmodel import Session, select

from bot.settings import Account
from bot.wechat.client import ApiClient
from bot.wechat.envelope import signature
from bot.wechat.errors import CallError
from knowledge.models import Message
from knowledge.working_days import SHANGHAI


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its name, whether it is right (None: nothing to say yet), and what was found."""

    name: str
    is_right: bool | None
    words: str


def check(session: Session, account: Account, client: ApiClient | None, *, public_url: str = "") -> list[Finding]:
    """Look at the webhook's address, the pushes received, the API credentials and permissions.

    `public_url` is the webhook as WeChat calls it; without it that is left out. `client` is None where no
    AppSecret is set. Nothing is sent to anybody.
    """
    findings = [_webhook(account, public_url)] if public_url else []
    findings.append(_pushes(session))
    if client is None:
        words = "没有设置 FAWEN_WECHAT_APP_SECRET：不能主动发送，答复在对方下次来信时送达"
        return [*findings, Finding("接口凭证", None, words)]
    try:
        client.token()
        addresses = client.server_addresses()
    except CallError as error:
        return [*findings, Finding("接口凭证", False, str(error))]
    findings.append(
        Finding("接口凭证", True, f"AppID、AppSecret 和 IP 白名单均正确（微信有{len(addresses)}个推送地址）")
    )
    return [*findings, _sending(client), _menu(client)]


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
        return Finding(
            name, False, f"{url} 会跳转到 {answer.headers.get('location', '')}：微信不跟随跳转，请填最终地址"
        )
    if answer.status_code == 403:
        return Finding(
            name, False, "地址通了，但签名不被接受：运行中的 FAWEN_WECHAT_TOKEN 与这里的不一致，或服务器时钟不准"
        )
    if answer.status_code != 200 or answer.text != echo:
        return Finding(name, False, f"{url} 返回了状态码{answer.status_code}和别的内容：请确认转发到 Fawen 的 /wechat")
    return Finding(name, True, f"{url} 可用，Token 正确")


def _pushes(session: Session) -> Finding:
    last = session.exec(select(func.max(Message.received_at))).one()
    if last is None:
        words = "还没有收到过消息：在公众平台启用服务器配置后，用手机发一条试试；收不到请核对 Token 与 EncodingAESKey"
        return Finding("接收消息", None, words)
    return Finding("接收消息", True, f"最近一次 {last.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")


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
