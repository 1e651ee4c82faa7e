"""The trained linear classifier as the web process uses it: arrays to look up, no training library."""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.matching.grams import grams
from knowledge.matching.index import Document, Floats, runs
from knowledge.matching.lexicon import Lexicon, concept_features

# How much the concepts count beside the characters (each block has length 1 before).
CONCEPT_WEIGHT = 0.6
# Raised when training or features change, so that a release trains anew on what did not change.
_FORM = 1


def training_digest(documents: Iterable[Document], lexicon: Lexicon) -> str:
    """What names all that a classifier is trained on: two contents that share it would give the same one.

    The order of the documents does not matter. Sign-offs, yearly figures, citations and dates are no part of it.
    """
    hashed = hashlib.sha256(b"%d" % _FORM)
    for one in sorted(documents, key=lambda document: document.id):
        hashed.update(_line([one.id, one.title, one.wordings, one.key_terms, one.answer]))
    for concept in lexicon.concepts:
        hashed.update(_line([concept.name, concept.words]))
    return hashed.hexdigest()


def _line(parts: list[object]) -> bytes:
    return json.dumps(parts, ensure_ascii=False).encode() + b"\n"


def model_features(text: str, lexicon: Lexicon) -> tuple[list[str], list[str]]:
    """The two blocks of features of a prepared text: characters and pairs of them, concepts and pairs of them."""
    return [gram for gram in grams(text) if len(gram) < 3], concept_features(lexicon.found(text))


@dataclass(frozen=True)
class Model:
    """One linear score per class and feature; most are zero and not kept.

    `classes` are ids of documents. Weights stand feature by feature (`indptr`, `columns`, `weights`), as
    a message needs those of its own features only. `version` is the content version it was trained on, `trained_on`
    the `training_digest` ("" for one that an earlier release stored).
    """

    version: int
    classes: tuple[str, ...]
    vocabulary: dict[str, int]
    idf: npt.NDArray[np.float32]
    indptr: npt.NDArray[np.int64]
    columns: npt.NDArray[np.uint16]
    weights: npt.NDArray[np.float32]
    intercept: npt.NDArray[np.float32]
    trained_on: str = ""

    def margins(self, text: str, lexicon: Lexicon) -> Floats:
        """The margin of each class for a prepared text: above 0 it takes it for its own; about -1 to 1."""
        features: list[int] = []
        values: list[Floats] = []
        for block, weight in zip(model_features(text, lexicon), (1.0, CONCEPT_WEIGHT), strict=True):
            counts = {self.vocabulary[one]: n for one, n in Counter(block).items() if one in self.vocabulary}
            if counts:
                found = list(counts)
                value = (1.0 + np.log(np.fromiter(counts.values(), dtype=np.float64))) * self.idf[found]
                features += found
                values.append(value * (weight / np.sqrt((value**2).sum())))
        result: Floats = self.intercept.astype(np.float64)
        if not features:
            return result
        offsets, lengths = runs(self.indptr[features], self.indptr[np.add(features, 1)])
        weights = self.weights[offsets] * np.repeat(np.concatenate(values), lengths)
        result += np.bincount(self.columns[offsets], weights=weights, minlength=len(result))
        return result

    def to_bytes(self) -> bytes:
        """The form in which it is stored (compressed arrays)."""
        file = io.BytesIO()
        np.savez_compressed(
            file,
            version=np.array(self.version),
            classes=_packed(self.classes),
            vocabulary=_packed(sorted(self.vocabulary, key=lambda one: self.vocabulary[one])),
            idf=self.idf,
            lengths=np.diff(self.indptr).astype(np.uint16),
            columns=self.columns,
            weights=self.weights.astype(np.float16),
            intercept=self.intercept,
            trained_on=_packed([self.trained_on]),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Model":
        """The model stored by `to_bytes`; raises ValueError or KeyError for anything else."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(
                version=int(arrays["version"]),
                classes=tuple(_unpacked(arrays["classes"])),
                vocabulary={one: number for number, one in enumerate(_unpacked(arrays["vocabulary"]))},
                idf=arrays["idf"],
                indptr=np.concatenate(([0], np.cumsum(arrays["lengths"], dtype=np.int64))),
                columns=arrays["columns"],
                weights=arrays["weights"].astype(np.float32),
                intercept=arrays["intercept"],
                trained_on=_unpacked(arrays["trained_on"])[0] if "trained_on" in arrays else "",
            )


def _packed(names: "list[str] | tuple[str, ...]") -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(names).encode(), dtype=np.uint8)


def _unpacked(packed: npt.NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode().split("\n")
