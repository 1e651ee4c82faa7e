"""Opening what WeChat pushes and sealing what we reply: signature, encryption, XML (wechat.md §1)."""

import hashlib
import hmac
import re
import secrets
import struct
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.crypto import PrpCrypto
from wechatpy.exceptions import InvalidAppIdException

from bot.wechat.errors import InvalidSignature, StalePush, UnreadableMessage
from bot.wechat.messages import (
    Content,
    Follow,
    IncomingMessage,
    Media,
    MenuClick,
    OpenId,
    OtherEvent,
    Scan,
    Text,
    Unfollow,
    Unknown,
    Voice,
)

# How far a push's timestamp may lie from our clock, in seconds: wide enough for retries and for a clock
# that is off. The protocol itself has no replay protection (wechat.md §1.3); repeats are claimed by key.
WINDOW_S = 600
# More elements than any documented push has; each costs parsing time (wechat.md §4.3).
_MOST_ELEMENTS = 400
_MEDIA = {"image", "video", "shortvideo", "location", "link"}
_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SCENE_PREFIX = "qrscene_"


class Mode(StrEnum):
    """消息加解密方式, as set in the account's console."""

    PLAIN = "plain"
    COMPAT = "compat"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Push:
    """A request's body and query; a name that the query gives twice must not be in it."""

    body: bytes
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Opened:
    """The message, and what sealing the reply needs: `key` is the one that opened the push (None: clear)."""

    message: IncomingMessage
    key: bytes | None


class Envelope:
    """Opens pushes to one account and seals the replies to them."""

    def __init__(
        self,
        *,
        token: str,
        app_id: str = "",
        aes_key: str = "",
        previous_aes_key: str = "",
        mode: Mode = Mode.SAFE,
    ) -> None:
        """Raises ValueError naming the variable for an empty token or keys that cannot be keys."""
        if not token:
            raise ValueError("FAWEN_WECHAT_TOKEN is empty: anybody could sign for it; set it as in the console")
        if mode is not Mode.PLAIN and not app_id:
            raise ValueError(f"FAWEN_WECHAT_APP_ID is empty: mode {mode} needs it (or set FAWEN_WECHAT_MODE=plain)")
        self._token = token
        self._app_id = app_id
        self._mode = mode
        self._keys: list[bytes] = []
        if mode is not Mode.PLAIN:
            self._keys.append(_key_bytes("FAWEN_WECHAT_AES_KEY", aes_key))
            if previous_aes_key:
                self._keys.append(_key_bytes("FAWEN_WECHAT_PREVIOUS_AES_KEY", previous_aes_key))

    def verify_url(self, query: Mapping[str, str]) -> str:
        """The echo that WeChat's URL check wants; raises InvalidSignature. It is clear in every mode."""
        self._check(query, "signature")
        echo = query.get("echostr", "")
        if not echo.isascii() or len(echo) > 200:
            raise InvalidSignature("echostr is missing or odd")
        return echo

    def open(self, push: Push, now: datetime) -> Opened:
        """Read the message of a push.

        Nothing is taken from outside what the signature covers: in an encrypted push only the decrypted
        part counts. Raises InvalidSignature, StalePush or UnreadableMessage.
        """
        encrypted = push.query.get("encrypt_type", "raw") == "aes"
        if self._mode is Mode.PLAIN:
            encrypted = False
        elif self._mode is Mode.SAFE and not encrypted:
            # Accepting it would let a forger leave out the encryption that protects the body.
            raise InvalidSignature("the push is clear, and FAWEN_WECHAT_MODE is safe")
        if not encrypted:
            self._check(push.query, "signature")
            self._check_age(push.query, now)
            return Opened(_message(_parse(push.body, verified=True)), None)
        cipher = _parse(push.body, verified=False).get("Encrypt")
        if not isinstance(cipher, str):
            raise UnreadableMessage("the push has no single Encrypt element", verified=False)
        self._check(push.query, "msg_signature", cipher)
        self._check_age(push.query, now)
        clear, key = self._decrypt(cipher)
        return Opened(_message(_parse(clear, verified=True)), key)

    def seal(self, opened: Opened, text: str, now: datetime) -> bytes:
        """The reply to a push as WeChat takes it, encrypted with the key that opened it."""
        message = opened.message
        stamp = str(int(now.timestamp()))
        reply = (
            f"<xml><ToUserName>{_cdata(message.openid)}</ToUserName>"
            f"<FromUserName>{_cdata(message.account)}</FromUserName>"
            f"<CreateTime>{stamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content>{_cdata(text)}</Content></xml>"
        )
        if opened.key is None:
            return reply.encode()
        return encrypted_envelope(reply, self._token, self._app_id, opened.key, stamp).encode()

    def _check(self, query: Mapping[str, str], name: str, *signed: str) -> None:
        given = query.get(name, "")
        parts = [query.get("timestamp", ""), query.get("nonce", ""), *signed]
        if not given or not all(part.isascii() for part in (given, *parts)):
            raise InvalidSignature(f"{name} is missing or odd")
        if not hmac.compare_digest(signature(self._token, *parts).encode(), given.encode()):
            raise InvalidSignature(f"{name} does not fit: is FAWEN_WECHAT_TOKEN the one in the console?")

    def _check_age(self, query: Mapping[str, str], now: datetime) -> None:
        stamp = query.get("timestamp", "")
        if not stamp.isdecimal() or len(stamp) > 12 or abs(int(stamp) - now.timestamp()) > WINDOW_S:
            raise StalePush(f"timestamp {stamp[:20]!r} is more than {WINDOW_S} s off: is this machine's clock right?")

    def _decrypt(self, cipher: str) -> tuple[bytes, bytes]:
        """The clear body, and the key that opened it: the previous one while a new one takes over."""
        for key in self._keys:
            try:
                return decrypted(cipher, self._app_id, key).encode(), key
            except ValueError:
                continue
        raise UnreadableMessage(
            "no key opens the push: are FAWEN_WECHAT_APP_ID and FAWEN_WECHAT_AES_KEY those in the console?",
            verified=True,
        )


