"""The statute register in the database: importing versions, and what is in force on a day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from knowledge.errors import NotFound
from knowledge.models import Article, Statute, StatuteVersion
from knowledge.statutes.citation import Cited, chinese_number, short_title
from knowledge.statutes.texts import StatuteFacts, StatuteText, StatuteTexts, plain_title, text_hash


class Brought(StrEnum):
    """What importing a version brought."""

    NEW = "new"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Stored:
    """A version as it stands in the database now, and what the import changed of it.

    `replaced` holds, of a corrected version, each article's text before by (article, sub or 0).
    """

    statute: Statute
    version: StatuteVersion
    brought: Brought
    replaced: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Period:
    """A version and the days it is in force (None: open, or not established)."""

    version: StatuteVersion
    start: date | None
    end: date | None

    def includes(self, day: date) -> bool:
        """Whether the version is in force on the day, as far as is known."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


def store(session: Session, text: StatuteText, now: datetime) -> Stored:
    """Store one version; the same text again is a no-op, another text of the same day a correction.

    A version is known by its statute and the day it takes effect. Which entries a new text concerns is the
    matter of `rereview.import_versions`.
    """
    statute = session.exec(select(Statute).where(Statute.title == text.title)).one_or_none()
    if statute is None:
        statute = Statute(title=text.title, kind=text.facts.kind, issuer=text.issuer)
        session.add(statute)
        session.flush()
    assert statute.id is not None
    same_day = (
        col(StatuteVersion.effective).is_(None)
        if text.facts.effective is None
        else col(StatuteVersion.effective) == text.facts.effective
    )
    version = session.exec(select(StatuteVersion).where(StatuteVersion.statute_id == statute.id, same_day)).first()
    digest = text.digest()
    if version is not None and version.digest == digest:
        return Stored(statute, version, Brought.UNCHANGED)
    brought = Brought.NEW if version is None else Brought.CORRECTED
    statute.aliases = sorted({*statute.aliases, *text.facts.aliases})
    version = version or StatuteVersion(
        statute_id=statute.id, name="", effective=text.facts.effective, article_count=0, digest="", imported_at=now
    )
    version.name = text.facts.title
    version.promulgated = text.promulgated
    version.note = text.note
    version.superseded = text.facts.superseded
    version.superseded_by = text.facts.superseded_by
    version.partly_changed = text.facts.partly_changed
    version.source = text.source
    version.article_count = text.facts.articles
    version.digest = digest
    version.imported_at = now
    session.add_all([statute, version])
    session.flush()
    replaced = {(row.article, row.sub): row.text for row in articles_of(session, version)}
    session.execute(delete(Article).where(col(Article.statute_version_id) == version.id))
    rows = [
        {
            "statute_version_id": version.id,
            "article": one.article,
            "sub": one.sub or 0,
            "chapter": one.chapter,
            "text": one.text,
            "hash": text_hash(one.text),
        }
        for one in text.articles
    ]
    # In portions: PostgreSQL's statement limit is short, so that an asker never waits for long.
    for start in range(0, len(rows), 500):
        session.execute(insert(Article), rows[start : start + 500])
    return Stored(statute, version, brought, replaced)


def by_name(session: Session, name: str) -> Statute:
    """The statute of a title, everyday name or alias; NotFound where none is imported under it."""
    plain = plain_title(name.strip().strip("《》"))
    for statute in session.exec(select(Statute)):
        if plain in {statute.title, short_title(statute.title), *statute.aliases}:
            return statute
    raise NotFound(f"法规库中没有《{plain}》")


def by_id(session: Session, statute_id: int) -> Statute:
    """The statute of an id; NotFound where there is none."""
    statute = session.get(Statute, statute_id)
    if statute is None:
        raise NotFound("法规库中没有这部法规")
    return statute


def place_name(article: int, sub: int) -> str:
    """第十九条, 第二百七十六条之一 (sub 0: none)."""
    return f"第{chinese_number(article)}条" + (f"之{chinese_number(sub)}" if sub else "")


def find(session: Session, query: str, limit: int, offset: int = 0) -> list[Statute]:
    """Statutes whose title contains `query`, by title."""
    statement = select(Statute).order_by(col(Statute.title)).limit(limit).offset(offset)
    if query:
        statement = statement.where(col(Statute.title).contains(query, autoescape=True))
    return list(session.exec(statement))


