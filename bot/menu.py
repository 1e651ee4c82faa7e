"""The account's menu: read from a YAML file, checked against WeChat's limits, compared with what is published."""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from bot.wechat.client import ApiClient

# Limits of https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu (wechat.md §3.4).
_TOP_NAME_BYTES, _SUB_NAME_BYTES, _KEY_BYTES, _URL_BYTES = 16, 60, 128, 1024


class MenuError(ValueError):
    """The file is no menu WeChat would take; the text says where and why."""


def _at_most(limit: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text.encode()) > limit:
            raise ValueError(f"“{text[:30]}”有{len(text.encode())}字节，最多{limit}字节（一个汉字3字节）")
        return text

    return AfterValidator(check)


def _web(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise ValueError(f"网址要以 https:// 或 http:// 开头：{url[:60]}")
    return url


_Key = Annotated[str, Field(min_length=1), _at_most(_KEY_BYTES)]
_Url = Annotated[str, AfterValidator(_web), _at_most(_URL_BYTES)]
_TopName = Annotated[str, Field(min_length=1), _at_most(_TOP_NAME_BYTES)]
_SubName = Annotated[str, Field(min_length=1), _at_most(_SUB_NAME_BYTES)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class _Click(_Strict):
    """Sends `key` as if the user had typed it: a question, 人工, 进度, a fixed reply's keyword."""

    type: Literal["click"] = "click"
    key: _Key


class _View(_Strict):
    type: Literal["view"] = "view"
    url: _Url


class _MiniProgram(_Strict):
    type: Literal["miniprogram"] = "miniprogram"
    url: _Url
    appid: str = Field(min_length=1)
    pagepath: str = Field(min_length=1)


class _TopClick(_Click):
    name: _TopName


class _TopView(_View):
    name: _TopName


class _TopMiniProgram(_MiniProgram):
    name: _TopName


class _SubClick(_Click):
    name: _SubName


class _SubView(_View):
    name: _SubName


class _SubMiniProgram(_MiniProgram):
    name: _SubName


class _Group(_Strict):
    name: _TopName
    sub_button: list[_SubClick | _SubView | _SubMiniProgram] = Field(min_length=1, max_length=5)


_MENU = TypeAdapter(Annotated[list[_Group | _TopClick | _TopView | _TopMiniProgram], Field(min_length=1, max_length=3)])


def read_menu(path: Path) -> list[dict[str, Any]]:
    """The buttons of a YAML file, as WeChat takes them; raises MenuError."""
    try:
        rows = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise MenuError(f"{path} 无法读取：{error}") from error
    return checked(rows)


def checked(rows: object) -> list[dict[str, Any]]:
    """Buttons that are within WeChat's limits; raises MenuError saying which is not and why."""
    try:
        menu = _MENU.validate_python(rows)
    except ValidationError as error:
        # A union reports every kind a button is not; what is said about a field it has is what helps.
        found = [one for one in error.errors() if one["type"] not in ("missing", "extra_forbidden", "literal_error")]
        said = dict.fromkeys(_said(one["loc"], _in_chinese(one)) for one in (found or error.errors()))
        raise MenuError("菜单不合要求：" + "；".join(said)) from error
    return [button.model_dump() for button in menu]


def _in_chinese(error: ErrorDetails) -> str:
    """What pydantic found, in words for whoever edits the menu; our own checks speak Chinese already."""
    allowed = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(allowed["error"])
        case "too_long":
            return f"最多{allowed['max_length']}个菜单"
        case "too_short":
            return f"至少要有{allowed['min_length']}个菜单"
        case "string_too_short":
            return "名称、内容都不能为空"
        case "list_type":
            return "菜单应是一张列表"
        case "missing":
            return f"缺少 {error['loc'][-1]}"
        case "extra_forbidden":
            return f"不认识 {error['loc'][-1]}"
    return f"{error['loc'][-1] if error['loc'] else ''} 的内容不对（{error['msg']}）"


def _said(place: tuple[int | str, ...], words: str) -> str:
    return f"第{place[0] + 1}项：{words}" if place and isinstance(place[0], int) else words


def as_text(buttons: list[dict[str, Any]]) -> str:
    """A menu in the file's form, fields in one order, so that two can be compared."""
    return yaml.safe_dump([_plain(one) for one in buttons], allow_unicode=True, sort_keys=False, width=1000)


def differences(client: ApiClient, wanted: list[dict[str, Any]]) -> list[str]:
    """What publishing would change, as lines of a unified diff; none where nothing would. Raises CallError."""
    published = as_text(client.menu()).splitlines()
    return list(difflib.unified_diff(published, as_text(wanted).splitlines(), "已发布", "文件", lineterm=""))


def _plain(button: dict[str, Any]) -> dict[str, Any]:
    """A button's own fields in a fixed order; WeChat adds empty ones (`sub_button: []`) to what it gives back."""
    order = ("name", "type", "key", "url", "appid", "pagepath")
    plain = {name: button[name] for name in order if button.get(name)}
    plain |= {name: value for name, value in button.items() if value and name not in plain and name != "sub_button"}
    if button.get("sub_button"):
        plain.pop("type", None)
        plain["sub_button"] = [_plain(one) for one in button["sub_button"]]
    return plain
