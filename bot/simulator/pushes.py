"""Every message and event WeChat pushes, with its fields and in its XML (wechat.md §2).

A function per kind: arguments are what differs from case to case, the rest is filled with plausible values.
Names of fields and events, odd capitals included, are WeChat's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Value: TypeAlias = "str | int | Mapping[str, Value] | Sequence[Mapping[str, Value]]"

# What stickers and whatever else has no type arrive as: a text message with these words.
UNSUPPORTED = "【收到不支持的消息类型，暂无法显示】"
_MEDIA_ID = "simulated_media_0001"


@dataclass(frozen=True, slots=True)
class PushBody:
    """The fields of a push that depend on its kind; sender, receiver, time and MsgId are added on sending."""

    fields: Mapping[str, Value]

    @property
    def kind(self) -> str:
        """The message's MsgType, or the event's name."""
        return str(self.fields.get("Event", self.fields["MsgType"]))

    @property
    def is_event(self) -> bool:
        """Whether it is an event: those have no MsgId."""
        return self.fields["MsgType"] == "event"

    @property
    def content(self) -> str:
        """A text message's words."""
        return str(self.fields.get("Content", ""))

    @property
    def event_key(self) -> str:
        """An event's EventKey; empty where there is none."""
        return str(self.fields.get("EventKey", ""))


def _message(kind: str, **fields: Value) -> PushBody:
    return PushBody({"MsgType": kind, **fields})


def _event(name: str, **fields: Value) -> PushBody:
    return PushBody({"MsgType": "event", "Event": name, **fields})


def text(content: str, menu_id: str | None = None) -> PushBody:
    """Words; `menu_id` is the id of the tapped link, where they came by a tap."""
    return _message("text", Content=content, **({"bizmsgmenuid": menu_id} if menu_id else {}))


def sticker() -> PushBody:
    """A sticker, red packet, mini program card…: WeChat says only that it cannot show it."""
    return text(UNSUPPORTED)


def image(url: str = "http://mmbiz.qpic.cn/mmbiz_jpg/simulated/0") -> PushBody:
    """A picture."""
    return _message("image", PicUrl=url, MediaId=_MEDIA_ID)


def voice(recognition: str | None = "") -> PushBody:
    """A voice message; the transcript is empty since 2023, or (None) its element is missing altogether."""
    told: dict[str, Value] = {} if recognition is None else {"Recognition": recognition}
    return _message("voice", MediaId=_MEDIA_ID, Format="amr", MediaId16K=_MEDIA_ID + "_16k", **told)


def video(*, short: bool = False) -> PushBody:
    """A video, or a short one recorded in the chat."""
    return _message("shortvideo" if short else "video", MediaId=_MEDIA_ID, ThumbMediaId=_MEDIA_ID + "_thumb")


def location(label: str = "天津市滨海新区第一大街", x: str = "39.035900", y: str = "117.709800") -> PushBody:
    """A place sent in the chat; `x` is the latitude, `y` the longitude."""
    return _message("location", Location_X=x, Location_Y=y, Scale=16, Label=label)


def link(title: str = "一篇文章", url: str = "https://mp.weixin.qq.com/s/simulated") -> PushBody:
    """A shared article."""
    return _message("link", Title=title, Description="", Url=url)


def unknown_message(kind: str = "hologram") -> PushBody:
    """A message of a type that does not exist yet."""
    return _message(kind, Payload="…")


def from_article(body: PushBody, data_id: str = "2247483650_1", index: int = 1) -> PushBody:
    """The same message sent from under an article: two more fields tell which."""
    return replace(body, fields={**body.fields, "MsgDataId": data_id, "Idx": index})


def subscribe(scene: str | None = None, *, with_key: bool = True) -> PushBody:
    """A new follower; by a QR code of a scene, or with the empty EventKey that is often, not always, there."""
    if scene is not None:
        return _event("subscribe", EventKey=f"qrscene_{scene}", Ticket="simulated_ticket")
    return _event("subscribe", **({"EventKey": ""} if with_key else {}))


def unsubscribe() -> PushBody:
    """The user leaves; nothing can be said to him any more."""
    return _event("unsubscribe", EventKey="")


def scan(scene: str) -> PushBody:
    """A follower scans a QR code of the account."""
    return _event("SCAN", EventKey=scene, Ticket="simulated_ticket")


def location_report(latitude: str = "39.0359", longitude: str = "117.7098") -> PushBody:
    """Where the user is, on entering the chat or every 5 s where that is switched on."""
    return _event("LOCATION", Latitude=latitude, Longitude=longitude, Precision="65.0")


def click(key: str, *, with_key: bool = True) -> PushBody:
    """A tap on a menu button of type click; without the key as chaos has it."""
    return _event("CLICK", **({"EventKey": key} if with_key else {}))


def view(url: str) -> PushBody:
    """A tap on a menu button that opens a page."""
    return _event("VIEW", EventKey=url, MenuId=_MENU_ID)


def view_miniprogram(path: str = "pages/index") -> PushBody:
    """A tap on a menu button that opens a mini program."""
    return _event("view_miniprogram", EventKey=path, MenuId=_MENU_ID)


