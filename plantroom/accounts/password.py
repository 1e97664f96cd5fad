"""Passwords: argon2id with the library's current parameters, and what is too weak to keep.

Source of the rules: NIST SP 800-63B, 5.1.1: length counts, composition does not; common ones are refused.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 10, 200
_COMMON = frozenset(
    (
        "password1234", "passwordpassword", "1234567890", "12345678910", "123456789012", "qwertyuiop", "qwerty123456",
        "1q2w3e4r5t", "iloveyou1234", "administrator", "adminadmin1", "plantroom123", "letmein12345", "welcome12345",
        "changeme1234", "abcdefghij", "abc1234567", "q1w2e3r4t5", "zxcvbnm123", "5201314520", "woaini1314",
    )
)  # fmt: skip
_hasher = PasswordHasher()
NOBODY = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"
"""Of no password: checked when there is no such user, so that the time an answer takes does not say so."""


def weakness(password: str, name: str) -> str | None:
    """The word for why a password is not good enough; None when it is."""
    if len(password) < LEAST:
        return "short"
    if len(password) > MOST:
        return "long"
    lowered = password.lower()
    if lowered in _COMMON or len(set(lowered)) < 4:
        return "common"
    if len(name) >= 3 and name.lower() in lowered and len(password) < len(name) + LEAST:
        return "name"
    return None


def hash_password(password: str) -> str:
    """What is kept of it; some 50 ms of work on purpose."""
    return _hasher.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Whether it is the one. As slow for a user without a password, or for no user at all."""
    if len(password) > MOST:
        return False
    try:
        return _hasher.verify(kept or NOBODY, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with older parameters and should be hashed anew at the next sign-in."""
    return _hasher.check_needs_rehash(kept)
