"""A newer seed meets what a site has made of the older one: three-way comparison, and the merge.

The ancestor is the seed's text an entry was loaded from. An entry nobody edited takes the newer text; one that
both sides changed is a conflict and stays as it is until somebody chooses. Similar questions never conflict:
staff add them daily, so what either side added or took away is done on both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, assert_never

from sqlmodel import Session, select

from knowledge.content.entries import EntryForm
from knowledge.curation import publish_content
from knowledge.errors import InvalidInput, NotFound
from knowledge.models import FaqEntry
from knowledge.seeding import add_entry, free_titles, remember_seed, revise_entry, seeds, settle_reviews, stored_forms
from knowledge.working_days import local_day

# The text and its basis belong together: one without the other would say what nobody has checked.
TEXT = ("answer", "citations", "valid_from", "valid_until", "later")
FIELDS = (
    "title", "topic", "question", "audience", "variants", *TEXT, "related", "key_terms", "referral", "status",
    "checked_on", "review_by",
)  # fmt: skip
FIELD_NAMES = {
    "title": "标题",
    "topic": "主题",
    "question": "问题",
    "audience": "对象",
    "variants": "相似问法",
    "answer": "答复",
    "citations": "依据",
    "valid_from": "生效日期",
    "valid_until": "失效日期",
    "later": "以后的文本",
    "related": "相关条目",
    "key_terms": "关键词",
    "referral": "转介热线",
    "status": "状态",
    "checked_on": "核对日期",
    "review_by": "复核日期",
}


class State(StrEnum):
    """How an entry of the seed and the same in the database stand to each other."""

    ADDED = "added"  # the database lacks it
    SAME = "same"
    UPDATED = "updated"  # nobody has edited it here, the seed is newer
    EDITED = "edited"  # edited here, the seed as before
    CONFLICT = "conflict"  # edited here, and the seed is newer
    GONE = "gone"  # loaded from an earlier seed that the present one lacks
    LOCAL = "local"  # written here


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field on three sides, as JSON has it; `base` is None where nobody recorded the ancestor.

    Of similar questions, `local` and `seed` are given as what each side added (＋) and took away (－).
    """

    field: str
    base: Any
    local: Any
    seed: Any
    changed_here: bool
    changed_in_seed: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One entry: its state and the fields in which not all sides agree."""

    entry_id: str
    title: str
    state: State
    fields: tuple[FieldDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did, by entry id; `conflicts` still wait for a choice, `blocked` for a free title."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    taken: tuple[str, ...]
    kept: tuple[str, ...]
    retired: tuple[str, ...]
    conflicts: tuple[Comparison, ...]
    blocked: tuple[tuple[str, str], ...]


def compare(session: Session, forms: Iterable[EntryForm], today: date) -> list[Comparison]:
    """Every entry of the seed and of the database, by id, as of a day."""
    sides = _Sides.read(session, forms, today)
    return [sides.compare(entry_id) for entry_id in sorted({*sides.seed, *sides.local})]


def merge(
    session: Session,
    forms: Iterable[EntryForm],
    now: datetime,
    *,
    choices: Mapping[str, frozenset[str] | None] | None = None,
    retire: bool = False,
) -> Merged:
    """Bring a newer seed to the database without overwriting a local edit that nobody gave up.

    `choices` settles conflicts by entry id: the fields to take from the seed (an empty set keeps all that is
    here, None takes every field the seed changed). With `retire`, entries of an earlier seed that this one
    lacks are archived where nobody has edited them. Raises InvalidInput for a choice where there is no conflict.
    """
    sides = _Sides.read(session, forms, local_day(now))
    compared = {entry_id: sides.compare(entry_id) for entry_id in sorted({*sides.seed, *sides.local})}
    choices = choices or {}
    _check_choices(compared, choices)
    targets = _targets(compared, sides, choices)
    blocked = _without_clashing_titles(targets, {entry_id: form.title for entry_id, form in sides.local.items()})
    free_titles(session, targets.values())
    for entry_id, form in targets.items():
        if compared[entry_id].state is State.ADDED:
            add_entry(session, form, now)
        else:
            revise_entry(session, form, now, by_seed=True)
    same = [entry_id for entry_id, found in compared.items() if found.state is State.SAME]
    for entry_id in (*targets, *same):
        if sides.base.get(entry_id) != sides.seed_as_written[entry_id]:
            remember_seed(session, sides.seed_as_written[entry_id])
    retired = _retire(session, compared, sides, now) if retire else []
    changed = {*targets, *retired}
    if changed:
        settle_reviews(session, changed, now)
        publish_content(session, now, f"merge: {len(changed)} entries")

    def done(state: State) -> tuple[str, ...]:
        return tuple(one for one in targets if compared[one].state is state)

    chosen = done(State.CONFLICT)
    return Merged(
        added=done(State.ADDED),
        updated=done(State.UPDATED),
        taken=tuple(one for one in chosen if choices[one] is None or choices[one]),
        kept=tuple(one for one in chosen if choices[one] == frozenset()),
        retired=tuple(retired),
        conflicts=tuple(
            found for entry_id, found in compared.items() if found.state is State.CONFLICT and entry_id not in choices
        ),
        blocked=tuple(blocked.items()),
    )


def _targets(
    compared: Mapping[str, Comparison], sides: "_Sides", choices: Mapping[str, frozenset[str] | None]
) -> dict[str, EntryForm]:
    """What each entry is to become, where it is to become anything."""
    targets: dict[str, EntryForm] = {}
    for entry_id, found in compared.items():
        match found.state:
            case State.ADDED:
                targets[entry_id] = sides.seed_as_written[entry_id]
            case State.UPDATED:
                targets[entry_id] = sides.merged(found, None)
            case State.CONFLICT if entry_id in choices:
                targets[entry_id] = sides.merged(found, choices[entry_id])
            case State.CONFLICT | State.SAME | State.EDITED | State.LOCAL | State.GONE:
                pass
            case _:
                assert_never(found.state)
    return targets


@dataclass(frozen=True, slots=True)
class _Sides:
    """Ancestor, local and seed form of every entry, without texts that ran out."""

    base: dict[str, EntryForm]
    local: dict[str, EntryForm]
    seed: dict[str, EntryForm]
    seed_as_written: dict[str, EntryForm]
    from_seed: frozenset[str]
    today: date

    @classmethod
    def read(cls, session: Session, forms: Iterable[EntryForm], today: date) -> "_Sides":
        written = {form.id: form for form in forms}
        local = stored_forms(session, today)
        base = seeds(session)
        hashes = dict(session.exec(select(FaqEntry.id, FaqEntry.seed_hash)).all())
        for entry_id, form in local.items():
            # Loaded before ancestors were kept: where the hash says that nobody edited it, it is its own.
            if entry_id not in base and hashes[entry_id] == form.seed_hash():
                base[entry_id] = form
        from_seed = frozenset(entry_id for entry_id, digest in hashes.items() if digest)
        seed = {entry_id: form.as_of(today) for entry_id, form in written.items()}
        return cls(base, local, seed, written, from_seed, today)

    def compare(self, entry_id: str) -> Comparison:
        local, seed = self.local.get(entry_id), self.seed.get(entry_id)
        if local is None:
            assert seed is not None
            return Comparison(entry_id, seed.title, State.ADDED)
        if seed is None:
            state = State.GONE if entry_id in self.from_seed else State.LOCAL
            base = self.base.get(entry_id)
            return Comparison(entry_id, local.title, state, self._fields(base, local, base) if base else ())
        fields = self._fields(self.base.get(entry_id), local, seed)
        return Comparison(entry_id, local.title, _state(fields), fields)

    def _fields(self, base: EntryForm | None, local: EntryForm, seed: EntryForm | None) -> tuple[FieldDifference, ...]:
        """The fields in which not all sides agree."""
        base = base.as_of(self.today) if base else None
        seed = seed.as_of(self.today) if seed else None
        values = [None if form is None else form.model_dump(mode="json") for form in (base, local, seed)]
        found = []
        for name in FIELDS:
            was, here, there = (None if form is None else form[name] for form in values)
            if name == "variants":
                found += _variants(was, here or [], there or [])
            elif here != there or (base is not None and was != here):
                found.append(
                    FieldDifference(
                        name, was, here, there,
                        changed_here=base is None or here != was,
                        changed_in_seed=(base is None and here != there) or (base is not None and there != was),
                    )
                )  # fmt: skip
        return tuple(found)

    def merged(self, found: Comparison, take: frozenset[str] | None) -> EntryForm:
        """The local form with what the seed changed: all of it (None), or the fields named."""
        local, seed = self.local[found.entry_id], self.seed[found.entry_id]
        changes: dict[str, Any] = {}
        for one in found.fields:
            if one.field == "variants":
                changes["variants"] = _merge_variants(self.base.get(found.entry_id), local, seed)
            elif one.changed_in_seed and (take is None or one.field in take or (one.field in TEXT and take & {*TEXT})):
                changes[one.field] = getattr(seed, one.field)
        return local.model_copy(update=changes)


def _state(fields: Sequence[FieldDifference]) -> State:
    if not any(one.local != one.seed for one in fields):
        return State.SAME
    ours = [one for one in fields if one.changed_here and one.field != "variants"]
    theirs = [one for one in fields if one.changed_in_seed and one.field != "variants" and one.local != one.seed]
    if ours and theirs:
        return State.CONFLICT
    if theirs or any(one.field == "variants" and one.changed_in_seed for one in fields):
        return State.UPDATED
    return State.EDITED


def _variants(base: list[str] | None, local: list[str], seed: list[str]) -> list[FieldDifference]:
    ancestor = set(base if base is not None else local) if base is not None else set(local) & set(seed)
    here, there = _moves(ancestor, local), _moves(ancestor, seed)
    if here == there == []:
        return []
    return [
        FieldDifference("variants", sorted(ancestor), here, there, changed_here=bool(here), changed_in_seed=bool(there))
    ]


def _moves(ancestor: set[str], now: list[str]) -> list[str]:
    added = [f"＋{text}" for text in now if text not in ancestor]
    return added + [f"－{text}" for text in sorted(ancestor.difference(now))]


def _merge_variants(base: EntryForm | None, local: EntryForm, seed: EntryForm) -> list[str]:
    ancestor = set(base.variants) if base else set(local.variants) & set(seed.variants)
    dropped = ancestor.difference(seed.variants) | ancestor.difference(local.variants)
    return [text for text in dict.fromkeys([*seed.variants, *local.variants]) if text not in dropped]


def _check_choices(compared: Mapping[str, Comparison], choices: Mapping[str, frozenset[str] | None]) -> None:
    for entry_id, fields in choices.items():
        found = compared.get(entry_id)
        if found is None:
            raise NotFound(f"没有条目 {entry_id}")
        if found.state is not State.CONFLICT:
            raise InvalidInput(f"条目 {entry_id} 没有冲突（{found.state}），无须选择")
        unknown = sorted((fields or frozenset()) - {*FIELDS})
        if unknown:
            raise InvalidInput(f"条目没有字段 {'、'.join(unknown)}；可选 {'、'.join(FIELDS)}")


def _without_clashing_titles(targets: dict[str, EntryForm], titles: dict[str, str]) -> dict[str, str]:
    """Take out of `targets` what would give two entries one title; gives (id, reason) of those."""
    blocked: dict[str, str] = {}
    while True:
        final = {**titles, **{entry_id: form.title for entry_id, form in targets.items()}}
        owners: dict[str, list[str]] = {}
        for entry_id, title in final.items():
            owners.setdefault(title, []).append(entry_id)
        clashing = {
            entry_id: f"标题“{form.title}”已用于 {'、'.join(one for one in owners[form.title] if one != entry_id)}"
            for entry_id, form in targets.items()
            if len(owners[form.title]) > 1 and titles.get(entry_id) != form.title
        }
        if not clashing:
            return blocked
        blocked |= clashing
        for entry_id in clashing:
            del targets[entry_id]


def _retire(session: Session, compared: Mapping[str, Comparison], sides: _Sides, now: datetime) -> list[str]:
    """Archive what an earlier seed brought, this one lacks and nobody has edited."""
    retired = []
    for entry_id, found in compared.items():
        local = sides.local.get(entry_id)
        untouched = entry_id in sides.base and not any(one.changed_here for one in found.fields)
        if found.state is State.GONE and untouched and local and local.status != "archived":
            revise_entry(session, local.model_copy(update={"status": "archived"}), now, by_seed=True)
            retired.append(entry_id)
    return retired
