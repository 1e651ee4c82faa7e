"""The workbench's pages over a large store: p50 and p95 of each, in milliseconds.

    python -m tests.benchmarks.pages [ENTRIES] [MESSAGES] [REPEATS]

Fills an SQLite file with entries (8 similar questions each), as many fixed replies, logged questions and one inquiry
per twenty of them (all but the newest answered), every twentieth answer rated, then asks for each page through the
application, without a network. Defaults: 5,000 entries, 200,000 messages.
"""

import random
import re
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog
from fastapi.testclient import TestClient
from sqlalchemy import insert
from sqlmodel import select

from bot.main import create_app
from bot.settings import Account
from knowledge import curation, drafts, fixed_replies, seeding, staff
from knowledge.answering import Matcher
from knowledge.content import FAQ, FIGURES
from knowledge.content.entries import EntryForm, read_entries, read_figures
from knowledge.content.standing import FixedReplyForm
from knowledge.database import Database
from knowledge.matching.normalize import normalize, without_courtesy
from knowledge.migrations import migrate
from knowledge.models import Asker, EntryVersion, Feedback, Inquiry, InquiryCluster, Message, Role, StaffReply
from knowledge.working_days import local_day, now_utc
from tests.conftest import AES_KEY, APP_ID, PASSWORD, TOKEN

PAGES = (
    "/admin/",
    "/admin/inquiries",
    "/admin/inquiries?q=工资&state=",
    "/admin/inquiries?page=40",
    "/admin/inquiries/{inquiry}",
    "/admin/entries",
    "/admin/entries?q=工资",
    "/admin/entries?due=soon&unsigned=1",
    "/admin/entries?due=law",
    "/admin/entries?author=李",
    "/admin/entries?order=answers",
    "/admin/entries?order=unhelpful&page=40",
    "/admin/entries/{entry}",
    "/admin/entries?lapsed=1",
    "/admin/entries/{entry}/recipients",
    "/admin/corrections",
    "/admin/messages",
    "/admin/messages?q=工资",
    "/admin/messages?q=工资&since=2020-01-01",
    "/admin/messages?q=没有这样的话&since=2020-01-01",
    "/admin/messages/{message}",
    "/admin/drafts",
    "/admin/drafts/{draft}",
    "/admin/drafts/{draft}/comparison",
    "/admin/signing",
    "/admin/trial?q=试用期最长能约定多久啊",
    "/admin/audit",
    "/admin/reports",
    "/admin/reports?period=year",
    "/admin/reports?from=2025-06-01&to={today}",
    "/admin/reports/workbook?period=year",
    "/admin/reports/document?period=year",
    "/admin/staff",
    "/admin/settings",
    "/admin/settings/texts",
    "/admin/settings/texts/welcome",
    "/admin/settings/fixed-replies",
    "/admin/settings/fixed-replies?q=工资",
    "/admin/settings/fixed-replies?page=90",
    "/admin/settings/urgent-rules",
    "/admin/settings/matching/lexicon",
    "/admin/settings/matching/facts",
    "/admin/settings/figures",
)


