"""What each command does and says, inside the unit of work of its message."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from sqlmodel import Session, col, select

from bot import commands, replies
from bot.commands import Command
from bot.settings import PART_LIMIT_BYTES
from knowledge import callbacks, curation, inquiries, outbox
from knowledge.answering import Answered, Choice, Clarified, Matcher, Outcome, Unresolved, field_of
from knowledge.curation import EntryText
from knowledge.errors import NotFound
from knowledge.masking import mask
from knowledge.matching.decide import Decision
from knowledge.models import (
    Asker,
    Conversation,
    DecisionKind,
    Feedback,
    FurtherAnswer,
    Inquiry,
    InquiryStatus,
    Message,
    OutboxMessage,
    OutboxStatus,
    StaffReply,
)
from knowledge.outbox import DueReply
from knowledge.reports import counting
from knowledge.texts import Texts
from knowledge.urgency import Urgent
from knowledge.working_days import local_day

# 人工 without words speaks of the last question, if it was asked not longer ago than this.
_LAST_QUESTION_HOLDS = timedelta(hours=24)
# So many questions back in a row; then the choices are listed by title, with 都不是 and 人工 beside them.
_MOST_ASKED_BACK = 2
_MORE_BYTES = 150  # what the tap for the rest takes of a part
_ASKED_FOR_PERSON = "asked_for_person"
_ANY_HOTLINE = "12348"  # for a matter of no field in particular
_WORTH_A_HOTLINE = 20.0  # score 0-100 from which the nearest entry's field tells which hotline to name


@dataclass(slots=True)
class Turn:
    """One message being handled: its row, its asker, and what the dialogue with him has open."""

    session: Session
    matcher: Matcher
    texts: Texts
    message: Message
    message_id: int
    state: Conversation
    now: datetime
    urgent: Urgent | None = None
    due: list[DueReply] = field(default_factory=list)
    may_be_waiting: bool = True

    @property
    def asker_id(self) -> int:
        """The asker's id."""
        return self.message.asker_id

    @property
    def asker(self) -> Asker:
        """The asker's row, read when it is needed."""
        found = self.session.get(Asker, self.asker_id)
        assert found is not None, "a message's foreign key"
        return found


def take_due(turn: Turn) -> list[str]:
    """The parts of what colleagues wrote and this asker is still to receive: they go out with this reply.

    Only what fits beside the first one is taken: what would stand behind 更多 is lost to an asker who does not
    ask for it, so it waits for his next message.
    """
    parts: list[str] = []
    room = PART_LIMIT_BYTES - _MORE_BYTES
    for reply in outbox.due(turn.session, turn.asker_id, turn.now):
        pieces = replies.due_parts(reply)
        size = sum(len(piece.encode()) + 2 for piece in pieces)
        if parts and size > room:
            break
        if outbox.give(turn.session, reply, turn.message_id, turn.now):
            turn.due.append(reply)
            parts += pieces
            room -= size
    return parts


def perform(  # noqa: C901, PLR0912 # a match over a closed choice counts one per case
    turn: Turn, command: Command, decision: Decision | None
) -> list[str]:
    """Do what a command asks and give the parts of the reply to it; nothing to say is an empty list."""
    number_for, turn.state.number_for_inquiry_id = turn.state.number_for_inquiry_id, None
    match command:
        case commands.Question(text=text):
            assert decision is not None
            if number_for is not None and turn.urgent is None and (given := callbacks.number_in(text)):
                turn.message.kind = "command"
                return _callback_given(turn, given, number_for)
            return _question(turn, text, decision)
        case commands.Choice(number=number):
            return _choice(turn, number)
        case commands.NoneOfThese(message_id=earlier):
            return _none_of_these(turn, earlier)
        case commands.More():
            return turn.state.rest or [say(turn, "no_more")]
        case commands.AskHuman(message_id=earlier):
            return _ask_human(turn, earlier)
        case commands.Rating():
            return _rate(turn, command)
        case commands.NewMatter(message_id=earlier):
            return _new_matter(turn, earlier)
        case commands.LeaveNumber():
            return _leave_number(turn)
        case commands.CallbackGiven(number=number):
            return _callback_given(turn, number, number_for)
        case commands.ForgetNumber():
            return _forget_number(turn)
        case commands.FetchReply(key=key):
            return _fetch_reply(turn, key)
        case commands.Progress(number=number):
            return _progress(turn, number)
        case commands.Help():
            return [say(turn, "help")]
        case commands.Fixed(reply=fixed):
            return [replies.fixed(fixed)]
        case commands.Courtesy(is_thanks=is_thanks):
            return [say(turn, "thanks" if is_thanks else "greeting")]
        case commands.Welcome(scene=scene, is_new=is_new):
            if scene:
                turn.asker.scene = scene
            return [say(turn, "welcome" if is_new else "welcome_back")]
        case commands.Unreadable(kind=kind):
            return [say(turn, replies.UNREADABLE.get(kind, "unreadable_other"))]
        case commands.Goodbye() | commands.Nothing():
            return []
        case _:
            assert_never(command)


