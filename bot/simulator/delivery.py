"""Carrying a push to the webhook as WeChat's servers do: five seconds, repeats, and the pause after many failures."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx

from bot.simulator.pushes import PushBody
from bot.simulator.sealing import Credentials, SealedPush, seal
from bot.simulator.verdicts import Reply, judge
from bot.wechat.envelope import signature


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """How patient WeChat is. What it does not publish can be set both ways (wechat.md §1.5, §8)."""

    # From the first byte sent to the last received; then the connection is cut.
    timeout_s: float = 5.0
    # Requests for one push in all: 3, or 1 + 3.
    attempts: int = 3
    # Whether a repeat is signed with a timestamp and nonce of its own.
    repeats_sign_anew: bool = True
    # Repeats set out while the requests before them still run, as they do where a bot is slow.
    repeats_overlap: bool = False
    # MarkFail: so many failed requests within a minute stop all pushes for a minute. WeChat tells no number.
    mark_fail_after: int | None = 20
    # WeChat's clock less ours, in seconds.
    clock_skew_s: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: what was sent, what came back (status None: nothing), and what WeChat makes of it."""

    query: dict[str, str]
    body: str
    status: int | None
    answer: str
    clear: str
    reply: Reply | None
    fault: str | None
    took_s: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """A push and everything that came of it. `clear` is the push's XML before encryption."""

    openid: str
    clear: str
    attempts: tuple[Attempt, ...]
    reply: Reply | None
    # Why the user sees the fault notice; None where he does not.
    fault: str | None
    # Nobody listens at the webhook's address.
    is_unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Oddities:
    """What is unusual about one delivery (see `chaos.py`)."""

    skew_s: int = 0
    previous_key: bool = False
    hostile: bool = False


_SUSPENSION = timedelta(minutes=1)
_PLAIN = Oddities()


class Courier:
    """Delivers pushes to one webhook; lives on one event loop."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        http: httpx.AsyncClient,
        rules: DeliveryRules,
        now: Callable[[], datetime],
    ) -> None:
        """`http` must follow no redirects and set no time limit: WeChat's own is kept here."""
        # An address may have a query of its own, which stays.
        self._url = httpx.URL(url)
        self.credentials = credentials
        self.rules = rules
        self._http = http
        self._now = now
        self._failures: deque[datetime] = deque()
        self._suspended_until: datetime | None = None

    async def deliver(self, openid: str, body: PushBody, xml: str, odd: Oddities = _PLAIN) -> Exchange:
        """Push until an answer is accepted or the requests are used up."""
        if self._suspended_until and self._now() < self._suspended_until:
            until = self._suspended_until.strftime("%H:%M:%S")
            return Exchange(openid, xml, (), None, f"失败太多，微信暂停推送到{until} UTC（MarkFail）")
        if self.rules.repeats_overlap:
            return await self._overlapping(openid, body, xml, odd)
        attempts: list[Attempt] = []
        sealed = self._seal(openid, xml, odd)
        for number in range(self.rules.attempts):
            if number and self.rules.repeats_sign_anew:
                sealed = self._seal(openid, xml, odd)
            attempts.append(await self._attempt(sealed, openid, body))
            if attempts[-1].fault is None:
                break
        return _exchange(openid, xml, attempts)

    async def check_url(self) -> str | None:
        """The GET by which the console tries a new server address; why it would refuse it, or None.

        The echo is clear in every mode, and nothing may stand around it (wechat.md §1.1).
        """
        stamp, nonce, echo = str(int(self._now().timestamp())), _nonce(), _nonce()
        query = {"signature": signature(self.credentials.token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
        try:
            async with asyncio.timeout(self.rules.timeout_s):
                answer = await self._http.get(self._url.copy_merge_params({**query, "echostr": echo}))
        except TimeoutError:
            return f"{self.rules.timeout_s:g}秒内没有回应"
        except (httpx.TransportError, httpx.InvalidURL) as error:
            return f"连不上{self._url}：{error!r}"
        if answer.status_code != 200:
            return f"状态码{answer.status_code}"
        return None if answer.content == echo.encode() else f"没有原样返回echostr，而是{answer.text[:60]!r}"

    async def _overlapping(self, openid: str, body: PushBody, xml: str, odd: Oddities) -> Exchange:
        """All requests under way at once; the first accepted answer in their order counts."""
        first = self._seal(openid, xml, odd)
        repeats = range(self.rules.attempts - 1)
        sealed = [first, *(self._seal(openid, xml, odd) if self.rules.repeats_sign_anew else first for _ in repeats)]
        attempts = await asyncio.gather(*(self._attempt(one, openid, body) for one in sealed))
        accepted = [attempt for attempt in attempts if attempt.fault is None]
        return replace(_exchange(openid, xml, accepted[:1] or attempts), attempts=tuple(attempts))

    def _seal(self, openid: str, xml: str, odd: Oddities) -> SealedPush:
        stamp = int(self._now().timestamp()) + self.rules.clock_skew_s + odd.skew_s
        return seal(
            self.credentials,
            openid,
            xml,
            stamp=str(stamp),
            nonce=_nonce(),
            previous_key=odd.previous_key,
            hostile=odd.hostile,
        )

    async def _attempt(self, sealed: SealedPush, openid: str, body: PushBody) -> Attempt:
        started = time.perf_counter()
        status, answer, clear, reply = None, b"", "", None
        try:
            async with asyncio.timeout(self.rules.timeout_s):
                response = await self._http.post(
                    self._url.copy_merge_params(sealed.query), content=sealed.body, headers={"content-type": "text/xml"}
                )
            status, answer = response.status_code, response.content
            verdict = judge(self.credentials, sealed.key, openid, body, status=status, answer=answer)
            reply, fault, clear = verdict.reply, verdict.fault, verdict.clear
        except TimeoutError:
            fault = f"{self.rules.timeout_s:g}秒内没有回应"
        except httpx.ConnectError:
            fault = f"{REFUSED}{self._url}"
        except (httpx.TransportError, httpx.InvalidURL) as error:
            fault = f"连接中断：{error!r}"
        if fault is not None:
            self._count_failure()
        return Attempt(
            sealed.query,
            sealed.body.decode(),
            status,
            answer.decode(errors="replace"),
            clear,
            reply,
            fault,
            time.perf_counter() - started,
        )

    def _count_failure(self) -> None:
        now = self._now()
        self._failures.append(now)
        while now - self._failures[0] > _SUSPENSION:
            self._failures.popleft()
        limit = self.rules.mark_fail_after
        if limit is not None and len(self._failures) >= limit:
            self._suspended_until = now + _SUSPENSION
            self._failures.clear()


REFUSED = "连不上"


def _nonce() -> str:
    return str(secrets.randbelow(10**10))


def _exchange(openid: str, xml: str, attempts: list[Attempt]) -> Exchange:
    last = attempts[-1]
    refused = all(attempt.fault is not None and attempt.fault.startswith(REFUSED) for attempt in attempts)
    return Exchange(openid, xml, tuple(attempts), last.reply, last.fault, refused)