def fill(database: Database, entries: int, messages: int) -> dict[str, str]:
    """Entries with made-up wordings out of the shipped ones, a log of questions, inquiries; gives what to look at."""
    shuffled = random.Random(7)  # the same store every time
    forms = [form for _, form in read_entries(FAQ)]
    wordings = [text for form in forms for text in form.variants]
    now = now_utc()
    with database.writing() as session:
        for figure in read_figures(FIGURES):
            seeding.add_figure(session, figure)
        ids = []
        for number in range(entries):
            base = forms[number % len(forms)]
            form = EntryForm.model_validate(
                {
                    **base.model_dump(mode="json"),
                    "id": f"{base.domain}.bench.e{number}",
                    "title": f"{base.title[:6]}{number}",
                    "question": f"{base.question}（{number}）",
                    "variants": [f"{shuffled.choice(wordings)}{number}{part}" for part in range(8)],
                    "related": [],
                }
            )
            seeding.add_entry(session, form, now)
            ids.append(form.id)
        curation.publish_content(session, now, "benchmark")
        versions = dict(session.exec(select(EntryVersion.entry_id, EntryVersion.id)).all())
        session.add_all(Asker(channel="bench", address=str(one), created_at=now) for one in range(1000))
        session.flush()
        batch = [
            {
                "key": f"bench-{number}",
                "asker_id": number % 1000 + 1,
                "received_at": now - timedelta(minutes=number * 3),
                "kind": "question",
                "text": shuffled.choice(wordings),
                "decision": ("answered", "answered", "clarified", "unresolved")[number % 4],
                "domain": ids[number % len(ids)].split(".", 1)[0],
                "is_repeat": number % 25 == 0,
                "entry_id": ids[number % len(ids)] if number % 4 < 2 else None,
                "entry_version_id": versions[ids[number % len(ids)]] if number % 4 < 2 else None,
                "reply": "答复的原文。" * 30,
                "candidates": [{"id": ids[0], "score": 3.0, "evidence": {}}],
                "latency_ms": 20.0,
            }
            for number in range(messages)
        ]
        session.execute(insert(Message), batch)
        inquiries = messages // 20
        session.execute(insert(InquiryCluster), [{"id": one + 1, "created_at": now} for one in range(inquiries // 2)])
        rows = []
        for number in range(inquiries):
            question = shuffled.choice(wordings)
            is_open = number < 2000
            rows.append(
                {
                    "number": f"Q20260101-{number:04d}",
                    "asker_id": number % 1000 + 1,
                    "question": question,
                    "status": "new" if is_open else "answered",
                    "urgent": number % 50 == 0,
                    "reason": "unresolved",
                    "opened_at": now - timedelta(hours=number),
                    "due_on": local_day(now) + timedelta(days=number % 9 - 2),
                    "closed_at": None if is_open else now - timedelta(hours=number),
                    "normal": normalize(question),
                    "likeness": without_courtesy(normalize(question)),
                    "cluster_id": number // 2 + 1,
                }
            )
        session.execute(insert(Inquiry), rows)
        answers = [
            {
                "inquiry_id": number + 1,
                "author": "李",
                "kind": "answer",
                "text": "答复。",
                "helpful": (True, False, None)[number % 3],
                "written_at": now - timedelta(hours=number - number % 50),
            }
            for number in range(2000, inquiries)
        ]
        if answers:
            session.execute(insert(StaffReply), answers)
        rated = [
            {"message_id": number + 1, "helpful": number % 100 > 0, "given_at": now}
            for number in range(0, messages, 20)
        ]
        session.execute(insert(Feedback), rated)
        fixed = (
            FixedReplyForm(
                keywords=[f"办事指南{_signs(number)}", f"{shuffled.choice(wordings)[:20]}{_signs(number)}"],
                text="见附件。" * 20,
            )
            for number in range(entries)
        )
        fixed_replies.seed(session, fixed, now)
        staff.add(session, "陈", PASSWORD, Role.REVIEWER, now)
        draft = drafts.begin(session, ids[0], "李", now)
        staff.add(session, "管", PASSWORD, Role.ADMINISTRATOR, now)
    return {
        "inquiry": "Q20260101-0000",
        "entry": ids[1],
        "draft": str(draft.id),
        "message": "1",
        "today": str(local_day(now)),
    }


def _signs(number: int) -> str:
    """A number that stays its own when normalised, which takes 11 for 1."""
    return "".join(f"{digit}{sign}" for digit, sign in zip(f"{number:05}", "甲乙丙丁戊", strict=True))


def main(entries: int, messages: int, repeats: int) -> None:
    """Print a line per page."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        migrate(database)
        names = fill(database, entries, messages)
        matcher = Matcher(database)
        account = Account(TOKEN, APP_ID, AES_KEY, "", "safe", "k" * 40, is_simulated=False)
        app = create_app(account, database, matcher=matcher, trains=False)
        worst = 0.0
        with TestClient(app) as client:
            token = re.search(r'name="form_token" value="([^"]+)"', client.get("/admin/sign-in").text)
            assert token
            client.post("/admin/sign-in", data={"form_token": token[1], "name": "管", "password": PASSWORD})
            for page in PAGES:
                path = page.format(**names)
                took = []
                for _ in range(repeats + 1):
                    started = time.perf_counter()
                    answer = client.get(path)
                    took.append((time.perf_counter() - started) * 1000)
                    assert answer.status_code == 200, (path, answer.status_code)
                ordered = sorted(took[1:])
                p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
                worst = max(worst, p95)
                print(f"{page:<42} p50 {statistics.median(ordered):7.1f} ms   p95 {p95:7.1f} ms")
        database.dispose()
    print(f"{entries} entries, {messages} messages, {repeats} times each; worst p95 {worst:.0f} ms")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [5000, 200_000, 20][len(given) :]))
