"""Rehearsal: what a message would be answered, through the real dialogue, with nothing kept."""

import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from sqlmodel import Session, select

from bot import replies
from bot.conversation import Dialogue
from bot.settings import PART_LIMIT_BYTES
from bot.wechat.messages import IncomingMessage, OpenId, Text
from knowledge.curation import EntryText
from knowledge.fixed_replies import FixedText
from knowledge.matching.decide import Decision
from knowledge.models import Conversation, Message
from knowledge.outbox import DueReply

_LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)
_TAP = re.compile(r"weixin://bizmsgmenu\?msgmenucontent=([^&]*)&msgmenuid=")


@dataclass(frozen=True, slots=True)
class Shown:
    """A stretch of a reply and what a tap on it sends (None: plain text, or a link that leads elsewhere)."""

    text: str
    taps: str | None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The parts of the reply (what waits behind 更多 too), the decision if it was a question, and the time."""

    parts: tuple[str, ...]
    decision: Decision | None
    took_ms: float


def rehearse(dialogue: Dialogue, text: str, now: datetime) -> Rehearsed:
    """The reply to a message from somebody new. Everything the dialogue wrote is rolled back."""
    name = f"rehearsal-{secrets.token_hex(8)}"
    incoming = IncomingMessage(key=name, openid=OpenId(name), account="", sent_at=now, content=Text(text, None))
    rest: list[str] = []

    def look(session: Session) -> None:
        state = session.exec(
            select(Conversation)
            .join(Message, Message.asker_id == Conversation.asker_id)  # type: ignore[arg-type] # a column comparison
            .where(Message.key == name)
        ).first()
        rest.extend(state.rest if state else [])

    started = time.perf_counter()
    reply, decision = dialogue.rehearse(incoming, look)
    took_ms = (time.perf_counter() - started) * 1000
    return Rehearsed(tuple(part for part in (reply, *rest) if part), decision, took_ms)


def preview(entry: EntryText) -> list[str]:
    """An entry's answer in parts, as it would go out."""
    return replies.answer(entry, message_id=0, limit_bytes=PART_LIMIT_BYTES)


def preview_correction(text: str, title: str | None) -> list[str]:
    """A correction in parts, as it would go out; `title` is what the tap below it sends (None: there is no tap)."""
    return replies.due_parts(DueReply(0, None, None, text, is_correction=True, entry_title=title))


def preview_text(dialogue: Dialogue, text: str) -> list[str]:
    """One of staff's texts in parts, with example values in its placeholders."""
    return replies.split_reply(replies.sample(dialogue.texts, text, dialogue.examples()))


def preview_fixed(text: str, link: str | None) -> list[str]:
    """A fixed reply in parts, as it would go out."""
    return replies.split_reply(replies.fixed(FixedText(0, (), text, link)))


def shown(part: str) -> list[Shown]:
    """A part of a reply as the phone shows it: its links by their labels."""
    found: list[Shown] = []
    at = 0
    for link in _LINK.finditer(part):
        if link.start() > at:
            found.append(Shown(part[at : link.start()], None))
        tap = _TAP.match(link[1])
        found.append(Shown(link[2], unquote(tap[1]) if tap else link[1]))
        at = link.end()
    if at < len(part):
        found.append(Shown(part[at:], None))
    return found
