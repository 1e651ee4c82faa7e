"""The contrast guard: facts that turn an answer into a wrong one (已签 or 未签合同, 辞职 or 辞退), kept as data.

Letters hardly tell 已签 from 未签 (rapidfuzz: 90 of 100), so what a message says on such an axis is read by
its words, and an entry whose wordings say the opposite is never given as the answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.matching.normalize import normalize

# An entry stands for one value of an axis if at least this many of its wordings name the axis …
_LEAST_WORDINGS = 4
# … this share of those name a value, and hardly any (the second share) name the other one.
_STANDS_FOR = 0.6
_HARDLY = 0.12


@dataclass(frozen=True)
class Axis:
    """One fact with opposite values; `values` are (name, words), the words normalised and longest first."""

    name: str
    values: tuple[tuple[str, tuple[str, ...]], ...]

    def read(self, normalized: str) -> frozenset[str]:
        """Values that a normalised text names. A longer word hides a shorter one inside it (没签合同 hides 签合同)."""
        spots: list[tuple[int, int, str]] = []
        for value, words in self.values:
            for word in words:
                start = normalized.find(word)
                while start >= 0:
                    spots.append((start, start + len(word), value))
                    start = normalized.find(word, start + 1)
        return frozenset(
            value
            for start, end, value in spots
            if not any(s <= start and end <= e and (e - s) > (end - start) for s, e, _ in spots)
        )


@dataclass(frozen=True)
class Guard:
    """The axes, and for each document the values its wordings stand for: (axis, value, rival values)."""

    axes: tuple[Axis, ...] = ()
    stances: tuple[tuple[tuple[int, frozenset[str]], ...], ...] = ()

    def contradicts(self, read: Sequence[frozenset[str]], document: int) -> str | None:
        """The axis on which a message (`read`, one set per axis) says the opposite of a document; None if on none."""
        for axis, opposed in self.stances[document] if self.stances else ():
            if read[axis] and read[axis] <= opposed:
                return self.axes[axis].name
        return None

    def read(self, normalized: str) -> list[frozenset[str]]:
        """What a normalised text says on each axis."""
        return [axis.read(normalized) for axis in self.axes]


def build_axis(name: str, values: Iterable[tuple[str, Iterable[str]]]) -> Axis:
    """An axis from words as curators write them."""
    return Axis(
        name,
        tuple(
            (value, tuple(sorted({normalize(word) for word in words if normalize(word)}, key=lambda w: (-len(w), w))))
            for value, words in values
        ),
    )


def build_guard(axes: Sequence[Axis], wordings: Sequence[Sequence[str]]) -> Guard:
    """The guard for documents given by their normalised wordings."""
    return Guard(tuple(axes), tuple(_stances(axes, document) for document in wordings))


def _stances(axes: Sequence[Axis], wordings: Sequence[str]) -> tuple[tuple[int, frozenset[str]], ...]:
    stances = []
    for number, axis in enumerate(axes):
        named = [values for text in wordings if (values := axis.read(text))]
        if len(named) < _LEAST_WORDINGS:
            continue
        share = {value: sum(value in values for values in named) / len(named) for value, _ in axis.values}
        opposed = frozenset(value for value, part in share.items() if part <= _HARDLY)
        if opposed and max(share.values()) >= _STANDS_FOR:
            stances.append((number, opposed))
    return tuple(stances)
