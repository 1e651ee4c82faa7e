"""Synonyms, opposite facts and facts to ask for, row by row: what is refused, and that the index follows."""

from typing import Any

import pytest

from knowledge import audit, curation, matching_data
from knowledge.answering import Matcher
from knowledge.database import Database
from knowledge.errors import InvalidInput, NotFound, SettingMoved
from knowledge.matching.normalize import normalize
from knowledge.models import MatchingKind
from tests.conftest import NOW

LEXICON, AXES, FACTS = MatchingKind.LEXICON, MatchingKind.AXES, MatchingKind.FACTS


@pytest.fixture
def stored(database: Database) -> Database:
    with database.writing() as session:
        matching_data.seed(session, NOW)
        curation.publish_content(session, NOW, "test")
    return database


def place_of(database: Database, concept: str) -> tuple[int, dict[str, Any]]:
    with database.reading() as session:
        rows = matching_data.rows(session, LEXICON)
    return next((place, row) for place, row in enumerate(rows) if row["concept"] == concept)


def test_a_synonym_is_known_as_soon_as_the_index_follows(stored: Database) -> None:
    matcher = Matcher(stored)
    matcher.refresh(NOW.date())
    place, row = place_of(stored, "解除")
    assert matcher.index.lexicon.found(normalize("卷铺盖")) == []

    with stored.writing() as session:
        new = {**row, "words": [*row["words"], "卷铺盖"]}
        matching_data.change_row(session, LEXICON, place, new, against=matching_data.mark_of(row), actor="李", now=NOW)
        changed = audit.find(session, subject="lexicon 解除")

    assert matcher.refresh(NOW.date())
    assert matcher.index.lexicon.found(normalize("卷铺盖")) == ["解除"]
    assert [(one.actor, one.action) for one in changed] == [("李", "matching.change")]


def test_a_phrase_belongs_to_one_concept(stored: Database) -> None:
    with pytest.raises(InvalidInput, match="“炒鱿鱼”已在概念“解除”里"), stored.writing() as session:
        matching_data.add_row(session, LEXICON, {"concept": "新概念", "words": ["炒鱿鱼"]}, actor="李", now=NOW)
    with pytest.raises(InvalidInput, match="已有名为“解除”的概念"), stored.writing() as session:
        matching_data.add_row(session, LEXICON, {"concept": "解除", "words": ["卷铺盖"]}, actor="李", now=NOW)
    with pytest.raises(InvalidInput, match="说法要有文字"), stored.writing() as session:
        matching_data.add_row(session, LEXICON, {"concept": "新概念", "words": ["？！"]}, actor="李", now=NOW)
    with pytest.raises(InvalidInput, match="至少写一个说法"), stored.writing() as session:
        matching_data.add_row(session, LEXICON, {"concept": "新概念", "words": []}, actor="李", now=NOW)


def test_two_who_edit_one_concept_do_not_overwrite_each_other(stored: Database) -> None:
    place, row = place_of(stored, "解除")
    mark = matching_data.mark_of(row)
    with stored.writing() as session:
        matching_data.remove_row(session, LEXICON, place, against=mark, actor="李", now=NOW)

    with pytest.raises(SettingMoved), stored.writing() as session:
        matching_data.change_row(session, LEXICON, place, row, against=mark, actor="王", now=NOW)
    with pytest.raises(NotFound), stored.reading() as session:
        matching_data.row_at(session, LEXICON, 9999)


@pytest.mark.parametrize(
    ("kind", "row", "why"),
    [
        (AXES, {"axis": "新的", "values": {"已": ["签了"]}}, "至少写两种相反的情形"),
        (AXES, {"axis": "新的", "values": {"已": ["签了"], "未": []}}, "至少一个说法"),
        (AXES, {"axis": "新的", "values": {"已": ["签了"], "未": ["签了！"]}}, "不能表示相反的情形"),
        (AXES, {"axis": "谁提出解除", "values": {"已": ["签了"], "未": ["没签"]}}, "已有名为"),
        (FACTS, {"ask": "问谁", "options": []}, "问句应为4至40字"),
        (FACTS, {"ask": "是哪一种情况", "options": [{"label": "甲", "entries": ["x"]}]}, "选项应为2至4个"),
        (FACTS, {"ask": "是哪一种情况", "options": [{"label": "甲", "entries": ["x"]}] * 2}, "选项“甲”写了两次"),
        (FACTS, {"ask": "是哪一种情况", "options": [{"label": "甲", "entries": ["x"]}] * 2}, "没有已发布的条目“x”"),
        (FACTS, {"ask": "是哪一种情况", "options": [{"label": "甲", "entries": []}] * 2}, "至少对应一个条目"),
    ],
)
def test_what_the_matcher_could_not_use_is_refused(
    stored: Database, kind: MatchingKind, row: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInput, match=why), stored.writing() as session:
        matching_data.add_row(session, kind, row, actor="李", now=NOW)
