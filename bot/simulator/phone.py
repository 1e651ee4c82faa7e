"""What a phone makes of a reply's text: links shown by their label, and what a tap on one sends."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tap:
    """A tappable place: its label, the text a tap sends and the id that rides along."""

    label: str
    text: str
    menu_id: str


@dataclass(frozen=True, slots=True)
class WebLink:
    """A link that opens a page."""

    label: str
    address: str


Segment = str | Tap | WebLink


def segments(text: str) -> list[Segment]:
    """A reply's text in its parts, in order: words, tappable places, links to pages.

    A place whose address lacks id or content stays words: the Android client ignores it (wechat.md §1.7).
    """
    found: list[Segment] = []
    end = 0
    for match in _LINK.finditer(text):
        found += [text[end : match.start()], _target(match[1], match[2])]
        end = match.end()
    return [one for one in [*found, text[end:]] if one != ""]


def taps(text: str) -> list[Tap]:
    """The tappable places of a reply's text."""
    return [one for one in segments(text) if isinstance(one, Tap)]


def visible(text: str) -> str:
    """The text as read on the phone, without any markup."""
    return "".join(one if isinstance(one, str) else one.label for one in segments(text))


def numbered(text: str) -> str:
    """The text for a screen without taps: tappable places numbered 〔1〕, 〔2〕…, pages with their address."""
    shown, number = [], 0
    for one in segments(text):
        match one:
            case str():
                shown.append(one)
            case WebLink(label, address):
                shown.append(f"{label}（{address}）")
            case Tap(label=label):
                number += 1
                shown.append(f"〔{number}〕{label}")
    return "".join(shown)


def _target(address: str, label: str) -> Segment:
    parts = urlsplit(address)
    if (parts.scheme, parts.netloc) != ("weixin", "bizmsgmenu"):
        return WebLink(label, address)
    # The client decodes the address as a form: a `+` becomes a blank.
    values = parse_qs(parts.query)
    text, menu_id = values.get("msgmenucontent", [""])[0], values.get("msgmenuid", [""])[0]
    return Tap(label, text, menu_id) if text and menu_id else label
