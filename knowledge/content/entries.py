"""FAQ entries in their YAML form: the seed, and the form in which entries are exchanged."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from knowledge.errors import ContentError
from knowledge.models import Domain
from knowledge.statutes.citation import Cited

REFERRALS = {
    "12348": "公共法律服务",
    "12333": "人力资源和社会保障",
    "12366": "纳税缴费服务",
    "12315": "市场监管投诉举报",
    "12345": "政务服务便民",
    "12351": "职工维权（工会）",
}
TITLE_LIMIT = 12
_FIGURE = re.compile(r"\{figure:([a-z0-9_]+)\}")

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def _plain(text: str) -> str:
    """One kind of line end, and nothing that XML (WeChat, XLSX) could not carry."""
    found = _CONTROL.search(text)
    if found:
        raise ValueError(f"第{found.start() + 1}个字符是控制字符 U+{ord(found[0]):04X}，请删去")
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


Prose = Annotated[str, AfterValidator(_plain)]
Text = Annotated[str, Field(min_length=1), AfterValidator(_plain)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class CitationForm(_Strict):
    """A citation as written in YAML; see `Cited` for what the fields mean."""

    statute: Text
    article: int | None = Field(default=None, gt=0)
    sub: int | None = Field(default=None, gt=0)
    paragraph: int | None = Field(default=None, gt=0)
    item: int | None = Field(default=None, gt=0)
    unverified: bool = False
    check: Text | None = None

    def cited(self) -> Cited:
        """The same as a value of the core."""
        return Cited(**self.model_dump())


class LaterForm(_Strict):
    """The text an entry gets on a known day, when the law changes."""

    valid_from: date
    answer: Prose
    citations: list[CitationForm] = []


@dataclass(frozen=True, slots=True)
class Span:
    """One text of an entry with what it cites, from `start` to `end` (None: open on that side)."""

    answer: str
    citations: tuple[Cited, ...]
    start: date | None
    end: date | None

    def day_nearest(self, day: date) -> date:
        """The day itself, or where the text does not hold on it, its first or last day."""
        if self.end and day > self.end:
            return self.end
        return max(day, self.start) if self.start else day


class EntryForm(_Strict):
    """One FAQ entry as written in YAML.

    The answer holds from `valid_from` until the first of `later`, the last text until `valid_until`
    (None: open). Texts carry "\\n" as their only line end and no control characters: XML, and so WeChat
    and XLSX, could not carry them.
    """

    id: str = Field(pattern=r"^(labor|company|business)(\.[a-z0-9_]+)+$", max_length=100)
    title: Annotated[str, Field(min_length=2, max_length=TITLE_LIMIT), AfterValidator(_plain)]
    topic: Annotated[str, Field(min_length=1, max_length=50), AfterValidator(_plain)]
    question: Text
    # A draft may lack any of these; `checks.py` asks for them before publishing.
    audience: list[Literal["employee", "employer", "founder"]] = []
    variants: list[Text] = []
    answer: Prose
    citations: list[CitationForm] = []
    related: list[str] = []
    key_terms: list[Text] = []
    referral: Literal["12348", "12333", "12366", "12315", "12345", "12351"]
    status: Literal["draft", "submitted", "reviewed", "published", "archived"] = "published"
    checked_on: date
    review_by: date
    valid_from: date | None = None
    valid_until: date | None = None
    later: list[LaterForm] = []

    @field_validator("answer")
    @classmethod
    def _no_links(cls, answer: str) -> str:
        if re.search(r"https?://", answer):
            raise ValueError("答复里不能有网址：请写机构名称和热线")
        return answer

    @model_validator(mode="after")
    def _days_follow(self) -> Self:
        days = [day for day in (self.valid_from, *(later.valid_from for later in self.later)) if day]
        if any(first >= second for first, second in pairwise(days)):
            raise ValueError("以后的文本须按起始日先后排列，且都在生效日期之后")
        if self.valid_until and days and self.valid_until < days[-1]:
            raise ValueError(f"失效日期{self.valid_until}早于最后一段文本的起始日{days[-1]}")
        return self

    @property
    def domain(self) -> Domain:
        """The field of law, which is the id's first part."""
        return Domain(self.id.split(".", 1)[0])

    @property
    def figures(self) -> set[str]:
        """Keys of the yearly figures the answer asks for."""
        texts = [self.answer, *(later.answer for later in self.later)]
        return {key for text in texts for key in figures_in(text)}

    @property
    def spans(self) -> list[Span]:
        """Each text with its citations and the days it holds, first to last."""
        starts = [self.valid_from, *(later.valid_from for later in self.later)]
        ends = [*(later.valid_from - timedelta(days=1) for later in self.later), self.valid_until]
        texts = [(self.answer, self.citations), *((later.answer, later.citations) for later in self.later)]
        return [
            Span(answer, tuple(form.cited() for form in citations), start, end)
            for (answer, citations), start, end in zip(texts, starts, ends, strict=True)
        ]

    @property
    def all_citations(self) -> list[tuple[Cited, date | None]]:
        """Every citation with the day its text takes effect (None: holds already)."""
        return [(form.cited(), None) for form in self.citations] + [
            (form.cited(), later.valid_from) for later in self.later for form in later.citations
        ]

    def as_of(self, day: date) -> Self:
        """The entry without texts that ran out before the day; since when the present one holds is left out.

        So forms of one entry compare alike whether they were written before or after a text changed. Where
        every text ran out, the last stays.
        """
        spans = [span for span in self.spans if span.end is None or span.end >= day] or self.spans[-1:]
        first = spans[0]
        start = first.start if first.start and first.start > day else None
        kept = self.later[len(self.later) - len(spans) + 1 :] if len(spans) > 1 else []
        citations = self.citations if len(spans) == len(self.spans) else self.later[-len(spans)].citations
        return self.model_copy(
            update={"answer": first.answer, "citations": citations, "valid_from": start, "later": kept}
        )

    def seed_hash(self) -> str:
        """A hash over all the entry says, the same for the same content however the file is laid out."""
        content = self.model_dump(mode="json")
        for added in ("valid_from", "valid_until"):
            # Fields the form has gained: entries without them keep the hash they were loaded with.
            if content[added] is None:
                del content[added]
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


