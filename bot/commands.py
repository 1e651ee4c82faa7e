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
    """人工: a colleague is wanted."""


@dataclass(frozen=True, slots=True)
class Rating:
    """有用 or 没解决 about an earlier answer (its message's id, where the tap told it)."""

    helpful: bool
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How an inquiry stands; without a number, the asker's newest."""

    number: str | None


@dataclass(frozen=True, slots=True)
class Help:
    """What Fawen can do."""


@dataclass(frozen=True, slots=True)
class Courtesy:
    """A greeting or thanks, with no question in it."""

    is_thanks: bool


@dataclass(frozen=True, slots=True)
class Welcome:
    """A new follower; `scene` is the QR code that brought them, if one did."""

    scene: str | None


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
    | Progress
    | Help
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
            return Welcome(scene)
        case Unfollow():
            return Goodbye()
        case MenuClick(key=key):
            return _interpret_text(Text(key, None), choices)
        case OtherEvent():
            return Nothing()


def _interpret_text(content: Text, choices: int) -> Command:
    text = content.content.strip()
    if text == _NOT_SUPPORTED or _STICKER.match(text):
        return Unreadable("sticker")
    word = re.sub(r"[\s。．.!！~～,，、]+", "", unicodedata.normalize("NFKC", text)).lower()
    if not any(character.isalnum() for character in word) and word not in _words()["help"]:
        return Unreadable("symbols" if text else "empty")
    tapped = _tapped_message(content.menu_id)
    if word == "都不是":
        return NoneOfThese(tapped)
    if word in ("有用", "没解决"):
        return Rating(word == "有用", tapped)
    meaning = next((name for name, words in _words().items() if word in words), None)
    match meaning:
        case "more":
            return More()
        case "human":
            return AskHuman()
        case "progress":
            return Progress(None)
        case "help":
            return Help()
        case "greetings" | "thanks":
            return Courtesy(meaning == "thanks")
    if _NUMBER.fullmatch(word):
        return Progress(word.upper())
    if choices and word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= choices + 1:
        # One more than the choices is 都不是, which stands at the list's end.
        return Choice(int(word)) if int(word) <= choices else NoneOfThese(None)
    return Question(text)


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    """What a message means that consists of nothing but one of these words."""
    rows = yaml.safe_load((Path(__file__).parent / "wording" / "words.yaml").read_text("utf-8"))
    return {name: frozenset(words) for name, words in rows.items()}


def _tapped_message(menu_id: str | None) -> int | None:
    """The message a tap speaks of. The id comes from the phone: a hint, to be checked against the asker."""
    if menu_id and (match := re.fullmatch(r"m(\d{1,18})", menu_id)):
        return int(match[1])
    return None
