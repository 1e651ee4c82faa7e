"""What is wrong with the FAQ: the findings of `fawen kb check`.

Errors are for whoever changes the content and fail the gate. What time alone brings (a review that is due, a
text that ran out, a statute that lapsed after the entry was checked) is a notice for curators and fails nothing.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process

from knowledge.content.contrasts import ContrastForm, read_contrast_forms
from knowledge.content.entries import EntryForm
from knowledge.matching.normalize import normalize
from knowledge.statutes.citation import Cited
from knowledge.statutes.register import Register, place_faults, place_of
from knowledge.statutes.texts import StatuteTexts, paragraphs, text_hash

CLASH_RATIO = 90  # rapidfuzz ratio 0-100: from here on a wording is taken for another entry's
ALIKE_RATIO = 80  # from here on two wordings of one entry add nothing to each other
ALIKE_SHARE = 0.1
START_SHARE = 0.15  # of an entry's wordings with the same first characters, beyond which a curator is told
START_LENGTH = 4
ANSWER_LIMIT = 400
FEWEST_VARIANTS = 8
UNVERIFIED_DAYS = 93  # three months: how long an unverified citation may wait for its check

Progress = Callable[[int, int], None]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: of which entry, what (in Chinese, for curators), and whether it is an error."""

    entry: str
    text: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{'错误' if self.is_error else '提示'}：{self.entry}：{self.text}"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much an entry's wordings repeat each other: shares between 0 and 1.

    `alike` of the variants have ratio ≥ 80 to another of their own, `same_start` share their first four
    characters with another; `start` is the commonest beginning and `start_count` how many have it.
    """

    entry: str
    variants: int
    alike: float
    same_start: float
    start: str
    start_count: int


def check(
    entries: list[EntryForm],
    register: Register,
    *,
    figures: set[str],
    contrasts: set[frozenset[str]],
    on: date,
    texts: StatuteTexts | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Every finding on the entries as of a day; with `texts`, citations are checked against them too.

    `progress` is told (done, total) wordings while they are compared with each other.
    """
    findings = [
        *_names(entries),
        *_lengths(entries),
        *_citations(entries, register, on),
        *_figures(entries, figures),
        *_reviews(entries, on),
        *_own_wordings(entries),
        *_clashes(entries, contrasts, progress),
    ]
    if texts:
        findings += _against_texts(entries, register, texts)
    return findings


def read_contrasts(path: Path) -> set[frozenset[str]]:
    """Pairs of wordings that look alike and are not, normalised."""
    return {form.normalized for form in read_contrast_forms(path)}


def check_contrasts(contrasts: Iterable[ContrastForm], entries: Iterable[EntryForm]) -> list[Finding]:
    """Findings on pairs that want entries which do not exist."""
    known = {entry.id for entry in entries}
    return [
        Finding(identifier, f"对照问法「{text}」要的条目不存在")
        for form in contrasts
        for text, wanted in zip(form.pair, form.entries, strict=True)
        for identifier in wanted
        if identifier not in known
    ]


def likeness(entry: EntryForm) -> Likeness | None:
    """How alike the entry's wordings are; None where it has none."""
    wordings = [normalize(text) for text in entry.variants]
    if not wordings:
        return None
    ratios = process.cdist(wordings, wordings, scorer=fuzz.ratio, score_cutoff=ALIKE_RATIO)
    np.fill_diagonal(ratios, 0)
    starts = Counter(text[:START_LENGTH] for text in wordings)
    start, count = starts.most_common(1)[0]
    shared = sum(number for number in starts.values() if number > 1)
    alike = float((ratios.max(axis=1) >= ALIKE_RATIO).mean())
    return Likeness(entry.id, len(wordings), alike, shared / len(wordings), start, count)


