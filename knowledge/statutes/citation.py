"""A citation (依据): one legal basis, and how Chinese legal writing names it."""

from dataclasses import dataclass

_DIGITS = "零一二三四五六七八九"
_VALUES = {**{digit: value for value, digit in enumerate(_DIGITS)}, "〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}


@dataclass(frozen=True, slots=True)
class Cited:
    """Statute (full official title), article and, where it matters, paragraph (款) and item (项).

    `sub` is the number after 之 (第二百七十六条之一: article 276, sub 1). `article` is None only for a
    document without articles. `unverified` says that the text was not at hand; `check` then says what to
    check and where.
    """

    statute: str
    article: int | None = None
    sub: int | None = None
    paragraph: int | None = None
    item: int | None = None
    unverified: bool = False
    check: str | None = None

    def __str__(self) -> str:
        """As an asker reads it: 《劳动合同法》第十九条第二款."""
        return f"《{short_title(self.statute)}》{self.place}"

    @property
    def place(self) -> str:
        """The place within the statute: 第十九条第二款第（三）项; empty without an article."""
        if self.article is None:
            return ""
        place = f"第{chinese_number(self.article)}条"
        if self.sub:
            place += f"之{chinese_number(self.sub)}"
        if self.paragraph:
            place += f"第{chinese_number(self.paragraph)}款"
        if self.item:
            place += f"第（{chinese_number(self.item)}）项"
        return place


def short_title(title: str) -> str:
    """A statute's everyday name: 中华人民共和国劳动合同法 → 劳动合同法; others keep their title."""
    return title.removeprefix("中华人民共和国")


def name_together(citations: list[Cited]) -> str:
    """Several citations in one line, a statute named once: 《劳动合同法》第十九条、第二十条；《公司法》第十条."""
    places: dict[str, list[str]] = {}
    for citation in citations:
        listed = places.setdefault(short_title(citation.statute), [])
        if citation.place and citation.place not in listed:
            listed.append(citation.place)
    return "；".join(f"《{title}》{'、'.join(listed)}" for title, listed in places.items())


def chinese_number(number: int) -> str:
    """1 to 9999 as statutes write it: 10 → 十, 19 → 十九, 105 → 一百零五, 1260 → 一千二百六十."""
    if not 0 < number < 10_000:
        raise ValueError(f"article numbers lie between 1 and 9999, not {number}")
    text, pending_zero = "", False
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // power % 10
        if digit:
            text += ("零" if pending_zero and text else "") + _DIGITS[digit] + unit
            pending_zero = False
        else:
            pending_zero = True
    return text.removeprefix("一") if text.startswith("一十") else text


def arabic_number(text: str) -> int | None:
    """The reverse of `chinese_number`: 一百二十三 → 123; also 〇 and 两, digits as they are. None for no number."""
    if text.isdecimal():
        return int(text) or None
    total, digit = 0, 0
    for character in text:
        if character in _VALUES:
            digit = _VALUES[character]
        elif character in _UNITS:
            total += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            return None
    return total + digit or None
