"""A storm of messages as the worst day brings them, drawn from a seed, and a count of what came of it."""

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace

from bot.simulator import pushes
from bot.simulator.account import Received, SimulatedAccount
from bot.simulator.delivery import Oddities
from bot.simulator.pushes import PushBody
from bot.simulator.verdicts import REPLY_LIMIT_BYTES
from bot.wechat.envelope import Mode

QUESTIONS = (
    "试用期最长多久",
    "公司拖欠工资怎么办",
    "注册资本五年内要缴足吗",
    "行政处罚前怎么要求听证",
    "你好",
    "进度",
    "谢谢",
)

_MOST = 1000  # users, places, pushes at once


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    """What the storm is made of. Shares are of all pushes, from 0 to 1; the same seed gives the same storm."""

    seed: int = 1
    users: int = 20
    # Pushed once more while, or after, the first is handled.
    duplicates: float = 0.1
    # How far a push may be moved from its place in the order; 0 keeps the order.
    reorder_within: int = 5
    # Pushes under way at once, several of one user among them.
    at_once: int = 8
    # Signed by a clock up to five minutes off, ahead or behind.
    skewed: float = 0.1
    # Sealed with the key before the rotation, where the account has one.
    previous_key: float = 0.1
    # In compatible mode, with clear fields that differ from the encrypted ones.
    hostile: float = 0.1
    # Odd words, unknown kinds, events, missing fields, in place of an ordinary question.
    odd: float = 0.4
    questions: Sequence[str] = QUESTIONS


def chaos_names() -> list[str]:
    """What `mixed` can set."""
    return [one.name for one in fields(ChaosOptions) if one.name not in ("seed", "questions")]


def mixed(seed: int, given: Sequence[str]) -> ChaosOptions:
    """The options of a storm from words as odd=0.9; raises ValueError for a name or number that cannot be."""
    values: dict[str, int | float] = {}
    for word in given:
        name, _, number = word.partition("=")
        if name not in chaos_names():
            raise ValueError(f"--mix {word}: there are {', '.join(chaos_names())}")
        is_share = isinstance(getattr(ChaosOptions(), name), float)
        try:
            value = float(number) if is_share else int(number)
        except ValueError as error:
            raise ValueError(f"--mix {word}: {number!r} is no {'share' if is_share else 'whole number'}") from error
        least = 1 if name in ("users", "at_once") else 0
        if not least <= value <= (1 if is_share else _MOST):
            raise ValueError(f"--mix {word}: from {least} to {1 if is_share else _MOST}")
        values[name] = value
    return replace(ChaosOptions(seed=seed), **values)  # type: ignore[arg-type] # whole numbers where they are asked for


@dataclass(frozen=True, slots=True)
class Planned:
    """One delivery of a push. Deliveries of one `identity` are the same push."""

    identity: int
    user: int
    body: PushBody
    oddities: Oddities = field(default_factory=Oddities)


def plan(count: int, options: ChaosOptions) -> list[Planned]:
    """`count` pushes and their duplicates in the order in which they set out."""
    draw = random.Random(options.seed)  # noqa: S311 # repeatable on purpose
    listed: list[Planned] = []
    for identity in range(count):
        odd = draw.random() < options.odd
        body = _odd(draw) if odd else pushes.text(draw.choice(options.questions))
        oddities = Oddities(
            skew_s=draw.randint(-300, 300) if draw.random() < options.skewed else 0,
            previous_key=draw.random() < options.previous_key,
            hostile=draw.random() < options.hostile,
        )
        planned = Planned(identity, draw.randrange(options.users), body, oddities)
        listed.append(planned)
        if draw.random() < options.duplicates:
            listed.append(replace(planned, oddities=Oddities()))
    places = [(place + draw.uniform(0, options.reorder_within), place) for place in range(len(listed))]
    return [listed[place] for _, place in sorted(places)]


def _odd(draw: random.Random) -> PushBody:
    return draw.choice(ODD_PUSHES)


