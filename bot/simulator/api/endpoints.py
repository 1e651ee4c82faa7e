"""What each endpoint does: query and JSON in, the answer's fields out, ApiError for a refusal (wechat.md §6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from bot.simulator import pushes
from bot.simulator.account import SimulatedUser
from bot.simulator.api.errors import ApiError
from bot.simulator.api.menus import check_menu
from bot.simulator.api.platform import Platform
from bot.simulator.kinds import AccountKind, Permission
from bot.simulator.pushes import PushBody
from bot.simulator.verdicts import REPLY_LIMIT_BYTES, Article, Reply

OK: dict[str, Any] = {"errcode": 0, "errmsg": "ok"}
_MEDIA_TYPES = ("image", "voice", "video", "music", "mpnews", "mpnewsarticle", "wxcard", "miniprogrampage")
_TYPING_FOR = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call's query, JSON body (None where it has none) and caller. `has_escapes`: the body wrote `\\uxxxx`."""

    query: Mapping[str, str]
    data: Any
    ip: str
    has_escapes: bool = False

    def field(self, name: str) -> Any:
        """A field of the JSON object; ApiError where the body is none."""
        if not isinstance(self.data, dict):
            raise ApiError(47001)
        return self.data.get(name)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer's fields, and the event that WeChat pushes afterwards."""

    fields: dict[str, Any]
    event: tuple[SimulatedUser, PushBody] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a path is called and who may."""

    method: str
    run: Callable[[Platform, Asked], Answer]
    permission: Permission | None = None
    needs_token: bool = True


def token(platform: Platform, asked: Asked) -> Answer:
    """GET /cgi-bin/token."""
    _check_secret(platform, asked.query, asked.ip)
    value, left = platform.tokens.classic()
    return Answer({"access_token": value, "expires_in": left})


def stable_token(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/stable_token."""
    force = asked.field("force_refresh") is True
    _check_secret(platform, asked.data, asked.ip)
    value, left = platform.tokens.stable(force=force)
    return Answer({"access_token": value, "expires_in": left})


def _check_secret(platform: Platform, given: Mapping[str, Any], ip: str) -> None:
    credentials = platform.account.credentials
    if given.get("grant_type") != "client_credential":
        raise ApiError(40002)
    for name, missing, wrong, right in (
        ("appid", 41002, 40013, credentials.app_id),
        ("secret", 41004, 40125, credentials.app_secret),
    ):
        if not given.get(name):
            raise ApiError(missing)
        if given[name] != right:
            raise ApiError(wrong)
    if platform.ip_whitelist is not None and ip not in platform.ip_whitelist:
        raise ApiError(40164, f"invalid ip {ip} ipv6 ::ffff:{ip}, not in whitelist")


