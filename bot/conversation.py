"""One message to one reply, in a straight line: claim, interpret, answer, record, word (style.md §2)."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlmodel import Session, col, select

from bot import commands, receipts, replies
from bot.commands import Command
from bot.settings import PART_LIMIT_BYTES
from bot.wechat.messages import IncomingMessage, Text
from knowledge import curation, erasure, inquiries
from knowledge.answering import Answered, Clarified, Matcher, Outcome, Unresolved
from knowledge.database import Database
from knowledge.errors import AlreadyReceived, NotFound
from knowledge.masking import mask
from knowledge.matching.decide import Decision
from knowledge.models import (
    Asker,
    Conversation,
    DecisionKind,
    Feedback,
    Inquiry,
    InquiryStatus,
    Message,
    OutboxMessage,
)
from knowledge.working_days import local_day

log = structlog.get_logger()

# Shown as example questions, as far as they are published: one of each domain.
EXAMPLES = ("labor.probation.length", "labor.wage.arrears", "company.capital.five_year")


@dataclass(frozen=True, slots=True)
class _Context:
    """What is read of the asker before anything is decided or written."""

    choices: tuple[str, ...] = ()
    wants_person: bool = False


@dataclass(slots=True)
class _Turn:
    """One message being handled inside its unit of work."""

    session: Session
    asker: Asker
    message: Message
    message_id: int
    state: Conversation
    now: datetime
    rest: list[str] = field(default_factory=list)


class Dialogue:
    """Holds the conversation with every asker; safe to use from many threads and processes."""

    def __init__(self, database: Database, matcher: Matcher, now: Callable[[], datetime]) -> None:
        """`now` is the clock (aware, UTC)."""
        self._database = database
        self._matcher = matcher
        self._now = now

    def respond(self, incoming: IncomingMessage) -> str:
        """The reply to a message as WeChat's text with links, or "" where none is due.

        A push that comes again, also while the first is still being handled, gets the reply given to the
        first; nothing is counted, opened or delivered twice.
        """
        with structlog.contextvars.bound_contextvars(
            message=_fingerprint(incoming.key), asker=_fingerprint(incoming.openid)
        ):
            return self._respond(incoming)

    def _respond(self, incoming: IncomingMessage) -> str:
        started = time.perf_counter()
        with self._database.reading() as session:
            given = receipts.reply_given(session, incoming.key)
            if given is not None:
                return given
            context = _context(session, incoming)
        command = commands.interpret(incoming.content, len(context.choices))
        decision = self._matcher.decide(command.text) if isinstance(command, commands.Question) else None
        try:
            with self._database.writing() as session:
                return self._record(session, incoming, command, decision, started)
        except AlreadyReceived:
            with self._database.reading() as session:
                return receipts.reply_given(session, incoming.key) or ""

    def _record(
        self,
        session: Session,
        incoming: IncomingMessage,
        command: Command,
        decision: Decision | None,
        started: float,
    ) -> str:
        now = self._now()
        asker = receipts.know_asker(session, incoming.openid, now)
        assert asker.id is not None
        message = Message(
            key=incoming.key,
            asker_id=asker.id,
            received_at=now,
            kind=_kind(incoming, command),
            text=_stored_text(incoming, command),
            content_version=self._matcher.index.version,
        )
        message_id = receipts.claim(session, message)
        state = session.get(Conversation, asker.id) or Conversation(asker_id=asker.id, updated_at=now)
        turn = _Turn(session, asker, message, message_id, state, now)
        due = [] if isinstance(command, commands.Nothing | commands.Goodbye) else self._due(turn)
        parts = self._perform(turn, command, decision)
        reply, turn.state.rest = replies.with_more(_fill(due, parts), message_id)
        message.reply = reply
        message.latency_ms = round((time.perf_counter() - started) * 1000, 2)
        state.updated_at = now
        session.add(state)
        session.add(message)
        if isinstance(command, commands.Goodbye):
            session.flush()
            erasure.erase(session, asker)
            session.expunge(state)
        log.info(
            "message_handled",
            kind=message.kind,
            decision=message.decision,
            entry=message.entry_id,
            score=message.score,
            content_version=message.content_version,
            latency_ms=message.latency_ms,
        )
        return reply

    def _due(self, turn: _Turn) -> list[str]:
        """Colleagues' replies this asker is still to receive: they go out with this message's reply."""
        asker_id = turn.message.asker_id
        return [
            replies.due_reply(due)
            for due in inquiries.due_replies(turn.session, asker_id)
            if inquiries.mark_delivered(turn.session, due, turn.message_id, turn.now)
        ]

    def _perform(self, turn: _Turn, command: Command, decision: Decision | None) -> list[str]:
        """The parts of the reply to a command; nothing to say is an empty list."""
        match command:
            case commands.Question(text=text):
                assert decision is not None
                return self._question(turn, text, decision)
            case commands.Choice(number=number):
                return self._choice(turn, number)
            case commands.NoneOfThese(message_id=earlier):
                return self._none_of_these(turn, earlier)
            case commands.More():
                return turn.state.rest or [_say(turn, "no_more")]
            case commands.AskHuman():
                return self._ask_human(turn)
            case commands.Rating(helpful=helpful, message_id=earlier):
                return self._rate(turn, earlier, helpful=helpful)
            case commands.Progress(number=number):
                return self._progress(turn, number)
            case commands.Help():
                return [_say(turn, "help")]
            case commands.Courtesy(is_thanks=is_thanks):
                return [_say(turn, "thanks" if is_thanks else "greeting")]
            case commands.Welcome(scene=scene):
                turn.asker.scene = scene or turn.asker.scene
                return [_say(turn, "welcome", days=inquiries.PROMISED_WORKING_DAYS)]
            case commands.Unreadable(kind=kind):
                return [_say(turn, "unreadable", kind=kind)]
            case commands.Goodbye() | commands.Nothing():
                return []

    def _question(self, turn: _Turn, text: str, decision: Decision) -> list[str]:
        state, message = turn.state, turn.message
        wants_person, state.wants_person = state.wants_person, False
        state.choices, state.choices_message_id = [], None
        outcome = self._matcher.outcome(turn.session, decision, local_day(turn.now))
        _log_decision(message, outcome)
        if wants_person:
            return [self._open(turn, text, "asked_for_person", None)]
        match outcome:
            case Answered(entry=entry):
                return replies.answer(entry, turn.message_id)
            case Clarified(choices=choices, question=question):
                state.choices = [choice.entry_id for choice in choices]
                state.choices_message_id = turn.message_id
                return [replies.clarify(choices, question, turn.message_id)]
            case Unresolved(is_law=True, referral=referral):
                return [self._open(turn, text, "unresolved", referral)]
            case Unresolved():
                return self._no_question_of_law(turn, text)

    def _no_question_of_law(self, turn: _Turn, text: str) -> list[str]:
        """A fragment while an inquiry is open adds to it; anything else gets a word of help."""
        turn.message.decision = None
        open_ones = inquiries.open_of(turn.session, turn.message.asker_id)
        if not open_ones:
            return [_say(turn, "unclear")]
        inquiries.add_to(turn.session, open_ones[0], mask(text))
        turn.message.inquiry_id = open_ones[0].id
        return [replies.registered(open_ones[0], opened=False, referral=None, message_id=turn.message_id)]

    def _choice(self, turn: _Turn, number: int) -> list[str]:
        # The list was read before this message's turn came: another message may have replaced it since.
        if number > len(turn.state.choices):
            return [_say(turn, "unclear")]
        entry_id = turn.state.choices[number - 1]
        try:
            entry = curation.published_text(turn.session, entry_id, local_day(turn.now))
        except NotFound:
            return [_say(turn, "unclear")]
        turn.message.entry_id, turn.message.entry_version_id = entry.id, entry.version_id
        return replies.answer(entry, turn.message_id)

    def _none_of_these(self, turn: _Turn, earlier: int | None) -> list[str]:
        asked = _own_message(turn, earlier or turn.state.choices_message_id)
        if asked is None or not asked.text:
            return [_say(turn, "unclear")]
        turn.state.choices, turn.state.choices_message_id = [], None
        return [self._open(turn, asked.text, "none_of_these", None)]

    def _ask_human(self, turn: _Turn) -> list[str]:
        last = turn.session.exec(
            select(Message)
            .where(
                Message.asker_id == turn.message.asker_id,
                col(Message.decision).is_not(None),
                col(Message.id) != turn.message_id,
            )
            .order_by(col(Message.id).desc())
        ).first()
        if last is None or not last.text:
            turn.state.wants_person = True
            return [_say(turn, "describe_first")]
        return [self._open(turn, last.text, "asked_for_person", None)]

    def _rate(self, turn: _Turn, earlier: int | None, *, helpful: bool) -> list[str]:
        rated = _own_message(turn, earlier) or _last_answer(turn)
        if rated is None or rated.id is None:
            return [_say(turn, "nothing_rated")]
        before = turn.session.exec(select(Feedback).where(Feedback.message_id == rated.id)).first()
        feedback = before or Feedback(message_id=rated.id, helpful=helpful, given_at=turn.now)
        feedback.helpful, feedback.given_at = helpful, turn.now
        turn.session.add(feedback)
        if helpful:
            return [_say(turn, "rated_helpful")]
        answered = _delivered_inquiry(turn, rated.id)
        if answered and rated.entry_id is None:
            inquiries.reopen(turn.session, answered, turn.now)
            turn.message.inquiry_id = answered.id
            return [replies.progress(answered)]
        return [self._open(turn, _question_of(turn, rated), "unhelpful", None)]

    def _progress(self, turn: _Turn, number: str | None) -> list[str]:
        """An inquiry shows only to its own asker; to others it reads like an unknown number."""
        if number is None:
            newest = turn.session.exec(
                select(Inquiry).where(Inquiry.asker_id == turn.message.asker_id).order_by(col(Inquiry.id).desc())
            ).first()
            return [replies.progress(newest) if newest else _say(turn, "no_inquiry", number=None)]
        try:
            inquiry = inquiries.by_number(turn.session, number)
        except NotFound:
            return [_say(turn, "no_inquiry", number=number)]
        if inquiry.asker_id != turn.message.asker_id:
            return [_say(turn, "no_inquiry", number=number)]
        return [replies.progress(inquiry)]

    def _open(self, turn: _Turn, question: str, reason: str, referral: str | None) -> str:
        inquiry, opened = inquiries.open_or_join(turn.session, turn.message.asker_id, mask(question), reason, turn.now)
        turn.message.inquiry_id = inquiry.id
        return replies.registered(inquiry, opened=opened, referral=referral, message_id=turn.message_id)


def _context(session: Session, incoming: IncomingMessage) -> _Context:
    asker = receipts.find_asker(session, incoming.openid)
    state = session.get(Conversation, asker.id) if asker else None
    return _Context(tuple(state.choices), state.wants_person) if state else _Context()


def _fingerprint(identifier: str) -> str:
    """What tells log lines of one push or one asker together, without naming them."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:12]


