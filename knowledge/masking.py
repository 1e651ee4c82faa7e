"""Personal numbers in what askers write: masked before anything is stored or shown."""

import re

# Every pattern is bounded, so that the time stays linear in the text, however long it is. `\d` takes full-width
# digits too. A separator between digits is a blank, a hyphen or a dot.
_IDENTITY = re.compile(r"(?<!\d)[1-9１-９]\d{5}[ \-]?(?:19|20|１９|２０)\d{6}[ \-]?\d{3}[\dXxＸｘ](?!\d)")
_GROUPED = re.compile(r"(?<!\d)(?<!\d[ \-])\d{4}([ \-])\d{4}\1\d{4}\1\d{4}(?:\1?\d{1,3})?(?![ \-]?\d)")
_LONG = re.compile(r"(?<!\d)\d{15,19}(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(?:(?:\+|00|＋)?86[ \-]?)?[1１][3-9３-９](?:[ \-.]?\d){9}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)[(（]?[0０]\d{2,3}(?:[)）]|[ \-－])?\d{7,8}(?:[ \-－转]{1,2}\d{1,5})?(?!\d)")
_DOCUMENT = re.compile(r"(?<![A-Za-z\d])[EGDSPHMegdsphm]\d{8}(?!\d)")
_BORN = re.compile(r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4}")


def mask(text: str) -> str:
    """The text with identity, bank card and telephone numbers replaced by what kind of number stood there.

    A number in groups of four is masked where its check digit is a bank card's (ISO/IEC 7812-1, Luhn):
    amounts and dates that stand side by side stay readable. Safe on texts of any length.
    """
    text = _IDENTITY.sub("〔身份证号〕", text)
    text = _GROUPED.sub(lambda found: "〔卡号〕" if _is_card(found[0]) else found[0], text)
    text = _LONG.sub(lambda found: "〔身份证号〕" if _is_identity(found[0]) else "〔卡号〕", text)
    text = _MOBILE.sub("〔手机号〕", text)
    text = _LANDLINE.sub("〔电话〕", text)
    return _DOCUMENT.sub("〔证件号〕", text)


def shortened(name: str) -> str:
    """A channel's name for a person, so that colleagues tell two apart and nobody can use it: o8Kd…p3Qz."""
    return f"{name[:4]}…{name[-4:]}" if len(name) > 12 else "…"


def _is_identity(digits: str) -> bool:
    return len(digits) == 15 or bool(_BORN.fullmatch("".join(str(int(digit)) for digit in digits)))


def _is_card(grouped: str) -> bool:
    digits = [int(character) for character in grouped if character.isdecimal()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
