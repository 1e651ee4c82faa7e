"""Entries as stored: what is published on a day, and the form in which they leave."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, exists, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from knowledge import audit
from knowledge.content.entries import figures_in, fill_figures, word_figure
from knowledge.errors import NotFound
from knowledge.matching.index import Document
from knowledge.matching.normalize import normalize
from knowledge.models import Citation, ContentVersion, EntryStatus, EntryVersion, FaqEntry, Figure, Variant
from knowledge.statutes.citation import Cited, name_together

_SEARCHED = (col(FaqEntry.title), col(FaqEntry.question), col(FaqEntry.id))
# Asked in every turn: built once, since building a statement takes longer than running it.
_NEWEST_CONTENT = select(func.max(ContentVersion.number))
_TITLES = select(FaqEntry.id, FaqEntry.title).where(
    col(FaqEntry.id).in_(bindparam("entry_ids", expanding=True)), FaqEntry.status == EntryStatus.PUBLISHED
)


@dataclass(frozen=True, slots=True)
class EntryText:
    """An entry as an asker may read it on a day: figures filled in, citations in order.

    `related` are (id, title) of published entries; `signed_off_by` is None until a lawyer has signed, and again where
    the sign-off has lapsed on that day because an article was amended (`sign_off_lapsed`).
    """

    id: str
    version_id: int
    version: int
    title: str
    domain: str
    topic: str
    question: str
    answer: str
    citations: tuple[Cited, ...]
    related: tuple[tuple[str, str], ...]
    referral: str
    status: str
    checked_on: date
    review_by: date
    signed_off_by: str | None
    sign_off_lapsed: bool = False


def published_text(session: Session, entry_id: str, on: date) -> EntryText:
    """The text in force on a day of a published entry; NotFound where there is none."""
    found = session.execute(
        _in_force(on)
        .add_columns(FaqEntry)
        .join(FaqEntry, col(FaqEntry.id) == EntryVersion.entry_id)
        .where(EntryVersion.entry_id == entry_id, FaqEntry.status == EntryStatus.PUBLISHED)
        .limit(1)
    ).first()
    if found is None:
        raise NotFound(f"没有已发布的条目 {entry_id}，或它在{on}没有生效的文本")
    version, entry = found
    return _text(session, entry, version, on)


def entry_text(session: Session, entry_id: str, on: date) -> EntryText:
    """The text in force on a day, else the newest there is, whatever the entry's status; NotFound for no entry."""
    entry = session.get(FaqEntry, entry_id)
    of_entry = select(EntryVersion).where(EntryVersion.entry_id == entry_id)
    version = (
        session.exec(_in_force(on).where(EntryVersion.entry_id == entry_id)).first()
        or session.exec(of_entry.order_by(col(EntryVersion.number).desc())).first()
    )
    if entry is None or version is None:
        raise NotFound(f"没有条目 {entry_id}")
    return _text(session, entry, version, on)


def _text(session: Session, entry: FaqEntry, version: EntryVersion, on: date) -> EntryText:
    assert version.id is not None, "a row that was read has its id"
    titles = titles_of(session, entry.related) if entry.related else {}
    lapses_on = entry.sign_off_lapses_on
    has_lapsed = entry.signed_off_by is not None and lapses_on is not None and lapses_on <= on
    answer = version.answer
    if "{figure:" in answer:
        answer = fill_figures(answer, worded_figures(session))
    return EntryText(
        id=entry.id,
        version_id=version.id,
        version=version.number,
        title=entry.title,
        domain=entry.domain,
        topic=entry.topic,
        question=entry.question,
        answer=answer,
        citations=tuple(_citations(session, [version.id]).get(version.id, ())),
        related=tuple((name, titles[name]) for name in entry.related if name in titles),
        referral=entry.referral,
        status=entry.status,
        checked_on=entry.checked_on,
        review_by=entry.review_by,
        signed_off_by=None if has_lapsed else entry.signed_off_by,
        sign_off_lapsed=has_lapsed,
    )


