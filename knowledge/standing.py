"""What staff set for every conversation, kept in memory by a running server: fixed replies and urgent rules."""

import threading

from knowledge import fixed_replies, revisions, urgency
from knowledge.database import Database
from knowledge.fixed_replies import FixedText
from knowledge.matching.normalize import normalize
from knowledge.urgency import Urgent


class StandingRules:
    """Fixed replies and urgent rules in force; threads may look while newer ones are read.

    One per process. `refresh` looks whether staff changed something and swaps the whole.
    """

    def __init__(self, database: Database) -> None:
        """Nothing is read before the first `refresh`."""
        self._database = database
        self._reading = threading.Lock()
        self._revision = (-1, -1)
        self._fixed: dict[str, FixedText] = {}
        self._urgent: list[Urgent] = []

    def refresh(self) -> bool:
        """Read again if something changed; True if so."""
        with self._reading, self._database.reading() as session:
            revision = (
                revisions.current(session, fixed_replies.SUBJECT),
                revisions.current(session, urgency.SUBJECT),
            )
            if revision == self._revision:
                return False
            fixed = {normalize(word): one for one in fixed_replies.everything(session) for word in one.keywords}
            self._fixed, self._urgent, self._revision = fixed, urgency.active(session), revision
            return True

    def fixed_reply(self, text: str) -> FixedText | None:
        """The fixed reply to a message that is exactly one of its keywords."""
        return self._fixed.get(normalize(text)) if self._fixed else None

    def urgent(self, text: str) -> Urgent | None:
        """The urgent rule that recognises a message."""
        return urgency.first_match(self._urgent, text)
