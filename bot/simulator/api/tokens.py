"""Issuing and checking access tokens, the classic way and the stable way (wechat.md §3.3)."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.simulator.api.errors import ApiError

LIFE = timedelta(seconds=7200)
# A classic token outlives the next one by this, and a stable one is renewed when this is left.
OVERLAP = timedelta(seconds=300)
FORCED_A_DAY = 20
FORCED_APART = timedelta(seconds=30)
# As long as a client must be able to keep.
_LENGTH = 512
_SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(slots=True)
class _Token:
    value: str
    expires_at: datetime
    # When it ends before its time, because a later one took its place.
    replaced_at: datetime | None = None


class TokenDesk:
    """All tokens of one account. The two ways do not touch each other's tokens."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """`now` is the clock."""
        self._now = now
        self._issued: dict[str, _Token] = {}
        self._classic: _Token | None = None
        self._stable: _Token | None = None
        self._forced: list[datetime] = []

    def classic(self) -> tuple[str, int]:
        """GET /cgi-bin/token: a new token and its life in seconds; the one before lives five minutes more."""
        if self._classic:
            self._classic.replaced_at = self._now() + OVERLAP
        self._classic = self._new()
        return self._classic.value, int(LIFE.total_seconds())

    def stable(self, *, force: bool) -> tuple[str, int]:
        """POST /cgi-bin/stable_token: the same token until its last five minutes, with what is left in seconds.

        `force` ends it at once; ApiError 45009 after 20 a day, 45011 within 30 s of the last.
        """
        now = self._now()
        if force:
            self._may_force(now)
            if self._stable:
                self._stable.replaced_at = now
            self._stable = self._new()
        elif self._stable is None or self._stable.replaced_at or self._stable.expires_at - now <= OVERLAP:
            self._stable = self._new()
        return self._stable.value, int((self._stable.expires_at - now).total_seconds())

    def check(self, value: str) -> None:
        """Whether a call may use this token; ApiError 41001, 40014, 40001 or 42001."""
        if not value:
            raise ApiError(41001)
        if not re.fullmatch(r"[\w-]{64,}", value):
            raise ApiError(40014)
        token = self._issued.get(value)
        if token is None or (token.replaced_at and token.replaced_at <= self._now()):
            raise ApiError(40001)
        if token.expires_at <= self._now():
            raise ApiError(42001)

    def revoke(self) -> None:
        """End every token now, as when somebody else fetched one or the secret was reset."""
        for token in self._issued.values():
            token.replaced_at = self._now()

    def _new(self) -> _Token:
        token = _Token(secrets.token_urlsafe(_LENGTH)[:_LENGTH], self._now() + LIFE)
        self._issued[token.value] = token
        return token

    def _may_force(self, now: datetime) -> None:
        today = now.astimezone(_SHANGHAI).date()
        self._forced = [one for one in self._forced if one.astimezone(_SHANGHAI).date() == today]
        if len(self._forced) >= FORCED_A_DAY:
            raise ApiError(45009)
        if self._forced and now - self._forced[-1] < FORCED_APART:
            raise ApiError(45011)
        self._forced.append(now)
