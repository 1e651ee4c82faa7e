"""Characters and their pairs and triples, as text for the classifier and as numbers for the index."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]

_BITS = 21  # of a Unicode code point
# Grams of up to two characters are below this, triples at or above it.
FIRST_TRIPLE = 1 << (2 * _BITS)
# The least code of two characters; single ones are below.
FIRST_PAIR = 1 << _BITS


def grams(text: str) -> list[str]:
    """A text's characters, pairs and triples of characters, with the ends marked in the pairs."""
    marked = f"^{text}$"
    pairs = [marked[i : i + 2] for i in range(len(marked) - 1)]
    triples = [text[i : i + 3] for i in range(len(text) - 2)]
    return [*text, *pairs, *triples]


def gram_codes(text: str) -> Codes:
    """The same grams as one number each: half a million strings would take the memory of all else together."""
    marked = _points(f"^{text}$")
    inner = marked[1:-1]
    return np.concatenate(
        (
            inner,
            (marked[:-1] << _BITS) | marked[1:],
            (inner[:-2] << (2 * _BITS)) | (inner[1:-1] << _BITS) | inner[2:],
        )
    )


def counted(texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], Codes]:
    """The grams of many texts, one after the other: for each the number of its text, and its code."""
    codes = [gram_codes(text) for text in texts]
    rows = np.repeat(np.arange(len(codes)), [len(one) for one in codes])
    return rows, np.concatenate(codes) if codes else np.zeros(0, dtype=np.int64)


def _points(text: str) -> Codes:
    # A lone surrogate, as a broken client may send it, is a code point like any other here.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
