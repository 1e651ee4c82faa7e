"""The figures in words: name, value, share, denominator, definition; the one place where they are explained."""

from dataclasses import dataclass

from knowledge.models import DOMAIN_NAMES
from knowledge.reports.counting import QUESTION_IS, Tally
from knowledge.reports.figures import RISES_FROM, Report
from knowledge.reports.matters import Ratings
from knowledge.working_days import SHANGHAI

UNKNOWN_DOMAIN = "未归类"
NO_DATA = "没有数据"
# In what somebody may take out of the house, a question is named only where so many askers asked it: then its
# wording is nobody's own story. Those of fewer are counted together.
NAMED_FROM_ASKERS = 3
RISING_IS = (
    f"按直接答复的提问归入主题，与紧接在前、同样天数的时段相比；本期至少{RISES_FROM}问，"
    "且增加的问数不少于两期合计的平方根的两倍（少于此的增减多属偶然，如1问变2问）"
)
TOPICS_IS = "直接答复的提问，按作答条目所属的主题计；请提问人确认、转人工的提问没有作答条目，不计入"
DOMAINS_IS = "直接答复的按作答条目的领域计，其余按最接近的条目的领域计；没有接近条目的列为“未归类”"
GAPS_IS = (
    "期内提出、没有现成答复或提问人选了“都不是”的提问单，同类归为一组；"
    "已由条目作答、已转办或不予解答的组不计；文字已去掉可能识别个人的内容"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `value` (in `unit`) None where nothing could be counted from, `of` its denominator, if it has one.

    `is_part` says that the value is a part of the denominator, and `share` is that part as a percentage; else the
    denominator is what the value was taken from. `shown` is the value in words, `basis` the denominator in words.
    """

    key: str
    name: str
    value: int | float | None
    unit: str
    of: int | None
    shown: str
    basis: str
    definition: str
    is_part: bool = False
    share: str = ""

    @property
    def quotient(self) -> float | None:
        """The part as a number from 0 to 1; None of nothing."""
        return self.value / self.of if self.is_part and self.of and self.value is not None else None


def figures(report: Report) -> tuple[Figure, ...]:
    """All figures of a report, in the order in which they are read."""
    return (*_asked(report), *_staff(report), *_said(report))


def domain_name(domain: str | None) -> str:
    """A field of law as staff call it."""
    return DOMAIN_NAMES.get(domain or "", UNKNOWN_DOMAIN)


def share(part: int, whole: int) -> str:
    """A part as a percentage with one decimal, rounded half up; "" of nothing."""
    if not whole:
        return ""
    per_mille = (2000 * part + whole) // (2 * whole)
    return f"{per_mille // 10}.{per_mille % 10}%"


def domain_rows(report: Report) -> list[tuple[str, Tally]]:
    """Each field of law with its questions, also one without; the questions of no known field last, if any."""
    rows = [(name, report.domains.get(domain, Tally())) for domain, name in DOMAIN_NAMES.items()]
    unknown = report.domains.get(None, Tally())
    return [*rows, (UNKNOWN_DOMAIN, unknown)] if unknown.questions else rows


def message_rows(report: Report) -> list[tuple[str, int]]:
    """What the messages were; the numbers add up to all of them."""
    messages = report.messages
    return [
        ("提问", messages.questions),
        ("重复的提问", messages.repeats),
        ("问候、对提问单的补充等", messages.additions),
        ("点按链接", messages.taps),
        ("口令和选择", messages.commands),
        ("固定回复的关键词", messages.fixed),
        ("图片、表情等", messages.media),
    ]


def matter_rows(report: Report) -> list[tuple[str, int]]:
    """How the inquiries stand; the numbers add up to all of them."""
    matters = report.matters
    return [
        ("已答复", matters.answered),
        ("已转有关部门", matters.referred),
        ("不予解答", matters.declined),
        ("答复后再次办理", matters.again),
        ("尚未答复", matters.waiting),
    ]


def hours_words(hours: float | None) -> str:
    """A time in words: minutes below one hour, days from two days on."""
    if hours is None:
        return NO_DATA
    if hours < 1:
        return f"{round(hours * 60)}分钟" if hours * 60 >= 1 else "不到1分钟"
    return f"{hours:.1f}小时" if hours < 48 else f"{hours / 24:.1f}天"


def days_words(days: float | None) -> str:
    """Working days in words; half a day comes from the middle of an even number of replies."""
    if days is None:
        return NO_DATA
    return f"{days:g}个工作日" if days else "0个工作日（当天）"


def made_words(report: Report) -> str:
    """Until when the report counts."""
    return f"{report.made_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def file_name(report: Report) -> str:
    """What a file of the report is called, without its ending."""
    return f"法律问答统计_{report.period.first}_{report.period.last}"


def _asked(report: Report) -> tuple[Figure, ...]:
    messages, tally = report.messages, report.tally
    of_questions = f"占提问{tally.questions:,}问"
    return (
        _count(
            "messages",
            "来信",
            messages.all,
            "件",
            "提问人发来的全部消息（文字、语音、点按、图片等）；关注、扫码等事件和平台的重复推送不算",
        ),
        _part("questions", "提问", tally.questions, messages.all, "问", f"占来信{messages.all:,}件", QUESTION_IS),
        _count("askers", "提问人", report.askers, "人", "期内至少提过一问的人，每人只计一次"),
        _part(
            "answered", "直接答复", tally.answered, tally.questions, "问", of_questions, "由知识库条目当即答复的提问"
        ),
        _part(
            "clarified",
            "请提问人确认",
            tally.clarified,
            tally.questions,
            "问",
            of_questions,
            "先列出几个可能的问题、或追问一个事实，请提问人选择的提问",
        ),
        _part(
            "unresolved",
            "转人工",
            tally.unresolved,
            tally.questions,
            "问",
            of_questions,
            "没有把握答复、或提问人要求人工，交工作人员办理的提问；直接答复、请提问人确认、转人工三项合计即提问",
        ),
    )


def _staff(report: Report) -> tuple[Figure, ...]:
    matters = report.matters
    of_replied = f"按已人工答复的{matters.replied:,}件计"
    return (
        _count(
            "inquiries",
            "提问单",
            matters.opened,
            "件",
            "期内开出、由工作人员办理的事项：转人工的提问，以及对答复说“没解决”、选“都不是”、要求人工或情形紧急的；"
            f"同一事项的补充不另开单，并入同一人另一件的（{matters.merged:,}件）不算",
        ),
        _part(
            "staff_answered",
            "人工答复",
            matters.replied,
            matters.opened,
            "件",
            f"占提问单{matters.opened:,}件",
            f"工作人员已经回复的提问单，含转办和不予解答的说明；统计到{made_words(report)}为止",
        ),
        Figure(
            "median_hours",
            "首次答复用时",
            matters.median_hours,
            "小时",
            matters.replied,
            hours_words(matters.median_hours),
            of_replied,
            "从开出提问单到第一次人工答复的时间（自然时间，含夜间、节假日和等提问人补充的时间）的中位数",
        ),
        Figure(
            "median_working_days",
            "首次答复用时（工作日）",
            matters.median_days,
            "个工作日",
            matters.replied,
            days_words(matters.median_days),
            of_replied,
            "从开出提问单的次日起到第一次人工答复之日的工作日数（当天答复为0，按国务院放假安排）的中位数",
        ),
    )


def _said(report: Report) -> tuple[Figure, ...]:
    entries, replies, gaps = report.entry_ratings, report.reply_ratings, report.gaps
    return (
        _rate(
            "helpful",
            "条目答复有用率",
            entries,
            f"期内给出条目答复{report.given:,}次（含点按、选择得到的），其中{entries.rated:,}次有评价，"
            f"{entries.helpful:,}次说“有用”",
            "有评价的条目答复中说“有用”的；每次答复以最后的评价为准",
        ),
        _rate(
            "staff_helpful",
            "人工答复有用率",
            replies,
            f"期内提问单的人工答复中{replies.rated:,}次有评价，{replies.helpful:,}次说“有用”",
            "有评价的人工答复中说“有用”的",
        ),
        Figure(
            "gaps",
            "没有条目的问题",
            gaps.groups,
            "组",
            gaps.inquiries,
            f"{gaps.groups:,}组",
            f"共{gaps.inquiries:,}件提问单",
            GAPS_IS,
        ),
    )


def _count(key: str, name: str, number: int, unit: str, definition: str) -> Figure:
    return Figure(key, name, number, unit, None, f"{number:,}{unit}", "", definition)


def _part(key: str, name: str, part: int, whole: int, unit: str, basis: str, definition: str) -> Figure:
    shown, of_whole = f"{part:,}{unit}", share(part, whole) or NO_DATA
    return Figure(key, name, part, unit, whole, shown, basis, definition, is_part=True, share=of_whole)


def _rate(key: str, name: str, ratings: Ratings, basis: str, definition: str) -> Figure:
    shown = share(ratings.helpful, ratings.rated) or NO_DATA
    return Figure(key, name, ratings.helpful, "次", ratings.rated, shown, basis, definition, is_part=True)
