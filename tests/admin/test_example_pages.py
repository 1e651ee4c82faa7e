"""示例问题 over HTTP: chosen on the page, tried on the FAQ in force, and heard by whoever follows the account."""

from collections.abc import Iterator

import httpx
import pytest

from knowledge import audit, drafts, examples, fixed_replies
from knowledge.content import FAQ
from knowledge.content.entries import read_entries
from knowledge.content.texts import shipped_examples
from knowledge.errors import SettingMoved
from knowledge.examples import Example
from knowledge.working_days import now_utc
from tests.admin.test_operations_pages import post, signed_in
from tests.conftest import NOW, Served

GOOD = ["试用期工资最低多少", "行政处罚怎么听证", "拖欠工资怎么办"]


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with signed_in(served) as client:
        yield client


def test_the_shipped_examples_are_entries_that_ship() -> None:
    assert set(shipped_examples()) <= {form.id for _, form in read_entries(FAQ)}
    assert len(shipped_examples()) == examples.COUNT


def test_a_new_follower_is_offered_the_questions_just_chosen(served: Served, browser: httpx.Client) -> None:
    zhang = served.user("zhang")
    shown = browser.get("/admin/settings/examples").text
    assert all(f'value="{title}"' in shown for title in ("试用期最长多久", "拖欠工资怎么办", "五年内缴足注册资本"))

    saved = post(browser, "/examples", question=GOOD, against="0")
    served.standing.refresh()

    assert "已保存" in saved.text
    heard = zhang.event("subscribe", EventKey="")
    assert [link.content for link in heard.links] == GOOD
    zhang.says(heard.links[1].content, bizmsgmenuid=heard.links[1].id).hears("较大数额罚款").hears("依据：")
    assert "试用期工资最低多少" in browser.get("/admin/settings/texts").text
    assert "点按发送：行政处罚怎么听证" in browser.get("/admin/settings/texts/greeting").text
    late = post(browser, "/examples", question=GOOD[::-1], against="0")
    assert (late.status_code, "同事刚刚改过" in late.text) == (409, True)
    post(browser, "/examples/restoration", against="1")
    served.standing.refresh()
    zhang.says("你好").hears("试用期最长多久").hears("五年内缴足注册资本")
    with served.database.reading() as session:
        restored, changed = audit.find(session, subject="setting examples")
    assert changed.after == {"examples": GOOD}
    assert restored.after == {"examples": list(shipped_examples())}


NOT_GOOD = {
    "": "请填写问题",
    "？！": "请填写问题",
    "试用期工资最低应该是多少元呢": "最多12字，现为14字",
    "试用期<b>": "不能含有",
    "人工": "公众号的口令",
    "食堂": "固定回复的关键词",
    "车间着火了怎么办": "会触发紧急规则“生命危险”",
    "试用期": "不会直接答复",
    "鹅被车压了归谁赔": "不会直接答复：没有现成答复",
}


def test_what_is_not_answered_outright_is_refused_and_named(served: Served, browser: httpx.Client) -> None:
    with served.database.writing() as session:
        fixed_replies.add(session, ["食堂"], "十一点半开饭。", None, NOW)

    for question, why in NOT_GOOD.items():
        typed = [question, *GOOD[1:]]
        assert why in post(browser, "/examples/preview", question=typed).text, question
        refused = post(browser, "/examples", question=typed, against="0")
        assert refused.status_code == 422, question
        assert "<li>第1个：" in refused.text, question
        assert why in refused.text, question
        assert f'value="{GOOD[1]}"' in refused.text, "nothing typed is lost"
    assert "示例问题不能重复" in post(browser, "/examples", question=[*GOOD[:2], GOOD[0]], against="0").text
    assert "示例问题应为3个" in post(browser, "/examples", question=GOOD[:2], against="0").text
    with served.database.reading() as session:
        assert examples.in_force(session) == examples.shipped()


def test_an_example_whose_entry_was_archived_is_not_offered_and_the_pages_say_so(
    served: Served, browser: httpx.Client
) -> None:
    post(browser, "/examples", question=GOOD, against="0")
    with served.database.writing() as session:
        drafts.archive(session, "business.admin.hearing", "法规已废止", "王", now_utc())
    served.standing.refresh()

    heard = served.user("zhang").event("subscribe", EventKey="")

    assert [link.content for link in heard.links] == [GOOD[0], GOOD[2]]
    assert "business.admin.hearing 已不在发布中" in browser.get("/admin/settings/examples").text
    assert "须重选" in browser.get("/admin/settings/texts").text


def test_two_who_choose_at_once_do_not_overwrite_each_other(served: Served) -> None:
    chosen = [Example("labor.probation.length", one) for one in ("甲问", "乙问", "丙问")]
    with served.database.writing() as session:
        examples.save(session, chosen, against=0, actor="陈", now=NOW)
    with pytest.raises(SettingMoved), served.database.writing() as session:
        examples.save(session, None, against=0, actor="王", now=NOW)
    with served.database.reading() as session:
        assert examples.in_force(session) == tuple(chosen)
