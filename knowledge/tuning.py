"""The matcher's numbers in force, newer ones in shadow, and what curators confirmed of logged questions."""

import hashlib
import json
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from knowledge.database import insert_if_absent
from knowledge.errors import InvalidInput, NotFound
from knowledge.matching.labelled import Labelled
from knowledge.matching.weights import Weights, as_row, load_weights, parse_weights
from knowledge.models import ConfirmedQuestion, FaqEntry, FittedWeights, Message, WeightsUsed


def weights_in_force(session: Session) -> Weights:
    """The numbers the site has put in force; those that ship where it has put none."""
    row = session.exec(
        select(FittedWeights).where(FittedWeights.is_active).order_by(col(FittedWeights.id).desc())
    ).first()
    return parse_weights(row.data) if row else load_weights()


def weights_in_shadow(session: Session) -> Weights | None:
    """The newest numbers that wait to be put in force; None where there are none newer than those in force."""
    row = shadow(session)
    return parse_weights(row.data) if row else None


def shadow(session: Session) -> FittedWeights | None:
    """The newest numbers that wait to be put in force, as stored."""
    row = session.exec(
        select(FittedWeights).where(col(FittedWeights.is_retired).is_(False)).order_by(col(FittedWeights.id).desc())
    ).first()
    return row if row and not row.is_active else None


def in_force_id(session: Session) -> int:
    """The id of the site's numbers in force; 0 where those that ship are."""
    return (
        session.exec(
            select(FittedWeights.id).where(FittedWeights.is_active).order_by(col(FittedWeights.id).desc())
        ).first()
        or 0
    )


def by_id(session: Session, weights_id: int) -> FittedWeights:
    """Numbers as stored; NotFound where there are none of that id."""
    row = session.get(FittedWeights, weights_id)
    if row is None:
        raise NotFound(f"没有编号为{weights_id}的匹配参数")
    return row


def digest_of(weights: Weights) -> str:
    """What messages name the numbers by that decided them: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(as_row(weights), sort_keys=True).encode()).hexdigest()[:16]


def is_known(session: Session, digest: str) -> bool:
    """Whether the numbers of a digest are kept."""
    return session.get(WeightsUsed, digest) is not None


def remember(session: Session, weights: Weights) -> None:
    """Keep numbers that decide from now on, once, for as long as messages may name them."""
    insert_if_absent(session, WeightsUsed, digest=digest_of(weights), data=as_row(weights))


def used(session: Session, digest: str) -> Weights | None:
    """The numbers of a digest; None where they are not kept, or are for other evidence than this program's."""
    row = session.get(WeightsUsed, digest)
    try:
        return parse_weights(row.data) if row else None
    except ValueError:
        return None


def propose(session: Session, weights: Weights, by: str, now: datetime) -> int:
    """Keep new numbers in shadow: they decide nothing until `activate`. Gives their id."""
    row = FittedWeights(data=as_row(weights), made_by=by, made_at=now)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def activate(session: Session, weights_id: int) -> None:
    """Put proposed numbers in force. The caller publishes the content, so that running servers take them up."""
    row = by_id(session, weights_id)
    restore_shipped(session)
    row.is_active, row.is_retired = True, False
    session.add(row)
    session.flush()


def restore_shipped(session: Session) -> None:
    """Let the numbers that ship be in force, also those of later releases. The caller publishes the content."""
    session.exec(update(FittedWeights).values(is_active=False, is_retired=True))


def confirm(session: Session, message_id: int, entry_id: str | None, by: str, now: datetime) -> None:
    """Record what a logged question meant: an entry, or nothing of ours (None). The last word counts.

    Raises NotFound for an unknown message or entry, InvalidInput for a message that was no question.
    """
    message = session.get(Message, message_id)
    if message is None:
        raise NotFound(f"没有编号为{message_id}的来信")
    if message.kind != "question":
        raise InvalidInput("只有提问才能标注含义")
    if entry_id is not None and session.get(FaqEntry, entry_id) is None:
        raise NotFound(f"没有条目{entry_id}")
    row = session.get(ConfirmedQuestion, message_id) or ConfirmedQuestion(
        message_id=message_id, confirmed_by=by, confirmed_at=now
    )
    row.entry_id, row.confirmed_by, row.confirmed_at = entry_id, by, now
    session.add(row)
    session.flush()


def confirmed(session: Session) -> list[Labelled]:
    """Confirmed questions of the log whose text is still there, oldest first."""
    rows = session.exec(
        select(Message.text, ConfirmedQuestion.entry_id)
        .join(ConfirmedQuestion, col(ConfirmedQuestion.message_id) == Message.id)
        .where(col(Message.text).is_not(None))
        .order_by(col(Message.id))
    )
    return [Labelled(text or "", entry_id, is_law=True) for text, entry_id in rows]
