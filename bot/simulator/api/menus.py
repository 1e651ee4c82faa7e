"""The shape a menu must have, and the error code for each way of missing it (wechat.md §3.4)."""

from typing import Any
from urllib.parse import urlsplit

from bot.simulator.api.errors import ApiError

_WITH_KEY = {
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
}
_WITH_URL = {"view", "miniprogram"}
_WITH_ID = {
    "media_id": "media_id",
    "view_limited": "media_id",
    "article_id": "article_id",
    "article_view_limited": "article_id",
}
# Limits in bytes of UTF-8; codes: type, name, key, url, domain.
_TOP_NAME, _SUB_NAME, _KEY, _URL = 16, 60, 128, 1024
_TOP_CODES = (40017, 40018, 40019, 40020, 40055)
_SUB_CODES = (40024, 40025, 40026, 40027, 40054)


def check_menu(menu: Any) -> list[dict[str, Any]]:
    """The menu's buttons, each with its `sub_button` as menu/get shows it; ApiError for what WeChat refuses."""
    buttons = menu.get("button") if isinstance(menu, dict) else None
    if not isinstance(buttons, list) or not all(isinstance(one, dict) for one in buttons):
        raise ApiError(47001)
    if not 1 <= len(buttons) <= 3:
        raise ApiError(40016)
    return [_top(button) for button in buttons]


def _top(button: dict[str, Any]) -> dict[str, Any]:
    below = button.get("sub_button") or []
    if not isinstance(below, list) or not all(isinstance(one, dict) for one in below):
        raise ApiError(47001)
    if not below:
        _check(button, _TOP_NAME, _TOP_CODES)
        return {**button, "sub_button": []}
    if len(below) > 5:
        raise ApiError(40023)
    _check_name(button, _TOP_NAME, _TOP_CODES[1])
    for one in below:
        _check(one, _SUB_NAME, _SUB_CODES)
    return {"name": button["name"], "sub_button": [{**one, "sub_button": []} for one in below]}


def _check(button: dict[str, Any], name_limit: int, codes: tuple[int, int, int, int, int]) -> None:
    bad_type, bad_name, bad_key, bad_url, bad_domain = codes
    _check_name(button, name_limit, bad_name)
    kind = button.get("type")
    if kind in _WITH_KEY:
        _check_size(button.get("key"), _KEY, bad_key)
    elif kind in _WITH_URL:
        _check_size(button.get("url"), _URL, bad_url)
        if urlsplit(button["url"]).scheme not in ("http", "https"):
            raise ApiError(bad_domain)
        if kind == "miniprogram" and not (button.get("appid") and button.get("pagepath")):
            raise ApiError(40035)
    elif kind in _WITH_ID:
        if not button.get(_WITH_ID[kind]):
            raise ApiError(40007)
    else:
        raise ApiError(bad_type)


def _check_name(button: dict[str, Any], limit: int, code: int) -> None:
    _check_size(button.get("name"), limit, code)


def _check_size(value: Any, limit: int, code: int) -> None:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= limit:
        raise ApiError(code)
