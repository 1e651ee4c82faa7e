"""Training the classifier in a process of its own: `python -m knowledge.training`.

The database comes by environment (`FAWEN_DATABASE_URL`, `FAWEN_DATA_DIR`), as for every command. Web processes
start it and never import the training library, which alone takes 114 MB.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime

from knowledge import classifier, curation, matching_data
from knowledge.database import Database
from knowledge.matching.index import Document
from knowledge.matching.labelled import without_near
from knowledge.matching.lexicon import Lexicon
from knowledge.matching.model import Model
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import local_day, now_utc

_COMMAND = [sys.executable, "-m", "knowledge.training"]
_HOLD_OUT = "--hold-out"


def start(url: str) -> "subprocess.Popen[bytes]":
    """Start the training of the content in force on a database; the caller has claimed it, and waits for the end.

    The address goes by environment, not by argument: arguments show in the list of processes.
    """
    return subprocess.Popen(_COMMAND, env=_environment(url))  # noqa: S603 # our own module, no input in the command


def train_held_out(url: str, texts: Sequence[str]) -> Model:
    """A classifier trained without the wordings near to `texts` (see `without_near`), kept nowhere.

    Raises subprocess.CalledProcessError where the training fails; its message stands on standard error.
    """
    ended = subprocess.run(  # noqa: S603 # our own module, no input in the command
        [*_COMMAND, _HOLD_OUT],
        env=_environment(url),
        input=json.dumps(list(texts)).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Model.from_bytes(ended.stdout)


def train_current(database: Database, now: datetime) -> int:
    """Train on the content in force, store the classifier, and give its content version."""
    version, documents, lexicon = _content(database, now)
    model = _train(documents, lexicon, version)
    with database.writing() as session:
        classifier.store(session, model, now)
    return version


def _content(database: Database, now: datetime) -> tuple[int, list[Document], Lexicon]:
    with database.reading() as session:
        version = curation.content_version(session)
        given = matching_data.load(session)
        documents = curation.published_documents(session, local_day(now))
    return version, [*documents, *(form.document() for form in given.outside)], given.lexicon


def _train(documents: Sequence[Document], lexicon: Lexicon, version: int) -> Model:
    from knowledge.matching.train import train  # noqa: PLC0415 # whoever calls `start` must not load the library

    return train(documents, lexicon, version)


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, "FAWEN_DATABASE_URL": url}


def _main() -> None:
    database, now = Database(KnowledgeSettings().url), now_utc()
    if _HOLD_OUT not in sys.argv[1:]:
        train_current(database, now)
        return
    version, documents, lexicon = _content(database, now)
    model = _train(without_near(documents, json.load(sys.stdin.buffer)), lexicon, version)
    sys.stdout.buffer.write(model.to_bytes())


if __name__ == "__main__":
    _main()
