"""Judging a webhook's answer as WeChat would: a reply, a silence, or the fault notice (wechat.md §1.4–1.6, §6)."""

from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict

from bot.simulator.pushes import PushBody
from bot.simulator.sealing import Credentials
from bot.wechat.envelope import Mode, decrypted, signature

# What the user sees in place of a reply (wechat.md §1.5).
FAULT = "该公众号暂时无法提供服务，请稍后再试"
# Longer passive replies reach nobody, in bytes of UTF-8, links' markup included (wechat.md §1.6).
REPLY_LIMIT_BYTES = 2048
# The user is gone, or WeChat shows no reply to these (wechat.md §1.4).
_UNSHOWN = {"unsubscribe", "VIEW", "view_miniprogram", "TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH"}
_SILENT = (b"", b"success")
_MEDIA = {"image": "Image", "voice": "Voice", "video": "Video"}


@dataclass(frozen=True, slots=True)
class Article:
    """One entry of a news reply."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What reaches the phone. `kind` is WeChat's MsgType; other kinds than text carry few words or none."""

    kind: str
    text: str
    articles: tuple[Article, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer judged: `fault` says why WeChat shows its notice; without one, `reply` None is a silence.

    `clear` is the reply's XML as decrypted, as far as that went.
    """

    reply: Reply | None
    fault: str | None
    clear: str = ""


class _Fault(Exception):
    """The answer is none of what WeChat accepts; the text says why."""


def judge(
    credentials: Credentials, key: bytes | None, openid: str, body: PushBody, *, status: int, answer: bytes
) -> Verdict:
    """What WeChat makes of the answer to a push that was sealed with `key` and came from `openid`."""
    if status != 200:
        return Verdict(None, f"状态码{status}")
    if answer in _SILENT:
        return Verdict(None, None)
    clear = ""
    try:
        clear = _clear(credentials, key, answer)
        reply = _reply(_fields(clear, "回复"), credentials, openid, body)
    except _Fault as fault:
        return Verdict(None, str(fault), clear)
    return Verdict(None if body.kind in _UNSHOWN else reply, None, clear)


def _clear(credentials: Credentials, key: bytes | None, answer: bytes) -> str:
    try:
        text = answer.decode()
    except UnicodeDecodeError as error:
        raise _Fault(f"回复不是微信能读的格式：{error}") from error
    fields = _fields(text, "回复")
    if "Encrypt" not in fields:
        if credentials.mode is Mode.SAFE:
            raise _Fault("安全模式下回复没有加密")
        return text
    if key is None:
        raise _Fault("明文推送的回复加了密")
    cipher, given = _one(fields, "Encrypt"), _one(fields, "MsgSignature")
    if signature(credentials.token, _one(fields, "TimeStamp"), _one(fields, "Nonce"), cipher) != given:
        raise _Fault("回复的签名不对")
    try:
        return decrypted(cipher, credentials.app_id, key)
    except ValueError as error:
        raise _Fault(f"回复解不开密，应当用推送所用的密钥和AppID：{error}") from error


def _reply(fields: dict[str, Any], credentials: Credentials, openid: str, body: PushBody) -> Reply:
    if (_one(fields, "ToUserName"), _one(fields, "FromUserName")) != (openid, credentials.name):
        raise _Fault("回复的收发双方不对：收件人应是提问的用户，发件人应是公众号")
    if not _one(fields, "CreateTime").isdecimal():
        raise _Fault("回复的CreateTime不是秒数")
    kind = _one(fields, "MsgType")
    match kind:
        case "text":
            return Reply(kind, _text(_one(fields, "Content")))
        case "image" | "voice" | "video":
            media = fields.get(_MEDIA[kind])
            if not isinstance(media, dict) or not media.get("MediaId"):
                raise _Fault(f"回复的{_MEDIA[kind]}没有MediaId")
            return Reply(kind, "")
        case "music":
            music = fields.get("Music")
            return Reply(kind, str(music.get("Title") or "") if isinstance(music, dict) else "")
        case "news":
            return Reply(kind, "", _articles(fields, most=8 if body.is_event else 1))
        case "transfer_customer_service":
            return Reply(kind, "")
    raise _Fault(f"回复的类型{kind!r}微信不认识")


def _text(content: str) -> str:
    if not content:
        raise _Fault("回复的Content是空的")
    if (size := len(content.encode())) > REPLY_LIMIT_BYTES:
        raise _Fault(f"回复{size}字节，超过{REPLY_LIMIT_BYTES}字节")
    return content


def _articles(fields: dict[str, Any], most: int) -> tuple[Article, ...]:
    """The articles that show: one after a user's message, up to eight after an event; WeChat drops the rest."""
    holder = fields.get("Articles")
    items = holder.get("item") if isinstance(holder, dict) else None
    listed: list[Any] = items if isinstance(items, list) else [items]
    if not all(isinstance(item, dict) and item.get("Title") for item in listed):
        raise _Fault("图文回复没有带标题的item")
    if _one(fields, "ArticleCount") != str(len(listed)):
        raise _Fault("图文回复的ArticleCount与条数不符")
    return tuple(Article(str(item["Title"]), str(item.get("Url") or "")) for item in listed[:most])


def _fields(xml: str, what: str) -> dict[str, Any]:
    try:
        root = xmltodict.parse(xml)["xml"]
    except (ExpatError, KeyError, ValueError) as error:
        raise _Fault(f"{what}不是微信能读的格式：{error!r}") from error
    if not isinstance(root, dict):
        raise _Fault(f"{what}不是微信能读的格式：<xml>里没有字段")
    return root


def _one(fields: dict[str, Any], name: str) -> str:
    """A field's text; repeated or nested it is a fault, missing it is empty."""
    value = fields.get(name) or ""
    if not isinstance(value, str):
        raise _Fault(f"回复的{name}重复或者有下级")
    return value
