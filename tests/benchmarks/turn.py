"""A full encrypted turn over HTTP: latency, and throughput beside endpoints that do less.

    python -m tests.benchmarks.turn [--database URL] [--turns N] [--connections N]

Three servers, one process each, get the same signed and encrypted pushes in turns, so that the ratios hold on any
machine: `full` is Fawen; `row` decrypts, parses, commits one inserted row and replies with a constant; `bare` does
that without the row. Without --database a new SQLite file is used; a PostgreSQL database given must be empty.
"""

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import structlog
import uvicorn
from fastapi import FastAPI, Response
from sqlmodel import select

from bot.conversation import Dialogue
from bot.main import THREADS, create_app
from bot.refusals import Refusals
from bot.settings import Account
from bot.webhook import webhook_router
from bot.wechat.envelope import Envelope, Mode
from bot.wechat.messages import IncomingMessage
from knowledge import seeding
from knowledge.answering import Matcher
from knowledge.database import WITHIN_A_REPLY, Database
from knowledge.migrations import migrate
from knowledge.models import Asker, Message
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import now_utc
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
KINDS = ("full", "row", "bare")
CONSTANT = "固定回复" * 60


@dataclass(frozen=True)
class Timed:
    """One run over one server: milliseconds per turn, and turns a second."""

    took_ms: list[float]
    per_second: float


class BareDialogue(Dialogue):
    """Decides and stores nothing."""

    def respond(self, incoming: IncomingMessage) -> str:
        """The same words always."""
        return CONSTANT


class RowDialogue(Dialogue):
    """Decides nothing and stores one row, committed before the reply leaves."""

    def respond(self, incoming: IncomingMessage) -> str:
        """The same words always."""
        with self._database.writing() as session:
            session.add(
                Message(
                    key=incoming.key,
                    asker_id=1,
                    received_at=self._now(),
                    kind="question",
                    text=CONSTANT[:20],
                    reply=CONSTANT,
                )
            )
        return CONSTANT


def application(kind: str, database: Database) -> FastAPI:
    """The application of one kind of server."""
    if kind == "full":
        account = Account(TOKEN, APP_ID, AES_KEY, "", "safe", "k" * 40, is_simulated=False)
        return create_app(account, database, trains=False)
    app = FastAPI()
    envelope = Envelope(token=TOKEN, app_id=APP_ID, aes_key=AES_KEY, mode=Mode.SAFE)
    kind_of = RowDialogue if kind == "row" else BareDialogue
    app.include_router(webhook_router(envelope, kind_of(database, Matcher(database), now_utc), Refusals(), now_utc))

    @app.get("/readyz")
    def readyz() -> Response:
        return Response()

    return app


def serve(kind: str, url: str, port: int) -> None:
    """Run one server until it is ended."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    uvicorn.run(
        application(kind, Database(url, pool_size=THREADS, waits=WITHIN_A_REPLY)),
        port=port,
        log_level="error",
        access_log=False,
    )


@contextmanager
def server(kind: str, url: str) -> Iterator[int]:
    """A server in a process of its own; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tests.benchmarks.turn", "--serve", kind, "--database", url, "--port", str(port)]
    with subprocess.Popen(command) as process:
        try:
            wait_until_ready(port)
            yield port
        finally:
            process.terminate()


def wait_until_ready(port: int, patience_s: float = 120.0) -> None:
    """Wait for /readyz of a server on this machine."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise TimeoutError(f"nothing ready on port {port} after {patience_s} s")


def pushes(count: int, run: int) -> list[tuple[str, bytes]]:
    """Signed and encrypted pushes: path with query, and body."""
    peer = WeChatPeer(token=TOKEN, app_id=APP_ID, aes_key=AES_KEY)
    made = []
    for number in range(count):
        xml = (
            f"<xml><ToUserName>gh_fawen</ToUserName><FromUserName>o_bench_{number % 97}</FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType>text</MsgType>"
            f"<Content>{QUESTIONS[number % len(QUESTIONS)]}</Content><MsgId>{run}{number:06d}</MsgId></xml>"
        )
        query, body = peer.push(xml)
        made.append((f"/wechat?{urlencode(query)}", body))
    return made


def drive(port: int, messages: list[tuple[str, bytes]], connections: int) -> Timed:
    """Post the messages over so many kept connections, each waiting for its reply before the next."""
    work = iter(messages)
    guard = threading.Lock()
    took: list[float] = []

    def one() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while True:
            with guard:
                following = next(work, None)
            if following is None:
                break
            started = time.perf_counter()
            connection.request("POST", following[0], following[1], {"content-type": "text/xml"})
            answer = connection.getresponse()
            body = answer.read()
            took.append((time.perf_counter() - started) * 1000)
            assert answer.status == 200, answer.status
            assert b"Encrypt" in body
        connection.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(one) for _ in range(connections)]:
            done.result()
    return Timed(took, len(messages) / (time.perf_counter() - started))


def prepare(url: str) -> None:
    """The FAQ with its trained classifier, and the asker of the one-row endpoint."""
    database = Database(url)
    migrate(database)
    with database.writing() as session:
        seeding.seed(session, now_utc())
        if session.exec(select(Asker)).first() is None:
            session.add(Asker(channel="bench", address="row", created_at=now_utc()))
    database.dispose()
    environment = {**os.environ, "FAWEN_DATABASE_URL": url.replace("+psycopg", "")}
    subprocess.run([sys.executable, "-m", "bot.cli", "ask", "试用期"], env=environment, check=True, capture_output=True)


def report(url: str, turns: int, connections: int) -> None:
    """Print p50 and p99 one at a time, throughput at `connections`, and the ratios."""
    prepare(url)
    rounds = 4
    alone: dict[str, list[float]] = {kind: [] for kind in KINDS}
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with server("full", url) as full, server("row", url) as row, server("bare", url) as bare:
        ports = {"full": full, "row": row, "bare": bare}
        for kind in KINDS:
            drive(ports[kind], pushes(60, 90), connections)
        for number in range(rounds):
            for place, kind in enumerate(KINDS):
                run = 100 + number * 10 + place
                alone[kind] += drive(ports[kind], pushes(turns // rounds, run), 1).took_ms
                rates[kind].append(drive(ports[kind], pushes(turns // rounds, run + 5000), connections).per_second)
    print(f"{url.split(':', 1)[0]}, {turns} turns each, throughput at {connections} connections, one process")
    for kind in KINDS:
        ordered = sorted(alone[kind])
        print(
            f"{kind:>5}: p50 {statistics.median(ordered):6.2f} ms   p99 {ordered[int(0.99 * len(ordered))]:6.2f} ms"
            f"   {statistics.median(rates[kind]):6.1f} turns/s"
        )
    for kind in ("row", "bare"):
        ratios = [ours / theirs for ours, theirs in zip(rates["full"], rates[kind], strict=True)]
        print(f"throughput full / {kind}: {statistics.median(ratios):.2f}")


def main() -> None:
    """Read the arguments and measure, or serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="")
    parser.add_argument("--turns", type=int, default=1200)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--serve", choices=KINDS)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    url = KnowledgeSettings(database_url=given.database).url if given.database else ""
    if given.serve:
        serve(given.serve, url, given.port)
        return
    if url:
        report(url, given.turns, given.connections)
        return
    with tempfile.TemporaryDirectory() as folder:
        report(f"sqlite:///{Path(folder) / 'bench.sqlite3'}", given.turns, given.connections)


if __name__ == "__main__":
    main()