def custom_send(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/message/custom/send: checked, charged against the allowance, shown on the phone."""
    user = _addressee(platform, asked)
    reply = _custom_reply(platform, asked)
    with platform.lock:
        if not user.is_following:
            raise ApiError(45015)
        if code := user.allowance.charge(platform.account.now()):
            raise ApiError(code)
    user.receives(reply)
    return Answer(OK)


def _custom_reply(platform: Platform, asked: Asked) -> Reply:
    kind = asked.field("msgtype")
    if kind == "text":
        return Reply("text", _checked_text(_part(asked, "text").get("content")))
    if kind == "msgmenu":
        # Reported of test accounts (wechat.md §1.7).
        if platform.account.kind is AccountKind.TEST:
            raise ApiError(40200)
        return Reply("text", _menu_text(_part(asked, "msgmenu")))
    if kind == "news":
        articles = _part(asked, "news").get("articles") or []
        if len(articles) != 1:
            raise ApiError(45008)
        return Reply("news", "", tuple(Article(one.get("title", ""), one.get("url", "")) for one in articles))
    if kind in _MEDIA_TYPES:
        _part(asked, kind)
        return Reply(kind, "")
    raise ApiError(40008)


def _menu_text(menu: dict[str, Any]) -> str:
    """The lines a phone shows for a msgmenu: its choices are links like those in a passive reply."""
    choices = menu.get("list") or []
    if not choices or not all(isinstance(one, dict) and one.get("id") and one.get("content") for one in choices):
        raise ApiError(40035)
    links = [
        f'<a href="weixin://bizmsgmenu?msgmenucontent={quote(one["content"], safe="")}&msgmenuid={one["id"]}">'
        f"{one['content']}</a>"
        for one in choices
    ]
    lines = [str(menu.get("head_content") or ""), *links, str(menu.get("tail_content") or "")]
    return _checked_text("\n".join(line for line in lines if line))


def _checked_text(content: Any) -> str:
    if not isinstance(content, str) or not content:
        raise ApiError(44004)
    if len(content.encode()) > REPLY_LIMIT_BYTES:
        raise ApiError(45002)
    return content


def _part(asked: Asked, name: str) -> dict[str, Any]:
    part = asked.field(name)
    if not isinstance(part, dict):
        raise ApiError(47001)
    return part


def _addressee(platform: Platform, asked: Asked) -> SimulatedUser:
    user = platform.account.by_openid(str(asked.field("touser")))
    if user is None:
        raise ApiError(40003)
    return user


def typing(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/message/custom/typing: only within 30 s of the user's last message, and not twice."""
    user, command, now = _addressee(platform, asked), asked.field("command"), platform.account.now()
    if command not in ("Typing", "CancelTyping"):
        raise ApiError(45072)
    with platform.lock:
        if command == "CancelTyping":
            platform.typing.pop(user.openid, None)
            return Answer(OK)
        if user.wrote_at is None or now - user.wrote_at > timedelta(seconds=30):
            raise ApiError(45080)
        if user.openid in platform.typing and now < platform.typing[user.openid]:
            raise ApiError(45081)
        platform.typing[user.openid] = now + _TYPING_FOR
    return Answer(OK)


def menu_create(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/menu/create."""
    if asked.has_escapes:
        raise ApiError(40033)
    platform.menu = check_menu(asked.data)
    return Answer(OK)


def menu_get(platform: Platform, _: Asked) -> Answer:
    """GET /cgi-bin/menu/get."""
    if platform.menu is None:
        raise ApiError(46003)
    fields: dict[str, Any] = {"menu": {"button": platform.menu, "menuid": 425677895}}
    if platform.conditional_menus:
        fields["conditionalmenu"] = platform.conditional_menus
    return Answer(fields)


def menu_delete(platform: Platform, _: Asked) -> Answer:
    """GET /cgi-bin/menu/delete: the personalised ones go too."""
    platform.menu, platform.conditional_menus = None, []
    return Answer(OK)


def menu_add_conditional(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/menu/addconditional."""
    if asked.has_escapes:
        raise ApiError(40033)
    buttons, rule = check_menu(asked.data), asked.field("matchrule")
    if platform.menu is None:
        raise ApiError(65303)
    if not isinstance(rule, dict) or not any(rule.values()):
        raise ApiError(65304)
    menu_id = str(next(platform.ids))
    platform.conditional_menus.append({"button": buttons, "matchrule": rule, "menuid": menu_id})
    return Answer({"menuid": menu_id})


def user_info(platform: Platform, asked: Asked) -> Answer:
    """GET /cgi-bin/user/info: of somebody who left only that he left."""
    user = platform.account.by_openid(asked.query.get("openid", ""))
    if user is None:
        raise ApiError(40003)
    if not user.is_following:
        return Answer({"subscribe": 0, "openid": user.openid})
    told: dict[str, Any] = {
        "subscribe": 1,
        "openid": user.openid,
        "nickname": "",
        "sex": 0,
        "language": asked.query.get("lang", "zh_CN"),
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": int(user.subscribed_at.timestamp()),
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if user.scene else "ADD_SCENE_SEARCH",
        "qr_scene": int(user.scene) if user.scene.isdecimal() else 0,
        "qr_scene_str": "" if user.scene.isdecimal() else user.scene,
    }
    return Answer(told)


def user_get(platform: Platform, asked: Asked) -> Answer:
    """GET /cgi-bin/user/get: followers, at most 10,000 from the one after next_openid."""
    followers = [user.openid for user in platform.account.users() if user.is_following]
    after = asked.query.get("next_openid", "")
    if after and after not in followers:
        raise ApiError(40003)
    page = followers[followers.index(after) + 1 if after else 0 :][:10_000]
    fields: dict[str, Any] = {"total": len(followers), "count": len(page), "next_openid": page[-1] if page else ""}
    return Answer({**fields, "data": {"openid": page}} if page else fields)


def template_send(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/message/template/send; how it fared comes later as an event."""
    user = _addressee(platform, asked)
    if asked.field("template_id") not in platform.templates:
        raise ApiError(40037)
    if not user.is_following:
        raise ApiError(43004)
    data = asked.field("data")
    if not isinstance(data, dict) or not all(isinstance(one, dict) and one.get("value") for one in data.values()):
        raise ApiError(47003)
    message_id = next(platform.ids)
    user.receives(Reply("template", "\n".join(f"{name}：{one['value']}" for name, one in data.items())))
    return Answer({**OK, "msgid": message_id}, (user, pushes.template_sent(message_id)))


def clear_quota(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/clear_quota."""
    if asked.field("appid") != platform.account.credentials.app_id:
        raise ApiError(40013)
    platform.clear_quota()
    return Answer(OK)


def addresses(_: Platform, __: Asked) -> Answer:
    """GET /cgi-bin/get_api_domain_ip and getcallbackip."""
    return Answer({"ip_list": ["127.0.0.1"]})


def draft_add(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/draft/add."""
    articles = asked.field("articles")
    if not isinstance(articles, list) or not all(isinstance(one, dict) and one.get("title") for one in articles):
        raise ApiError(47001)
    media_id = f"simulated_draft_{next(platform.ids)}"
    platform.drafts.add(media_id)
    return Answer({"media_id": media_id})


def publish(platform: Platform, asked: Asked) -> Answer:
    """POST /cgi-bin/freepublish/submit; how it fared comes later as an event."""
    if asked.field("media_id") not in platform.drafts:
        raise ApiError(40007)
    publish_id = str(next(platform.ids))
    users = platform.account.users()
    # The event's sender is WeChat's own; whoever is there stands in for it.
    event = (users[0], pushes.published(publish_id)) if users else None
    return Answer({**OK, "publish_id": publish_id, "msg_data_id": next(platform.ids)}, event)


ENDPOINTS: dict[str, Endpoint] = {
    "token": Endpoint("GET", token, needs_token=False),
    "stable_token": Endpoint("POST", stable_token, needs_token=False),
    "message/custom/send": Endpoint("POST", custom_send, Permission.CUSTOM_MESSAGES),
    "message/custom/typing": Endpoint("POST", typing, Permission.CUSTOM_MESSAGES),
    "menu/create": Endpoint("POST", menu_create, Permission.MENU),
    "menu/get": Endpoint("GET", menu_get, Permission.MENU),
    "menu/delete": Endpoint("GET", menu_delete, Permission.MENU),
    "menu/addconditional": Endpoint("POST", menu_add_conditional, Permission.MENU),
    "user/info": Endpoint("GET", user_info, Permission.USERS),
    "user/get": Endpoint("GET", user_get, Permission.USERS),
    "message/template/send": Endpoint("POST", template_send, Permission.TEMPLATES),
    "clear_quota": Endpoint("POST", clear_quota),
    "get_api_domain_ip": Endpoint("GET", addresses),
    "getcallbackip": Endpoint("GET", addresses),
    "draft/add": Endpoint("POST", draft_add, Permission.PUBLISHING),
    "freepublish/submit": Endpoint("POST", publish, Permission.PUBLISHING),
}