def _kind(incoming: IncomingMessage, command: Command) -> str:
    """How the message counts: only a question that was typed or spoken is one in the figures."""
    match command:
        case commands.Question():
            tapped = isinstance(incoming.content, Text) and incoming.content.menu_id is not None
            return "tap" if tapped else "question"
        case commands.Welcome() | commands.Goodbye() | commands.Nothing():
            return "event"
        case commands.Unreadable(kind=kind):
            return kind[:20]
    return "command"


def _stored_text(incoming: IncomingMessage, command: Command) -> str | None:
    if isinstance(command, commands.Question):
        return mask(command.text)
    return mask(incoming.content.content) if isinstance(incoming.content, Text) else None


def _log_decision(message: Message, outcome: Outcome) -> None:
    """Keep what was decided and on what evidence, so that any answer can be explained later."""
    ranked = outcome.decision.ranked
    message.candidates = [
        {"id": one.id, "score": one.score, "evidence": {k: round(v, 4) for k, v in one.evidence.items()}}
        for one in ranked
    ]
    message.score = ranked[0].score if ranked else None
    match outcome:
        case Answered(entry=entry):
            message.decision = DecisionKind.ANSWERED
            message.entry_id, message.entry_version_id = entry.id, entry.version_id
        case Clarified():
            message.decision = DecisionKind.CLARIFIED
        case Unresolved():
            message.decision = DecisionKind.UNRESOLVED


