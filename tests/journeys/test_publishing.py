"""Publishing while the server runs: new wordings answer at once, the classifier follows, nobody restarts anything."""

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlmodel import select

from knowledge import curation, signing, staff
from knowledge.database import Database
from knowledge.models import Role, TrainedModel
from knowledge.seeding import add_entry
from knowledge.statutes import sign_offs
from knowledge.working_days import local_day, now_utc
from tests.builders import build_entry
from tests.conftest import NOW, Served, add_staff, serving

HEAT = [
    f"{one}{other}"
    for one in ("四十度高温", "大热天工地", "室外三伏天")
    for other in ("能停工吗", "要上班吗", "放不放假")
]
# Far more than it takes; only a failure waits this long.
_PATIENCE_S = 120


@pytest.fixture
def running(database: Database) -> Iterator[Served]:
    """A running Fawen that trains its classifier, over each kind of database."""
    with serving(database, trains=True) as served:
        yield served


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what another thread or process does."""
    pause = threading.Event()
    for _ in range(_PATIENCE_S * 20):
        if holds():
            return
        pause.wait(0.05)
    pytest.fail("it did not happen")


def test_a_published_entry_answers_and_its_classifier_follows_without_a_restart(running: Served) -> None:
    zhang = running.user("zhang")
    zhang.says("四十度高温能停工吗").hears_not("高温天可以停工")
    eventually(lambda: running.matcher.is_trained)
    before = running.matcher.index.version

    with running.database.writing() as session:
        form = build_entry(
            "labor.heat", "高温天能停工吗", "高温天能停工吗？", HEAT, "高温天可以停工。\n四十度以上应当停止室外作业。"
        )
        add_entry(session, form, NOW)
        curation.publish_content(session, NOW, "高温")
    eventually(lambda: running.matcher.index.version > before)

    zhang.says("四十度高温能停工吗").hears("高温天可以停工")
    zhang.says("试用期最长可以约定多久？").hears_citation("《劳动合同法》第十九条")
    eventually(lambda: running.matcher.is_trained)
    zhang.says("四十度高温能停工吗").hears("高温天可以停工")


def test_a_lawyer_who_signs_one_entry_after_another_causes_no_training(running: Served) -> None:
    eventually(lambda: running.matcher.is_trained)
    trained = trainings(running)
    add_staff(running.database, "王", Role.REVIEWER)
    today = local_day(now_utc())

    while True:
        with running.database.writing() as session:
            entry, lawyer = signing.to_sign(session, today), staff.named(session, "王")
            assert lawyer is not None
            if entry is None:
                break
            version = curation.published_text(session, entry.id, today).version_id
            read = sign_offs.digest(sign_offs.of_entry(session, entry.id, today))
            signing.sign(session, entry.id, version, read, lawyer, now_utc())
    with running.database.reading() as session:
        newest = curation.content_version(session)
    assert newest >= trained[0] + 5
    eventually(lambda: running.matcher.index.version == newest)

    assert running.matcher.is_trained
    assert trainings(running) == trained
    running.user("zhang").says("试用期最长可以约定多久？").hears_not("未经律师复核")


def trainings(served: Served) -> list[int]:
    """Content versions for which a classifier was trained, or is being."""
    with served.database.reading() as session:
        return list(session.exec(select(TrainedModel.content_version)).all())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_background_thread_that_ended_is_seen_from_outside(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(sqlite) as served:
        assert served.http.get("/readyz").json() == {"ready": True}

        monkeypatch.setattr(served.matcher, "refresh", lambda _: 1 / 0)

        eventually(lambda: served.http.get("/readyz").status_code == 503)
        assert "content-watch" in served.http.get("/readyz").json()["why"]
        served.user("zhang").says("试用期最长可以约定多久？").hears_citation("《劳动合同法》第十九条")