def say(turn: Turn, key: str, **values: str) -> str:
    """One of staff's texts, with examples that are answered today."""
    return replies.simple(turn.texts, key, examples(turn.session, turn.matcher, turn.texts, turn.now), **values)


def examples(session: Session, matcher: Matcher, texts: Texts, now: datetime) -> list[str]:
    """What is offered as example questions, as far as the entries that answer them are given now."""
    titles = matcher.titles_of(session, [one.entry_id for one in texts.examples], local_day(now))
    return [one.question or titles[one.entry_id] for one in texts.examples if one.entry_id in titles]


def _question(turn: Turn, text: str, decision: Decision) -> list[str]:
    state = turn.state
    if turn.urgent is not None:
        turn.message.urgent_rule_id = turn.urgent.id
    waiting = _waiting_inquiry(turn)
    if waiting is not None:
        return _headed(turn, [_join(turn, waiting, text)])
    wants_person, state.wants_person = state.wants_person, False
    _close_list(state)
    outcome = turn.matcher.outcome(turn.session, decision, local_day(turn.now))
    turn.matcher.log(turn.message, outcome)
    turn.message.is_repeat = counting.is_repeat(turn.session, turn.message, text)
    if wants_person:
        # Whatever was found, a colleague is to answer: no entry's text is given, and none may count as given.
        turn.message.decision = DecisionKind.UNRESOLVED
        turn.message.reason = f"提问人要求人工，没有给出条目；匹配结果：{turn.message.reason}"
        turn.message.entry_id = turn.message.entry_version_id = None
        return _headed(turn, [_open(turn, text, _ASKED_FOR_PERSON, outcome)])
    match outcome:
        case Answered(entry=entry, others=others):
            parts = _answered(turn, entry, others)
        case Clarified(choices=choices, question=question):
            parts = [_clarified(turn, choices, question)]
        case Unresolved(is_law=is_law, is_withheld=is_withheld, decision=found):
            if is_law or turn.urgent:
                return _headed(turn, [_open(turn, text, "withheld" if is_withheld else "unresolved", outcome)])
            return _no_question_of_law(turn, text, is_talk=found.outside is not None)
        case _:
            assert_never(outcome)
    if turn.urgent is None:
        return parts
    # A person must know, even where the written answer fits.
    return _headed(turn, [_open(turn, text, "urgent", outcome), *parts])


def _headed(turn: Turn, parts: list[str]) -> list[str]:
    """An urgent matter's number to call stands before everything else."""
    return [f"{turn.urgent.reply.strip()}\n\n{parts[0]}", *parts[1:]] if turn.urgent else parts


def _answered(turn: Turn, entry: EntryText, others: tuple[EntryText, ...] = ()) -> list[str]:
    state = turn.state
    state.topic_entry_id, state.topic_at, state.clarified_in_row = entry.id, turn.now, 0
    if others:
        turn.session.add_all(
            FurtherAnswer(message_id=turn.message_id, position=place, entry_id=one.id, entry_version_id=one.version_id)
            for place, one in enumerate(others[:2], 2)
        )
        return [replies.several([entry, *others][:3], turn.message_id)]
    return replies.answer(entry, turn.message_id)


def _clarified(turn: Turn, choices: tuple[Choice, ...], question: str | None) -> str:
    state = turn.state
    state.choices = [choice.entry_id for choice in choices]
    state.choices_message_id = turn.message_id
    if question is not None and state.clarified_in_row >= _MOST_ASKED_BACK:
        question, choices = None, tuple(Choice(one.entry_id, one.title, one.title) for one in choices)
    state.clarified_in_row += 1
    return replies.clarify(choices, question, turn.message_id)


