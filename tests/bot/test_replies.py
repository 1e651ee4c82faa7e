"""Replies: parts that fit, links that survive, and words of askers that cannot become markup."""

import re
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import replies
from bot.commands import (
    AskHuman,
    Choice,
    Courtesy,
    Help,
    More,
    NoneOfThese,
    Progress,
    Question,
    Rating,
    Unreadable,
    interpret,
)
from bot.wechat.messages import MenuClick, Text
from knowledge.curation import EntryText
from knowledge.statutes.citation import Cited

WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="<>"), max_size=400)


@given(st.lists(st.one_of(WORDS, st.just(replies.tap("试用期最长多久", 7))), max_size=12), st.integers(300, 2000))
def test_parts_join_to_the_text_and_fit(pieces: list[str], limit: int) -> None:
    text = "\n".join(pieces)
    parts = replies.split_reply(text, limit)

    assert "".join(parts) == text
    for part in parts:
        assert len(part.encode()) <= limit
        assert part.count("<a ") == part.count("</a>")


LONG_WORDS = st.builds(lambda text, times: text * times, WORDS.filter(str.strip), st.integers(1, 12))


@given(st.lists(LONG_WORDS, min_size=1, max_size=6))
def test_the_rest_behind_more_loses_nothing(pieces: list[str]) -> None:
    parts = [part for piece in pieces for part in replies.split_reply(piece, 1800)]
    seen, rounds = "", 0

    first, rest = replies.with_more(parts, 1)
    assert len(first.encode()) <= 1800
    while rest:
        seen += re.sub(r"\n（未完）<a .*</a>$", "", first)
        first, rest = replies.with_more(rest, 1)
        assert len(first.encode()) <= 1800
        assert all(len(part.encode()) <= 1800 for part in rest)
        rounds += 1
        assert rounds < 200
    seen += first

    squeezed = re.compile(r"\s+")
    assert squeezed.sub("", seen) == squeezed.sub("", "".join(parts))


def test_a_link_larger_than_a_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        replies.split_reply(replies.tap("长" * 300), 500)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_a_tap_sends_just_its_text(text: str) -> None:
    address = replies.tap(text, 3, "标签").split('"')[1]
    values = parse_qs(urlsplit(address).query, keep_blank_values=True)

    assert values == {"msgmenucontent": [text], "msgmenuid": ["m3"]}


def entry_text(title: str, citations: int) -> EntryText:
    return EntryText(
        id=title,
        version_id=1,
        version=1,
        title=title,
        domain="labor",
        topic="试用期",
        question=title,
        answer="先说要点的第一行，" * 5 + "\n第二行",
        citations=tuple(Cited("中华人民共和国劳动合同法", number) for number in range(10, 10 + citations)),
        related=(),
        referral="12333",
        status="published",
        checked_on=date(2026, 11, 1),
        review_by=date(2027, 11, 1),
        signed_off_by=None,
    )


def test_three_questions_are_answered_in_one_part_with_the_first_of_many_citations() -> None:
    titles = ("试用期最长可以约定多久", "公司拖欠工资应该怎么办", "注册资本要几年之内缴足")

    text = replies.several([entry_text(title, 20) for title in titles], 123_456)

    assert len(text.encode()) <= 1800
    bases = [line for line in text.splitlines() if line.startswith("依据：")]
    assert len(bases) == 3
    assert all(base.startswith("依据：《劳动合同法》第十条、") and base.endswith("等") for base in bases)
    few = replies.several([entry_text(title, 2) for title in titles], 123_456)
    assert few.count("依据：《劳动合同法》第十条、第十一条\n") == 3


def test_what_an_asker_wrote_is_no_markup() -> None:
    assert "<" not in replies.plain('<a href="weixin://bizmsgmenu?msgmenucontent=x&msgmenuid=1">点我</a>')
    assert len(replies.plain("长" * 500)) == 60


@pytest.mark.parametrize(
    ("text", "choices", "command"),
    [
        ("２", 3, Choice(2)),
        ("4", 3, NoneOfThese(None)),
        ("5", 3, Question("5")),
        ("2", 0, Question("2")),
        (" 更多 ", 0, More()),
        ("转人工！", 0, AskHuman(None)),
        ("q20261124-0001", 0, Progress("Q20261124-0001")),
        ("进度", 0, Progress(None)),
        ("查一下进度", 0, Progress(None)),
        ("进度：Q20261124-0001", 0, Progress("Q20261124-0001")),
        ("Q20261124-0001 怎么样了？", 0, Progress("Q20261124-0001")),
        ("Q20261124-0001 鹅是三只", 0, Question("Q20261124-0001 鹅是三只")),
        ("我要转人工", 0, AskHuman(None)),
        ("人工费谁出", 0, Question("人工费谁出")),
        ("没有解决。", 0, Rating(helpful=False, message_id=None)),
        ("?", 0, Help()),
        ("Hello!", 0, Courtesy(is_thanks=False)),
        ("谢谢。", 0, Courtesy(is_thanks=True)),
        ("[微笑][微笑]", 0, Unreadable("sticker")),
        ("/::)", 0, Unreadable("sticker")),
        ("😀😀", 0, Unreadable("symbols")),
        ("", 0, Unreadable("empty")),
        ("谢谢，那试用期呢", 0, Question("谢谢，那试用期呢")),
    ],
)
def test_messages_are_understood(text: str, choices: int, command: object) -> None:
    assert interpret(Text(text, None), choices) == command


def test_taps_name_their_message_and_nothing_else() -> None:
    assert interpret(Text("没解决", "m12"), 0) == Rating(helpful=False, message_id=12)
    assert interpret(Text("没解决", "delete"), 0) == Rating(helpful=False, message_id=None)
    assert interpret(Text("都不是", "m7"), 3) == NoneOfThese(7)
    assert interpret(MenuClick("菜单"), 0) == Help()
