"""Loading the shipped content into a database that has none."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session, select

from knowledge import fixed_replies, matching_data, revisions, urgency
from knowledge.content import FAQ, FIGURES
from knowledge.content.entries import EntryForm, FigureForm, read_entries, read_figures
from knowledge.content.standing import read_fixed_replies, read_urgent
from knowledge.curation import publish_content
from knowledge.models import Citation, EntryVersion, FaqEntry, Figure, UrgentRule, Variant


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load brought: entries new to the database, and those that were there already."""

    added: int
    kept: int


def seed(session: Session, now: datetime, folder: Path = FAQ, figures: Path = FIGURES) -> Loaded:
    """Add the shipped entries and figures that the database lacks; what is there already stays as it is.

    Matching data (synonyms and the like) that nobody has edited is brought to what ships.

    Entries that a site has edited are its own; bringing a newer seed's text to untouched ones is the merge
    of `kb import --merge`.
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
    seed_standing(session, now)
    if matching_data.seed(session, now) or new:
        publish_content(session, now, f"seed: {len(new)} entries")
    return Loaded(len(new), len(forms) - len(new))


def seed_standing(session: Session, now: datetime) -> None:
    """Load the shipped urgent rules and fixed replies once; what staff delete does not come back."""
    if revisions.current(session, urgency.SUBJECT) == 0:
        for position, rule in enumerate(read_urgent(), 1):
            values = rule.model_dump()
            urgency.add(session, UrgentRule(position=position, updated_at=now, **values))
    if revisions.current(session, fixed_replies.SUBJECT) == 0:
        for reply in read_fixed_replies():
            fixed_replies.add(session, reply.keywords, reply.text, reply.link, now)


def add_entry(session: Session, form: EntryForm, now: datetime) -> None:
    """Store an entry with its wordings, and a version for each text it has or will have."""
    session.add(
        FaqEntry(
            id=form.id,
            title=form.title,
            domain=form.domain,
            topic=form.topic,
            question=form.question,
            audience=list(form.audience),
            key_terms=list(form.key_terms),
            related=list(form.related),
            referral=form.referral,
            status=form.status,
            checked_on=form.checked_on,
            review_by=form.review_by,
            seed_hash=form.seed_hash(),
            updated_at=now,
        )
    )
    session.flush()
    session.add_all(Variant(entry_id=form.id, text=text) for text in dict.fromkeys(form.variants))
    starts = [None, *(later.valid_from for later in form.later)]
    ends = [later.valid_from - timedelta(days=1) for later in form.later]
    texts = [(form.answer, form.citations), *((later.answer, later.citations) for later in form.later)]
    for number, ((answer, citations), start) in enumerate(zip(texts, starts, strict=True), 1):
        version = EntryVersion(
            entry_id=form.id,
            number=number,
            answer=answer,
            valid_from=start,
            valid_until=ends[number - 1] if number <= len(ends) else None,
            created_at=now,
        )
        session.add(version)
        session.flush()
        assert version.id is not None
        for position, citation in enumerate(citations, 1):
            session.add(
                Citation(
                    entry_version_id=version.id,
                    position=position,
                    statute=citation.statute,
                    article=citation.article,
                    sub=citation.sub,
                    paragraph=citation.paragraph,
                    item=citation.item,
                    unverified=citation.unverified,
                    check_note=citation.check,
                )
            )


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
