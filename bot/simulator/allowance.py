"""How many customer-service messages an account may still send to a user (wechat.md §3.1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bot.simulator.pushes import PushBody


class Trigger(Enum):
    """What lets the account write: how many messages, and for how long."""

    MESSAGE = ("发消息", 5, timedelta(hours=48))
    MENU_CLICK = ("点菜单", 3, timedelta(minutes=1))
    FOLLOW = ("关注", 3, timedelta(minutes=1))
    SCAN = ("扫码", 3, timedelta(minutes=1))

    def __init__(self, label: str, messages: int, lasts: timedelta) -> None:
        self.label = label
        self.messages = messages
        self.lasts = lasts


def trigger_of(body: PushBody) -> Trigger | None:
    """What a push allows. A tap on a link in a reply counts as a menu click, though it arrives as text."""
    match body.kind:
        case "CLICK" | "scancode_push" | "scancode_waitmsg":
            return Trigger.MENU_CLICK
        case "subscribe":
            return Trigger.FOLLOW
        case "SCAN":
            return Trigger.SCAN
    if body.is_event:
        return None
    return Trigger.MENU_CLICK if "bizmsgmenuid" in body.fields else Trigger.MESSAGE


@dataclass(slots=True)
class Grant:
    """What is left of one trigger's messages."""

    trigger: Trigger
    left: int
    until: datetime


class Allowance:
    """The grants of one user; a newer grant replaces the one of the same trigger."""

    def __init__(self) -> None:
        """Nothing is allowed before the user does something."""
        self._grants: dict[Trigger, Grant] = {}

    def grant(self, trigger: Trigger, now: datetime) -> None:
        """The user did what allows the account to write."""
        self._grants[trigger] = Grant(trigger, trigger.messages, now + trigger.lasts)

    def end(self) -> None:
        """The user left: nothing is allowed any more."""
        self._grants.clear()

    def open(self, now: datetime) -> list[Grant]:
        """The grants whose time has not run out, first to end first."""
        return sorted((grant for grant in self._grants.values() if now < grant.until), key=lambda grant: grant.until)

    def charge(self, now: datetime) -> int:
        """Take one message off, from the grant that ends first. Gives 0, or WeChat's error code:

        45015 where no grant's time is running, 45047 where all that run are used up.
        """
        running = self.open(now)
        if not running:
            return 45015
        grant = next((grant for grant in running if grant.left), None)
        if grant is None:
            return 45047
        grant.left -= 1
        return 0
