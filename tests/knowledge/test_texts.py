"""固定文案: what may stand in one, every version kept, and running servers that take up a change."""

import pytest

from bot import replies
from knowledge import audit, texts
from knowledge.content.texts import TextForm, shipped_texts
from knowledge.database import Database
from knowledge.errors import InvalidInput, NotFound, SettingMoved
from knowledge.models import TextVersion
from knowledge.standing import StandingRules
from tests.conftest import NOW

WELCOME = shipped_texts()["welcome"].text


@pytest.mark.parametrize("form", shipped_texts().values(), ids=lambda form: form.key)
def test_every_shipped_text_goes_out_whole_and_without_a_brace(form: TextForm) -> None:
    said = replies.sample(texts.shipped(), form.text, ["试用期最长多久", "拖欠工资怎么办", "五年内缴足注册资本"])

    assert not set("{}") & set(said)
    assert len(replies.split_reply(said)) == 1


def test_a_line_with_nothing_but_a_placeholder_is_left_out_where_there_is_nothing_to_say() -> None:
    assert texts.fill("您好，例如：\n{示例}\n\n再见", {"示例": ""}) == "您好，例如：\n\n再见"
    assert texts.fill("编号 {编号}。", {"编号": "Q1"}) == "编号 Q1。"


def test_a_change_reaches_every_process_and_the_shipped_wording_comes_back(database: Database) -> None:
    here, there = StandingRules(database), StandingRules(database)
    here.refresh()
    there.refresh()
    with database.writing() as session:
        texts.save(session, "thanks", "不客气，", against=0, actor="陈", now=NOW)

    for process in (here, there):
        assert process.refresh()
        assert process.texts.fill("thanks", {}) == "不客气，"
    with database.writing() as session:
        saved = texts.by_key(session, "thanks")
        assert (saved.number, saved.changed_by, saved.is_shipped) == (1, "陈", False)
        texts.save(session, "thanks", None, against=1, actor="王", now=NOW)
        assert texts.by_key(session, "thanks").is_shipped
        assert [one.text for one in texts.history(session, "thanks")] == [None, "不客气，"]
        restored, changed = audit.find(session, subject="text thanks")
    assert (restored.action, restored.actor) == ("text.restore", "王")
    assert audit.changed(changed) == [("text", shipped_texts()["thanks"].text, "不客气，")]
    here.refresh()
    assert here.texts.fill("thanks", {}) == shipped_texts()["thanks"].text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("  ", "不能为空"),
        ("欢迎！", "缺少占位符 {示例问题}"),
        ("{示例问题} {天数}", "没有占位符 {天数}"),
        ("{示例问题} {{ config }}", "花括号不成对"),
        ("{示例问题", "花括号不成对"),
        ("{示例问题}<a href='x'>", "不能含有 <"),
        ("{示例问题}" + "长" * 500, "最多1500字节"),
    ],
)
def test_what_cannot_go_out_is_refused_and_named(sqlite: Database, text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why), sqlite.writing() as session:
        texts.save(session, "welcome", text, against=0, actor="陈", now=NOW)

    with sqlite.reading() as session:
        assert texts.history(session, "welcome") == []


def test_braces_of_a_chinese_keyboard_are_meant_as_braces(sqlite: Database) -> None:
    with sqlite.writing() as session:
        saved = texts.save(session, "greeting", "您好！\r\n｛示例问题｝  ", against=0, actor="陈", now=NOW)

    assert saved.text == "您好！\n{示例问题}"


def test_two_who_change_one_text_do_not_overwrite_each_other(database: Database) -> None:
    with database.writing() as session:
        texts.save(session, "thanks", "不谢。", against=0, actor="陈", now=NOW)
    with pytest.raises(SettingMoved, match="陈刚才改过"), database.writing() as session:
        texts.save(session, "thanks", "不用谢。", against=0, actor="王", now=NOW)
    with pytest.raises(NotFound), database.writing() as session:
        texts.save(session, "nothing", "好", against=0, actor="王", now=NOW)


def test_a_text_that_a_release_no_longer_understands_gives_way_to_the_shipped_one(sqlite: Database) -> None:
    """Never a placeholder in curly braces on somebody's phone, and staff are told why."""
    with sqlite.writing() as session:
        session.add(TextVersion(key="welcome", number=1, text="欢迎！{旧名}", made_by="陈", made_at=NOW))
    with sqlite.reading() as session:
        standing = texts.by_key(session, "welcome")

    assert standing.text == WELCOME
    assert any("旧名" in fault for fault in standing.faults)
