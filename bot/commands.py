"""What a message asks of us: a question, a choice from the list, 更多, 人工, an inquiry's number, an event."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from bot.wechat.messages import (
    Content,
    Follow,
    Media,
    MenuClick,
    OtherEvent,
    Scan,
    Text,
    Unfollow,
    Unknown,
    Voice,
)
from knowledge.callbacks import read_number
from knowledge.fixed_replies import FixedText


@dataclass(frozen=True, slots=True)
class Question:
    """Anything to be matched: what an asker typed, tapped or said."""

    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A number typed for the newest list, counted from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class NoneOfThese:
    """都不是: none of the choices of an earlier message (its id, where the tap told it)."""

    message_id: int | None


@dataclass(frozen=True, slots=True)
class More:
    """更多: the rest of a long reply."""


@dataclass(frozen=True, slots=True)
class AskHuman:
    """人工: a colleague is wanted, about an earlier message where the tap told it."""

    message_id: int | None


@dataclass(frozen=True, slots=True)
class Rating:
    """有用 or 没解决 about an earlier answer: the message that brought it, or a colleague's reply in the outbox.

    Which one, a tap tells; neither is known where it was typed.
    """

    helpful: bool
    message_id: int | None
    outbox_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewMatter:
    """这是新问题: what joined an inquiry was a matter of its own (the message's id, where the tap told it)."""

    message_id: int | None


@dataclass(frozen=True, slots=True)
class LeaveNumber:
    """留电话: the asker wants to be called back."""


@dataclass(frozen=True, slots=True)
class CallbackGiven:
    """A message that is nothing but a telephone number."""

    number: str


@dataclass(frozen=True, slots=True)
class ForgetNumber:
    """删除电话: the call-back number is to go."""


@dataclass(frozen=True, slots=True)
class FetchReply:
    """取答复: the reply that was not ready in time; `key` is the beginning of its push's key, where told."""

    key: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How an inquiry stands; without a number, the asker's newest."""

    number: str | None


@dataclass(frozen=True, slots=True)
class Help:
    """What Fawen can do."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A keyword for which staff keep a fixed reply."""

    reply: FixedText


@dataclass(frozen=True, slots=True)
class Courtesy:
    """A greeting or thanks, with no question in it."""

    is_thanks: bool


@dataclass(frozen=True, slots=True)
class Welcome:
    """A new follower, or one who scanned a code (`is_new` False); `scene` is that code, if there was one."""

    scene: str | None
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The asker unfollowed: what is kept of them is erased."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that cannot be read as words; `kind` is WeChat's name of it."""

    kind: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """An event to which no reply is due."""


Command = (
    Question
    | Choice
    | NoneOfThese
    | More
    | AskHuman
    | Rating
    | NewMatter
    | LeaveNumber
    | CallbackGiven
    | ForgetNumber
    | FetchReply
    | Progress
    | Help
    | Fixed
    | Courtesy
    | Welcome
    | Goodbye
    | Unreadable
    | Nothing
)

_NUMBER = re.compile(r"[Qq]\d{8}-\d{4,}")
# What the phone sends for a sticker or another thing it cannot pass on (wechat.md §2).
_NOT_SUPPORTED = "【收到不支持的消息类型，暂无法显示】"
_STICKER = re.compile(r"^(\[[^\[\]]{1,8}\]|/:[\w:\-@)(*&$#!~+<>|,]+)+$")


def interpret(content: Content, choices: int) -> Command:
    """The command in a message, where the newest list offered `choices` choices (0: none)."""
    match content:
        case Text():
            return _interpret_text(content, choices)
        case Voice(recognition=words) if words.strip():
            return _interpret_text(Text(words, None), choices)
        case Voice():
            return Unreadable("voice")
        case Media(kind=kind) | Unknown(kind=kind):
            return Unreadable(kind)
        case Follow(scene=scene):
            return Welcome(scene)
        case Scan(scene=scene):
            return Welcome(scene, is_new=False)
        case Unfollow():
            return Goodbye()
        case MenuClick(key=key):
            return _interpret_text(Text(key, None), choices)
        case OtherEvent():
            return Nothing()


def may_be_fixed(command: Command) -> bool:
    """Whether a fixed reply of staff's is tried first: for questions, and before our words of help and courtesy."""
    return isinstance(command, Question | Help | Courtesy)


def words_of(content: Content) -> str | None:
    """What was typed, tapped, spoken or chosen from the menu, as text; None for anything else."""
    match content:
        case Text(content=words) | Voice(recognition=words) | MenuClick(key=words):
            return words
        case _:
            return None


def _interpret_text(content: Text, choices: int) -> Command:
    text = content.content.strip()
    if text == _NOT_SUPPORTED or _STICKER.match(text):
        return Unreadable("sticker")
    word = re.sub(r"[\s。．.!！~～,，、]+", "", unicodedata.normalize("NFKC", text)).lower()
    if not any(character.isalnum() for character in word) and word not in _words()["help"]:
        return Unreadable("symbols" if text else "empty")
    return _command_of_word(word, content.menu_id) or _command_of_number(text, word, choices) or Question(text)


def _command_of_word(word: str, menu_id: str | None) -> Command | None:
    """The command a message is that consists of one known word (`wording/words.yaml`)."""
    tapped = _tapped_message(menu_id)
    meaning = next((name for name, words in _words().items() if word in words), "")
    known: dict[str, Command] = {
        "none_of_these": NoneOfThese(tapped),
        "helpful": Rating(True, tapped, _tapped_outbox(menu_id)),
        "unhelpful": Rating(False, tapped, _tapped_outbox(menu_id)),
        "new_matter": NewMatter(tapped),
        "fetch_reply": FetchReply(_tapped_key(menu_id)),
        "more": More(),
        "human": AskHuman(tapped),
        "leave_number": LeaveNumber(),
        "forget_number": ForgetNumber(),
        "progress": Progress(None),
        "help": Help(),
        "greetings": Courtesy(is_thanks=False),
        "thanks": Courtesy(is_thanks=True),
    }
    return known.get(meaning)


def _command_of_number(text: str, word: str, choices: int) -> Command | None:
    """An inquiry's number, a choice from the newest list, a telephone number."""
    if (named := _NUMBER.search(word)) and _asks_for_number(word.replace(named[0], "", 1)):
        return Progress(named[0].upper())
    if choices and word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= choices + 1:
        # One more than the choices is 都不是, which stands at the list's end.
        return Choice(int(word)) if int(word) <= choices else NoneOfThese(None)
    number = read_number(text)
    return CallbackGiven(number) if number else None


def _asks_for_number(rest: str) -> bool:
    """Whether what stands beside an inquiry's number only asks about it; anything else is something to add to it."""
    return (rest := rest.strip(":?")) == "" or rest in _words()["progress"] | _words()["with_number"]


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    """What a message means that consists of nothing but one of these words."""
    rows = yaml.safe_load((Path(__file__).parent / "wording" / "words.yaml").read_text("utf-8"))
    return {name: frozenset(words) for name, words in rows.items()}


def _tapped_message(menu_id: str | None) -> int | None:
    """The message a tap speaks of. The id comes from the phone: a hint, to be checked against the asker."""
    return _tapped(menu_id, "m")


def _tapped_outbox(menu_id: str | None) -> int | None:
    """The colleague's reply a tap speaks of; likewise a hint."""
    return _tapped(menu_id, "r")


def _tapped(menu_id: str | None, kind: str) -> int | None:
    match = re.fullmatch(rf"{kind}(\d{{1,18}})", menu_id or "", re.ASCII)
    return int(match[1]) if match else None


def _tapped_key(menu_id: str | None) -> str | None:
    match = re.fullmatch(r"k([0-9a-f]{16})", menu_id or "")
    return match[1] if match else None