class FigureForm(_Strict):
    """A yearly figure as written in YAML; `value` null where it is not confirmed."""

    key: str = Field(pattern=r"^[a-z0-9_]+$")
    name: Text
    value: str | None
    unit: Text
    effective: date | None
    source: Text
    ask: Text


def figures_in(text: str) -> set[str]:
    """Keys of the yearly figures a text asks for."""
    return set(_FIGURE.findall(text))


def word_figure(value: str | None, unit: str, effective: date | None, ask: str) -> str:
    """What stands in an answer in a yearly figure's place; without a value, whom to ask."""
    if value is None:
        return f"以最新公布为准（{ask}）"
    since = f"（{effective.year}年{effective.month}月起执行）" if effective else ""
    return f"{value}{unit}{since}"


def fill_figures(text: str, figures: dict[str, str]) -> str:
    """Put the wording of each yearly figure in the place of its `{figure:KEY}`.

    Raises KeyError for a key nobody keeps: `kb check` has made sure there is none in published text.
    """
    return _FIGURE.sub(lambda match: figures[match[1]], text)


def read_entries(path: Path) -> list[tuple[Path, EntryForm]]:
    """Read a YAML file or every one below a folder; raises ContentError listing every fault of form."""
    faults: list[str] = []
    entries: list[tuple[Path, EntryForm]] = []
    for file in _yaml_files(path):
        rows, fault = _rows(file)
        if fault:
            faults.append(fault)
        for number, row in enumerate(rows, 1):
            try:
                entries.append((file, EntryForm.model_validate(row)))
            except ValidationError as error:
                name = row.get("id", f"entry {number}") if isinstance(row, dict) else f"entry {number}"
                faults += [
                    f"{file.name}: {name}: {'.'.join(map(str, item['loc'])) or 'entry'}: {item['msg']}"
                    for item in error.errors()
                ]
    if faults:
        raise ContentError("\n".join(faults))
    return entries


def explain(fault: ErrorDetails) -> str:
    """A fault of form in words for staff."""
    context = fault.get("ctx", {})
    match fault["type"]:
        case "missing":
            return "没有填写"
        case "string_too_short" | "too_short":
            return "没有填写" if context.get("min_length") == 1 else f"太短，至少{context.get('min_length')}字"
        case "string_too_long":
            return f"太长，最多{context.get('max_length')}字"
        case "string_pattern_mismatch":
            return (
                f"“{fault['input']}”不合规则：以 labor、company 或 business 开头，用点分段，只用小写字母、数字和下划线"
            )
        case "literal_error":
            return f"“{fault['input']}”不在可填的范围内：{context.get('expected')}"
        case kind if kind.startswith("date"):
            return f"“{fault['input']}”不是日期，请写成 2027-01-01"
        case "greater_than":
            return f"应大于{context.get('gt')}"
        case "value_error":
            return str(context.get("error"))
        case _:
            return fault["msg"]


def read_figures(path: Path) -> list[FigureForm]:
    """Read the yearly figures; raises ContentError where the file breaks the form."""
    rows, fault = _rows(path)
    if fault:
        raise ContentError(fault)
    try:
        return [FigureForm.model_validate(row) for row in rows]
    except ValidationError as error:
        raise ContentError(f"{path.name}: {error}") from error


def _yaml_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.rglob("*.yaml"))
    if not path.exists():
        raise ContentError(f"{path} does not exist")
    return [path]


def _rows(file: Path) -> tuple[list[Any], str | None]:
    try:
        # The C loader where it was built: 400 entries with 14,000 variants load ten times as fast.
        rows = yaml.load(file.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return [], f"{file.name}: not readable as YAML: {error}"
    if rows is None:
        return [], None
    if not isinstance(rows, list):
        return [], f"{file.name}: a list of entries is wanted, each beginning with '- '"
    return rows, None
