"""What colleagues wrote is pushed where that is allowed, else given at the next message; never lost or doubled."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlmodel import Session, select

from bot.conversation import Dialogue
from bot.outbox import Deliverer
from bot.simulator.account import Received, SimulatedUser
from bot.simulator.allowance import Trigger
from bot.simulator.api.platform import Fault, Trouble
from bot.simulator.kinds import AccountKind
from bot.wechat.client import ApiClient
from bot.wechat.messages import IncomingMessage, OpenId, Text
from bot.wechat.tokens import ProcessTokens
from knowledge import inquiries, outbox, seeding
from knowledge.answering import Matcher
from knowledge.database import Database
from knowledge.models import Asker, Conversation, Correction, CorrectionStatus, OutboxMessage, OutboxStatus
from knowledge.working_days import now_utc
from tests.builders import build_entry
from tests.conftest import APP_ID, NOW, Served, serving
from tests.databases import opened_database
from tests.wechat_api import SECRET, WeChat, wechat

SEND = "message/custom/send"
ODD = "公司食堂的鹅跑到马路上被车压了，司机要公司赔车漆，公司要赔吗，鹅的钱谁出"


class Clock:
    """The time, set by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


class Office:
    """Fawen, WeChat, somebody with a phone, a colleague who answers, and a worker that pushes."""

    def __init__(self, served: Served, weixin: WeChat, clock: Clock) -> None:
        self.served = served
        self.weixin = weixin
        self.clock = clock
        self.zhang = weixin.account.user("张")
        self.worker = Deliverer(served.database, weixin.client(), clock)

    def asks(self, text: str = ODD) -> str:
        """张 asks something nobody has written up; gives the number."""
        return number_in(self.zhang.says(text))

    def answers(self, number: str, text: str) -> None:
        with self.served.database.writing() as session:
            inquiries.reply(session, number, "李", text, self.clock())

    def pushed(self) -> list[str]:
        return self.weixin.pushed_to(self.zhang)

    def rows(self) -> list[OutboxMessage]:
        with self.served.database.reading() as session:
            return list(session.exec(select(OutboxMessage).order_by(OutboxMessage.id)))  # type: ignore[arg-type] # SQLModel's columns type as their values

    def states(self) -> list[str]:
        return [row.status for row in self.rows()]


def number_in(received: Received) -> str:
    found = re.search(r"Q\d{8}-\d{4}", received.text)
    assert found, received
    return found[0]


def office_over(database: Database, kind: AccountKind = AccountKind.VERIFIED_SERVICE) -> Iterator[Office]:
    clock = Clock()
    with serving(database, now=clock) as served, wechat(f"{served.url}/wechat", kind, now=clock) as weixin:
        yield Office(served, weixin, clock)


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    yield from office_over(database)


@pytest.fixture
def small_office(sqlite: Database) -> Iterator[Office]:
    yield from office_over(sqlite)


def test_a_reply_is_pushed_while_the_window_is_open_and_not_given_again(office: Office) -> None:
    number = office.asks()
    office.answers(number, "鹅归公司管，公司要赔。")

    assert office.worker.run_once() == 1

    assert len(office.pushed()) == 1
    assert "鹅归公司管" in office.pushed()[0]
    assert office.states() == [OutboxStatus.DELIVERED]
    assert "鹅归公司管" not in office.zhang.says("你好").text
    assert office.worker.run_once() == 0


def test_a_pushed_reply_can_be_rated_by_its_tap(office: Office) -> None:
    number = office.asks()
    office.answers(number, "公司要赔。")
    office.worker.run_once()

    assert "重新办理" in office.zhang.taps("没解决").text


def test_after_48_hours_the_reply_waits_for_the_next_message(office: Office) -> None:
    number = office.asks()
    office.clock.passes(hours=48)
    office.answers(number, "公司要赔。")

    assert office.worker.run_once() == 0
    assert office.weixin.calls(SEND) == 0
    assert "公司要赔" in office.zhang.says("你好").text
    assert office.states() == [OutboxStatus.DELIVERED]


def test_five_messages_may_be_pushed_and_the_sixth_waits(small_office: Office) -> None:
    office = small_office
    office.zhang.says("你好")
    with office.served.database.writing() as session:
        asker = session.exec(select(Asker)).one()
        assert asker.id is not None
        for count in range(6):
            outbox.enqueue(session, asker.id, office.clock(), text=f"通知{count}")

    office.worker.run_once()
    office.worker.run_once()

    assert office.weixin.calls(SEND) == 5
    assert office.states() == [OutboxStatus.DELIVERED] * 5 + [OutboxStatus.WAITING]
    assert "通知5" in office.zhang.says("你好").text


