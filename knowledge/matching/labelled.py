"""Questions whose answer is known: what numbers are fitted on and figures counted over."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from rapidfuzz import fuzz, process

from knowledge.matching.index import Document
from knowledge.matching.normalize import normalize

NEAR = 50


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question and its topic: the right entry's id is it or begins with it and a dot. None: not ours."""

    text: str
    topic: str | None
    is_law: bool


def is_right(identifier: str, topic: str) -> bool:
    """Whether an entry answers a question labelled with a topic: its own id, or one below it."""
    return identifier == topic or identifier.startswith(topic + ".")


def without_near(documents: Iterable[Document], texts: Iterable[str]) -> list[Document]:
    """Documents without the wordings that are near to one of the texts (rapidfuzz ratio ≥ NEAR).

    A question that has a near copy among the wordings, as every logged one has that a curator added, says
    nothing about how the next, unseen question will fare; so numbers are fitted without those wordings.
    """
    measured = [normalize(text) for text in texts]
    result = []
    for document in documents:
        wordings = [normalize(wording) for wording in document.wordings]
        if not wordings or not measured:
            result.append(document)
            continue
        scores = process.cdist(wordings, measured, scorer=fuzz.ratio, score_cutoff=NEAR, dtype=np.uint8)
        kept = tuple(
            wording for wording, best in zip(document.wordings, scores.max(axis=1), strict=True) if best < NEAR
        )
        result.append(replace(document, wordings=kept))
    return result


def interval(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval for a share, 95 % by default: what `right` of `of` says about questions not yet seen.

    Wilson: Probable inference, the law of succession, and statistical inference (1927).
    """
    if not of:
        return 0.0, 1.0
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))
