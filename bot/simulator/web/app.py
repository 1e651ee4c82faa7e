"""The page's server: its files, what its phone shows, and what its user does."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.simulator import phone, pushes
from bot.simulator.account import Bubble, NotFollowing, NothingToTap, Side, SimulatedAccount, SimulatedUser
from bot.simulator.api.app import api_router
from bot.simulator.api.platform import Fault, Platform, Trouble
from bot.simulator.kinds import Permission
from bot.simulator.pushes import PushBody
from bot.simulator.verdicts import FAULT

_STATIC = Path(__file__).parent / "static"
# How long a request for news waits for some, in seconds.
HOLD_S = 8.0
_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
}
_SENDS: dict[str, PushBody] = {
    "image": pushes.image(),
    "video": pushes.video(),
    "location": pushes.location(),
    "link": pushes.link(),
    "sticker": pushes.sticker(),
}


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Act(_Form):
    """What the user does on the page's phone; the fields that an action needs stand beside it."""

    openid: str
    action: Literal["text", "tap", "send", "voice", "follow", "unfollow", "scan", "click", "menu", "event", "resend"]
    # Words, a recognised voice, a scene, a menu key, an event's name.
    text: str = Field(default="", max_length=4000)
    kind: Literal["image", "video", "location", "link", "sticker"] = "image"
    # A tap: the bubble it is in and its place there, from 0.
    bubble: int = 0
    # A tap's or a menu button's place; for a button below another both numbers.
    place: list[Annotated[int, Field(ge=0)]] = Field(default_factory=list, max_length=2)


class NewUser(_Form):
    """Somebody else takes the phone."""

    name: Annotated[str, Field(min_length=1, max_length=20, pattern=r"\S")]


class Troubles(_Form):
    """What the fake API does wrong from now on; None: nothing."""

    trouble: Trouble | None
    code: int = -1
    after: bool = False


def create_page(platform: Platform, title: str = "法问") -> FastAPI:
    """The page and the fake API of one account, to be served on loopback. `title` stands over the chat."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(api_router(platform))
    app.include_router(_phone_router(platform, title))
    app.include_router(_exchange_router(platform.account))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.get("/")
    def page() -> Response:
        return FileResponse(_STATIC / "index.html")

    # A page of another site must not reach this server by a name of its own that leads here.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.add_middleware(_Guard)
    return app


def _phone_router(platform: Platform, title: str) -> APIRouter:
    account, router = platform.account, APIRouter()

    @router.get("/phone/first")
    def first() -> Response:
        """Whose phone it is before anybody else takes it."""
        users = account.users() or [account.user("张三")]
        return JSONResponse({"openid": users[0].openid})

    @router.get("/phone/state")
    def state(openid: str, after: Annotated[int, Query(ge=0)] = 0, world: int | None = None) -> Response:
        """What is new for this user after a bubble; with `world`, anybody's newest, it waits a while for a newer."""
        user = account.by_openid(openid)
        if user is None:
            return _refused(404, "没有这个用户")
        if world is not None:
            account.wait(lambda _: True, HOLD_S, world)
        return JSONResponse(_state(platform, title, user, after))

    @router.post("/phone/users")
    def add_user(new: NewUser) -> Response:
        return JSONResponse({"openid": account.user(new.name.strip()).openid})

    @router.post("/phone/acts")
    def act(act: Act) -> Response:
        user = account.by_openid(act.openid)
        if user is None:
            return _refused(404, "没有这个用户")
        try:
            _perform(platform, user, act)
        except NotFollowing:
            return _refused(409, "还没有关注公众号，发不了消息")
        except NothingToTap as error:
            return _refused(409, str(error))
        return JSONResponse({"done": True})

    @router.post("/phone/troubles")
    def trouble(troubles: Troubles) -> Response:
        platform.switch_off()
        if troubles.trouble is not None:
            platform.switch_on(Fault(troubles.trouble, code=troubles.code, after=troubles.after))
        return JSONResponse({"done": True})

    return router


def _exchange_router(account: SimulatedAccount) -> APIRouter:
    router = APIRouter()

    @router.get("/phone/exchanges")
    def exchanges(openid: str) -> Response:
        return JSONResponse(_exchanges(account, openid))

    @router.get("/phone/exchanges/{number}")
    def exchange(number: int) -> Response:
        try:
            return JSONResponse(asdict(account.exchange(number)))
        except IndexError:
            return _refused(404, "没有这次往来")

    return router


