"""Secrets at rest: what must be read back, but not by whoever gets hold of the database or a backup of it."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from knowledge.errors import SecretUnreadable

# Says what an encrypted value is, so that a plain one is never taken for it, nor the other way round.
_PREFIX = "fernet:"


class Encryption:
    """Encrypts with a key derived from `FAWEN_SECRET_KEY` (HKDF-SHA256, RFC 5869; Fernet: AES-128-CBC with HMAC).

    Another secret key reads nothing of what this one has encrypted.
    """

    def __init__(self, secret_key: str) -> None:
        """`secret_key`: the application's, at least 32 characters (bot.settings sees to it)."""
        # Derived for this one purpose, so that it is not the key that signs cookies.
        derived = HKDF(SHA256(), length=32, salt=None, info=b"fawen secrets at rest").derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def encrypt(self, text: str) -> str:
        """The text in the form in which it is stored."""
        return _PREFIX + self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """The text again; SecretUnreadable where it was encrypted with another key, or was altered."""
        try:
            return self._fernet.decrypt(stored.removeprefix(_PREFIX).encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable(
                "保存的密钥无法解读：FAWEN_SECRET_KEY 已经更换。请恢复原来的 FAWEN_SECRET_KEY，或重新设置这一项"
            ) from error


def is_encrypted(stored: str) -> bool:
    """Whether a stored value is one that `Encryption.encrypt` made."""
    return stored.startswith(_PREFIX)
