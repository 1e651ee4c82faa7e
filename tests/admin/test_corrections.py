"""更正 over HTTP: who received a wrong version is told what is right, once, after a second pair of eyes."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import insert
from sqlmodel import Session, col, func, select

from bot.outbox import Deliverer
from knowledge import corrections, curation, erasure, jobs, outbox, seeding, staff, working
from knowledge.database import Database
from knowledge.models import Asker, AuditRecord, Correction, JobStatus, Message, OutboxMessage, Role
from knowledge.working_days import now_utc
from tests.admin.test_inbox import post
from tests.admin.test_messages import ENTRY, QUESTION, newest, revise
from tests.admin.test_pages import sign_in
from tests.bot.test_outbox import Clock
from tests.builders import cast_entries
from tests.conftest import NOW, PASSWORD, Served, add_staff, serving
from tests.wechat_api import wechat

RIGHT = "更正：试用期现在另有规定，请以新答复为准。"


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    """李 is a curator; 王 may be signed in beside."""
    add_staff(served.database)
    add_staff(served.database, "王", Role.REVIEWER)
    with signed_in(served, "李") as client:
        yield client


@contextmanager
def signed_in(served: Served, name: str) -> Iterator[httpx.Client]:
    with served.browser() as client:
        sign_in(client, name)
        yield client


def proposed(browser: httpx.Client, text: str = RIGHT, **fields: str) -> httpx.Response:
    return post(browser, f"/entries/{ENTRY}/corrections", **{"version": "1", "text": text, **fields})


def confirm(served: Served, path: str, name: str = "王") -> httpx.Response:
    with signed_in(served, name) as client:
        answer = post(client, f"{path}/confirmation")
        working.work_off(served.database)
        return client.get(answer.url) if answer.is_success else answer


def place(page: httpx.Response) -> str:
    return page.url.path.removeprefix("/admin")


def test_a_correction_reaches_each_who_received_the_wrong_version_once(served: Served, browser: httpx.Client) -> None:
    zhang, zhao, sun = served.user("zhang"), served.user("zhao"), served.user("sun")
    zhang.says(QUESTION).hears("试用期最长六个月")
    asked = newest(served)
    zhang.says("签三年合同试用期几个月").hears("试用期最长六个月")
    zhao.says(QUESTION)
    gone = served.user("qian")
    gone.says(QUESTION)
    gone.event("unsubscribe")
    revise(served, "试用期现在另有规定。")
    sun.says(QUESTION).hears("试用期现在另有规定")

    form = browser.get(f"/admin/entries/{ENTRY}/recipients", params={"version": "1"})
    assert "更正：我们此前关于“试用期最长多久”的答复有变动" in form.text
    assert "试用期现在另有规定。" in form.text, "prefilled with what is right now"
    page = proposed(browser)
    assert "提问人2人，每人一次。另有1人已退订或清除，不发。" in page.text
    assert "字节" in page.text
    assert "看现在的完整答复" in page.text
    assert "请另一名审核人员确认" in page.text
    zhang.says("你好").hears_not("更正")
    assert "待确认的更正1件" in browser.get("/admin/").text
    sent = confirm(served, place(page))
    assert "王确认" in sent.text
    assert re.search(r"待送达</span>\s*2人", sent.text), sent.text

    heard = zhang.says("谢谢").hears("更正：试用期现在另有规定，请以新答复为准。")
    zhang.taps("看现在的完整答复").hears("试用期现在另有规定。").hears_not("更正：")
    assert heard.text.count("更正：") == 1
    zhang.says("你好").hears_not("更正：")
    sun.says("你好").hears_not("更正：")
    state = browser.get(f"/admin{place(page)}").text
    assert re.search(r"待送达</span>\s*1人", state)
    assert re.search(r"已送达</span>\s*1人", state)
    assert "随来信送达" in state
    replayed = browser.get(f"/admin/messages/{asked.id}").text
    assert "对这条答复发过" in replayed
    assert "给出的条目" in replayed
    assert "第1版" in replayed
    with served.database.reading() as session:
        actions = [one.action for one in session.exec(select(AuditRecord)) if one.action.startswith("correction")]
        assert actions == ["correction.propose", "correction.send"]


def test_nobody_confirms_what_he_wrote_and_nothing_is_sent_twice(served: Served, browser: httpx.Client) -> None:
    served.user("zhang").says(QUESTION)
    page = proposed(browser)

    assert confirm(served, place(page), "李").status_code == 403, "a curator confirms nothing"
    reworded = post(browser, place(page), text="更正：换个说法。")
    assert "更正：换个说法。" in reworded.text
    with signed_in(served, "王") as wang:
        post(wang, place(page), text="更正：王改过。")
        own = post(wang, f"{place(page)}/confirmation")
        assert own.status_code == 422
        assert "起草人不能确认自己写的更正" in own.text
    add_staff(served.database, "周", Role.REVIEWER)
    assert "周确认" in confirm(served, place(page), "周").text
    again = confirm(served, place(page), "周")
    assert again.status_code == 409
    assert "已经发出，不能再改" in again.text
    assert post(browser, f"{place(page)}/withdrawal").status_code == 409
    assert post(browser, place(page), text="更正：迟了。").status_code == 409
    with served.database.reading() as session:
        assert len(session.exec(select(OutboxMessage)).all()) == 1
    served.user("zhang").says("你好").hears("更正：王改过。")


def test_bad_input_comes_back_with_what_was_typed(served: Served, browser: httpx.Client) -> None:
    nobody = proposed(browser)
    assert nobody.status_code == 422
    assert "没有能联系上的提问人" in nobody.text
    served.user("zhang").says(QUESTION)
    for fields, wrong in (
        ({"text": "  "}, "更正不能为空"),
        ({"text": "长" * 2001}, "更正最多2000字"),
        ({"version": "7"}, "请先勾选要更正的版本"),
        ({"since": "昨天"}, "不是日期"),
        ({"since": "2099-01-01"}, "没有能联系上的提问人"),
    ):
        refused = proposed(browser, **fields)
        assert (refused.status_code, wrong in refused.text) == (422, True), fields
    assert RIGHT in proposed(browser, since="昨天").text
    assert post(browser, "/entries/labor.nothing/corrections", version="1", text="更正").status_code == 404
    page = proposed(browser)
    assert "已撤回" in post(browser, f"{place(page)}/withdrawal").text
    assert confirm(served, place(page)).status_code == 409
    with served.database.reading() as session:
        assert session.exec(select(OutboxMessage)).all() == []
    assert "已撤回" in browser.get("/admin/corrections").text
    assert browser.get("/admin/corrections/999").status_code == 404


def test_who_unsubscribes_before_it_arrives_is_left_out_and_the_page_says_so(
    served: Served, browser: httpx.Client
) -> None:
    zhang, zhao = served.user("zhang"), served.user("zhao")
    zhang.says(QUESTION)
    zhao.says(QUESTION)
    page = proposed(browser)
    confirm(served, place(page))
    zhang.event("unsubscribe")
    zhao.says("你好").hears("更正：")
    zhao.event("unsubscribe")

    state = browser.get(f"/admin{place(page)}").text

    assert "送达前退订或清除 1人" in state
    assert "已退订或清除的提问人" in state
    zhang.says("你好").hears_not("更正：")


def test_a_correction_is_pushed_while_the_window_is_open_and_then_not_given_again(database: Database) -> None:
    clock = Clock()
    with serving(database, now=clock) as served, wechat(f"{served.url}/wechat", now=clock) as weixin:
        zhang = weixin.account.user("张")
        zhang.says(QUESTION)
        add_staff(database)
        add_staff(database, "王", Role.REVIEWER)
        with database.writing() as session:
            made = corrections.propose(session, ENTRY, [1], None, RIGHT, "李", clock())
            wang = next(one for one in staff.everybody(session) if one.name == "王")
            corrections.send(session, made.id or 0, wang, clock())
        working.work_off(database)

        assert Deliverer(database, weixin.client(), clock).run_once() == 1

        [pushed] = weixin.pushed_to(zhang)
        assert pushed.startswith(RIGHT)
        assert "更正" not in zhang.says("你好").text


def test_very_many_askers_are_sent_to_in_portions_by_a_job(database: Database) -> None:
    """Twelve hundred, in three portions; two of them cannot be reached, one asked after the confirmation."""
    asker_ids = crowd(database, 1200)
    made = confirmed(database, asker_ids)
    with database.reading() as session:
        assert _rows(session) == 0, "whoever confirms does not wait for it"

    assert working.work_off(database) == 1

    with database.reading() as session:
        sent = corrections.by_id(session, made)
        assert (sent.recipients, sent.unreachable, _rows(session)) == (1197, 2, 1197)
        job = corrections.job_of(session, sent)
        assert job
        assert (job.status, job.stage, job.done, job.total) == (JobStatus.DONE, "放入发件箱", 1197, 1197)
        assert len(outbox.due(session, asker_ids[0], now_utc())) == 1
        assert not outbox.due(session, asker_ids[-1], now_utc())


def test_a_worker_killed_between_portions_is_taken_over_and_nobody_gets_it_twice(database: Database) -> None:
    asker_ids = crowd(database, 1200)
    made = confirmed(database, asker_ids)
    victim = subprocess.run(
        [sys.executable, "-c", _VICTIM], env={**os.environ, "FAWEN_DATABASE_URL": database.url}, check=False
    )
    assert victim.returncode == -signal.SIGKILL
    with database.writing() as session:
        sent = corrections.by_id(session, made)
        assert (sent.recipients, _rows(session)) == (500, 500), "the first portion, whole; of the second nothing"
        # One has it already when the next worker begins, and is erased; another of the first portion unsubscribes.
        [due] = outbox.due(session, asker_ids[5], now_utc())
        message = session.exec(select(Message.id).where(Message.asker_id == asker_ids[5])).one()
        assert outbox.give(session, due, message or 0, now_utc())
        for one in asker_ids[5:7]:
            erasure.erase(session, session.get_one(Asker, one))
        job = corrections.job_of(session, sent)
        assert job
        assert job.status == JobStatus.RUNNING
        job.claimed_until = NOW - timedelta(days=1)  # as if a minute had gone by
        session.add(job)

    assert working.work_off(database) == 1

    with database.reading() as session:
        sent = corrections.by_id(session, made)
        assert (sent.recipients, sent.unreachable) == (1197, 2)
        assert corrections.reached(session, sent) == {"delivered": 1, "waiting": 1195}


_VICTIM = """
import os, signal
from knowledge import corrections, outbox, working
from knowledge.database import Database
from knowledge.settings import KnowledgeSettings

