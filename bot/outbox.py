"""Pushing what colleagues wrote to askers whose window is open: claim, send, mark.

A row is claimed and its allowance taken in one unit of work, then sent outside of any, then marked. A worker may die
anywhere in between: what it had claimed becomes *unsure* when its lease is over, and is given at the asker's next
message, headed 如已收到请忽略. What could not be pushed waits for that message too; nothing is pushed twice.
"""

import os
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot import replies
from bot.wechat.client import ApiClient
from bot.wechat.errors import ApiRefused, CallError, NotReached, OutcomeUnknown, Reaction
from knowledge import outbox
from knowledge.database import Database
from knowledge.outbox import Pushable

log = structlog.get_logger()

_LOOK_EVERY_S = 1.0
_ABANDONED_EVERY = timedelta(seconds=30)
_MOST_ATTEMPTS = 6  # then the row waits for the asker's next message
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_REST = timedelta(hours=1)  # how long nothing is pushed where an administrator must act first


class _NotOurs(Exception):
    """Another worker, or the asker's message, was first; or the allowance is used up."""


class Deliverer:
    """One worker that pushes; any number of processes may run one each."""

    def __init__(self, database: Database, client: ApiClient, now: Callable[[], datetime]) -> None:
        """`now` is the clock (aware, UTC)."""
        self._database = database
        self._client = client
        self._now = now
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._rests_until: datetime | None = None
        self._looked_for_abandoned: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Push what becomes due until told to stop. A database that is away is waited for."""
        while not stop.wait(_LOOK_EVERY_S):
            try:
                self.run_once()
            except (SQLAlchemyError, TimeoutError) as error:
                log.warning("outbox_not_reached", error=type(error).__name__)

    def run_once(self) -> int:
        """Push everything that may be pushed now; gives how many rows arrived."""
        now = self._now()
        self._give_up_abandoned(now)
        if self._rests_until and now < self._rests_until:
            return 0
        with self._database.reading() as session:
            items = outbox.pushable(session, now)
        arrived = 0
        for item in items:
            if self._rests_until and now < self._rests_until:
                break
            arrived += self._deliver(item)
        return arrived

    def _give_up_abandoned(self, now: datetime) -> None:
        if self._looked_for_abandoned and now - self._looked_for_abandoned < _ABANDONED_EVERY:
            return
        self._looked_for_abandoned = now
        with self._database.writing() as session:
            count = outbox.mark_abandoned(session, now)
        if count:
            log.warning("outbox_abandoned", count=count)

    def _deliver(self, item: Pushable) -> bool:
        parts = replies.due_parts(item.reply)
        if len(parts) > item.sends_left or not self._claim(item, len(parts)):
            return False
        for position, part in enumerate(parts, 1):
            try:
                self._client.send_text(item.address, part)
            except CallError as error:
                self._mark_failed(item, error)
                return False
            self._mark_sent(item, is_last=position == len(parts))
        log.info("outbox_pushed", outbox=item.reply.outbox_id, parts=len(parts))
        return True

    def _claim(self, item: Pushable, sends: int) -> bool:
        try:
            with self._database.writing() as session:
                if not outbox.claim(session, item, self._name, sends, self._now()):
                    raise _NotOurs
        except _NotOurs:
            return False
        return True

    def _mark_sent(self, item: Pushable, *, is_last: bool) -> None:
        with self._database.writing() as session:
            outbox.mark_part(session, item.reply.outbox_id, self._name, self._now())
            if is_last:
                outbox.mark_pushed(session, item.reply.outbox_id, self._name, self._now())

    def _mark_failed(self, item: Pushable, error: CallError) -> None:
        """Put the row where its error says: permanent or passing is a property of the error."""
        now, outbox_id = self._now(), item.reply.outbox_id
        code = error.code if isinstance(error, ApiRefused) else None
        log.warning("outbox_send_refused", outbox=outbox_id, code=code, error=type(error).__name__)
        with self._database.writing() as session:
            if isinstance(error, OutcomeUnknown):
                outbox.mark_unsure(session, outbox_id, self._name)
                return
            tried = outbox.attempts(session, outbox_id)
            again = _next_attempt(error, tried, now)
            outbox.put_back(session, outbox_id, self._name, code=code, next_attempt_at=again)
            if isinstance(error, ApiRefused) and error.reaction is Reaction.CLOSED:
                outbox.close_window(session, item.asker_id)
        if isinstance(error, ApiRefused) and error.reaction is Reaction.STOP:
            # Nothing is wrong with the row; an administrator must act first.
            log.error("outbox_rests", why=str(error))
            self._rests_until = now + _REST


def _next_attempt(error: CallError, attempts: int, now: datetime) -> datetime:
    """When a push that was surely not made may be tried again; a permanent refusal leaves it to the next message."""
    if isinstance(error, ApiRefused) and error.reaction in (Reaction.CLOSED, Reaction.STOP):
        # A closed window keeps the row back by itself until the asker writes, and then brings it at once.
        return now
    passing = isinstance(error, NotReached) or (isinstance(error, ApiRefused) and error.is_passing)
    if passing and attempts < _MOST_ATTEMPTS:
        return now + timedelta(seconds=min(5 * 2**attempts, 300))
    return _NEVER
