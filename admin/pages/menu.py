"""菜单: the draft of the account's menu, compared with what WeChat has, published and taken away.

The draft is a setting of the site. Calls to WeChat are made outside of any unit of work; a change is published only
against the state that was looked at.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Transaction
from admin.bot_side import Buttons, NotDone
from admin.rendering import page
from knowledge import audit, site_settings
from knowledge.errors import SettingMoved
from knowledge.models import StaffMember

router = APIRouter()
SUBJECT = "menu"
TOPS, SUBS = 3, 5
KINDS = {"click": "发送文字", "view": "打开网页"}
_NOT_EDITABLE = "微信上的菜单有这里不能编辑的类型（如小程序），请用 fawen menu 命令管理"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the form: its name, what it does (`group`: it has lines below), what it sends or opens."""

    name: str = ""
    kind: str = "click"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A top item with the lines below it."""

    top: Item
    subs: tuple[Item, ...]


@router.get("/settings/menu")
def show_menu(request: Request, member: Administrator, session: Reading) -> Response:
    """The draft as a form."""
    return _show(request, session, member, done=request.query_params.get("done", ""))


@router.post("/settings/menu", dependencies=[OwnForm])
def save_menu(
    request: Request,
    member: Administrator,
    session: Transaction,
    name: Annotated[Sequence[str], Form()] = (),
    kind: Annotated[Sequence[str], Form()] = (),
    value: Annotated[Sequence[str], Form()] = (),
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Keep the draft, if WeChat would take it; nothing is published yet."""
    groups = _read(name, kind, value)
    try:
        buttons = request.app.state.bot.menu.check(_buttons(groups))
        _save(session, buttons, against=against, member=member, now=request.app.state.now())
    except (NotDone, SettingMoved) as error:
        status = 409 if isinstance(error, SettingMoved) else 422
        return _show(request, session, member, groups=groups, errors=str(error).split("；"), status=status)
    return _see(request, "show_menu", done="saved")


@router.post("/settings/menu/fetch", dependencies=[OwnForm])
def fetch_menu(request: Request, member: Administrator, against: Annotated[int, Form()] = 0) -> Response:
    """Take what WeChat has for the draft."""
    database, bot = request.app.state.database, request.app.state.bot
    try:
        published = bot.menu.published()
        if not published:
            raise NotDone("微信上还没有菜单")
        buttons = bot.menu.check(_buttons(_groups(published)))
        with database.writing() as session:
            _save(session, buttons, against=against, member=member, now=request.app.state.now())
    except (NotDone, SettingMoved) as error:
        status = 409 if isinstance(error, SettingMoved) else 422
        with database.reading() as session:
            return _show(request, session, member, errors=[str(error)], status=status)
    return _see(request, "show_menu", done="fetched")


@router.get("/settings/menu/comparison")
def compare_menu(request: Request, member: Administrator) -> Response:
    """The draft beside what WeChat has, and the buttons that publish or delete."""
    return _compare(request, member)


@router.post("/settings/menu/publication", dependencies=[OwnForm])
def publish_menu(request: Request, member: Administrator, seen: Annotated[str, Form()] = "") -> Response:
    """Put the draft in place of what WeChat has, if both are what was looked at."""
    menu = request.app.state.bot.menu
    try:
        draft, published = _draft(request), menu.published()
        if _mark(draft, published) != seen:
            return _compare(request, member, error="草稿或微信上的菜单刚刚变了，请看过下面的比较再发布", status=409)
        menu.publish(draft)
    except NotDone as error:
        return _compare(request, member, error=str(error), status=422)
    _record(request, member, "menu.publish", published, draft)
    return _see(request, "compare_menu", done="published")


