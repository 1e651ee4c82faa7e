"""Statutes as official sites publish them: Markdown, plain text or DOCX with one 第…条 per paragraph.

What the file cannot say about itself (title, days, kind) stands in YAML front matter, in lines such as
施行日期：2027-01-01 before the first article, or is given with the import.
"""

import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path

import yaml
from docx import Document
from docx.opc.exceptions import PackageNotFoundError

from knowledge.errors import ContentError
from knowledge.statutes.citation import arabic_number
from knowledge.statutes.texts import ArticleText, StatuteFacts, StatuteText, read_two_files, shown_faults

SUFFIXES = (".md", ".markdown", ".txt", ".docx")
LARGEST_BYTES = 20_000_000  # of a file; the longest code in force is some 400 KB
_LARGEST_UNPACKED = 200_000_000

_NUMERAL = "[〇零一二三四五六七八九十百千两0-9]+"
_ARTICLE = re.compile(rf"^第({_NUMERAL})条(?:之({_NUMERAL}))?(?=[\s　]|$)[\s　]*(.*)$", re.DOTALL)
_ARTICLE_CLOSE = re.compile(rf"^第({_NUMERAL})条(?:之({_NUMERAL}))?[\s　]*(.*)$", re.DOTALL)
_CHAPTER = re.compile(rf"^第{_NUMERAL}(编|分编|章|节)(?:[\s　]+|(?=[^，。；：规定的]{{1,20}}$))\S.*$|^附[\s　]*则$")
_ANNEX = re.compile(r"^附(?:件|表|录|：|:)")
_LEVELS = {"编": 0, "分编": 1, "章": 2, "节": 3}
_FACT = re.compile(r"^(标题|简称|类别|发布机关|公布日期|施行日期|版本说明|来源)[：:]\s*(.+)$")
_NAMES = {
    "标题": "title",
    "简称": "aliases",
    "类别": "kind",
    "发布机关": "issuer",
    "公布日期": "promulgated",
    "施行日期": "effective",
    "版本说明": "note",
    "来源": "source",
}
_DAY = re.compile(r"^(\d{4})\s*[-年./]\s*(\d{1,2})\s*[-月./]\s*(\d{1,2})\s*日?$")
_MARKUP = re.compile(r"^\s{0,3}(?:#{1,6}\s+|[-*+]\s+(?=[（(第])|>\s?)|\*\*|__|\\(?=[^\w\s])")


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of a statute beside its text; None or empty: let the file say it."""

    title: str | None = None
    aliases: tuple[str, ...] = ()
    kind: str | None = None
    issuer: str | None = None
    promulgated: date | None = None
    effective: date | None = None
    note: str | None = None
    source: str | None = None


def read_statute_texts(path: Path, given: Given | None = None) -> list[StatuteText]:
    """Every statute of a file, of a folder in the two-file form, or of a folder of documents; oldest first.

    Raises ContentError naming file, line or paragraph and what to do, every fault at once.
    """
    given = given or Given()
    if not path.exists():
        raise ContentError(f"{path} 不存在")
    if path.is_dir():
        if (path / "laws.json").exists() or (path / "articles.jsonl").exists():
            return read_two_files(path)
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        if not files:
            raise ContentError(f"{path} 中既没有 laws.json 和 articles.jsonl，也没有 {'、'.join(SUFFIXES)} 文件")
        if given != Given():
            raise ContentError("标题、日期等选项只用于单个文件；文件夹中的每个文件请在文首写明")
    elif path.suffix.lower() in SUFFIXES:
        files = [path]
    elif path.name in {"laws.json", "articles.jsonl"}:
        return read_two_files(path.parent)
    else:
        raise ContentError(
            f"{path.name}：只能导入 {'、'.join(SUFFIXES)} 文件，或含 laws.json 和 articles.jsonl 的文件夹"
        )
    texts: list[StatuteText] = []
    faults: list[str] = []
    for file in files:
        try:
            texts.append(read_document(file.name, file.read_bytes(), given))
        except ContentError as error:
            faults += str(error).split("\n")
    if faults:
        raise ContentError(shown_faults(faults))
    return sorted(texts, key=lambda text: text.facts.effective or date.min)


def read_document(name: str, content: bytes, given: Given | None = None) -> StatuteText:
    """One statute from a file's name and bytes (so that an uploaded file will do).

    `given` goes before what the file says. Raises ContentError listing the faults, each with its line (第3行)
    or, in DOCX, its paragraph (第3段).
    """
    if len(content) > LARGEST_BYTES:
        raise ContentError(f"{name}：文件超过{LARGEST_BYTES // 1_000_000}MB")
    if name.lower().endswith(".docx"):
        lines, said, unit = _docx_lines(name, content), Given(), "段"
    else:
        lines, said, unit = *_text_lines(name, content), "行"
    parsed = _parse(lines, unit)
    merged = _merge(given or Given(), said, parsed.said)
    faults = [*parsed.faults, *_lacking(merged, parsed)]
    if faults:
        raise ContentError(shown_faults([f"{name}：{fault}" for fault in faults]))
    assert merged.title is not None
    facts = StatuteFacts(
        title=merged.title,
        aliases=merged.aliases or _short_names(merged.title),
        kind=merged.kind or _kind(merged.title),
        effective=merged.effective,
        superseded=False,
        superseded_by=None,
        partly_changed=None,
        articles=max(one.article for one in parsed.articles),
    )
    return StatuteText(
        facts, tuple(parsed.articles), merged.issuer, merged.promulgated, merged.note, merged.source or name
    )


def day_of(text: str) -> date:
    """A day as people write it: 2027-01-01, 2027年1月1日, 2027/1/1. Raises ValueError for anything else."""
    found = _DAY.match(text.strip())
    if not found:
        raise ValueError(f"“{text}”不是日期，请写成 2027-01-01 或 2027年1月1日")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise ValueError(f"“{text}”不是日期：{error}") from error


@dataclass(slots=True)
class _Parsed:
    articles: list[ArticleText] = field(default_factory=list)
    said: Given = field(default_factory=Given)
    faults: list[str] = field(default_factory=list)


def _parse(lines: Iterable[tuple[int, str]], unit: str) -> _Parsed:
    """Walk through the lines once: head, headings, articles with their paragraphs, until the annexes."""
    known = [(number, text) for number, text in lines if text]
    # Where 第一条 is set off by a space, as official texts do it, a paragraph that merely begins by naming
    # another article (第五条规定的…) is none; only texts that never set one off are read without it.
    pattern = _ARTICLE if any(_ARTICLE.match(text) for _, text in known) else _ARTICLE_CLOSE
    parsed = _Parsed()
    chapters: list[str | None] = [None] * 4
    body: list[str] = []
    for number, text in known:
        heading = _CHAPTER.match(text)
        article = pattern.match(text)
        if article:
            parsed.faults += _number_faults(parsed.articles, article, f"第{number}{unit}")
            main, sub = arabic_number(article[1]), arabic_number(article[2]) if article[2] else None
            _finish(parsed, body)
            body = [article[3].strip()] if article[3].strip() else []
            chapter = " / ".join(one for one in chapters if one) or None
            parsed.articles.append(ArticleText(main or 0, sub, "", chapter))
        elif heading:
            _finish(parsed, body)
            body = []
            level = _LEVELS.get(heading[1] or "", 2)
            chapters[level:] = [_heading(text), *[None] * (3 - level)]
        elif not parsed.articles:
            _read_head(parsed, text, f"第{number}{unit}")
        elif _ANNEX.match(text):
            break
        elif body or not parsed.articles[-1].text:
            body.append(text)
        else:
            parsed.faults.append(f"第{number}{unit}：“{text[:20]}”在章节标题之后、下一条之前，不属于任何一条")
    _finish(parsed, body)
    if not parsed.articles:
        parsed.faults.append("没有找到“第一条”：每一条须另起一段，以“第…条”和空格开头")
    return parsed


def _heading(text: str) -> str:
    """第一章　总　则 → 第一章 总则."""
    number, _, name = re.sub(r"[\s　]+", " ", text).partition(" ")
    return f"{number} {name.replace(' ', '')}".strip() if number.startswith("第") else number + name


def _finish(parsed: _Parsed, body: list[str]) -> None:
    """Give the article begun last its paragraphs."""
    if parsed.articles and not parsed.articles[-1].text:
        if not body:
            last = parsed.articles[-1]
            parsed.faults.append(f"第{last.article}条没有内容")
        parsed.articles[-1] = replace(parsed.articles[-1], text="\n".join(body) or "（无内容）")


def _number_faults(articles: list[ArticleText], found: re.Match[str], where: str) -> list[str]:
    main, sub = arabic_number(found[1]), arabic_number(found[2]) if found[2] else None
    written = f"第{found[1]}条" + (f"之{found[2]}" if found[2] else "")
    if main is None or (found[2] and sub is None):
        return [f"{where}：{written}的数字读不懂"]
    if not articles:
        return [] if (main, sub) == (1, None) else [f"{where}：应从第一条开始，而不是{written}"]
    last = articles[-1]
    if (main, sub) in {(last.article + 1, None), (last.article, (last.sub or 0) + 1)}:
        return []
    if any((one.article, one.sub) == (main, sub) for one in articles):
        return [f"{where}：{written}重复"]
    before = f"第{last.article}条" + (f"之{last.sub}" if last.sub else "")
    return [f"{where}：{before}之后是{written}，中间有缺漏或次序不对"]


def _read_head(parsed: _Parsed, text: str, where: str) -> None:
    """What stands before the first article: the title, facts, a note on how the text came about."""
    fact = _FACT.match(text)
    if fact:
        try:
            parsed.said = _merge(parsed.said, _said({_NAMES[fact[1]]: fact[2].strip()}))
        except ValueError as error:
            parsed.faults.append(f"{where}：{error}")
    elif parsed.said.title is None and not text.startswith(("（", "(", "目录", "目　录", "目 录")):
        parsed.said = replace(parsed.said, title=re.sub(r"\s", "", text))
    elif text.startswith(("（", "(")) and parsed.said.note is None:
        parsed.said = replace(parsed.said, note=text.strip("（）()"))


def _lacking(given: Given, parsed: _Parsed) -> list[str]:
    faults = []
    if not given.title:
        faults.append("没有标题：请在文首写上法规全称，或在导入时给出标题")
    elif len(given.title) > 200:
        faults.append(f"标题有{len(given.title)}字，最多200字：“{given.title[:20]}……”")
    if given.effective is None:
        hint = next(
            (found[0] for one in parsed.articles[-1:] if (found := re.search(r"自.{6,20}起施行", one.text))), ""
        )
        seen = f"（文末写着“{hint}”，修正后的版本日期可能不同）" if hint else ""
        faults.append(f"没有施行日期：请在文首写一行“施行日期：2027-01-01”，或在导入时给出施行日期{seen}")
    if given.promulgated and given.effective and given.promulgated > given.effective:
        faults.append(f"公布日期{given.promulgated}晚于施行日期{given.effective}")
    return faults


def _merge(*sources: Given) -> Given:
    """The first source that knows a fact tells it."""
    merged = sources[0]
    for other in sources[1:]:
        merged = Given(
            title=merged.title or other.title,
            aliases=merged.aliases or other.aliases,
            kind=merged.kind or other.kind,
            issuer=merged.issuer or other.issuer,
            promulgated=merged.promulgated or other.promulgated,
            effective=merged.effective or other.effective,
            note=merged.note or other.note,
            source=merged.source or other.source,
        )
    return merged


def _said(values: dict[str, object]) -> Given:
    """Front matter or head lines as facts; raises ValueError for a day that is none."""
    known: dict[str, object] = {}
    for name, value in values.items():
        if value is None or value == "":
            continue
        if name in {"promulgated", "effective"}:
            known[name] = value if isinstance(value, date) else day_of(str(value))
        elif name == "aliases":
            listed = value if isinstance(value, list) else re.split(r"[、，,；;]", str(value))
            known[name] = tuple(str(one).strip() for one in listed if str(one).strip())
        else:
            known[name] = str(value).strip()
    return Given(**known)  # type: ignore[arg-type] # names and kinds as sorted out above


def _text_lines(name: str, content: bytes) -> tuple[list[tuple[int, str]], Given]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError(f"{name}：不是 UTF-8 文本（第{error.start + 1}个字节），请另存为 UTF-8 后再导入") from error
    lines = text.splitlines()
    said, begin = Given(), 0
    if lines and lines[0].strip() == "---":
        end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
        if end is None:
            raise ContentError(f"{name}：第1行：文首的 --- 没有结束的 ---")
        said, begin = _front_matter(name, "\n".join(lines[1:end])), end + 1
    return [(number, _clean(line)) for number, line in enumerate(lines[begin:], begin + 1)], said


def _front_matter(name: str, text: str) -> Given:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ContentError(f"{name}：文首的说明不是 YAML：{error}") from error
    if not isinstance(values, dict):
        raise ContentError(f"{name}：文首的说明应为“名称: 内容”各一行")
    named = {_NAMES.get(str(key), str(key)): value for key, value in values.items()}
    unknown = [key for key in named if key not in {item.name for item in fields(Given)}]
    if unknown:
        raise ContentError(f"{name}：文首有不认识的名称 {'、'.join(unknown)}；可用 {'、'.join(_NAMES)}")
    try:
        return _said(named)
    except ValueError as error:
        raise ContentError(f"{name}：文首：{error}") from error


def _docx_lines(name: str, content: bytes) -> list[tuple[int, str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > _LARGEST_UNPACKED:
                raise ContentError(f"{name}：解开后过大，不是法规文本")
        document = Document(io.BytesIO(content))
    except (zipfile.BadZipFile, PackageNotFoundError, KeyError, ValueError) as error:
        raise ContentError(f"{name}：不是 DOCX 文件（旧的 .doc 请先在 Word 或 WPS 里另存为 .docx）：{error}") from error
    return [
        (number, _clean(line))
        for number, paragraph in enumerate(document.paragraphs, 1)
        for line in paragraph.text.split("\n")  # a line break inside a paragraph
    ]


def _clean(line: str) -> str:
    """A line without Markdown's marks and without space around it."""
    return _MARKUP.sub("", line.replace("\u00a0", " ")).strip().strip("　").strip()


def _short_names(title: str) -> tuple[str, ...]:
    short = title.removeprefix("中华人民共和国")
    return (short,) if short != title else ()


def _kind(title: str) -> str:
    if title.startswith(("最高人民法院", "最高人民检察院")):
        return "司法解释"
    if title.endswith(("法", "法典")):
        return "法律"
    return "行政法规" if title.endswith("条例") else "规范性文件"
