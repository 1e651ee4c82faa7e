"""The load journey in small: duplicates, reordering and one user's messages at once, over two worker processes."""

import os
from pathlib import Path

from knowledge import curation, seeding
from knowledge.content import FIGURES
from knowledge.content.entries import read_figures
from knowledge.database import Database
from tests.benchmarks.journey import journey
from tests.builders import cast_entries
from tests.conftest import NOW


def test_every_message_is_answered_exactly_once(database: Database, tmp_path: Path) -> None:
    """The full journey, 10,000 messages of 500 users, is `python -m tests.benchmarks.journey`."""
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        for figure in read_figures(FIGURES):
            seeding.add_figure(session, figure)
        seeding.seed_standing(session, NOW)
        curation.publish_content(session, NOW, "tests")
    assert os.environ.get("FAWEN_DATABASE_URL") is None
    url = database.engine.url.render_as_string(hide_password=False)

    result = journey(url, tmp_path, messages=400, users=20, workers=2, connections=12)

    assert (result.lost, result.doubled, result.differing) == ([], [], [])
    assert result.deliveries > result.pushes
    assert result.staff_replies > 5
    assert (result.staff_lost, result.staff_doubled) == ([], [])
