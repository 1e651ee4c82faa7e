"""Several questions in one message: where one ends and the next begins."""

import re
from collections.abc import Callable

_MOST_PARTS = 6
_LEAST = 6  # Chinese characters of a part that can stand by itself
_HAN = re.compile(r"[\u4e00-\u9fff]")
_END = re.compile(
    r"(?<=[?？!！。；;\n])|(?:^|(?<=[\s，,。；;、]))(?=(?:另外|还有|其次|再问|第二个?|第三个?|二是|三是|[2-9２-９][.、．）)]))"
)
_ORDINAL = re.compile(r"^\s*(?:[1-9１-９][.、．）)]|[（(][1-9１-９][）)])\s*(?!\d)")
_OPENING = re.compile(r"^(?:你好|您好)?(?:请问|我?想?(?:问|咨询)一?下?)")
_ANY_MARK = re.compile(r"[\s，,。；;、?？!！]+")
_ASKS = re.compile(
    r"[?？]|吗|么|呢|怎么|怎样|如何|多少|多久|几[天年月个次]|是否|能不能|可不可以|可以不|合法|什么|哪|谁|要不要|有没有|算不算|该不该|咋"
)


def questions(text: str, is_known: Callable[[str], bool] | None = None) -> list[str]:
    """The parts of a message that each ask something and can stand alone, in order; at most six.

    One part (or none) means that the message is one question, however long: what only tells the story
    belongs to the question that follows it. `is_known` tells a piece that is a question as it stands, however short.
    """
    listed = [
        one for one in (_OPENING.sub("", _ORDINAL.sub("", piece)) for piece in _ANY_MARK.split(text[:2000])) if one
    ]
    if is_known and len(listed) > 1 and all(map(is_known, listed)):
        # A bare list of known questions, whatever stands between them.
        return listed[:_MOST_PARTS]
    parts: list[str] = []
    story = ""
    for cut in _END.split(text[:2000]):
        piece = _ORDINAL.sub("", cut)
        if is_known and piece.strip() and not story.strip() and is_known(piece):
            parts.append(piece.strip())
            continue
        story += piece
        if _ASKS.search(piece) and len(_HAN.findall(story)) >= _LEAST:
            parts.append(story.strip())
            story = ""
    return parts[:_MOST_PARTS]