def _say(turn: _Turn, name: str, **values: object) -> str:
    """A simple reply, with examples that are published today."""
    titles = curation.titles_of(turn.session, EXAMPLES)
    return replies.simple(name, examples=[titles[one] for one in EXAMPLES if one in titles], **values)


def _own_message(turn: _Turn, message_id: int | None) -> Message | None:
    """An earlier message, if it is this asker's: the id came from the phone and proves nothing."""
    found = turn.session.get(Message, message_id) if message_id else None
    return found if found and found.asker_id == turn.message.asker_id else None


def _last_answer(turn: _Turn) -> Message | None:
    return turn.session.exec(
        select(Message)
        .where(
            Message.asker_id == turn.message.asker_id,
            col(Message.entry_id).is_not(None),
        )
        .order_by(col(Message.id).desc())
    ).first()


def _question_of(turn: _Turn, answered: Message) -> str:
    """What an answer was given to: the asker's words, or for a tap or a number the entry it chose."""
    if answered.kind == "question" or answered.entry_id is None:
        return answered.text or ""
    return curation.titles_of(turn.session, [answered.entry_id]).get(answered.entry_id, answered.text or "")


def _delivered_inquiry(turn: _Turn, message_id: int) -> Inquiry | None:
    return turn.session.exec(
        select(Inquiry)
        .join(OutboxMessage, col(OutboxMessage.inquiry_id) == Inquiry.id)
        .where(OutboxMessage.delivered_by_message_id == message_id, Inquiry.status == InquiryStatus.ANSWERED)
    ).first()


def _fill(due: list[str], parts: list[str], limit_bytes: int = PART_LIMIT_BYTES) -> list[str]:
    """Due replies first, then the new answer, as many together in a part as fit."""
    filled: list[str] = []
    for text in [*(piece for reply in due for piece in replies.split_reply(reply, limit_bytes)), *parts]:
        joined = f"{filled[-1]}\n\n{text}" if filled else text
        if filled and len(joined.encode()) <= limit_bytes and len(parts) <= 1:
            filled[-1] = joined
        else:
            filled.append(text)
    return filled
