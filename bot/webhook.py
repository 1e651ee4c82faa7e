"""GET and POST /wechat: bytes in, bytes out, and the status codes WeChat understands (design.md)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import anyio
import anyio.to_thread
import structlog
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot import replies
from bot.conversation import Dialogue
from bot.refusals import Refusals, Why
from bot.settings import BODY_LIMIT_BYTES
from bot.wechat.envelope import Envelope, Opened, Push
from bot.wechat.errors import EnvelopeError, InvalidSignature, StalePush, UnreadableMessage

log = structlog.get_logger()

# What tells WeChat that a push arrived and no reply is due; anything else unexpected shows the user a
# fault notice and is pushed again (wechat.md §1.5).
_NOTHING_TO_SAY = b"success"
# WeChat cuts the connection after 5 s (wechat.md §1.5): whatever takes longer than this, thread, pool, lock and
# statement together, is answered by a text that needs none of them, while the reply itself is still being made.
ANSWER_WITHIN_S = 3.5


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


class _Exchange:
    """One push and the answer to it; `opened` is set as soon as its message can be read."""

    def __init__(
        self, envelope: Envelope, dialogue: Dialogue, refusals: Refusals, now: Callable[[], datetime], push: Push
    ) -> None:
        self._envelope = envelope
        self._refusals = refusals
        self._dialogue = dialogue
        self._now = now
        self._push = push
        self._opened: Opened | None = None

    def answer(self) -> Response:
        """The answer; blocks."""
        try:
            opened = self._open()
        except (InvalidSignature, StalePush) as error:
            self._refusals.note(Why.STALE if isinstance(error, StalePush) else Why.SIGNATURE, self._now())
            return _refused(403, str(error))
        except UnreadableMessage as error:
            if error.verified:
                self._refusals.note(Why.UNREADABLE, self._now())
            log.warning("push_unreadable", verified=error.verified, why=str(error))
            return _refused(400, str(error)) if not error.verified else _success()
        try:
            text = self._dialogue.respond(opened.message)
        except (DBAPIError, PoolTimeoutError, TimeoutError) as error:
            # The database did not answer within its bound: an honest text needs none.
            log.error("message_not_stored", error=type(error).__name__)
            text = replies.simple(self._dialogue.texts, "try_again")
        return self._sealed(opened, text)

    def answer_late(self) -> Response:
        """What is said instead when the answer is not ready in time: a tap fetches it later."""
        try:
            opened = self._opened or self._open()
        except EnvelopeError as error:
            return _refused(403, str(error))
        log.warning("reply_late", message=opened.message.key[:12])
        return self._sealed(opened, replies.late(self._dialogue.texts, opened.message.key))

    def _open(self) -> Opened:
        self._opened = self._envelope.open(self._push, self._now())
        return self._opened

    def _sealed(self, opened: Opened, text: str) -> Response:
        if not text:
            return _success()
        return Response(self._envelope.seal(opened, text, self._now()), media_type="application/xml")


def webhook_router(
    envelope: Envelope,
    dialogue: Dialogue,
    refusals: Refusals,
    now: Callable[[], datetime],
    answer_within_s: float = ANSWER_WITHIN_S,
) -> APIRouter:
    """The two routes at /wechat."""
    router = APIRouter()

    @router.get("/wechat")
    def verify(request: Request) -> Response:
        try:
            echo = envelope.verify_url(_query(request))
        except InvalidSignature as error:
            refusals.note(Why.SIGNATURE, now())
            return _refused(403, str(error))
        return Response(echo, media_type="text/plain")

    # async, so that this waits no longer than it may: what blocks runs in a thread, which goes on when it is left.
    @router.post("/wechat")
    async def receive(request: Request, body: Annotated[bytes, Depends(raw_body)]) -> Response:
        exchange = _Exchange(envelope, dialogue, refusals, now, Push(body, _query(request)))
        with anyio.move_on_after(answer_within_s):
            return await anyio.to_thread.run_sync(exchange.answer, abandon_on_cancel=True)
        return exchange.answer_late()

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
