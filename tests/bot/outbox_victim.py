"""Outbox workers that are killed, each at the next executed line; run by test_outbox.py as a process of its own.

    python -m tests.bot.outbox_victim FOLDER HOST

FOLDER holds template.sqlite3 with one reply on its way. For N = 1, 2, … a copy N.sqlite3 is made, its asker becomes
`o_victim_N`, and a forked worker is killed (SIGKILL) when it executes the N-th line of the delivery, until one lives
to the end; then N is printed.
"""

import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from bot import outbox as delivering
from bot.outbox import Deliverer
from bot.wechat import client as calling
from bot.wechat.client import ApiClient
from bot.wechat.tokens import ProcessTokens
from knowledge import outbox as storing
from knowledge.database import Database
from knowledge.working_days import now_utc
from tests.conftest import APP_ID
from tests.wechat_api import SECRET

WATCHED = {delivering.__file__, storing.__file__, calling.__file__}


def main(folder: Path, host: str) -> None:
    """Kill worker after worker. One lives before them, so that what is only made once is made by then."""
    number = 0
    work(f"sqlite:///{copied(folder, number)}", host, 0)
    while True:
        number += 1
        file = copied(folder, number)
        child = os.fork()
        if child == 0:
            work(f"sqlite:///{file}", host, number)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, status
            print(number)
            return


def copied(folder: Path, number: int) -> Path:
    """A copy of the template whose asker is one of the victims."""
    file = folder / f"{number}.sqlite3"
    shutil.copy(folder / "template.sqlite3", file)
    connection = sqlite3.connect(file)
    connection.execute("UPDATE asker SET address = ?", (f"o_victim_{number}",))
    connection.commit()
    connection.close()
    return file


def work(url: str, host: str, last_line: int) -> None:
    """One pass of delivery, ended by SIGKILL at its `last_line`-th line (0: none)."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    database, client = Database(url), ApiClient(APP_ID, SECRET, ProcessTokens(), host=host)
    worker = Deliverer(database, client, now_utc)
    executed = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal executed
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            executed += 1
            if executed == last_line:
                os.kill(os.getpid(), signal.SIGKILL)
        return count

    sys.settrace(count)
    worker.run_once()
    sys.settrace(None)
    client.close()
    database.dispose()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
