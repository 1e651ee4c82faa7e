"""更正 over HTTP: who received a wrong version is told what is right, once, after a second pair of eyes."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import insert
from sqlmodel import Session, func, select

from bot.outbox import Deliverer
from knowledge import corrections, curation, outbox, staff
from knowledge.database import Database
from knowledge.models import Asker, AuditRecord, Correction, Message, OutboxMessage, Role
from knowledge.working_days import now_utc
from tests.admin.test_inbox import post
from tests.admin.test_messages import ENTRY, QUESTION, newest, revise
from tests.admin.test_pages import sign_in
from tests.bot.test_outbox import Clock
from tests.conftest import NOW, Served, add_staff, serving
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
    with httpx.Client(base_url=served.url, follow_redirects=True, timeout=30, trust_env=False) as client:
        sign_in(client, name)
        yield client


def proposed(browser: httpx.Client, text: str = RIGHT, **fields: str) -> httpx.Response:
    return post(browser, f"/entries/{ENTRY}/corrections", **{"version": "1", "text": text, **fields})


def confirm(served: Served, path: str, name: str = "王") -> httpx.Response:
    with signed_in(served, name) as client:
        return post(client, f"{path}/confirmation")


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

        assert Deliverer(database, weixin.client(), clock).run_once() == 1

        [pushed] = weixin.pushed_to(zhang)
        assert pushed.startswith(RIGHT)
        assert "更正" not in zhang.says("你好").text


def test_five_thousand_askers_take_a_moment(database: Database) -> None:
    """One unit of work, in portions: it must not keep an asker's message waiting (WeChat waits 5 s)."""
    with serving(database) as served, database.writing() as session:
        version = curation.published_text(session, ENTRY, NOW.date())
        session.execute(
            insert(Asker),
            [{"channel": "wechat", "address": f"o_{n:06}_abcdefgh", "created_at": NOW} for n in range(5000)],
        )
        ids = list(session.exec(select(Asker.id).order_by(Asker.id)))  # type: ignore[arg-type] # SQLModel's columns type as their values
        for start in range(0, 5000, 500):
            session.execute(insert(Message), [_answered(one, version, start) for one in ids[start : start + 500]])
        made = corrections.propose(session, ENTRY, [1], None, RIGHT, "李", NOW)
        wang = staff.add(session, "王", "correct horse battery", Role.REVIEWER, NOW)
        session.flush()
        started = time.perf_counter()

        sent = corrections.send(session, made.id or 0, wang, NOW)

        took = time.perf_counter() - started
        print(f"5,000 askers: {took * 1000:.0f} ms on {session.get_bind().dialect.name}")
        assert sent.recipients == 5000
        assert _rows(session) == 5000
        assert len(outbox.due(session, ids[0] or 0, now_utc())) == 1
        assert served.matcher.index.version


def _answered(asker_id: int | None, entry: curation.EntryText, start: int) -> dict[str, object]:
    return {
        "key": f"{start}-{asker_id}",
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
