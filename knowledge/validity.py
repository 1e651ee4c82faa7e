"""Which of an entry's texts holds on which days.

On each day the last one that has begun does; where that has run out, none does: what it took the place of never comes
back by itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from knowledge.models import EntryVersion


@dataclass(frozen=True, slots=True)
class Held:
    """A version and days on which it is the text in force (None: open on that side)."""

    version: EntryVersion
    start: date | None
    end: date | None


def timeline(versions: Iterable[EntryVersion], since: date) -> list[Held]:
    """The texts of one entry in force from `since` on, first to last.

    What ran out before `since` is left out. A start on or before `since` is given as None: since when the
    present text holds is history.
    """
    known = list(versions)
    days = {version.valid_from for version in known if version.valid_from and version.valid_from > since}
    days |= {
        version.valid_until + timedelta(days=1)
        for version in known
        if version.valid_until and version.valid_until >= since
    }
    held: list[Held] = []
    starts: list[date] = [since, *sorted(days)]
    for position, start in enumerate(starts):
        begun = [version for version in known if version.valid_from is None or version.valid_from <= start]
        version = max(begun, key=lambda one: one.number, default=None)
        if version is None or (version.valid_until and version.valid_until < start):
            continue
        end = starts[position + 1] - timedelta(days=1) if position + 1 < len(starts) else None
        if held and held[-1].version is version:
            held[-1] = Held(version, held[-1].start, end)
        else:
            held.append(Held(version, start if position else None, end))
    return held


def held_days(
    session: Session, entry_ids: set[str], since: date
) -> dict[str, dict[int, tuple[date | None, date | None]]]:
    """Of each entry, the ids of the versions that hold on `since` or later, with their days."""
    versions: dict[str, list[EntryVersion]] = defaultdict(list)
    for version in session.exec(select(EntryVersion).where(col(EntryVersion.entry_id).in_(entry_ids))):
        versions[version.entry_id].append(version)
    return {
        entry_id: {held.version.id or 0: (held.start, held.end) for held in timeline(known, since)}
        for entry_id, known in versions.items()
    }


@dataclass(frozen=True, slots=True)
class Schedule:
    """How an entry's texts follow each other from a day on: whether one holds on it (`answers`), the first days of
    those that are still to come, and after which day none does (None: always one)."""

    answers: bool
    begins: tuple[date, ...]
    ends: date | None


def schedules(session: Session, entry_ids: Iterable[str], today: date) -> dict[str, Schedule]:
    """The schedule of each of the entries."""
    wanted = set(entry_ids)
    held = held_days(session, wanted, today)
    return {
        entry_id: Schedule(
            answers=any(start is None for start, _ in days.values()),
            begins=tuple(start for start, _ in days.values() if start),
            ends=[end for _, end in days.values()][-1] if days else None,
        )
        for entry_id, days in ((one, held.get(one, {})) for one in wanted)
    }
