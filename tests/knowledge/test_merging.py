"""A newer seed meets local edits: over two seed versions, what is updated, offered and never overwritten."""

from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from knowledge import curation, merging, seeding
from knowledge.content.entries import EntryForm
from knowledge.database import Database
from knowledge.errors import InvalidInput, NotFound
from knowledge.merging import State
from knowledge.models import EntrySeed, EntryVersion, FaqEntry, Variant
from tests.builders import build_entry
from tests.conftest import NOW

TODAY = NOW.date()


def entry(name: str, **fields: Any) -> EntryForm:
    return build_entry(f"labor.{name}", fields.pop("title", name), **fields)


def first_seed() -> list[EntryForm]:
    return [entry(name) for name in ("untouched", "edited", "torn", "wordings", "gone")]


def second_seed() -> list[EntryForm]:
    return [
        entry("untouched", answer="第二版的答复。"),
        entry("edited"),
        entry("torn", answer="第二版的答复。", question="第二版的问题？"),
        entry("wordings", answer="第二版的答复。", variants=[*build_entry().variants[1:], "种子新添的问法"]),
        entry("brand_new"),
    ]


def edit(database: Database, name: str, **changes: Any) -> None:
    """What a colleague changes in the workbench."""
    with database.writing() as session:
        form = seeding.stored_forms(session, TODAY)[f"labor.{name}"]
        seeding.revise_entry(session, form.model_copy(update=changes), NOW, by_seed=False)


@pytest.fixture
def site(database: Database) -> Database:
    """A site that loaded the first seed and worked on it."""
    with database.writing() as session:
        for form in first_seed():
            seeding.add_entry(session, form, NOW)
        curation.publish_content(session, NOW, "first")
    edit(database, "edited", answer="本地改过的答复。")
    edit(database, "torn", answer="本地改过的答复。", referral="12345")
    edit(database, "wordings", variants=[*build_entry().variants, "本地新添的问法"])
    return database


def local(database: Database, name: str) -> EntryForm:
    with database.reading() as session:
        return seeding.stored_forms(session, TODAY)[f"labor.{name}"]


def states(database: Database, seed: list[EntryForm]) -> dict[str, State]:
    with database.reading() as session:
        return {one.title: one.state for one in merging.compare(session, seed, TODAY)}


def test_the_same_seed_again_shows_only_what_was_edited(site: Database) -> None:
    assert states(site, first_seed()) == {
        "untouched": State.SAME,
        "edited": State.EDITED,
        "torn": State.EDITED,
        "wordings": State.EDITED,
        "gone": State.SAME,
    }


def test_the_difference_is_told_per_field_on_three_sides(site: Database) -> None:
    assert states(site, second_seed()) == {
        "untouched": State.UPDATED,
        "edited": State.EDITED,
        "torn": State.CONFLICT,
        "wordings": State.UPDATED,
        "gone": State.GONE,
        "brand_new": State.ADDED,
    }
    with site.reading() as session:
        torn = next(one for one in merging.compare(session, second_seed(), TODAY) if one.title == "torn")
    fields = {one.field: one for one in torn.fields}
    assert set(fields) == {"answer", "question", "referral"}
    assert fields["answer"].base.startswith("试用期最长六个月")
    assert (fields["answer"].local, fields["answer"].seed) == ("本地改过的答复。", "第二版的答复。")
    assert (fields["question"].changed_here, fields["question"].changed_in_seed) == (False, True)
    assert (fields["referral"].changed_here, fields["referral"].changed_in_seed) == (True, False)


def test_a_merge_updates_the_untouched_and_leaves_every_local_edit(site: Database) -> None:
    with site.writing() as session:
        done = merging.merge(session, second_seed(), NOW)
        version = curation.content_version(session)

    assert done.added == ("labor.brand_new",)
    assert done.updated == ("labor.untouched", "labor.wordings")
    assert [one.entry_id for one in done.conflicts] == ["labor.torn"]
    assert (done.taken, done.kept, done.retired, done.blocked) == ((), (), (), ())
    assert version == 2
    assert local(site, "untouched").answer == "第二版的答复。"
    assert local(site, "edited").answer == "本地改过的答复。"
    assert local(site, "torn").answer == "本地改过的答复。"
    assert local(site, "gone").status == "published"
    wordings = local(site, "wordings")
    assert wordings.answer == "第二版的答复。"
    assert {"种子新添的问法", "本地新添的问法"} <= set(wordings.variants)
    assert build_entry().variants[0] not in wordings.variants
    with site.reading() as session:
        assert curation.published_text(session, "labor.untouched", TODAY).version == 2
        older = session.exec(select(EntryVersion).where(EntryVersion.entry_id == "labor.untouched")).all()
        assert len(older) == 2


