"""Secrets at rest: what must be read back, but not by whoever gets hold of the database or a backup of it."""

import base64
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from knowledge.errors import SecretUnreadable

# Says what an encrypted value is, so that a plain one is never taken for it, nor the other way round.
_PREFIX = "fernet:"


class Encryption:
    """Encrypts with a key derived from `FAWEN_SECRET_KEY` (HKDF-SHA256, RFC 5869; Fernet: AES-128-CBC with HMAC).

    Another secret key reads nothing of what this one has encrypted, unless it is told this one as its previous key.
    """

    def __init__(self, secret_key: str, previous_key: str = "") -> None:
        """`secret_key`: the application's, at least 32 characters (bot.settings sees to it).

        `previous_key`: the one before it, whose values are still read; "" for none.
        """
        self._fernet = _fernet(secret_key)
        self._readers = MultiFernet([self._fernet, *([_fernet(previous_key)] if previous_key else [])])

    def encrypt(self, text: str) -> str:
        """The text in the form in which it is stored."""
        return _PREFIX + self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """The text again; SecretUnreadable where it was encrypted with another key, or was altered."""
        try:
            return self._readers.decrypt(stored.removeprefix(_PREFIX).encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable(
                "保存的密钥无法解读：FAWEN_SECRET_KEY 已经更换。请把原来的填入 FAWEN_PREVIOUS_SECRET_KEY 后重启，"
                "或重新设置这一项"
            ) from error

    def renewed(self, stored: str) -> str:
        """A stored secret under the key in force: `stored` itself where it is already; a plain one is encrypted.

        SecretUnreadable where neither this key nor the previous one reads it.
        """
        if not stored.startswith(_PREFIX):
            return self.encrypt(stored)
        try:
            self._fernet.decrypt(stored.removeprefix(_PREFIX).encode())
        except InvalidToken:
            return self.encrypt(self.decrypt(stored))
        return stored


@dataclass(slots=True)
class Renewal:
    """What came of bringing stored secrets under the key in force: how many changed, and how many no key reads."""

    changed: int = 0
    unreadable: int = 0

    def of(self, encryption: Encryption, stored: str) -> str:
        """A stored secret as it is to be stored from now on; one that no key reads stays as it is."""
        try:
            renewed = encryption.renewed(stored)
        except SecretUnreadable:
            self.unreadable += 1
            return stored
        self.changed += renewed != stored
        return renewed


def _fernet(secret_key: str) -> Fernet:
    # Derived for this one purpose, so that it is not the key that signs cookies.
    derived = HKDF(SHA256(), length=32, salt=None, info=b"fawen secrets at rest").derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
