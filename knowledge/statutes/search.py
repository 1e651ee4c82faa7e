"""Looking an article up, to cite it: by the statute's name and the article's number, or by words in its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from knowledge.models import Article, Statute, StatuteVersion
from knowledge.statutes.citation import Cited, arabic_number
from knowledge.statutes.library import article_at, in_force, ordered_periods, version_cited

MOST = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found: how it is cited, and its text."""

    cited: Cited
    text: str


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found. `titles` are the statutes a name may mean, where it means several; `note` says why
    nothing was found."""

    hits: tuple[Hit, ...] = ()
    titles: tuple[str, ...] = ()
    note: str = ""


def titles(session: Session) -> list[str]:
    """The titles of all imported statutes."""
    return list(session.exec(select(Statute.title).order_by(col(Statute.title))))


def search(session: Session, name: str, what: str, on: date) -> Hits:
    """Articles of the version in force on a day: `what` is an article's number (19, 第十九条) or words in its text.

    Without a name every statute is searched for the words.
    """
    name, what = name.strip().strip("《》"), what.strip()
    if not what:
        return Hits(note="请填写第几条，或条文里的几个字")
    if not name:
        return _with_words(session, _all_in_force(session, on), what)
    found = _named(session, name)
    if len(found) != 1:
        note = "" if found else f"法规库里没有导入名称含“{name}”的法规：可以先在“法规库”导入，或直接在依据里写明"
        return Hits(titles=tuple(found[:MOST]), note=note)
    version = version_cited(session, found[0], on)
    if version is None:
        return Hits(note=f"《{found[0]}》在{on}没有施行中的版本")
    number = arabic_number(what.removeprefix("第").removesuffix("条"))
    if number is None:
        return _with_words(session, [version.id], what)
    article = article_at(session, version, number, None)
    if article is None:
        return Hits(note=f"《{found[0]}》共{version.article_count}条，没有第{number}条")
    return Hits((Hit(Cited(found[0], number, None, None, None), article.text),))


def _named(session: Session, name: str) -> list[str]:
    """Titles a name may mean: an exact title or alias alone, else all that contain it."""
    known = session.exec(select(Statute).order_by(col(Statute.title))).all()
    for statute in known:
        if name in {statute.title, statute.title.removeprefix("中华人民共和国"), *statute.aliases}:
            return [statute.title]
    return [statute.title for statute in known if name in statute.title]


def _all_in_force(session: Session, on: date) -> list[int | None]:
    families: dict[int, list[StatuteVersion]] = {}
    for version in session.exec(select(StatuteVersion)):
        families.setdefault(version.statute_id, []).append(version)
    periods = (in_force(ordered_periods(versions), on) for versions in families.values())
    return [period.version.id for period in periods if period]


def _with_words(session: Session, versions: Sequence[int | None], words: str) -> Hits:
    if len(words) < 2:
        return Hits(note="请至少填写两个字")
    rows = session.exec(
        select(Article, Statute.title)
        .join(StatuteVersion, col(StatuteVersion.id) == Article.statute_version_id)
        .join(Statute, col(Statute.id) == StatuteVersion.statute_id)
        .where(col(Article.text).contains(words, autoescape=True), col(Article.statute_version_id).in_(versions))
        .order_by(col(Statute.title), col(Article.article), col(Article.sub))
        .limit(MOST)
    )
    hits = tuple(
        Hit(Cited(title, article.article, article.sub or None, None, None), article.text) for article, title in rows
    )
    return Hits(hits, note="" if hits else f"没有含“{words}”的条文")
