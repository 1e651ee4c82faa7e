"""One message to one reply, in a straight line: claim, interpret, answer, record, word (style.md §2)."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import bindparam, exists, select
from sqlmodel import Session, col

from bot import commands, follow_ups, receipts, replies, turns
from bot.commands import Command
from bot.pace import Pace
from bot.settings import PART_LIMIT_BYTES
from bot.wechat.messages import Content, Follow, IncomingMessage, MenuClick, OtherEvent, Scan, Text, Unfollow
from knowledge import curation, erasure
from knowledge.answering import Matcher
from knowledge.database import Database, insert_row, read_row, update_row, values_of
from knowledge.errors import AlreadyReceived
from knowledge.masking import mask
from knowledge.matching.decide import Decision
from knowledge.models import Asker, Conversation, Inquiry, InquiryStatus, Message, OutboxMessage
from knowledge.models.outbox import UNDELIVERED
from knowledge.standing import StandingRules
from knowledge.texts import Texts

log = structlog.get_logger()

# How many messages we may send unasked, and how long, after a message of the asker, and after a mere tap,
# follow or scan (wechat.md §3.1: DEV/doc/service/api/customer/message/api_sendcustommessage).
MESSAGE_ALLOWS, MESSAGE_HOLDS = 5, timedelta(hours=48)
TAP_ALLOWS, TAP_HOLDS = 3, timedelta(minutes=1)
# A send that starts within the window must also arrive within it.
_WINDOW_MARGIN = timedelta(seconds=5)


# Everything a turn needs to know beforehand, in one look.
_LOOK = (
    select(
        exists().where(col(Message.key) == bindparam("key")),
        select(col(Message.reply)).where(col(Message.key) == bindparam("key")).scalar_subquery(),
        col(Asker.id),
        col(Conversation.choices),
        col(Conversation.topic_entry_id),
        col(Conversation.topic_at),
        exists().where(col(OutboxMessage.asker_id) == Asker.id, col(OutboxMessage.status).in_(UNDELIVERED)),
        exists().where(col(Inquiry.asker_id) == Asker.id, col(Inquiry.status) == InquiryStatus.WAITING),
    )
    .outerjoin(Conversation, col(Conversation.asker_id) == Asker.id)
    .where(col(Asker.channel) == receipts.CHANNEL, col(Asker.address) == bindparam("openid"))
)
# What an asker does not write: it is never too much.
_UNLIMITED = (commands.Welcome, commands.Goodbye, commands.Nothing)


class _Undo(Exception):
    """Ends a rehearsal's unit of work, so that the database takes everything back."""


@dataclass(frozen=True, slots=True)
class _Context:
    """What is read of the asker before anything is decided or written.

    `reply` is what was replied to this very push before (None: it is new). `may_be_due` and `may_be_waiting`:
    whether something may be on its way to the asker, or an inquiry may wait for him; what becomes so between
    this look and the unit of work is for his next message.
    """

    asker_id: int | None = None
    reply: str | None = None
    choices: int = 0
    topic_id: str | None = None
    topic_title: str = ""
    may_be_due: bool = False
    may_be_waiting: bool = False


