"""Fixed replies (固定回复): exact keywords that get a text or a link, tried before matching.

They are what an account's own auto-replies were before Fawen was connected (address, telephone, 办事指南),
and stay outside the legal figures.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import delete
from sqlmodel import Session, col, select

from knowledge import revisions
from knowledge.content.spreadsheets import FixedReplyRow
from knowledge.errors import InvalidInput, NotFound
from knowledge.matching.normalize import normalize
from knowledge.models import FixedReply, FixedReplyKeyword

SUBJECT = "fixed_replies"
TEXT_LIMIT = 1500  # bytes of UTF-8: with a link it stays one part of a reply
KEYWORD_LIMIT = 30
_SEPARATORS = re.compile(r"[,，;；、|\n\r\t]+")


@dataclass(frozen=True, slots=True)
class FixedText:
    """One fixed reply: its keywords as staff wrote them, the text, and a link (https) or None."""

    id: int
    keywords: tuple[str, ...]
    text: str
    link: str | None


def everything(session: Session) -> list[FixedText]:
    """All fixed replies, in the order they were made."""
    words: dict[int, list[str]] = {}
    for row in session.exec(select(FixedReplyKeyword).order_by(col(FixedReplyKeyword.id))):
        words.setdefault(row.fixed_reply_id, []).append(row.keyword)
    return [
        FixedText(reply.id or 0, tuple(words.get(reply.id or 0, ())), reply.text, reply.link)
        for reply in session.exec(select(FixedReply).order_by(col(FixedReply.id)))
    ]


def add(session: Session, keywords: Sequence[str], text: str, link: str | None, now: datetime) -> FixedText:
    """Make a fixed reply.

    Raises InvalidInput for a keyword that is empty, too long or taken by another fixed reply, for an empty or
    too long text, and for a link that is no https or http address.
    """
    checked_text, checked_link = _checked(text, link)
    reply = FixedReply(text=checked_text, link=checked_link, updated_at=now)
    session.add(reply)
    session.flush()
    return _with_keywords(session, reply, keywords)


def add_rows(session: Session, rows: Sequence[FixedReplyRow], now: datetime) -> list[str]:
    """Add the rows of a spreadsheet; gives what is wrong with which row.

    Where anything is wrong the caller must roll back, so that a file is taken whole or not at all.
    """
    problems = []
    for row in rows:
        try:
            with session.begin_nested():
                add(session, split_keywords(row.keywords), row.text, row.link, now)
        except InvalidInput as error:
            problems.append(f"第{row.number}行：{error}")
    return problems


def change(
    session: Session, reply_id: int, keywords: Sequence[str], text: str, link: str | None, now: datetime
) -> FixedText:
    """Give a fixed reply other keywords, text and link; raises like `add`, and NotFound."""
    reply = _reply(session, reply_id)
    reply.text, reply.link = _checked(text, link)
    reply.updated_at = now
    session.add(reply)
    session.exec(delete(FixedReplyKeyword).where(col(FixedReplyKeyword.fixed_reply_id) == reply_id))
    return _with_keywords(session, reply, keywords)


def remove(session: Session, reply_id: int) -> None:
    """Delete a fixed reply with its keywords; NotFound where there is none."""
    reply = _reply(session, reply_id)
    session.exec(delete(FixedReplyKeyword).where(col(FixedReplyKeyword.fixed_reply_id) == reply_id))
    session.delete(reply)
    session.flush()
    revisions.raise_by_one(session, SUBJECT)


def split_keywords(text: str) -> list[str]:
    """The keywords in one cell: separated by commas, 、, semicolons or line ends."""
    return [word.strip() for word in _SEPARATORS.split(text) if word.strip()]


def _reply(session: Session, reply_id: int) -> FixedReply:
    reply = session.get(FixedReply, reply_id)
    if reply is None:
        raise NotFound(f"没有编号为{reply_id}的固定回复")
    return reply


def _checked(text: str, link: str | None) -> tuple[str, str | None]:
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


def _with_keywords(session: Session, reply: FixedReply, keywords: Sequence[str]) -> FixedText:
    assert reply.id is not None
    words = {normalize(word): word.strip() for word in keywords}
    if not words:
        raise InvalidInput("至少填写一个关键词")
    for normalized, word in words.items():
        if not normalized or len(word) > KEYWORD_LIMIT:
            raise InvalidInput(f"关键词要有文字，最多{KEYWORD_LIMIT}字：{word[:40]!r}")
        if session.exec(select(FixedReplyKeyword).where(FixedReplyKeyword.normalized == normalized)).first():
            raise InvalidInput(f"关键词“{word}”已用于另一条固定回复")
        session.add(FixedReplyKeyword(fixed_reply_id=reply.id, keyword=word, normalized=normalized))
    session.flush()
    revisions.raise_by_one(session, SUBJECT)
    return FixedText(reply.id, tuple(words.values()), reply.text, reply.link)
