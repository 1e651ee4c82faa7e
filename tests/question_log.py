"""A log of questions and inquiries written by hand, for figures that can be counted by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from knowledge.models import (
    Asker,
    Feedback,
    Inquiry,
    InquiryCluster,
    InquiryStatus,
    Message,
    ReplyKind,
    StaffReply,
)
from knowledge.reports.periods import Period
from tests.conftest import NOW

# NOW is Tuesday 2026-11-24, 10:00 in Shanghai.
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 24))
SECRET = "我叫张小明，在泰达科技有限公司上班，电话13800138000，食堂的鹅归谁管"


class Log:
    """Writes a log by hand: moments are days of November 2026 at noon in Shanghai unless told."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.number = 0

    def asker(self, name: str) -> int:
        row = Asker(channel="t", address=name, created_at=NOW)
        self.session.add(row)
        self.session.flush()
        assert row.id is not None
        return row.id

    def message(self, asker: int, at: datetime | int, decision: str | None = None, **fields: Any) -> int:
        self.number += 1
        moment = at if isinstance(at, datetime) else noon(at)
        values = {"kind": "question", "text": f"问{self.number}", **fields}
        row = Message(key=f"k{self.number}", asker_id=asker, received_at=moment, decision=decision, **values)
        self.session.add(row)
        self.session.flush()
        assert row.id is not None
        return row.id

    def answered(self, asker: int, at: datetime | int, entry: str, **fields: Any) -> int:
        return self.message(asker, at, "answered", entry_id=entry, domain=entry.split(".", 1)[0], **fields)

    def inquiry(self, asker: int, at: datetime | int, question: str | None, **fields: Any) -> int:
        self.number += 1
        cluster = fields.pop("cluster_id", None)
        if cluster is None:
            made = InquiryCluster(created_at=NOW)
            self.session.add(made)
            self.session.flush()
            cluster = made.id
        moment = at if isinstance(at, datetime) else noon(at)
        values = {"reason": "unresolved", "domain": "labor", "due_on": NOW.date(), **fields}
        row = Inquiry(
            number=f"Q{self.number}", asker_id=asker, question=question, opened_at=moment, cluster_id=cluster, **values
        )
        self.session.add(row)
        self.session.flush()
        assert row.id is not None
        return row.id

    def reply(self, inquiry: int, at: datetime, **fields: Any) -> None:
        self.session.add(StaffReply(inquiry_id=inquiry, author="李", text="答", written_at=at, **fields))
        self.session.flush()

    def rated(self, message: int, *, helpful: bool) -> None:
        self.session.add(Feedback(message_id=message, helpful=helpful, given_at=NOW))
        self.session.flush()


def noon(day: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, 4, 0, tzinfo=UTC)


def keep_log(session: Session) -> None:
    """November: 13 messages, 7 of them questions of 3 askers; before it 2 questions, the first on 10 October.

    The cast's entries must be there. What each figure comes to is counted by hand in the tests.
    """
    log = Log(session)
    zhang, zhao, sun = (log.asker(name) for name in ("张", "赵", "孙"))
    # Before the period, the first a little before its midnight in Shanghai.
    log.answered(zhao, datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC), "labor.wage.arrears")
    log.answered(zhao, noon(10, 10), "labor.wage.arrears")
    # The period begins at its midnight in Shanghai, which is the day before in UTC.
    first = log.answered(zhang, datetime(2026, 10, 31, 16, 0, tzinfo=UTC), "labor.wage.arrears")
    second = log.answered(zhang, 2, "labor.probation.length")
    log.answered(sun, 2, "company.capital.five_year")
    log.message(sun, 2, "clarified", domain="labor")
    log.message(zhao, 3, "unresolved", domain="business")
    log.message(zhao, 4, "unresolved")
    # 这是新问题 makes a question of what had joined an inquiry.
    log.answered(zhao, 24, "labor.wage.arrears", kind="new_matter")
    log.answered(zhang, 2, "labor.probation.length", is_repeat=True)
    tap = log.answered(zhang, 2, "labor.wage.arrears", kind="tap")
    log.message(zhao, 5, kind="command")
    log.message(zhao, 5, kind="fixed")
    log.message(zhao, 5, kind="event", text=None)
    log.message(zhao, 5, kind="image", text=None)
    log.message(zhao, 5)  # joined an inquiry: no decision
    # After the period.
    log.answered(zhang, datetime(2026, 11, 24, 16, 0, tzinfo=UTC), "labor.wage.arrears")

    log.rated(first, helpful=True)
    log.rated(second, helpful=False)
    log.rated(tap, helpful=True)

    friday = noon(6)
    answered = log.inquiry(zhao, friday, SECRET, status=InquiryStatus.ANSWERED, domain="business")
    cluster = session.get_one(Inquiry, answered).cluster_id
    log.reply(answered, friday + timedelta(hours=1), kind=ReplyKind.QUESTION)  # asking back is no answer
    log.reply(answered, friday + timedelta(hours=3), helpful=True)
    log.reply(answered, friday + timedelta(hours=30), helpful=False)
    log.inquiry(sun, 7, "食堂的鹅归谁管", cluster_id=cluster, domain="business")
    log.inquiry(zhang, 8, "食堂的鹅归谁管呢", cluster_id=cluster, domain="business")
    # Friday to Monday is one working day: 72 hours.
    again = log.inquiry(zhang, friday, "没解决", status=InquiryStatus.ASSIGNED, reason="unhelpful")
    log.reply(again, friday + timedelta(hours=72))
    referred = log.inquiry(sun, 9, "离婚怎么办", status=InquiryStatus.REFERRED, domain=None)
    log.reply(referred, noon(9) + timedelta(hours=8))
    log.inquiry(sun, 9, "并入别的", status=InquiryStatus.MERGED)
    log.inquiry(sun, 10, None)  # erased
    by_entry = log.inquiry(sun, 11, "欠薪咋整", status=InquiryStatus.ANSWERED, entry_id="labor.wage.arrears")
    log.reply(by_entry, noon(11) + timedelta(minutes=30))
    early = log.inquiry(sun, noon(30, 10), "上个月的事", status=InquiryStatus.ANSWERED)
    log.reply(early, noon(2))
