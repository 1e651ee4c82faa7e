"""What a lawyer's sign-off rests on: the texts of the articles an entry cites, and from when they are others."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from knowledge.models import Article, Citation, EntryVersion, FaqEntry, SignedArticle, SignOff, Statute, StatuteVersion
from knowledge.statutes import library
from knowledge.statutes.citation import Cited
from knowledge.statutes.library import Period
from knowledge.statutes.texts import plain_title
from knowledge.validity import held_days

_GONE = ""  # the hash of an article that a version no longer has

Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Cites:
    """A citation of a text that holds from `start` to `end` (None: open), checked against `checked_hash` if known."""

    cited: Cited
    checked_hash: str | None
    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class Known:
    """One text of a cited article that holds for the entry on some day from now on.

    `since` is the first such day (None: holds already). `version` is None where no text is at hand: `hash` is then
    what the citation was checked against, or None; "" is an article that the version does not have.
    """

    statute: str
    article: int
    sub: int
    hash: str | None
    version: str | None
    since: date | None
    text: str | None = None

    @property
    def place(self) -> Place:
        """Statute without version, article, number after 之 (0: none)."""
        return self.statute, self.article, self.sub

    @property
    def name(self) -> str:
        """As staff read it."""
        return str(Cited(self.statute, self.article, self.sub or None))


def of_entry(session: Session, entry_id: str, today: date) -> list[Known]:
    """Every text of the articles that an entry cites today or in a text still to come."""
    return known(session, _cites(session, [entry_id], today).get(entry_id, []), today)


def known(session: Session, cites: Iterable[Cites], today: date) -> list[Known]:
    """The same for citations given, each text once."""
    register = _Shelf(session)
    found: dict[tuple[Place, str | None, str | None], Known] = {}
    for one in cites:
        for text in _texts(register, one, today):
            found.setdefault((text.place, text.hash, text.version), text)
    return sorted(found.values(), key=lambda one: (one.place, one.since or date.min))


def digest(texts: Iterable[Known]) -> str:
    """What a page hands back, so that nobody signs on other texts than he read."""
    lines = sorted(f"{one.place} {one.hash} {one.version}" for one in texts)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def as_rows(texts: Iterable[Known]) -> list[dict[str, Any]]:
    """The form in which a draft keeps what its reviewer signed on; `from_rows` reads it."""
    return [
        {"statute": one.statute, "article": one.article, "sub": one.sub, "hash": one.hash, "version": one.version}
        for one in texts
    ]


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Known]:
    """Texts as a draft keeps them; since when each holds is not kept."""
    return [Known(one["statute"], one["article"], one["sub"], one["hash"], one["version"], None) for one in rows]


def record(session: Session, entry_id: str, lawyer: str, texts: Iterable[Known], now: datetime, today: date) -> None:
    """Store that a lawyer signed an entry on these texts; it lapses where another is known already.

    For an article whose text was not at hand, the text the stored citation was checked against is taken.
    """
    entry = session.get_one(FaqEntry, entry_id)
    entry.signed_off_by, entry.sign_off_lapses_on = lawyer, None
    sign_off = SignOff(entry_id=entry_id, lawyer=lawyer, signed_at=now)
    session.add_all([entry, sign_off])
    session.flush()
    assert sign_off.id is not None
    seen = [one for one in texts if one.version is not None]
    unseen = [one for one in of_entry(session, entry_id, today) if one.version is None]
    session.add_all(
        SignedArticle(
            sign_off_id=sign_off.id,
            statute=one.statute,
            article=one.article,
            sub=one.sub,
            hash=one.hash,
            version=one.version,
        )
        for one in (*seen, *unseen)
    )
    session.flush()
    examine(session, [entry_id], today)


def examine(session: Session, entry_ids: Iterable[str], today: date) -> list[str]:
    """See for signed entries from when a text they rest on is another than was signed; gives whose day changed.

    A text brought back to what was signed restores the sign-off, since it then stands on that very text.
    """
    entries = session.exec(
        select(FaqEntry).where(col(FaqEntry.id).in_(list(entry_ids)), col(FaqEntry.signed_off_by).is_not(None))
    ).all()
    cites = _cites(session, [one.id for one in entries], today)
    shelf = _Shelf(session)
    changed = []
    for entry in entries:
        signed = signed_hashes(session, entry.id)
        texts = [text for one in cites.get(entry.id, []) for text in _texts(shelf, one, today)]
        days = [max(one.since or today, today) for one in texts if is_other(one, signed)]
        lapses_on = min(days) if days else None
        before = entry.sign_off_lapses_on
        if lapses_on and before and before <= lapses_on:
            lapses_on = before
        if lapses_on != before:
            entry.sign_off_lapses_on = lapses_on
            session.add(entry)
            changed.append(entry.id)
    session.flush()
    return changed


def examine_statute(session: Session, title: str, today: date) -> list[str]:
    """`examine` every signed entry that cites a statute (its title without a version)."""
    rows = session.exec(
        select(EntryVersion.entry_id)
        .join(Citation, col(Citation.entry_version_id) == col(EntryVersion.id))
        .join(FaqEntry, col(FaqEntry.id) == col(EntryVersion.entry_id))
        .where(col(Citation.statute).startswith(title, autoescape=True), col(FaqEntry.signed_off_by).is_not(None))
        .distinct()
    )
    return examine(session, rows.all(), today)


def newest(session: Session, entry_id: str) -> SignOff | None:
    """The newest sign-off of an entry, lapsed or not; None where it never had one."""
    return session.exec(
        select(SignOff).where(SignOff.entry_id == entry_id).order_by(col(SignOff.id).desc()).limit(1)
    ).first()


def signed_hashes(session: Session, entry_id: str) -> dict[Place, set[str]]:
    """The texts the newest sign-off was given on, by place; a place whose text nobody knew is not among them."""
    sign_off = newest(session, entry_id)
    found: dict[Place, set[str]] = defaultdict(set)
    if sign_off is not None:
        for row in session.exec(select(SignedArticle).where(SignedArticle.sign_off_id == sign_off.id)):
            if row.hash is not None:
                found[plain_title(row.statute), row.article, row.sub].add(row.hash)
    return dict(found)


def is_other(text: Known, signed: dict[Place, set[str]]) -> bool:
    """Whether a text is another than those that were signed."""
    at_place = signed.get(text.place)
    return text.version is not None and at_place is not None and text.hash not in at_place


def text_signed(session: Session, text: Known, signed: dict[Place, set[str]]) -> str | None:
    """What stood at a text's place when it was signed; None where no imported version has it any more."""
    return session.exec(
        select(Article.text)
        .join(StatuteVersion, col(Article.statute_version_id) == col(StatuteVersion.id))
        .join(Statute, col(StatuteVersion.statute_id) == col(Statute.id))
        .where(
            Statute.title == text.statute,
            Article.article == text.article,
            Article.sub == text.sub,
            col(Article.hash).in_(signed.get(text.place, set())),
        )
        .order_by(col(StatuteVersion.effective).desc())
        .limit(1)
    ).first()


