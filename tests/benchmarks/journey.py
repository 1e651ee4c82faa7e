"""A load journey: many users' mixed messages, pushed as WeChat pushes at its worst, each answered exactly once.

    python -m tests.benchmarks.journey [--database URL] [--messages N] [--users N] [--workers N]

`fawen serve --workers` is started over the shipped FAQ. Messages are duplicated (at once and later), reordered, and
several of one user run at the same time; colleagues answer inquiries meanwhile. Afterwards: every push has one row
and one reply, whatever was delivered for it; every colleague's reply arrived once; the figures are printed.
"""

import argparse
import asyncio
import hashlib
import itertools
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
from sqlmodel import select

from knowledge import inquiries
from knowledge.database import Database
from knowledge.models import Message, OutboxMessage, OutboxStatus
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import now_utc
from tests.benchmarks.turn import wait_until_ready
from tests.conftest import AES_KEY, APP_ID, TOKEN
from tests.wechat_user import WeChatPeer

ACCOUNT = "gh_fawen"
# Not 取答复: it brings an earlier reply again because its asker wants it again.
TYPED = [
    "试用期最长能约定多久啊",
    "公司拖欠我三个月工资了，老板电话也不接，我该去哪里告他",
    "上班路上骑电动车被汽车撞了算不算工伤",
    "新公司法五年内缴足是从什么时候算",
    "我老婆要和我离婚孩子归谁",
    "公司食堂的鹅跑到马路上被车压了，司机要公司赔车漆，公司要赔吗",
    "邻居家的猫半夜在办公楼里乱叫，物业说要收我们公司噪音管理费合理吗",
    "刚刚同事的手被机器压断了怎么办",
    "那试用期呢",
    "你好", "谢谢", "菜单", "进度", "更多", "人工", "没解决", "有用", "1", "2", "都不是", "留电话", "13800138000",
    "热线", "哈哈哈", "", "😀", "长" * 680, "试用期最长多久", "拖欠工资怎么办", "<a href='x'>]]></a>",
]  # fmt: skip
# How the two texts begin that stand for a reply which was not ready, and for a message that was not stored.
_LATE, _NOT_STORED = "这条还在查找答复", "系统正忙，这条消息没有保存"
MARK = "〔第%d号答复〕"


@dataclass
class Push:
    """One push: the XML, its key as stored, whether a reply is due, and what was replied to its deliveries."""

    user: int
    xml: str
    key: str
    wants_reply: bool
    replies: list[str] = field(default_factory=list)


@dataclass
class Result:
    """What a journey came to. The lists name pushes or marks that broke the rule; empty is right."""

    pushes: int
    deliveries: int
    broken: int  # connections that ended without a reply; the push was delivered again
    seconds: float
    took_ms: list[float]
    lost: list[str]
    doubled: list[str]
    differing: list[str]
    late: int
    not_stored: int
    staff_replies: int
    staff_lost: list[str]
    staff_doubled: list[str]

    @property
    def is_right(self) -> bool:
        """Whether every message was answered exactly once and every colleague's reply arrived once."""
        return not (self.lost or self.doubled or self.differing or self.staff_lost or self.staff_doubled)


def make_pushes(count: int, users: int, chance: random.Random) -> list[Push]:
    """Pushes of mixed kinds, in the order in which they are sent."""
    ids = itertools.count(time.time_ns())
    seconds = itertools.count(int(time.time()) - count)
    made = []
    for _ in range(count):
        user = chance.randrange(users)
        openid, second = openid_of(user), next(seconds)
        if chance.random() < 0.08:
            event, event_key = chance.choice(
                [("subscribe", ""), ("subscribe", "qrscene_fair"), ("SCAN", "visit"), ("CLICK", "菜单"), ("VIEW", "u")]
            )
            body = f"<MsgType>event</MsgType><Event>{event}</Event><EventKey>{event_key}</EventKey>"
            identity = ["event", openid, str(second), event, event_key]
            made.append(Push(user, xml_of(openid, second, body), key_of(identity), event != "VIEW"))
            continue
        number = str(next(ids))
        if chance.random() < 0.07:
            kind = chance.choice(["image", "voice", "location", "hologram"])
            body = f"<MsgType>{kind}</MsgType><MediaId>m</MediaId><MsgId>{number}</MsgId>"
        else:
            text = chance.choice(TYPED).replace("]]>", "]]]]><![CDATA[>")
            body = f"<MsgType>text</MsgType><Content><![CDATA[{text}]]></Content><MsgId>{number}</MsgId>"
        made.append(Push(user, xml_of(openid, second, body), key_of(["message", openid, str(second), number]), True))
    return made


