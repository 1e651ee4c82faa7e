"""The statute register (法规库) as shipped: facts about what the FAQ cites, without the texts."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from knowledge.errors import ContentError
from knowledge.statutes.citation import Cited
from knowledge.statutes.texts import StatuteFacts, StatuteTexts, paragraphs, text_hash


@dataclass(frozen=True, slots=True)
class ArticleFacts:
    """Of one cited article: a hash of the text it was checked against, and items per paragraph."""

    hash: str
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """Statutes by title, and the facts of cited articles by (title, "276-1")."""

    statutes: dict[str, StatuteFacts]
    articles: dict[tuple[str, str], ArticleFacts]

    def lapsed_on(self, citation: Cited, on: date) -> date | None:
        """The last day the cited version was in force, where that day is over on `on`."""
        statute = self.statutes.get(citation.statute)
        return statute.until if statute and statute.until and statute.until < on else None

    def faults(self, citation: Cited, on: date) -> list[str]:
        """What is wrong with a citation on a day, in words for curators; empty when nothing is."""
        statute = self.statutes.get(citation.statute)
        if citation.unverified:
            if statute:
                return [f"《{citation.statute}》在法规库中，不能标为“未核对”（unverified）"]
            return [] if citation.check else [f"《{citation.statute}》未核对：请写明要核对什么（check）"]
        if statute is None:
            return [f"《{citation.statute}》不在法规库中：请用正式全称"]
        faults = []
        if statute.until and statute.until < on:
            faults.append(f"《{statute.title}》自{statute.until}后失效")
        elif statute.superseded and not statute.until:
            faults.append(f"《{statute.title}》已失效，见{statute.superseded_by}")
        if statute.effective and statute.effective > on:
            faults.append(f"《{statute.title}》自{statute.effective}起才施行")
        if citation.article is None:
            return [*faults, f"《{statute.title}》：没有写第几条"]
        if not 0 < citation.article <= statute.articles:
            return [*faults, f"《{statute.title}》共{statute.articles}条，没有第{citation.article}条"]
        facts = self.articles.get((statute.title, place_of(citation)))
        if facts is None:
            return [*faults, f"《{statute.title}》{citation.place}：还没有人核对过这一条（fawen kb pin）"]
        return faults + place_faults(citation, facts.items)


def place_faults(citation: Cited, items: tuple[int, ...]) -> list[str]:
    """What is wrong with paragraph and item, given the number of items of each paragraph of the article."""
    if citation.paragraph and not 0 < citation.paragraph <= len(items):
        return [f"{citation}：这一条只有{len(items)}款"]
    if citation.item:
        listed = items[citation.paragraph - 1] if citation.paragraph else sum(items)
        if not 0 < citation.item <= listed:
            return [f"{citation}：这里只有{listed}项"]
    return []


def pin(texts: StatuteTexts, citations: Iterable[Cited]) -> Register:
    """The register of just what `citations` need, from texts at hand; what the texts lack is left out."""
    statutes: dict[str, StatuteFacts] = {}
    articles: dict[tuple[str, str], ArticleFacts] = {}
    for citation in citations:
        statute = texts.statutes.get(citation.statute)
        if citation.unverified or statute is None:
            continue
        statutes[statute.title] = statute
        if citation.article is None:
            continue
        text = texts.articles.get((statute.title, citation.article, citation.sub))
        if text is not None:
            items = tuple(len(listed) for _, listed in paragraphs(text))
            articles[statute.title, place_of(citation)] = ArticleFacts(text_hash(text), items)
    return Register(statutes, articles)


def read_register(path: Path) -> Register:
    """Read the register file; raises ContentError where it is not one."""
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
        statutes = {}
        articles = {}
        for row in rows:
            statutes[row["title"]] = StatuteFacts(
                title=row["title"],
                aliases=tuple(row["aliases"]),
                kind=row["kind"],
                effective=date.fromisoformat(row["effective"]) if row["effective"] else None,
                superseded=row["superseded"],
                superseded_by=row["superseded_by"],
                partly_changed=row["partly_changed"],
                articles=row["articles"],
                until=date.fromisoformat(row["until"]) if row.get("until") else None,
            )
            for place, (digest, items) in row["cited"].items():
                articles[row["title"], place] = ArticleFacts(digest, tuple(items))
    except (KeyError, TypeError, ValueError) as error:
        raise ContentError(f"{path} is not a register file: {error!r}") from error
    return Register(statutes, articles)


def write_register(register: Register, path: Path) -> None:
    """Write the register file, one statute a row, so that a change reads well in a diff."""
    rows = []
    for title in sorted(register.statutes):
        statute = register.statutes[title]
        cited = {
            place: [facts.hash, list(facts.items)]
            for (owner, place), facts in register.articles.items()
            if owner == title
        }
        rows.append(
            {
                "title": title,
                "aliases": list(statute.aliases),
                "kind": statute.kind,
                "effective": statute.effective.isoformat() if statute.effective else None,
                **({"until": statute.until.isoformat()} if statute.until else {}),
                "superseded": statute.superseded,
                "superseded_by": statute.superseded_by,
                "partly_changed": statute.partly_changed,
                "articles": statute.articles,
                "cited": dict(sorted(cited.items(), key=lambda pair: [int(n) for n in pair[0].split("-")])),
            }
        )
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", "utf-8")


def place_of(citation: Cited) -> str:
    """A cited article as the register's key has it: 276-1 for 第二百七十六条之一."""
    return f"{citation.article}-{citation.sub}" if citation.sub else str(citation.article)
