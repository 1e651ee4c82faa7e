"""Statute texts: their shape, and reading them in the two-file form (`laws.json`, `articles.jsonl`)."""

import hashlib
import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from knowledge.errors import ContentError

_ITEM = re.compile(r"^[（(][一二三四五六七八九十百]+[）)]")
_VERSION = re.compile(r"（\d{4}年(?:修订|修正)）$")
_MOST_FAULTS = 20
ArticleKey: TypeAlias = tuple[str, int, int | None]


@dataclass(frozen=True, slots=True)
class StatuteFacts:
    """What the register knows of a statute's version, without its text.

    `until` is the last day in force where a newer version's day is known; `superseded` says that it is out of
    force on a day nobody recorded.
    """

    title: str
    aliases: tuple[str, ...]
    kind: str
    effective: date | None
    superseded: bool
    superseded_by: str | None
    partly_changed: str | None
    articles: int
    until: date | None = None


@dataclass(frozen=True, slots=True)
class ArticleText:
    """One article: number, number after 之 (None: without), its text, and the 编/章/节 it stands in."""

    article: int
    sub: int | None
    text: str
    chapter: str | None = None


@dataclass(frozen=True, slots=True)
class StatuteText:
    """One version of a statute with its articles in order."""

    facts: StatuteFacts
    articles: tuple[ArticleText, ...]
    issuer: str | None = None
    promulgated: date | None = None
    note: str | None = None
    source: str | None = None

    @property
    def title(self) -> str:
        """The statute's title without a version behind it."""
        return plain_title(self.facts.title)

    def digest(self) -> str:
        """Changes when anything of the version does."""
        content = [
            [self.facts.title, self.facts.superseded, self.facts.superseded_by, self.facts.partly_changed],
            [[one.article, one.sub, one.chapter, one.text] for one in self.articles],
        ]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StatuteTexts:
    """Statutes by title, and article texts by (title, article, sub)."""

    statutes: dict[str, StatuteFacts]
    articles: dict[ArticleKey, str]


def read_statutes(folder: Path) -> StatuteTexts:
    """The two-file form for checking citations; raises ContentError as `read_two_files` does."""
    texts = read_two_files(folder)
    statutes = {text.facts.title: text.facts for text in texts}
    articles = {(text.facts.title, one.article, one.sub): one.text for text in texts for one in text.articles}
    return StatuteTexts(with_ends(statutes), articles)


def read_two_files(folder: Path) -> list[StatuteText]:
    """Read `laws.json` and `articles.jsonl` of `folder`, oldest version first.

    Raises ContentError naming file, line and fault where they are not such files.
    """
    try:
        laws = json.loads((folder / "laws.json").read_text("utf-8"))
        lines = (folder / "articles.jsonl").read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise ContentError(f"缺少 {error.filename}：请给出含 laws.json 和 articles.jsonl 的文件夹") from error
    except ValueError as error:
        raise ContentError(f"{folder / 'laws.json'} 不是 JSON 文件：{error}") from error
    faults: list[str] = []
    texts = _read_laws(laws, faults)
    articles = _read_articles(lines, texts, faults)
    if faults:
        raise ContentError(shown_faults(faults))
    found = [replace(text, articles=tuple(articles.get(title, ()))) for title, text in texts.items()]
    return sorted(found, key=lambda text: text.facts.effective or date.min)


def shown_faults(faults: list[str]) -> str:
    """The faults, one a line; of very many the first and how many more there are."""
    rest = [f"……另有{len(faults) - _MOST_FAULTS}处"] if len(faults) > _MOST_FAULTS else []
    return "\n".join([*faults[:_MOST_FAULTS], *rest])


def _read_laws(laws: Any, faults: list[str]) -> dict[str, StatuteText]:
    # Any: what a JSON file holds is known only after looking.
    texts: dict[str, StatuteText] = {}
    if not isinstance(laws, list):
        faults.append("laws.json 应是一个列表，每部法规一个对象")
        return texts
    for number, law in enumerate(laws, 1):
        try:
            facts = StatuteFacts(
                title=str(law["law"]),
                aliases=tuple(law["aliases"] or ()),
                kind=law["kind"],
                effective=_day(law["effective"]),
                superseded=bool(law["superseded"]),
                superseded_by=law["superseded_by"],
                partly_changed=law.get("partly_changed"),
                articles=int(law["articles"]),
            )
            text = StatuteText(
                facts,
                (),
                issuer=law.get("issuer"),
                promulgated=_day(law.get("promulgated")),
                note=law.get("version_note"),
                source=law.get("source"),
            )
        except KeyError as error:
            faults.append(f"laws.json 第{number}个对象：缺少字段 {error}")
        except (TypeError, ValueError, AttributeError) as error:
            faults.append(f"laws.json 第{number}个对象：{error}")
        else:
            if facts.title in texts:
                faults.append(f"laws.json 第{number}个对象：《{facts.title}》重复")
            texts[facts.title] = text
    return texts


def _read_articles(lines: list[str], texts: dict[str, StatuteText], faults: list[str]) -> dict[str, list[ArticleText]]:
    articles: dict[str, list[ArticleText]] = defaultdict(list)
    seen: set[ArticleKey] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            title, article, sub, text = row["law"], int(row["article"]), row["sub"], str(row["text"])
        except KeyError as error:
            faults.append(f"articles.jsonl 第{number}行：缺少字段 {error}")
            continue
        except (TypeError, ValueError) as error:
            faults.append(f"articles.jsonl 第{number}行：{error}")
            continue
        if title not in texts:
            faults.append(f"articles.jsonl 第{number}行：《{title}》不在 laws.json 中")
        elif (title, article, sub) in seen:
            faults.append(f"articles.jsonl 第{number}行：《{title}》第{article}条重复")
        else:
            seen.add((title, article, sub))
            articles[title].append(ArticleText(article, sub, text, row.get("chapter")))
    return articles


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def plain_title(title: str) -> str:
    """A statute's title without the version some texts carry behind it: 商标法（2026年修订） → 商标法."""
    return _VERSION.sub("", title)


def with_ends(statutes: dict[str, StatuteFacts]) -> dict[str, StatuteFacts]:
    """The same, each version with its last day where the next one's first is known."""
    versions: dict[str, list[StatuteFacts]] = defaultdict(list)
    for statute in statutes.values():
        if statute.effective:
            versions[plain_title(statute.title)].append(statute)
    ends: dict[str, date] = {}
    for family in versions.values():
        ordered = sorted(family, key=lambda one: one.effective or date.min)
        for earlier, next_one in pairwise(ordered):
            assert next_one.effective is not None
            ends[earlier.title] = next_one.effective - timedelta(days=1)
    return {title: replace(statute, until=ends.get(title)) for title, statute in statutes.items()}


def paragraphs(text: str) -> list[tuple[str, list[str]]]:
    """An article's paragraphs (款), each with its items (项): a line beginning with （一） is an item."""
    result: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if _ITEM.match(line) and result:
            result[-1][1].append(line)
        else:
            result.append((line, []))
    return result


def text_hash(text: str) -> str:
    """Sixteen hex digits that change when the text does; spaces do not count."""
    return hashlib.sha256(re.sub(r"\s", "", text).encode()).hexdigest()[:16]
