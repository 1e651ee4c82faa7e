"""Sign-offs over HTTP: bound to the texts of law they were given on, lapsing with an amendment, given anew."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select
from typer.testing import CliRunner

from bot.cli import app
from knowledge import curation
from knowledge.database import Database
from knowledge.models import AuditRecord, Conversation, FaqEntry, Role, SignedArticle
from knowledge.statutes import sign_offs
from knowledge.statutes.texts import text_hash
from knowledge.working_days import local_day, now_utc
from tests.admin.test_inbox import post
from tests.admin.test_messages import ENTRY, QUESTION, revise
from tests.admin.test_pages import sign_in
from tests.admin.test_statute_pages import NEW, OLD, bring
from tests.conftest import NOW, Served, add_staff, serving

UNSIGNED = "本条尚未经律师复核"
LAPSED = "所引法规已有修改，本条待律师重新复核"
SINCE = "2026-11-01"  # the amendment is in force on every day on which a test runs


@contextmanager
def desk_of_wang(served: Served) -> Iterator[httpx.Client]:
    """王 signs; the statute is there as the lawyer reads it."""
    add_staff(served.database, "王", Role.REVIEWER)
    with served.browser() as client:
        sign_in(client, "王")
        assert "已导入新版本" in bring(client, OLD, effective="2013-07-01").text
        yield client


@pytest.fixture
def lawyer(served: Served) -> Iterator[httpx.Client]:
    with desk_of_wang(served) as client:
        yield client


def signs(lawyer: httpx.Client, entry: str = ENTRY, page: httpx.Response | None = None) -> httpx.Response:
    """Open an entry on the list and sign it as it stands there."""
    page = page or lawyer.get("/admin/signing", params={"entry": entry})
    fields = {name: re.search(rf'name="{name}" value="([^"]*)"', page.text) for name in ("entry", "version", "read")}
    return post(lawyer, "/signing", **{name: found[1] for name, found in fields.items() if found})


def test_an_amendment_lapses_the_sign_off_until_it_is_given_again(served: Served, lawyer: httpx.Client) -> None:
    zhang = served.user("zhang")
    zhang.says(QUESTION).hears(UNSIGNED)
    assert "还有4条未签署" in signs(lawyer).text
    zhang.says(QUESTION).hears("试用期最长六个月").hears_not(UNSIGNED).hears_not(LAPSED)
    assert re.search(r"王 \d{4}-\d\d-\d\d \d\d:\d\d 已签署。", lawyer.get(f"/admin/entries/{ENTRY}").text)

    amended = bring(lawyer, NEW, effective=SINCE)

    assert "1个条目的律师签署" in amended.text
    zhang.says(QUESTION).hears("试用期最长六个月").hears(LAPSED)
    assert "签署因法规修改失效的条目1条" in lawyer.get("/admin/").text
    assert "王的签署已失效" in lawyer.get("/admin/entries", params={"lapsed": "1"}).text
    assert "的签署已失效：《劳动合同法》第十九条。" in lawyer.get(f"/admin/entries/{ENTRY}").text
    first = lawyer.get("/admin/signing")
    assert f'name="entry" value="{ENTRY}"' in first.text, "the lapsed one stands before those never signed"
    assert "其中1条因法规修改失效" in first.text
    assert "签署后修改" in first.text
    assert "<del>旧</del>的第19条。" in first.text
    assert "<ins>新</ins>的第19条。" in first.text
    signs(lawyer, page=first)
    zhang.says(QUESTION).hears("试用期最长六个月").hears_not(LAPSED).hears_not(UNSIGNED)
    with served.database.reading() as session:
        assert session.get_one(FaqEntry, ENTRY).sign_off_lapses_on is None
        rows = session.exec(select(SignedArticle).order_by(col(SignedArticle.id))).all()
        assert [one.hash for one in rows] == [text_hash("旧的第19条。"), text_hash("新的第19条。")]


def test_withheld_leads_to_an_inquiry_until_signed_again(served: Served, lawyer: httpx.Client) -> None:
    add_staff(served.database, "陈", Role.ADMINISTRATOR)
    zhang, zhao = served.user("zhang"), served.user("zhao")
    signs(lawyer)
    zhang.says("你好")
    with served.browser() as client:
        sign_in(client, "陈")
        assert post(client, "/settings/sign-offs", lapsed="never", against="0").status_code == 422
        assert "已保存" in post(client, "/settings/sign-offs", lapsed="withheld", against="0").text
        assert post(client, "/settings/sign-offs", lapsed="notice", against="0").status_code == 409
    zhao.says(QUESTION).hears("试用期最长六个月")

    bring(lawyer, NEW, effective=SINCE)

    number = re.search(r"Q\d{8}-\d{4}", zhao.says(QUESTION).hears("已登记").hears_not("试用期最长六个月").text)
    assert number
    assert "条目的签署已失效，暂不直接答复" in lawyer.get(f"/admin/inquiries/{number[0]}").text
    with served.database.writing() as session:
        session.execute(update(Conversation).values(choices=[ENTRY]))  # as a list offered before
    zhang.says("1").hears("已登记").hears_not("试用期最长六个月")
    served.user("sun").says("试用期工资最低多少").hears("百分之八十").hears_not("试用期最长多久")
    signs(lawyer)
    served.user("wu").says(QUESTION).hears("试用期最长六个月").hears_not(LAPSED)
    with served.database.reading() as session:
        logged = session.exec(select(AuditRecord).where(AuditRecord.subject == "setting lapsed_sign_offs")).all()
        assert [one.after for one in logged] == [{"lapsed": "暂不直接答复，转人工"}]


def test_an_amendment_to_come_lapses_on_its_day_unless_signed_before(served: Served, lawyer: httpx.Client) -> None:
    signs(lawyer)
    bring(lawyer, NEW, effective="2099-01-01")

    def lapsed_on(day: date) -> bool:
        with served.database.reading() as session:
            return curation.published_text(session, ENTRY, day).sign_off_lapsed

    assert [lapsed_on(date(2098, 12, 31)), lapsed_on(date(2099, 1, 1))] == [False, True]
    served.user("zhang").says(QUESTION).hears_not(LAPSED).hears_not(UNSIGNED)
    assert "2099-01-01起有新文本，签署届时失效" in lawyer.get(f"/admin/entries/{ENTRY}").text
    both = lawyer.get("/admin/signing", params={"entry": ENTRY})
    assert "旧的第19条。" in both.text
    assert "<small>2099-01-01起</small>" in both.text
    signs(lawyer, page=both)
    assert not lapsed_on(date(2099, 1, 1)), "both texts were read"


def test_nobody_signs_on_other_texts_than_he_read(served: Served, lawyer: httpx.Client) -> None:
    read = lawyer.get("/admin/signing", params={"entry": ENTRY})
    bring(lawyer, NEW, effective=SINCE)

    refused = signs(lawyer, page=read)

    assert refused.status_code == 409
    assert "所引条文刚刚有了新的文本" in refused.text
    assert "新的第19条。" in refused.text, "the same entry again, as it stands now"
    assert lawyer.get("/admin/signing", params={"entry": "labor.nothing"}).status_code == 404


def test_what_does_not_touch_the_cited_article_lapses_nothing(served: Served, lawyer: httpx.Client) -> None:
    signs(lawyer)
    other = bring(lawyer, OLD.replace("旧的第7条", "新的第7条"), effective=SINCE)
    assert "律师签署" not in other.text
    served.user("zhang").says(QUESTION).hears_not(LAPSED)

    bring(lawyer, NEW, effective=SINCE)
    served.user("zhang").says(QUESTION).hears(LAPSED)
    bring(lawyer, OLD, effective=SINCE)
    served.user("zhang").says(QUESTION).hears_not(LAPSED)


def test_a_new_text_of_the_entry_ends_the_sign_off_altogether(served: Served, lawyer: httpx.Client) -> None:
    signs(lawyer)
    bring(lawyer, NEW, effective=SINCE)
    revise(served, "试用期现在另有规定。")

    served.user("zhang").says(QUESTION).hears(UNSIGNED).hears_not(LAPSED)
    assert "还有5条未签署" in lawyer.get("/admin/signing").text


def test_an_approval_is_bound_to_what_the_lawyer_read_then(served: Served, lawyer: httpx.Client) -> None:
    """Reviewed on Monday, amended on Tuesday, published on Wednesday: the sign-off has lapsed."""
    today = local_day(now_utc())
    with served.database.writing() as session:
        then = sign_offs.as_rows(sign_offs.of_entry(session, ENTRY, today))
    bring(lawyer, NEW, effective=SINCE)
    with served.database.writing() as session:
        sign_offs.record(session, ENTRY, "王", sign_offs.from_rows(then), NOW, today)

    with served.database.reading() as session:
        assert curation.published_text(session, ENTRY, today).sign_off_lapsed
        assert session.get_one(FaqEntry, ENTRY).sign_off_lapses_on == today


def test_the_command_line_lapses_sign_offs_too(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = tmp_path / "劳动合同法.md"
    law.write_text(f"中华人民共和国劳动合同法\n{NEW}", "utf-8")
    monkeypatch.setenv("FAWEN_DATABASE_URL", sqlite.url)
    with serving(sqlite) as served, desk_of_wang(served) as lawyer:
        signs(lawyer)

        said = CliRunner().invoke(app, ["statutes", "import", str(law), "--effective", SINCE])

        assert "律师签署因此失效（或自新文本施行之日起失效）的条目：1个" in said.output, said.output
        served.user("zhang").says(QUESTION).hears(LAPSED)
