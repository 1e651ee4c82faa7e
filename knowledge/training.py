"""Training the classifier in a process of its own: `python -m knowledge.training`.

The database comes by environment (`FAWEN_DATABASE_URL`, `FAWEN_DATA_DIR`), as for every command. Web processes
start it and never import it: the training library alone takes 114 MB.
"""

import os
import subprocess
import sys
from datetime import datetime

from knowledge import classifier, curation, matching_data
from knowledge.database import Database
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import local_day, now_utc


def start(url: str) -> "subprocess.Popen[bytes]":
    """Start the training of the content in force on a database; the caller has claimed it, and waits for the end.

    The address goes by environment, not by argument: arguments show in the list of processes.
    """
    return subprocess.Popen([sys.executable, "-m", "knowledge.training"], env={**os.environ, "FAWEN_DATABASE_URL": url})


def train_current(database: Database, now: datetime) -> int:
    """Train on the content in force, store the classifier, and give its content version."""
    from knowledge.matching.train import train  # noqa: PLC0415 # the training library stays out of whoever calls `start`

    with database.reading() as session:
        version = curation.content_version(session)
        given = matching_data.load(session)
        documents = curation.published_documents(session, local_day(now))
    model = train([*documents, *(form.document() for form in given.outside)], given.lexicon, version)
    with database.writing() as session:
        classifier.store(session, model, now)
    return version


if __name__ == "__main__":
    train_current(Database(KnowledgeSettings().url), now_utc())
