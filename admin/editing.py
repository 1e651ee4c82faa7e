"""The editor's fields: what stands in them, and the content they make."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from admin.paging import day_of
from knowledge import findings, wordings
from knowledge.differences import cited_line
from knowledge.errors import InvalidInput
from knowledge.statutes.citation import arabic_number
from knowledge.statutes.register import Register

_NUMBER = "[一二三四五六七八九十百千零〇两\\d]{1,8}"
_CITATION = re.compile(
    rf"《?(?P<statute>[^《》\s]{{2,100}}?)》?\s*"
    rf"(?:第?\s*(?P<article>{_NUMBER})\s*条?(?:之(?P<sub>{_NUMBER}))?"
    rf"(?:\s*第(?P<paragraph>{_NUMBER})款)?(?:\s*第[（(]?(?P<item>{_NUMBER})[）)]?项)?)?"
    rf"(?:\s*[（(]?未核对[：:](?P<check>[^）)]{{1,200}})[）)]?)?"
)


def content_of(form: FormData) -> dict[str, Any]:
    """The editor's fields as a draft keeps them; InvalidInput naming a citation or day that cannot be read."""

    def text(name: str) -> str:
        return str(form.get(name, "")).replace("\r\n", "\n").strip()

    def lines(name: str) -> list[str]:
        return [line.strip() for line in text(name).split("\n") if line.strip()]

    content: dict[str, Any] = {name: text(name) for name in ("title", "topic", "question", "answer", "referral")}
    content |= {name: wordings.distinct(lines(name)) for name in ("variants",)}
    content |= {name: list(dict.fromkeys(lines(name))) for name in ("related", "key_terms")}
    content["audience"] = [str(one) for one in form.getlist("audience")]
    # A button beside an article that was looked up adds it.
    content["citations"] = [citation_of(line) for line in dict.fromkeys((*lines("citations"), *lines("cite")))]
    for name in ("review_by", "valid_from", "valid_until"):
        day = day_of(text(name))
        content[name] = day.isoformat() if day else None
    return content


def citation_of(line: str) -> dict[str, Any]:
    """A citation as staff write it (劳动合同法 第十九条第二款); InvalidInput for anything else."""
    found = _CITATION.fullmatch(line)
    if found is None:
        raise InvalidInput(f"看不懂依据“{line}”：请写成 劳动合同法 第十九条第二款，每行一条")
    numbers = {
        name: arabic_number(found[name]) if found[name] else None for name in ("article", "sub", "paragraph", "item")
    }
    check = found["check"]
    return {
        "statute": full_title(found["statute"]),
        **numbers,
        "unverified": check is not None,
        "check": check.strip() if check else None,
    }


def full_title(name: str) -> str:
    """The full official title of an everyday name, where the shipped register knows it."""
    register: Register = findings.register()
    if name in register.statutes:
        return name
    for title, statute in register.statutes.items():
        if name in {title.removeprefix("中华人民共和国"), *statute.aliases}:
            return title
    return name


def fields_of(content: Mapping[str, Any], typed: FormData | None) -> dict[str, Any]:
    """What stands in the editor: what was just typed, else the draft."""
    if typed is not None:
        fields: dict[str, Any] = {name: str(typed.get(name, "")) for name in _EDITED}
        fields["audience"] = [str(one) for one in typed.getlist("audience")]
        return fields
    listed = {name: "\n".join(content.get(name) or []) for name in ("variants", "related", "key_terms")}
    plain = {name: content.get(name) or "" for name in _EDITED if name not in listed and name != "citations"}
    cited = "\n".join(cited_line(one) for one in content.get("citations") or [])
    return {**plain, **listed, "citations": cited, "audience": content.get("audience") or []}


_EDITED = (
    "title", "topic", "question", "answer", "referral", "variants", "related", "key_terms", "citations",
    "review_by", "valid_from", "valid_until",
)  # fmt: skip
