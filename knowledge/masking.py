"""Personal numbers in what askers write: masked before anything is stored or shown."""

import re

# Digits may be grouped by blanks or hyphens. The longer kinds come first, so that a card number is not
# taken for a telephone number within it. Bounded repetition only: safe on huge messages.
_IDENTITY = re.compile(r"(?<!\d)\d{6}(?:19|20)\d{9}[\dXx](?!\d)")
_CARD = re.compile(r"(?<!\d)\d{4}(?:[ -]?\d{4}){2}[ -]?\d{4,7}(?!\d)")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")


def mask(text: str) -> str:
    """The text with identity, bank card and mobile numbers replaced by what kind of number stood there."""
    text = _IDENTITY.sub("〔身份证号〕", text)
    text = _CARD.sub("〔卡号〕", text)
    return _MOBILE.sub("〔手机号〕", text)
