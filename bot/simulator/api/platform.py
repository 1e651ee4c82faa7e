"""What WeChat knows of one account besides its chats: tokens, menu, quotas, drafts; and what it refuses on purpose."""

import itertools
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from bot.simulator.account import SimulatedAccount
from bot.simulator.api.errors import ApiError
from bot.simulator.api.tokens import TokenDesk
from bot.simulator.kinds import AccountKind

_SHANGHAI = ZoneInfo("Asia/Shanghai")
# Calls a day by path where WeChat tells them (wechat.md §3.1, §3.3, §3.5): real account, test account.
_QUOTAS = {
    "token": (2_000, 200),
    "stable_token": (500_000, 500_000),
    "message/custom/send": (500_000, 50_000),
    "menu/create": (1_000, 100),
    "draft/add": (1_000, 1_000),
    "freepublish/submit": (100, 100),
}
_CLEARED_A_MONTH = 10


class Trouble(StrEnum):
    """Ways in which an answer fails to be one."""

    ERROR = "error"
    HTML = "html"
    EMPTY = "empty"
    # The connection stays open without an answer until the caller gives up.
    STALL = "stall"


@dataclass(slots=True)
class Fault:
    """A fault that is switched on. `path` is as in `message/custom/send`; empty is every path.

    `times` counts down, None stays. `after`: what was asked for is done first, so that the caller cannot know.
    """

    trouble: Trouble
    path: str = ""
    code: int = -1
    times: int | None = None
    after: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was answered; errcode None where the answer was none (HTML, stall)."""

    path: str
    errcode: int | None


class Platform:
    """The state behind the API of one account."""

    def __init__(
        self, account: SimulatedAccount, *, ip_whitelist: Collection[str] | None = None, templates: Collection[str] = ()
    ) -> None:
        """`ip_whitelist` None lets everybody fetch tokens; `templates` are the ids that template/send knows."""
        self.account = account
        self.tokens = TokenDesk(account.now)
        self.ip_whitelist = ip_whitelist
        self.templates = set(templates)
        self.menu: list[dict[str, Any]] | None = None
        self.conditional_menus: list[dict[str, Any]] = []
        self.drafts: set[str] = set()
        self.typing: dict[str, datetime] = {}
        self.calls: list[Call] = []
        self.quotas = {path: pair[account.kind is AccountKind.TEST] for path, pair in _QUOTAS.items()}
        self.lock = threading.RLock()
        self.ids = itertools.count(200_163_836)
        self._faults: list[Fault] = []
        self._used: Counter[tuple[str, str]] = Counter()
        self._cleared: Counter[str] = Counter()

    def switch_on(self, fault: Fault) -> None:
        """From now on this goes wrong."""
        with self.lock:
            self._faults.append(fault)

    def switch_off(self) -> None:
        """Nothing goes wrong on purpose any more."""
        with self.lock:
            self._faults.clear()

    @property
    def faults(self) -> list[Fault]:
        """What is switched on."""
        with self.lock:
            return list(self._faults)

    def take_fault(self, path: str) -> Fault | None:
        """The fault that this call meets, counted down."""
        with self.lock:
            fault = next((one for one in self._faults if one.path in ("", path) and one.times != 0), None)
            if fault is not None and fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
            return fault

    def count(self, path: str) -> None:
        """Count a call against the day's quota; ApiError 45009 past it."""
        today = self.account.now().astimezone(_SHANGHAI).date().isoformat()
        with self.lock:
            self._used[today, path] += 1
            if path in self.quotas and self._used[today, path] > self.quotas[path]:
                raise ApiError(45009)

    def clear_quota(self) -> None:
        """Begin counting anew; ApiError 48006 the eleventh time in a month."""
        month = self.account.now().astimezone(_SHANGHAI).strftime("%Y-%m")
        with self.lock:
            if self._cleared[month] >= _CLEARED_A_MONTH:
                raise ApiError(48006)
            self._cleared[month] += 1
            self._used.clear()

    def log(self, path: str, errcode: int | None) -> None:
        """Remember how a call was answered."""
        with self.lock:
            self.calls.append(Call(path, errcode))
