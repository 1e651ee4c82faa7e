"""Fixed replies (固定回复): exact keywords that get a text or a link, tried before matching.

They are what an account's own auto-replies were before Fawen was connected (address, telephone, 办事指南),
and stay outside the legal figures.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from knowledge import audit, revisions
from knowledge.content.spreadsheets import FixedReplyRow
from knowledge.content.standing import FixedReplyForm
from knowledge.errors import InvalidInput, NotFound, SettingMoved
from knowledge.matching.normalize import normalize
from knowledge.models import EntryStatus, FaqEntry, FixedReply, FixedReplyKeyword

SUBJECT = "fixed_replies"
TEXT_LIMIT = 1500  # bytes of UTF-8: with a link it stays one part of a reply
KEYWORD_LIMIT = 30
_SEPARATORS = re.compile(r"[,，;；、|\n\r\t]+")


@dataclass(frozen=True, slots=True)
class FixedText:
    """One fixed reply: its keywords as staff wrote them, the text, and a link (https) or None.

    `normalized` are the keywords as they are compared with messages, in the same order.
    """

    id: int
    keywords: tuple[str, ...]
    text: str
    link: str | None
    is_active: bool = True
    updated_at: datetime | None = field(default=None, compare=False)
    normalized: tuple[str, ...] = field(default=(), compare=False)

    @property
    def values(self) -> dict[str, Any]:
        """What staff wrote, for the log of changes."""
        return {"keywords": list(self.keywords), "text": self.text, "link": self.link, "is_active": self.is_active}


def everything(session: Session) -> list[FixedText]:
    """All fixed replies, in the order they were made."""
    words: dict[int, dict[str, str]] = {}
    for reply_id, keyword, normalized in keywords_of_all(session):
        words.setdefault(reply_id, {})[normalized] = keyword
    replies = session.exec(select(FixedReply).order_by(col(FixedReply.id)))
    return [_fixed_text(reply, words.get(reply.id or 0, {})) for reply in replies]


def find(session: Session, query: str, limit: int, offset: int) -> list[FixedText]:
    """Those with `query` in a keyword or in the text ("" for all), in the order they were made."""
    statement = select(FixedReply).order_by(col(FixedReply.id)).limit(limit).offset(offset)
    if query:
        named = select(FixedReplyKeyword.fixed_reply_id).where(
            col(FixedReplyKeyword.keyword).contains(query, autoescape=True)
        )
        in_text = col(FixedReply.text).contains(query, autoescape=True)
        statement = statement.where(or_(in_text, col(FixedReply.id).in_(named)))
    replies = session.exec(statement).all()
    return [_fixed_text(reply, _words(session, reply.id or 0)) for reply in replies]


def keywords_of_all(session: Session) -> list[tuple[int, str, str]]:
    """Every keyword: whose it is, as written, and normalised; in the order they were made."""
    columns = (FixedReplyKeyword.fixed_reply_id, FixedReplyKeyword.keyword, FixedReplyKeyword.normalized)
    return list(session.exec(select(*columns).order_by(col(FixedReplyKeyword.id))).all())


def active(session: Session) -> list[FixedText]:
    """Those that are given."""
    return [one for one in everything(session) if one.is_active]


def by_id(session: Session, reply_id: int) -> FixedText:
    """One fixed reply; NotFound where there is none."""
    return _fixed_text(_reply(session, reply_id), _words(session, reply_id))


def titles_among(session: Session, normalized: Iterable[str]) -> set[str]:
    """Those of normalised keywords that are a published entry's title: a tap on it gets the fixed reply."""
    words = set(normalized)
    titles = session.exec(select(FaqEntry.title).where(FaqEntry.status == EntryStatus.PUBLISHED))
    return {normal for title in titles if (normal := _normal_title(title)) in words}


def add(
    session: Session,
    keywords: Sequence[str],
    text: str,
    link: str | None,
    now: datetime,
    *,
    is_active: bool = True,
    actor: str = audit.COMMAND_LINE,
) -> FixedText:
    """Make a fixed reply.

    Raises InvalidInput for a keyword that is empty, too long or taken by another fixed reply, for an empty or
    too long text, and for a link that is no https or http address.
    """
    made = _store(session, FixedReply(text="", updated_at=now), keywords, text, link, is_active)
    _record(session, "add", actor, made.id, None, made.values, now)
    return made


def seed(session: Session, forms: Iterable[FixedReplyForm], now: datetime) -> None:
    """Load what ships; no record is kept, since nobody changed anything."""
    for form in forms:
        _store(session, FixedReply(text="", updated_at=now), form.keywords, form.text, form.link, is_active=True)


