"""Where the access token is kept: in this process, or in Redis for several processes; one refresher at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import redis


class TokenStore(Protocol):
    """Keeps one access token until it expires."""

    def get(self) -> str | None:
        """The token, if one is kept and still good."""

    def put(self, token: str, lasts_s: int) -> None:
        """Keep a token for so many seconds."""

    def refreshing(self) -> AbstractContextManager[object]:
        """A context in which no other holder of this store refreshes."""

    def close(self) -> None:
        """Close what is open."""


@dataclass(slots=True)
class _Kept:
    token: str
    until: float


class ProcessTokens:
    """In this process. Other processes fetch for themselves: `stable_token` gives all of them the same."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None
        self._lock = threading.Lock()

    def get(self) -> str | None:
        """The token, if it is still good."""
        kept = self._kept
        return kept.token if kept and time.monotonic() < kept.until else None

    def put(self, token: str, lasts_s: int) -> None:
        """Keep a token."""
        self._kept = _Kept(token, time.monotonic() + lasts_s)

    @contextmanager
    def refreshing(self) -> Iterator[None]:
        """This process's lock."""
        with self._lock:
            yield

    def close(self) -> None:
        """Nothing is open."""


class RedisTokens:
    """In Redis, shared by every process that serves the account."""

    def __init__(self, url: str, app_id: str) -> None:
        """Nothing is connected before the first use; every wait is bounded."""
        self._redis = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._key = f"fawen:{app_id}:access_token"

    def get(self) -> str | None:
        """The token, if it is still good."""
        kept = self._redis.get(self._key)
        return kept.decode() if isinstance(kept, bytes) else None

    def put(self, token: str, lasts_s: int) -> None:
        """Keep a token; Redis forgets it by itself."""
        self._redis.set(self._key, token, ex=max(1, lasts_s))

    @contextmanager
    def refreshing(self) -> Iterator[None]:
        """A lock over all processes; a holder that dies loses it after 30 s."""
        with self._redis.lock(f"{self._key}:lock", timeout=30, blocking_timeout=15):
            yield

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