def openid_of(user: int) -> str:
    """A user's openid."""
    return f"o_journey_{user:018d}"


def xml_of(openid: str, second: int, body: str) -> str:
    """The clear XML of a push."""
    return (
        f"<xml><ToUserName>{ACCOUNT}</ToUserName><FromUserName>{openid}</FromUserName>"
        f"<CreateTime>{second}</CreateTime>{body}</xml>"
    )


def key_of(identity: list[str]) -> str:
    """What tells one push from every other, as it is stored."""
    return hashlib.sha256("\0".join([ACCOUNT, *identity]).encode()).hexdigest()


class WeChatAtItsWorst:
    """Delivers pushes over many connections, some twice at once, some again later, in no good order."""

    def __init__(self, url: str, pushes: list[Push], chance: random.Random, connections: int) -> None:
        self._url = url
        self._peer = WeChatPeer(token=TOKEN, app_id=APP_ID, aes_key=AES_KEY)
        self._connections = connections
        self.took_ms: list[float] = []
        self.deliveries = 0
        self.broken = 0
        self._plan = self._schedule(pushes, chance)

    def _schedule(self, pushes: list[Push], chance: random.Random) -> list[Push]:
        """Swap within a window of 20, duplicate one in ten: half of those at once, half later."""
        order = sorted(range(len(pushes)), key=lambda place: place + chance.randrange(20))
        plan: list[Push] = []
        later: list[Push] = []
        for place in order:
            plan.append(pushes[place])
            if (draw := chance.random()) < 0.05:
                plan.append(pushes[place])
            elif draw < 0.1:
                later.append(pushes[place])
            if later and chance.random() < 0.05:
                plan.append(later.pop(0))
        return plan + later

    async def run(self) -> None:
        """Deliver everything."""
        work = iter(self._plan)
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
            await asyncio.gather(*(self._connection(http, work) for _ in range(self._connections)))

    async def _connection(self, http: httpx.AsyncClient, work: Iterator[Push]) -> None:
        for push in work:
            push.replies.append(await self.deliver(http, push.xml))

    async def deliver(self, http: httpx.AsyncClient, xml: str) -> str:
        """One delivery; gives the reply's text ("" for a bare success)."""
        query, body = self._peer.push(xml)
        started = time.perf_counter()
        for _ in range(3):
            try:
                answer = await http.post(self._url, params=query, content=body, headers={"content-type": "text/xml"})
            except httpx.TransportError:
                # As WeChat does: the same push once more, three times in all (wechat.md §1.5).
                self.broken += 1
            else:
                break
        else:
            raise AssertionError("three deliveries of a push, and each connection broke")
        self.took_ms.append((time.perf_counter() - started) * 1000)
        self.deliveries += 1
        assert answer.status_code == 200, (answer.status_code, answer.text[:200])
        if answer.content in (b"", b"success"):
            return ""
        return ET.fromstring(self._peer.read(answer.content)).findtext("Content") or ""


async def colleagues(database: Database, stop: asyncio.Event, written: list[str]) -> None:
    """Answer what is open, now and then, each reply with a mark of its own."""
    while not stop.is_set():
        await asyncio.to_thread(answer_some, database, written)
        await asyncio.sleep(0.3)


