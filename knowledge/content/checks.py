"""What is wrong with the FAQ: the findings of `fawen kb check`.

Errors are for whoever changes the content and fail the gate. What time alone brings (a review that is due)
is a notice for curators and fails nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import yaml
from rapidfuzz import fuzz, process

from knowledge.content.entries import EntryForm
from knowledge.matching.normalize import normalize
from knowledge.statutes.register import Register
from knowledge.statutes.texts import StatuteTexts, text_hash

CLASH_RATIO = 90  # rapidfuzz ratio 0-100: from here on a wording is taken for another entry's
ALIKE_RATIO = 80  # from here on two wordings of one entry add nothing to each other
ALIKE_SHARE = 0.1
ANSWER_LIMIT = 400
_BLOCK = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: of which entry, what, and whether it is an error."""

    entry: str
    text: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{'error' if self.is_error else 'notice'}: {self.entry}: {self.text}"


def check(
    entries: list[EntryForm],
    register: Register,
    *,
    figures: set[str],
    contrasts: set[frozenset[str]],
    on: date,
    texts: StatuteTexts | None = None,
) -> list[Finding]:
    """Every finding on the entries as of a day; with `texts`, citations are checked against them too."""
    findings = [
        *_names(entries),
        *_citations(entries, register, on),
        *_figures(entries, figures),
        *_answers(entries),
        *_reviews(entries, on),
        *_own_wordings(entries),
        *_clashes(entries, contrasts),
    ]
    if texts:
        findings += _against_texts(entries, register, texts)
    return findings


def read_contrasts(path: Path) -> set[frozenset[str]]:
    """Pairs of wordings that look alike and are not, normalised."""
    rows = yaml.safe_load(path.read_text("utf-8")) or []
    return {frozenset(normalize(text) for text in row["pair"]) for row in rows}


def _names(entries: list[EntryForm]) -> Iterator[Finding]:
    ids = Counter(entry.id for entry in entries)
    titles = Counter(entry.title for entry in entries)
    for entry in entries:
        if ids[entry.id] > 1:
            yield Finding(entry.id, "this id is used more than once")
        if titles[entry.title] > 1:
            yield Finding(entry.id, f"the title {entry.title} is used more than once")
        for related in entry.related:
            if related not in ids:
                yield Finding(entry.id, f"related entry {related} does not exist")
            if related == entry.id:
                yield Finding(entry.id, "is related to itself")


def _citations(entries: list[EntryForm], register: Register, on: date) -> Iterator[Finding]:
    for entry in entries:
        for citation, valid_from in entry.all_citations:
            for fault in register.faults(citation, max(on, valid_from) if valid_from else on):
                yield Finding(entry.id, fault)


def _against_texts(entries: list[EntryForm], register: Register, texts: StatuteTexts) -> Iterator[Finding]:
    for entry in entries:
        for citation, _ in entry.all_citations:
            if citation.unverified or citation.article is None:
                continue
            text = texts.articles.get((citation.statute, citation.article, citation.sub))
            if text is None:
                yield Finding(entry.id, f"{citation}: the texts at hand have no such article")
                continue
            place = f"{citation.article}-{citation.sub}" if citation.sub else str(citation.article)
            facts = register.articles.get((citation.statute, place))
            if facts and facts.hash != text_hash(text):
                yield Finding(entry.id, f"{citation}: the text is not the one the entry was checked against")


def _figures(entries: list[EntryForm], figures: set[str]) -> Iterator[Finding]:
    for entry in entries:
        for key in sorted(entry.figures - figures):
            yield Finding(entry.id, f"the answer asks for a figure nobody keeps: {key}")


def _answers(entries: list[EntryForm]) -> Iterator[Finding]:
    for entry in entries:
        length = sum(not character.isspace() for character in entry.answer)
        if length > ANSWER_LIMIT:
            yield Finding(entry.id, f"the answer has {length} characters; at most {ANSWER_LIMIT}, better 300")
        if not entry.answer.split("\n", 1)[0].rstrip().endswith(("。", "：", "！", "；")):
            yield Finding(entry.id, "the answer's first line is no whole sentence")


def _reviews(entries: list[EntryForm], on: date) -> Iterator[Finding]:
    for entry in entries:
        if entry.review_by < on:
            yield Finding(entry.id, f"review was due by {entry.review_by}", is_error=False)
        if any(citation.unverified for citation, _ in entry.all_citations):
            days = (entry.review_by - entry.checked_on).days
            if days > 93:
                yield Finding(entry.id, "has an unverified citation: review within three months")


def _own_wordings(entries: list[EntryForm]) -> Iterator[Finding]:
    for entry in entries:
        wordings = [normalize(text) for text in entry.variants]
        repeated = [text for text, count in Counter(wordings).items() if count > 1]
        if repeated:
            yield Finding(entry.id, f"the same wording twice: {'、'.join(repeated[:3])}")
        alike = process.cdist(wordings, wordings, scorer=fuzz.ratio, score_cutoff=ALIKE_RATIO)
        np.fill_diagonal(alike, 0)
        share = float((alike.max(axis=1) >= ALIKE_RATIO).mean())
        if share > ALIKE_SHARE:
            yield Finding(entry.id, f"{share:.0%} of the wordings are alike (ratio ≥ {ALIKE_RATIO}); at most 10%")
        start, count = Counter(text[:4] for text in wordings).most_common(1)[0]
        if count > max(5, len(wordings) * 0.15):
            yield Finding(entry.id, f"{count} of {len(wordings)} wordings begin with {start}", is_error=False)


def _clashes(entries: list[EntryForm], contrasts: set[frozenset[str]]) -> Iterator[Finding]:
    wordings = [(entry.id, text, normalize(text)) for entry in entries for text in (entry.question, *entry.variants)]
    normal = [normalized for _, _, normalized in wordings]
    for start in range(0, len(wordings), _BLOCK):
        block = wordings[start : start + _BLOCK]
        scores = process.cdist(
            [normalized for _, _, normalized in block],
            normal,
            scorer=fuzz.ratio,
            score_cutoff=CLASH_RATIO,
            dtype=np.uint8,
        )
        for row, column in zip(*np.nonzero(scores >= CLASH_RATIO), strict=True):
            first, second = block[row], wordings[column]
            if first[0] < second[0] and frozenset((first[2], second[2])) not in contrasts:
                yield Finding(first[0], f"「{first[1]}」 is nearly {second[0]}'s 「{second[1]}」")


def beside_texts(entries: Iterable[EntryForm], texts: StatuteTexts) -> Iterator[str]:
    """For review: each answer with the text of what it cites."""
    for entry in entries:
        yield f"\n{'=' * 72}\n{entry.id} {entry.title}\n{entry.question}\n\n{entry.answer}\n"
        for citation, valid_from in entry.all_citations:
            since = f"（自{valid_from}起）" if valid_from else ""
            if citation.unverified:
                yield f"  ▸ {citation}{since} 未核对原文：{citation.check}"
                continue
            text = "（没有这一条）"
            if citation.article is not None:
                text = texts.articles.get((citation.statute, citation.article, citation.sub), text)
            yield f"  ▸ {citation}{since}\n    {text.replace(chr(10), chr(10) + '    ')}"
