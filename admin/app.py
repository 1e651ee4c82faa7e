"""The workbench as a sub-application with middleware of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin.auth import IDLE_S
from admin.bot_side import BotSide
from admin.devices import Devices
from admin.errors import NotAllowed, SignInNeeded, status_of
from admin.limits import BodyLimit
from admin.pages import (
    alerts,
    audit,
    connection,
    corrections,
    drafts,
    entries,
    examples,
    exchange,
    figures,
    fixed_replies,
    home,
    inquiries,
    matching,
    menu,
    messages,
    promise,
    receivers,
    recognitions,
    reports,
    session,
    settings,
    signing,
    staff,
    statutes,
    texts,
    thresholds,
    trial,
    urgent_rules,
)
from admin.rendering import page
from knowledge.answering import Matcher
from knowledge.database import Database
from knowledge.encryption import Encryption
from knowledge.errors import KnowledgeError

# One router per noun; a test walks them all and fails for a route without a permission.
ROUTERS = (
    session.router,
    home.router,
    inquiries.router,
    messages.router,
    recognitions.router,
    drafts.router,
    signing.router,
    exchange.router,  # /entries/export is no entry's id
    entries.router,
    receivers.router,
    corrections.router,
    statutes.router,
    trial.router,
    reports.router,
    settings.router,
    texts.router,
    examples.router,
    fixed_replies.router,
    urgent_rules.router,
    figures.router,
    matching.router,
    menu.router,
    connection.router,
    promise.router,
    thresholds.router,
    alerts.router,
    staff.router,
    audit.router,
)

_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """What the workbench is given: the key that signs sessions, what encrypts stored secrets, whether it is served
    by HTTPS, the clock, the matcher whose decisions it shows, and what it may show of the bot.
    """

    secret_key: str
    encryption: Encryption
    secure_cookies: bool
    now: Callable[[], datetime]
    matcher: Matcher
    bot: BotSide


def create_admin(database: Database, options: AdminOptions) -> FastAPI:
    """The workbench over a database whose schema is current."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.database = database
    app.state.now = options.now
    app.state.matcher = options.matcher
    app.state.bot = options.bot
    app.state.encryption = options.encryption
    app.state.devices = Devices(options.secret_key, is_secure=options.secure_cookies)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")

    app.add_exception_handler(SignInNeeded, _to_sign_in)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(KnowledgeError, _domain_error)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(404, _unknown)
    app.add_middleware(
        SessionMiddleware,
        secret_key=options.secret_key,
        session_cookie="fawen_session",
        max_age=IDLE_S,
        same_site="strict",
        https_only=options.secure_cookies,
        path="/admin",
    )
    app.add_middleware(BodyLimit)
    app.add_middleware(_SecurityHeaders)
    return app


class _SecurityHeaders:
    """Headers on every answer; files of `static/` alone may be kept by the browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                is_static = "/static/" in scope.get("path", "")
                message["headers"] = [
                    *message["headers"],
                    *(
                        (n, v)
                        for n, v in _HEADERS.items()
                        if n not in names and not (is_static and n == b"cache-control")
                    ),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)


def _to_sign_in(request: Request, _: Exception) -> Response:
    path = request.url.path if request.method == "GET" else ""
    target = f"{request.url_for('sign_in_page').path}?next={quote(path)}"
    return RedirectResponse(target, status_code=303)


def _not_allowed(request: Request, error: Exception) -> Response:
    return page(request, "error.html", status=403, message=str(error))


def _domain_error(request: Request, error: Exception) -> Response:
    status = status_of(error)
    return page(request, "error.html", status=status, message=str(error))


def _malformed(request: Request, _: Exception) -> Response:
    return page(request, "error.html", status=422, message="提交的内容不完整，请返回检查后重试")


def _unknown(request: Request, _: Exception) -> Response:
    return page(request, "error.html", status=404, message="没有这个页面")
