"""The contrast guard: facts that turn an answer into a wrong one (已签 or 未签合同, 辞职 or 辞退), kept as data.

Letters hardly tell 已签 from 未签 (rapidfuzz: 90 of 100), so what a message says on such an axis is read by
its words, and an entry whose wordings say the opposite is never given as the answer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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

# What a text says: values by the place of their axis.
Said = Mapping[int, frozenset[str]]


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
class Axes:
    """All axes, read at once: a text names few of them, and one walk over its characters finds which."""

    listed: tuple[Axis, ...] = ()
    _by_first: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict, repr=False)

    def read(self, normalized: str) -> dict[int, frozenset[str]]:
        """What a normalised text says, by the place of the axis; axes it says nothing on are left out."""
        named = {
            number
            for position, first in enumerate(normalized)
            for word, number in self._by_first.get(first, ())
            if normalized.startswith(word, position)
        }
        read = {number: self.listed[number].read(normalized) for number in sorted(named)}
        return {number: values for number, values in read.items() if values}

    def oppose(self, first: str, second: str) -> bool:
        """Whether two normalised texts say different things on an axis that both name (辞职, 辞退)."""
        one, other = self.read(first), self.read(second)
        return any(one[number].isdisjoint(other[number]) for number in one.keys() & other.keys())


@dataclass(frozen=True)
class Guard:
    """The axes, and for each document where it stands on them."""

    axes: Axes = Axes()
    stances: tuple[tuple[Stance, ...], ...] = ()

    def contradicts(self, said: Said, document: int) -> str | None:
        """The axis on which a message says the opposite of a document; None if on none."""
        for stance in self.stances[document] if self.stances else ():
            if (values := said.get(stance.axis)) and values <= stance.opposed:
                return self.axes.listed[stance.axis].name
        return None

    def affirms(self, said: Said, document: int, axis: str) -> bool:
        """Whether a document stands for what the message says on the axis."""
        return any(
            self.axes.listed[stance.axis].name == axis and said.get(stance.axis, frozenset()) & stance.held
            for stance in (self.stances[document] if self.stances else ())
        )

    def read(self, normalized: str) -> Said:
        """What a normalised text says."""
        return self.axes.read(normalized)


def build_axis(name: str, values: Iterable[tuple[str, Iterable[str]]]) -> Axis:
    """An axis from words as curators write them."""
    return Axis(
        name,
        tuple(
            (value, tuple(sorted({normalize(word) for word in words if normalize(word)}, key=lambda w: (-len(w), w))))
            for value, words in values
        ),
    )


def build_axes(axes: Sequence[Axis]) -> Axes:
    """The axes, ready to be read at once."""
    by_first: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for number, axis in enumerate(axes):
        for _, words in axis.values:
            for word in words:
                by_first[word[0]].append((word, number))
    return Axes(tuple(axes), {first: tuple(words) for first, words in by_first.items()})


def build_guard(axes: Sequence[Axis], wordings: Sequence[Sequence[str]]) -> Guard:
    """The guard for documents given by their normalised wordings, title and question first."""
    ready = build_axes(axes)
    return Guard(ready, tuple(_stances(ready, [ready.read(text) for text in document]) for document in wordings))


def _stances(axes: Axes, said: Sequence[Said]) -> tuple[Stance, ...]:
    """Where a document stands, from what each of its wordings says."""
    stances = []
    naming: dict[int, list[frozenset[str]]] = defaultdict(list)
    for one in said:
        for number, values in one.items():
            naming[number].append(values)
    for number, named in sorted(naming.items()):
        if len(named) < max(_LEAST_WORDINGS, _LEAST_SHARE * len(said)):
            continue
        share = {
            value: sum(value in values for values in named) / len(named) for value, _ in axes.listed[number].values
        }
        held = frozenset(value for value, part in share.items() if part >= _HOLDS)
        alone = Counter(value for values in named if not values & held for value in values)
        asked = frozenset[str]().union(*(one.get(number, frozenset()) for one in said[:_HEADINGS]))
        opposed = frozenset(
            value for value, part in share.items() if part <= _FEW and alone[value] <= _HARDLY * len(named)
        )
        opposed -= asked
        if opposed and sum(bool(values & held) for values in named) >= _MOST * len(named):
            stances.append(Stance(number, held, opposed))
    return tuple(stances)
