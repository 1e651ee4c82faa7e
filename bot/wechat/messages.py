"""Messages and events as our own frozen types; what wechatpy parsed never leaves this package."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

OpenId = NewType("OpenId", str)


@dataclass(frozen=True, slots=True)
class Text:
    """Words. `menu_id` is the id of the link that was tapped, a hint from the phone (wechat.md §1.7)."""

    content: str
    menu_id: str | None


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice message; `recognition` is WeChat's transcript, empty since 2023 for most accounts."""

    recognition: str


@dataclass(frozen=True, slots=True)
class Media:
    """image, video, shortvideo, location or link."""

    kind: str


@dataclass(frozen=True, slots=True)
class Follow:
    """A new follower; `scene` is the QR code that brought them."""

    scene: str | None


@dataclass(frozen=True, slots=True)
class Unfollow:
    """The user left; his data must be deleted."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A follower scanned a QR code of the account."""

    scene: str


@dataclass(frozen=True, slots=True)
class MenuClick:
    """A tap on a menu item of type click."""

    key: str


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event to which nothing is replied."""

    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type WeChat had not documented when this was written."""

    kind: str


Content = Text | Voice | Media | Follow | Unfollow | Scan | MenuClick | OtherEvent | Unknown


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One push. `key` is the same for a push that comes again, and for no other (wechat.md §0.8)."""

    key: str
    openid: OpenId
    account: str
    sent_at: datetime
    content: Content
