"""What can be wrong with a push.

WeChatError
└── EnvelopeError
    ├── InvalidSignature    not from WeChat, or not for this account: 403
    ├── StalePush           signed too long ago (or ahead): 403
    └── UnreadableMessage   no message can be read from it; `verified` tells whether it is WeChat's
"""


class WeChatError(Exception):
    """Anything wrong on the WeChat side; the text says what was wrong and what to do."""


class EnvelopeError(WeChatError):
    """A push that cannot be opened."""


class InvalidSignature(EnvelopeError):
    """The signature does not fit the token, or the push is not encrypted where it must be."""


class StalePush(EnvelopeError):
    """The push's timestamp lies outside the window."""


class UnreadableMessage(EnvelopeError):
    """No message can be read from the push."""

    def __init__(self, why: str, *, verified: bool) -> None:
        """`verified`: the signature was right, so WeChat sent it and must not send it again."""
        super().__init__(why)
        self.verified = verified
