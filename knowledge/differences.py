"""What differs between two contents of an entry, in pieces that can be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from knowledge.statutes.citation import Cited

_FIELDS = (
    "title", "topic", "question", "answer", "citations", "variants", "key_terms", "related", "audience", "referral",
    "checked_on", "review_by", "valid_from", "valid_until", "later",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs: pieces of text, each kept ("same"), taken out ("gone") or put in ("new")."""

    field: str
    pieces: tuple[tuple[str, str], ...]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs between two contents, field by field, in pieces that can be read."""
    found = []
    for name in _FIELDS:
        old, new = _lines(name, before.get(name)), _lines(name, after.get(name))
        if old != new:
            found.append(Difference(name, tuple(_pieces(old, new))))
    return found


def _lines(name: str, value: Any) -> list[str]:
    # Any: fields of different kinds; here they only become lines to be read.
    if name == "citations":
        return [cited_line(one) for one in value or []]
    if name == "later":
        return [f"自{one['valid_from']}起：{one['answer']}" for one in value or []]
    if isinstance(value, list):
        return [_AUDIENCE_WORDS.get(str(one), str(one)) for one in value]
    return str(value).splitlines() if value not in (None, "") else []


def cited_line(one: Mapping[str, Any]) -> str:
    """A citation of a draft as one line, as the editor takes it."""
    cited = Cited(str(one["statute"]), one.get("article"), one.get("sub"), one.get("paragraph"), one.get("item"))
    line = f"《{cited.statute}》{cited.place}"
    return f"{line}（未核对：{one.get('check')}）" if one.get("unverified") else line


def _pieces(old: list[str], new: list[str]) -> list[tuple[str, str]]:
    """Line by line; a line that was changed, character by character."""
    pieces: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces += [("same", f"{line}\n") for line in old[a:b]]
            continue
        for position in range(max(b - a, d - c)):
            before = old[a + position] if a + position < b else None
            after = new[c + position] if c + position < d else None
            if before is not None and after is not None:
                pieces += _within(before, after)
                pieces.append(("same", "\n"))
            elif before is not None:
                pieces.append(("gone", f"{before}\n"))
            elif after is not None:
                pieces.append(("new", f"{after}\n"))
    return pieces


def _within(before: str, after: str) -> list[tuple[str, str]]:
    pieces = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(("same", before[a:b]))
        else:
            pieces += [("gone", before[a:b])] if b > a else []
            pieces += [("new", after[c:d])] if d > c else []
    return pieces


_AUDIENCE_WORDS = {"employee": "劳动者", "employer": "用人单位", "founder": "创业者"}