def _close_list(state: Conversation) -> None:
    state.choices, state.choices_message_id = [], None


def _waiting_inquiry(turn: Turn) -> Inquiry | None:
    """The inquiry that this message answers back to: its asker was asked, and had received the question before."""
    if turn.message.kind != "question" or not turn.may_be_waiting:
        return None
    if curation.is_title(turn.session, (turn.message.text or "").strip()):
        # A title stands alone: test accounts drop what tells a tap from typing (wechat.md §1.7).
        return None
    waiting = inquiries.waiting_for_asker(turn.session, turn.asker_id)
    if waiting is None or any(reply.inquiry_number == waiting.number for reply in turn.due):
        return None
    return waiting


def _join(turn: Turn, inquiry: Inquiry, text: str) -> str:
    inquiries.answer_back(turn.session, inquiry, mask(text), turn.now)
    inquiry.urgent = inquiry.urgent or turn.urgent is not None
    turn.message.inquiry_id = inquiry.id
    _close_list(turn.state)
    return replies.joined(turn.texts, inquiry, urgent=turn.urgent is not None, message_id=turn.message_id)


def _new_matter(turn: Turn, earlier: int | None) -> list[str]:
    """What joined an inquiry is taken out of it and matched as the question it was meant to be."""
    joined = own_message(turn, earlier) if earlier else _last_joined(turn)
    inquiry = turn.session.get(Inquiry, joined.inquiry_id) if joined and joined.inquiry_id else None
    if joined is None or inquiry is None or not joined.text or joined.decision is not None:
        return [say(turn, "unclear")]
    inquiries.take_back(turn.session, inquiry, joined.text, turn.now)
    joined.inquiry_id = None
    turn.session.add(joined)
    text = joined.text
    # The question is this message's now, in the log as in the figures; it must not join again.
    turn.message.text, turn.message.kind = text, "new_matter"
    return _question(turn, text, turn.matcher.decide(text))


def _last_joined(turn: Turn) -> Message | None:
    return turn.session.exec(
        select(Message)
        .where(
            Message.asker_id == turn.asker_id,
            Message.kind == "question",
            col(Message.inquiry_id).is_not(None),
            col(Message.decision).is_(None),
        )
        .order_by(col(Message.id).desc())
    ).first()


def _no_question_of_law(turn: Turn, text: str, *, is_talk: bool) -> list[str]:
    """A fragment while an inquiry is open adds to it; anything else gets a word of help.

    `is_talk`: it was recognised as chat or another task, which is nothing a colleague should read in an inquiry.
    """
    turn.message.decision, turn.message.is_repeat = None, False
    open_ones = inquiries.open_of(turn.session, turn.asker_id)
    if not open_ones or is_talk or text.strip().isdecimal():
        # A bare digit was meant for a list that is no longer open.
        return [say(turn, "unclear")]
    inquiries.add_to(turn.session, open_ones[0], mask(text))
    turn.message.inquiry_id = open_ones[0].id
    return [_registered(turn, open_ones[0], opened=False, about=turn.message)]


def _choice(turn: Turn, number: int) -> list[str]:
    # The list was read before this message's turn came: another message may have replaced it since.
    if number > len(turn.state.choices):
        return [say(turn, "unclear")]
    entry_id = turn.state.choices[number - 1]
    try:
        entry = curation.published_text(turn.session, entry_id, local_day(turn.now))
    except NotFound:
        return [say(turn, "unclear")]
    if turn.matcher.is_withheld(turn.session, entry_id, local_day(turn.now)):
        return [_open(turn, entry.title, "withheld")]
    turn.message.entry_id, turn.message.entry_version_id = entry.id, entry.version_id
    return _answered(turn, entry)


def _none_of_these(turn: Turn, earlier: int | None) -> list[str]:
    asked = own_message(turn, earlier or turn.state.choices_message_id)
    if asked is None or not asked.text:
        return [say(turn, "unclear")]
    _close_list(turn.state)
    turn.state.clarified_in_row = 0
    return [_open(turn, asked.text, "none_of_these", about=asked)]