def test_a_tap_allows_three_within_a_minute(small_office: Office) -> None:
    office = small_office
    office.zhang.follows("fair2026")
    with office.served.database.writing() as session:
        asker = session.exec(select(Asker)).one()
        assert asker.id is not None
        for count in range(4):
            outbox.enqueue(session, asker.id, office.clock(), text=f"通知{count}")

    office.worker.run_once()
    office.worker.run_once()

    assert office.states() == [OutboxStatus.DELIVERED] * 3 + [OutboxStatus.WAITING]


def test_a_long_reply_comes_in_parts_each_charged(small_office: Office) -> None:
    office = small_office
    number = office.asks()
    office.answers(number, "开头。" + "长" * 900 + "。结尾")

    office.worker.run_once()

    assert len(office.pushed()) == 2
    assert "开头" in office.pushed()[0]
    assert "结尾" in office.pushed()[1]
    assert all(len(text.encode()) <= 2048 for text in office.pushed())
    with office.served.database.reading() as session:
        assert session.exec(select(Conversation.sends_left)).one() == 3


@pytest.mark.parametrize("trouble", [Trouble.HTML, Trouble.EMPTY])
@pytest.mark.parametrize("arrived", [True, False])
def test_an_unknown_outcome_is_not_pushed_again_but_given_with_a_word(
    small_office: Office, trouble: Trouble, arrived: bool
) -> None:
    office = small_office
    number = office.asks()
    office.answers(number, "公司要赔。")
    office.weixin.platform.switch_on(Fault(trouble, SEND, times=1, after=arrived))

    office.worker.run_once()
    office.worker.run_once()

    assert len(office.pushed()) == int(arrived)
    assert office.states() == [OutboxStatus.UNSURE]
    given = office.zhang.says("你好").text
    assert "公司要赔" in given
    assert "如已收到请忽略" in given
    assert "公司要赔" not in office.zhang.says("你好").text


def test_a_second_part_of_unknown_outcome_does_not_bring_the_first_again(small_office: Office) -> None:
    office = small_office
    number = office.asks()
    office.answers(number, "开头。" + "长" * 900 + "。结尾")
    with (
        answering([b'{"errcode":0}', b"<html>502</html>"]) as (host, sent),
        closing(ApiClient(APP_ID, SECRET, ProcessTokens(), host=host)) as client,
    ):
        Deliverer(office.served.database, client, office.clock).run_once()

    given = office.zhang.says("你好").text
    assert ["开头" in text for text in sent] == [True, False]
    assert "开头" not in given
    assert "结尾" in given
    assert "如已收到请忽略" in given


@pytest.mark.parametrize(("code", "comes_back"), [(-1, True), (45011, True), (45015, False), (45002, False)])
def test_a_refused_push_waits_and_passing_refusals_are_tried_again(
    small_office: Office, code: int, comes_back: bool
) -> None:
    office = small_office
    number = office.asks()
    office.answers(number, "公司要赔。")
    office.weixin.platform.switch_on(Fault(Trouble.ERROR, SEND, code))
    office.worker.run_once()
    office.worker.run_once()
    assert office.states() == [OutboxStatus.WAITING]
    assert office.weixin.calls(SEND) == (2 if code == -1 else 1)

    office.weixin.platform.switch_off()
    office.clock.passes(minutes=10)
    office.worker.run_once()

    assert (len(office.pushed()) == 1) is comes_back
    given = office.zhang.says("你好").text
    assert ("公司要赔" in given) is not comes_back


def test_an_account_without_permission_is_asked_once_an_hour(sqlite: Database) -> None:
    for office in office_over(sqlite, AccountKind.SUBSCRIPTION):
        first, second = office.asks(), office.asks("邻居家的猫半夜在办公楼里乱叫，物业说要收我们公司噪音管理费合理吗")
        office.answers(first, "一。")
        office.answers(second, "二。")

        for _ in range(3):
            office.worker.run_once()

        assert office.weixin.calls(SEND) == 1
        given = office.zhang.says("你好").text
        assert given.index("一。") < given.index("二。")


def test_of_many_workers_one_pushes(office: Office) -> None:
    number = office.asks()
    office.answers(number, "公司要赔。")
    workers = [Deliverer(office.served.database, office.weixin.client(), office.clock) for _ in range(4)]
    barrier = threading.Barrier(len(workers) + 1)

    def deliver(worker: Deliverer) -> int:
        barrier.wait()
        return worker.run_once()

    def write() -> str:
        barrier.wait()
        return office.zhang.says("你好").text

    with ThreadPoolExecutor(len(workers) + 1) as pool:
        said = pool.submit(write)
        pushed = sum(pool.map(deliver, workers))

    in_reply = "公司要赔" in said.result()
    assert len(office.pushed()) == pushed
    assert pushed + in_reply + ("公司要赔" in office.zhang.says("你好").text) == 1