def answer_some(database: Database, written: list[str]) -> None:
    """Answer up to five open inquiries, each in a unit of work of its own."""
    with database.reading() as session:
        numbers = [one.number for one in inquiries.waiting(session, 5)]
    for number in numbers:
        mark = MARK % len(written)
        with database.writing() as session:
            inquiries.reply(session, number, "李", f"{mark}公司要赔。", now_utc())
        written.append(mark)


async def travel(url: str, database: Database, pushes: list[Push], users: int, seed: int, connections: int) -> Result:
    """Run the journey against a server over `database`, and judge it."""
    wechat = WeChatAtItsWorst(url, pushes, random.Random(seed), connections)
    stop, written = asyncio.Event(), list[str]()
    answering = asyncio.create_task(colleagues(database, stop, written))
    started = time.perf_counter()
    await wechat.run()
    seconds = time.perf_counter() - started
    stop.set()
    await answering
    took_ms = list(wechat.took_ms)
    last = await say_last_words(wechat, users, pushes)
    return judge(database, pushes + last, written, Measured(wechat.deliveries, wechat.broken, seconds, took_ms))


async def say_last_words(wechat: WeChatAtItsWorst, users: int, pushes: list[Push]) -> list[Push]:
    """Everybody fetches what was late, and writes until nothing waits for them any more, so that what is due is there.

    Gives the pushes this took.
    """
    said: list[Push] = []
    ids = itertools.count(time.time_ns())
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:

        async def say(user: int, text: str, tapped: str = "") -> Push:
            openid, second, number = openid_of(user), int(time.time()), str(next(ids))
            tap = f"<bizmsgmenuid>{tapped}</bizmsgmenuid>" if tapped else ""
            body = f"<MsgType>text</MsgType><Content>{text}</Content>{tap}<MsgId>{number}</MsgId>"
            push = Push(user, xml_of(openid, second, body), key_of(["message", openid, str(second), number]), True)
            push.replies.append(await wechat.deliver(http, push.xml))
            said.append(push)
            return push

        async def finish(user: int) -> None:
            late = [push for push in pushes if push.user == user]
            text = "你好"
            for _ in range(200):
                while late and not is_late(late[0]):
                    late.pop(0)
                push = await (say(user, "取答复", f"k{late[0].key[:16]}") if late else say(user, text))
                reply = push.replies[0]
                if _NOT_STORED in reply:
                    continue
                if late:
                    late.pop(0)
                if is_late(push):
                    late.append(push)
                elif "（未完）" in reply:
                    text = "更多"
                elif "工作人员答复" in reply:
                    text = "你好"
                elif not late:
                    return

        for first in range(0, users, 20):
            await asyncio.gather(*(finish(user) for user in range(first, min(first + 20, users))))
    return said


def is_late(push: Push) -> bool:
    """Whether its user has seen no more than the offer to fetch the reply."""
    return (
        bool(push.replies)
        and all(_LATE in reply or _NOT_STORED in reply for reply in push.replies)
        and any(_LATE in reply for reply in push.replies)
    )


@dataclass(frozen=True)
class Measured:
    """Figures of the run itself."""

    deliveries: int
    broken: int
    seconds: float
    took_ms: list[float]


def judge(database: Database, pushes: list[Push], written: list[str], measured: Measured) -> Result:
    """Compare what was received with what is stored."""
    with database.reading() as session:
        rows = Counter(session.exec(select(Message.key)).all())
        waiting = session.exec(select(OutboxMessage.id).where(OutboxMessage.status != OutboxStatus.DELIVERED)).all()
    late = sum(_LATE in reply for push in pushes for reply in push.replies)
    not_stored = sum(_NOT_STORED in reply for push in pushes for reply in push.replies)
    real = {push.key: {one for one in push.replies if _LATE not in one and _NOT_STORED not in one} for push in pushes}
    keys = {push.key for push in pushes}
    marks = Counter(mark for push in pushes for mark in written if any(mark in reply for reply in real[push.key]))
    return Result(
        pushes=len(keys),
        deliveries=measured.deliveries,
        broken=measured.broken,
        seconds=measured.seconds,
        took_ms=measured.took_ms,
        lost=[p.key for p in pushes if not is_accounted_for(p, rows[p.key])],
        doubled=[key for key, count in rows.items() if count > 1 or key not in keys],
        differing=[p.key for p in pushes if len(real[p.key]) > 1],
        late=late,
        not_stored=not_stored,
        staff_replies=len(written),
        staff_lost=[mark for mark in written if marks[mark] == 0] + [str(row) for row in waiting],
        staff_doubled=[mark for mark in written if marks[mark] > 1],
    )


