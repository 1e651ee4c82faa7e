"""Fixed replies and urgent rules: kept by staff, imported whole or not at all, noticed by running servers."""

from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from bot.cli import app
from knowledge import audit, fixed_replies, seeding, urgency
from knowledge.content.spreadsheets import read_fixed_reply_rows
from knowledge.content.standing import read_urgent
from knowledge.database import Database
from knowledge.errors import ContentError, InvalidInput, NotFound, SettingMoved
from knowledge.models import UrgentRule
from knowledge.standing import StandingRules
from knowledge.urgency import Draft
from tests.conftest import NOW


def sheet(folder: Path, *rows: tuple[str | int | None, ...]) -> Path:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    file = folder / "replies.xlsx"
    book.save(file)
    return file


def test_a_fixed_reply_is_found_changed_and_removed(database: Database) -> None:
    rules = StandingRules(database)
    with database.writing() as session:
        made = fixed_replies.add(session, ["地址", "怎么去？"], "科技路1号。", None, NOW)
    assert rules.refresh()
    assert rules.fixed_reply(" 地址！") == made
    assert rules.fixed_reply("怎么去") == made
    assert rules.fixed_reply("地址在哪") is None

    with database.writing() as session:
        fixed_replies.change(session, made.id, ["在哪"], "科技路2号。", "https://example.cn", NOW)
    assert rules.refresh()
    assert not rules.refresh()
    assert rules.fixed_reply("地址") is None
    changed = rules.fixed_reply("在哪")
    assert changed is not None
    assert (changed.text, changed.link) == ("科技路2号。", "https://example.cn")

    with database.writing() as session:
        fixed_replies.remove(session, made.id, NOW)
    rules.refresh()
    assert rules.fixed_reply("在哪") is None
    with pytest.raises(NotFound), database.writing() as session:
        fixed_replies.remove(session, made.id, NOW)


@pytest.mark.parametrize(
    ("keywords", "text", "link", "why"),
    [
        ([], "答", None, "至少填写一个关键词"),
        (["？！"], "答", None, "要有文字"),
        (["长" * 31], "答", None, "最多30字"),
        (["已有"], "答", None, "已用于另一条"),
        (["新"], "  ", None, "不能为空"),
        (["新"], "长" * 501, None, "最多500字"),
        (["新"], "答", "javascript:alert(1)", "https://"),
        (["新"], "答", 'https://x.cn/"onclick', "https://"),
    ],
)
def test_what_cannot_be_a_fixed_reply_is_refused(
    sqlite: Database, keywords: list[str], text: str, link: str | None, why: str
) -> None:
    with sqlite.writing() as session:
        fixed_replies.add(session, ["已有"], "答", None, NOW)

    with pytest.raises(InvalidInput, match=why), sqlite.writing() as session:
        fixed_replies.add(session, keywords, text, link, NOW)


def test_a_spreadsheet_is_imported_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAWEN_DATA_DIR", str(tmp_path))
    run = CliRunner()
    good = sheet(
        tmp_path,
        ("序号", "关键词", "回复内容", "链接"),
        (1, "地址、在哪里", "科技路1号。", None),
        (None, None, None, None),
        (2, 8000, "总机8000。", "https://example.cn/tel"),
    )
    imported = run.invoke(app, ["replies", "import", str(good)])
    assert (imported.exit_code, "已导入2条" in imported.stdout) == (0, True)
    listed = run.invoke(app, ["replies", "list"]).stdout
    assert "地址、在哪里" in listed
    assert "8000  →  总机8000" in listed

    bad = sheet(tmp_path, ("关键词", "回复内容"), ("新词", "好的"), ("地址", "又一个"), ("另", ""))
    refused = run.invoke(app, ["replies", "import", str(bad)])
    assert refused.exit_code == 1
    assert "第3行：关键词“地址”已用于另一条固定回复" in refused.stderr
    assert "第4行：回复内容不能为空" in refused.stderr
    assert "新词" not in run.invoke(app, ["replies", "list"]).stdout


