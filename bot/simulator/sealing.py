"""Signing and encrypting a push as WeChat does, in the three modes (wechat.md §1.2, §1.3)."""

import re
from dataclasses import dataclass, field

import xmltodict

from bot.simulator import pushes
from bot.wechat.envelope import Mode, aes_key_bytes, encrypted_envelope, signature


@dataclass(frozen=True, slots=True)
class Credentials:
    """What WeChat and the bot share about an account; the keys never show in a repr."""

    token: str = field(repr=False)
    app_id: str = ""
    aes_key: str = field(default="", repr=False)
    mode: Mode = Mode.SAFE
    # The key before the last rotation; pushes may still come under it for a while.
    previous_aes_key: str = field(default="", repr=False)
    app_secret: str = field(default="", repr=False)
    # The account's own id, the ToUserName of every push.
    name: str = "gh_simulated"

    def key_bytes(self, *, previous: bool = False) -> bytes:
        """The key a push is sealed with; ValueError where it is none of 43 characters."""
        return aes_key_bytes(self.previous_aes_key if previous else self.aes_key)


@dataclass(frozen=True, slots=True)
class SealedPush:
    """A request ready to be posted; `key` sealed it and must seal the reply (None: a clear push)."""

    query: dict[str, str]
    body: bytes
    key: bytes | None


def seal(
    credentials: Credentials,
    openid: str,
    xml: str,
    *,
    stamp: str,
    nonce: str,
    previous_key: bool = False,
    hostile: bool = False,
) -> SealedPush:
    """Sign, and where the mode asks for it encrypt, one push.

    `stamp` is the time in seconds, `nonce` digits. `previous_key`: WeChat still uses the key before the
    last rotation. `hostile`, in compatible mode only: the clear fields, which no signature covers, name another
    sender and other words than the encrypted ones; a bot that believes them can be made to answer anybody.
    """
    query = {
        "signature": signature(credentials.token, stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "openid": openid,
    }
    if credentials.mode is Mode.PLAIN:
        return SealedPush(query, xml.encode(), None)
    key = credentials.key_bytes(previous=previous_key)
    envelope = encrypted_envelope(xml, credentials.token, credentials.app_id, key, stamp)
    cipher = xmltodict.parse(envelope)["xml"]["Encrypt"]
    query |= {"encrypt_type": "aes", "msg_signature": signature(credentials.token, stamp, nonce, cipher)}
    outside = pushes.render({"ToUserName": credentials.name})
    if credentials.mode is Mode.COMPAT:
        outside = _forged(xml) if hostile else xml
    sealed = outside.removesuffix("</xml>") + f"<Encrypt>{pushes.cdata(cipher)}</Encrypt></xml>"
    return SealedPush(query, sealed.encode(), key)


def _forged(xml: str) -> str:
    forged = re.sub(r"<FromUserName>.*?</FromUserName>", "<FromUserName>o_forged_victim</FromUserName>", xml)
    return re.sub(r"<Content>.*?</Content>", "<Content>forged words</Content>", forged, flags=re.DOTALL)
