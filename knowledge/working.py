"""Doing the jobs that wait, in a process of its own: `python -m knowledge.working`.

The database comes by environment, as for every command. Web processes start it when a job waits; their own
answers are never slowed down by it. It ends when nothing waits.
"""

import os
import subprocess
import sys

from knowledge import comparison, corrections, jobs, thresholds
from knowledge.database import Database
from knowledge.errors import KnowledgeError
from knowledge.models import Job, JobKind
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import now_utc

_WORK = {
    JobKind.COMPARISON: comparison.run,
    JobKind.THRESHOLDS: thresholds.run,
    JobKind.CORRECTION: corrections.run,
}


def start(url: str) -> "subprocess.Popen[bytes]":
    """Start a worker on a database. The address goes by environment: arguments show in the list of processes."""
    return subprocess.Popen(  # our own module, no input in the command
        [sys.executable, "-m", "knowledge.working"], env={**os.environ, "FAWEN_DATABASE_URL": url}
    )


def work_off(database: Database) -> int:
    """Do jobs until none waits; gives how many were taken up. What a user can mend is kept as the job's fault.

    Anything else ends the process: the job is taken up again when its lease is over, a few times at most.
    """
    taken = 0
    while (job := _claim(database)) is not None:
        taken += 1
        try:
            _WORK[JobKind(job.kind)](database, job, now_utc)
        except KnowledgeError as error:
            with database.writing() as session:
                jobs.fail(session, job, str(error), now_utc())
    return taken


def _claim(database: Database) -> Job | None:
    with database.writing() as session:
        job = jobs.claim(session, now_utc())
        if job is not None:
            session.expunge(job)
        return job


if __name__ == "__main__":
    work_off(Database(KnowledgeSettings().url))