def test_a_file_that_is_no_such_sheet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "replies.xlsx").write_bytes(b"not a zip")
    with pytest.raises(ContentError, match="不是可以读取的 XLSX"):
        read_fixed_reply_rows(tmp_path / "replies.xlsx")
    with pytest.raises(ContentError, match="第一行要有"):
        read_fixed_reply_rows(sheet(tmp_path, ("词", "话"), ("a", "b")))
    with pytest.raises(ContentError, match="没有内容"):
        read_fixed_reply_rows(sheet(tmp_path, ("关键词", "回复内容")))


def test_the_shipped_rules_are_loaded_once_and_stay_deleted(database: Database) -> None:
    with database.writing() as session:
        seeding.seed_standing(session, NOW)
        assert len(urgency.active(session)) == len(read_urgent()) == 4
        urgency.remove(session, "child_labour", NOW)
    with database.writing() as session:
        seeding.seed_standing(session, NOW)
        assert len(urgency.active(session)) == 3


def test_the_order_decides_which_rule_speaks(database: Database) -> None:
    with database.writing() as session:
        for place, name in enumerate(("one", "two", "three"), 1):
            rule = UrgentRule(
                id=name, name=name, position=place, patterns=[[["煤气味"]]], reply="拨 119", updated_at=NOW
            )
            urgency.add(session, rule)
    rules = StandingRules(database)
    rules.refresh()

    with database.writing() as session:
        assert urgency.move(session, "three", past="two", actor="陈", now=NOW) == 2
        assert urgency.move(session, "three", past="one", actor="陈", now=NOW) == 1
    assert rules.refresh()
    speaks = rules.urgent("有煤气味")
    assert speaks is not None
    assert speaks.id == "three"
    with pytest.raises(SettingMoved, match="顺序刚才被同事改过"), database.writing() as session:
        urgency.move(session, "three", past="two", actor="王", now=NOW)
    with pytest.raises(SettingMoved), database.writing() as session:
        urgency.move(session, "three", past="gone", actor="王", now=NOW)

    with database.writing() as session:
        assert [one.id for one in urgency.everything(session)] == ["three", "one", "two"]
        urgency.move(session, "three", past="one", actor="陈", now=NOW)
        moved = audit.find(session, subject="urgent_rule three")[:3]
    assert [(one.action, audit.changed(one)) for one in moved] == [
        ("urgent_rule.move", [("position", 1, 2)]),
        ("urgent_rule.move", [("position", 2, 1)]),
        ("urgent_rule.move", [("position", 3, 2)]),
    ]


def test_a_rule_may_be_switched_off_and_what_would_match_everything_is_refused(database: Database) -> None:
    with database.writing() as session:
        seeding.seed_standing(session, NOW)
        off = Draft([[["救命"]]], [], "拨110", is_active=False)
        urgency.change(session, "life", off, now=NOW, confirmed=True)
        assert urgency.first_match(urgency.active(session), "救命啊") is None
        useless: list[list[list[list[str]]]] = [[], [[]], [[["我"]]], [[[]]]]
        for patterns in useless:
            with pytest.raises(InvalidInput):
                urgency.add(
                    session,
                    UrgentRule(id="x", name="x", position=9, patterns=patterns, reply="x", updated_at=NOW),
                )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("我不想活了", "life"),
        ("車間著火了怎麼辦", "life"),
        ("老板扣着身份证不让我们走，怎么办", "life"),
        ("员工自杀算工伤吗", None),
        ("刚刚有工友从脚手架上摔下来了", "accident"),
        ("工人被机器绞住了手，大出血", "accident"),
        ("工伤停工留薪期多久", None),
        ("我上个月在车间受伤了怎么赔", None),
        ("隔壁店招了两个十四岁的孩子", "child_labour"),
        ("使用童工怎么处罚", None),
        ("我35岁了还能签合同吗", None),
        ("包工头跑了，工钱没给", "group_arrears"),
        ("我们几十个人三个月没发工资", "group_arrears"),
        ("老板欠我一个月工资", None),
        ("集体合同怎么签", None),
        ("老板要打我，还扣押我的身份证，现在被关在宿舍", "life"),
        ("工资卡被关在公司账户里是什么意思", None),
    ],
)
def test_the_shipped_rules_know_urgent_from_not(text: str, rule: str | None) -> None:
    rules = [urgency.applied(UrgentRule(position=0, updated_at=NOW, **form.model_dump())) for form in read_urgent()]
    found = urgency.first_match(rules, text)

    assert (found.id if found else None) == rule