def test_merging_again_does_nothing_and_offers_the_conflict_again(site: Database) -> None:
    with site.writing() as session:
        merging.merge(session, second_seed(), NOW)
    with site.writing() as session:
        again = merging.merge(session, second_seed(), NOW)
        assert curation.content_version(session) == 2

    assert (again.added, again.updated) == ((), ())
    assert [one.entry_id for one in again.conflicts] == ["labor.torn"]
    assert states(site, second_seed())["wordings"] is State.EDITED


@pytest.mark.parametrize(
    ("choice", "answer", "question"),
    [
        (None, "第二版的答复。", "第二版的问题？"),
        (frozenset({"question"}), "本地改过的答复。", "第二版的问题？"),
        (frozenset(), "本地改过的答复。", build_entry().question),
    ],
)
def test_a_conflict_is_settled_as_chosen_once(
    site: Database, choice: frozenset[str] | None, answer: str, question: str
) -> None:
    with site.writing() as session:
        done = merging.merge(session, second_seed(), NOW, choices={"labor.torn": choice})

    assert done.conflicts == ()
    assert (done.kept if choice == frozenset() else done.taken) == ("labor.torn",)
    torn = local(site, "torn")
    assert (torn.answer, torn.question, torn.referral) == (answer, question, "12345")
    assert states(site, second_seed())["torn"] is State.EDITED


def test_the_text_and_its_basis_are_taken_together(site: Database) -> None:
    law = {"statute": "中华人民共和国劳动合同法", "article": 20}
    newer = [entry("torn", answer="第二版的答复。", citations=[law])]
    with site.writing() as session:
        merging.merge(session, newer, NOW, choices={"labor.torn": frozenset({"answer"})})

    assert local(site, "torn").citations[0].article == 20


def test_a_choice_that_fits_nothing_is_refused(site: Database) -> None:
    def choose(entry_id: str, *fields: str) -> None:
        with site.writing() as session:
            merging.merge(session, second_seed(), NOW, choices={entry_id: frozenset(fields)})

    with pytest.raises(InvalidInput, match="没有冲突"):
        choose("labor.untouched")
    with pytest.raises(InvalidInput, match="没有字段 mood"):
        choose("labor.torn", "mood")
    with pytest.raises(NotFound):
        choose("labor.nobody")


def test_entries_the_seed_no_longer_has_are_archived_on_demand_where_nobody_edited_them(site: Database) -> None:
    with site.writing() as session:
        done = merging.merge(session, [form for form in second_seed() if form.title != "edited"], NOW, retire=True)

    assert done.retired == ("labor.gone",)
    assert local(site, "gone").status == "archived"
    assert local(site, "edited").status == "published"


def test_titles_may_change_places_but_never_meet(site: Database) -> None:
    swapped = [entry("untouched", title="gone"), entry("gone", title="untouched")]
    with site.writing() as session:
        merging.merge(session, swapped, NOW)
    assert (local(site, "untouched").title, local(site, "gone").title) == ("gone", "untouched")

    with site.writing() as session:
        done = merging.merge(session, [entry("other", title="edited")], NOW)
    assert done.blocked == (("labor.other", "标题“edited”已用于 labor.edited"),)
    assert done.added == ()


def test_an_entry_loaded_before_ancestors_were_kept_is_known_by_its_hash(site: Database) -> None:
    with site.writing() as session:
        for row in session.exec(select(EntrySeed)):
            session.delete(row)
    found = states(site, second_seed())

    assert found["untouched"] is State.UPDATED
    assert found["torn"] is State.CONFLICT
    assert found["edited"] is State.CONFLICT  # nobody can tell which side changed


def test_a_text_that_ran_out_is_no_difference(database: Database) -> None:
    later = [{"valid_from": date(2027, 1, 1), "answer": "新。", "citations": build_entry().model_dump()["citations"]}]
    form = entry("dated", later=later)
    with database.writing() as session:
        seeding.add_entry(session, form, NOW)

    for day in (TODAY, date(2027, 1, 1), date(2028, 1, 1)):
        with database.reading() as session:
            assert [one.state for one in merging.compare(session, [form], day)] == [State.SAME], day


def test_a_revision_keeps_old_versions_and_the_wordings_it_does_not_touch(site: Database) -> None:
    with site.reading() as session:
        before = {row.text: row.id for row in session.exec(select(Variant).where(Variant.entry_id == "labor.edited"))}
        signed = session.get_one(FaqEntry, "labor.edited")
        assert signed.signed_off_by is None
    edit(site, "edited", question="只改问题？")
    with site.reading() as session:
        after = {row.text: row.id for row in session.exec(select(Variant).where(Variant.entry_id == "labor.edited"))}
        numbers = session.exec(select(EntryVersion.number).where(EntryVersion.entry_id == "labor.edited")).all()

    assert before == after
    assert sorted(numbers) == [1, 2]
