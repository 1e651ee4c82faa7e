"""Particulars in what one person wrote: names, firms, places, numbers. Others must not read them as theirs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from knowledge.masking import mask
from knowledge.models.inquiries import SUPPLEMENT

# Each pattern is bounded, so that the time stays linear in the text.
_FIRM = re.compile(
    r"[\u4e00-\u9fffA-Za-z0-9（）()]{2,18}?(?:有限责任公司|股份有限公司|有限公司|集团公司|集团|分公司|事务所|合作社)"
)
# What stands before a firm's name and is no part of it.
_BEFORE_FIRM = re.compile(r"^.*[我你他她们在是跟和与被给到由向从的叫对让把去进为找告]")
_NO_NAME = 4  # 我们集团, 有限公司: no longer than that, it is no name
_SURNAME = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_PERSON = re.compile(
    rf"(?<![\u4e00-\u9fff])?[{_SURNAME}](?:某某|某|先生|女士|小姐|经理|主管|主任|师傅|老师|总(?![公是共的体算之计额部结工会局社署]))"
)
_NAMED = re.compile(rf"(?:我叫|名叫|叫做|姓名[:：是为]?)([{_SURNAME}][\u4e00-\u9fff]{{1,2}})")
_CODE = re.compile(r"(?<![A-Za-z0-9])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![A-Za-z0-9])")
_CASE = re.compile(r"[（(〔]\d{4}[）)〕][\u4e00-\u9fff]{1,4}\d{0,6}[\u4e00-\u9fff]{1,8}\d{1,8}号")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-Z0-9]{5,6}(?![A-Za-z0-9])"
)
_ADDRESS = re.compile(r"[\u4e00-\u9fff]{2,6}(?:路|街|大道|巷)\d{1,5}号(?:\d{1,4}[\u4e00-\u9fff室])?")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,40}@[A-Za-z0-9.-]{1,40}\.[A-Za-z]{2,8}")
_ACCOUNT = re.compile(r"(?:微信号?|QQ号?|qq号?)[:：是为]?\s?([A-Za-z0-9_-]{5,20})")
_DATE = re.compile(r"(?:(?:19|20)\d{2}年)?\d{1,2}月\d{1,2}[日号]|(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}")
_AMOUNT = re.compile(
    r"(?<![\d.])(?!12345|12333|12315|12348|12366|12351|12329|12393)\d{4,9}(?:\.\d{1,2})?(?![\d年号条.])"
)
_MENTIONED = re.compile(
    r"\d[\d,.]{0,15}(?:个月|%|[年个月天日周次倍成元块万千人号室])?"
    r"|[一二两三四五六七八九十百千万半]{1,6}(?:个月|[年个月天日周次倍成元块万人])"
)
_LAW = re.compile(r"第[一二三四五六七八九十百千零〇\d]{1,8}[条款项章节编](?:之[一二三四五六七八九十]{1,2})?")
_HOTLINE = {"12345", "12333", "12315", "12348", "12366", "12351", "12329", "12393"}


@dataclass(frozen=True, slots=True)
class Freed:
    """A wording without particulars, and what was taken out of it, in the order it stood there."""

    text: str
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Particular:
    """Something out of some askers' questions that others did not write: it may be wrong for them."""

    text: str
    asked_by: tuple[str, ...]
    absent_from: tuple[str, ...]


def free(question: str) -> Freed:
    """A question without what could tell who asked it: persons, firms, addresses, case and plate numbers,
    contacts, exact dates, amounts of four digits and more, and what `mask` masks.

    What matters in law (三年合同, 15天) stays. A program sees only the usual forms: a colleague reads the result
    before it is kept.
    """
    removed: list[str] = []
    text = question.split(SUPPLEMENT, 1)[0]
    for pattern, instead in (
        (_MAIL, "〔邮箱〕"),
        (_CODE, "〔信用代码〕"),
        (_CASE, "〔案号〕"),
        (_PLATE, "〔车牌〕"),
        (_ADDRESS, "某地"),
        (_DATE, "某日"),
    ):
        text = _replace(text, pattern, instead, removed)
    text = _FIRM.sub(lambda found: _without_firm(found[0], removed), text)
    text = _NAMED.sub(lambda found: _without(found, "某人", removed), text)
    text = _PERSON.sub(lambda found: _note(found[0], "某人", removed), text)
    text = _ACCOUNT.sub(lambda found: _without(found, "〔账号〕", removed), text)
    masked = mask(text)
    if masked != text:
        removed.append("号码")
    text = _replace(masked, _AMOUNT, "若干", removed)
    return Freed(" ".join(text.split()), tuple(dict.fromkeys(removed)))


def mentioned(text: str) -> dict[str, None]:
    """Numbers, persons and firms a text mentions, in order; articles of law and hotlines are nobody's own."""
    stripped = _LAW.sub("", text)
    firms = [firm for found in _FIRM.finditer(stripped) if len(firm := _BEFORE_FIRM.sub("", found[0])) > _NO_NAME]
    persons = [found[0] for found in _PERSON.finditer(stripped)] + [found[1] for found in _NAMED.finditer(stripped)]
    numbers = [found[0] for found in _MENTIONED.finditer(stripped)]
    kept = [one for one in (*firms, *persons, *numbers) if len(one) > 1 and one.rstrip("元年月日号") not in _HOTLINE]
    return dict.fromkeys(kept)


def to_confirm(reply: str, questions: Mapping[str, str]) -> list[Particular]:
    """What a reply to several askers took from some of their questions and not from all.

    `questions` are by inquiry number. With one question there is nothing to confirm.
    """
    if len(questions) < 2:
        return []
    found = []
    # A bare name is told by the question that gave it (我叫张小明), not by the reply that repeats it.
    from_questions = (one for question in questions.values() for one in mentioned(question) if one in reply)
    for particular in dict.fromkeys((*mentioned(reply), *from_questions)):
        askers = tuple(number for number, question in questions.items() if particular in question)
        if askers and len(askers) < len(questions):
            found.append(Particular(particular, askers, tuple(n for n in questions if n not in askers)))
    return found


def _replace(text: str, pattern: re.Pattern[str], instead: str, removed: list[str]) -> str:
    return pattern.sub(lambda found: _note(found[0], instead, removed), text)


def _without_firm(found: str, removed: list[str]) -> str:
    before = _BEFORE_FIRM.match(found)
    start = len(before[0]) if before else 0
    if len(found) - start <= _NO_NAME:
        return found
    return found[:start] + _note(found[start:], "某公司", removed)


def _without(found: re.Match[str], instead: str, removed: list[str]) -> str:
    removed.append(found[1])
    return found[0].replace(found[1], instead)


def _note(found: str, instead: str, removed: list[str]) -> str:
    removed.append(found)
    return instead
