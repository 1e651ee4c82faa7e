"""Statute files as official sites publish them: what is read from them, and what is refused with its place."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import ContentError
from knowledge.statutes.citation import arabic_number, chinese_number
from knowledge.statutes.documents import Given, day_of, read_document, read_statute_texts
from knowledge.statutes.texts import StatuteText

LINES = [
    "中华人民共和国某某法",
    "（2020年1月1日第一次会议通过　2026年5月1日修订）",
    "目　　录",
    "第一章　总　　则",
    "第二章　罚　　则",
    "第一章　总　　则",
    "第一条　为了试验，制定本法。",
    "本法适用于试验。",
    "第三条规定的情形除外。",
    "第二条　有下列情形之一的：",
    "（一）甲；",
    "（二）乙。",
    "第二条之一　插入的一条。",
    "第二条之二　又一条。",
    "第二章　罚　　则",
    "第三条　罚款。",
    "附　　则",
    "第四条　本法自2020年3月1日起施行。",
    "附件：表格",
    "一、不属于正文。",
]
KNOWN = Given(effective=date(2027, 1, 1))


def docx(lines: list[str]) -> bytes:
    document = Document()
    for line in lines:
        document.add_paragraph(line)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def markdown(lines: list[str]) -> bytes:
    return "\n\n".join(lines).encode()


def numbered(text: StatuteText) -> list[tuple[int, int | None]]:
    return [(one.article, one.sub) for one in text.articles]


@pytest.mark.parametrize(("name", "write"), [("法.md", markdown), ("法.docx", docx), ("法.txt", markdown)])
def test_a_statute_is_read_from_each_form(name: str, write: Callable[[list[str]], bytes]) -> None:
    text = read_document(name, write(LINES), KNOWN)

    assert text.facts.title == "中华人民共和国某某法"
    assert text.facts.aliases == ("某某法",)
    assert (text.facts.kind, text.facts.articles, text.facts.effective) == ("法律", 4, date(2027, 1, 1))
    assert text.note == "2020年1月1日第一次会议通过　2026年5月1日修订"
    assert numbered(text) == [(1, None), (2, None), (2, 1), (2, 2), (3, None), (4, None)]
    assert text.articles[0].text == "为了试验，制定本法。\n本法适用于试验。\n第三条规定的情形除外。"
    assert text.articles[1].text == "有下列情形之一的：\n（一）甲；\n（二）乙。"
    assert [one.chapter for one in text.articles] == [*["第一章 总则"] * 4, "第二章 罚则", "附则"]
    assert text.articles[-1].text == "本法自2020年3月1日起施行。"


def test_markdown_marks_fall_away_and_front_matter_tells_the_facts() -> None:
    front = (
        "---\n标题: 某某办法\n施行日期: 2027年1月1日\n公布日期: 2026-12-01\n简称: 办法、新办法\n类别: 部门规章\n---\n"
    )
    text = read_document("a.md", (front + "## 第一编 总\n### 第一章 甲\n**第一条**　正文。\n\n- （一）项。\n").encode())

    assert text.facts.title == "某某办法"
    assert text.facts.aliases == ("办法", "新办法")
    assert (text.facts.effective, text.promulgated) == (date(2027, 1, 1), date(2026, 12, 1))
    assert text.articles[0].chapter == "第一编 总 / 第一章 甲"
    assert text.articles[0].text == "正文。\n（一）项。"


def test_articles_without_a_space_after_the_number_are_read_where_none_has_one() -> None:
    text = read_document("a.txt", "某法\n第一条甲。\n第二条乙。".encode(), KNOWN)

    assert [one.text for one in text.articles] == ["甲。", "乙。"]


def test_a_line_break_inside_a_paragraph_begins_a_paragraph_of_the_article() -> None:
    text = read_document("a.docx", docx(["某法", "第一条　甲。\n乙。"]), KNOWN)

    assert text.articles[0].text == "甲。\n乙。"


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (["某法", "第二条　甲。"], "第2行：应从第一条开始"),
        (["某法", "第一条　甲。", "第三条　乙。"], "第3行：第1条之后是第三条"),
        (["某法", "第一条　甲。", "第一条　乙。"], "第3行：第一条重复"),
        (["某法", "第一条　甲。", "第二条之一　乙。"], "第3行：第1条之后是第二条之一"),
        (["某法", "第一条　甲。", "第二章　罚则", "迷路的一段。"], "第4行：“迷路的一段。”"),
        (["某法", "第一条　", "第二条　乙。"], "第1条没有内容"),
        (["某法", "没有条文"], "没有找到“第一条”"),
        (["第一条　甲。"], "没有标题"),
        (["某法", "施行日期：明年", "第一条　甲。"], "第2行：“明年”不是日期"),
    ],
)
def test_a_fault_is_named_with_its_line(lines: list[str], part: str) -> None:
    with pytest.raises(ContentError) as raised:
        read_document("坏.md", "\n".join(lines).encode(), KNOWN)
    assert f"坏.md：{part}" in str(raised.value)


def test_every_fault_is_told_at_once_and_docx_counts_paragraphs() -> None:
    with pytest.raises(ContentError) as raised:
        read_document("坏.docx", docx(["某法", "第一条　甲。", "第三条　乙。", "第五条　丙。"]), KNOWN)
    assert "第3段" in str(raised.value)
    assert "第4段" in str(raised.value)


def test_a_missing_day_says_how_to_give_it_and_what_the_text_hints_at() -> None:
    with pytest.raises(ContentError, match=r"导入时给出施行日期（文末写着“自2008年1月1日起施行”"):
        read_document("a.md", "某法\n第一条　本法自2008年1月1日起施行。".encode())


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.docx", b"no zip", "不是 DOCX"),
        ("a.md", "某法".encode("gbk"), "UTF-8"),
        ("a.md", b"---\ntitle: x\n", "没有结束"),
        ("a.md", b"---\nfoo: x\n---\n", "不认识的名称 foo"),
        ("a.md", b"---\n- x\n---\n", "各一行"),
        ("a.md", b"x" * 20_000_001, "超过20MB"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_words(name: str, content: bytes, part: str) -> None:
    with pytest.raises(ContentError, match=part):
        read_document(name, content, KNOWN)


def test_a_folder_is_read_whole_and_its_faults_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("乙法\n施行日期：2020-01-01\n第一条　乙。", "utf-8")
    (tmp_path / "a.docx").write_bytes(docx(["甲法", "施行日期：2021-01-01", "第一条　甲。"]))

    assert [text.title for text in read_statute_texts(tmp_path)] == ["乙法", "甲法"]
    (tmp_path / "c.txt").write_text("丙法", "utf-8")
    (tmp_path / "d.txt").write_text("丁法", "utf-8")
    with pytest.raises(ContentError, match=r"(?s)c\.txt.*d\.txt"):
        read_statute_texts(tmp_path)
    with pytest.raises(ContentError, match="只用于单个文件"):
        read_statute_texts(tmp_path, KNOWN)
    with pytest.raises(ContentError, match="只能导入"):
        read_statute_texts(Path(__file__))


def test_the_two_file_form_names_line_and_fault(tmp_path: Path) -> None:
    (tmp_path / "laws.json").write_text('[{"law": "某法"}, 7]', "utf-8")
    (tmp_path / "articles.jsonl").write_text(
        '{"law": "某法"}\nnot json\n{"law":"无","article":1,"sub":null,"text":""}', "utf-8"
    )

    with pytest.raises(ContentError) as raised:
        read_statute_texts(tmp_path)
    for part in ("第1个对象：缺少字段 'aliases'", "第2个对象", "第1行：缺少字段", "第2行", "第3行：《无》不在"):
        assert part in str(raised.value)


@settings(deadline=None)
@given(st.integers(1, 9999))
def test_chinese_numbers_are_read_as_they_are_written(number: int) -> None:
    assert arabic_number(chinese_number(number)) == number


def test_numbers_and_days_written_otherwise() -> None:
    assert [arabic_number(text) for text in ("一百二十三", "两百", "12", "一百〇五", "零", "甲")] == [
        123, 200, 12, 105, None, None,
    ]  # fmt: skip
    assert day_of("2027年1月1日") == day_of(" 2027/1/1 ") == day_of("2027-01-01") == date(2027, 1, 1)
    with pytest.raises(ValueError, match="不是日期"):
        day_of("2027年13月1日")
