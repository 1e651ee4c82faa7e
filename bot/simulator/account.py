"""WeChat's server side: builds, signs and posts pushes, and judges the replies as WeChat would."""

import itertools
import secrets
import time
from dataclasses import dataclass
from xml.parsers.expat import ExpatError

import httpx
import xmltodict

from bot.wechat.envelope import Mode, aes_key_bytes, decrypted, encrypted_envelope, signature

# WeChat waits this long for a reply, in seconds, and pushes the same message three times in all (wechat.md §1.5).
TIMEOUT_S = 5.0
ATTEMPTS = 3
# Longer passive replies reach nobody, in bytes of UTF-8 (wechat.md §1.6).
REPLY_LIMIT_BYTES = 2048
FAULT = "该公众号提供的服务出现故障，请稍后再试"


class NotReachable(Exception):
    """Nothing listens at the webhook's address."""


@dataclass(frozen=True, slots=True)
class Received:
    """What the user's phone gets: the reply's text ("" for a bare success), or the fault notice and why."""

    text: str
    fault: str | None = None


class SimulatedAccount:
    """One official account as WeChat's servers see it."""

    def __init__(self, url: str, token: str, app_id: str, aes_key: str, mode: Mode, name: str = "gh_simulated") -> None:
        """`url` is the webhook; the other settings are those of the account being simulated."""
        self._url = url
        self._token = token
        self._app_id = app_id
        self._key = aes_key_bytes(aes_key) if mode is not Mode.PLAIN else b""
        self._mode = mode
        self._name = name
        self._ids = itertools.count(time.time_ns())
        self._last: tuple[str, str] | None = None

    def text(self, openid: str, content: str, menu_id: str | None = None) -> Received:
        """The user sends words, or taps a link (`menu_id`)."""
        return self.message(openid, "text", Content=content, **({"bizmsgmenuid": menu_id} if menu_id else {}))

    def message(self, openid: str, kind: str, **fields: str) -> Received:
        """The user sends a message of a kind, with the kind's own fields (wechat.md §2)."""
        return self._push(openid, {"MsgType": kind, **fields, "MsgId": str(next(self._ids))})

    def event(self, openid: str, name: str, key: str = "") -> Received:
        """Something happens that the user did: subscribe, unsubscribe, SCAN, CLICK."""
        return self._push(openid, {"MsgType": "event", "Event": name, "EventKey": key})

    def again(self) -> Received:
        """The last push once more, as WeChat repeats it when it had no answer."""
        if self._last is None:
            return Received("", "还没有发送过消息")
        return self._deliver(*self._last)

    def _push(self, openid: str, fields: dict[str, str]) -> Received:
        named = {"ToUserName": self._name, "FromUserName": openid, "CreateTime": str(int(time.time())), **fields}
        xml = "<xml>" + "".join(f"<{name}>{_cdata(value)}</{name}>" for name, value in named.items()) + "</xml>"
        self._last = (openid, xml)
        return self._deliver(openid, xml)

    def _deliver(self, openid: str, xml: str) -> Received:
        received = Received("", "没有回应")
        for _ in range(ATTEMPTS):
            try:
                received = self._attempt(openid, xml)
            except httpx.ConnectError as error:
                raise NotReachable(self._url) from error
            except httpx.TimeoutException:
                received = Received("", f"{TIMEOUT_S:.0f}秒内没有回应")
            except httpx.TransportError as error:
                received = Received("", f"连接中断：{error}")
            if received.fault is None:
                break
        return received

    def _attempt(self, openid: str, xml: str) -> Received:
        stamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
        query = {
            "signature": signature(self._token, stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
            "openid": openid,
        }
        body = xml
        if self._mode is not Mode.PLAIN:
            sealed = xmltodict.parse(encrypted_envelope(xml, self._token, self._app_id, self._key, stamp))["xml"]
            cipher = f"<Encrypt><![CDATA[{sealed['Encrypt']}]]></Encrypt>"
            query |= {"encrypt_type": "aes", "msg_signature": signature(self._token, stamp, nonce, sealed["Encrypt"])}
            inner = xml.removeprefix("<xml>").removesuffix("</xml>") if self._mode is Mode.COMPAT else ""
            body = f"<xml><ToUserName>{_cdata(self._name)}</ToUserName>{cipher}</xml>"
            if inner:
                body = f"<xml>{inner}{cipher}</xml>"
        answer = httpx.post(
            self._url,
            params=query,
            content=body.encode(),
            headers={"content-type": "text/xml"},
            timeout=TIMEOUT_S,
            trust_env=False,
        )
        return self._judge(answer, openid)

    def _judge(self, answer: httpx.Response, openid: str) -> Received:
        if answer.status_code != 200:
            return Received("", f"状态码{answer.status_code}")
        if answer.content in (b"", b"success"):
            return Received("")
        try:
            fields = xmltodict.parse(answer.content)["xml"]
            if self._mode is not Mode.PLAIN:
                signed = signature(self._token, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
                if signed != fields["MsgSignature"]:
                    return Received("", "回复的签名不对")
                fields = xmltodict.parse(decrypted(fields["Encrypt"], self._app_id, self._key))["xml"]
            text = fields["Content"] or ""
            swapped = fields["ToUserName"] == openid and fields["FromUserName"] == self._name
        except (ExpatError, KeyError, TypeError, ValueError) as error:
            return Received("", f"回复不是微信能读的格式：{error!r}")
        if not swapped or fields["MsgType"] != "text" or not text:
            return Received("", "回复的收发双方、类型或内容不对")
        if len(text.encode()) > REPLY_LIMIT_BYTES:
            return Received("", f"回复{len(text.encode())}字节，超过{REPLY_LIMIT_BYTES}字节")
        return Received(text)


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
