"""Synonyms, matters that are not ours, opposite facts and facts to ask for, as stored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from knowledge import audit, curation
from knowledge.content.matching import MatchingSet, check_rows, matching_set, read_rows, rows_hash
from knowledge.errors import InvalidInput, NotFound, SettingMoved
from knowledge.matching.normalize import normalize
from knowledge.models import MatchingData, MatchingKind

_NAME = {
    MatchingKind.LEXICON: "concept",
    MatchingKind.AXES: "axis",
    MatchingKind.FACTS: "ask",
    MatchingKind.OUTSIDE: "name",
}
_LONGEST_NAME = 20
_LONGEST_WORD = 30


def seed(session: Session, now: datetime) -> bool:
    """Store what ships; what a site has edited stays as it is. True if anything changed."""
    changed = False
    for kind in MatchingKind:
        rows = read_rows(kind)
        seed_hash = rows_hash(rows)
        stored = session.get(MatchingData, kind)
        if stored is None:
            session.add(MatchingData(kind=kind, data=rows, seed_hash=seed_hash, updated_at=now))
            changed = True
        elif stored.seed_hash != seed_hash and stored.seed_hash == rows_hash(stored.data):
            stored.data, stored.seed_hash, stored.updated_at = rows, seed_hash, now
            session.add(stored)
            changed = True
    return changed


def load(session: Session) -> MatchingSet:
    """Everything, ready for use."""
    return matching_set({MatchingKind(row.kind): row.data for row in session.exec(select(MatchingData))})


def rows(session: Session, kind: MatchingKind) -> list[dict[str, Any]]:
    """The rows of a kind in the form of its YAML file."""
    stored = session.get(MatchingData, kind)
    return list(stored.data) if stored else []


def save(session: Session, kind: MatchingKind, new: list[dict[str, Any]], now: datetime) -> None:
    """Replace the rows of a kind; ContentError where they break its form.

    The caller publishes the content (`curation.publish_content`), so that running servers take them up.
    """
    check_rows(kind, new)
    stored = session.get(MatchingData, kind)
    if stored is None:
        stored = MatchingData(kind=kind, data=new, seed_hash="", updated_at=now)
    stored.data, stored.updated_at = new, now
    session.add(stored)
    session.flush()


def mark_of(row: Mapping[str, Any]) -> str:
    """What tells whether a row is still as an editor saw it."""
    return rows_hash([dict(row)])[:16]


def row_at(session: Session, kind: MatchingKind, number: int) -> dict[str, Any]:
    """The row at a place, counted from 0; NotFound beyond the last."""
    listed = rows(session, kind)
    if not 0 <= number < len(listed):
        raise NotFound("没有这一项，可能已被同事删除")
    return listed[number]


def add_row(session: Session, kind: MatchingKind, row: dict[str, Any], *, actor: str, now: datetime) -> None:
    """Add a row after all others and publish; InvalidInput naming every fault."""
    listed = _locked(session, kind)
    _refuse_faulty(session, kind, listed, None, row)
    _publish(session, kind, [*listed, row], "add", None, row, actor, now)


def change_row(
    session: Session, kind: MatchingKind, number: int, row: dict[str, Any], *, against: str, actor: str, now: datetime
) -> None:
    """Put another row in a row's place and publish, so that the index follows.

    Raises NotFound, InvalidInput naming every fault, and SettingMoved where the row is no longer the one that the
    editor saw (`against`, its `mark_of`).
    """
    listed, before = _seen(session, kind, number, against)
    if row == before:
        return
    _refuse_faulty(session, kind, listed, number, row)
    _publish(session, kind, [*listed[:number], row, *listed[number + 1 :]], "change", before, row, actor, now)


def remove_row(session: Session, kind: MatchingKind, number: int, *, against: str, actor: str, now: datetime) -> None:
    """Delete a row and publish; raises like `change_row`."""
    listed, before = _seen(session, kind, number, against)
    _publish(session, kind, [*listed[:number], *listed[number + 1 :]], "remove", before, None, actor, now)


def holders(listed: Iterable[Mapping[str, Any]], phrase: str) -> list[str]:
    """Names of the concepts that hold a phrase; the first of them is the one it counts for."""
    normal = normalize(phrase)
    return [row["concept"] for row in listed if any(normalize(word) == normal for word in row["words"])]


def shared_words(listed: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Phrases that more than one concept holds, normalised, with the concepts' names."""
    held: dict[str, list[str]] = {}
    for row in listed:
        for word in dict.fromkeys(normalize(word) for word in row["words"]):
            held.setdefault(word, []).append(row["concept"])
    return {word: names for word, names in held.items() if len(names) > 1}


def name_of(kind: MatchingKind, row: Mapping[str, Any]) -> str:
    """What a row is called."""
    return str(row[_NAME[kind]])


def _locked(session: Session, kind: MatchingKind) -> list[dict[str, Any]]:
    stored = session.get(MatchingData, kind, with_for_update=True, populate_existing=True)
    return list(stored.data) if stored else []


