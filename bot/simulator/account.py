"""One official account with its followers, as WeChat's servers see it: the door to the simulator as a library."""

import base64
import hashlib
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Self

import httpx
from anyio.from_thread import start_blocking_portal

from bot.simulator import phone, pushes
from bot.simulator.allowance import Allowance, trigger_of
from bot.simulator.delivery import Courier, DeliveryRules, Exchange, Oddities
from bot.simulator.kinds import AccountKind
from bot.simulator.phone import Tap
from bot.simulator.pushes import PushBody, Value
from bot.simulator.sealing import Credentials
from bot.simulator.verdicts import Article, Reply


class NotFollowing(Exception):
    """Somebody who does not follow the account cannot write to it."""


class NothingToTap(Exception):
    """No such link stands in what the user last received."""


class Side(Enum):
    """Who speaks in a bubble."""

    USER = "user"
    ACCOUNT = "account"
    # Pushed by the account with a customer-service message, not as a reply.
    PUSHED = "pushed"
    # WeChat itself: the fault notice, that somebody followed.
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Bubble:
    """One line of a chat. `exchange` is the number of the push it belongs to; `fault` explains the fault notice."""

    number: int
    openid: str
    side: Side
    at: datetime
    kind: str
    text: str
    articles: tuple[Article, ...] = ()
    exchange: int | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What the user's phone gets for one action: the reply (None for a silence), or why it shows the fault notice."""

    reply: Reply | None
    fault: str | None
    exchange: Exchange

    @property
    def text(self) -> str:
        """The reply's text with its markup; empty where there is none."""
        return self.reply.text if self.reply else ""

    @property
    def visible(self) -> str:
        """The reply's text as read on the phone."""
        return phone.visible(self.text)

    @property
    def taps(self) -> list[Tap]:
        """The tappable places of the reply."""
        return phone.taps(self.text)


