"""WeChat and its users, played by WeRoBot's crypto: an implementation independent of ours."""

import itertools
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import httpx
from werobot.crypto import MessageCrypt
from werobot.utils import get_signature

_LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)
_IDS = itertools.count(time.time_ns())


class WeChatPeer:
    """Signs and encrypts pushes to one account, and reads the replies."""

    def __init__(self, *, token: str, app_id: str = "", aes_key: str = "", mode: str = "safe") -> None:
        self.token = token
        self.mode = mode
        self._crypt = MessageCrypt(token=token, encoding_aes_key=aes_key, app_id=app_id) if mode != "plain" else None

    def push(
        self, xml: str, *, timestamp: str | None = None, nonce: str | None = None, forge_clear: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Query and body of a push; `forge_clear` is what stands outside the encrypted part in compat mode."""
        timestamp = timestamp or str(int(time.time()))
        nonce = nonce or str(secrets.randbelow(10**9))
        query = {
            "signature": get_signature(self.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": "o_from_query",
        }
        if self._crypt is None:
            return query, xml.encode()
        sealed = ET.fromstring(self._crypt.encrypt_message(xml, timestamp=timestamp, nonce=nonce))
        cipher = sealed.findtext("Encrypt") or ""
        query |= {"encrypt_type": "aes", "msg_signature": get_signature(self.token, timestamp, nonce, cipher)}
        clear = (forge_clear or xml) if self.mode == "compat" else "<xml></xml>"
        inner = clear.strip().removeprefix("<xml>").removesuffix("</xml>")
        return query, f"<xml>{inner}<Encrypt><![CDATA[{cipher}]]></Encrypt></xml>".encode()

    def read(self, body: bytes) -> str:
        """The reply's XML; raises where its signature or its encryption is wrong."""
        if self._crypt is None:
            return body.decode()
        sealed = ET.fromstring(body)
        values = [sealed.findtext(name) or "" for name in ("TimeStamp", "Nonce", "MsgSignature", "Encrypt")]
        clear = self._crypt.decrypt_message(*values)
        return clear.decode() if isinstance(clear, bytes) else str(clear)


@dataclass(frozen=True)
class Link:
    """A tappable link in a reply."""

    label: str
    content: str
    id: str


@dataclass(frozen=True)
class Heard:
    """What came back for one message."""

    status: int
    raw: bytes
    text: str
    links: list[Link] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def visible(self) -> str:
        """The text as the phone shows it."""
        return _LINK.sub(lambda match: match[2], self.text)

    def hears(self, part: str) -> Self:
        assert part in self.visible, f"{part!r} is not in:\n{self.visible}"
        return self

    def hears_not(self, part: str) -> Self:
        assert part not in self.visible, f"{part!r} is in:\n{self.visible}"
        return self

    def hears_choices(self, *labels: str) -> Self:
        offered = [link.label for link in self.links]
        assert list(labels) == offered[: len(labels)], offered
        return self

    def hears_citation(self, citation: str) -> Self:
        basis = re.search(r"依据：.*", self.visible)
        assert basis, f"no basis in:\n{self.visible}"
        statute, place = re.fullmatch(r"(《.*》)(.*)", citation).groups()  # type: ignore[union-attr] # a wrong test
        cited = next((part for part in basis[0].split("；") if statute in part), "")
        assert place in re.split(r"[》、（(款项]", cited) or place in cited, f"{citation} is not in {basis[0]}"
        return self


class WeChatUser:
    """Somebody who talks to the account."""

    def __init__(
        self, http: httpx.Client, peer: WeChatPeer, openid: str, account: str = "gh_fawen", path: str = "/wechat"
    ) -> None:
        self.http = http
        self.peer = peer
        self.openid = openid
        self.account = account
        self.path = path
        self._links: list[Link] = []
        self._last = ""

    def says(self, text: str, **fields: str) -> Heard:
        return self.sends("text", Content=text, **fields)

    def sends(self, msg_type: str, **fields: str) -> Heard:
        return self._push({"MsgType": msg_type, **fields, "MsgId": str(next(_IDS))})

    def event(self, name: str, **fields: str) -> Heard:
        # Events are told apart by their second, so each of ours gets one of its own.
        second = str(int(time.time()) - next(_IDS) % 1_000_000)
        return self._push({"MsgType": "event", "Event": name, "CreateTime": second, **fields})

    def taps(self, part: str) -> Heard:
        """Tap the link of the last reply with this in its label."""
        link = next((link for link in self._links if part in link.label), None)
        assert link, f"no link {part!r} among {[one.label for one in self._links]}"
        return self.says(link.content, bizmsgmenuid=link.id)

    def repeats_last(self) -> Heard:
        """The same push again, signed anew as WeChat may do."""
        return self._deliver(self._last)

    def _push(self, fields: dict[str, str]) -> Heard:
        named = {
            "ToUserName": self.account,
            "FromUserName": self.openid,
            "CreateTime": str(int(time.time())),
            **fields,
        }
        self._last = "<xml>" + "".join(f"<{k}>{_cdata(v)}</{k}>" for k, v in named.items()) + "</xml>"
        return self._deliver(self._last)

    def _deliver(self, xml: str) -> Heard:
        query, body = self.peer.push(xml)
        started = time.perf_counter()
        answer = self.http.post(self.path, params=query, content=body, headers={"content-type": "text/xml"})
        if answer.content in (b"success", b"") or answer.status_code != 200:
            return Heard(answer.status_code, answer.content, "")
        reply = ET.fromstring(self.peer.read(answer.content))
        assert reply.findtext("ToUserName") == self.openid
        assert reply.findtext("FromUserName") == self.account
        text = reply.findtext("Content") or ""
        links = []
        for address, label in _LINK.findall(text):
            if not address.startswith("weixin://bizmsgmenu?"):
                continue
            values = parse_qs(urlsplit(address).query)
            links.append(Link(label, values["msgmenucontent"][0], values["msgmenuid"][0]))
        self._links = links
        return Heard(answer.status_code, answer.content, text, links, time.perf_counter() - started)


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
