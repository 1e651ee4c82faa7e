"""How much one request may bring: more is refused while it is read, not after it filled the memory."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The largest thing staff send is a spreadsheet of the whole FAQ: about 2 MB for the 400
# entries that ship; a larger FAQ goes by field.
BODY_LIMIT_BYTES = 12 * 1024 * 1024
# What is read and dropped beyond it: a connection closed while the browser still sends loses the answer on its way.
_DROPPED_BYTES = 24 * 1024 * 1024
_TEXT = "提交的内容太大，最多12兆字节".encode()


class BodyLimit:
    """Answer 413 to a body over BODY_LIMIT_BYTES, whatever its declared length says."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what comes in."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received, started, refused = 0, False, False

        async def counted() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_LIMIT_BYTES and not started:
                refused = True
                if message.get("more_body", False):
                    await _drop(receive)
                await _refuse(send)
                return {"type": "http.disconnect"}
            return message

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            if not refused:
                await send(message)

        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > BODY_LIMIT_BYTES:
            await _drop(receive)
            await _refuse(send)
            return
        try:
            await self._app(scope, counted, sent)
        except ClientDisconnect:
            # What the application makes of a body that was cut off here; the client has its answer.
            if not refused:
                raise


async def _drop(receive: Receive) -> None:
    """Read the rest of a body and keep none of it, as long as it is no endless one."""
    dropped = 0
    while dropped <= _DROPPED_BYTES:
        message = await receive()
        dropped += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_TEXT)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TEXT})
