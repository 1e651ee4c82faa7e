"""Statute texts in the two-file form (`laws.json`, `articles.jsonl`), for checking citations against them."""

import hashlib
import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from knowledge.errors import ContentError

_ITEM = re.compile(r"^[（(][一二三四五六七八九十百]+[）)]")
_VERSION = re.compile(r"（\d{4}年(?:修订|修正)）$")
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
class StatuteTexts:
    """Statutes by title, and article texts by (title, article, sub)."""

    statutes: dict[str, StatuteFacts]
    articles: dict[ArticleKey, str]


def read_statutes(folder: Path) -> StatuteTexts:
    """Read `laws.json` and `articles.jsonl` of `folder`; raises ContentError where they are not such files."""
    try:
        laws = json.loads((folder / "laws.json").read_text("utf-8"))
        lines = (folder / "articles.jsonl").read_text("utf-8").splitlines()
        statutes = {
            law["law"]: StatuteFacts(
                title=law["law"],
                aliases=tuple(law["aliases"] or ()),
                kind=law["kind"],
                effective=date.fromisoformat(law["effective"]) if law["effective"] else None,
                superseded=law["superseded"],
                superseded_by=law["superseded_by"],
                partly_changed=law.get("partly_changed"),
                articles=law["articles"],
            )
            for law in laws
        }
        articles: dict[ArticleKey, str] = {}
        for line in lines:
            row = json.loads(line)
            articles[row["law"], row["article"], row["sub"]] = row["text"]
    except FileNotFoundError as error:
        raise ContentError(f"{error.filename} is missing: give the folder with laws.json, articles.jsonl") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ContentError(f"{folder} does not hold statutes in the two-file form: {error!r}") from error
    return StatuteTexts(_with_ends(statutes), articles)


def plain_title(title: str) -> str:
    """A statute's title without the version some texts carry behind it: 商标法（2026年修订） → 商标法."""
    return _VERSION.sub("", title)


def _with_ends(statutes: dict[str, StatuteFacts]) -> dict[str, StatuteFacts]:
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
