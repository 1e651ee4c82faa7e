"""复审: entries that cite an article whose text is not the one they were checked against."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher
from typing import NamedTuple

from sqlmodel import Session, col, select

from knowledge.models import Article, Citation, EntryStatus, EntryVersion, FaqEntry, ReReview, Statute, StatuteVersion
from knowledge.statutes import library, sign_offs
from knowledge.statutes.citation import Cited, short_title
from knowledge.statutes.register import Register
from knowledge.statutes.texts import StatuteText, plain_title, text_hash
from knowledge.validity import held_days


@dataclass(frozen=True, slots=True)
class Citing:
    """An entry's text that cites an article, and from when to when it holds."""

    entry_id: str
    title: str
    status: str
    cited: Cited
    checked_hash: str | None
    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two texts in pieces, each piece with whether it differs from the other text; None where there is none."""

    old: list[tuple[bool, str]] | None
    new: list[tuple[bool, str]] | None


@dataclass(frozen=True, slots=True)
class DueReview:
    """One entry to look at again: what it cites, the text it was checked against, and the text there is now.

    `old_text` is None where that text was never imported, `new_text` where the article is gone. `effective` is
    the day the new text takes effect (None: not established).
    """

    id: int
    entry_id: str
    title: str
    cited: Cited
    old_text: str | None
    new_text: str | None
    effective: date | None
    opened_at: datetime


class Imported(NamedTuple):
    """What an import brought: versions as stored, the re-reviews it opened, and the entries for whose sign-off it
    changed the day on which it lapses (today at the earliest)."""

    stored: list[library.Stored]
    opened: list[DueReview]
    lapsing: list[str]


def cited_title(session: Session, name: str) -> str:
    """The title that entries cite under a title, everyday name or alias; NotFound where nobody knows it."""
    plain = plain_title(name.strip().strip("《》"))
    titles = {plain_title(one) for one in session.exec(select(Citation.statute).distinct())}
    for title in sorted(titles):
        if plain in {title, short_title(title)}:
            return title
    return library.by_name(session, name).title


def citing(
    session: Session, name: str, since: date, *, article: int | None = None, sub: int | None = None
) -> list[Citing]:
    """Texts in force on `since` or later that cite a statute, or one article of it.

    A title means every version; `sub` 0 means the article without a number after 之. Archived entries are left
    out. Ordered by entry and place.
    """
    plain = plain_title(name)
    statement = (
        select(Citation, EntryVersion.entry_id)
        .join(EntryVersion, col(Citation.entry_version_id) == col(EntryVersion.id))
        .where(col(Citation.statute).startswith(plain, autoescape=True))
    )
    if article is not None:
        statement = statement.where(Citation.article == article)
    if sub is not None:
        statement = statement.where(Citation.sub == sub if sub else col(Citation.sub).is_(None))
    rows = [
        (citation, entry_id)
        for citation, entry_id in session.exec(statement)
        if plain_title(citation.statute) == plain and name in {plain, citation.statute}
    ]
    held = held_days(session, {entry_id for _, entry_id in rows}, since)
    entries = _entries(session, held)
    found = [
        Citing(
            entry_id,
            entries[entry_id].title,
            entries[entry_id].status,
            Cited(row.statute, row.article, row.sub, row.paragraph, row.item, row.unverified, row.check_note),
            row.checked_hash,
            *held[entry_id][row.entry_version_id],
        )
        for row, entry_id in rows
        if entry_id in entries and row.entry_version_id in held[entry_id]
    ]
    return sorted(found, key=lambda one: (one.entry_id, one.cited.statute, one.cited.article or 0, one.cited.sub or 0))


def import_versions(
    session: Session, texts: Sequence[StatuteText], register: Register, now: datetime, today: date
) -> Imported:
    """Store versions of one statute and put into re-review exactly the entries whose cited text they change.

    Compared is the text a citation was checked against; where nobody recorded it, the text before. Not concerned
    is a text that no longer holds when the version takes effect, nor any by a version that is history: over on
    `today`, superseded, or older than the one `register` says the entries were checked against. The same import
    again does nothing. A lawyer's sign-off lapses with the first day on which an article it was given on is another.
    """
    stored = [library.store(session, text, now) for text in texts]
    session.flush()
    opened: list[DueReview] = []
    lapsing: list[str] = []
    for one in stored:
        checked = register.statutes.get(one.statute.title)
        is_older = (
            checked and checked.effective and one.version.effective and (one.version.effective < checked.effective)
        )
        if one.brought is not library.Brought.UNCHANGED and not is_older:
            opened += _compare(session, one.statute, one.version, today, now, replaced=one.replaced)
            lapsing += sign_offs.examine_statute(session, one.statute.title, today)
    return Imported(stored, opened, sorted(set(lapsing)))


def citing_counts(session: Session) -> dict[str, int]:
    """How many entries that are not archived cite each statute, by its title without a version."""
    rows = session.exec(
        select(Citation.statute, EntryVersion.entry_id)
        .join(EntryVersion, col(Citation.entry_version_id) == col(EntryVersion.id))
        .join(FaqEntry, col(EntryVersion.entry_id) == col(FaqEntry.id))
        .where(FaqEntry.status != EntryStatus.ARCHIVED)
        .distinct()
    )
    entries: dict[str, set[str]] = defaultdict(set)
    for name, entry_id in rows:
        entries[plain_title(name)].add(entry_id)
    return {title: len(listed) for title, listed in entries.items()}


def side_by_side(old: str | None, new: str | None) -> SideBySide:
    """Both texts in pieces, marked where they differ; None for a text there is not."""
    if old is None or new is None:
        return SideBySide([(False, old)] if old is not None else None, [(False, new)] if new is not None else None)
    left, right = [], []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if i1 < i2:
            left.append((kind != "equal", old[i1:i2]))
        if j1 < j2:
            right.append((kind != "equal", new[j1:j2]))
    return SideBySide(left, right)


def open_for_entries(session: Session, entry_ids: set[str], today: date, now: datetime) -> list[DueReview]:
    """The same for entries just loaded or changed, against every imported version of what they cite."""
    session.flush()
    cited = session.exec(
        select(Citation.statute)
        .join(EntryVersion, col(Citation.entry_version_id) == col(EntryVersion.id))
        .where(col(EntryVersion.entry_id).in_(entry_ids))
        .distinct()
    )
    titles = {plain_title(name) for name in cited}
    opened = []
    for statute in session.exec(select(Statute).where(col(Statute.title).in_(titles))).all():
        for period in library.periods(session, statute):
            opened += _compare(session, statute, period.version, today, now, entry_ids=entry_ids)
    return opened


def _compare(
    session: Session,
    statute: Statute,
    version: StatuteVersion,
    today: date,
    now: datetime,
    *,
    replaced: dict[tuple[int, int], str] | None = None,
    entry_ids: set[str] | None = None,
) -> list[DueReview]:
    """Open a re-review for every text that cites a place whose text in `version` is another than it was checked for.

    `replaced` are the version's own texts before a correction.
    """
    ordered = library.periods(session, statute)
    position = next(number for number, period in enumerate(ordered) if period.version.id == version.id)
    period = ordered[position]
    if (period.end and period.end < today) or (version.superseded and period.end is None):
        return []  # history: no text an asker will still receive rests on it
    older = dict(replaced or {})
    if not older and position:
        older = {place: row.text for place, row in _articles(session, ordered[position - 1].version).items()}
    newer = _articles(session, version)
    opened = []
    for one in citing(session, statute.title, today):
        if entry_ids is not None and one.entry_id not in entry_ids:
            continue
        means_another = one.cited.statute not in {statute.title, version.name}
        if one.cited.unverified or one.cited.article is None or means_another or not _overlap(one, period):
            continue
        place = (one.cited.article, one.cited.sub or 0)
        new, old = newer.get(place), older.get(place)
        checked = one.checked_hash or (text_hash(old) if old else None)
        if checked is None or (new is not None and new.hash == checked):
            continue
        old_text = old if old and text_hash(old) == checked else _text_with(session, statute, place, checked)
        row = _open(session, one, version, new, old_text, now)
        if row is not None:
            opened.append(_due(row, one.title))
    return opened


def due(session: Session, *, entry_id: str | None = None, limit: int = 500, offset: int = 0) -> list[DueReview]:
    """The open re-reviews, those that take effect first at the head; of one entry where it is named."""
    statement = (
        select(ReReview, FaqEntry.title)
        .join(FaqEntry, col(FaqEntry.id) == col(ReReview.entry_id))
        .where(col(ReReview.closed_at).is_(None))
        .order_by(col(ReReview.effective), col(ReReview.entry_id), col(ReReview.article), col(ReReview.sub))
        .limit(limit)
        .offset(offset)
    )
    if entry_id:
        statement = statement.where(ReReview.entry_id == entry_id)
    return [_due(row, title) for row, title in session.exec(statement)]


def entries_due(session: Session) -> set[str]:
    """Ids of the entries with an open re-review."""
    return set(session.exec(select(ReReview.entry_id).where(col(ReReview.closed_at).is_(None))))


def close(session: Session, entry_id: str, by: str, now: datetime) -> int:
    """Somebody has looked at the entry: its re-reviews are closed, its citations hold for the new texts.

    Gives how many were open.
    """
    rows = list(session.exec(select(ReReview).where(ReReview.entry_id == entry_id, col(ReReview.closed_at).is_(None))))
    for row in rows:
        row.closed_at, row.closed_by = now, by
        session.add(row)
        _mark_checked(session, row)
    session.flush()
    return len(rows)


def close_settled(session: Session, entry_id: str, now: datetime, today: date) -> int:
    """Close re-reviews that the entry's new text has settled: it no longer cites the place, or was checked
    against the very text in question. Gives how many."""
    closed = 0
    for row in session.exec(select(ReReview).where(ReReview.entry_id == entry_id, col(ReReview.closed_at).is_(None))):
        checked = [
            one.checked_hash
            for one in citing(session, plain_title(row.statute), today, article=row.article)
            if one.entry_id == entry_id
            and (one.cited.sub or 0) == row.sub
            and (row.effective is None or one.end is None or one.end >= row.effective)
        ]
        if all(row.new_hash is not None and one == row.new_hash for one in checked):
            row.closed_at, row.closed_by = now, "随新版条目"
            session.add(row)
            closed += 1
    return closed


def _entries(session: Session, entry_ids: Iterable[str]) -> dict[str, FaqEntry]:
    rows = session.exec(
        select(FaqEntry).where(col(FaqEntry.id).in_(list(entry_ids)), FaqEntry.status != EntryStatus.ARCHIVED)
    )
    return {entry.id: entry for entry in rows}


def _articles(session: Session, version: StatuteVersion) -> dict[tuple[int, int], Article]:
    return {(row.article, row.sub): row for row in library.articles_of(session, version)}


def _text_with(session: Session, statute: Statute, place: tuple[int, int], digest: str) -> str | None:
    """The text an entry was checked against, where some imported version has it."""
    return session.exec(
        select(Article.text)
        .join(StatuteVersion, col(Article.statute_version_id) == col(StatuteVersion.id))
        .where(
            StatuteVersion.statute_id == statute.id,
            Article.article == place[0],
            Article.sub == place[1],
            Article.hash == digest,
        )
    ).first()


def _overlap(one: Citing, period: library.Period) -> bool:
    starts_in_time = one.end is None or period.start is None or one.end >= period.start
    return starts_in_time and (one.start is None or period.end is None or one.start <= period.end)


def _open(
    session: Session,
    one: Citing,
    version: StatuteVersion,
    new: Article | None,
    old_text: str | None,
    now: datetime,
) -> ReReview | None:
    """A row for the entry and place; None where an open one already shows this very text."""
    assert version.id is not None
    assert one.cited.article is not None
    same_place = select(ReReview).where(
        ReReview.entry_id == one.entry_id,
        ReReview.article == one.cited.article,
        ReReview.sub == (one.cited.sub or 0),
    )
    digest = new.hash if new else None
    known = list(session.exec(same_place.join(StatuteVersion).where(StatuteVersion.statute_id == version.statute_id)))
    if any(row.closed_at is None and row.new_hash == digest for row in known):
        return None
    row = next((row for row in known if row.statute_version_id == version.id), None) or ReReview(
        entry_id=one.entry_id,
        statute_version_id=version.id,
        statute=one.cited.statute,
        article=one.cited.article,
        sub=one.cited.sub or 0,
        opened_at=now,
    )
    row.old_text, row.new_text, row.new_hash = old_text, new.text if new else None, digest
    row.effective, row.opened_at, row.closed_at, row.closed_by = version.effective, now, None, None
    session.add(row)
    session.flush()
    return row


def _mark_checked(session: Session, row: ReReview) -> None:
    rows = session.exec(
        select(Citation)
        .join(EntryVersion, col(Citation.entry_version_id) == col(EntryVersion.id))
        .where(
            EntryVersion.entry_id == row.entry_id,
            Citation.statute == row.statute,
            Citation.article == row.article,
        )
    )
    for citation in rows:
        if (citation.sub or 0) == row.sub:
            citation.checked_hash = row.new_hash
            session.add(citation)


def _due(row: ReReview, title: str) -> DueReview:
    assert row.id is not None
    return DueReview(
        id=row.id,
        entry_id=row.entry_id,
        title=title,
        cited=Cited(row.statute, row.article, row.sub or None),
        old_text=row.old_text,
        new_text=row.new_text,
        effective=row.effective,
        opened_at=row.opened_at,
    )