def citations_of(session: Session, version_id: int) -> tuple[Cited, ...]:
    """The legal basis of one version of an entry, in order."""
    return tuple(_citations(session, [version_id]).get(version_id, ()))


def find(session: Session, query: str, domain: str, limit: int, offset: int) -> list[FaqEntry]:
    """Entries whose title, question or id contains `query`, of a domain ("" for all), by id."""
    statement = select(FaqEntry).order_by(col(FaqEntry.id)).limit(limit).offset(offset)
    if query:
        statement = statement.where(or_(*(column.contains(query, autoescape=True) for column in _SEARCHED)))
    if domain:
        statement = statement.where(FaqEntry.domain == domain)
    return list(session.exec(statement).all())


def count(session: Session) -> int:
    """How many entries there are."""
    return session.exec(select(func.count()).select_from(FaqEntry)).one()


def titles_of(session: Session, entry_ids: Iterable[str]) -> dict[str, str]:
    """Titles of the published ones among the entries."""
    rows = session.execute(_TITLES, {"entry_ids": list(entry_ids)})
    return {row.id: row.title for row in rows}


def ids_of_titles(session: Session, named: Iterable[str]) -> list[str]:
    """Ids of published entries named by title; what is no such title stays as it is, an id perhaps."""
    wanted = list(named)
    rows = session.exec(
        select(FaqEntry.title, FaqEntry.id).where(
            col(FaqEntry.title).in_(wanted), FaqEntry.status == EntryStatus.PUBLISHED
        )
    )
    ids = dict(rows.all())
    return [ids.get(one, one) for one in wanted]


def is_title(session: Session, text: str) -> bool:
    """Whether a text is the title of a published entry."""
    titled = select(FaqEntry.id).where(FaqEntry.title == text, FaqEntry.status == EntryStatus.PUBLISHED)
    return session.exec(titled).first() is not None


def referral_of(session: Session, entry_id: str) -> str | None:
    """The hotline of an entry's field; None where there is no such entry."""
    return session.exec(select(FaqEntry.referral).where(FaqEntry.id == entry_id)).first()


def variants_of(session: Session, entry_id: str) -> list[str]:
    """An entry's similar questions, in the order they were added."""
    rows = session.exec(select(Variant.text).where(Variant.entry_id == entry_id).order_by(col(Variant.id)))
    return list(rows.all())


def as_reply(entry: EntryText) -> str:
    """An entry as a colleague's reply: its answer, basis and date, plain text."""
    basis = name_together(list(entry.citations))
    return f"{entry.answer.strip()}\n\n依据：{basis}\n核对日期：{entry.checked_on:%Y-%m}"


def add_variants(session: Session, entry_id: str, texts: Iterable[str], actor: str, now: datetime) -> list[str]:
    """Add similar questions to an entry at once; gives those that were new to it.

    A published entry answers to them as soon as running servers have seen the new content version. NotFound for
    an unknown entry.
    """
    entry = session.get(FaqEntry, entry_id)
    if entry is None:
        raise NotFound(f"没有条目 {entry_id}")
    present = variants_of(session, entry_id)
    known = {normalize(text) for text in (entry.title, entry.question, *present)}
    added: dict[str, str] = {}
    for text in texts:
        normal = normalize(text)
        if normal and normal not in known:
            added.setdefault(normal, text.strip())
    if not added:
        return []
    session.add_all(Variant(entry_id=entry_id, text=text) for text in added.values())
    entry.updated_at = now
    session.add(entry)
    session.flush()
    new = list(added.values())
    audit.record(
        session,
        actor=actor,
        action="entry.variants",
        subject=f"entry {entry_id}",
        before=None,
        after={"variants": new},
        now=now,
    )
    if entry.status == EntryStatus.PUBLISHED:
        publish_content(session, now, f"{entry_id}: {len(new)} variants")
    return new


def worded_figures(session: Session) -> dict[str, str]:
    """What stands in an answer for each yearly figure."""
    return {
        figure.key: word_figure(figure.value, figure.unit, figure.effective, figure.ask)
        for figure in session.exec(select(Figure))
    }


