"""`kb check`: what it refuses in the FAQ files; and that the FAQ as shipped passes it."""

import itertools
import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rapidfuzz import fuzz
from typer.testing import CliRunner

from bot.cli import app
from knowledge.content import FIGURES, REGISTER
from knowledge.content.checks import CLASH_RATIO, Finding, check, likeness, near_pairs
from knowledge.content.entries import EntryForm, fill_figures, read_entries, read_figures, word_figure
from knowledge.errors import ContentError
from knowledge.matching.normalize import normalize
from knowledge.statutes.register import ArticleFacts, Register, read_register
from knowledge.statutes.texts import StatuteFacts
from tests.builders import ARREARS, build_entry

TODAY = date(2026, 11, 24)
SHARED = Path(__file__).parents[3] / "shared"


def findings(*entries: EntryForm, contrasts: set[frozenset[str]] | None = None) -> list[Finding]:
    return check(
        list(entries),
        read_register(REGISTER),
        figures={figure.key for figure in read_figures(FIGURES)},
        contrasts=contrasts or set(),
        on=TODAY,
    )


def arrears(variants: list[str]) -> EntryForm:
    return build_entry("labor.wage.arrears", "拖欠工资怎么办", "公司拖欠工资怎么办？", variants, "可以投诉。")


def test_a_sound_entry_has_no_findings() -> None:
    assert findings(build_entry()) == []


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"related": ["labor.nothing"]}, "不存在"),
        ({"citations": [{"statute": "劳动合同法", "article": 19}]}, "正式全称"),
        ({"citations": [{"statute": "中华人民共和国劳动合同法", "article": 99}]}, "共98条"),
        ({"answer": "最低工资{figure:no_such_figure}。"}, "no_such_figure"),
        ({"answer": "没有句号的第一行\n第二行。"}, "不是完整的句子"),
        ({"answer": "长" * 500 + "。"}, "字，最多400字"),
        ({"variants": ["试用期多久"], "citations": []}, "至少8条"),
        (
            {"later": [{"valid_from": "2027-01-01", "answer": "新。", "citations": []}]},
            "自2027-01-01起的文本）没有依据",
        ),
        ({"audience": []}, "对象"),
        ({"variants": ["？？", *[f"{n}" * n for n in range(1, 9)]]}, "没有可匹配的文字"),
        ({"variants": ["公司拖欠工资怎么投诉呢"] * 8}, "相似问法重复"),
        ({"variants": [f"试用期{n}个月可以吗请告诉我" for n in range(10)]}, "彼此雷同"),
    ],
)
def test_faults_are_found(fields: dict[str, Any], part: str) -> None:
    found = findings(build_entry(**fields))

    assert any(part in finding.text and finding.is_error for finding in found), found


def test_ids_and_titles_are_unique() -> None:
    assert sum("重复" in finding.text for finding in findings(build_entry(), build_entry())) >= 2


def test_a_wording_near_another_entrys_is_refused_unless_listed_as_contrast() -> None:
    signed, unsigned = "公司已经和我签了劳动合同可以辞退吗", "公司已经和我签了劳务合同可以辞退吗"
    pair = (
        build_entry(variants=[signed, *build_entry().variants]),
        arrears(variants=[unsigned, *ARREARS]),
    )

    assert any("几乎相同" in finding.text for finding in findings(*pair))
    listed = {frozenset((normalize(signed), normalize(unsigned)))}
    assert not any("几乎相同" in finding.text for finding in findings(*pair, contrasts=listed))


def test_what_time_alone_brings_is_a_notice() -> None:
    found = findings(build_entry(review_by=date(2026, 1, 1)))

    assert [finding.is_error for finding in found] == [False]


def test_a_text_that_ran_out_is_a_notice() -> None:
    found = findings(build_entry(valid_until=date(2026, 11, 1)))

    assert [(finding.text, finding.is_error) for finding in found] == [("有一段答复只到2026-11-01为止，已过期", False)]


def register_of(**changes: Any) -> Register:
    """A register that knows one version of a statute, article 1 of it checked."""
    facts = StatuteFacts("某法", (), "法律", date(2020, 1, 1), False, None, None, 9)
    return Register({"某法": replace(facts, **changes)}, {("某法", "1"): ArticleFacts("0" * 16, (0,))})


def of_some_law(register: Register, on: date, **fields: Any) -> list[tuple[str, bool]]:
    entry = build_entry(citations=[{"statute": "某法", "article": 1}], **fields)
    found = check([entry], register, figures=set(), contrasts=set(), on=on)
    return [(finding.text, finding.is_error) for finding in found]


def test_a_statute_that_lapsed_after_the_entry_was_checked_is_a_notice_and_one_before_it_an_error() -> None:
    lapses = register_of(until=date(2026, 12, 31))

    assert of_some_law(lapses, date(2026, 12, 31)) == []
    [(later, is_error)] = of_some_law(lapses, date(2027, 1, 1))
    assert "2026-12-31后失效" in later
    assert not is_error
    [(_, is_error)] = of_some_law(lapses, date(2027, 1, 2), checked_on=date(2027, 1, 1))
    assert is_error


