"""A full encrypted turn in this process, and its ratio to the same turn with a fixed reply.

    python -m tests.benchmarks.turn [TURNS]

Both are measured in one run, in turns, so that the ratio holds on any machine.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.conversation import Dialogue
from bot.main import create_app
from bot.settings import Account
from bot.webhook import webhook_router
from bot.wechat.envelope import Envelope, Mode
from bot.wechat.messages import IncomingMessage
from knowledge import seeding
from knowledge.answering import Matcher
from knowledge.database import Database
from knowledge.migrations import migrate
from knowledge.working_days import local_day, now_utc
from tests.conftest import AES_KEY, APP_ID, TOKEN
from tests.wechat_user import WeChatPeer

QUESTIONS = [
    "试用期最长能约定多久啊",
    "公司拖欠我三个月工资了，老板电话也不接，我该去哪里告他",
    "上班路上骑电动车被汽车撞了算不算工伤",
    "新公司法五年内缴足是从什么时候算",
    "我老婆要和我离婚孩子归谁",
    "你好",
]


class FixedDialogue(Dialogue):
    """Decides and stores nothing: what is left is decrypting, parsing and encrypting."""

    def respond(self, incoming: IncomingMessage) -> str:
        """The same words always."""
        return "固定回复" * 60


def main(turns: int) -> None:
    """Print p50 and p99 in milliseconds, and the ratio of the medians."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        migrate(database)
        with database.writing() as session:
            seeding.seed(session, now_utc())
        matcher = Matcher(database)
        matcher.refresh(local_day(now_utc()))
        full = create_app(
            Account(TOKEN, APP_ID, AES_KEY, "", "safe", "k" * 40, is_simulated=False), database, matcher=matcher
        )
        fixed = FastAPI()
        envelope = Envelope(token=TOKEN, app_id=APP_ID, aes_key=AES_KEY, mode=Mode.SAFE)
        fixed.include_router(webhook_router(envelope, FixedDialogue(database, matcher, now_utc), now_utc))
        with TestClient(full) as full_client, TestClient(fixed) as fixed_client:
            timed: dict[str, list[float]] = {"full": [], "fixed": []}
            for number in range(turns + 50):
                for name, client in (("full", full_client), ("fixed", fixed_client)):
                    took = _turn(client.post, number)
                    if number >= 50:
                        timed[name].append(took)
        database.dispose()
    print(f"{matcher.index.size} classes, {len(matcher.index.wordings)} wordings, {turns} turns each")
    for name, values in timed.items():
        ordered = sorted(values)
        print(f"{name:>6}: p50 {statistics.median(ordered):.2f} ms, p99 {ordered[int(0.99 * len(ordered))]:.2f} ms")
    print(f" ratio: {statistics.median(timed['full']) / statistics.median(timed['fixed']):.1f}")


def _turn(post: Callable[..., object], number: int) -> float:
    text = QUESTIONS[number % len(QUESTIONS)]
    xml = (
        f"<xml><ToUserName>gh_fawen</ToUserName><FromUserName>o_bench_{number % 97}</FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType>text</MsgType>"
        f"<Content>{text}</Content><MsgId>{number}</MsgId></xml>"
    )
    query, body = WeChatPeer(token=TOKEN, app_id=APP_ID, aes_key=AES_KEY).push(xml)
    started = time.perf_counter()
    post("/wechat", params=query, content=body)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
