"""Citations: how they are named, and what the register finds wrong with them."""

import json
from datetime import date
from pathlib import Path

import pytest

from knowledge.errors import ContentError
from knowledge.statutes.citation import Cited, chinese_number, name_together
from knowledge.statutes.register import Register, pin, read_register, write_register
from knowledge.statutes.texts import paragraphs, read_statutes

LAW = "中华人民共和国劳动合同法"
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (105, "一百零五"), (110, "一百一十"), (219, "二百一十九"),
     (1000, "一千"), (1001, "一千零一"), (1010, "一千零一十"), (1260, "一千二百六十")],
)  # fmt: skip
def test_numbers_are_written_as_statutes_write_them(number: int, written: str) -> None:
    assert chinese_number(number) == written


def test_a_citation_reads_as_lawyers_write_it() -> None:
    assert str(Cited(LAW, 19, paragraph=2)) == "《劳动合同法》第十九条第二款"
    assert str(Cited("中华人民共和国刑法", 276, sub=1)) == "《刑法》第二百七十六条之一"
    assert str(Cited(LAW, 39, item=2)) == "《劳动合同法》第三十九条第（二）项"
    together = name_together([Cited(LAW, 19), Cited(LAW, 20), Cited(LAW, 19), Cited("工伤保险条例", 14)])
    assert together == "《劳动合同法》第十九条、第二十条；《工伤保险条例》第十四条"


def test_a_line_that_begins_with_a_bracketed_numeral_is_an_item() -> None:
    assert paragraphs("甲：\n（一）乙；\n（二）丙。\n丁。") == [("甲：", ["（一）乙；", "（二）丙。"]), ("丁。", [])]


@pytest.fixture
def statutes(tmp_path: Path) -> Path:
    laws = [
        {"law": LAW, "aliases": ["劳动合同法"], "kind": "法律", "effective": "2013-07-01", "superseded": False,
         "superseded_by": None, "partly_changed": None, "articles": 98},
        {"law": "旧法", "aliases": [], "kind": "法律", "effective": None, "superseded": True,
         "superseded_by": "新法", "partly_changed": None, "articles": 3},
        {"law": "将来法", "aliases": [], "kind": "法律", "effective": "2027-01-01", "superseded": False,
         "superseded_by": None, "partly_changed": None, "articles": 3},
    ]  # fmt: skip
    texts = [
        {"law": LAW, "article": 39, "sub": None, "text": "有下列情形：\n（一）甲；\n（二）乙。\n另款。"},
        {"law": "旧法", "article": 1, "sub": None, "text": "旧。"},
        {"law": "将来法", "article": 1, "sub": None, "text": "新。"},
    ]
    (tmp_path / "laws.json").write_text(json.dumps(laws, ensure_ascii=False), "utf-8")
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in texts)
    (tmp_path / "articles.jsonl").write_text(lines, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("cited", "fault"),
    [
        (Cited(LAW, 39), None),
        (Cited(LAW, 39, paragraph=1, item=2), None),
        (Cited(LAW, 39, paragraph=3), "只有2款"),
        (Cited(LAW, 39, paragraph=2, item=1), "只有0项"),
        (Cited(LAW, 200), "共98条"),
        (Cited(LAW, 40), "还没有人核对"),
        (Cited("劳动合同法", 39), "不在法规库"),
        (Cited("旧法", 1), "已失效"),
        (Cited("将来法", 1), "自2027-01-01起才施行"),
        (Cited(LAW, 39, unverified=True, check="x"), "不能标为"),
        (Cited("某通知", 1, unverified=True), "写明要核对什么"),
        (Cited("某通知", 1, unverified=True, check="到网站核对"), None),
    ],
)
def test_the_register_finds_what_is_wrong(statutes: Path, cited: Cited, fault: str | None) -> None:
    texts = read_statutes(statutes)
    known = [Cited(LAW, 39), Cited("旧法", 1), Cited("将来法", 1)]
    write_register(pin(texts, known), statutes / "register.json")

    faults = read_register(statutes / "register.json").faults(cited, TODAY)

    assert bool(faults) == (fault is not None), faults
    assert fault is None or fault in faults[0]


def test_the_register_survives_writing(statutes: Path) -> None:
    register: Register = pin(read_statutes(statutes), [Cited(LAW, 39)])
    write_register(register, statutes / "r.json")

    assert read_register(statutes / "r.json") == register


def test_versions_of_one_statute_end_where_the_next_begins(statutes: Path) -> None:
    laws = json.loads((statutes / "laws.json").read_text("utf-8"))
    laws.append({**laws[0], "law": f"{LAW}（2027年修订）", "effective": "2027-07-01"})
    (statutes / "laws.json").write_text(json.dumps(laws, ensure_ascii=False), "utf-8")
    register = pin(read_statutes(statutes), [Cited(LAW, 39), Cited("将来法", 1)])
    write_register(register, statutes / "r.json")

    again = read_register(statutes / "r.json")

    assert again.statutes[LAW].until == date(2027, 6, 30)
    assert again.statutes["将来法"].until is None
    assert again.lapsed_on(Cited(LAW, 39), date(2027, 6, 30)) is None
    assert again.lapsed_on(Cited(LAW, 39), date(2027, 7, 1)) == date(2027, 6, 30)
    assert "后失效" in again.faults(Cited(LAW, 39), date(2027, 7, 1))[0]


def test_a_folder_that_holds_no_statutes_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"laws\.json"):
        read_statutes(tmp_path)