def test_a_later_text_is_checked_as_of_its_own_day_and_an_earlier_one_up_to_its_last() -> None:
    future = register_of(effective=date(2027, 1, 1))
    later = [{"valid_from": "2027-01-01", "answer": "新的。", "citations": [{"statute": "某法", "article": 1}]}]
    entry = build_entry(later=later)

    def errors(register: Register, on: date) -> list[str]:
        found = check([entry], register, figures=set(), contrasts=set(), on=on)
        return [finding.text for finding in found if finding.is_error and "某法" in finding.text]

    assert errors(future, TODAY) == []
    assert errors(register_of(effective=date(2027, 2, 1)), TODAY) == ["《某法》自2027-02-01起才施行"]


def test_the_quick_comparison_finds_what_comparing_all_with_all_finds() -> None:
    """Strings over few characters, so that many pairs lie just above and just below the limit."""
    source = random.Random(20261124)
    texts = ["".join(source.choices("甲乙丙丁戊己", k=source.randint(1, 24))) for _ in range(400)]
    for text in list(texts):
        for _ in range(source.randint(0, 3)):
            at = source.randrange(len(text) + 1)
            texts.append(text[:at] + source.choice(["", "庚", "甲"]) + text[at + source.randint(0, 1) :] or "辛")

    slow = {
        (first, second)
        for first, second in itertools.combinations(range(len(texts)), 2)
        if fuzz.ratio(texts[first], texts[second]) >= CLASH_RATIO
    }

    assert len(slow) > 500
    assert any(fuzz.ratio(texts[a], texts[b]) == CLASH_RATIO for a, b in slow)
    assert sorted(near_pairs(texts)) == sorted(slow)


@settings(deadline=None)
@given(st.lists(st.text(alphabet="甲乙丙丁", min_size=1, max_size=30), min_size=2, max_size=12))
def test_the_quick_comparison_misses_nothing(texts: list[str]) -> None:
    slow = {
        (first, second)
        for first, second in itertools.combinations(range(len(texts)), 2)
        if fuzz.ratio(texts[first], texts[second]) >= CLASH_RATIO
    }

    assert set(near_pairs(texts)) == slow


def test_the_shares_of_each_entry_are_given_to_machines() -> None:
    alike = likeness(build_entry(variants=["试用期可以几个月", "试用期可以几个年", "一年合同最多多久", "签三年呢"]))

    assert alike is not None
    assert (alike.variants, alike.alike, alike.same_start, alike.start_count) == (4, 0.5, 0.5, 2)
    result = CliRunner().invoke(app, ["kb", "check", "--json", "--as-of", TODAY.isoformat()])
    figures = json.loads(result.stdout)
    assert {"findings", "entries"} == set(figures)
    assert all(0 <= entry["alike"] <= 1 for entry in figures["entries"])


def test_texts_have_one_kind_of_line_end_and_no_control_characters() -> None:
    assert build_entry(answer="一。\r\n二。\r三。").answer == "一。\n二。\n三。"
    with pytest.raises(ValidationError, match=r"第2个字符是控制字符 U\+0007"):
        build_entry(answer="响\a铃。")


def test_an_unverified_citation_wants_an_early_review() -> None:
    cited = [{"statute": "某通知", "article": 1, "unverified": True, "check": "到网站核对"}]

    assert any("三个月" in finding.text for finding in findings(build_entry(citations=cited)))
    assert findings(build_entry(citations=cited, review_by=date(2027, 2, 1))) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("- id: labor.x\n  title: 一二三四五六七八九十一二三\n", "title"),
        ("- id: tax.x\n", "id"),
        ("a: b\n", "a list of entries"),
        ("- [", "not readable"),
        ("- id: labor.x\n  surprise: 1\n", "surprise"),
    ],
)
def test_a_file_out_of_form_is_named_with_its_fault(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "bad.yaml").write_text(text, "utf-8")

    with pytest.raises(ContentError, match=r"bad\.yaml") as raised:
        read_entries(tmp_path)
    assert part in str(raised.value)


def test_figures_read_well_with_and_without_a_value() -> None:
    known = word_figure("2500", "元/月", date(2026, 1, 1), "可拨12333查询")
    unknown = word_figure(None, "元/月", None, "可拨12333查询")

    assert fill_figures("标准：{figure:a}。", {"a": known}) == "标准：2500元/月（2026年1月起执行）。"
    assert fill_figures("标准：{figure:a}。", {"a": unknown}) == "标准：以最新公布为准（可拨12333查询）。"


def test_the_faq_as_shipped_passes() -> None:
    result = CliRunner().invoke(app, ["kb", "check", "--as-of", TODAY.isoformat()])

    assert result.exit_code == 0, result.output[-3000:]


def test_every_citation_stands_in_the_texts_at_hand() -> None:
    if not (SHARED / "statutes").is_dir():
        pytest.skip("no statute texts on this machine: ../shared/statutes")

    arguments = ["kb", "check", "--statutes", str(SHARED / "statutes"), "--no-show-texts", "--as-of", TODAY.isoformat()]
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0, result.output[-3000:]
