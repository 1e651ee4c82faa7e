"""A report's sentences: they state the figures, and say so where there is nothing to state."""

from collections.abc import Iterable

from knowledge.reports.counting import Tally
from knowledge.reports.figures import AskedTopic, Report
from knowledge.reports.matters import Ratings
from knowledge.reports.wording import days_words, domain_name, domain_rows, hours_words, made_words, matter_rows, share


def overall(report: Report) -> list[str]:
    """What came in and what became of it at once."""
    messages, tally = report.messages, report.tally
    until = "" if report.is_over else f"（时段尚未结束，统计到{made_words(report)}）"
    if not messages.all:
        return [f"{report.period.words()}{until}，没有收到来信，以下各项没有数据。"]
    came = f"{report.period.words()}{until}，共收到来信{messages.all:,}件，"
    if not tally.questions:
        return [came + "其中没有需要解答的提问。", _change(report)]
    at_once = (
        f"提问中，由知识库条目当即直接答复{_of(tally.answered, tally)}；"
        f"请提问人确认{_of(tally.clarified, tally)}；转人工{_of(tally.unresolved, tally)}。"
    )
    return [
        f"{came}其中提问{tally.questions:,}问（占{share(tally.questions, messages.all)}），由{report.askers:,}人提出。",
        at_once,
        _change(report),
    ]


def domains(report: Report) -> list[str]:
    """How the questions spread over the fields of law."""
    if not report.tally.questions:
        return ["期内没有提问，不作领域分析。"]
    rows = sorted(domain_rows(report), key=lambda row: -row[1].questions)
    return [
        "按领域分，"
        + "；".join(f"{name}{_of(tally.questions, report.tally)}" for name, tally in rows if tally.questions)
        + "。"
    ]


def topics(report: Report) -> list[str]:
    """What was asked most, and what is asked more than before."""
    if not report.topics:
        return ["期内没有直接答复的提问，无法列出主题。"]
    most = "、".join(f"{one.topic}（{one.count:,}问）" for one in report.topics[:5])
    return [f"直接答复的提问涉及{report.topics_count:,}个主题，问得最多的是{most}。", _rising(report)]


def staff(report: Report) -> list[str]:
    """What went to a person, how it stands and how long it took."""
    matters = report.matters
    if not matters.opened:
        return ["期内没有开出提问单。"]
    stands = "、".join(f"{name}{number:,}件" for name, number in matter_rows(report) if number)
    paragraphs = [f"期内开出提问单{matters.opened:,}件。统计时，{stands}。"]
    if matters.replied and matters.median_days is not None:
        paragraphs.append(
            f"工作人员已经回复{matters.replied:,}件，占{share(matters.replied, matters.opened)}；"
            f"首次答复用时的中位数为{hours_words(matters.median_hours)}，按工作日计为{days_words(matters.median_days)}。"
        )
    else:
        paragraphs.append("工作人员尚未回复其中任何一件，没有答复用时的数据。")
    return paragraphs


def ratings(report: Report) -> list[str]:
    """What askers said of the answers."""
    return [_rated("条目答复", report.entry_ratings), _rated("人工答复", report.reply_ratings)]


def gaps(report: Report) -> list[str]:
    """What no entry answers: counts only, since the wordings are the askers'."""
    gaps = report.gaps
    if not gaps.groups:
        return ["期内没有发现缺少条目的问题。"]
    spread = sorted(gaps.by_domain.items(), key=lambda one: (-one[1], domain_name(one[0])))
    fields = "、".join(f"{domain_name(domain)}{number:,}件" for domain, number in spread)
    return [f"期内有{gaps.groups:,}组问题（{gaps.inquiries:,}件提问单）还没有可以直接答复的条目：{fields}。"]


def _change(report: Report) -> str:
    now, before = report.tally.questions, report.before.questions
    earlier = f"之前同样天数的时段（{report.period.before.words()}）"
    if not report.is_compared:
        return f"{earlier}记录不全，不作比较。"
    if not before:
        return f"{earlier}没有提问。"
    if now == before:
        return f"与{earlier}的{before:,}问持平。"
    more = now > before
    by = abs(now - before)
    return (
        f"与{earlier}的{before:,}问相比，提问{'增加' if more else '减少'}{by:,}问，"
        f"{'增长' if more else '下降'}{share(by, before)}。"
    )


def _rising(report: Report) -> str:
    if not report.is_compared:
        return "之前同样天数的时段记录不全，不判断主题的升降。"
    if not report.rising:
        return "与之前同样天数的时段相比，没有明显上升的主题。"
    return f"与之前同样天数的时段相比，明显上升的主题有{_risen(report.rising)}。"


def _risen(topics: Iterable[AskedTopic]) -> str:
    return "、".join(f"{one.topic}（{one.before:,}问升至{one.count:,}问）" for one in topics)


def _rated(what: str, ratings: Ratings) -> str:
    if not ratings.rated:
        return f"期内的{what}没有收到评价，无法计算有用率。"
    return (
        f"期内的{what}有{ratings.rated:,}次得到评价，其中{ratings.helpful:,}次说“有用”，"
        f"有用率{share(ratings.helpful, ratings.rated)}。"
    )


def _of(part: int, tally: Tally) -> str:
    return f"{part:,}问，占{share(part, tally.questions)}"