@router.post("/settings/menu/removal", dependencies=[OwnForm])
def delete_menu(
    request: Request,
    member: Administrator,
    seen: Annotated[str, Form()] = "",
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Take the menu away from the account; the draft stays."""
    menu = request.app.state.bot.menu
    if confirmed != "1":
        return _compare(request, member, error="请先勾选“确认删除”", status=422)
    try:
        published = menu.published()
        if _mark(_draft(request), published) != seen:
            return _compare(request, member, error="微信上的菜单刚刚变了，请看过下面的比较再删除", status=409)
        menu.delete()
    except NotDone as error:
        return _compare(request, member, error=str(error), status=422)
    _record(request, member, "menu.delete", published, [])
    return _see(request, "compare_menu", done="deleted")


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    *,
    groups: Sequence[Group] | None = None,
    errors: Sequence[str] = (),
    done: str = "",
    status: int = 200,
) -> Response:
    kept = site_settings.load(session, SUBJECT)
    shown = _groups(kept.data.get("buttons", [])) if groups is None else groups
    return page(
        request,
        "settings/menu.html",
        status=status,
        member=member,
        groups=_padded(shown),
        kinds=KINDS,
        kept=kept,
        errors=errors,
        done=done,
    )


def _compare(request: Request, member: StaffMember, *, error: str = "", status: int = 200) -> Response:
    draft = _draft(request)
    published: Buttons | None = None
    try:
        published = request.app.state.bot.menu.published()
    except NotDone as unreached:
        error, status = error or str(unreached), status if error else 422
    lines = [] if published is None else difflib.ndiff(_lines(published), _lines(draft))
    return page(
        request,
        "settings/menu_comparison.html",
        status=status,
        member=member,
        draft=draft,
        published=published,
        differences=[(one[0], one[2:]) for one in lines if one[0] != "?"],
        is_same=published is not None and _lines(published) == _lines(draft),
        seen=_mark(draft, published or []),
        error=error,
        done=request.query_params.get("done", "") if not error else "",
    )


def _padded(groups: Sequence[Group]) -> list[tuple[Item, list[Item]]]:
    """The lines of the whole form, empty ones behind those in use."""
    rows = [*groups, *[Group(Item(), ())] * TOPS][:TOPS]
    return [(row.top, [*row.subs, *[Item()] * SUBS][:SUBS]) for row in rows]


def _read(names: Sequence[str], kinds: Sequence[str], values: Sequence[str]) -> list[Group]:
    """The form's lines, of which each top is followed by its five; another shape is read as far as it goes."""
    lines = [Item(name.strip(), kind, value.strip()) for name, kind, value in zip(names, kinds, values, strict=False)]
    rows = [lines[start : start + 1 + SUBS] for start in range(0, min(len(lines), TOPS * (1 + SUBS)), 1 + SUBS)]
    return [Group(row[0], tuple(row[1:])) for row in rows]


def _buttons(groups: Sequence[Group]) -> Buttons:
    """The form as WeChat's buttons; a line with neither name nor content is none."""
    buttons: Buttons = []
    for group in groups:
        below = [_button(one) for one in group.subs if one.name or one.value]
        if not (group.top.name or group.top.value or below):
            continue
        if group.top.kind == "group":
            buttons.append({"name": group.top.name, "sub_button": below})
        elif below:
            raise NotDone(
                f"“{group.top.name or '没有名称的菜单'}”有二级菜单：请把类型选为“展开二级菜单”，或清空它下面的各行"
            )
        else:
            buttons.append(_button(group.top))
    return buttons


def _button(item: Item) -> dict[str, Any]:
    if item.kind == "view":
        return {"name": item.name, "type": "view", "url": item.value}
    return {"name": item.name, "type": "click", "key": item.value}


def _groups(buttons: Sequence[Mapping[str, Any]]) -> list[Group]:
    """WeChat's buttons as lines of the form; NotDone for kinds that it has none for."""
    groups = []
    for button in buttons:
        below = button.get("sub_button") or []
        top = Item(str(button.get("name", "")), "group") if below else _item(button)
        groups.append(Group(top, tuple(_item(one) for one in below)))
    return groups


def _item(button: Mapping[str, Any]) -> Item:
    kind = button.get("type")
    if kind not in KINDS:
        raise NotDone(_NOT_EDITABLE)
    return Item(str(button.get("name", "")), str(kind), str(button.get("key" if kind == "click" else "url", "")))


def _lines(buttons: Sequence[Mapping[str, Any]]) -> list[str]:
    """A menu in words, a line an item."""
    lines = []
    for button in buttons:
        below = button.get("sub_button") or []
        lines.append(str(button.get("name", "")) if below else _line(button))
        lines += [f"　└ {_line(one)}" for one in below]
    return lines


def _line(button: Mapping[str, Any]) -> str:
    does = {"click": f"发送“{button.get('key')}”", "view": f"打开 {button.get('url')}"}
    kind = str(button.get("type"))
    other = " ".join(str(button[name]) for name in ("type", "appid", "pagepath", "url", "key") if button.get(name))
    return f"{button.get('name')} → {does.get(kind, other)}"


def _mark(draft: Buttons, published: Buttons) -> str:
    """What was looked at, so that nothing else is published or deleted."""
    return hashlib.sha256(json.dumps([draft, published], sort_keys=True).encode()).hexdigest()


def _draft(request: Request) -> Buttons:
    with request.app.state.database.reading() as session:
        return list(site_settings.load(session, SUBJECT).data.get("buttons", []))


def _save(session: Session, buttons: Buttons, *, against: int, member: StaffMember, now: datetime) -> None:
    before = _lines(site_settings.load(session, SUBJECT).data.get("buttons", []))
    site_settings.save(
        session,
        SUBJECT,
        {"buttons": buttons},
        against=against,
        actor=member.name,
        now=now,
        before={"menu": before},
        after={"menu": _lines(buttons)},
        action="menu.save",
    )


def _record(request: Request, member: StaffMember, action: str, before: Buttons, after: Buttons) -> None:
    """Written after WeChat has done it: what did not happen is not in the log."""
    with request.app.state.database.writing() as session:
        audit.record(
            session,
            actor=member.name,
            action=action,
            subject="setting menu",
            before={"menu": _lines(before)},
            after={"menu": _lines(after)},
            now=request.app.state.now(),
        )


def _see(request: Request, name: str, *, done: str) -> Response:
    return RedirectResponse(f"{request.url_for(name).path}?done={done}", status_code=303)