def entries_with_figures(session: Session, on: date) -> dict[str, list[tuple[str, str]]]:
    """Published entries, (id, title), by the yearly figure that their text in force names."""
    ever = select(EntryVersion.entry_id).where(col(EntryVersion.answer).contains("{figure:"))
    of_these = _in_force(on).where(col(EntryVersion.entry_id).in_(ever))
    answers = {version.entry_id: version.answer for version in session.exec(of_these)}
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry_id, title in sorted(titles_of(session, answers).items()):
        for key in figures_in(answers[entry_id]):
            found[key].append((entry_id, title))
    return found


def content_version(session: Session) -> int:
    """The number of the published content in force; 0 before anything was loaded."""
    return session.connection().scalar(_NEWEST_CONTENT) or 0


def publish_content(session: Session, now: datetime, note: str) -> int:
    """Mark that published content changed: running servers build a new index. Gives the new number."""
    number = content_version(session) + 1
    session.add(ContentVersion(number=number, published_at=now, note=note))
    session.flush()
    return number


def published_documents(session: Session, on: date) -> list[Document]:
    """What the index is built from: every published entry that has a text in force, with its wordings."""
    wordings: dict[str, list[str]] = defaultdict(list)
    for entry_id, text in session.exec(
        select(Variant.entry_id, Variant.text).order_by(col(Variant.entry_id), col(Variant.id))
    ):
        wordings[entry_id].append(text)
    answers = {version.entry_id: version.answer for version in session.exec(_in_force(on))}
    return [
        Document(
            id=entry.id,
            title=entry.title,
            wordings=(entry.question, *wordings[entry.id]),
            key_terms=tuple(entry.key_terms),
            answer=answers[entry.id],
        )
        for entry in session.exec(select(FaqEntry).where(FaqEntry.status == EntryStatus.PUBLISHED))
        if entry.id in answers
    ]


def export_rows(session: Session, on: date) -> list[dict[str, Any]]:
    """Every entry as `kb export --jsonl` gives it (design.md, Command line), ordered by id."""
    rows = []
    for entry in session.exec(select(FaqEntry).order_by(col(FaqEntry.id))):
        text = entry_text(session, entry.id, on)
        rows.append(
            {
                "id": entry.id,
                "title": entry.title,
                "domain": entry.domain,
                "topic": entry.topic,
                "question": entry.question,
                "variants": variants_of(session, entry.id),
                "answer": text.answer,
                "citations": [
                    {
                        "statute": cited.statute,
                        "article": cited.article,
                        "sub": cited.sub,
                        "paragraph": cited.paragraph,
                        "item": cited.item,
                        "unverified": cited.unverified,
                    }
                    for cited in text.citations
                ],
                "status": entry.status,
                "review_by": entry.review_by.isoformat(),
            }
        )
    return rows


def _in_force(on: date) -> Any:
    """The text of each entry that holds on a day: the last that has begun, unless it has run out (see `validity`)."""
    # Any: SQLModel's select types do not survive being handed on and refined.
    later = aliased(EntryVersion)
    takes_its_place = exists().where(
        col(later.entry_id) == col(EntryVersion.entry_id),
        col(later.number) > col(EntryVersion.number),
        or_(col(later.valid_from).is_(None), col(later.valid_from) <= on),
    )
    return (
        select(EntryVersion)
        .where(or_(col(EntryVersion.valid_from).is_(None), col(EntryVersion.valid_from) <= on))
        .where(or_(col(EntryVersion.valid_until).is_(None), col(EntryVersion.valid_until) >= on))
        .where(~takes_its_place)
    )


def _citations(session: Session, version_ids: list[int]) -> dict[int, list[Cited]]:
    found: dict[int, list[Cited]] = defaultdict(list)
    rows = session.exec(
        select(Citation)
        .where(col(Citation.entry_version_id).in_(version_ids))
        .order_by(col(Citation.entry_version_id), col(Citation.position))
    )
    for row in rows:
        found[row.entry_version_id].append(
            Cited(row.statute, row.article, row.sub, row.paragraph, row.item, row.unverified, row.check_note)
        )
    return found
