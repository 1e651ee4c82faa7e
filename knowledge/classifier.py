"""The trained classifier as stored: who trains it, and the newest there is."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from knowledge.database import insert_if_absent
from knowledge.matching.model import Model
from knowledge.models import TrainedModel

# A claim older than this without a classifier: whoever made it has died, and the next one may train.
CLAIM_HOLDS = timedelta(minutes=5)
# Older ones are kept this many versions back, so that a process which is a step behind still finds its own.
_KEPT = 3


def claim(session: Session, version: int, now: datetime) -> bool:
    """Claim the training for a content version: True for exactly one of any number of processes.

    While a classifier is being trained for another version nobody trains: it may turn out to be this version's too,
    where only signatures or figures changed between them.
    """
    insert_if_absent(session, TrainedModel, content_version=version, claimed_at=datetime.fromtimestamp(0, now.tzinfo))
    other = aliased(TrainedModel)
    taken = session.exec(
        update(TrainedModel)
        .where(
            col(TrainedModel.content_version) == version,
            col(TrainedModel.made_at).is_(None),
            col(TrainedModel.claimed_at) < now - CLAIM_HOLDS,
            ~exists().where(
                col(other.content_version) != version,
                col(other.made_at).is_(None),
                col(other.claimed_at) >= now - CLAIM_HOLDS,
            ),
        )
        .values(claimed_at=now)
    )
    return taken.rowcount == 1


def release(session: Session, version: int) -> None:
    """Give a claim back: the training failed, another try may begin at once."""
    session.exec(
        delete(TrainedModel).where(col(TrainedModel.content_version) == version, col(TrainedModel.made_at).is_(None))
    )


def store(session: Session, model: Model, now: datetime) -> None:
    """Store a classifier under its content version, and drop those that nobody loads any more."""
    row = session.get(TrainedModel, model.version)
    if row is None:
        row = TrainedModel(content_version=model.version, claimed_at=now)
    row.data, row.made_at = model.to_bytes(), now
    session.add(row)
    session.flush()
    session.exec(delete(TrainedModel).where(col(TrainedModel.content_version) <= model.version - _KEPT))


def newest_version(session: Session) -> int | None:
    """The content version of the newest classifier that is ready."""
    return session.exec(
        select(TrainedModel.content_version)
        .where(col(TrainedModel.made_at).is_not(None))
        .order_by(col(TrainedModel.content_version).desc())
    ).first()


def load(session: Session, version: int) -> Model | None:
    """The classifier of a content version; None where there is none (any more)."""
    row = session.get(TrainedModel, version)
    return Model.from_bytes(row.data) if row and row.data else None
