"""Secrets that are shown once and kept as hashes. They are random, so a plain hash is enough (no salt, no work)."""

import hashlib
import secrets

TOKEN_MARK = "prt_"  # noqa: S105 - how a token begins, so that scanners of repositories know one


def new_secret(mark: str = "") -> str:
    """256 random bits as text, behind `mark`."""
    return mark + secrets.token_urlsafe(32)


def new_id() -> str:
    """A random id."""
    return secrets.token_hex(16)


def hash_secret(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