def add_rows(
    session: Session, rows: Sequence[FixedReplyRow], now: datetime, actor: str = audit.COMMAND_LINE
) -> list[str]:
    """Take the rows of a spreadsheet, whole or not at all; gives what is wrong with which row.

    A row with a number (法问编号, as exported) changes that fixed reply, any other is a new one. Everything is
    looked at before anything is written, so that the writing is short: messages wait while it lasts.
    """
    stored = {one.id: one for one in everything(session)}
    problems, given = _read_rows(rows, stored)
    if problems:
        return problems
    changed = [one for one in given if one.id is not None and one.differs_from(stored[one.id])]
    replies = {one.id: _reply(session, one.id) for one in changed if one.id is not None}
    session.exec(delete(FixedReplyKeyword).where(col(FixedReplyKeyword.fixed_reply_id).in_(list(replies))))
    written = [(one, replies[one.id] if one.id else FixedReply(text="", updated_at=now)) for one in given
               if one.id is None or one in changed]  # fmt: skip
    for one, reply in written:
        reply.text, reply.link, reply.is_active, reply.updated_at = one.text, one.link, one.is_active, now
        session.add(reply)
    session.flush()
    for one, reply in written:
        assert reply.id is not None
        session.add_all(
            FixedReplyKeyword(fixed_reply_id=reply.id, keyword=word, normalized=normal)
            for normal, word in one.words.items()
        )
        before = stored[one.id].values if one.id else None
        after = _fixed_text(reply, one.words).values
        _record(session, "change" if one.id else "add", actor, reply.id, before, after, now)
    session.flush()
    if written:
        revisions.raise_by_one(session, SUBJECT)
    return []


@dataclass(frozen=True, slots=True)
class _Given:
    """A row that can be stored: whose it is (None: a new reply), and keywords by their normalised form."""

    id: int | None
    words: dict[str, str]
    text: str
    link: str | None
    is_active: bool

    def differs_from(self, stored: FixedText) -> bool:
        own = (tuple(self.words.values()), self.text, self.link, self.is_active)
        return own != (stored.keywords, stored.text, stored.link, stored.is_active)


def _read_rows(rows: Sequence[FixedReplyRow], stored: Mapping[int, FixedText]) -> tuple[list[str], list[_Given]]:
    """What is wrong with which row, and the rows as they can be stored."""
    touched = {int(row.id) for row in rows if row.id.isascii() and row.id.isdecimal()}
    others = [one for one in stored.values() if one.id not in touched]
    owner = {normal: _named(one.keywords) for one in others for normal in one.normalized}
    problems: list[str] = []
    given: list[_Given] = []
    seen: dict[int, int] = {}
    for row in rows:
        try:
            one = _given(row, stored)
            if one.id is not None and seen.setdefault(one.id, row.number) != row.number:
                raise InvalidInput(f"法问编号{one.id}在第{seen[one.id]}行已经有了")
            for normal, word in one.words.items():
                if normal in owner:
                    raise InvalidInput(f"关键词“{word}”已用于{owner[normal]}")
        except (InvalidInput, NotFound) as error:
            problems.append(f"第{row.number}行：{error}")
            continue
        owner.update(dict.fromkeys(one.words, f"第{row.number}行"))
        given.append(one)
    return problems, given


def _named(keywords: Iterable[str]) -> str:
    return f"另一条固定回复（{'、'.join(keywords)[:40]}）"


def _given(row: FixedReplyRow, stored: Mapping[int, FixedText]) -> _Given:
    reply_id = _own_id(row) if row.id else None
    if reply_id is not None and reply_id not in stored:
        raise NotFound(f"没有编号为{reply_id}的固定回复")
    text, link = check(row.text, row.link or None)
    return _Given(reply_id, check_keywords(split_keywords(row.keywords)), text, link, _is_active(row))


def rows(session: Session) -> list[FixedReplyRow]:
    """All fixed replies as the rows of a spreadsheet."""
    return [
        FixedReplyRow(
            number, "、".join(one.keywords), one.text, one.link or "", str(one.id), "是" if one.is_active else "否"
        )
        for number, one in enumerate(everything(session), 2)
    ]


def change(
    session: Session,
    reply_id: int,
    keywords: Sequence[str],
    text: str,
    link: str | None,
    now: datetime,
    *,
    is_active: bool = True,
    actor: str = audit.COMMAND_LINE,
    against: datetime | None = None,
) -> FixedText:
    """Give a fixed reply other keywords, text and link, or switch it off; raises like `add`, and NotFound.

    `against`: when the reply was last changed as the editor saw it; SettingMoved where that is no longer so.
    """
    before = by_id(session, reply_id)
    if against is not None and before.updated_at != against:
        raise SettingMoved("这条固定回复刚才被同事改过，请核对现在的内容后再保存")
    session.exec(delete(FixedReplyKeyword).where(col(FixedReplyKeyword.fixed_reply_id) == reply_id))
    after = _store(session, _reply(session, reply_id), keywords, text, link, is_active)
    if after != before:
        reply = _reply(session, reply_id)
        reply.updated_at = now
        session.add(reply)
        _record(session, "change", actor, reply_id, before.values, after.values, now)
    return after


