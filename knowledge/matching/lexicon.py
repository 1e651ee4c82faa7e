"""The legal-synonym lexicon: everyday words for one concept (炒鱿鱼, 开除, 被裁 → 解除), kept as data."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from knowledge.matching.normalize import normalize


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept with the words people use for it."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Finds concepts in normalised text, the longest word first, left to right, no two overlapping."""

    concepts: tuple[Concept, ...] = ()
    _by_first: dict[str, list[tuple[str, str]]] = field(default_factory=dict, repr=False)

    def found(self, normalized: str) -> list[str]:
        """Names of the concepts in a normalised text, in order of first mention, each once."""
        names: dict[str, None] = {}
        position = 0
        while position < len(normalized):
            for word, name in self._by_first.get(normalized[position], ()):
                if normalized.startswith(word, position):
                    names.setdefault(name)
                    position += len(word)
                    break
            else:
                position += 1
        return list(names)


def build_lexicon(concepts: Iterable[Concept]) -> Lexicon:
    """A lexicon over the concepts; a word that two of them claim belongs to the first."""
    listed = tuple(concepts)
    owner: dict[str, str] = {}
    for concept in listed:
        for word in concept.words:
            if normal := normalize(word):
                owner.setdefault(normal, concept.name)
    by_first: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for word in sorted(owner, key=lambda word: (-len(word), word)):
        by_first[word[0]].append((word, owner[word]))
    return Lexicon(listed, dict(by_first))


def concept_features(names: Sequence[str]) -> list[str]:
    """Features of the concepts a text mentions: each by itself, and each pair, whatever its order.

    Pairs carry what a linear model cannot see in single words: 解除 with 怀孕 is another matter than 解除 with 搬迁.
    """
    ordered = sorted(names)
    single = [f"\x01{name}" for name in ordered]
    return single + [f"\x01{one}\x01{other}" for i, one in enumerate(ordered) for other in ordered[i + 1 :]]
