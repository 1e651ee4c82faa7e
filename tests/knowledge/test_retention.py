"""After the retention period texts are gone and figures are not; what is still needed stays."""

from datetime import timedelta

from sqlmodel import Session, select

from knowledge import callbacks, inquiries, outbox, retention
from knowledge.database import Database
from knowledge.models import Asker, CallbackNumber, Inquiry, InquiryStatus, Message, StaffReply
from tests.conftest import NOW

LATER = NOW + timedelta(days=400)


def asker(session: Session, address: str) -> int:
    row = Asker(channel="t", address=address, created_at=NOW)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def message(session: Session, asker_id: int, key: str, days: int = 0, inquiry_id: int | None = None) -> None:
    at = NOW + timedelta(days=days)
    session.add(
        Message(
            key=key, asker_id=asker_id, received_at=at, kind="question", text="问", reply="答", inquiry_id=inquiry_id
        )
    )
    session.flush()


def clean(database: Database, days: int = 365) -> None:
    while True:
        with database.writing() as session:
            if retention.clean_up(session, LATER, days) == 0:
                return


def test_old_texts_and_people_go_and_rows_stay(database: Database) -> None:
    with database.writing() as session:
        old, active = asker(session, "old"), asker(session, "active")
        message(session, old, "1")
        message(session, active, "2")
        message(session, active, "3", days=300)
        opened, _ = inquiries.open_or_join(session, old, "旧事", "unresolved", NOW)
        inquiries.reply(session, opened.number, "李", "答复", NOW)
        reply = outbox.due(session, old, NOW)[0]
        outbox.give(session, reply, 1, NOW)

    clean(database)

    with database.reading() as session:
        kept = session.exec(select(Message.key, Message.text, Message.reply)).all()
        assert sorted(kept) == [("1", None, None), ("2", None, None), ("3", "问", "答")]
        assert session.exec(select(Inquiry.question)).all() == [None]
        assert session.exec(select(StaffReply.text)).all() == [None]
        assert sorted(session.exec(select(Asker.address)).all(), key=str) == [None, "active"]


def test_what_is_open_or_not_delivered_stays(database: Database) -> None:
    with database.writing() as session:
        waits, hears = asker(session, "waits"), asker(session, "hears")
        opened, _ = inquiries.open_or_join(session, waits, "还没答复", "unresolved", NOW)
        message(session, waits, "1", inquiry_id=opened.id)
        answered, _ = inquiries.open_or_join(session, hears, "答复还没送到", "unresolved", NOW)
        inquiries.reply(session, answered.number, "李", "答复", NOW)

    clean(database)

    with database.reading() as session:
        assert sorted(str(text) for text in session.exec(select(Inquiry.question))) == ["答复还没送到", "还没答复"]
        assert session.exec(select(Message.text)).all() == ["问"]
        assert session.exec(select(StaffReply.text)).all() == ["答复"]
        assert sorted(str(address) for address in session.exec(select(Asker.address))) == ["hears", "waits"]


def test_nothing_goes_without_a_period_but_forgotten_callback_numbers(database: Database) -> None:
    with database.writing() as session:
        old = asker(session, "old")
        message(session, old, "1")
        opened, _ = inquiries.open_or_join(session, old, "旧事", "unresolved", NOW)
        assert opened.id is not None
        callbacks.leave(session, opened.id, "13800138000", NOW)
        opened.status, opened.closed_at = InquiryStatus.DECLINED, NOW
        session.add(opened)

    clean(database, days=0)

    with database.reading() as session:
        assert session.exec(select(Message.text)).all() == ["问"]
        assert session.exec(select(CallbackNumber)).all() == []
