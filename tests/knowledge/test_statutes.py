"""Statutes in the database: versions, what is in force, and exactly the entries a change concerns."""

from datetime import date

import pytest
from sqlmodel import Session, select

from knowledge import seeding
from knowledge.database import Database
from knowledge.errors import NotFound
from knowledge.models import Article, Citation, Statute, StatuteVersion
from knowledge.statutes import library, rereview, search
from knowledge.statutes.citation import Cited
from knowledge.statutes.library import Brought
from knowledge.statutes.register import ArticleFacts, Register
from knowledge.statutes.rereview import DueReview
from knowledge.statutes.texts import ArticleText, StatuteFacts, StatuteText, text_hash
from tests.builders import build_entry
from tests.conftest import NOW

TODAY = NOW.date()
LAW = "中华人民共和国某某法"
OLD, NEW = date(2020, 1, 1), date(2027, 1, 1)


def version(effective: date | None, *texts: str, name: str = LAW, superseded: bool = False) -> StatuteText:
    facts = StatuteFacts(name, ("某某法",), "法律", effective, superseded, None, None, len(texts))
    return StatuteText(facts, tuple(ArticleText(number, None, text) for number, text in enumerate(texts, 1)))


def bring(session: Session, *texts: StatuteText, register: Register | None = None) -> list[DueReview]:
    return rereview.import_versions(session, texts, register or Register({}, {}), NOW, TODAY).opened


def entry(session: Session, id: str, *articles: int, **fields: object) -> None:
    """An entry that cites articles of the statute, its title made from its id; loaded as staff write one."""
    form = build_entry(
        f"labor.{id}",
        id,
        citations=[{"statute": LAW, "article": one} for one in articles],
        **fields,  # type: ignore[arg-type] # what the builder takes
    )
    seeding.add_local_entry(session, form, NOW)


def test_importing_the_same_again_changes_nothing(database: Database) -> None:
    with database.writing() as session:
        first = library.store(session, version(OLD, "甲。", "乙。"), NOW)
    with database.writing() as session:
        second = library.store(session, version(OLD, "甲。", "乙。"), NOW)
    with database.writing() as session:
        corrected = library.store(session, version(OLD, "甲。", "丙。"), NOW)

    assert [one.brought for one in (first, second, corrected)] == [Brought.NEW, Brought.UNCHANGED, Brought.CORRECTED]
    with database.reading() as session:
        assert len(session.exec(select(Statute)).all()) == 1
        assert len(session.exec(select(StatuteVersion)).all()) == 1
        assert [row.text for row in session.exec(select(Article).order_by(Article.article))] == ["甲。", "丙。"]  # type: ignore[arg-type] # a column


def test_a_title_means_the_version_in_force_and_a_versions_name_that_version(database: Database) -> None:
    amended = f"{LAW}（2026年修订）"
    with database.writing() as session:
        library.store(session, version(NEW, "新。", name=amended), NOW)
        library.store(session, version(OLD, "旧。"), NOW)

    with database.reading() as session:

        def text(name: str, on: date) -> str | None:
            article = library.cited_article(session, Cited(name, 1), on)
            return article.text if article else None

        assert text(LAW, date(2026, 12, 31)) == "旧。"
        assert text(LAW, NEW) == "新。"
        assert text(amended, TODAY) == "新。"
        assert text(LAW, date(2019, 1, 1)) is None
        assert text("不存在的法", TODAY) is None
        periods = library.periods(session, library.by_name(session, "某某法"))
        assert [(one.start, one.end) for one in periods] == [(OLD, date(2026, 12, 31)), (NEW, None)]
        texts = library.texts_on(session, TODAY)
        assert texts.articles[LAW, 1, None] == "旧。"
        assert texts.articles[amended, 1, None] == "新。"
        assert texts.statutes[LAW].until == date(2026, 12, 31)
        assert [one.title for one in library.find(session, "某某", 10)] == [LAW]
        assert library.count(session) == 1
        with pytest.raises(NotFound, match="没有《别的法》"):
            library.by_name(session, "别的法")


def test_a_newer_version_concerns_exactly_the_entries_that_cite_a_changed_article(database: Database) -> None:
    with database.writing() as session:
        bring(session, version(OLD, "一。", "二。", "三。"))
        entry(session, "same", 1)
        entry(session, "changed", 1, 2)
        entry(session, "gone", 3)
        entry(session, "archived", 2, status="archived")
        later = [
            {"valid_from": NEW, "answer": "新的。", "citations": [{"statute": "中华人民共和国公司法", "article": 1}]}
        ]
        entry(session, "prepared", 2, later=later)
        session.flush()

        opened = bring(session, version(NEW, "一。", "二改。"))

    assert [(one.entry_id, str(one.cited), one.old_text, one.new_text) for one in opened] == [
        ("labor.changed", "《某某法》第二条", "二。", "二改。"),
        ("labor.gone", "《某某法》第三条", "三。", None),
    ]
    with database.reading() as session:
        assert [one.entry_id for one in rereview.due(session)] == ["labor.changed", "labor.gone"]
        assert rereview.entries_due(session) == {"labor.changed", "labor.gone"}
        assert rereview.due(session)[0].effective == NEW
    with database.writing() as session:
        assert bring(session, version(NEW, "一。", "二改。")) == []
        assert rereview.close(session, "labor.changed", "王", NOW) == 1
        assert rereview.close(session, "labor.changed", "王", NOW) == 0
    with database.writing() as session:
        # The looked-at entry stays closed; the other one's row shows what stands there now.
        assert [one.entry_id for one in bring(session, version(NEW, "一。", "二改。", "四。"))] == ["labor.gone"]
        assert [(one.old_text, one.new_text) for one in rereview.due(session)] == [("三。", "四。")]