def is_accounted_for(push: Push, rows: int) -> bool:
    """Whether a push was stored and answered, or its user was told each time that it was not and to send it again."""
    if rows == 0:
        return all(_NOT_STORED in reply for reply in push.replies)
    return all(push.replies) or not push.wants_reply


@contextmanager
def serving(url: str, workers: int, folder: Path) -> Iterator[str]:
    """`fawen serve` with worker processes; gives the webhook's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FAWEN_")},
        "FAWEN_DATABASE_URL": url.replace("+psycopg", ""),
        "FAWEN_DATA_DIR": str(folder),
        "FAWEN_WECHAT_TOKEN": TOKEN,
        "FAWEN_WECHAT_APP_ID": APP_ID,
        "FAWEN_WECHAT_AES_KEY": AES_KEY,
        "FAWEN_RATE_LIMIT": "",
    }
    command = [sys.executable, "-m", "bot.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with (
        (folder / "serve.log").open("wb") as log,
        subprocess.Popen([*command, "--workers", str(workers)], env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            wait_until_ready(port)
            yield f"http://127.0.0.1:{port}/wechat"
        finally:
            process.terminate()
            process.wait(30)


def journey(url: str, folder: Path, *, messages: int, users: int, workers: int, connections: int) -> Result:
    """The whole journey over a migrated and filled database."""
    pushes = make_pushes(messages, users, random.Random(20261125))
    database = Database(url)
    try:
        with serving(url, workers, folder) as address:
            return asyncio.run(travel(address, database, pushes, users, 1, connections))
    finally:
        database.dispose()


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="", help="an empty PostgreSQL database; a new SQLite file without")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = (
            KnowledgeSettings(database_url=given.database).url
            if given.database
            else f"sqlite:///{folder / 'journey.sqlite3'}"
        )
        environment = {**os.environ, "FAWEN_DATABASE_URL": url.replace("+psycopg", ""), "FAWEN_DATA_DIR": name}
        for command in (["migrate"], ["ask", "试用期"]):
            subprocess.run(
                [sys.executable, "-m", "bot.cli", *command], env=environment, check=True, capture_output=True
            )
        result = journey(
            url,
            folder,
            messages=given.messages,
            users=given.users,
            workers=given.workers,
            connections=given.connections,
        )
    show(result, url.split(":", 1)[0], given.workers)
    raise SystemExit(0 if result.is_right else 1)


def show(result: Result, store: str, workers: int) -> None:
    """Print what a journey came to."""
    ordered = sorted(result.took_ms)
    print(f"{store}, {workers} worker processes: {result.pushes} messages, {result.deliveries} deliveries")
    print(f"{result.deliveries / result.seconds:.0f} deliveries/s over {timedelta(seconds=round(result.seconds))}")
    print(f"p50 {statistics.median(ordered):.1f} ms, p99 {ordered[int(0.99 * len(ordered))]:.1f} ms")
    print(f"lost {len(result.lost)}, doubled {len(result.doubled)}, differing replies {len(result.differing)}")
    print(f"answered late {result.late}, asked to send again {result.not_stored}, broken connections {result.broken}")
    staff = f"lost {len(result.staff_lost)}, doubled {len(result.staff_doubled)}"
    print(f"colleagues' replies {result.staff_replies}: {staff}")


if __name__ == "__main__":
    main()
