"""A push handled once: its message row is the receipt, and a retry gets the reply already given."""

from datetime import datetime

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from bot.wechat.messages import OpenId
from knowledge.database import insert_if_absent, insert_row
from knowledge.errors import AlreadyReceived
from knowledge.models import Asker, Message

CHANNEL = "wechat"
# NO KEY UPDATE: rows that only refer to the asker, such as a colleague's reply, may be stored meanwhile. The
# stronger lock held them back while they held the inquiry the turn needs next: a deadlock under load.
_LOCKED = (
    select(Asker.id)
    .where(Asker.channel == CHANNEL, Asker.address == bindparam("openid"))
    .with_for_update(key_share=True)
)


def reply_given(session: Session, key: str) -> str | None:
    """The reply given to the push with this key; None for a push that was never handled."""
    row = session.exec(select(Message.id, Message.reply).where(Message.key == key)).first()
    return None if row is None else row[1] or ""


def claim(session: Session, message: Message) -> int:
    """Store the message, and with it the claim on its push; gives the row's id. It is no object of the session.

    Raises AlreadyReceived where another request stored it first: the unit of work is then rolled back
    whole, so nothing is asked, counted or delivered twice.
    """
    try:
        message.id = insert_row(session.connection(), message)
    except IntegrityError as error:
        raise AlreadyReceived(message.key) from error
    assert message.id is not None
    return message.id


def find_asker(session: Session, openid: OpenId) -> Asker | None:
    """The asker with this openid."""
    return session.exec(select(Asker).where(Asker.channel == CHANNEL, Asker.address == openid)).first()


def know_asker(session: Session, openid: OpenId, now: datetime, known_id: int | None = None) -> int:
    """The id of the asker with this openid, stored now if new and locked until the transaction ends.

    `known_id` is the id seen just before, if one was. Two first messages at once make one asker; the lock lets
    one message of an asker be handled at a time, so that each sees what the one before left in the conversation.
    (SQLite has one writer at a time anyway.)
    """
    if known_id is None:
        insert_if_absent(session, Asker, channel=CHANNEL, address=openid, created_at=now)
    connection = session.connection()
    found = connection.scalar(_LOCKED, {"openid": openid})
    if found is None:
        # Erased since it was seen: whoever writes again begins anew.
        insert_if_absent(session, Asker, channel=CHANNEL, address=openid, created_at=now)
        found = connection.scalar(_LOCKED, {"openid": openid})
    assert found is not None
    return int(found)
