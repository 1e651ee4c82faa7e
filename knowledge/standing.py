"""What staff set for every conversation, kept in memory by a running server: texts, fixed replies, urgent rules."""

import threading

from knowledge import examples, fixed_replies, promise, revisions, texts, urgency
from knowledge.database import Database
from knowledge.fixed_replies import FixedText
from knowledge.matching.normalize import normalize
from knowledge.texts import Texts
from knowledge.urgency import Urgent

_SUBJECTS = (fixed_replies.SUBJECT, urgency.SUBJECT, texts.SUBJECT, promise.SUBJECT, examples.SUBJECT)


class StandingRules:
    """Texts, fixed replies and urgent rules in force; threads may look while newer ones are read.

    One per process. `refresh` looks whether staff changed something and swaps the whole.
    """

    def __init__(self, database: Database) -> None:
        """Before the first `refresh` the shipped texts hold, and no rule or reply."""
        self._database = database
        self._reading = threading.Lock()
        self._revision: tuple[int, ...] = ()
        self._fixed: dict[str, FixedText] = {}
        self._urgent: list[Urgent] = []
        self._texts = texts.shipped()

    def refresh(self) -> bool:
        """Read again if something changed; True if so."""
        with self._reading, self._database.reading() as session:
            revision = tuple(revisions.current(session, subject) for subject in _SUBJECTS)
            if revision == self._revision:
                return False
            fixed = {normal: one for one in fixed_replies.active(session) for normal in one.normalized}
            self._fixed, self._urgent, self._texts = fixed, urgency.active(session), texts.in_force(session)
            self._revision = revision
            return True

    @property
    def texts(self) -> Texts:
        """What the account says beside the answers."""
        return self._texts

    def fixed_reply(self, text: str) -> FixedText | None:
        """The fixed reply to a message that is exactly one of its keywords."""
        return self._fixed.get(normalize(text)) if self._fixed else None

    def urgent(self, text: str) -> Urgent | None:
        """The urgent rule that recognises a message."""
        return urgency.first_match(self._urgent, text)
