"""Pushes that were refused since this process started: what the connection check reads to find a wrong token or key."""

import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Why(StrEnum):
    """What was wrong with a refused push."""

    SIGNATURE = "signature"
    STALE = "stale"
    UNREADABLE = "unreadable"  # signed by WeChat, and not readable with our key


@dataclass(frozen=True, slots=True)
class Refused:
    """How many were refused, and the newest one's time and reason."""

    count: int
    at: datetime
    why: Why


class Refusals:
    """A count in memory: whoever likes may send pushes that are refused, so nothing of them is stored."""

    def __init__(self) -> None:
        """Nothing was refused yet."""
        self._lock = threading.Lock()
        self._newest: Refused | None = None

    def note(self, why: Why, at: datetime) -> None:
        """One more was refused."""
        with self._lock:
            self._newest = Refused(self._newest.count + 1 if self._newest else 1, at, why)

    @property
    def newest(self) -> Refused | None:
        """What was refused so far; None where nothing was."""
        return self._newest
