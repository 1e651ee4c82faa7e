"""From what askers write to the figures: over HTTP, on both kinds of store; and `fawen report`."""

import io
import json
from datetime import timedelta
from pathlib import Path

import docx
import openpyxl
import pytest
from sqlmodel import select
from typer.testing import CliRunner

from bot.cli import app
from knowledge import curation
from knowledge.database import Database
from knowledge.migrations import migrate
from knowledge.models import DecisionKind, Message
from knowledge.reports import figures
from knowledge.reports.counting import Messages, Tally
from knowledge.reports.figures import Report
from knowledge.reports.periods import Period
from knowledge.working_days import local_day, now_utc
from tests.conftest import NOW, Served

ODD = "公司食堂养的鹅跑到马路上被车压了，司机要公司赔车漆，公司要赔吗，鹅的钱谁出"


def counted(served: Served) -> Report:
    # With the days around it, should midnight pass meanwhile.
    now = now_utc()
    day = timedelta(days=1)
    period = Period(local_day(now) - day, local_day(now) + day)
    with served.database.reading() as session:
        return figures.make(session, period, now)


def test_taps_commands_greetings_and_repeats_are_no_questions(served: Served) -> None:
    zhang = served.user("zhang")
    answer = zhang.says("试用期最长多久")
    answer.hears_citation("《劳动合同法》第十九条")
    zhang.taps("试用期工资最低多少")
    zhang.says("试用期最长多久？")  # the same but for a sign
    zhang.repeats_last()
    zhang.says("你好")
    zhang.says("进度")
    zhang.sends("image", PicUrl="http://127.0.0.1/p.jpg", MediaId="1")
    zhang.event("VIEW", EventKey="x")
    zhao = served.user("zhao")
    zhao.says("试用期最长多久")  # another's question is no repeat of his
    zhao.says(ODD).hears("已登记")

    report = counted(served)

    assert report.messages == Messages(questions=3, repeats=1, additions=0, taps=1, commands=2, fixed=0, media=1)
    assert report.tally == Tally(answered=2, clarified=0, unresolved=1)
    assert report.askers == 2
    assert report.domains["labor"].answered == 2
    assert report.matters.opened == 1


def test_a_question_put_to_a_person_counts_as_no_answer_given(served: Served) -> None:
    zhang = served.user("zhang")
    zhang.says("人工")
    zhang.says("试用期最长多久").hears("已登记")

    report = counted(served)

    assert report.tally == Tally(answered=0, clarified=0, unresolved=1)
    assert report.given == 0
    with served.database.reading() as session:
        [asked] = session.exec(select(Message).where(Message.decision == DecisionKind.UNRESOLVED))
    assert asked.entry_id is None
    assert asked.candidates[0]["id"] == "labor.probation.length", "the evidence stays"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    database = Database(f"sqlite:///{tmp_path / 'fawen.sqlite3'}")
    migrate(database)
    with database.writing() as session:
        curation.publish_content(session, NOW, "tests")  # so that the command does not load the whole FAQ first
    database.dispose()
    monkeypatch.setenv("FAWEN_DATABASE_URL", f"sqlite:///{tmp_path / 'fawen.sqlite3'}")
    return CliRunner()


def test_the_command_writes_both_files_and_speaks_json(run: CliRunner, tmp_path: Path) -> None:
    xlsx, word = tmp_path / "统计.xlsx", tmp_path / "统计.docx"
    made = run.invoke(app, ["report", "--from", "2025-01-01", "--to", "2025-12-31", "--xlsx", str(xlsx),
                            "--docx", str(word), "--json"])  # fmt: skip

    assert made.exit_code == 0, made.output
    row = json.loads(made.stdout)
    assert (row["from"], row["to"]) == ("2025-01-01", "2025-12-31")
    assert row["figures"]["answered"]["of"] == row["figures"]["questions"]["value"] == 0
    assert "没有收到来信" in "".join(one.text for one in docx.Document(io.BytesIO(word.read_bytes())).paragraphs)
    assert openpyxl.load_workbook(xlsx).sheetnames == ["指标", "趋势", "领域", "主题和条目", "没有条目的问题"]
    assert "提问：0问，没有数据，占来信0件" in run.invoke(app, ["report"]).stdout


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--from", "2025-13-01"], "不是日期"),
        (["--from", "2025-02-01", "--to", "2025-01-01"], "晚于结束日期"),
        (["--xlsx", "/nowhere/x.xlsx"], "写不了文件 /nowhere/x.xlsx"),
    ],
)
def test_the_command_refuses_what_cannot_be(run: CliRunner, given: list[str], says: str) -> None:
    refused = run.invoke(app, ["report", *given])

    assert refused.exit_code == 2
    assert says in refused.stderr