def titles(session: Session) -> set[str]:
    """The titles of all imported statutes."""
    return set(session.exec(select(Statute.title)))


def count(session: Session) -> int:
    """How many statutes there are."""
    return session.exec(select(func.count()).select_from(Statute)).one()


def periods(session: Session, statute: Statute) -> list[Period]:
    """A statute's versions, oldest first, each with the days it is in force."""
    versions = list(session.exec(select(StatuteVersion).where(StatuteVersion.statute_id == statute.id)))
    return ordered_periods(versions)


def ordered_periods(versions: Sequence[StatuteVersion]) -> list[Period]:
    """Versions of one statute, oldest first: each ends the day before the next one begins."""
    ordered = sorted(versions, key=lambda version: version.effective or date.min)
    later = [*ordered[1:], None]
    return [
        Period(
            version,
            version.effective,
            following.effective - timedelta(days=1) if following and following.effective else None,
        )
        for version, following in zip(ordered, later, strict=False)
    ]


def in_force(periods_of_statute: Sequence[Period], on: date) -> Period | None:
    """The version in force on a day; None where none is, or where it is superseded by an unknown one."""
    found = next((period for period in reversed(periods_of_statute) if period.includes(on)), None)
    if found and found.version.superseded and found.end is None:
        return None
    return found


def version_cited(session: Session, name: str, on: date) -> StatuteVersion | None:
    """What a citation's statute name means on a day: a version's own name that one, a title the one in force."""
    plain = plain_title(name)
    versions = list(session.exec(select(StatuteVersion).join(Statute).where(Statute.title == plain)))
    if name != plain:
        return next((version for version in versions if version.name == name), None)
    period = in_force(ordered_periods(versions), on)
    return period.version if period else None


def articles_of(session: Session, version: StatuteVersion) -> list[Article]:
    """A version's articles in order."""
    return list(
        session.exec(
            select(Article)
            .where(Article.statute_version_id == version.id)
            .order_by(col(Article.article), col(Article.sub))
        )
    )


def article_at(session: Session, version: StatuteVersion, article: int, sub: int | None) -> Article | None:
    """One article of a version; None where it has no such article."""
    return session.exec(
        select(Article).where(
            Article.statute_version_id == version.id, Article.article == article, Article.sub == (sub or 0)
        )
    ).one_or_none()


def cited_article(session: Session, cited: Cited, on: date) -> Article | None:
    """The article a citation means on a day, as imported; None where the text is not at hand."""
    version = version_cited(session, cited.statute, on)
    if version is None or cited.article is None:
        return None
    return article_at(session, version, cited.article, cited.sub)


def texts_on(session: Session, on: date) -> StatuteTexts:
    """Everything imported, as `checks.check` takes it: titles mean the version in force on the day."""
    statutes: dict[str, StatuteFacts] = {}
    articles: dict[tuple[str, int, int | None], str] = {}
    known = {statute.id: statute for statute in session.exec(select(Statute))}
    families: dict[int, list[StatuteVersion]] = {}
    for version in session.exec(select(StatuteVersion)):
        families.setdefault(version.statute_id, []).append(version)
    names: dict[int, list[str]] = {}
    for statute_id, versions in families.items():
        statute = known[statute_id]
        ordered = ordered_periods(versions)
        current = in_force(ordered, on) or ordered[-1]
        for period in ordered:
            version = period.version
            assert version.id is not None
            titles = {version.name} if version.name != statute.title else set()
            if version is current.version:
                titles.add(statute.title)
            for title in titles:
                statutes[title] = StatuteFacts(
                    title=title,
                    aliases=tuple(statute.aliases),
                    kind=statute.kind,
                    effective=version.effective,
                    superseded=version.superseded,
                    superseded_by=version.superseded_by,
                    partly_changed=version.partly_changed,
                    articles=version.article_count,
                    until=period.end,
                )
            names[version.id] = sorted(titles)
    for article in session.exec(select(Article)):
        for title in names.get(article.statute_version_id, ()):
            articles[title, article.article, article.sub or None] = article.text
    return StatuteTexts(statutes, articles)