def _seen(
    session: Session, kind: MatchingKind, number: int, against: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    listed = _locked(session, kind)
    if not 0 <= number < len(listed) or mark_of(listed[number]) != against:
        raise SettingMoved("这一项刚才被同事改过或删除，请回到列表核对后再改")
    return listed, listed[number]


def _refuse_faulty(
    session: Session, kind: MatchingKind, listed: list[dict[str, Any]], number: int | None, row: dict[str, Any]
) -> None:
    others = [one for place, one in enumerate(listed) if place != number]
    before = listed[number] if number is not None else None
    match kind:
        case MatchingKind.LEXICON:
            faults = list(_concept_faults(others, before, row))
        case MatchingKind.AXES:
            faults = list(_axis_faults(others, row))
        case MatchingKind.FACTS:
            faults = list(_fact_faults(session, row))
        case MatchingKind.OUTSIDE:
            faults = ["这类数据在这里不能修改"]
    if faults:
        raise InvalidInput("\n".join(faults))


def _concept_faults(others: list[dict[str, Any]], before: dict[str, Any] | None, row: dict[str, Any]) -> Iterator[str]:
    name = row["concept"]
    if not 0 < len(name) <= _LONGEST_NAME:
        yield f"概念名称应为1至{_LONGEST_NAME}字"
    if any(one["concept"] == name for one in others):
        yield f"已有名为“{name}”的概念"
    if not row["words"]:
        yield "至少写一个说法"
    known = {normalize(word) for word in before["words"]} if before else set()
    for word in row["words"]:
        yield from _word_faults(word)
        # A phrase that stood there before may be shared: the shipped list has some, and the first one counts.
        if normalize(word) not in known and (held := holders(others, word)):
            yield f"“{word}”已在概念“{held[0]}”里，一个说法只归一个概念"


def _axis_faults(others: list[dict[str, Any]], row: dict[str, Any]) -> Iterator[str]:
    if not 0 < len(row["axis"]) <= _LONGEST_NAME:
        yield f"名称应为1至{_LONGEST_NAME}字"
    if any(one["axis"] == row["axis"] for one in others):
        yield f"已有名为“{row['axis']}”的对立事实"
    if len(row["values"]) < 2:
        yield "至少写两种相反的情形，每行一种"
    owner: dict[str, str] = {}
    for value, words in row["values"].items():
        if not value or not words:
            yield f"每种情形要有名称和至少一个说法：“{value or '、'.join(words[:3])}”"
        for word in words:
            yield from _word_faults(word)
            if owner.setdefault(normalize(word), value) != value:
                yield f"“{word}”同时在“{owner[normalize(word)]}”和“{value}”里：同一个说法不能表示相反的情形"


def _fact_faults(session: Session, row: dict[str, Any]) -> Iterator[str]:
    if not 4 <= len(row["ask"]) <= 40:
        yield f"问句应为4至40字，现为{len(row['ask'])}字"
    if not 2 <= len(row["options"]) <= 4:
        yield f"选项应为2至4个，每行一个，现为{len(row['options'])}个"
    labels = [option["label"] for option in row["options"]]
    for label in labels:
        if not 0 < len(label) <= 16:
            yield f"选项文字应为1至16字：“{label}”"
    for label in dict.fromkeys(one for one in labels if labels.count(one) > 1):
        yield f"选项“{label}”写了两次"
    for option in row["options"]:
        if not option["entries"]:
            yield f"选项“{option['label']}”至少对应一个条目"
        known = curation.titles_of(session, option["entries"])
        for entry_id in option["entries"]:
            if entry_id not in known:
                yield f"选项“{option['label']}”：没有已发布的条目“{entry_id}”"


def _word_faults(word: str) -> Iterator[str]:
    if not normalize(word) or len(word) > _LONGEST_WORD:
        yield f"说法要有文字，最多{_LONGEST_WORD}字：“{word[:30]}”"


def _publish(
    session: Session,
    kind: MatchingKind,
    new: list[dict[str, Any]],
    action: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    actor: str,
    now: datetime,
) -> None:
    save(session, kind, new, now)
    name = name_of(kind, after or before or {})
    audit.record(
        session,
        actor=actor,
        action=f"matching.{action}",
        subject=f"{kind} {name}",
        before=_plain(before),
        after=_plain(after),
        now=now,
    )
    curation.publish_content(session, now, f"{kind}: {action} {name}")


def _plain(row: dict[str, Any] | None) -> dict[str, Any] | None:
    """A row for the log of changes: nested parts as lines of words."""
    if row is None:
        return None
    lines: dict[str, Any] = {**row}
    if "values" in row:
        lines["values"] = [f"{value}：{'、'.join(words)}" for value, words in row["values"].items()]
    if "options" in row:
        lines["options"] = [f"{one['label']}：{'、'.join(one['entries'])}" for one in row["options"]]
    return lines