enqueue = outbox.enqueue_correction
calls = []

def killed_in_the_second(*arguments):
    added = enqueue(*arguments)
    calls.append(added)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return added

outbox.enqueue_correction = killed_in_the_second
working.work_off(Database(KnowledgeSettings().url))
"""


def test_one_that_broke_off_for_good_is_gone_on_with_by_hand(served: Served, browser: httpx.Client) -> None:
    served.user("zhang").says(QUESTION)
    page = proposed(browser)
    with signed_in(served, "王") as wang:
        under_way = post(wang, f"{place(page)}/confirmation")
        assert "已确认，等待发送" in under_way.text
        assert "data-unfinished" in under_way.text
        assert post(wang, f"{place(page)}/resumption").status_code == 409, "nothing broke off"
        with served.database.writing() as session:
            for attempt in range(jobs.MOST_ATTEMPTS + 1):  # each worker dies
                jobs.claim(session, now_utc() + attempt * 2 * jobs.LEASE)
        broken = wang.get(f"/admin{place(page)}")
        assert "没有发完：处理进程中断了3次" in broken.text
        assert "请审核人员点“继续发送”" in browser.get(f"/admin{place(page)}").text
        assert "已确认，等待发送" in post(wang, f"{place(page)}/resumption").text
    working.work_off(served.database)

    assert re.search(r"待送达</span>\s*1人", browser.get(f"/admin{place(page)}").text)
    served.user("zhang").says("你好").hears("更正：")
    with served.database.reading() as session:
        actions = [one.action for one in session.exec(select(AuditRecord)) if one.action.startswith("correction")]
        assert actions == ["correction.propose", "correction.send", "correction.resume"]


def crowd(database: Database, size: int) -> list[int]:
    """Askers who were given the entry's first version; the second and third of them have unsubscribed."""
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        version = curation.published_text(session, ENTRY, NOW.date())
        for name, role in (("李", Role.CURATOR), ("王", Role.REVIEWER)):
            staff.add(session, name, PASSWORD, role, NOW)
        addresses = [None if n in (1, 2) else f"o_{n:06}_abcdefgh" for n in range(size)]
        session.execute(insert(Asker), [{"channel": "wechat", "address": one, "created_at": NOW} for one in addresses])
        ids = [one or 0 for one in session.exec(select(Asker.id).order_by(col(Asker.id)))]
        session.execute(insert(Message), [_answered(one, version) for one in ids])
    return ids


