"""What the matcher learns from data: synonyms, the trained classifier, opposite facts, fitted numbers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from sqlmodel import Session, select

from knowledge import classifier, curation, matching_data, training, tuning
from knowledge.answering import Answered, Clarified, Matcher
from knowledge.content import CONTRASTS, FAQ
from knowledge.content.checks import check_contrasts
from knowledge.content.contrasts import ContrastForm, read_contrast_forms
from knowledge.content.entries import read_entries
from knowledge.content.matching import matching_set, read_rows, unknown_entries
from knowledge.database import Database
from knowledge.errors import ContentError, InvalidInput, NotFound
from knowledge.evaluation import Side, tell_contrasts
from knowledge.matching.contrast import build_axes, build_axis, build_guard
from knowledge.matching.decide import Engine, Fact, Kind, decide
from knowledge.matching.index import Document, build_index
from knowledge.matching.lexicon import Concept, build_lexicon, concept_features
from knowledge.matching.model import Model
from knowledge.matching.normalize import normalize
from knowledge.matching.split import questions
from knowledge.matching.train import train
from knowledge.matching.weights import load_weights
from knowledge.models import Asker, EntryVersion, FaqEntry, MatchingKind, Message, TrainedModel
from knowledge.seeding import add_entry
from knowledge.working_days import local_day
from tests.builders import build_entry, cast_entries
from tests.conftest import NOW

TODAY = local_day(NOW)
LEXICON = build_lexicon(
    [Concept("解除", ("辞退", "开除", "炒鱿鱼", "解除劳动合同")), Concept("补偿", ("补偿", "赔偿", "赔偿金"))]
)


def documents() -> list[Document]:
    return [
        Document(form.id, form.title, (form.question, *form.variants), tuple(form.key_terms), form.answer)
        for form in cast_entries()
    ]


def published(database: Database) -> Matcher:
    with database.writing() as session:
        for form in cast_entries():
            add_entry(session, form, NOW)
        matching_data.seed(session, NOW)
        curation.publish_content(session, NOW, "tests")
    matcher = Matcher(database)
    matcher.refresh(TODAY)
    return matcher


def test_everyday_words_share_their_concept_and_the_longest_word_counts() -> None:
    assert LEXICON.found("被炒鱿鱼能拿赔偿金吗") == ["解除", "补偿"]
    assert LEXICON.found("解除劳动合同") == ["解除"]
    assert LEXICON.found("今天天气") == []


def test_concepts_count_alone_and_in_pairs_whatever_their_order() -> None:
    assert concept_features(["解除", "补偿"]) == concept_features(["补偿", "解除"])
    assert len(concept_features(["a", "b", "c"])) == 6


def test_a_stored_classifier_gives_the_margins_it_was_trained_to() -> None:
    trained = train(documents(), LEXICON, version=7)

    loaded = Model.from_bytes(trained.to_bytes())

    assert loaded.version == 7
    assert loaded.classes == trained.classes
    for form in cast_entries():
        margins = loaded.margins(normalize(form.question), LEXICON)
        assert loaded.classes[int(margins.argmax())] == form.id
    assert loaded.margins("〇", LEXICON) == pytest.approx(loaded.intercept)


def test_training_twice_gives_the_same_classifier() -> None:
    assert train(documents(), LEXICON, 1).to_bytes() == train(list(reversed(documents())), LEXICON, 1).to_bytes()


SIGNED = build_axis("签合同", [("已签", ["签了合同", "已签合同"]), ("未签", ["没签合同", "未签合同", "没签了合同"])])


def test_a_longer_word_hides_the_opposite_within_it() -> None:
    assert SIGNED.read("单位没签了合同就让上班") == {"未签"}
    assert SIGNED.read("签了合同") == {"已签"}
    assert SIGNED.read("合同") == frozenset()


def test_two_texts_oppose_each_other_where_both_name_an_axis() -> None:
    axes = build_axes([SIGNED])

    assert axes.oppose("公司没签合同", "公司签了合同")
    assert not axes.oppose("公司没签合同", "一直未签合同")
    assert not axes.oppose("公司没签合同", "公司不发工资")


@pytest.mark.parametrize("text", ["到底签没签合同", "公司有没有签合同我不知道", "签不签合同随便你"])
def test_a_question_whether_says_neither(text: str) -> None:
    axis = build_axis("签合同", [("已签", ["签合同"]), ("未签", ["没签合同", "没有签合同", "不签合同"])])

    assert axis.read(text) == frozenset()
    assert axis.read("公司没签合同") == {"未签"}


def test_an_entry_that_stands_for_one_value_is_contradicted_by_the_other_only() -> None:
    guard = build_guard([SIGNED], [["没签合同怎么办", "一直没签合同", "未签合同双倍工资", "没签合同被辞退"], ["工资"]])

    assert guard.contradicts(guard.read("公司和我签了合同"), 0) == "签合同"
    assert guard.contradicts(guard.read("公司没签合同"), 0) is None
    assert guard.contradicts(guard.read("以前没签合同现在已签合同"), 0) is None
    assert guard.contradicts(guard.read("公司和我签了合同"), 1) is None


HOURS = build_axis("加班时段", [("平时", ["平时"]), ("休息日", ["周末"]), ("节日", ["国庆", "春节"])])


@pytest.mark.parametrize(
    ("wordings", "opposed"),
    [
        (["平时加班几倍", "平时加班费", "周末加班几倍", "周末加班费"], {"节日"}),  # two of three values held
        (["平时加班几倍", "平时加班", "周末加班费", "周末上班", "国庆和周末哪个高"], {"节日"}),  # compared, not held
        (["平时加班几倍", "国庆平时加班", "平时加班费", "平时多干", "平时值班"], {"休息日"}),  # the heading names it
        (["平时加班几倍", "平时加班", "国庆加班费"], set()),  # too few
        (["平时加班几倍", *["工资多少"] * 60, "平时加班", "平时值班", "平时多干"], set()),  # hardly its matter
    ],
)
def test_where_an_entry_stands_follows_from_its_wordings(wordings: list[str], opposed: set[str]) -> None:
    guard = build_guard([HOURS], [wordings])

    found = {value for value, _ in HOURS.values if guard.contradicts({0: frozenset({value})}, 0)}

    assert found == opposed


def test_the_opposite_fact_is_never_answered_outright() -> None:
    entry = Document(
        "labor.contract.double_wage",
        "没签合同双倍工资",
        tuple(
            f"{start}没签合同{end}"
            for start in ("公司", "单位", "老板")
            for end in ("能要双倍工资吗", "怎么赔", "两年了")
        ),
    )
    sure = load_weights()
    sure = replace(sure, lookup=replace(sure.lookup, answer_at={"": 0.0}))
    plain, guarded = (Engine(build_index([entry, *documents()], 1, axes=axes), sure) for axes in ((), (SIGNED,)))

    assert decide(plain, "公司和我签了合同能要双倍工资么").kind is Kind.ANSWER
    assert decide(guarded, "公司和我签了合同能要双倍工资么").kind is not Kind.ANSWER
    assert decide(guarded, "公司没签合同能要双倍工资么").kind is Kind.ANSWER


def test_what_the_message_contradicts_ranks_behind_what_holds_its_fact() -> None:
    ends = ("能要多少补偿", "补偿怎么算", "去哪里要补偿", "补偿要不要交税", "有没有经济补偿")
    signed, unsigned = (
        Document(f"labor.{name}", f"{fact}补偿", tuple(f"{who}{fact}{end}" for who in ("公司", "单位") for end in ends))
        for name, fact in (("signed", "已签合同"), ("unsigned", "没签合同"))
    )
    # More of the letters are the other entry's; the fact is this one's.
    near = replace(unsigned, wordings=(*unsigned.wordings, "老板没签合同能要多少补偿啊"))
    sure = load_weights()
    sure = replace(sure, lookup=replace(sure.lookup, answer_at={"": 0.0}))
    plain, guarded = (Engine(build_index([signed, near, *documents()], 1, axes=axes), sure) for axes in ((), (SIGNED,)))
    message = "公司签了合同能要多少补偿"

    decision = decide(guarded, message)

    assert decide(plain, message).ranked[0].id == near.id
    assert (decision.kind, decision.ranked[0].id) == (Kind.ANSWER, signed.id)
    assert [one.score for one in decision.ranked] == sorted((one.score for one in decision.ranked), reverse=True)


@pytest.fixture(scope="module")
def shipped() -> Engine:
    """What ships, as it decides before a classifier is there."""
    given = matching_set({kind: read_rows(kind) for kind in MatchingKind})
    entries = [
        Document(form.id, form.title, (form.question, *form.variants), tuple(form.key_terms), form.answer)
        for _, form in read_entries(FAQ)
    ]
    index = build_index([*entries, *(form.document() for form in given.outside)], 1, given.lexicon, given.axes)
    return Engine(index, load_weights(), None, given.facts)


def test_the_shipped_pairs_are_told_apart(shipped: Engine) -> None:
    told = tell_contrasts(read_contrast_forms(CONTRASTS), lambda text: decide(shipped, text))

    assert len(told) >= 2 * 160
    assert not [one for one in told if normalize(one.text) in shipped.index.exact]
    # Without the classifier one is: 怀孕 is nothing that the entry on 不胜任 takes a stand on.
    assert len([one for one in told if one.side is Side.ACROSS]) <= 1
    assert sum(one.side.is_good for one in told) >= 0.95 * len(told)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"pair": ["签了合同", "签了合同？"], "entries": ["a", "b"]}, "same message"),
        ({"pair": ["签了合同", "没签合同"], "entries": ["a", ["b", "a"]]}, "both want a"),
        ({"pair": ["签了合同", "没签合同"]}, "entries"),
    ],
)
def test_a_contrast_has_two_sides(row: dict[str, object], fault: str, tmp_path: Path) -> None:
    path = tmp_path / "contrasts.yaml"
    path.write_text(yaml.safe_dump([row], allow_unicode=True), "utf-8")

    with pytest.raises(ContentError, match=fault):
        read_contrast_forms(path)


def test_a_contrast_for_an_entry_that_is_not_there_is_found() -> None:
    form = ContrastForm(pair=("签了合同", "没签合同"), entries=(("labor.probation.length",), ("labor.nothing",)))

    found = check_contrasts([form], cast_entries())

    assert [finding.entry for finding in found] == ["labor.nothing"]


def test_what_became_of_each_side_is_told(sqlite: Database) -> None:
    matcher = published(sqlite)
    form = ContrastForm(
        pair=("试用期最长可以约定多久", "公司拖欠工资去哪里投诉"), entries=(("labor.wage.arrears",), ("labor.nothing",))
    )
    swapped = form.model_copy(update={"entries": (("labor.nothing",), ("labor.probation.length",))})

    sides = [one.side for one in tell_contrasts([form, swapped], matcher.decide)]

    assert sides == [Side.THIRD, Side.ACROSS, Side.ACROSS, Side.THIRD]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("试用期最长多久？", 1),
        ("我在厂里干了三年，去年摔伤了，现在老板不管。怎么办？", 1),
        ("试用期最长可以约定多久？另外公司拖欠工资应该怎么办？", 2),
        ("1、公司不交社保怎么办？2、辞职要提前几天？3、年假有几天呢？", 3),
        ("", 0),
        ("好的", 0),
    ],
)
def test_questions_in_one_message_come_apart(text: str, parts: int) -> None:
    assert len(questions(text)) == parts


def test_a_short_question_that_is_known_comes_apart_too() -> None:
    known = {"年假有几天", "加班费怎么算"}

    assert questions("1、年假有几天 2、加班费怎么算", lambda piece: piece.strip() in known) == [
        "年假有几天",
        "加班费怎么算",
    ]
    assert questions("公司不交社保怎么办？", lambda piece: not piece) == ["公司不交社保怎么办？"]
    assert questions("年假有几天，加班费怎么算", lambda piece: piece in known) == ["年假有几天", "加班费怎么算"]
    assert questions("我干了三年。年假有几天", lambda piece: piece in known) == ["我干了三年。年假有几天"]


def test_two_questions_get_two_answers(sqlite: Database) -> None:
    matcher = published(sqlite)

    decision = matcher.decide("试用期最长可以约定多久？公司拖欠工资去哪里投诉？")

    with sqlite.reading() as session:
        outcome = matcher.outcome(session, decision, TODAY)
    assert isinstance(outcome, Answered)
    assert (outcome.entry.id, [one.id for one in outcome.others]) == ("labor.probation.length", ["labor.wage.arrears"])


def test_the_decisive_fact_is_asked_for_where_its_entries_compete(sqlite: Database) -> None:
    matcher = published(sqlite)
    cautious = replace(load_weights().lookup, answer_at={"": 1.1}, clarify_at=0.0)
    fact = Fact(
        "您想问的是时间还是工资",
        (("试用多久", ("labor.probation.length",)), ("试用期工资", ("labor.probation.wage",))),
    )
    engine = Engine(matcher.index, replace(load_weights(), lookup=cautious), None, (fact,))

    decision = decide(engine, "试用期的规定")

    assert (decision.kind, decision.question) == (Kind.CLARIFY, fact.question)
    assert decision.labels[:2] == ("试用多久", "试用期工资")
    with sqlite.reading() as session:
        outcome = matcher.outcome(session, decision, TODAY)
    assert isinstance(outcome, Clarified)
    assert [(choice.title, choice.label) for choice in outcome.choices[:2]] == [
        ("试用期最长多久", "试用多久"),
        ("试用期工资最低多少", "试用期工资"),
    ]


def test_exactly_one_process_trains_a_version_and_a_dead_one_is_replaced(database: Database) -> None:
    published(database)
    with database.writing() as session:
        assert classifier.claim(session, 1, NOW)
        assert not classifier.claim(session, 1, NOW + timedelta(minutes=1))
        assert classifier.claim(session, 1, NOW + classifier.CLAIM_HOLDS + timedelta(seconds=1))
        classifier.release(session, 1)
        assert classifier.claim(session, 1, NOW)
        assert not classifier.claim(session, 2, NOW + timedelta(minutes=1)), "one training at a time"
        assert classifier.claim(session, 2, NOW + classifier.CLAIM_HOLDS + timedelta(seconds=1))


def test_the_matcher_takes_up_the_classifier_once_it_is_there(database: Database) -> None:
    matcher = published(database)
    assert not matcher.is_trained
    assert decide(matcher.engine, "试用期最长可以约定多久").kind is Kind.ANSWER

    assert training.train_current(database, NOW) == matcher.index.version

    assert matcher.refresh(TODAY)
    assert matcher.is_trained
    assert not matcher.refresh(TODAY)


def test_what_it_was_not_trained_on_leaves_the_classifier_as_it_is(database: Database) -> None:
    """A lawyer who signs entry after entry, a figure, a fact to ask for: each publishes, none trains."""
    matcher = published(database)
    training.train_current(database, NOW)
    matcher.refresh(TODAY)
    axes = [{"axis": "签合同", "values": {"已签": ["签了合同"], "未签": ["没签合同"]}}]
    with database.writing() as session:
        sign(session, "labor.probation.length")
        sign(session, "labor.wage.arrears")
        matching_data.save(session, MatchingKind.AXES, axes, NOW)
        newest = curation.publish_content(session, NOW, "opposite facts")

    assert matcher.refresh(TODAY)
    assert (matcher.index.version, matcher.is_trained) == (newest, True)
    assert not matcher.refresh(TODAY)
    with database.writing() as session:
        message = Message(key="k", asker_id=1, received_at=NOW, kind="question", content_version=newest)
        matcher.log(message, matcher.outcome(session, matcher.decide("试用期最长多久"), TODAY))
        assert message.classifier_version == newest
        assert classifier.newest_version(session) == 1
    again = Matcher(database)
    again.refresh(TODAY)
    assert again.is_trained, "a server that starts now finds it, too"


def sign(session: Session, entry_id: str) -> None:
    entry = session.get(FaqEntry, entry_id)
    assert entry
    entry.signed_off_by = "王"
    session.add(entry)
    curation.publish_content(session, NOW, f"{entry_id}: signed")


def change_wording(session: Session) -> None:
    curation.add_variants(session, "labor.wage.arrears", ["老板欠薪跑了"], "李", NOW)


def change_answer(session: Session) -> None:
    version = session.exec(select(EntryVersion).where(EntryVersion.entry_id == "labor.wage.arrears")).one()
    version.answer += "另可以申请支付令，由法院督促用人单位支付。"
    session.add(version)


def change_synonyms(session: Session) -> None:
    concept = {"concept": "欠薪跑路", "words": ["卷款跑路"]}
    rows = [*matching_data.rows(session, MatchingKind.LEXICON), concept]
    matching_data.save(session, MatchingKind.LEXICON, rows, NOW)


def change_what_is_not_ours(session: Session) -> None:
    first, *others = matching_data.rows(session, MatchingKind.OUTSIDE)
    first = {**first, "wordings": [*first["wordings"], "跑了一只大白鹅怎么找"]}
    matching_data.save(session, MatchingKind.OUTSIDE, [first, *others], NOW)


@pytest.mark.parametrize("change", [change_wording, change_answer, change_synonyms, change_what_is_not_ours])
def test_what_it_is_trained_on_wants_a_new_classifier(sqlite: Database, change: Callable[[Session], None]) -> None:
    matcher = published(sqlite)
    training.train_current(sqlite, NOW)
    matcher.refresh(TODAY)
    with sqlite.writing() as session:
        change(session)
        newest = curation.publish_content(session, NOW, "changed")

    assert matcher.refresh(TODAY)
    assert not matcher.is_trained
    with sqlite.writing() as session:
        assert classifier.claim(session, newest, NOW)
    assert training.train_current(sqlite, NOW) == newest
    assert matcher.refresh(TODAY)
    assert matcher.is_trained


def test_a_classifier_of_an_earlier_release_serves_until_the_content_changes(sqlite: Database) -> None:
    matcher = published(sqlite)
    given = Matcher(sqlite)
    given.refresh(TODAY)
    earlier = replace(train(given.index.documents, LEXICON, 1), trained_on="")
    with np.load(BytesIO(earlier.to_bytes())) as arrays:
        stored = BytesIO()
        np.savez_compressed(stored, **{name: arrays[name] for name in arrays.files if name != "trained_on"})
    with sqlite.writing() as session:
        session.add(TrainedModel(content_version=1, claimed_at=NOW, made_at=NOW, data=stored.getvalue()))

    assert matcher.refresh(TODAY)
    assert matcher.is_trained
    with sqlite.writing() as session:
        sign(session, "labor.wage.arrears")
    assert matcher.refresh(TODAY)
    assert not matcher.is_trained


def test_a_new_wording_is_found_before_the_classifier_follows(database: Database) -> None:
    matcher = published(database)
    training.train_current(database, NOW)
    matcher.refresh(TODAY)
    with database.writing() as session:
        add_entry(
            session,
            build_entry(
                "labor.heat.work", "高温天能停工吗", variants=[f"{n}度高温天能不能停工" for n in range(35, 44)]
            ),
            NOW,
        )
        curation.publish_content(session, NOW, "tests")

    assert matcher.refresh(TODAY)

    assert not matcher.is_trained
    assert matcher.decide("36度高温天能不能停工").ranked[0].id == "labor.heat.work"
    assert matcher.decide("公司拖欠工资去哪里投诉").ranked[0].id == "labor.wage.arrears"


def test_what_ships_replaces_only_what_nobody_edited(sqlite: Database) -> None:
    with sqlite.writing() as session:
        assert matching_data.seed(session, NOW)
        assert not matching_data.seed(session, NOW)
        edited = [{"concept": "解除", "words": ["辞退", "卷铺盖"]}]
        matching_data.save(session, MatchingKind.LEXICON, edited, NOW)
        assert not matching_data.seed(session, NOW)
        assert matching_data.rows(session, MatchingKind.LEXICON) == edited
        with pytest.raises(ContentError, match="words"):
            matching_data.save(session, MatchingKind.LEXICON, [{"concept": "解除"}], NOW)


@pytest.mark.parametrize("kind", list(MatchingKind))
def test_the_shipped_matching_data_keeps_its_form(kind: MatchingKind) -> None:
    assert read_rows(kind)


def test_the_shipped_facts_lead_to_entries_that_exist() -> None:
    entry_ids = {form.id for _, form in read_entries(FAQ)}

    assert not list(unknown_entries(read_rows(MatchingKind.FACTS), entry_ids))
    assert list(unknown_entries(read_rows(MatchingKind.FACTS), entry_ids - {"labor.terminate.illegal"}))


def test_proposed_numbers_decide_nothing_until_put_in_force(database: Database) -> None:
    other = replace(load_weights(), made="a site's own")
    with database.writing() as session:
        kept = tuning.propose(session, other, "李", NOW)
        assert tuning.weights_in_force(session).made != "a site's own"
        assert (shadow := tuning.weights_in_shadow(session)) is not None
        assert shadow.made == "a site's own"
        tuning.activate(session, kept)
        assert tuning.weights_in_force(session).made == "a site's own"
        assert tuning.weights_in_shadow(session) is None
        with pytest.raises(NotFound):
            tuning.activate(session, kept + 1)


def test_a_confirmed_question_is_kept_with_its_last_meaning(database: Database) -> None:
    published(database)
    with database.writing() as session:
        asker = Asker(channel="wechat", address="o_zhang", created_at=NOW)
        session.add(asker)
        session.flush()
        assert asker.id is not None
        asked = Message(key="k1", asker_id=asker.id, received_at=NOW, kind="question", text="试用多久算长")
        tapped = Message(key="k2", asker_id=asker.id, received_at=NOW, kind="tap", text="更多")
        session.add_all([asked, tapped])
        session.flush()
        assert asked.id is not None
        assert tapped.id is not None
        tuning.confirm(session, asked.id, None, "李", NOW)
        tuning.confirm(session, asked.id, "labor.probation.length", "王", NOW)
        assert [(one.text, one.topic) for one in tuning.confirmed(session)] == [
            ("试用多久算长", "labor.probation.length")
        ]
        with pytest.raises(InvalidInput):
            tuning.confirm(session, tapped.id, None, "李", NOW)
        with pytest.raises(NotFound):
            tuning.confirm(session, asked.id, "labor.nothing", "李", NOW)
