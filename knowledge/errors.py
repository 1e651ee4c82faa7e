"""What can go wrong in the core.

    KnowledgeError
    ├── ContentError        a content file or a citation is not right; lists every finding
    ├── NotFound            no inquiry, entry or staff member by that name
    ├── AlreadyReceived     this message is stored already: use the reply given then
    ├── InquiryClosed       an inquiry in this state takes no such step
    ├── DraftMoved          a draft or its entry is not what it was when the page was shown
    ├── SettingMoved        a colleague changed a setting since the page was shown
    ├── SecretUnreadable    a stored secret was encrypted with another key
    └── InvalidInput        a value from outside breaks a rule; the message says which

The errors know no HTTP: each border has its own table of what they mean there.
"""


class KnowledgeError(Exception):
    """Any error of the core; the text says what was wrong and what to do."""


class ContentError(KnowledgeError):
    """Content files break a rule."""


class NotFound(KnowledgeError):
    """Nothing is stored under that name."""


class AlreadyReceived(KnowledgeError):
    """A message with this key is stored already (a retry, or the same push twice at once)."""


class InquiryClosed(KnowledgeError):
    """The inquiry is in a state that takes no such step."""


class DraftMoved(KnowledgeError):
    """A draft, or the entry it is to change, has moved on since it was looked at."""


class SettingMoved(KnowledgeError):
    """A colleague changed a setting since it was looked at."""


class SecretUnreadable(KnowledgeError):
    """A stored secret was encrypted with another key than the one in force, or was altered."""


class InvalidInput(KnowledgeError):
    """A value from outside breaks a rule of the domain."""
