"""Domain error → status and message: the one table of the staff side."""

from knowledge.errors import (
    DraftMoved,
    InquiryClosed,
    InvalidInput,
    KnowledgeError,
    NotFound,
    SecretUnreadable,
    SettingMoved,
)

STATUS: dict[type[KnowledgeError], int] = {
    NotFound: 404,
    InquiryClosed: 409,
    DraftMoved: 409,
    SettingMoved: 409,
    SecretUnreadable: 409,
    InvalidInput: 422,
}


def status_of(error: Exception | None) -> int:
    """The status of a page that shows an error; 200 where there is none."""
    if error is None:
        return 200
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)


class SignInNeeded(Exception):
    """Nobody is signed in, or the session ended: the sign-in page comes first."""


class NotAllowed(Exception):
    """The member's role does not include this; or the form did not come from one of our pages."""