class SimulatedAccount:
    """An account whose pushes go to one webhook. A context manager: connections live as long as its block.

    Threads may use it at once; one user's messages then overtake each other as they do in reality.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        kind: AccountKind = AccountKind.SUBSCRIPTION,
        rules: DeliveryRules | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`url` is the webhook's address; `now` gives the time, aware."""
        self.url = url
        self.kind = kind
        self.now = now
        self._credentials = credentials
        self._rules = rules or DeliveryRules()
        self._lock = threading.RLock()
        self._arrived = threading.Condition(self._lock)
        self._is_closed = False
        self._users: dict[str, SimulatedUser] = {}
        self._bubbles: list[Bubble] = []
        self._exchanges: list[Exchange] = []
        # Ids go on from the clock, so that a second run does not repeat the first one's.
        self._ids = itertools.count(time.time_ns())
        self._seconds: dict[tuple[str, str, str], int] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Open the connections."""
        portal = self._open.enter_context(start_blocking_portal())
        # No kept connections: one that the server closes just then would count as its fault.
        http = httpx.AsyncClient(
            timeout=None,  # noqa: S113 # the courier cuts after WeChat's five seconds, counted over the whole request
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            headers={"user-agent": "Mozilla/4.0"},
        )
        self._open.enter_context(portal.wrap_async_context_manager(http))
        self._portal = portal
        self._courier = Courier(self.url, self._credentials, http, self._rules, self.now)
        return self

    def __exit__(self, *raised: Any) -> None:
        """Close the connections and end every wait."""
        self.end_waits()
        self._open.close()

    def end_waits(self) -> None:
        """Whoever waits for a bubble stops waiting, now and from now on."""
        with self._lock:
            self._is_closed = True
            self._arrived.notify_all()

    @property
    def credentials(self) -> Credentials:
        """What this account shares with the bot."""
        return self._credentials

    def user(self, name: str, openid: str = "") -> "SimulatedUser":
        """The person of this name, a follower when first named; their openid comes from the name."""
        with self._lock:
            if name not in self._users:
                self._users[name] = SimulatedUser(self, name, openid or openid_of(name))
            return self._users[name]

    def users(self) -> list["SimulatedUser"]:
        """Everybody named so far."""
        with self._lock:
            return list(self._users.values())

    def by_openid(self, openid: str) -> "SimulatedUser | None":
        """The person with this openid."""
        return next((user for user in self.users() if user.openid == openid), None)

    def bubbles(self, openid: str | None = None, after: int = 0) -> list[Bubble]:
        """What the phones show, in order: one user's or everybody's, from the bubble after a number."""
        with self._lock:
            return [one for one in self._bubbles[after:] if openid in (None, one.openid)]

    def wait(self, wanted: Callable[[Bubble], bool], timeout_s: float, after: int | None = None) -> Bubble | None:
        """The first bubble of this kind after a number (by default, from now on); None where none comes in time."""
        with self._lock:
            start = len(self._bubbles) if after is None else after

            def found() -> Bubble | None:
                return next((one for one in self._bubbles[start:] if wanted(one)), None)

            self._arrived.wait_for(lambda: self._is_closed or found() is not None, timeout_s)
            return found()

    def exchange(self, number: int) -> Exchange:
        """A push with its requests and answers; IndexError where there was none of this number."""
        with self._lock:
            if number < 1:
                raise IndexError(number)
            return self._exchanges[number - 1]

    def named(self, openid: str, body: PushBody) -> str:
        """The push's XML: the body with receiver, sender, time, and a MsgId where it is a message."""
        common: dict[str, Value] = {
            "ToUserName": self._credentials.name,
            "FromUserName": openid,
            "CreateTime": self._second(openid, body),
        }
        identity: dict[str, Value] = {} if body.is_event else {"MsgId": next(self._ids)}
        return pushes.render({**common, **body.fields, **identity})

    def push(self, openid: str, body: PushBody, xml: str = "", odd: Oddities | None = None) -> Received:
        """Deliver a push; nothing is written into the chat. `xml` repeats one as it was."""
        sent = xml or self.named(openid, body)
        exchange = self._portal.call(self._courier.deliver, openid, body, sent, odd or Oddities())
        return Received(exchange.reply, exchange.fault, exchange)

    def check_url(self) -> str | None:
        """What the console does when a server address is set: why it would refuse it, or None."""
        return self._portal.call(self._courier.check_url)

    def keep(self, received: Received) -> int:
        """Remember an exchange so that it can be looked at; gives its number."""
        with self._lock:
            self._exchanges.append(received.exchange)
            return len(self._exchanges)

    def show(self, openid: str, side: Side, kind: str, text: str, **more: Any) -> None:
        """Put a bubble into a user's chat."""
        with self._lock:
            self._bubbles.append(Bubble(len(self._bubbles) + 1, openid, side, self.now(), kind, text, **more))
            self._arrived.notify_all()

    def _second(self, openid: str, body: PushBody) -> int:
        """CreateTime. Two equal events of one second could not be told from a repeat, so the later one waits."""
        second = int(self.now().timestamp())
        if not body.is_event:
            return second
        with self._lock:
            same = (openid, body.kind, body.event_key)
            second = max(second, self._seconds.get(same, 0) + 1)
            self._seconds[same] = second
            return second


