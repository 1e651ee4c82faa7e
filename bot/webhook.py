"""GET and POST /wechat: bytes in, bytes out, and the status codes WeChat understands (design.md)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot import replies
from bot.conversation import Dialogue
from bot.settings import BODY_LIMIT_BYTES
from bot.wechat.envelope import Envelope, Push
from bot.wechat.errors import InvalidSignature, StalePush, UnreadableMessage

log = structlog.get_logger()

# What tells WeChat that a push arrived and no reply is due; anything else unexpected shows the user a
# fault notice and is pushed again (wechat.md §1.5).
_NOTHING_TO_SAY = b"success"


class BodyTooLarge(Exception):
    """The push is larger than any message WeChat sends."""


async def raw_body(request: Request) -> bytes:
    """The request's body; raises BodyTooLarge as soon as it passes the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise BodyTooLarge
    return bytes(body)


def webhook_router(envelope: Envelope, dialogue: Dialogue, now: Callable[[], datetime]) -> APIRouter:
    """The two routes at /wechat."""
    router = APIRouter()

    @router.get("/wechat")
    def verify(request: Request) -> Response:
        try:
            echo = envelope.verify_url(_query(request))
        except InvalidSignature as error:
            return _refused(403, str(error))
        return Response(echo, media_type="text/plain")

    @router.post("/wechat")
    def receive(request: Request, body: Annotated[bytes, Depends(raw_body)]) -> Response:
        try:
            opened = envelope.open(Push(body, _query(request)), now())
        except (InvalidSignature, StalePush) as error:
            return _refused(403, str(error))
        except UnreadableMessage as error:
            log.warning("push_unreadable", verified=error.verified, why=str(error))
            return _refused(400, str(error)) if not error.verified else _success()
        try:
            text = dialogue.respond(opened.message)
        except (DBAPIError, PoolTimeoutError, TimeoutError) as error:
            # The database did not answer within its bound: an honest text needs none.
            log.error("message_not_stored", error=type(error).__name__)
            text = replies.simple("try_again")
        if not text:
            return _success()
        return Response(envelope.seal(opened, text, now()), media_type="application/xml")

    return router


def _query(request: Request) -> dict[str, str]:
    """The query's values; a name given twice is taken for none, so that nothing is chosen by its place."""
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def _success() -> Response:
    return Response(_NOTHING_TO_SAY, media_type="text/plain")


def _refused(status: int, why: str) -> Response:
    log.info("push_refused", status=status, why=why)
    return Response("refused", status_code=status, media_type="text/plain")
