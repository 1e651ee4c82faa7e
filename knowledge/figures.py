"""Yearly figures (最低工资, 社平工资 …) as staff keep them: a value stands only with its days and its source."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from knowledge import audit, curation
from knowledge.content.entries import word_figure
from knowledge.errors import InvalidInput, NotFound, SettingMoved
from knowledge.models import Figure

# A yearly figure that nobody has compared with its source for so long may have been replaced.
HOLDS = timedelta(days=365)
_VALUE = re.compile(r"\d{1,9}(\.\d{1,2})?")
_LONGEST = 200  # characters of the source and of whom to ask
_LONGEST_UNIT = 20


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What staff say of a figure. A `value` of "" takes it back: answers then say whom to ask.

    `effective` is the day it holds from, `source` the document that says so, `checked_on` the day somebody
    compared the two.
    """

    value: str
    unit: str
    effective: date | None
    source: str
    checked_on: date | None
    ask: str


def everything(session: Session) -> list[Figure]:
    """All figures, by name."""
    return list(session.exec(select(Figure).order_by(col(Figure.key))).all())


def by_key(session: Session, key: str) -> Figure:
    """One figure; NotFound where there is none."""
    figure = session.get(Figure, key)
    if figure is None:
        raise NotFound(f"没有年度数据 {key}")
    return figure


def is_past_due(figure: Figure, today: date) -> bool:
    """Whether a confirmed figure was last compared with its source longer ago than HOLDS, or on no known day."""
    return figure.value is not None and (figure.checked_on is None or figure.checked_on + HOLDS <= today)


def to_see_to(session: Session, today: date) -> tuple[int, int]:
    """How many figures nobody has confirmed, and how many are to be looked at again."""
    listed = everything(session)
    return sum(one.value is None for one in listed), sum(is_past_due(one, today) for one in listed)


def state_of(figure: Figure) -> str:
    """What stands there, as one text: a form carries it, so that a change made meanwhile is noticed."""
    return repr((figure.value, figure.unit, figure.effective, figure.source, figure.checked_on, figure.ask))


def save(
    session: Session, key: str, said: Confirmed, *, today: date, actor: str, now: datetime, against: str | None = None
) -> Figure:
    """Confirm a figure, or take it back; answers that name it follow at once.

    Raises NotFound, InvalidInput naming every fault, and SettingMoved where `against` (`state_of` as the editor
    saw it) is no longer what stands there.
    """
    figure = by_key(session, key)
    if against is not None and against != state_of(figure):
        raise SettingMoved("这项数据刚才被同事改过，请核对现在的内容后再保存")
    tidy = _tidied(said)
    if faults := list(_faults(tidy, today)):
        raise InvalidInput("\n".join(faults))
    before, worded = _values(figure), _worded(figure)
    figure.value, figure.unit, figure.ask = tidy.value or None, tidy.unit, tidy.ask
    figure.effective = tidy.effective if tidy.value else None
    figure.checked_on = tidy.checked_on if tidy.value else None
    figure.source = tidy.source or figure.source
    if _values(figure) == before:
        return figure
    session.add(figure)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="figure.change",
        subject=f"figure {key}（{figure.name}）",
        before=before,
        after=_values(figure),
        now=now,
    )
    if _worded(figure) != worded:
        curation.publish_content(session, now, f"figure {key}")
    return figure


def _tidied(said: Confirmed) -> Confirmed:
    value = unicodedata.normalize("NFKC", said.value).replace(",", "").strip()
    return Confirmed(
        value, said.unit.strip(), said.effective, said.source.strip(), said.checked_on, said.ask.strip()
    )  # fmt: skip


def _faults(said: Confirmed, today: date) -> Iterator[str]:
    if not 0 < len(said.unit) <= _LONGEST_UNIT:
        yield f"单位应为1至{_LONGEST_UNIT}字，如 元/月"
    if not 0 < len(said.ask) <= _LONGEST:
        yield "请写明没有数值时向谁查询，如 可拨12333查询"
    if set("<>{}") & set(said.unit + said.source + said.ask):
        yield "文字里不能有 < > { }"
    if not said.value:
        return
    if not _VALUE.fullmatch(said.value):
        yield f"数值只填数字，最多两位小数，现为“{said.value[:20]}”"
    if said.effective is None:
        yield "有数值时要填起始日期：从哪一天起执行"
    elif said.effective > today:
        yield f"起始日期{said.effective}还没有到：到那一天再改，之前的答复仍用现行数值"
    if not said.source or "填写文号" in said.source or len(said.source) > _LONGEST:
        yield f"有数值时要填来源：文件名称和文号，最多{_LONGEST}字（不能保留“填写文号”）"
    if said.checked_on is None:
        yield "有数值时要填核对日期：哪一天对照来源核对的"
    elif said.checked_on > today:
        yield f"核对日期{said.checked_on}在今天以后"


def _worded(figure: Figure) -> str:
    return word_figure(figure.value, figure.unit, figure.effective, figure.ask)


def _values(figure: Figure) -> dict[str, object]:
    """What staff wrote, for the log of changes."""
    names = ("value", "unit", "effective", "source", "checked_on", "ask")
    values = {name: getattr(figure, name) for name in names}
    return {name: one.isoformat() if isinstance(one, date) else one for name, one in values.items()}
