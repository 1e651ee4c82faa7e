"""Entries in and out of the database in their exchange form; loading the shipped content."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, col, delete, select

from knowledge import fixed_replies, matching_data, revisions, urgency
from knowledge.content import FAQ, FIGURES, REGISTER
from knowledge.content.entries import EntryForm, FigureForm, Span, read_entries, read_figures
from knowledge.content.standing import read_fixed_replies, read_urgent
from knowledge.curation import publish_content
from knowledge.errors import ContentError
from knowledge.models import Citation, EntrySeed, EntryVersion, FaqEntry, Figure, UrgentRule, Variant
from knowledge.statutes import library, rereview
from knowledge.statutes.citation import Cited
from knowledge.statutes.register import Register, place_of, read_register
from knowledge.validity import timeline
from knowledge.working_days import local_day

# Columns of an entry that its form names alike; the rest are its texts, citations and wordings.
_COLUMNS = (
    "title", "domain", "topic", "question", "audience", "key_terms", "related", "referral", "status",
    "checked_on", "review_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load brought: entries new to the database, and those that were there already."""

    added: int
    kept: int


def seed(session: Session, now: datetime, folder: Path = FAQ, figures: Path = FIGURES) -> Loaded:
    """Add the shipped entries and figures that the database lacks; what is there already stays as it is.

    Matching data (synonyms and the like) that nobody has edited is brought to what ships.

    Bringing a newer seed's text to entries already there is the work of `merging.merge`.
    """
    known = set(session.exec(select(FaqEntry.id)))
    forms = [form for _, form in read_entries(folder)]
    new = [form for form in forms if form.id not in known]
    known_figures = set(session.exec(select(Figure.key)))
    for figure in read_figures(figures):
        if figure.key not in known_figures:
            add_figure(session, figure)
    for form in new:
        add_entry(session, form, now)
    if new:
        rereview.open_for_entries(session, {form.id for form in new}, local_day(now), now)
    seed_standing(session, now)
    if matching_data.seed(session, now) or new:
        publish_content(session, now, f"seed: {len(new)} entries")
    return Loaded(len(new), len(forms) - len(new))


def seed_standing(session: Session, now: datetime) -> None:
    """Load the shipped urgent rules and fixed replies once; what staff delete does not come back."""
    if revisions.current(session, urgency.SUBJECT) == 0:
        rules = enumerate(read_urgent(), 1)
        urgency.seed(session, (UrgentRule(position=n, updated_at=now, **one.model_dump()) for n, one in rules))
    if revisions.current(session, fixed_replies.SUBJECT) == 0:
        fixed_replies.seed(session, read_fixed_replies(), now)


def add_entry(session: Session, form: EntryForm, now: datetime) -> None:
    """Store an entry of the seed: its wordings, a version for each text it has or will have, and where it came from."""
    _insert(session, form, now, by_seed=True)
    remember_seed(session, form)


def add_local_entry(session: Session, form: EntryForm, now: datetime) -> None:
    """Store an entry that staff wrote: it came from no seed."""
    _insert(session, form, now, by_seed=False)


def revise_entry(session: Session, form: EntryForm, now: datetime, *, by_seed: bool) -> None:
    """Bring a stored entry to what the form says: new versions where a text or its basis changed, old ones kept.

    `by_seed` tells against which text of a statute its citations were checked: the shipped register's, or the
    one at hand here. The title must be free: see `free_titles`.
    """
    stored = session.get_one(FaqEntry, form.id)
    today = local_day(now)
    before = stored_forms(session, today, [form.id])[form.id]
    for name in _COLUMNS:
        setattr(stored, name, _column(form, name))
    stored.updated_at = now
    session.add(stored)
    _revise_variants(session, form)
    after = form.as_of(today)
    if before.spans != after.spans:
        # The text changed under the signature.
        stored.signed_off_by = stored.sign_off_lapses_on = None
        numbers = session.exec(select(EntryVersion.number).where(EntryVersion.entry_id == form.id))
        _add_versions(session, form.id, after.spans, now, first=max(numbers, default=0) + 1, by_seed=by_seed)
    session.flush()


def free_titles(session: Session, forms: Iterable[EntryForm]) -> None:
    """Give every stored entry that is to get another title a passing one, so that titles may change places."""
    stored = dict(session.exec(select(FaqEntry.id, FaqEntry.title)).all())
    moving = [form.id for form in forms if form.id in stored and stored[form.id] != form.title]
    for number, entry_id in enumerate(moving):
        entry = session.get_one(FaqEntry, entry_id)
        entry.title = f"~{number}"
        session.add(entry)
    session.flush()


def remember_seed(session: Session, form: EntryForm) -> None:
    """Keep the seed's text as the ancestor of what the site makes of the entry."""
    entry = session.get_one(FaqEntry, form.id)
    entry.seed_hash = form.seed_hash()
    session.add(entry)
    session.merge(EntrySeed(entry_id=form.id, form=form.model_dump(mode="json")))
    session.flush()


def settle_reviews(session: Session, entry_ids: set[str], now: datetime) -> None:
    """After entries changed: close the re-reviews their new texts settle, open those they call for."""
    today = local_day(now)
    session.flush()
    for entry_id in sorted(entry_ids & rereview.entries_due(session)):
        rereview.close_settled(session, entry_id, now, today)
    rereview.open_for_entries(session, entry_ids, today, now)


def seeds(session: Session) -> dict[str, EntryForm]:
    """The seed's text each entry came from, by id."""
    return {row.entry_id: EntryForm.model_validate(row.form) for row in session.exec(select(EntrySeed))}


