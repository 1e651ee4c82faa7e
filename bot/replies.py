"""Outcome to Chinese text: answers by `wording/`, the rest by staff's texts; cut into parts WeChat takes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.settings import PART_LIMIT_BYTES
from knowledge.answering import Choice
from knowledge.content.entries import REFERRALS
from knowledge.curation import EntryText
from knowledge.fixed_replies import FixedText
from knowledge.models import Inquiry, InquiryStatus
from knowledge.outbox import DueReply
from knowledge.statutes.citation import name_together
from knowledge.texts import Texts, fill

_CONTINUES = "\n（未完）"
_CONTINUED = "（接上条）\n"
_IGNORE_IF_HAD = "（如已收到请忽略）\n"
_NONE = "都不是"  # ends every list of choices
_RELATED = 3
_SAMPLE_NUMBER = "Q20260105-0001"
# Which text is said to what kind of message (WeChat's name of it) that holds no words.
UNREADABLE = {
    "voice": "unreadable_voice",
    "image": "unreadable_picture",
    "video": "unreadable_picture",
    "shortvideo": "unreadable_picture",
    "location": "unreadable_location",
    "link": "unreadable_link",
}
_STATUS = {
    InquiryStatus.NEW: "已登记，等待工作人员受理",
    InquiryStatus.ASSIGNED: "工作人员正在办理",
    InquiryStatus.WAITING: "工作人员在等您补充情况",
    InquiryStatus.ANSWERED: "已答复",
    InquiryStatus.MERGED: "已并入您的另一个提问",
    InquiryStatus.DECLINED: "已办结，不属于解答范围",
    InquiryStatus.REFERRED: "已转有关部门",
}


def tap(text: str, message_id: int | None = None, label: str | None = None) -> str:
    """A link in a reply that makes the asker send `text` when tapped.

    The message id rides along as a hint only: it comes back from the phone (wechat.md §1.7). Text is
    percent-encoded whole, since the Android client decodes it as a form.
    """
    return _tap(text, f"m{message_id}" if message_id is not None else "m", label)


def _tap(text: str, menu_id: str, label: str | None = None) -> str:
    return (
        f'<a href="weixin://bizmsgmenu?msgmenucontent={quote(text, safe="")}&msgmenuid={menu_id}">{label or text}</a>'
    )


def plain(text: str, limit: int = 60) -> str:
    """An asker's own words, safe to echo: no tag survives, and not more than `limit` characters."""
    shown = " ".join(text.replace("<", "＜").replace(">", "＞").split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def answer(entry: EntryText, message_id: int, limit_bytes: int = PART_LIMIT_BYTES) -> list[str]:
    """A curated answer with basis, related questions, date, notice and taps.

    As many related questions are offered as leave the whole in one part; the rest of a text that is too
    long all the same comes behind 更多.
    """
    text = ""
    basis = name_together(list(entry.citations))
    for count in range(min(_RELATED, len(entry.related)), -1, -1):
        text = _word(
            "answer",
            entry=entry,
            basis=basis,
            unverified=any(cited.unverified for cited in entry.citations),
            related=[title for _, title in entry.related[:count]],
            message_id=message_id,
        )
        if len(text.encode()) <= limit_bytes:
            break
    return split_reply(text, limit_bytes)


def clarify(choices: Sequence[Choice], question: str | None, message_id: int) -> str:
    """The choices, numbered and tappable, under the question for the fact that decides between them, if any.

    A fact's value that reads like the list's own last line (都不是) gives way to the entry's title.
    """
    choices = [replace(one, label=one.title) if one.label == _NONE else one for one in choices]
    return _word("clarify", choices=choices, question=question, message_id=message_id)


def several(entries: Sequence[EntryText], message_id: int, limit_bytes: int = PART_LIMIT_BYTES) -> str:
    """Answers to several questions in one message: of each the first line, its basis and a tap for the whole.

    As many citations of each are named as leave all of it in one part, at least one; the whole answer has them all.
    """
    text = ""
    for count in range(max(len(entry.citations) for entry in entries), 0, -1):
        text = _word(
            "several",
            entries=entries,
            first_line=lambda entry: entry.answer.strip().splitlines()[0],
            basis=partial(_basis, most=count),
            checked_on=min(entry.checked_on for entry in entries),
            signed_off=all(entry.signed_off_by is not None for entry in entries),
            message_id=message_id,
        )
        if len(text.encode()) <= limit_bytes:
            break
    return text


def _basis(entry: EntryText, *, most: int) -> str:
    """An entry's citations in one line, not more than `most` of them."""
    cited = list(entry.citations)
    return name_together(cited[:most]) + ("等" if len(cited) > most else "")


def registered(
    texts: Texts, inquiry: Inquiry, *, opened: bool, hotline: str | None, is_outside: bool, may_call: bool
) -> str:
    """A question that a person will answer has its number; `opened` is False where it joined one that was there.

    `hotline` is the one to name, if any; `is_outside` says that the matter is outside our domains; `may_call` offers
    to be called back.
    """
    values = {**_of_inquiry(inquiry), "工作日": str(texts.working_days), "留电话": tap("留电话")}
    if hotline is not None:
        values |= {"热线": hotline, "部门": REFERRALS[hotline]}
    has_answer = inquiry.reason not in ("unresolved", "none_of_these")
    keys = ["registered_added" if not opened else "registered_asked" if has_answer else "registered_unresolved"]
    keys += ["registered_urgent"] if inquiry.urgent else []
    keys += ["registered_next"]
    keys += [] if hotline is None else ["hotline_outside" if is_outside else "hotline"]
    keys += ["callback_invite"] if may_call else []
    return "\n".join(texts.fill(key, values) for key in [*keys, "registered_end"])


def joined(texts: Texts, inquiry: Inquiry, *, urgent: bool, message_id: int) -> str:
    """What the asker was asked for went to the colleague, with a tap for when it was something else."""
    said = texts.fill("joined", {**_of_inquiry(inquiry), "这是新问题": tap("这是新问题", message_id)})
    return f"{said}\n{texts.fill('registered_urgent', {})}" if urgent else said


def fixed(reply: FixedText) -> str:
    """A text or link that staff keep for a keyword."""
    return _word("fixed_reply", fixed=reply)


def late(texts: Texts, key: str) -> str:
    """The reply is not ready in time; a tap fetches it. Needs no database."""
    return texts.fill("late", {"取答复": _tap("取答复", f"k{key[:16]}")})


def due_parts(due: DueReply, limit_bytes: int = PART_LIMIT_BYTES) -> list[str]:
    """What is still to come of a colleague's reply, in parts of at most `limit_bytes`, headed by what it answers.

    Parts that are known to have arrived are left out. Where nobody knows whether the next one arrived, it is
    headed 如已收到请忽略.
    """
    # Cut with room for the head, and cut the same whether it stands there or not.
    room = limit_bytes - len(_IGNORE_IF_HAD.encode()) - len(_CONTINUED.encode())
    parts = split_reply(_word("due_reply", due=due, question=plain(due.question or "", 80)), room)
    rest = parts[due.parts_sent :]
    if rest and due.parts_sent:
        rest[0] = _CONTINUED + rest[0]
    if rest and due.is_unsure:
        rest[0] = _IGNORE_IF_HAD + rest[0]
    return rest


def progress_list(texts: Texts, inquiries: Sequence[Inquiry]) -> str:
    """How several inquiries stand, each number tappable."""
    lines = [f"· {tap(one.number)} {_STATUS[InquiryStatus(one.status)]}" for one in inquiries]
    return texts.fill("progress_list", {"提问列表": "\n".join(lines)})


def progress(texts: Texts, inquiry: Inquiry) -> str:
    """How an inquiry stands."""
    values = {**_of_inquiry(inquiry), "状态": _STATUS[InquiryStatus(inquiry.status)]}
    said = texts.fill("progress", values)
    return said if inquiry.closed_at is not None else f"{said}\n{texts.fill('progress_promise', values)}"


def reopened(texts: Texts, inquiry: Inquiry) -> str:
    """A colleague's reply solved nothing: he will reply again."""
    return texts.fill("reopened", _of_inquiry(inquiry))


def simple(texts: Texts, key: str, examples: Sequence[str] = (), **values: str) -> str:
    """One of the texts by itself; `examples` are titles to offer as questions, `values` its other placeholders."""
    return texts.fill(key, {**_always(texts, examples), **values})


def sample(texts: Texts, text: str, examples: Sequence[str]) -> str:
    """How a text would go out, with example values in its placeholders."""
    values = {
        **_always(texts, examples),
        "承诺日期": "11月27日",
        "编号": _SAMPLE_NUMBER,
        "状态": _STATUS[InquiryStatus.ASSIGNED],
        "提问列表": f"· {tap(_SAMPLE_NUMBER)} {_STATUS[InquiryStatus.ASSIGNED]}",
        "热线": "12333",
        "部门": REFERRALS["12333"],
        "尾号": "8000",
        "这是新问题": tap("这是新问题", 0),
        "取答复": _tap("取答复", f"k{'0' * 16}"),
    }
    return fill(text, values)


def _always(texts: Texts, examples: Sequence[str]) -> dict[str, str]:
    """Placeholders whose value is the same in every text."""
    return {
        "示例问题": "\n".join(f"· {tap(title)}" for title in examples),
        "示例": tap(examples[0]) if examples else "",
        "工作日": str(texts.working_days),
        "人工": tap("人工"),
        "留电话": tap("留电话"),
        "删除电话": tap("删除电话"),
    }


def _of_inquiry(inquiry: Inquiry) -> dict[str, str]:
    return {"编号": inquiry.number, "承诺日期": f"{inquiry.due_on.month}月{inquiry.due_on.day}日"}


def split_reply(text: str, limit_bytes: int = PART_LIMIT_BYTES) -> list[str]:
    """Cut text into parts of at most `limit_bytes` of UTF-8, never inside a character or a link.

    Cuts at line ends where it can. Joined, the parts are the text. Raises ValueError if one link alone
    exceeds the limit. WeChat cuts nothing itself: too long a passive reply becomes an error notice.
    """
    if len(text.encode()) <= limit_bytes:
        return [text]
    parts: list[str] = []
    current = ""
    for piece in _pieces(text, limit_bytes):
        if len((current + piece).encode()) > limit_bytes:
            parts.append(current)
            current = ""
        current += piece
    return [*parts, current]


def with_more(parts: list[str], message_id: int, limit_bytes: int = PART_LIMIT_BYTES) -> tuple[str, list[str]]:
    """The first of the parts, with a tap for the rest where there is a rest; and that rest.

    Neither the first part with its tap nor any part of the rest is above the limit.
    """
    whole = [piece for part in parts for piece in split_reply(part, limit_bytes)]
    if len(whole) <= 1:
        return (whole[0] if whole else ""), []
    tail = f"{_CONTINUES}{tap('更多', message_id, '点此看更多')}"
    room = limit_bytes - len(tail.encode())
    first, *overflow = split_reply(whole[0].rstrip("\n"), room)
    rest = ["".join(overflow)] if overflow else []
    if rest and len((joined := f"{rest[0]}\n{whole[1]}").encode()) <= limit_bytes:
        rest, whole = [joined], [whole[0], *whole[2:]]
    return first.rstrip("\n") + tail, [*rest, *whole[1:]]


def without_tail(reply: str) -> str:
    """A first part without its tap for the rest."""
    return reply.split(_CONTINUES, maxsplit=1)[0]


def _pieces(text: str, limit_bytes: int) -> list[str]:
    """Lines; a line that is too long, as its links and single characters."""
    pieces: list[str] = []
    for line in text.splitlines(keepends=True):
        if len(line.encode()) <= limit_bytes:
            pieces.append(line)
            continue
        rest = line
        while rest:
            start, end = rest.find("<a "), rest.find("</a>")
            if start < 0 or end < start:
                pieces.extend(rest)
                break
            pieces.extend(rest[:start])
            link = rest[start : end + 4]
            if len(link.encode()) > limit_bytes:
                raise ValueError(f"a link of {len(link.encode())} bytes does not fit {limit_bytes}")
            pieces.append(link)
            rest = rest[end + 4 :]
    return pieces


def _word(template: str, **values: object) -> str:
    return _TEMPLATES.get_template(f"{template}.txt").render(**values).strip()


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


# No HTML escaping: a reply is text, in which WeChat reads only <a>. What askers wrote goes through `plain`.
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "wording"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701
)
_TEMPLATES.globals["tap"] = tap
_TEMPLATES.globals["tap_due"] = lambda text, outbox_id: _tap(text, f"r{outbox_id}")
_TEMPLATES.filters["month"] = _month
