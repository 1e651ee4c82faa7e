"""同义词, 对立事实, 关键事实: what the matcher is given beside the entries, found and edited row by row."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Curator, OwnForm, Reading, Transaction
from admin.errors import status_of
from admin.paging import page_number
from admin.rendering import page
from knowledge import curation, matching_data
from knowledge.errors import InvalidInput, SettingMoved
from knowledge.fixed_replies import split_keywords
from knowledge.matching.normalize import normalize
from knowledge.models import MatchingKind, StaffMember

router = APIRouter()
PER_PAGE = 50


class Editable(StrEnum):
    """The kinds that staff edit here; the classes of foreign matters come with the release."""

    LEXICON = "lexicon"
    AXES = "axes"
    FACTS = "facts"

    @property
    def stored(self) -> MatchingKind:
        """The kind as it is stored."""
        return MatchingKind(self)


@dataclass(frozen=True, slots=True)
class Words:
    """What a kind is called on its pages, and how its form is to be filled in."""

    title: str
    purpose: str
    name: str
    lines: str
    hint: str


WORDS = {
    Editable.LEXICON: Words(
        "同义词",
        "日常说法归到概念，换一种说法也认得出",
        "概念名称",
        "说法（每行一个，或用顿号隔开）",
        "只写意思相同、对答案没有差别的说法；意思相反的绝不能放在一起。一个说法只归一个概念，长的先认。",
    ),
    Editable.AXES: Words(
        "对立事实",
        "说反了答案就错的事实：来信与条目说的相反时，不直接答复该条目",
        "名称",
        "各种情形（每行一种，写成 情形：说法、说法）",
        "例：已签：签了合同、签过合同。长的说法先认：“没签合同”不会被当成“签合同”。",
    ),
    Editable.FACTS: Words(
        "关键事实",
        "几个条目只差一个没说的事实时，先问这个事实",
        "问句（4至40字）",
        "选项（每行一个，写成 按钮文字：条目标题、条目标题）",
        "2至4个选项，按钮文字最多16字。一个选项可以对应几个条目，取候选里排在前面的那个；也可以写条目编号。",
    ),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form: the row's name, and its lines."""

    name: str = ""
    lines: str = ""


def typed(name: Annotated[str, Form()] = "", lines: Annotated[str, Form()] = "") -> Typed:
    """The form as it was sent."""
    return Typed(name.strip(), lines)


TypedForm = Annotated[Typed, Depends(typed)]


@router.get("/settings/matching/{kind}")
def list_rows(request: Request, kind: Editable, member: Curator, session: Reading) -> Response:
    """All rows of a kind; with ?q=, those that have it in their name or among their words."""
    query = request.query_params.get("q", "").strip()[:60]
    number = page_number(request)
    listed = matching_data.rows(session, kind.stored)
    found = [(place, row) for place, row in enumerate(listed) if _has(kind, row, query)]
    shared = matching_data.shared_words(listed) if kind is Editable.LEXICON else {}
    shown = found[(number - 1) * PER_PAGE : number * PER_PAGE]
    titles = _titles(session, [row for _, row in shown]) if kind is Editable.FACTS else {}
    return page(
        request,
        "settings/matching_list.html",
        member=member,
        kind=kind,
        words=WORDS[kind],
        rows=[
            (place, matching_data.name_of(kind.stored, row), lines_of(kind, row, titles), _shared_in(kind, row, shared))
            for place, row in shown
        ],
        total=len(listed),
        query=query,
        number=number,
        has_next=len(found) > number * PER_PAGE,
        saved=request.query_params.get("saved") == "1",
    )


@router.get("/settings/matching/{kind}/new")
def new_row(request: Request, kind: Editable, member: Curator) -> Response:
    """An empty form."""
    return _show(request, member, kind, None, "", Typed())


@router.post("/settings/matching/{kind}", dependencies=[OwnForm])
def add_row(request: Request, kind: Editable, member: Curator, session: Transaction, form: TypedForm) -> Response:
    """Add a row; a new content version is published, and the index follows."""
    try:
        row = row_of(session, kind, form)
        matching_data.add_row(session, kind.stored, row, actor=member.name, now=request.app.state.now())
    except InvalidInput as error:
        return _show(request, member, kind, None, "", form, errors=str(error).split("\n"), status=422)
    return _see_list(request, kind)


@router.get("/settings/matching/{kind}/{number}")
def show_row(request: Request, kind: Editable, number: int, member: Curator, session: Reading) -> Response:
    """One row, to be changed or deleted."""
    row = matching_data.row_at(session, kind.stored, number)
    titles = _titles(session, [row]) if kind is Editable.FACTS else {}
    form = Typed(matching_data.name_of(kind.stored, row), "\n".join(lines_of(kind, row, titles)))
    return _show(request, member, kind, number, matching_data.mark_of(row), form)