def near_pairs(wordings: Sequence[str], progress: Progress | None = None) -> Iterator[Pair]:
    """Every pair of positions whose wordings have rapidfuzz ratio ≥ 90, the smaller position first.

    The same pairs as comparing all with all gives (the test of it does), without looking at most of them.
    Ratio ≥ 90 of strings of a and b characters means a common subsequence of at least 0.45·(a+b); so the
    shorter has at least 9/11 of the longer's length, and they have as many characters in common, counting
    repeats. Two such strings must then share one of the first n-t+1 of their n characters, in any fixed order,
    where t is what they must have in common (prefix filtering: Chaudhuri et al., ICDE 2006). Rarest characters
    first makes the lists to look through short.
    """
    numbered = [_numbered_characters(text) for text in wordings]
    frequency = Counter(character for characters in numbered for character in characters)
    holders: dict[tuple[str, int], list[int]] = defaultdict(list)
    for done, position in enumerate(sorted(range(len(wordings)), key=lambda one: len(wordings[one]))):
        length = len(wordings[position])
        rarest = sorted(numbered[position], key=lambda character: (frequency[character], character))
        # A partner seen before is not longer: in common are at least 9/11 of this one's characters.
        shortest = math.ceil(9 * length / 11)
        seen = {other for character in rarest[: length - shortest + 1] for other in holders[character]}
        partners = [other for other in seen if len(wordings[other]) >= shortest]
        if partners:
            ratios = process.cdist(
                [wordings[position]],
                [wordings[other] for other in partners],
                scorer=fuzz.ratio,
                score_cutoff=CLASH_RATIO,
            )[0]
            for index in np.flatnonzero(ratios >= CLASH_RATIO):
                other = partners[index]
                yield (min(position, other), max(position, other))
        # A partner still to come is not shorter: in common are at least 9/10 of this one's characters.
        for character in rarest[: length - math.ceil(9 * length / 10) + 1]:
            holders[character].append(position)
        if progress and (done % 1000 == 999 or done == len(wordings) - 1):
            progress(done + 1, len(wordings))


def _numbered_characters(text: str) -> list[tuple[str, int]]:
    """Each character with how often it stood before, so that a set of them counts repeats."""
    seen: Counter[str] = Counter()
    numbered = []
    for character in text:
        numbered.append((character, seen[character]))
        seen[character] += 1
    return numbered


def _names(entries: list[EntryForm]) -> Iterator[Finding]:
    ids = Counter(entry.id for entry in entries)
    titles = Counter(entry.title for entry in entries)
    for entry in entries:
        if ids[entry.id] > 1:
            yield Finding(entry.id, "编号重复")
        if titles[entry.title] > 1:
            yield Finding(entry.id, f"标题“{entry.title}”重复")
        for related in entry.related:
            if related == entry.id:
                yield Finding(entry.id, "相关条目是它自己")
            elif related not in ids:
                yield Finding(entry.id, f"相关条目 {related} 不存在")


def _lengths(entries: list[EntryForm]) -> Iterator[Finding]:
    """What a draft may still lack, and texts too long for a phone."""
    for entry in entries:
        if entry.status == "draft":
            continue
        if not entry.audience:
            yield Finding(entry.id, "没有写明对象（audience）")
        if len(entry.variants) < FEWEST_VARIANTS:
            yield Finding(entry.id, f"只有{len(entry.variants)}条相似问法，至少{FEWEST_VARIANTS}条")
        for span in entry.spans:
            since = f"（自{span.start}起的文本）" if span.start else ""
            length = sum(not character.isspace() for character in span.answer)
            if length > ANSWER_LIMIT:
                yield Finding(entry.id, f"答复{since}有{length}字，最多{ANSWER_LIMIT}字，最好不超过300字")
            if not span.answer.split("\n", 1)[0].rstrip().endswith(("。", "：", "！", "；")):
                yield Finding(entry.id, f"答复{since}第一行不是完整的句子")
            if not span.citations:
                yield Finding(entry.id, f"答复{since}没有依据")


def _citations(entries: list[EntryForm], register: Register, on: date) -> Iterator[Finding]:
    for entry in entries:
        for span in entry.spans:
            day = span.day_nearest(on)
            for citation in span.citations:
                lapsed = register.lapsed_on(citation, day)
                if lapsed and lapsed >= entry.checked_on:
                    # It held when the entry was checked: time has passed, nobody wrote anything wrong.
                    yield Finding(
                        entry.id, f"{citation}：自{lapsed}后失效，条目核对于{entry.checked_on}，请复核", is_error=False
                    )
                    day_checked = lapsed
                else:
                    day_checked = day
                for fault in register.faults(citation, day_checked):
                    yield Finding(entry.id, fault)


