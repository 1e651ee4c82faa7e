"""The contrast guard: facts that turn an answer into a wrong one (已签 or 未签合同, 辞职 or 辞退), kept as data.

Letters hardly tell 已签 from 未签 (rapidfuzz: 90 of 100), so what a message says on such an axis is read by
its words, and an entry whose wordings say the opposite is never given as the answer.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.matching.normalize import normalize

# An entry stands somewhere on an axis if at least this many of its wordings name the axis, and this share of them …
_LEAST_WORDINGS = 4
_LEAST_SHARE = 0.08
# … most of those (this share) name what it holds (a value that so many name) …
_MOST = 0.6
_HOLDS = 0.3
# … and few name the opposed one, hardly any of them without what it holds (工亡和因病死亡差多少 compares the two).
_FEW = 0.2
_HARDLY = 0.12
# The wordings that come first are its title and question: what they name it never opposes.
_HEADINGS = 2


@dataclass(frozen=True)
class Axis:
    """One fact with opposite values; `values` are (name, words), the words normalised and longest first."""

    name: str
    values: tuple[tuple[str, tuple[str, ...]], ...]

    def read(self, normalized: str) -> frozenset[str]:
        """Values that a normalised text names. A longer word hides a shorter one inside it (没签合同 hides 签合同).

        A negation that is half of a question (签没签合同, 是不是工伤) names nothing, and hides the same.
        """
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
            and not _is_asked(normalized, start)
        )


def _is_asked(text: str, start: int) -> bool:
    """Whether a word there is the second half of A-not-A, the way Chinese asks."""
    return start > 0 and text[start] in "不没" and text[start - 1 : start] == text[start + 1 : start + 2]


@dataclass(frozen=True, slots=True)
class Stance:
    """What a document's wordings say on an axis: the values they stand for, and those they (almost) never name."""

    axis: int
    held: frozenset[str]
    opposed: frozenset[str]


@dataclass(frozen=True)
class Guard:
    """The axes, and for each document where it stands on them."""

    axes: tuple[Axis, ...] = ()
    stances: tuple[tuple[Stance, ...], ...] = ()

    def contradicts(self, read: Sequence[frozenset[str]], document: int) -> str | None:
        """The axis on which a message (`read`, one set per axis) says the opposite of a document; None if on none."""
        for stance in self.stances[document] if self.stances else ():
            if read[stance.axis] and read[stance.axis] <= stance.opposed:
                return self.axes[stance.axis].name
        return None

    def affirms(self, read: Sequence[frozenset[str]], document: int, axis: str) -> bool:
        """Whether a document stands for what the message says on the axis."""
        return any(
            self.axes[stance.axis].name == axis and read[stance.axis] & stance.held
            for stance in (self.stances[document] if self.stances else ())
        )

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
    """The guard for documents given by their normalised wordings, title and question first."""
    return Guard(tuple(axes), tuple(_stances(axes, document) for document in wordings))


def _stances(axes: Sequence[Axis], wordings: Sequence[str]) -> tuple[Stance, ...]:
    stances = []
    for number, axis in enumerate(axes):
        named = [values for text in wordings if (values := axis.read(text))]
        if len(named) < max(_LEAST_WORDINGS, _LEAST_SHARE * len(wordings)):
            continue
        share = {value: sum(value in values for values in named) / len(named) for value, _ in axis.values}
        held = frozenset(value for value, part in share.items() if part >= _HOLDS)
        alone = Counter(value for values in named if not values & held for value in values)
        asked = frozenset[str]().union(*(axis.read(text) for text in wordings[:_HEADINGS]))
        opposed = frozenset(
            value for value, part in share.items() if part <= _FEW and alone[value] <= _HARDLY * len(named)
        )
        opposed -= asked
        if opposed and sum(bool(values & held) for values in named) >= _MOST * len(named):
            stances.append(Stance(number, held, opposed))
    return tuple(stances)
