"""Every fixed text is really said where its page says so, with everything in it that staff may put there."""

import re
from collections.abc import Iterator

import pytest

from bot.pace import Pace
from knowledge import inquiries, texts
from knowledge.content.texts import shipped_texts
from knowledge.database import Database
from knowledge.working_days import now_utc
from tests.conftest import NOW, Served, serving
from tests.journeys.test_dialogue import ODD, OTHER, answers, asks_back, number_in
from tests.journeys.test_dialogue import inquiry as stored

# Said where the database is away or the answer is late, which tests/bot/test_waits.py sees to; and prepared for staff.
ELSEWHERE = {"late", "try_again", "staff_referral", "staff_refusal"}


@pytest.fixture
def marked(sqlite: Database) -> Iterator[Served]:
    """A Fawen whose every text names itself and uses each placeholder it may."""
    with serving(sqlite, pace=Pace("60/minute")) as served:
        with sqlite.writing() as session:
            for key, form in shipped_texts().items():
                marked = f"〔{key}〕" + "".join(f"[{{{name}}}]" for name in form.placeholders)
                texts.save(session, key, marked, against=0, actor="陈", now=NOW)
        served.standing.refresh()
        yield served


def test_every_text_is_said(marked: Served) -> None:
    heard: list[str] = []
    zhang, zhao = marked.user("zhang"), marked.user("zhao")

    def says(*words: str) -> str:
        heard.extend(zhang.says(one).text for one in words)
        return heard[-1]

    heard.append(zhang.event("subscribe", EventKey="").text)
    heard.append(zhang.event("SCAN", EventKey="poster").text)
    says("帮助", "你好", "谢谢", "嗯哼哼", "更多", "取答复", "有用", "进度", "Q20200101-0001", "13812345678", "人工")
    fields = {"MediaId": "m", "PicUrl": "p", "Location_X": "1", "Location_Y": "1", "Scale": "1", "Label": "门口"}
    heard += [zhang.sends(kind, **fields).text for kind in ("voice", "image", "location", "link", "file")]
    number = number_in(says(ODD))
    says("13812345678", "删除电话", "留电话", "13812345678", "删除电话", "进度", OTHER)
    asks_back(marked, number, "有合同吗？")
    says("你好", "没有签过")
    answers(marked, number, "一般要赔。")
    says("你好", "有用", "车间着火了怎么办")
    heard += [zhao.says(one).text for one in ("取答复", ODD)]
    with marked.database.writing() as session:
        number = number_in(heard[-1])
        assert stored(marked, number).reason == "unresolved"
        inquiries.reply(session, number, "李", "一般要赔。", now_utc())
    asked = (OTHER, "没解决", OTHER, "进度", "离婚孩子抚养权归谁", "试用期最长多久", "没解决")
    heard += [zhao.says(one).text for one in asked]
    heard += [marked.user("sun").says("你好").text for _ in range(61)]

    said = {key for text in heard for key in re.findall(r"〔(\w+)〕", text)}
    assert set(shipped_texts()) - ELSEWHERE - said == set()
    assert not [text for text in heard if re.search(r"\{|\}|\[\]", text)], "nothing is left unfilled or empty"
