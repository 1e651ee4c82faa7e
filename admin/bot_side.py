"""What a page needs of the bot, as `bot/main.py` hands it over: how the phone shows a text, and a trial run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from knowledge.curation import EntryText
from knowledge.matching.decide import Decision
from knowledge.models import AlertChannel


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a reply; `taps` is what a tap on it sends (None: it is only text)."""

    text: str
    taps: str | None


@dataclass(frozen=True, slots=True)
class PhonePart:
    """One message as the phone shows it; `size_bytes` counts UTF-8 with markup, at most `limit_bytes`."""

    pieces: tuple[Piece, ...]
    size_bytes: int
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What the account would reply to a message of somebody new, and why; nothing of it is kept."""

    parts: tuple[PhonePart, ...]
    decision: Decision | None
    took_ms: float


Buttons = list[dict[str, Any]]  # Any: WeChat's buttons, whose fields depend on their kind


class NotDone(Exception):
    """What the bot was asked for was refused, or failed; the text says why and what to do, in Chinese."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing of the connection that was looked at; `is_right` None: nothing wrong, but something to know."""

    name: str
    is_right: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class MenuSide:
    """The account's menu. `check` gives the buttons as WeChat takes them; all of these raise NotDone.

    What calls WeChat (all but `check`) takes up to some ten seconds: never inside a unit of work.
    """

    check: Callable[[Buttons], Buttons]
    published: Callable[[], Buttons]
    publish: Callable[[Buttons], None]
    delete: Callable[[], None]


@dataclass(frozen=True, slots=True)
class BotSide:
    """`preview` words an entry as its answer, `attempt` answers a message.

    `preview_text` shows one of staff's texts with example values in its placeholders, `preview_fixed` a fixed
    reply (text, and link or None). `is_command` tells words that the account takes as a command of its own, so
    that no fixed reply is tried for them. `shown` shows messages as they were sent.
    `preview_correction` words a correction (text, and the title that a tap below it sends, or None).
    `check_connection` looks whether WeChat and this server reach each other, in 15 s at most. `send_trial` sends staff
    a test alert now, or raises NotDone; group robots are at `robot_origin` only.
    """

    preview: Callable[[EntryText], tuple[PhonePart, ...]]
    attempt: Callable[[str], Trial]
    preview_text: Callable[[str], tuple[PhonePart, ...]]
    preview_fixed: Callable[[str, str | None], tuple[PhonePart, ...]]
    is_command: Callable[[str], bool]
    shown: Callable[[Iterable[str]], tuple[PhonePart, ...]]
    check_connection: Callable[[], tuple[Finding, ...]]
    menu: MenuSide
    preview_correction: Callable[[str, str | None], tuple[PhonePart, ...]]
    send_trial: Callable[[AlertChannel], None]
    robot_origin: str