def signature(token: str, *parts: str) -> str:
    """WeChat's signature: sha1 over token and parts, sorted and joined (encryption page, wechat.md §1.1)."""
    return hashlib.sha1("".join(sorted((token, *parts))).encode(), usedforsecurity=False).hexdigest()


def encrypted_envelope(clear: str, token: str, app_id: str, key: bytes, stamp: str) -> str:
    """The four-element XML that carries an encrypted text in either direction."""
    cipher = PrpCrypto(key).encrypt(clear, app_id)
    text = cipher.decode() if isinstance(cipher, bytes) else cipher
    nonce = str(secrets.randbelow(10**10))
    return (
        f"<xml><Encrypt><![CDATA[{text}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{signature(token, stamp, nonce, text)}]]></MsgSignature>"
        f"<TimeStamp>{stamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )


def decrypted(cipher: str, app_id: str, key: bytes) -> str:
    """The text in a cipher; ValueError for a wrong key or app id, or a cipher that was cut or altered."""
    try:
        clear: str = PrpCrypto(key).decrypt(cipher, app_id)
    except (InvalidAppIdException, ValueError, IndexError, TypeError, struct.error) as error:
        # wechatpy lets through whatever its parts raise, binascii's and decoding errors (both
        # ValueErrors) among them (wechat.md §4.3).
        raise ValueError(f"cannot be decrypted: {error!r}") from error
    return clear


def aes_key_bytes(aes_key: str) -> bytes:
    """The 32 bytes that an EncodingAESKey of 43 characters stands for; ValueError if it is none."""
    if not _AES_KEY.fullmatch(aes_key):
        raise ValueError(f"an EncodingAESKey has 43 characters a-z A-Z 0-9, not {len(aes_key)}")
    return b64decode(aes_key + "=")


def _key_bytes(variable: str, aes_key: str) -> bytes:
    try:
        return aes_key_bytes(aes_key)
    except ValueError as error:
        raise ValueError(f"{variable}: {error}; copy it from the console") from error


def _parse(body: bytes, *, verified: bool) -> dict[str, Any]:
    """The fields of an XML body. Values may be anything XML can say: they are checked where they are used."""
    try:
        if body.count(b"<") > 2 * _MOST_ELEMENTS:
            raise ValueError("more elements than any message has")
        # xmltodict >= 1.0 refuses entities of any kind; none of WeChat's messages has one.
        parsed = xmltodict.parse(body.decode("utf-8-sig"))
    except (ExpatError, ValueError, RecursionError) as error:
        raise UnreadableMessage(f"the body is no XML of WeChat's: {error}", verified=verified) from error
    root = parsed.get("xml")
    if not isinstance(root, dict):
        raise UnreadableMessage("the body has no <xml> with fields", verified=verified)
    return root


def _message(fields: dict[str, Any]) -> IncomingMessage:
    openid, account = _single(fields, "FromUserName"), _single(fields, "ToUserName")
    kind, created = _single(fields, "MsgType"), _single(fields, "CreateTime")
    if not openid or not account or not kind or len(openid) > 64:
        raise UnreadableMessage("FromUserName, ToUserName or MsgType is missing or odd", verified=True)
    if not created.isascii() or not created.isdecimal() or len(created) > 11:
        raise UnreadableMessage(f"CreateTime {created[:20]!r} is no time", verified=True)
    if kind == "event":
        identity = ["event", openid, created, _single(fields, "Event"), _single(fields, "EventKey")]
    else:
        # Different users were seen sharing a MsgId, so it is no key alone (wechat.md §0.8).
        identity = ["message", openid, created, _single(fields, "MsgId")]
    return IncomingMessage(
        key=hashlib.sha256("\0".join((account, *identity)).encode()).hexdigest(),
        openid=OpenId(openid),
        account=account,
        sent_at=datetime.fromtimestamp(int(created), UTC),
        content=_event(fields) if kind == "event" else _content(kind, fields),
    )


def _content(kind: str, fields: dict[str, Any]) -> Content:
    if kind == "text":
        return Text(_single(fields, "Content"), _single(fields, "bizmsgmenuid") or None)
    if kind == "voice":
        return Voice(_single(fields, "Recognition"))
    return Media(kind) if kind in _MEDIA else Unknown(kind[:40])


def _event(fields: dict[str, Any]) -> Content:
    name, key = _single(fields, "Event"), _single(fields, "EventKey")
    match name:
        case "subscribe":
            return Follow(key.removeprefix(_SCENE_PREFIX)[:128] if key.startswith(_SCENE_PREFIX) else None)
        case "unsubscribe":
            return Unfollow()
        case "SCAN":
            return Scan(key[:128])
        case "CLICK":
            return MenuClick(key)
    return OtherEvent(name[:60])


def _single(fields: dict[str, Any], name: str) -> str:
    """A field's text without characters XML forbids; empty where it is missing, repeated or nested."""
    value = fields.get(name)
    return _FORBIDDEN.sub("", value).strip() if isinstance(value, str) else ""


def _cdata(text: str) -> str:
    """Text inside CDATA: `]]>` cannot end it, and no character stands there that XML forbids."""
    return f"<![CDATA[{_FORBIDDEN.sub('', text).replace(']]>', ']]]]><![CDATA[>')}]]>"
