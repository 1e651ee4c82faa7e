"""The API over HTTP: every answer has status 200, JSON or not (wechat.md §3.2)."""

import json
import re
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from bot.simulator.api.endpoints import ENDPOINTS, Answer, Asked, Endpoint
from bot.simulator.api.errors import ApiError, refusal
from bot.simulator.api.platform import Fault, Platform, Trouble

_ESCAPE = re.compile(r"(?<!\\)\\u(?=[0-9a-fA-F]{4})")
_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def api_router(platform: Platform) -> APIRouter:
    """The routes below /cgi-bin for one account."""
    router = APIRouter()

    @router.api_route("/cgi-bin/{path:path}", methods=["GET", "POST"])
    async def call(path: str, request: Request) -> Response:
        fault = platform.take_fault(path)
        if fault and not fault.after:
            return await _trouble(platform, fault, path, request)
        answer = await run_in_threadpool(_answer, platform, path, request, await request.body())
        if fault:
            return await _trouble(platform, fault, path, request)
        return answer

    return router


def _answer(platform: Platform, path: str, request: Request, body: bytes) -> Response:
    try:
        endpoint = ENDPOINTS.get(path)
        if endpoint is None:
            raise ApiError(40066)
        answer = _run(platform, path, endpoint, request, body)
    except ApiError as error:
        platform.log(path, error.code)
        return JSONResponse(refusal(error))
    platform.log(path, 0)
    event = answer.event
    # WeChat tells how it fared after it has answered.
    return JSONResponse(answer.fields, background=BackgroundTask(event[0].happens, event[1]) if event else None)


def _run(platform: Platform, path: str, endpoint: Endpoint, request: Request, body: bytes) -> Answer:
    if request.method != endpoint.method:
        raise ApiError(43001 if endpoint.method == "GET" else 43002)
    if endpoint.needs_token:
        platform.tokens.check(request.query_params.get("access_token", ""))
    if endpoint.permission and not platform.account.kind.may(endpoint.permission):
        raise ApiError(48001)
    platform.count(path)
    ip = request.client.host if request.client else ""
    data, has_escapes = _read(body) if endpoint.method == "POST" else (None, False)
    with platform.lock:
        return endpoint.run(platform, Asked(dict(request.query_params), data, ip, has_escapes))


def _read(body: bytes) -> tuple[Any, bool]:
    """The JSON of a body, and whether it wrote `\\uxxxx`: WeChat leaves those as they are, on the phone too."""
    if not body:
        raise ApiError(44002)
    try:
        text = body.decode()
        return json.loads(_ESCAPE.sub(r"\\\\u", text)), bool(_ESCAPE.search(text))
    except ValueError as error:
        raise ApiError(47001) from error


async def _trouble(platform: Platform, fault: Fault, path: str, request: Request) -> Response:
    platform.log(path, fault.code if fault.trouble is Trouble.ERROR else None)
    match fault.trouble:
        case Trouble.ERROR:
            return JSONResponse(refusal(ApiError(fault.code)))
        case Trouble.HTML:
            return HTMLResponse(_PAGE)
        case Trouble.EMPTY:
            return Response(b"")
        case Trouble.STALL:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response(b"")
