"""The calls to WeChat's API that Fawen makes; each bounded in time and in retries (wechat.md §3).

Ours instead of wechatpy's client, whose token retry recurses without bound, whose token fetch has no time limit,
and which takes an HTML page for success (wechat.md §4.4).
"""

import json
import random
import time
from typing import Any

import httpx
import redis

from bot.wechat.errors import ApiRefused, NotReached, OutcomeUnknown, Reaction
from bot.wechat.tokens import TokenStore

HOST = "https://api.weixin.qq.com"
# A token is given up this many seconds before it expires: WeChat renews it then (api_getstableaccesstoken).
_RENEW_BEFORE_S = 300
_TIMEOUT = httpx.Timeout(5.0, connect=3.0)
_BUSY_WAIT_S = 0.5
# An openid nobody has: WeChat checks the permission before the receiver.
_NOBODY = "o_fawen_permission_check_____"

Json = dict[str, Any]  # Any: JSON as it came; read field by field, checked, in the one function that needs it


class ApiClient:
    """Calls the API of one account. Threads may share it."""

    def __init__(self, app_id: str, app_secret: str, tokens: TokenStore, *, host: str = HOST) -> None:
        """`host` is another of WeChat's hosts, or a simulator's."""
        self._app_id = app_id
        self._app_secret = app_secret
        self._tokens = tokens
        self._http = httpx.Client(base_url=host, timeout=_TIMEOUT, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._tokens.close()

    def send_text(self, openid: str, text: str) -> None:
        """Send a customer-service message of at most 2,048 bytes of UTF-8.

        Raises ApiRefused or NotReached where it was surely not sent, OutcomeUnknown where it may have been.
        """
        self._call("message/custom/send", {"touser": openid, "msgtype": "text", "text": {"content": text}})

    def menu(self) -> list[Json]:
        """The menu's buttons as published; empty where there is no menu. Raises CallError."""
        try:
            answer = self._call("menu/get")
        except ApiRefused as error:
            if error.code == 46003:  # no menu is not an error to whoever asks for it
                return []
            raise
        menu = answer.get("menu")
        buttons = menu.get("button") if isinstance(menu, dict) else None
        if not isinstance(buttons, list):
            raise OutcomeUnknown("微信返回的菜单无法识别")
        return buttons

    def publish_menu(self, buttons: list[Json]) -> None:
        """Put this menu in place of the one there is. Raises CallError."""
        self._call("menu/create", {"button": buttons})

    def delete_menu(self) -> None:
        """Take the menu away. Raises CallError."""
        self._call("menu/delete")

    def token(self) -> str:
        """An access token, fetched if none is kept. Raises CallError."""
        return self._kept() or self._renew(None)

    def server_addresses(self) -> list[str]:
        """The addresses WeChat pushes from; shows that the token works. Raises CallError."""
        found = self._call("getcallbackip").get("ip_list")
        return [str(one) for one in found] if isinstance(found, list) else []

    def may_send(self) -> bool:
        """Whether the account may send customer-service messages. Raises CallError for anything else wrong."""
        try:
            self._call("message/custom/typing", {"touser": _NOBODY, "command": "Typing"})
        except ApiRefused as error:
            if error.code == 48001:
                return False
            if error.reaction is Reaction.STOP or error.is_passing:
                raise
        return True

    def _call(self, path: str, body: Json | None = None) -> Json:
        """One call, with at most one renewal of the token and one retry where WeChat is busy."""
        token = self.token()
        may_renew = may_retry = True
        while True:
            try:
                return self._once(f"/cgi-bin/{path}", {"access_token": token}, body)
            except ApiRefused as error:
                if error.reaction is Reaction.RENEW_TOKEN and may_renew:
                    may_renew = False
                    token = self._renew(token)
                elif error.reaction is Reaction.RETRY and may_retry:
                    may_retry = False
                    time.sleep(_BUSY_WAIT_S * (1 + random.random()))  # noqa: S311 # spreads retries, no secret
                else:
                    raise

    def _once(self, path: str, query: dict[str, str], body: Json | None) -> Json:
        try:
            if body is None:
                answer = self._http.get(path, params=query)
            else:
                # Real UTF-8: WeChat takes \uxxxx for forbidden characters (40033).
                content = json.dumps(body, ensure_ascii=False).encode()
                answer = self._http.post(
                    path, params=query, content=content, headers={"content-type": "application/json"}
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotReached(f"连不上微信服务器（{type(error).__name__}）：请检查本机能否访问外网") from error
        except httpx.TransportError as error:
            raise OutcomeUnknown(f"与微信的连接中断（{type(error).__name__}），不知道是否成功") from error
        try:
            fields = answer.json()
        except ValueError as error:
            raise OutcomeUnknown(f"微信返回的不是JSON（状态码{answer.status_code}），不知道是否成功") from error
        if answer.status_code != 200 or not isinstance(fields, dict):
            raise OutcomeUnknown(f"微信返回了异常内容（状态码{answer.status_code}），不知道是否成功")
        code = fields.get("errcode", 0)
        if not isinstance(code, int):
            raise OutcomeUnknown("微信返回的错误码无法识别")
        if code != 0:
            raise ApiRefused(code, str(fields.get("errmsg", "")))
        return fields

    def _kept(self) -> str | None:
        try:
            return self._tokens.get()
        except redis.RedisError as error:
            raise NotReached(f"连不上 Redis（{type(error).__name__}）：请检查 FAWEN_REDIS_URL") from error

    def _renew(self, refused: str | None) -> str:
        """A token other than the refused one; whoever comes second takes what the first has fetched."""
        try:
            with self._tokens.refreshing():
                kept = self._tokens.get()
                if kept is not None and kept != refused:
                    return kept
                token, lasts_s = self._fetch(force=False)
                if token == refused:
                    # Still the one WeChat no longer takes: a forced renewal, which is allowed 20 times a day.
                    token, lasts_s = self._fetch(force=True)
                self._tokens.put(token, max(1, lasts_s - _RENEW_BEFORE_S))
                return token
        except redis.RedisError as error:
            raise NotReached(f"连不上 Redis（{type(error).__name__}）：请检查 FAWEN_REDIS_URL") from error

    def _fetch(self, *, force: bool) -> tuple[str, int]:
        try:
            fields = self._once(
                "/cgi-bin/stable_token",
                {},
                {
                    "grant_type": "client_credential",
                    "appid": self._app_id,
                    "secret": self._app_secret,
                    "force_refresh": force,
                },
            )
        except OutcomeUnknown as error:
            # Fetching a token again does no harm; what needed it was not sent.
            raise NotReached(f"没有取到 access_token：{error}") from error
        token, lasts_s = fields.get("access_token"), fields.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lasts_s, int):
            raise NotReached("微信没有给出 access_token")
        return token, lasts_s