@router.post("/settings/matching/{kind}/{number}", dependencies=[OwnForm])
def change_row(
    request: Request,
    kind: Editable,
    number: int,
    member: Curator,
    session: Transaction,
    form: TypedForm,
    against: Annotated[str, Form()] = "",
) -> Response:
    """Save what was typed; a new content version is published, and the index follows."""
    now = request.app.state.now()
    try:
        row = row_of(session, kind, form)
        matching_data.change_row(session, kind.stored, number, row, against=against, actor=member.name, now=now)
    except (InvalidInput, SettingMoved) as error:
        status = status_of(error)
        faults = str(error).split("\n")
        return _show(request, member, kind, number, against, form, errors=faults, status=status)
    return _see_list(request, kind)


@router.post("/settings/matching/{kind}/{number}/removal", dependencies=[OwnForm])
def remove_row(
    request: Request,
    kind: Editable,
    number: int,
    member: Curator,
    session: Transaction,
    against: Annotated[str, Form()] = "",
) -> Response:
    """Delete a row; the log of changes keeps what it said."""
    now = request.app.state.now()
    matching_data.remove_row(session, kind.stored, number, against=against, actor=member.name, now=now)
    return _see_list(request, kind)


def _show(
    request: Request,
    member: StaffMember,
    kind: Editable,
    number: int | None,
    mark: str,
    form: Typed,
    *,
    errors: list[str] | None = None,
    status: int = 200,
) -> Response:
    return page(
        request,
        "settings/matching_row.html",
        status=status,
        member=member,
        kind=kind,
        words=WORDS[kind],
        number=number,
        mark=mark,
        form=form,
        errors=errors or [],
    )


def row_of(session: Session, kind: Editable, form: Typed) -> dict[str, Any]:
    """The form as a row of its kind; InvalidInput for a line that cannot be read."""
    match kind:
        case Editable.LEXICON:
            return {"concept": form.name, "words": _unique(split_keywords(form.lines))}
        case Editable.AXES:
            values: dict[str, list[str]] = {}
            for value, words in _pairs(form.lines):
                values[value] = _unique([*values.get(value, []), *words])
            return {"axis": form.name, "values": values}
        case Editable.FACTS:
            options = [
                {"label": label, "entries": curation.ids_of_titles(session, named)}
                for label, named in _pairs(form.lines)
            ]
            return {"ask": form.name, "options": options}


def _pairs(lines: str) -> list[tuple[str, list[str]]]:
    """Lines of the form 名称：词、词."""
    found = []
    for line in lines.splitlines():
        if not line.strip():
            continue
        name, colon, words = re.sub("[:：]", "：", line, count=1).partition("：")
        if not colon:
            raise InvalidInput(f"这一行没有冒号：“{line.strip()[:30]}”，请写成 名称：内容、内容")
        found.append((name.strip(), split_keywords(words)))
    return found


def lines_of(kind: Editable, row: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    match kind:
        case Editable.LEXICON:
            return list(row["words"])
        case Editable.AXES:
            return [f"{value}：{'、'.join(words)}" for value, words in row["values"].items()]
        case Editable.FACTS:
            return [
                f"{option['label']}：{'、'.join(titles.get(one, one) for one in option['entries'])}"
                for option in row["options"]
            ]


def _has(kind: Editable, row: Mapping[str, Any], query: str) -> bool:
    if not query:
        return True
    normal = normalize(query) or query
    inside = [matching_data.name_of(kind.stored, row), *lines_of(kind, row, {})]
    return any(query in text or normal in normalize(text) for text in inside)


def _shared_in(kind: Editable, row: Mapping[str, Any], shared: Mapping[str, list[str]]) -> list[str]:
    """Which other concept holds a phrase of this one, in words."""
    if kind is not Editable.LEXICON:
        return []
    found = []
    for word in row["words"]:
        names = shared.get(normalize(word), [])
        if names and names[0] != row["concept"]:
            found.append(f"“{word}”也在“{names[0]}”里，只按“{names[0]}”认")
    return found


def _titles(session: Session, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Titles to write instead of ids, as far as a line can hold them: a comma would cut one in two."""
    ids = {one for row in rows for option in row["options"] for one in option["entries"]}
    titles = curation.titles_of(session, ids)
    return {one: title for one, title in titles.items() if split_keywords(title) == [title]}


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _see_list(request: Request, kind: Editable) -> Response:
    return RedirectResponse(f"{request.url_for('list_rows', kind=kind).path}?saved=1", status_code=303)