_MENU_ID = "425677895"


def scancode(key: str, result: str = "simulated", *, waits: bool = True) -> PushBody:
    """A menu button that scans a code: `waits` shows "receiving" until a reply comes (scancode_waitmsg)."""
    name = "scancode_waitmsg" if waits else "scancode_push"
    return _event(name, EventKey=key, ScanCodeInfo={"ScanType": "qrcode", "ScanResult": result})


def pictures(key: str, kind: Literal["pic_sysphoto", "pic_photo_or_album", "pic_weixin"] = "pic_weixin") -> PushBody:
    """A menu button that takes or picks pictures; the pictures follow as messages."""
    listed = {"item": {"PicMd5Sum": "1b5f7c23b5bf75682a53e7b6d163e185"}}
    return _event(kind, EventKey=key, SendPicsInfo={"Count": 1, "PicList": listed})


def location_select(key: str) -> PushBody:
    """A menu button that picks a place; the place follows as a message."""
    place: dict[str, Value] = {
        "Location_X": "39.0359",
        "Location_Y": "117.7098",
        "Scale": "16",
        "Label": "天津市滨海新区",
        "Poiname": "",
    }
    return _event("location_select", EventKey=key, SendLocationInfo=place)


def template_sent(message_id: int, status: str = "success") -> PushBody:
    """How a template message fared: success, `failed:user block`, `failed: system failed`."""
    return _event("TEMPLATESENDJOBFINISH", MsgID=message_id, Status=status)


def mass_sent(message_id: int, *, total: int = 100, sent: int = 98) -> PushBody:
    """How a mass message fared."""
    counts: dict[str, Value] = {
        "TotalCount": total,
        "FilterCount": total,
        "SentCount": sent,
        "ErrorCount": total - sent,
    }
    return _event("MASSSENDJOBFINISH", MsgID=message_id, Status="send success", **counts)


def subscription_popup(template_id: str = "simulated_template", *more: str, accepted: bool = True) -> PushBody:
    """The user answered the question whether he wants notices; one List per template."""
    lists = [
        {"TemplateId": one, "SubscribeStatusString": "accept" if accepted else "reject", "PopupScene": "2"}
        for one in (template_id, *more)
    ]
    return _event("subscribe_msg_popup_event", SubscribeMsgPopupEvent={"List": lists if more else lists[0]})


def subscription_change(template_id: str = "simulated_template") -> PushBody:
    """The user switched notices off; the documented example wraps it in the popup event's element."""
    changed = {"TemplateId": template_id, "SubscribeStatusString": "reject"}
    return _event("subscribe_msg_change_event", SubscribeMsgPopupEvent={"List": changed})


def subscription_sent(message_id: int, template_id: str = "simulated_template") -> PushBody:
    """How a subscription notice fared."""
    sent: dict[str, Value] = {
        "TemplateId": template_id,
        "MsgID": message_id,
        "ErrorCode": "0",
        "ErrorStatus": "success",
    }
    return _event("subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": sent})


def service_session(step: Literal["create", "close", "switch"], account: str = "kf2001@gh_simulated") -> PushBody:
    """A human customer-service session begins, ends or changes hands."""
    if step == "switch":
        return _event("kf_switch_session", FromKfAccount=account, ToKfAccount="kf2002@gh_simulated")
    return _event(f"kf_{step}_session", KfAccount=account)


def authorization(
    kind: Literal["user_authorization_revoke", "user_authorization_cancellation", "user_info_modified"], openid: str
) -> PushBody:
    """The user took back an authorization, closed his WeChat account, or changed his profile."""
    return _event(kind, OpenID=openid, AppID="wx0123456789abcdef", RevokeInfo="301")


def published(publish_id: str = "100000001", status: int = 0) -> PushBody:
    """How publishing an article fared: 0 is success."""
    told: dict[str, Value] = {"publish_id": publish_id, "publish_status": status, "article_id": "simulated_article"}
    return _event("PUBLISHJOBFINISH", PublishEventInfo=told)


def debug_demo(word: str = "debug_demo") -> PushBody:
    """What the platform's debug tool sends."""
    return _event("debug_demo", debug_str=word)


def unknown_event(name: str = "hologram_opened") -> PushBody:
    """An event that does not exist yet."""
    return _event(name, EventKey="")


def render(fields: Mapping[str, Value]) -> str:
    """The `<xml>` of a push: numbers bare, all else in CDATA, nested and repeated elements as they are."""
    return "<xml>" + _inner(fields) + "</xml>"


def _inner(fields: Mapping[str, Value]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: Value) -> str:
    match value:
        case str():
            return f"<{name}>{cdata(value)}</{name}>\n"
        case int():
            return f"<{name}>{value}</{name}>\n"
        case Mapping():
            return f"<{name}>{_inner(value)}</{name}>\n"
        case _:
            return "".join(_element(name, one) for one in value)


def cdata(text: str) -> str:
    """Text inside CDATA that a `]]>` in it does not end."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