def remove(session: Session, reply_id: int, now: datetime, actor: str = audit.COMMAND_LINE) -> None:
    """Delete a fixed reply with its keywords; NotFound where there is none."""
    before = by_id(session, reply_id)
    session.exec(delete(FixedReplyKeyword).where(col(FixedReplyKeyword.fixed_reply_id) == reply_id))
    session.delete(_reply(session, reply_id))
    session.flush()
    _record(session, "remove", actor, reply_id, before.values, None, now)
    revisions.raise_by_one(session, SUBJECT)


def split_keywords(text: str) -> list[str]:
    """The keywords in one cell: separated by commas, 、, semicolons or line ends."""
    return [word.strip() for word in _SEPARATORS.split(text) if word.strip()]


def check_keywords(keywords: Iterable[str]) -> dict[str, str]:
    """Keywords as written by their normalised form; InvalidInput for none, or one that no message could be."""
    words = {normalize(word): word.strip() for word in keywords}
    if not words:
        raise InvalidInput("至少填写一个关键词")
    for normal, word in words.items():
        if not normal or len(word) > KEYWORD_LIMIT:
            raise InvalidInput(f"关键词要有文字，最多{KEYWORD_LIMIT}字：{word[:40]!r}")
    return words


def check(text: str, link: str | None) -> tuple[str, str | None]:
    """Text and link as they are stored; InvalidInput where either cannot be."""
    text, link = text.strip(), (link or "").strip() or None
    if not text:
        raise InvalidInput("回复内容不能为空")
    if len(text.encode()) > TEXT_LIMIT:
        raise InvalidInput(f"回复内容最多{TEXT_LIMIT // 3}字左右，现为{len(text)}字")
    if link is not None:
        parts = urlsplit(link)
        if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r'[\s"<>]', link):
            raise InvalidInput(f"链接要以 https:// 或 http:// 开头，不含空格和引号：{link[:60]}")
        if len(link) > 1000:
            raise InvalidInput("链接最多1000个字符")
    return text, link


@lru_cache(maxsize=8192)
def _normal_title(title: str) -> str:
    # The same few hundred titles at every look at the page; normalising one takes a tenth of a millisecond.
    return normalize(title)


def _is_active(row: FixedReplyRow) -> bool:
    if row.active not in ("", "是", "否"):
        raise InvalidInput(f"“启用”应填是或否，现为“{row.active[:20]}”")
    return row.active != "否"


def _own_id(row: FixedReplyRow) -> int:
    if not (row.id.isascii() and row.id.isdecimal() and len(row.id) < 10):
        raise InvalidInput(f"“法问编号”应是导出时的数字，新增的请留空，现为“{row.id[:20]}”")
    return int(row.id)


def _reply(session: Session, reply_id: int) -> FixedReply:
    reply = session.get(FixedReply, reply_id)
    if reply is None:
        raise NotFound(f"没有编号为{reply_id}的固定回复")
    return reply


def _store(
    session: Session, reply: FixedReply, keywords: Sequence[str], text: str, link: str | None, is_active: bool
) -> FixedText:
    reply.text, reply.link = check(text, link)
    reply.is_active = is_active
    session.add(reply)
    session.flush()
    assert reply.id is not None
    words = check_keywords(keywords)
    taken = session.exec(select(FixedReplyKeyword).where(col(FixedReplyKeyword.normalized).in_(list(words)))).first()
    if taken is not None:
        other = _named(_words(session, taken.fixed_reply_id).values())
        raise InvalidInput(f"关键词“{words[taken.normalized]}”已用于{other}")
    try:
        with session.begin_nested():
            session.add_all(
                FixedReplyKeyword(fixed_reply_id=reply.id, keyword=word, normalized=normal)
                for normal, word in words.items()
            )
    except IntegrityError as error:
        raise InvalidInput("另一位同事刚才用了其中一个关键词，请核对后再保存") from error
    revisions.raise_by_one(session, SUBJECT)
    return _fixed_text(reply, words)


def _words(session: Session, reply_id: int) -> dict[str, str]:
    statement = select(FixedReplyKeyword).where(FixedReplyKeyword.fixed_reply_id == reply_id)
    return {row.normalized: row.keyword for row in session.exec(statement.order_by(col(FixedReplyKeyword.id)))}


def _fixed_text(reply: FixedReply, words: Mapping[str, str]) -> FixedText:
    values = (reply.text, reply.link, reply.is_active, reply.updated_at)
    return FixedText(reply.id or 0, tuple(words.values()), *values, normalized=tuple(words))


def _record(
    session: Session,
    action: str,
    actor: str,
    reply_id: int,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    now: datetime,
) -> None:
    keywords = (after or before or {}).get("keywords", [])
    audit.record(
        session,
        actor=actor,
        action=f"fixed_reply.{action}",
        subject=f"fixed_reply {reply_id}（{'、'.join(keywords)[:60]}）",
        before=before,
        after=after,
        now=now,
    )
