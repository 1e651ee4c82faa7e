"""固定文案 in force: what staff made of the shipped texts, every version kept, and how one is filled in.

A text nobody changed is the shipped one, so a newer release brings its newer wording.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from knowledge import audit, examples, promise, revisions
from knowledge.content.texts import PLACEHOLDER, TextForm, shipped_texts
from knowledge.errors import InvalidInput, NotFound, SettingMoved
from knowledge.examples import Example
from knowledge.models import TextVersion

SUBJECT = "texts"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one moment, by key, with their placeholders.

    `working_days` is how soon a reply is promised, `examples` are the questions to offer.
    """

    _texts: Mapping[str, str]
    working_days: int = promise.DEFAULT
    examples: tuple[Example, ...] = ()

    def fill(self, key: str, values: Mapping[str, str]) -> str:
        """A text with its placeholders filled from `values`, which has a value for each it may use."""
        return fill(self._texts[key], values)


@dataclass(frozen=True, slots=True)
class StandingText:
    """One text as staff see it: what is said now, and the `number` of its newest version (0: never changed).

    `faults`: why the version staff saved is not used, after a release that changed its placeholders.
    """

    form: TextForm
    text: str
    number: int
    changed_by: str | None
    changed_at: datetime | None
    faults: tuple[str, ...] = ()

    @property
    def is_shipped(self) -> bool:
        """Whether the wording is the shipped one."""
        return self.text.strip() == self.form.text.strip()


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the values in the place of the placeholders; a line that has nothing else and gets nothing is left out."""
    lines = []
    for line in text.strip().splitlines():
        filled = PLACEHOLDER.sub(lambda found: values[found[1]], line)
        if filled.strip() or not line.strip():
            lines.append(filled)
    return "\n".join(lines)


def shipped() -> Texts:
    """The texts that ship."""
    return Texts({key: form.text for key, form in shipped_texts().items()}, examples=examples.shipped())


def in_force(session: Session) -> Texts:
    """The texts as they are said now."""
    said = {one.form.key: one.text for one in everything(session)}
    return Texts(said, promise.working_days(session), examples.in_force(session))


def everything(session: Session) -> list[StandingText]:
    """Every text, in the order of the shipped file."""
    newest: dict[str, TextVersion] = {}
    for row in session.exec(select(TextVersion).order_by(col(TextVersion.number))):
        newest[row.key] = row
    return [_standing(form, newest.get(key)) for key, form in shipped_texts().items()]


def by_key(session: Session, key: str) -> StandingText:
    """One text; NotFound for an unknown key."""
    form = shipped_texts().get(key)
    if form is None:
        raise NotFound(f"没有固定文案 {key}")
    versions = history(session, key)
    return _standing(form, versions[0] if versions else None)


def history(session: Session, key: str) -> list[TextVersion]:
    """Every version staff made of a text, newest first."""
    rows = session.exec(select(TextVersion).where(TextVersion.key == key).order_by(col(TextVersion.number).desc()))
    return list(rows.all())


def save(session: Session, key: str, text: str | None, *, against: int, actor: str, now: datetime) -> StandingText:
    """Say a text in other words from now on; None brings back the shipped wording.

    `against` is the version the change was made on. Raises NotFound, InvalidInput naming every fault, and
    SettingMoved where a colleague changed the text meanwhile.
    """
    before = by_key(session, key)
    if before.number != against:
        raise SettingMoved(f"{before.changed_by}刚才改过这段文案，请核对现行文案后再保存")
    if text is not None:
        text = tidied(text)
        if faults := before.form.faults(text):
            raise InvalidInput("\n".join(faults))
    if (text or before.form.text).strip() == before.text.strip() and not before.faults:
        return before
    version = TextVersion(key=key, number=before.number + 1, text=text, made_by=actor, made_at=now)
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError as error:
        raise SettingMoved("另一位同事刚才也在改这段文案，请核对现行文案后再保存") from error
    after = _standing(before.form, version)
    audit.record(
        session,
        actor=actor,
        action="text.restore" if text is None else "text.save",
        subject=f"text {key}（{before.form.name}）",
        before={"text": before.text},
        after={"text": after.text},
        now=now,
    )
    revisions.raise_by_one(session, SUBJECT)
    return after


def tidied(text: str) -> str:
    """As a Chinese keyboard types it: full-width braces are meant as braces, line ends as ours."""
    straight = text.replace("｛", "{").replace("｝", "}")
    return "\n".join(line.rstrip() for line in straight.strip().splitlines())


def _standing(form: TextForm, newest: TextVersion | None) -> StandingText:
    saved = newest.text if newest else None
    faults = tuple(form.faults(saved)) if saved is not None else ()
    return StandingText(
        form,
        form.text if saved is None or faults else saved,
        newest.number if newest else 0,
        newest.made_by if newest else None,
        newest.made_at if newest else None,
        faults,
    )