def _odd_texts() -> Iterator[str]:
    yield "👨‍👩‍👧‍👦试用期👩🏽‍⚖️最长多久🏳️‍🌈"
    yield "长" * (REPLY_LIMIT_BYTES // 3)
    yield "问" * (REPLY_LIMIT_BYTES // 3 - 1) + "abcde"
    yield "工资]]>怎么办]]></Content><MsgType>evil</MsgType>"
    yield "加班工资１２３倍还是２００％"
    yield "２"
    yield ""
    yield "   \n\t "
    yield "<a href='weixin://bizmsgmenu'>点</a>&amp;&lt;"
    yield "試用期最長多久\u200b\u200d\ufeff"
    yield "\u202e转正\u202c"
    yield "'; DROP TABLE message;--"
    yield "{{ 7*7 }} %s %n ${jndi}"
    yield pushes.UNSUPPORTED


ODD_PUSHES: tuple[PushBody, ...] = (
    *(pushes.text(one) for one in _odd_texts()),
    pushes.text("试用期最长多久", "no-such-id"),
    pushes.from_article(pushes.text("公司拖欠工资怎么办")),
    pushes.image(),
    pushes.voice(),
    pushes.voice(None),
    pushes.voice("试用期最长多久"),
    pushes.video(),
    pushes.video(short=True),
    pushes.location(),
    pushes.link(),
    pushes.unknown_message(),
    pushes.unknown_event(),
    pushes.subscribe(),
    pushes.subscribe(with_key=False),
    pushes.subscribe("fair2026"),
    pushes.scan("fair2026"),
    pushes.scan(""),
    pushes.click("HELP"),
    pushes.click("", with_key=False),
    pushes.view("https://example.cn/"),
    pushes.view_miniprogram(),
    pushes.location_report(),
    pushes.scancode("SCAN"),
    pushes.scancode("SCAN", waits=False),
    pushes.pictures("PIC"),
    pushes.location_select("PLACE"),
    pushes.template_sent(200163836),
    pushes.mass_sent(1000001625),
    pushes.subscription_popup(),
    pushes.subscription_popup("a", "b"),
    pushes.subscription_change(),
    pushes.subscription_sent(1700827132819554304),
    pushes.service_session("create"),
    pushes.service_session("switch"),
    pushes.published(),
    pushes.debug_demo(),
)


@dataclass(slots=True)
class StormReport:
    """What came of a storm: faults by reason, and pushes whose deliveries were not answered alike (`split`)."""

    sent: int = 0
    answered: int = 0
    silent: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    split: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Every push was answered or accepted, and every duplicate got what the first one got."""
        return not self.faults and not self.split

    def lines(self) -> list[str]:
        """The report for people."""
        counts = f"有回复{self.answered}，无回复{self.silent}，故障{sum(self.faults.values())}"
        shown = [f"推送{self.sent}次：{counts}；最慢{self.slowest_s:.2f}秒"]
        shown += [f"  故障{count}次：{why}" for why, count in self.faults.most_common()]
        return [*shown, *(f"  同一条消息的两次推送得到不同回复：{one}" for one in self.split)]


def storm(account: SimulatedAccount, count: int, options: ChaosOptions) -> StormReport:
    """Send `count` pushes and their duplicates to the account's webhook, several at once, and count."""
    listed = plan(count, options)
    openids = [account.user(f"风暴{number:04}").openid for number in range(options.users)]
    # Named in the order of their identity, not of sending, so that ids rise as they would.
    xml = {
        one.identity: account.named(openids[one.user], one.body) for one in sorted(listed, key=lambda one: one.identity)
    }
    has_previous = bool(account.credentials.previous_aes_key)
    is_compat = account.credentials.mode is Mode.COMPAT
    report, lock = StormReport(), threading.Lock()
    given: dict[int, str] = {}

    def send(one: Planned) -> None:
        oddities = replace(
            one.oddities,
            previous_key=one.oddities.previous_key and has_previous,
            hostile=one.oddities.hostile and is_compat,
        )
        received = account.push(openids[one.user], one.body, xml[one.identity], oddities)
        with lock:
            _count(report, one, received, given)

    with ThreadPoolExecutor(options.at_once) as pool:
        list(pool.map(send, listed))
    return report


def _count(report: StormReport, one: Planned, received: Received, given: dict[int, str]) -> None:
    report.sent += 1
    slowest = max((attempt.took_s for attempt in received.exchange.attempts), default=0.0)
    report.slowest_s = max(report.slowest_s, slowest)
    if received.fault is not None:
        report.faults[received.fault] += 1
        return
    if received.reply is None:
        report.silent += 1
    else:
        report.answered += 1
    if given.setdefault(one.identity, received.text) != received.text:
        report.split.append(f"{one.body.kind} {one.body.content[:20]}".strip())