def test_a_first_import_is_compared_with_the_text_the_seed_was_checked_against(database: Database) -> None:
    """The register's hash of 劳动合同法 第十九条 is not that of 另一文本。"""
    law = "中华人民共和国劳动合同法"
    articles = tuple(ArticleText(number, None, f"另一文本{number}。") for number in (19, 20))
    facts = StatuteFacts(law, (), "法律", date(2013, 7, 1), False, None, None, 98)
    with database.writing() as session:
        seeding.add_entry(session, build_entry(), NOW)
        opened = bring(session, StatuteText(facts, articles))

    assert [(one.entry_id, one.old_text, one.new_text) for one in opened] == [
        ("labor.probation.length", None, "另一文本19。")
    ]


def test_a_correction_shows_what_stood_there_before(database: Database) -> None:
    with database.writing() as session:
        bring(session, version(OLD, "笔误。"))
        entry(session, "cites", 1)
        session.flush()

        opened = bring(session, version(OLD, "正确。"))

    assert [(one.old_text, one.new_text) for one in opened] == [("笔误。", "正确。")]


def test_what_is_history_concerns_nobody(database: Database) -> None:
    """Old versions come in whatever order: superseded, over, or older than what the register knows."""
    known = StatuteFacts(LAW, (), "法律", OLD, False, None, None, 1)
    register = Register({LAW: known}, {(LAW, "1"): ArticleFacts(text_hash("今。"), (0,))})
    with database.writing() as session:
        entry(session, "cites", 1)
        citation = session.exec(select(Citation)).one()
        citation.checked_hash = text_hash("今。")
        session.add(citation)
        session.flush()
        superseded = version(date(2010, 1, 1), "古。", name=f"{LAW}（2010年修订）", superseded=True)

        assert bring(session, superseded, register=Register({}, {})) == []
        assert bring(session, version(date(2015, 1, 1), "昔。"), register=register) == []
        assert (
            bring(session, version(OLD, "今。"), version(date(2005, 1, 1), "远古。"), register=Register({}, {})) == []
        )


def test_an_entry_loaded_after_the_text_is_compared_too(database: Database) -> None:
    law = "中华人民共和国劳动合同法"
    facts = StatuteFacts(law, (), "法律", date(2013, 7, 1), False, None, None, 98)
    with database.writing() as session:
        bring(session, StatuteText(facts, (ArticleText(19, None, "另一文本。"),)))
        seeding.add_entry(session, build_entry(), NOW)

        opened = rereview.open_for_entries(session, {"labor.probation.length"}, TODAY, NOW)

    assert [one.new_text for one in opened] == ["另一文本。"]


def test_a_new_text_of_the_entry_settles_its_re_review(database: Database) -> None:
    with database.writing() as session:
        bring(session, version(OLD, "一。", "二。"))
        entry(session, "cites", 2)
        session.flush()
        assert len(bring(session, version(date(2026, 6, 1), "一。", "二改。"))) == 1

        form = seeding.stored_forms(session, TODAY)["labor.cites"]
        seeding.revise_entry(session, form.model_copy(update={"answer": "按新文本改过的答复。"}), NOW, by_seed=False)
        closed = rereview.close_settled(session, "labor.cites", NOW, TODAY)

        assert closed == 1
        assert rereview.due(session) == []


def test_who_cites_a_statute_is_found_by_any_of_its_names(database: Database) -> None:
    with database.writing() as session:
        bring(session, version(OLD, "一。", "二。"))
        entry(session, "one", 1, 2)
        entry(session, "two", 2)
        session.flush()
    with database.reading() as session:
        title = rereview.cited_title(session, "《某某法》")
        everywhere = rereview.citing(session, title, TODAY)
        second = rereview.citing(session, title, TODAY, article=2)
        with pytest.raises(NotFound):
            rereview.cited_title(session, "没人引的法")

    assert [(one.entry_id, one.cited.article) for one in everywhere] == [
        ("labor.one", 1), ("labor.one", 2), ("labor.two", 2),
    ]  # fmt: skip
    assert [one.entry_id for one in second] == ["labor.one", "labor.two"]


def test_an_article_is_looked_up_by_number_name_and_words(database: Database) -> None:
    with database.writing() as session:
        library.store(session, version(OLD, "旧的押金条文。", "旧的第二条。"), NOW)
        library.store(session, version(NEW, "新的押金条文。"), NOW)
        library.store(session, version(OLD, "别的法规也说押金。", name="另一部办法"), NOW)
        library.store(session, version(OLD, "一。", name="另一部规定"), NOW)

        by_number = search.search(session, "某某法", "第二条", TODAY)
        assert [(str(hit.cited), hit.text) for hit in by_number.hits] == [("《某某法》第二条", "旧的第二条。")]
        assert "共2条" in search.search(session, LAW, "9", TODAY).note
        assert [hit.text for hit in search.search(session, "", "押金", TODAY).hits] == [
            "旧的押金条文。",
            "别的法规也说押金。",
        ], "only what is in force"
        assert [hit.text for hit in search.search(session, LAW, "押金", NEW).hits] == ["新的押金条文。"]
        assert set(search.search(session, "另一部", "1", TODAY).titles) == {"另一部办法", "另一部规定"}
        assert "没有导入" in search.search(session, "不存在的法", "1", TODAY).note
        assert search.search(session, LAW, "%%", TODAY).hits == ()
        assert "请填写" in search.search(session, LAW, " ", TODAY).note
        assert "两个字" in search.search(session, "", "金", TODAY).note