def confirmed(database: Database, asker_ids: list[int]) -> int:
    """李 wrote a correction and 王 confirmed it, before the last of the askers was given the entry."""
    with database.writing() as session:
        made = corrections.propose(session, ENTRY, [1], None, RIGHT, "李", NOW)
        wang = next(one for one in staff.everybody(session) if one.name == "王")
        corrections.send(session, made.id or 0, wang, NOW)
        late = session.exec(select(Message).where(Message.asker_id == asker_ids[-1])).one()
        late.received_at = NOW + timedelta(minutes=1)
        session.add(late)
        return made.id or 0


def _answered(asker_id: int, entry: curation.EntryText) -> dict[str, object]:
    return {
        "key": f"k{asker_id}",
        "asker_id": asker_id,
        "received_at": NOW,
        "kind": "question",
        "decision": "answered",
        "entry_id": entry.id,
        "entry_version_id": entry.version_id,
        "candidates": [],
        "latency_ms": 1.0,
    }


def _rows(session: Session) -> int:
    return session.exec(select(func.count()).select_from(OutboxMessage)).one()


def test_a_correction_names_its_text_once(served: Served, browser: httpx.Client) -> None:
    """Thousands of rows refer to one text, so an erasure has nothing of it to empty."""
    served.user("zhang").says(QUESTION)
    confirm(served, place(proposed(browser)))
    with served.database.reading() as session:
        [row] = session.exec(select(OutboxMessage)).all()
        assert row.text is None
        assert session.get_one(Correction, row.correction_id).text == RIGHT