def test_a_worker_killed_at_any_line_loses_nothing_and_doubles_only_what_is_marked_unsure(tmp_path: Path) -> None:
    def write(session: Session, number: str) -> None:
        inquiries.reply(session, number, "李", "开头。" + "长" * 900 + "。结尾", now_utc())

    assert kill_at_every_line(tmp_path, write) > 60


def test_a_correction_is_as_safe_from_a_killed_worker(tmp_path: Path) -> None:
    def write(session: Session, number: str) -> None:
        seeding.add_entry(session, build_entry(), NOW)
        correction = Correction(
            entry_id="labor.probation.length",
            version_ids=[],
            text="更正：开头。结尾",
            status=CorrectionStatus.SENT,
            authors=["李"],
            created_at=NOW,
        )
        session.add(correction)
        session.flush()
        asker_id = inquiries.by_number(session, number).asker_id
        outbox.enqueue_correction(session, correction.id or 0, [asker_id], now_utc())

    assert kill_at_every_line(tmp_path, write) > 30


def kill_at_every_line(tmp_path: Path, write: Callable[[Session, str], object]) -> int:
    """Kill a worker at each line while it pushes what `write` puts on its way; gives how many lines there were."""
    with opened_database("sqlite", tmp_path) as database, wechat() as weixin:
        with database.writing() as session:
            seeding.seed_standing(session, NOW)
        matcher = Matcher(database)
        dialogue = Dialogue(database, matcher, now_utc)
        number = re.search(r"Q\d{8}-\d{4}", dialogue.respond(message("o_victim", ODD, "1")))
        assert number
        with database.writing() as session:
            write(session, number[0])
        database.engine.connect().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.dispose()
        (tmp_path / "test.sqlite3").rename(tmp_path / "template.sqlite3")
        users = {count: victim(weixin, count) for count in range(1000)}

        printed = subprocess.run(
            [sys.executable, "-m", "tests.bot.outbox_victim", str(tmp_path), weixin.host],
            capture_output=True,
            text=True,
            check=False,
        )
        assert printed.returncode == 0, printed.stderr
        last = int(printed.stdout)

        unsure = 0
        for count in range(1, last + 1):
            unsure += assert_delivered_once(weixin, users[count], tmp_path / f"{count}.sqlite3", matcher)
        assert 0 < unsure < last
        return last


@contextmanager
def answering(answers: list[bytes]) -> Iterator[tuple[str, list[str]]]:
    """An API server that gives these answers to messages, one after the other; its address, and what was sent."""
    sent: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            answer = b'{"access_token":"t","expires_in":7200}'
            if "custom/send" in self.path:
                answer = answers[len(sent)]
                sent.append(body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", sent
    server.shutdown()
    thread.join()
    server.server_close()


def victim(weixin: WeChat, count: int) -> SimulatedUser:
    user = weixin.account.user(f"victim {count}", f"o_victim_{count}")
    user.allowance.grant(Trigger.MESSAGE, now_utc())
    return user


def message(openid: str, text: str, key: str) -> IncomingMessage:
    return IncomingMessage(key, OpenId(openid), "gh_fawen", now_utc(), Text(text, None))


def assert_delivered_once(weixin: WeChat, user: SimulatedUser, file: Path, matcher: Matcher) -> bool:
    """After a restart every part has arrived; gives whether one may have arrived twice, which must have been said."""
    later = Clock()
    later.passes(minutes=3)
    database = Database(f"sqlite:///{file}")
    Deliverer(database, weixin.client(), later).run_once()
    dialogue = Dialogue(database, matcher, later)
    replied = dialogue.respond(message(user.openid, "你好", "2"))
    while "更多" in replied:
        shown = replied.split("（未完）", maxsplit=1)[0]
        replied = shown + dialogue.respond(message(user.openid, "更多", f"more{len(replied)}"))
    pushed = "\n".join(weixin.pushed_to(user))
    database.dispose()
    for part in ("开头", "结尾"):
        assert pushed.count(part) <= 1, (file, "pushed twice")
        assert part in pushed or part in replied, (file, "lost", pushed, replied)
        if part in pushed and part in replied:
            assert "如已收到请忽略" in replied, (file, "doubled without a word")
    return "如已收到请忽略" in replied
