"""Days in China: the local date, and working days with the State Council's holidays where announced."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local_day(moment: datetime) -> date:
    """The day in Asia/Shanghai on which an aware moment falls."""
    return moment.astimezone(SHANGHAI).date()


def start_of_day(day: date) -> datetime:
    """The first moment of a day in Asia/Shanghai."""
    return datetime.combine(day, time.min, SHANGHAI)


def now_utc() -> datetime:
    """The present, aware, in UTC: the clock that the composition root hands out."""
    return datetime.now(UTC)


def is_working_day(day: date) -> bool:
    """Whether offices work; beyond the years whose holidays are announced, Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def after_working_days(start: date, count: int) -> date:
    """The `count`-th working day after `start`, which itself does not count."""
    day = start
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """How many working days lie after `start`, up to and with `end`; 0 where `end` is not later."""
    days = (end - start).days
    return sum(is_working_day(start + timedelta(days=day)) for day in range(1, days + 1))
