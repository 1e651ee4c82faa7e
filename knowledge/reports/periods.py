"""Periods that figures are made over: whole days in Asia/Shanghai, cut into stretches for a trend."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from knowledge.errors import InvalidInput
from knowledge.working_days import SHANGHAI

PRESETS = {
    "week": "本周",
    "month": "本月",
    "last_month": "上月",
    "quarter": "本季",
    "year": "今年",
    "last_year": "去年",
}
_EARLIEST = date(2000, 1, 1)
_LONGEST_DAYS = 5 * 366
# Up to so many days a trend is told by day, and by week; beyond, by month.
_BY_DAY, _BY_WEEK = 31, 183


@dataclass(frozen=True, slots=True)
class Period:
    """From one day to another, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        """The moment it begins."""
        return datetime.combine(self.first, time.min, SHANGHAI)

    @property
    def end(self) -> datetime:
        """The moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time.min, SHANGHAI)

    @property
    def before(self) -> "Period":
        """The period of equal length that ends the day before."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def words(self) -> str:
        """As a report says it: 2026年1月1日至2026年11月25日."""
        first = _day_words(self.first)
        return first if self.days == 1 else f"{first}至{_day_words(self.last)}"

    def stretches(self) -> list["Stretch"]:
        """The period in days, weeks from Monday, or calendar months, by its length; the outermost may be cut short."""
        if self.days <= _BY_DAY:
            return [
                Stretch(f"{day:%m-%d}", Period(day, day))
                for day in (self.first + timedelta(days=offset) for offset in range(self.days))
            ]
        stretches, first = [], self.first
        while first <= self.last:
            if self.days <= _BY_WEEK:
                last = first + timedelta(days=6 - first.weekday())
                label = f"{first:%m-%d}"
            else:
                last = _month_end(first)
                label = f"{first:%Y-%m}"
            last = min(last, self.last)
            stretches.append(Stretch(label, Period(first, last)))
            first = last + timedelta(days=1)
        return stretches

    def stretch_name(self) -> str:
        """What a trend over the period goes by."""
        return "日" if self.days <= _BY_DAY else ("周" if self.days <= _BY_WEEK else "月")


@dataclass(frozen=True, slots=True)
class Stretch:
    """One day, week or month of a trend; `label` is short, for a chart."""

    label: str
    period: Period

    @property
    def name(self) -> str:
        """2026-11-24; 2026-11-23至11-29; 2026-11 for a month, also one that is cut short."""
        first, last = self.period.first, self.period.last
        if self.label == f"{first:%Y-%m}":
            return self.label
        return str(first) if first == last else f"{first}至{last:%m-%d}"


def preset(name: str, today: date) -> Period:
    """The period of a name in PRESETS; what is not over ends today. InvalidInput for another name."""
    month = today.replace(day=1)
    match name:
        case "week":
            return Period(today - timedelta(days=today.weekday()), today)
        case "month":
            return Period(month, today)
        case "last_month":
            last = month - timedelta(days=1)
            return Period(last.replace(day=1), last)
        case "quarter":
            return Period(date(today.year, (today.month - 1) // 3 * 3 + 1, 1), today)
        case "year":
            return Period(date(today.year, 1, 1), today)
        case "last_year":
            return Period(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31))
    raise InvalidInput(f"没有“{name}”这个时段，可选：{'、'.join(PRESETS.values())}")


def between(first: str, last: str, today: date) -> Period:
    """The period from one day to another, as typed (2026-01-01).

    InvalidInput where a day is missing or none, they stand the wrong way round, the period lies in the future or
    before 2000, or is longer than five years.
    """
    period = Period(_read_day(first, "开始日期"), _read_day(last, "结束日期"))
    if period.first > period.last:
        raise InvalidInput(f"开始日期{period.first}晚于结束日期{period.last}，请对调")
    if period.last > today:
        raise InvalidInput(f"结束日期{period.last}还没有到，最晚可填今天{today}")
    if period.first < _EARLIEST:
        raise InvalidInput(f"开始日期最早可填{_EARLIEST}")
    if period.days > _LONGEST_DAYS:
        raise InvalidInput("一次最多统计五年，请缩短时段")
    return period


def _read_day(text: str, name: str) -> date:
    if not text.strip():
        raise InvalidInput(f"请填写{name}，例如2026-01-31")
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(f"{name}“{text.strip()[:20]}”不是日期，请写成2026-01-31的样子") from error


def _day_words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