def _ask_human(turn: Turn, earlier: int | None) -> list[str]:
    asked = own_message(turn, earlier)
    if asked is not None and asked.decision is None and asked.entry_id is None:
        asked = None
    asked = (
        asked
        or turn.session.exec(
            select(Message)
            .where(
                Message.asker_id == turn.asker_id,
                col(Message.decision).is_not(None),
                col(Message.id) != turn.message_id,
                col(Message.received_at) > turn.now - _LAST_QUESTION_HOLDS,
            )
            .order_by(col(Message.id).desc())
        ).first()
    )
    question = _question_of(turn, asked) if asked else ""
    if not question:
        turn.state.wants_person = True
        return [say(turn, "describe_first")]
    return [_open(turn, question, _ASKED_FOR_PERSON, about=asked)]


def _rate(turn: Turn, rating: commands.Rating) -> list[str]:
    written = _rated_reply(turn, rating)
    if written is not None:
        return _rate_colleague(turn, written, helpful=rating.helpful)
    rated = own_message(turn, rating.message_id) or _last_answer(turn)
    if rated is None or rated.id is None:
        return [say(turn, "nothing_rated")]
    before = turn.session.exec(select(Feedback).where(Feedback.message_id == rated.id)).first()
    feedback = before or Feedback(message_id=rated.id, helpful=rating.helpful, given_at=turn.now)
    feedback.helpful, feedback.given_at = rating.helpful, turn.now
    turn.session.add(feedback)
    if rating.helpful:
        return [say(turn, "rated_helpful")]
    return [_open(turn, _question_of(turn, rated), "unhelpful", about=rated)]


def _rated_reply(turn: Turn, rating: commands.Rating) -> StaffReply | None:
    """The colleague's reply that is rated: the one the tap named, or the one that came last, if it came after
    the last answer."""
    query = (
        select(StaffReply, OutboxMessage.delivered_at)
        .join(OutboxMessage, col(OutboxMessage.staff_reply_id) == StaffReply.id)
        .where(OutboxMessage.asker_id == turn.asker_id, OutboxMessage.status == OutboxStatus.DELIVERED)
        .order_by(col(OutboxMessage.delivered_at).desc(), col(OutboxMessage.id).desc())
    )
    if rating.outbox_id is not None:
        found = turn.session.exec(query.where(OutboxMessage.id == rating.outbox_id)).first()
        return found[0] if found else None
    if rating.message_id is not None:
        return None
    found = turn.session.exec(query).first()
    answer = _last_answer(turn)
    if found is None or (answer is not None and found[1] is not None and answer.received_at > found[1]):
        return None
    return found[0]


def _rate_colleague(turn: Turn, written: StaffReply, *, helpful: bool) -> list[str]:
    written.helpful = helpful
    turn.session.add(written)
    inquiry = turn.session.get(Inquiry, written.inquiry_id)
    assert inquiry is not None, "a reply's foreign key"
    turn.message.inquiry_id = inquiry.id
    if helpful:
        return [say(turn, "rated_helpful")]
    inquiries.reopen(turn.session, inquiry, turn.now)
    return [replies.reopened(turn.texts, inquiry)]


def _leave_number(turn: Turn) -> list[str]:
    open_ones = inquiries.open_of(turn.session, turn.asker_id)
    if not open_ones:
        return [say(turn, "no_inquiry")]
    turn.state.number_for_inquiry_id = open_ones[0].id
    return [say(turn, "callback_ask", 编号=open_ones[0].number)]


def _callback_given(turn: Turn, number: str, inquiry_id: int | None) -> list[str]:
    """A telephone number is kept only where the asker was just told what for and agreed by sending it."""
    inquiry = turn.session.get(Inquiry, inquiry_id) if inquiry_id else None
    if inquiry is None or inquiry.id is None or not InquiryStatus(inquiry.status).is_open:
        has_open = bool(inquiries.open_of(turn.session, turn.asker_id))
        return [say(turn, "callback_offer" if has_open else "callback_unwanted")]
    callbacks.leave(turn.session, inquiry.id, number, turn.now)
    return [say(turn, "callback_kept", 编号=inquiry.number, 尾号=number[-4:])]


def _forget_number(turn: Turn) -> list[str]:
    forgotten = [
        callbacks.forget(turn.session, one.id)
        for one in inquiries.open_of(turn.session, turn.asker_id)
        if one.id is not None
    ]
    return [say(turn, "callback_gone" if any(forgotten) else "callback_none")]


