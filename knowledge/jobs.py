"""Jobs: asked for by a page, done by a worker in a process of its own (design.md, Words).

Every step is a conditional update whose row count decides, so that of several workers one does a job, and a worker
that was cancelled, or taken for dead, learns it at its next word of progress.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import Session, col, select

from knowledge.errors import NotFound
from knowledge.models import Job, JobKind, JobStatus
from knowledge.models.jobs import UNFINISHED

# A worker that said nothing for so long is dead. It says something at least every few seconds of its work.
LEASE = timedelta(seconds=60)
# What killed its worker so often will kill the next one, too.
MOST_ATTEMPTS = 3


def request(session: Session, kind: JobKind, subject: str, by: str, now: datetime) -> Job:
    """Ask for a job; the one that is waiting or running for the same subject, if there is one."""
    open_one = session.exec(
        select(Job).where(Job.kind == kind, Job.subject == subject, col(Job.status).in_(UNFINISHED))
    ).first()
    if open_one is not None:
        return open_one
    job = Job(kind=kind, subject=subject, requested_by=by, requested_at=now)
    session.add(job)
    session.flush()
    return job


def newest(session: Session, kind: JobKind, subject: str) -> Job | None:
    """The job asked for last on a subject; None where none was."""
    return session.exec(
        select(Job).where(Job.kind == kind, Job.subject == subject).order_by(col(Job.id).desc())
    ).first()


def by_id(session: Session, job_id: int) -> Job:
    """The job with an id; NotFound where there is none."""
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound("没有这项任务")
    return job


def is_waiting(session: Session, now: datetime) -> bool:
    """Whether there is a job for a worker to take up."""
    return session.exec(select(Job.id).where(_claimable(now)).limit(1)).first() is not None


def claim(session: Session, now: datetime) -> Job | None:
    """Take up the oldest job that waits or whose worker died; None where there is none, or others were faster.

    A job whose workers died too often is given up instead.
    """
    for job_id, attempts in session.exec(
        select(Job.id, Job.attempts).where(_claimable(now)).order_by(col(Job.id)).limit(10)
    ).all():
        is_given_up = attempts >= MOST_ATTEMPTS
        values: dict[str, Any] = (
            {"status": JobStatus.FAILED, "fault": f"处理进程中断了{attempts}次，已停止重试", "ended_at": now}
            if is_given_up
            else {"status": JobStatus.RUNNING, "claimed_until": now + LEASE, "attempts": attempts + 1, "done": 0}
        )
        taken = session.exec(
            update(Job).where(col(Job.id) == job_id, col(Job.attempts) == attempts, _claimable(now)).values(**values)
        )
        if taken.rowcount == 1 and not is_given_up:
            return session.get_one(Job, job_id, populate_existing=True)
    return None


def progress(session: Session, job: Job, stage: str, done: int, total: int, now: datetime) -> bool:
    """Say how far a job is, and hold it on; False where it was cancelled or taken over: the worker then stops."""
    return _by_holder(session, job, stage=stage, done=done, total=total, claimed_until=now + LEASE)


def finish(session: Session, job: Job, result: Mapping[str, Any], now: datetime) -> bool:
    """Keep a job's result; False where it is not this worker's any more."""
    return _by_holder(session, job, status=JobStatus.DONE, result=dict(result), done=col(Job.total), ended_at=now)


def fail(session: Session, job: Job, fault: str, now: datetime) -> bool:
    """Give a job up for a fault that the next try would meet again; False where it is not this worker's any more."""
    return _by_holder(session, job, status=JobStatus.FAILED, fault=fault[:500], ended_at=now)


def cancel(session: Session, job_id: int, now: datetime) -> bool:
    """Stop a job that has not ended; False where it had."""
    taken = session.exec(
        update(Job)
        .where(col(Job.id) == job_id, col(Job.status).in_(UNFINISHED))
        .values(status=JobStatus.CANCELLED, ended_at=now)
    )
    return taken.rowcount == 1


def _claimable(now: datetime) -> ColumnElement[bool]:
    return or_(
        col(Job.status) == JobStatus.WAITING,
        and_(col(Job.status) == JobStatus.RUNNING, col(Job.claimed_until) < now),
    )


def _by_holder(session: Session, job: Job, **values: Any) -> bool:
    # Any: columns of different kinds.
    taken = session.exec(
        update(Job)
        .where(col(Job.id) == job.id, col(Job.status) == JobStatus.RUNNING, col(Job.attempts) == job.attempts)
        .values(**values)
    )
    return taken.rowcount == 1