class _Shelf:
    """Statutes read once: periods by title, articles by version."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._periods: dict[str, list[Period]] = {}
        self._articles: dict[int, dict[tuple[int, int], tuple[str, str]]] = {}

    def periods(self, title: str) -> list[Period]:
        if title not in self._periods:
            statute = self._session.exec(select(Statute).where(Statute.title == title)).first()
            self._periods[title] = library.periods(self._session, statute) if statute else []
        return self._periods[title]

    def article(self, version: StatuteVersion, place: tuple[int, int]) -> tuple[str, str | None]:
        """Hash and text; the hash is _GONE where the version has no such article."""
        assert version.id is not None
        if version.id not in self._articles:
            rows = library.articles_of(self._session, version)
            self._articles[version.id] = {(row.article, row.sub): (row.hash, row.text) for row in rows}
        return self._articles[version.id].get(place, (_GONE, None))


def _texts(shelf: _Shelf, one: Cites, today: date) -> list[Known]:
    """The texts a citation means on the days from `today` on that it holds."""
    cited = one.cited
    if cited.article is None or cited.unverified:
        return []
    title, place = plain_title(cited.statute), (cited.article, cited.sub or 0)
    found = []
    for period in shelf.periods(title):
        is_history = (period.end and period.end < today) or (period.version.superseded and period.end is None)
        if is_history or cited.statute not in {title, period.version.name} or not _overlap(one, period):
            continue
        digest_now, text = shelf.article(period.version, place)
        first = max((day for day in (one.start, period.start) if day), default=None)
        since = first if first and first > today else None
        found.append(Known(title, *place, digest_now, period.version.name, since, text))
    return found or [Known(title, *place, one.checked_hash, None, None)]


def _overlap(one: Cites, period: Period) -> bool:
    starts_in_time = one.end is None or period.start is None or one.end >= period.start
    return starts_in_time and (one.start is None or period.end is None or one.start <= period.end)


def _cites(session: Session, entry_ids: Iterable[str], today: date) -> dict[str, list[Cites]]:
    """The citations of the entries' texts that hold today or later."""
    held = held_days(session, set(entry_ids), today)
    days = {version_id: span for spans in held.values() for version_id, span in spans.items()}
    owners = {version_id: entry_id for entry_id, spans in held.items() for version_id in spans}
    found: dict[str, list[Cites]] = defaultdict(list)
    for row in session.exec(select(Citation).where(col(Citation.entry_version_id).in_(list(days)))):
        cited = Cited(row.statute, row.article, row.sub, row.paragraph, row.item, row.unverified, row.check_note)
        found[owners[row.entry_version_id]].append(Cites(cited, row.checked_hash, *days[row.entry_version_id]))
    return found
