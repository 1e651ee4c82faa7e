"""What is wrong with a draft: its form, its wordings and its citations."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pydantic import ValidationError
from sqlmodel import Session, col, select

from knowledge.content import REGISTER
from knowledge.content.checks import check
from knowledge.content.entries import EntryForm
from knowledge.errors import InvalidInput
from knowledge.matching.index import Index
from knowledge.matching.normalize import normalize
from knowledge.models import EntryDraft, EntryStatus, FaqEntry, Figure, Variant
from knowledge.statutes import library
from knowledge.statutes.citation import Cited
from knowledge.statutes.register import Register, place_faults, read_register
from knowledge.statutes.texts import paragraphs
from knowledge.wordings import taken_by

_SIGNS = re.compile(r"[^\w%]+|_+")


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with a draft: `faults` stop it, `doubts` a colleague must have looked at."""

    faults: tuple[str, ...]
    doubts: tuple[str, ...]


def form_of(draft: EntryDraft) -> EntryForm:
    """A draft as a complete entry; InvalidInput naming every field that is not right."""
    try:
        return EntryForm.model_validate({**draft.content, "id": draft.entry_id, "status": "published"})
    except ValidationError as error:
        raise InvalidInput(
            "；".join(_fault(item["loc"], item["type"], item["msg"]) for item in error.errors())
        ) from error


def findings(session: Session, draft: EntryDraft, today: date, index: Index | None = None) -> Findings:
    """What is wrong with a draft on a day.

    With the index in force, wordings are looked up there, in no time; without, in the database, where 40,000 of them
    take a second.
    """
    try:
        form = form_of(draft)
    except InvalidInput as error:
        return Findings((str(error),), ())
    faults: list[str] = []
    if not form.answer:
        faults.append("请填写答复")
    if not form.citations:
        faults.append("请至少写一条依据")
    holder = session.exec(select(FaqEntry.id).where(FaqEntry.title == form.title, FaqEntry.id != form.id)).first()
    if holder:
        faults.append(f"标题“{form.title}”已经是条目 {holder} 的标题")
    faults += _wording_faults(session, form) if index is None else _taken_wordings(index, form)
    doubts: list[str] = []
    for cited, _ in form.all_citations:
        known, unknown = _citation_faults(session, cited, today)
        faults += known
        doubts += unknown
    related = set(session.exec(select(FaqEntry.id).where(col(FaqEntry.id).in_(form.related))))
    faults += [f"相关条目 {one} 不存在" for one in form.related if one not in related]
    doubts += _content_doubts(session, form, today)
    return Findings(tuple(dict.fromkeys(faults)), tuple(dict.fromkeys(doubts)))


def _taken_wordings(index: Index, form: EntryForm) -> list[str]:
    taken = ((text, taken_by(index, text, form.id)) for text in (form.title, form.question, *form.variants))
    return [_two_answers(text, title) for text, title in taken if title is not None]


def _two_answers(text: str, title: str) -> str:
    return f"“{text}”已经是“{title}”的问法，一句话不能有两个答案"


def _wording_faults(session: Session, form: EntryForm) -> list[str]:
    """Wordings that are another entry's already: one wording cannot have two answers."""
    texts = (form.title, form.question, *form.variants)
    own = {_key(text) for text in texts} | {normalize(text) for text in texts}
    faults = []
    rows = session.exec(
        select(Variant.text, FaqEntry.title)
        .join(FaqEntry, col(FaqEntry.id) == Variant.entry_id)
        .where(Variant.entry_id != form.id, FaqEntry.status == EntryStatus.PUBLISHED)
    ).all()
    titled = session.exec(
        select(FaqEntry.question, FaqEntry.title).where(
            FaqEntry.id != form.id, FaqEntry.status == EntryStatus.PUBLISHED
        )
    ).all()
    for text, title in (*rows, *titled):
        if _key(text) in own:
            faults.append(_two_answers(text, title))
    return faults


def _key(text: str) -> str:
    """A wording without signs and capitals. Unlike `normalize` it leaves traditional characters, which would take
    seconds for 40,000 wordings; staff write simplified ones."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text)).lower()


def _citation_faults(session: Session, cited: Cited, today: date) -> tuple[list[str], list[str]]:
    """Faults of a citation, and what nobody can check here: by the texts at hand, else by the shipped register."""
    if cited.article is not None and not cited.unverified:
        article = library.cited_article(session, cited, today)
        if article is not None:
            return place_faults(cited, tuple(len(items) for _, items in paragraphs(article.text))), []
    statute = register().statutes.get(cited.statute)
    if cited.unverified:
        return ([] if cited.check else [f"{cited}：没有核对过原文的依据，请写明怎样核对"]), []
    if statute is None:
        return [], [f"《{cited.statute}》不在法规库里：请核对全称和条文"]
    found = register().faults(cited, today)
    unchecked = [fault for fault in found if "还没有人核对过" in fault]
    return [fault for fault in found if fault not in unchecked], [
        f"{cited}：条文没有核对过，请对照原文" for _ in unchecked
    ]


def _content_doubts(session: Session, form: EntryForm, today: date) -> list[str]:
    found = check(
        [form.model_copy(update={"related": [], "citations": [], "later": []})],
        register(),
        figures=set(session.exec(select(Figure.key))),
        contrasts=set(),
        on=today,
    )
    return [one.text for one in found if "没有依据" not in one.text]


@lru_cache(maxsize=1)
def register() -> Register:
    """The register that ships."""
    return read_register(REGISTER)


_FIELD_WORDS = {
    "title": "标题", "topic": "主题", "question": "问题", "answer": "答复", "citations": "依据", "variants": "相似问法",
    "key_terms": "关键词", "related": "相关条目", "audience": "对象", "referral": "转介热线", "checked_on": "核对日期",
    "review_by": "复核期限", "valid_from": "生效日期", "valid_until": "失效日期", "later": "以后的文本",
}  # fmt: skip


def _fault(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    name = _FIELD_WORDS.get(str(loc[0]), str(loc[0])) if loc else "条目"
    if kind in {"missing", "string_too_short", "too_short", "literal_error"}:
        return f"请填写{name}"
    if kind in {"string_too_long", "too_long"}:
        return f"{name}太长" + ("，最多12字" if loc and loc[0] == "title" else "")
    if kind.startswith("date"):
        return f"{name}不是日期"
    return f"{name}：{message.removeprefix('Value error, ')}"