def stored_forms(session: Session, today: date, entry_ids: Iterable[str] | None = None) -> dict[str, EntryForm]:
    """Entries as stored, in their exchange form, by id: what holds today and later.

    Texts that ran out stay in the database as history and are not in the form. Raises ContentError naming the
    entry whose content the form does not allow.
    """
    wanted = None if entry_ids is None else list(entry_ids)
    entries = list(session.exec(_only(select(FaqEntry).order_by(col(FaqEntry.id)), col(FaqEntry.id), wanted)))
    variants: dict[str, list[str]] = defaultdict(list)
    for variant in session.exec(_only(select(Variant).order_by(col(Variant.id)), col(Variant.entry_id), wanted)):
        variants[variant.entry_id].append(variant.text)
    versions: dict[str, list[EntryVersion]] = defaultdict(list)
    for version in session.exec(_only(select(EntryVersion), col(EntryVersion.entry_id), wanted)):
        versions[version.entry_id].append(version)
    citations: dict[int, list[dict[str, Any]]] = defaultdict(list)
    ordered = select(Citation).join(EntryVersion).order_by(col(Citation.position))
    for row in session.exec(_only(ordered, col(EntryVersion.entry_id), wanted)):
        citations[row.entry_version_id].append(_citation_values(row))
    return {entry.id: _form(entry, variants[entry.id], versions[entry.id], citations, today) for entry in entries}


def add_figure(session: Session, form: FigureForm) -> None:
    """Store a yearly figure."""
    session.add(
        Figure(
            key=form.key,
            name=form.name,
            value=form.value,
            unit=form.unit,
            effective=form.effective,
            source=form.source,
            ask=form.ask,
        )
    )


def _insert(session: Session, form: EntryForm, now: datetime, *, by_seed: bool) -> None:
    values = {name: _column(form, name) for name in _COLUMNS}
    session.add(FaqEntry(id=form.id, updated_at=now, **values))
    session.flush()
    session.add_all(Variant(entry_id=form.id, text=text) for text in dict.fromkeys(form.variants))
    _add_versions(session, form.id, form.spans, now, first=1, by_seed=by_seed)


def _column(form: EntryForm, name: str) -> Any:
    # Any: columns of different kinds, each of the kind its form has.
    value = getattr(form, name)
    return list(value) if isinstance(value, list) else value


def _revise_variants(session: Session, form: EntryForm) -> None:
    stored = set(session.exec(select(Variant.text).where(Variant.entry_id == form.id)))
    gone = stored.difference(form.variants)
    for text in gone:
        session.execute(delete(Variant).where(col(Variant.entry_id) == form.id, col(Variant.text) == text))
    session.add_all(Variant(entry_id=form.id, text=text) for text in dict.fromkeys(form.variants) if text not in stored)


def _add_versions(
    session: Session, entry_id: str, spans: Iterable[Span], now: datetime, *, first: int, by_seed: bool
) -> None:
    for number, span in enumerate(spans, first):
        version = EntryVersion(
            entry_id=entry_id,
            number=number,
            answer=span.answer,
            valid_from=span.start,
            valid_until=span.end,
            created_at=now,
        )
        session.add(version)
        session.flush()
        assert version.id is not None
        day = span.day_nearest(local_day(now))
        session.add_all(
            Citation(
                entry_version_id=version.id,
                position=position,
                statute=cited.statute,
                article=cited.article,
                sub=cited.sub,
                paragraph=cited.paragraph,
                item=cited.item,
                unverified=cited.unverified,
                check_note=cited.check,
                checked_hash=_checked_hash(session, cited, day, by_seed=by_seed),
            )
            for position, cited in enumerate(span.citations, 1)
        )


def _checked_hash(session: Session, cited: Cited, day: date, *, by_seed: bool) -> str | None:
    """Which text a citation was checked against: the seed's the register's, a colleague's the one at hand."""
    if cited.unverified or cited.article is None:
        return None
    article = None if by_seed else library.cited_article(session, cited, day)
    if article:
        return article.hash
    facts = _shipped_register().articles.get((cited.statute, place_of(cited)))
    return facts.hash if facts else None


@lru_cache(maxsize=1)
def _shipped_register() -> Register:
    return read_register(REGISTER)


def _only(statement: Any, column: Any, wanted: list[str] | None) -> Any:
    # Any: SQLModel's select types do not survive being handed on and refined.
    return statement if wanted is None else statement.where(column.in_(wanted))


def _form(
    entry: FaqEntry,
    variants: list[str],
    versions: list[EntryVersion],
    citations: dict[int, list[dict[str, Any]]],
    today: date,
) -> EntryForm:
    if not versions:
        raise ContentError(f"条目 {entry.id} 还没有答复")
    newest = max(versions, key=lambda one: one.number)
    held = timeline(versions, today) or timeline(versions, newest.valid_until or today)
    texts = [{"answer": one.version.answer, "citations": citations[one.version.id or 0]} for one in held]
    values = {name: getattr(entry, name) for name in _COLUMNS if name != "domain"}
    try:
        return EntryForm.model_validate(
            {
                "id": entry.id,
                **values,
                "variants": variants,
                **texts[0],
                "valid_from": held[0].start,
                "valid_until": held[-1].end,
                "later": [{"valid_from": one.start, **text} for one, text in zip(held[1:], texts[1:], strict=True)],
            }
        )
    except ValidationError as error:
        faults = "；".join(f"{'.'.join(map(str, item['loc']))}：{item['msg']}" for item in error.errors())
        raise ContentError(f"条目 {entry.id} 的内容不合交换格式：{faults}") from error


def _citation_values(row: Citation) -> dict[str, Any]:
    return {
        "statute": row.statute,
        "article": row.article,
        "sub": row.sub,
        "paragraph": row.paragraph,
        "item": row.item,
        "unverified": row.unverified,
        "check": row.check_note,
    }