def _fetch_reply(turn: Turn, key: str | None) -> list[str]:
    """The reply that was not ready in time: of the push the tap names, else of the last message."""
    query = select(Message).where(
        Message.asker_id == turn.asker_id, col(Message.id) != turn.message_id, col(Message.reply).is_not(None)
    )
    if key is not None:
        query = query.where(col(Message.key).startswith(key))
    found = turn.session.exec(query.order_by(col(Message.id).desc())).first()
    if found is not None and found.reply:
        is_newest = (
            key is None
            or turn.session.exec(
                select(Message.id)
                .where(Message.asker_id == turn.asker_id, col(Message.id) < turn.message_id)
                .order_by(col(Message.id).desc())
            ).first()
            == found.id
        )
        return [replies.without_tail(found.reply), *turn.state.rest] if is_newest else [found.reply]
    return [] if turn.due else [say(turn, "nothing_waiting")]


def _progress(turn: Turn, number: str | None) -> list[str]:
    """An inquiry shows only to its own asker; to others it reads like an unknown number."""
    if number is None:
        newest = turn.session.exec(
            select(Inquiry).where(Inquiry.asker_id == turn.asker_id).order_by(col(Inquiry.id).desc()).limit(5)
        ).all()
        if not newest:
            return [say(turn, "no_inquiry")]
        one = len(newest) == 1
        return [replies.progress(turn.texts, newest[0]) if one else replies.progress_list(turn.texts, newest)]
    try:
        inquiry = inquiries.by_number(turn.session, number)
    except NotFound:
        return [say(turn, "unknown_number", 编号=number)]
    if inquiry.asker_id != turn.asker_id:
        return [say(turn, "unknown_number", 编号=number)]
    return [replies.progress(turn.texts, inquiry)]


def _open(turn: Turn, question: str, reason: str, outcome: Outcome | None = None, about: Message | None = None) -> str:
    """Register a question for a colleague. `about` is the message that asked it, where it was an earlier one."""
    inquiry, opened = inquiries.open_or_join(
        turn.session,
        turn.asker_id,
        mask(question),
        reason,
        turn.now,
        urgent=turn.urgent is not None,
        domain=field_of(about or turn.message),
        contrast=turn.matcher.keeps_apart,
    )
    turn.message.inquiry_id = inquiry.id
    return _registered(
        turn, inquiry, opened=opened, about=about or turn.message, outcome=outcome, may_call=reason == _ASKED_FOR_PERSON
    )


def _registered(
    turn: Turn,
    inquiry: Inquiry,
    *,
    opened: bool,
    about: Message,
    outcome: Outcome | None = None,
    may_call: bool = False,
) -> str:
    """What is said of a registered question, with the hotline of its field.

    None is named beside an urgent matter's own numbers, nor where a question joins one for which it was named.
    """
    outside = outcome.referral if isinstance(outcome, Unresolved) else None
    nearest = about.entry_id or next(
        (str(one["id"]) for one in about.candidates[:1] if one["score"] >= _WORTH_A_HOTLINE), None
    )
    hotline = outside or (curation.referral_of(turn.session, nearest) if nearest else None) or _ANY_HOTLINE
    is_named = turn.urgent is None and (opened or outside is not None)
    return replies.registered(
        turn.texts,
        inquiry,
        opened=opened,
        hotline=hotline if is_named else None,
        is_outside=outside is not None,
        may_call=may_call,
    )


def own_message(turn: Turn, message_id: int | None) -> Message | None:
    """An earlier message, if it is this asker's: the id came from the phone and proves nothing."""
    found = turn.session.get(Message, message_id) if message_id else None
    return found if found and found.asker_id == turn.asker_id else None


def _last_answer(turn: Turn) -> Message | None:
    return turn.session.exec(
        select(Message)
        .where(Message.asker_id == turn.asker_id, col(Message.entry_id).is_not(None))
        .order_by(col(Message.id).desc())
    ).first()


def _question_of(turn: Turn, answered: Message) -> str:
    """What an answer was given to: the asker's words, or for a tap or a number the entry it chose."""
    if answered.kind in ("question", "new_matter") or answered.entry_id is None:
        return answered.text or ""
    return curation.titles_of(turn.session, [answered.entry_id]).get(answered.entry_id, answered.text or "")
