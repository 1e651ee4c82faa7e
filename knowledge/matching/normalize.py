"""One form for wordings that mean the same: what is compared is always normalised first."""

import re
import unicodedata
from functools import lru_cache

from opencc import OpenCC

# Longer messages than this are matched by their beginning and end; nobody's question needs more, and the
# time of a decision stays bounded whatever is sent.
LONGEST = 600

# Simplified characters by themselves, but not in every word (反覆, 藉口); a test compares with the converter's words.
_CHANGED_IN_WORDS = "沈牴瞭藉衹覆"
_FIRST_HAN, _LAST_HAN = 0x3400, 0x9FFF
_LAST_COMMON = "\uffff"

_NOT_WORDING = re.compile(r"[^\w%]+|_+")
_REPEATED = re.compile(r"(.)\1{3,}")
_SPOKEN = re.compile(
    r"(您好|你好|大家好|老师好|律师好|请问一下|想请问|请问|咨询一下|想咨询|咨询|麻烦问下|问一下|想问一下|想问|谢谢您|谢谢|感谢|在线等|急急急)"
)
_DATE = re.compile(
    r"(?:19|20)\d{2}年(?:\d{1,2}月)?(?:\d{1,2}[日号])?份?|\d{2}年\d{1,2}月(?:\d{1,2}[日号])?|\d{1,2}月(?:\d{1,2}[日号]|份)"
)
_LARGE = re.compile(r"(?<!\d)(?!12345|12333|12315|12348|12366|12351|12329|12393|996|007)\d{3,}(?!\d)")


def normalize(text: str) -> str:
    """Text without what carries no meaning for matching.

    Full-width letters and digits become half-width (NFKC), traditional characters simplified, capitals
    small; emoji, punctuation and blanks go; a character repeated more than three times stays three times.
    Normalising twice changes nothing. The result may be empty; it has at most LONGEST characters.
    """
    plain = _to_simplified(unicodedata.normalize("NFKC", text[: 20 * LONGEST])).lower()
    plain = _NOT_WORDING.sub("", unicodedata.normalize("NFKC", plain))
    plain = _REPEATED.sub(r"\1\1\1", plain)
    if len(plain) > LONGEST:
        plain = _REPEATED.sub(r"\1\1\1", plain[: LONGEST // 2] + plain[-LONGEST // 2 :])
    return plain


def without_courtesy(normalized: str) -> str:
    """Normalised text without what surrounds a question; the text itself if nothing is left.

    Greetings, thanks and dates go; a large number becomes 0, since which one it is says nothing about the
    matter (small ones do: 30 days, 48 hours; so do hotlines).
    """
    text = _LARGE.sub("0", _DATE.sub("", _SPOKEN.sub("", normalized)))
    return text or normalized


def _to_simplified(text: str) -> str:
    # The converter takes half a millisecond for a question; nearly all are written in simplified characters.
    if max(text, default="") <= _LAST_COMMON and _convertible().isdisjoint(text):
        return text
    return str(_converter().convert(text))


@lru_cache(maxsize=1)
def _convertible() -> frozenset[str]:
    """Characters that the converter changes, by themselves or in some word; rarer ones than these are not looked at."""
    common = [chr(point) for point in range(_FIRST_HAN, _LAST_HAN + 1)]
    changed = _converter().convert("\n".join(common)).split("\n")
    return frozenset(before for before, after in zip(common, changed, strict=True) if before != after) | frozenset(
        _CHANGED_IN_WORDS
    )


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")
