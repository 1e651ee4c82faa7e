"""Normalising, the index and the decision, as laws that hold for any text."""

import string
import unicodedata
from pathlib import Path

import opencc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opencc import OpenCC

from knowledge.matching.decide import Engine, Kind, decide
from knowledge.matching.index import Document, Scope, build_index
from knowledge.matching.normalize import LONGEST, normalize, without_courtesy
from knowledge.matching.weights import load_weights
from tests.builders import cast_entries

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300)
HAN = st.text(alphabet="工资社保试用期合同公司老板辞退赔偿多久怎么办不给钱" + string.digits, min_size=1, max_size=60)


def documents() -> list[Document]:
    return [
        Document(form.id, form.title, (form.question, *form.variants), tuple(form.key_terms), form.answer)
        for form in cast_entries()
    ] + [Document("outside.chat", "闲聊", ("你叫什么名字", "讲个笑话", "今天天气怎么样"), scope=Scope.SMALLTALK)]


WEIGHTS = load_weights()
ENGINE = Engine(build_index(documents(), version=1), WEIGHTS)


@given(TEXT)
@example("ﷺ" * 50)
@example("İ" * 10)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalize(text)

    assert normalize(once) == once
    assert len(once) <= LONGEST


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("試用期最長多久？", "试用期最长多久"),
        ("Ｎ＋１ 是什麼", "n1是什么"),
        ("工资８０００😀", "工资8000"),
        ("急！！！！！！啊啊啊啊啊啊", "急啊啊啊"),
        ("", ""),
        ("😀👍", ""),
    ],
)
def test_wordings_become_plain(written: str, plain: str) -> None:
    assert normalize(written) == plain


def test_every_traditional_word_is_converted() -> None:
    """The converter is asked only where a character needs it: no word of its dictionaries may be missed."""
    converter, folder = OpenCC("t2s"), Path(opencc.__file__).parent / "dictionary"
    words = [
        line.split("\t")[0]
        for file in ("TSPhrases.txt", "TSCharacters.txt")
        for line in (folder / file).read_text("utf-8").splitlines()
    ]

    assert len(words) > 4000
    for word in words:
        converted = converter.convert(unicodedata.normalize("NFKC", word))
        assert normalize(word) == unicodedata.normalize("NFKC", converted), word


def test_courtesy_is_left_out_but_never_everything() -> None:
    assert without_courtesy(normalize("您好，请问试用期多久，谢谢")) == "试用期多久"
    assert without_courtesy("你好") == "你好"


@settings(max_examples=300)
@given(st.one_of(TEXT, HAN))
@example("")
@example("一")
@example("1")
@example("a" * 10_000)
@example("工资" * 5_000)
@example("'; DROP TABLE message; --")
@example("<script>alert(1)</script>")
def test_any_text_gets_a_decision(text: str) -> None:
    decision = decide(ENGINE, text)

    assert len(decision.ranked) <= 5
    assert all(0 <= ranked.score <= 100 for ranked in decision.ranked)
    assert [r.score for r in decision.ranked] == sorted((r.score for r in decision.ranked), reverse=True)
    assert bool(decision.choices) == (decision.kind is Kind.CLARIFY)
    assert decide(ENGINE, text) == decision


def test_every_wording_and_title_finds_its_own_entry() -> None:
    for form in cast_entries():
        for wording in (form.title, form.question, *form.variants):
            decision = decide(ENGINE, wording)
            assert (decision.kind, decision.ranked[0].id) == (Kind.ANSWER, form.id), wording


def test_the_order_of_entries_never_matters() -> None:
    other = Engine(build_index(reversed(documents()), version=1), WEIGHTS)

    for text in ("试用期工资怎么算", "老板不给钱", "罚款能不能申辩", "今天吃什么"):
        assert decide(other, text) == decide(ENGINE, text)


def test_chat_is_told_from_law() -> None:
    assert decide(ENGINE, "你叫什么名字").scope is Scope.SMALLTALK
    assert decide(ENGINE, "😀😀").kind is Kind.UNRESOLVED


def test_an_entry_without_a_usable_wording_is_left_out() -> None:
    index = build_index([Document("a.mute", "？", ("！", "")), *documents()], 1)

    assert "a.mute" not in index.ids
    assert decide(Engine(index, WEIGHTS), "试用期最长多久").ranked == decide(ENGINE, "试用期最长多久").ranked


def test_an_empty_index_answers_nothing() -> None:
    assert decide(Engine(build_index((), 0), WEIGHTS), "试用期最长多久").kind is Kind.UNRESOLVED


def test_words_that_stand_in_answers_only_do_no_harm() -> None:
    """Grams of no wording: between the others, and behind all of them (龥 has one of the highest numbers)."""
    answers = {"a.one": "龥龥龥，一二三四。", "a.two": "龥龥龥，一二三四。"}
    mute = [Document(name, name[-3:], (f"{name}是什么问题",), answer=answer) for name, answer in answers.items()]
    index = build_index([*mute, *documents()], 1)

    decision = decide(Engine(index, WEIGHTS), "试用期最长多久")
    assert (decision.kind, decision.ranked[0].id) == (Kind.ANSWER, "labor.probation.length")