class Dialogue:
    """Holds the conversation with every asker; safe to use from many threads and processes."""

    def __init__(
        self,
        database: Database,
        matcher: Matcher,
        now: Callable[[], datetime],
        standing: StandingRules | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`now` is the clock (aware, UTC); `standing` the texts, fixed replies and urgent rules in force.

        `pace` limits how fast one asker may write (None: not at all).
        """
        self._database = database
        self._matcher = matcher
        self._now = now
        self._standing = standing or StandingRules(database)
        self._pace = pace or Pace("")

    @property
    def texts(self) -> Texts:
        """Staff's texts in force; reading them needs no database."""
        return self._standing.texts

    def respond(self, incoming: IncomingMessage) -> str:
        """The reply to a message as WeChat's text with links, or "" where none is due.

        A push that comes again, also while the first is still being handled, gets the reply given to the
        first; nothing is counted, opened or delivered twice.
        """
        with structlog.contextvars.bound_contextvars(
            message=_fingerprint(incoming.key), asker=_fingerprint(incoming.openid)
        ):
            return self._respond(incoming)

    def examples(self) -> list[str]:
        """What is offered as example questions now."""
        with self._database.reading() as session:
            return turns.examples(session, self._matcher, self.texts, self._now())

    def rehearse(self, incoming: IncomingMessage, look: Callable[[Session], None]) -> tuple[str, Decision | None]:
        """The reply a message would get, and the decision behind it; `look` sees the session, then all is undone.

        The very steps of `respond`, so that what staff try is what an asker gets; no number is drawn for good.
        """
        with self._database.reading() as session:
            context = self._context(session, incoming)
        command = self._interpret(incoming.content, context)
        decision = self._decide(command, context)
        reply = ""
        try:
            with structlog.contextvars.bound_contextvars(rehearsal=True), self._database.writing() as session:
                reply = self._record(session, incoming, context, command, decision, time.perf_counter())
                session.flush()
                look(session)
                raise _Undo
        except _Undo:
            return reply, decision

    def _respond(self, incoming: IncomingMessage) -> str:
        started = time.perf_counter()
        with self._database.reading() as session:
            context = self._context(session, incoming)
        if context.reply is not None:
            return context.reply
        command = self._interpret(incoming.content, context)
        if not isinstance(command, _UNLIMITED) and not self._pace.allows(_fingerprint(incoming.openid)):
            # Nothing is stored: who floods the account must not fill the database.
            log.warning("asker_too_fast")
            return replies.simple(self.texts, "too_fast")
        try:
            with self._database.turn_to_write():
                decision = self._decide(command, context)
                with self._database.writing() as session:
                    return self._record(session, incoming, context, command, decision, started)
        except AlreadyReceived:
            with self._database.reading() as session:
                return receipts.reply_given(session, incoming.key) or ""

    def _context(self, session: Session, incoming: IncomingMessage) -> _Context:
        # By the connection: only values are read, which need none of a session's bookkeeping.
        found = session.connection().execute(_LOOK, {"key": incoming.key, "openid": incoming.openid}).first()
        if found is None:
            return _Context()
        handled, reply, asker_id, choices, topic_id, topic_at, may_be_due, may_be_waiting = found
        text = incoming.content.content if isinstance(incoming.content, Text) else ""
        is_fresh = topic_id is not None and topic_at and self._now() - topic_at < follow_ups.TOPIC_HOLDS
        if not is_fresh or follow_ups.rest_of(text) is None:
            topic_id = None
        return _Context(
            asker_id,
            (reply or "") if handled else None,
            len(choices or ()),
            topic_id,
            curation.titles_of(session, [topic_id]).get(topic_id, "") if topic_id else "",
            may_be_due,
            may_be_waiting,
        )

    def _interpret(self, content: Content, context: _Context) -> Command:
        """The command in a message; a keyword of staff's own comes before our words of help and before matching."""
        command = commands.interpret(content, context.choices)
        if commands.may_be_fixed(command):
            fixed = self._standing.fixed_reply(commands.words_of(content) or "")
            if fixed is not None:
                return commands.Fixed(fixed)
        return command

    def _decide(self, command: Command, context: _Context) -> Decision | None:
        if not isinstance(command, commands.Question):
            return None
        if context.topic_id and context.topic_title:
            return follow_ups.decide_in_context(self._matcher, command.text, context.topic_id, context.topic_title)
        return follow_ups.decide_alone(self._matcher, command.text)

    def _record(
        self,
        session: Session,
        incoming: IncomingMessage,
        context: _Context,
        command: Command,
        decision: Decision | None,
        started: float,
    ) -> str:
        now = self._now()
        asker_id = receipts.know_asker(session, incoming.openid, now, context.asker_id)
        message = Message(
            key=incoming.key,
            asker_id=asker_id,
            received_at=now,
            kind=_kind(incoming, command),
            text=_stored_text(incoming, command),
            candidates=[],  # given, since pydantic inspects a default's factory anew for every row
            content_version=self._matcher.index.version,
        )
        message_id = receipts.claim(session, message)
        stored = values_of(message)
        connection = session.connection()
        found = read_row(connection, Conversation, asker_id)
        state = found or Conversation(asker_id=asker_id, updated_at=now)
        state_stored = values_of(state)
        turn = turns.Turn(session, self._matcher, self.texts, message, message_id, state, now)
        turn.may_be_waiting = context.may_be_waiting
        if message.kind == "question" and isinstance(command, commands.Question):
            turn.urgent = self._standing.urgent(command.text)
        silent = isinstance(command, commands.Nothing | commands.Goodbye)
        due = turns.take_due(turn) if context.may_be_due and not silent else []
        parts = turns.perform(turn, command, decision)
        reply, rest = replies.with_more(_fill(due, parts), message_id)
        if not isinstance(command, commands.Nothing):
            state.rest = rest
        _allow(state, incoming.content, now)
        message.reply = reply
        message.latency_ms = round((time.perf_counter() - started) * 1000, 2)
        state.updated_at = now
        session.flush()
        update_row(connection, message, stored)
        if isinstance(command, commands.Goodbye):
            erasure.erase(session, turn.asker)
        elif found:
            update_row(connection, state, state_stored)
        else:
            insert_row(connection, state)
        log.info(
            "message_handled",
            kind=message.kind,
            decision=message.decision,
            entry=message.entry_id,
            urgent=message.urgent_rule_id,
            score=message.score,
            content_version=message.content_version,
            latency_ms=message.latency_ms,
        )
        return reply


def _fingerprint(identifier: str) -> str:
    """What tells log lines of one push or one asker together, without naming them."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:12]


def _kind(incoming: IncomingMessage, command: Command) -> str:
    """How the message counts: only a question that was typed or spoken is one in the figures."""
    match command:
        case commands.Question():
            return "tap" if _is_tap(incoming.content) else "question"
        case commands.Fixed():
            return "fixed"
        case commands.Welcome() | commands.Goodbye() | commands.Nothing():
            return "event"
        case commands.Unreadable(kind=kind):
            return kind[:20]
    return "command"


def _is_tap(content: Content) -> bool:
    """Whether a text was offered by us and only chosen: by a link in a reply, or in the account's menu."""
    return isinstance(content, MenuClick) or (isinstance(content, Text) and content.menu_id is not None)


def _stored_text(incoming: IncomingMessage, command: Command) -> str | None:
    if isinstance(command, commands.Question):
        return mask(command.text)
    if isinstance(command, commands.CallbackGiven):
        return "〔电话〕"  # kept apart from the log, if at all
    return mask(incoming.content.content) if isinstance(incoming.content, Text) else None


def _allow(state: Conversation, content: Content, now: datetime) -> None:
    """Note what the message allows us to send unasked (a tap on a link counts as a menu click, wechat.md §0.3)."""
    match content:
        case Unfollow() | OtherEvent():
            return
        case Follow() | Scan() | MenuClick():
            is_tap = True
        case Text(menu_id=menu_id):
            is_tap = menu_id is not None
        case _:
            is_tap = False
    if is_tap:
        state.tap_sends_left, state.tap_sends_until = TAP_ALLOWS, now + TAP_HOLDS - _WINDOW_MARGIN
    else:
        state.sends_left, state.sends_until = MESSAGE_ALLOWS, now + MESSAGE_HOLDS - _WINDOW_MARGIN


def _fill(due: list[str], parts: list[str], limit_bytes: int = PART_LIMIT_BYTES) -> list[str]:
    """Due replies first, as many together in a part as fit; then the new answer, beside them where it fits whole."""
    filled: list[str] = []
    for place, text in enumerate([*due, *parts]):
        joined = f"{filled[-1]}\n\n{text}" if filled else text
        may_join = place < len(due) or len(parts) <= 1
        if filled and may_join and len(joined.encode()) <= limit_bytes:
            filled[-1] = joined
        else:
            filled.append(text)
    return filled