class _Guard:
    """Headers on every answer of the page; nothing from another site's page is obeyed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{request.headers.get('host')}":
            await _refused(403, "只接受本页面的请求")(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS.items()]
            await send(message)

        await self._app(scope, receive, with_headers)


def _refused(status: int, why: str) -> JSONResponse:
    return JSONResponse({"why": why}, status_code=status)


def _state(platform: Platform, title: str, user: SimulatedUser, after: int) -> dict[str, Any]:
    account, now = platform.account, platform.account.now()
    bubbles = account.bubbles(user.openid, after)
    faults = platform.faults
    latest = {one.openid: one.number for one in account.bubbles()}
    return {
        "account": {
            "title": title,
            "kind": account.kind.label,
            "mode": account.credentials.mode,
            "url": account.url,
            "may_push": account.kind.may(Permission.CUSTOM_MESSAGES),
            "may_have_menu": account.kind.may(Permission.MENU),
        },
        "users": [
            {"openid": one.openid, "name": one.name, "latest": latest.get(one.openid, 0)} for one in account.users()
        ],
        "user": {"openid": user.openid, "name": user.name, "is_following": user.is_following},
        "allowance": [
            {"trigger": one.trigger.label, "left": one.left, "seconds": int((one.until - now).total_seconds())}
            for one in user.allowance.open(now)
        ],
        "menu": platform.menu or [],
        "trouble": {"trouble": faults[0].trouble, "code": faults[0].code, "after": faults[0].after} if faults else None,
        "bubbles": [_bubble(one) for one in bubbles],
        "world": max(latest.values(), default=0),
        "latest": max([after, *(one.number for one in bubbles)]),
    }


def _bubble(bubble: Bubble) -> dict[str, Any]:
    is_from_account = bubble.side in (Side.ACCOUNT, Side.PUSHED)
    text = FAULT if bubble.kind == "fault" else bubble.text
    return {
        "number": bubble.number,
        "side": bubble.side.value,
        "kind": bubble.kind,
        "at": bubble.at.isoformat(),
        # What somebody typed is never markup, on a real phone neither.
        "segments": [_segment(one) for one in phone.segments(text)] if is_from_account else [{"words": text}],
        "articles": [asdict(article) for article in bubble.articles],
        "exchange": bubble.exchange,
        "fault": bubble.fault,
    }


def _segment(segment: phone.Segment) -> dict[str, str]:
    match segment:
        case phone.Tap(label=label, text=text):
            return {"tap": label, "sends": text}
        case phone.WebLink(label, address):
            return {"link": label, "address": address}
        case str():
            return {"words": segment}


def _perform(platform: Platform, user: SimulatedUser, act: Act) -> None:
    match act.action:
        case "text":
            user.says(act.text)
        case "tap":
            user.taps(_tapped(platform.account, user, act))
        case "send":
            user.sends(_SENDS[act.kind], "")
        case "voice":
            user.sends(pushes.voice(act.text), act.text)
        case "follow":
            user.follows(act.text or None)
        case "unfollow":
            user.unfollows()
        case "scan":
            user.scans(act.text or "simulated")
        case "click":
            user.clicks(act.text)
        case "menu":
            _press(platform, user, act.place)
        case "event":
            user.happens(PushBody({"MsgType": "event", "Event": act.text, "EventKey": ""}))
        case "resend":
            if user.resends() is None:
                raise NothingToTap("还没有发送过消息")


def _tapped(account: SimulatedAccount, user: SimulatedUser, act: Act) -> phone.Tap:
    """The link in a bubble, of however long ago: old messages stay tappable for ever."""
    found = next((one for one in account.bubbles(user.openid) if one.number == act.bubble), None)
    taps = phone.taps(found.text) if found and found.side in (Side.ACCOUNT, Side.PUSHED) else []
    if not act.place or act.place[0] >= len(taps):
        raise NothingToTap("这条消息里没有这个链接")
    return taps[act.place[0]]


def _press(platform: Platform, user: SimulatedUser, place: list[int]) -> None:
    """A menu button does what its type says; what it opens on the phone is not shown."""
    button: dict[str, Any] = {"sub_button": platform.menu or []}
    for index in place:
        below = button["sub_button"]
        if index >= len(below):
            raise NothingToTap("菜单已经变了，没有这个按钮")
        button = below[index]
    key, name = str(button.get("key", "")), str(button.get("name", ""))
    match button.get("type"):
        case "click":
            user.clicks(key, name)
        case "view":
            user.happens(pushes.view(str(button["url"])))
        case "miniprogram":
            user.happens(pushes.view_miniprogram(str(button["pagepath"])))
        case "scancode_push" | "scancode_waitmsg" as kind:
            user.happens(pushes.scancode(key, waits=kind == "scancode_waitmsg"))
        case "pic_sysphoto" | "pic_photo_or_album" | "pic_weixin" as kind:
            user.happens(pushes.pictures(key, kind))
            user.sends(pushes.image())
        case "location_select":
            user.happens(pushes.location_select(key))
            user.sends(pushes.location())
        case _:
            raise NothingToTap(f"“{name}”是{button.get('type')}类型的按钮，本页面不演示")


def _exchanges(account: SimulatedAccount, openid: str) -> list[dict[str, Any]]:
    """The user's exchanges, newest first: number, time and outcome."""
    listed = [one for one in account.bubbles(openid) if one.exchange is not None]
    return [
        {"number": one.exchange, "at": one.at.isoformat(), "outcome": one.fault or one.text[:40] or "没有回复"}
        for one in reversed(listed)
    ]
