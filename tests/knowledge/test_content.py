"""`kb check`: what it refuses in the FAQ files; and that the FAQ as shipped passes it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from knowledge.content import FIGURES, REGISTER
from knowledge.content.checks import Finding, check
from knowledge.content.entries import EntryForm, fill_figures, read_entries, read_figures, word_figure
from knowledge.errors import ContentError
from knowledge.matching.normalize import normalize
from knowledge.statutes.register import read_register
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
        ({"related": ["labor.nothing"]}, "does not exist"),
        ({"citations": [{"statute": "劳动合同法", "article": 19}]}, "full official title"),
        ({"citations": [{"statute": "中华人民共和国劳动合同法", "article": 99}]}, "98 articles"),
        ({"answer": "最低工资{figure:no_such_figure}。"}, "no_such_figure"),
        ({"answer": "没有句号的第一行\n第二行。"}, "no whole sentence"),
        ({"answer": "长" * 500 + "。"}, "characters"),
        ({"variants": ["公司拖欠工资怎么投诉呢"] * 8}, "the same wording twice"),
        ({"variants": [f"试用期{n}个月可以吗请告诉我" for n in range(10)]}, "are alike"),
    ],
)
def test_faults_are_found(fields: dict[str, Any], part: str) -> None:
    found = findings(build_entry(**fields))

    assert any(part in finding.text and finding.is_error for finding in found), found


def test_ids_and_titles_are_unique() -> None:
    assert sum("used more than once" in finding.text for finding in findings(build_entry(), build_entry())) >= 2


def test_a_wording_near_another_entrys_is_refused_unless_listed_as_contrast() -> None:
    signed, unsigned = "公司已经和我签了劳动合同可以辞退吗", "公司已经和我签了劳务合同可以辞退吗"
    pair = (
        build_entry(variants=[signed, *build_entry().variants]),
        arrears(variants=[unsigned, *ARREARS]),
    )

    assert any("is nearly" in finding.text for finding in findings(*pair))
    listed = {frozenset((normalize(signed), normalize(unsigned)))}
    assert not any("is nearly" in finding.text for finding in findings(*pair, contrasts=listed))


def test_what_time_alone_brings_is_a_notice() -> None:
    found = findings(build_entry(review_by=date(2026, 1, 1)))

    assert [finding.is_error for finding in found] == [False]


def test_an_unverified_citation_wants_an_early_review() -> None:
    cited = [{"statute": "某通知", "article": 1, "unverified": True, "check": "到网站核对"}]

    assert any("three months" in finding.text for finding in findings(build_entry(citations=cited)))
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
