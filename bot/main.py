"""The composition root: settings in, the whole application out."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import anyio.to_thread
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from admin.app import AdminOptions, create_admin
from bot.conversation import Dialogue
from bot.settings import Account
from bot.webhook import BodyTooLarge, webhook_router
from bot.wechat.envelope import Envelope, Mode
from knowledge.answering import Matcher
from knowledge.database import Database
from knowledge.migrations import is_current
from knowledge.working_days import local_day, now_utc

log = structlog.get_logger()

# Requests handled at once per process, each with at most one connection: threads and pool must agree,
# or a request waits for a connection longer than WeChat waits for it (style.md §10).
THREADS = 20
# How soon a running server notices newly published content, in seconds.
_LOOK_EVERY_S = 1.0


def create_app(
    account: Account,
    database: Database,
    *,
    base_url: str = "",
    now: Callable[[], datetime] = now_utc,
    matcher: Matcher | None = None,
) -> FastAPI:
    """The application: webhook, workbench and health pages over one database, whose schema must be current."""
    matcher = matcher or Matcher(database)
    envelope = Envelope(
        token=account.token,
        app_id=account.app_id,
        aes_key=account.aes_key,
        previous_aes_key=account.previous_aes_key,
        mode=Mode(account.mode),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await anyio.to_thread.run_sync(matcher.refresh, local_day(now()))
        stop = threading.Event()
        watcher = threading.Thread(target=_watch, args=(matcher, now, stop), name="content-watch", daemon=True)
        watcher.start()
        yield
        stop.set()
        watcher.join()

    # No generated API pages: they would load their scripts from outside, and there is no API to show.
    app = FastAPI(title="法问", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(webhook_router(envelope, Dialogue(database, matcher, now), now))
    options = AdminOptions(secret_key=account.secret_key, secure_cookies=base_url.startswith("https://"), now=now)
    app.mount("/admin", create_admin(database, options))
    app.add_exception_handler(BodyTooLarge, _too_large)

    @app.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            ready = is_current(database) and matcher.index.version > 0
        except SQLAlchemyError as error:
            return JSONResponse({"ready": False, "why": type(error).__name__}, status_code=503)
        return JSONResponse({"ready": ready}, status_code=200 if ready else 503)

    return app


def _watch(matcher: Matcher, now: Callable[[], datetime], stop: threading.Event) -> None:
    """Swap in newly published content. A database that is away is waited for: the old index goes on."""
    while not stop.wait(_LOOK_EVERY_S):
        try:
            if matcher.refresh(local_day(now())):
                log.info("index_swapped", content_version=matcher.index.version)
        except SQLAlchemyError as error:
            log.warning("content_version_unknown", error=type(error).__name__)


def _too_large(_: Request, __: Exception) -> Response:
    return PlainTextResponse("too large", status_code=413)
