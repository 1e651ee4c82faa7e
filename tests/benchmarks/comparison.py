"""How long the comparison before publishing takes: `python -m tests.benchmarks.comparison [QUESTIONS]`.

The shipped FAQ with its classifier (trained first, not counted), a draft of one entry with a new wording, test cases,
and made-up distinct questions of the last months, in a SQLite file; the job runs in this process.
"""

import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, select

from knowledge import comparison, drafts, matching_data, seeding, training, working
from knowledge.database import Database
from knowledge.migrations import migrate
from knowledge.models import Asker, Message, TestCase, Variant
from knowledge.working_days import now_utc

CASES = 200
_FILLER = "的了在是我有和就不人都一上也很到说要去你会着没看好自己这那公司厂里老板上班时候后来现在已经一直"


def main(questions: int) -> None:
    """Run it and print the time."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        migrate(database)
        now = now_utc()
        with database.writing() as session:
            seeding.seed(session, now)
            matching_data.seed(session, now)
        training.train_current(database, now)
        with database.writing() as session:
            draft_id = _fill(session, questions)
            comparison.request(session, drafts.by_id(session, draft_id), "李", now)
        started = time.perf_counter()
        working.work_off(database)
        took = time.perf_counter() - started
        with database.reading() as session:
            result = comparison.result_of(comparison.newest(session, drafts.by_id(session, draft_id)))
            assert result
        print(f"{result.cases} test cases, {result.questions} questions: {took:.1f} s")
        print(f"gained {result.gained}, lost {result.lost}, moved {result.moved}, clarified {result.clarified}")
        database.dispose()


def _fill(session: Session, questions: int) -> int:
    chance, now = random.Random(1), now_utc()
    wordings = [(text, entry_id) for text, entry_id in session.exec(select(Variant.text, Variant.entry_id))]
    asker = Asker(channel="t", address="bench", created_at=now)
    session.add(asker)
    session.flush()
    assert asker.id
    for number in range(questions):
        text = list(chance.choice(wordings)[0])
        for _ in range(4):
            text.insert(chance.randrange(len(text) + 1), chance.choice(_FILLER))
        received = now - timedelta(days=number % 360)
        session.add(
            Message(key=f"b{number}", asker_id=asker.id, received_at=received, kind="question", text="".join(text))
        )
    for wording, entry_id in chance.sample(sorted(set(wordings)), CASES):
        session.add(TestCase(text=wording, entry_id=entry_id, author="李", created_at=now))
    draft = drafts.begin(session, "labor.probation.length", "李", now)
    assert draft.id
    drafts.save(session, draft.id, {"variants": [*draft.content["variants"], "试用多久才算到头"]}, "李", now)
    return draft.id


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else comparison.MOST_QUESTIONS)