class SimulatedUser:
    """Somebody with WeChat on the phone, talking to one account."""

    def __init__(self, account: SimulatedAccount, name: str, openid: str) -> None:
        """People are followers from the start; see `unfollows`."""
        self._account = account
        self.name = name
        self.openid = openid
        self.is_following = True
        self.subscribed_at = account.now()
        self.scene = ""
        self.allowance = Allowance()
        # When this user last did something that allows the account to write.
        self.wrote_at: datetime | None = None
        self._last: tuple[PushBody, str] | None = None
        # The tappable places of the newest bubble that had any: older ones stay tappable, see `taps`.
        self.offered: list[Tap] = []

    def says(self, text: str) -> Received:
        """Type and send words."""
        return self.sends(pushes.text(text), text)

    def taps(self, where: str | int | Tap) -> Received:
        """Tap a link: by a part of its label or its number in the newest bubble with links, or any earlier one."""
        tap = where if isinstance(where, Tap) else self._offered(where)
        menu_id = tap.menu_id if self._account.kind.tells_which_link_was_tapped else None
        body = pushes.text(tap.text, menu_id)
        return self.sends(body, tap.text, is_tap=True)

    def sends(self, body: PushBody, shown: str = "", *, is_tap: bool = False) -> Received:
        """Send a message of any kind. Raises NotFollowing."""
        if not self.is_following:
            raise NotFollowing(self.name)
        kind = str(body.fields["MsgType"])
        self._account.show(self.openid, Side.USER, "tap" if is_tap else kind, shown or body.content)
        return self._pushed(body, is_tap=is_tap)

    def follows(self, scene: str | None = None) -> Received:
        """Follow the account, perhaps by the QR code of a scene."""
        self.is_following, self.subscribed_at, self.scene = True, self._account.now(), scene or ""
        self._account.show(
            self.openid, Side.SYSTEM, "event", "你关注了公众号" + (f"（扫码：{scene}）" if scene else "")
        )
        return self._pushed(pushes.subscribe(scene))

    def unfollows(self) -> Received:
        """Leave: nothing more can be sent either way."""
        self.is_following, self.offered = False, []
        self._account.show(self.openid, Side.SYSTEM, "event", "你取消了关注")
        received = self._pushed(pushes.unsubscribe())
        self.allowance.end()
        return received

    def scans(self, scene: str) -> Received:
        """Scan a QR code of the account: a follower's SCAN, or somebody else's way to follow."""
        if not self.is_following:
            return self.follows(scene)
        self._account.show(self.openid, Side.SYSTEM, "event", f"你扫了公众号的二维码：{scene}")
        return self._pushed(pushes.scan(scene))

    def clicks(self, key: str, label: str = "") -> Received:
        """Tap a menu button of type click."""
        self._account.show(self.openid, Side.SYSTEM, "event", f"你点了菜单：{label or key}")
        return self._pushed(pushes.click(key))

    def happens(self, event: PushBody) -> Received:
        """Any other event about this user."""
        self._account.show(self.openid, Side.SYSTEM, "event", f"事件：{event.kind}")
        return self._pushed(event)

    def resends(self) -> Received | None:
        """WeChat pushes the last one once more, as it does when it had no answer; None before the first."""
        if self._last is None:
            return None
        body, xml = self._last
        self._account.show(self.openid, Side.SYSTEM, "event", "微信把上一条又推送了一次")
        return self._arrives(self._account.push(self.openid, body, xml))

    def receives(self, reply: Reply) -> None:
        """A customer-service message of the account arrives."""
        self._account.show(self.openid, Side.PUSHED, reply.kind, reply.text, articles=reply.articles)
        self.offered = phone.taps(reply.text) or self.offered

    def _pushed(self, body: PushBody, *, is_tap: bool = False) -> Received:
        # A tap opens the menu's allowance also where the account is not told that it was one.
        trigger = trigger_of(pushes.text("", "tap") if is_tap else body)
        if trigger is not None:
            self.wrote_at = self._account.now()
            self.allowance.grant(trigger, self.wrote_at)
        xml = self._account.named(self.openid, body)
        self._last = body, xml
        return self._arrives(self._account.push(self.openid, body, xml))

    def _arrives(self, received: Received) -> Received:
        number = self._account.keep(received)
        if received.fault is not None:
            self._account.show(self.openid, Side.SYSTEM, "fault", "", exchange=number, fault=received.fault)
        elif received.reply is not None:
            reply = received.reply
            self._account.show(
                self.openid, Side.ACCOUNT, reply.kind, reply.text, articles=reply.articles, exchange=number
            )
            self.offered = phone.taps(reply.text) or self.offered
        else:
            self._account.show(self.openid, Side.SYSTEM, "silence", "", exchange=number)
        return received

    def _offered(self, where: str | int) -> Tap:
        if isinstance(where, int):
            if 1 <= where <= len(self.offered):
                return self.offered[where - 1]
            raise NothingToTap(f"上一条回复里没有〔{where}〕")
        earlier = self._account.bubbles(self.openid)
        every = [*self.offered, *(tap for one in reversed(earlier) for tap in phone.taps(one.text))]
        found = next((tap for tap in every if where in tap.label), None)
        if found is None:
            raise NothingToTap(
                f"没有带“{where}”的链接，可点的有：{'、'.join(tap.label for tap in self.offered) or '无'}"
            )
        return found


def openid_of(name: str) -> str:
    """28 characters as WeChat's openids have, the same for the same name in every run."""
    return "o" + base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).decode()[:27]
