"""Password hashing (argon2id), for the sign-in page and the command line."""

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from knowledge.errors import InvalidInput

SHORTEST = 10
LONGEST = 200
_HASHER = PasswordHash((Argon2Hasher(),))
# Checked in place of a hash nobody has, so that an unknown name costs as long as a wrong password.
_NOBODY = _HASHER.hash("nobody has this password")


def hash_password(password: str) -> str:
    """The argon2id hash of a password of SHORTEST to LONGEST characters; InvalidInput otherwise."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"密码长度应为{SHORTEST}至{LONGEST}个字符，现为{len(password)}个")
    return _HASHER.hash(password)


def verify_password(password: str, hashed: str | None) -> bool:
    """Whether the password is the one hashed; takes as long where there is no hash (an unknown name)."""
    matches = _HASHER.verify(password[:LONGEST], hashed or _NOBODY)
    return matches and hashed is not None
