"""Publishing while the server runs: new wordings answer at once, the classifier follows, nobody restarts anything."""

import threading
from collections.abc import Callable, Iterator

import pytest

from knowledge import curation
from knowledge.database import Database
from knowledge.seeding import add_entry
from tests.builders import build_entry
from tests.conftest import NOW, Served, serving

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
