"""What a phone makes of a reply: links shown by their label, and what a tap on one sends."""

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


def show(reply: str) -> tuple[str, list[Tap]]:
    """A reply as the phone shows it, its tappable places numbered 〔1〕, 〔2〕…; and what tapping each sends."""
    taps: list[Tap] = []

    def shown(match: re.Match[str]) -> str:
        address, label = match[1], match[2]
        parts = urlsplit(address)
        if parts.scheme != "weixin" or parts.netloc != "bizmsgmenu":
            return f"{label}（{address}）"
        # The Android client decodes the address as a form, and ignores a link without id or content.
        values = parse_qs(parts.query)
        text, menu_id = values.get("msgmenucontent", [""])[0], values.get("msgmenuid", [""])[0]
        if not text or not menu_id:
            return label
        taps.append(Tap(label, text, menu_id))
        return f"〔{len(taps)}〕{label}"

    return _LINK.sub(shown, reply), taps