def _against_texts(entries: list[EntryForm], register: Register, texts: StatuteTexts) -> Iterator[Finding]:
    for entry in entries:
        for citation, _ in entry.all_citations:
            if citation.unverified:
                if citation.statute in texts.statutes:
                    yield Finding(
                        entry.id,
                        f"《{citation.statute}》有文本可查，请核对后去掉“未核对”（unverified）",
                        is_error=False,
                    )
                continue
            if citation.article is None:
                continue
            text = texts.articles.get((citation.statute, citation.article, citation.sub))
            if text is None:
                yield Finding(entry.id, f"{citation}：现有文本中没有这一条")
                continue
            facts = register.articles.get((citation.statute, place_of(citation)))
            if facts and facts.hash != text_hash(text):
                yield Finding(entry.id, f"{citation}：现有文本与条目核对时的文本不同")
            for fault in place_faults(citation, tuple(len(items) for _, items in paragraphs(text))):
                yield Finding(entry.id, f"{fault}（按现有文本）")


def _figures(entries: list[EntryForm], figures: set[str]) -> Iterator[Finding]:
    for entry in entries:
        for key in sorted(entry.figures - figures):
            yield Finding(entry.id, f"答复引用了没有登记的数字：{key}")


def _reviews(entries: list[EntryForm], on: date) -> Iterator[Finding]:
    for entry in entries:
        if entry.review_by < on:
            yield Finding(entry.id, f"应在{entry.review_by}前复核，已过期", is_error=False)
        for span in entry.spans:
            if span.end and span.end < on:
                yield Finding(entry.id, f"有一段答复只到{span.end}为止，已过期", is_error=False)
        if any(citation.unverified for citation, _ in entry.all_citations):
            days = (entry.review_by - entry.checked_on).days
            if days > UNVERIFIED_DAYS:
                yield Finding(entry.id, "有未核对的依据：复核日期须在核对日期后三个月内")


def _own_wordings(entries: list[EntryForm]) -> Iterator[Finding]:
    for entry in entries:
        counts = Counter(normalize(text) for text in entry.variants)
        repeated = [text for text, count in counts.items() if count > 1]
        if repeated:
            yield Finding(entry.id, f"相似问法重复：{'、'.join(repeated[:3])}")
        empty = [text for text in entry.variants if not normalize(text)]
        if empty:
            yield Finding(entry.id, f"相似问法没有可匹配的文字：{'、'.join(empty[:3])}")
        alike = likeness(entry)
        if alike is None:
            continue
        if alike.alike > ALIKE_SHARE:
            yield Finding(entry.id, f"{alike.alike:.0%}的相似问法彼此雷同（ratio ≥ {ALIKE_RATIO}），最多10%")
        if alike.start_count > max(5, alike.variants * START_SHARE):
            yield Finding(
                entry.id,
                f"{alike.variants}条相似问法中有{alike.start_count}条以“{alike.start}”开头",
                is_error=False,
            )


def _clashes(
    entries: list[EntryForm], contrasts: set[frozenset[str]], progress: Progress | None = None
) -> Iterator[Finding]:
    owners = [(entry.id, text) for entry in entries for text in (entry.question, *entry.variants)]
    normal = [normalize(text) for _, text in owners]
    for first, second in sorted(near_pairs(normal, progress)):
        (one, text), (other, near) = sorted((owners[first], owners[second]))
        if one != other and frozenset((normal[first], normal[second])) not in contrasts:
            yield Finding(one, f"「{text}」与 {other} 的「{near}」几乎相同")


def beside_texts(entries: Iterable[EntryForm], texts: StatuteTexts) -> Iterator[str]:
    """For review: each answer with the text of what it cites."""
    for entry in entries:
        for span in entry.spans:
            since = f"（自{span.start}起）" if span.start else ""
            yield f"\n{'=' * 72}\n{entry.id} {entry.title}{since}\n{entry.question}\n\n{span.answer}\n"
            for citation in span.citations:
                yield _beside(citation, texts)


def _beside(citation: Cited, texts: StatuteTexts) -> str:
    if citation.unverified:
        return f"  ▸ {citation} 未核对原文：{citation.check}"
    text = "（没有这一条）"
    if citation.article is not None:
        text = texts.articles.get((citation.statute, citation.article, citation.sub), text)
    return f"  ▸ {citation}\n    {text.replace(chr(10), chr(10) + '    ')}"
