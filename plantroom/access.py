"""Who may call: one admin token, as a bearer header.

Users and roles come later; from the first day every route but /healthz, /readyz and the sign-in asks.
"""

import hmac
import os
import secrets
from pathlib import Path

from fastapi import HTTPException, Request

from facility.errors import refuse
from plantroom.settings import Settings


def admin_token(settings: Settings) -> str:
    """The token of the setting, or the one in `var/token`, made at the first start (mode 600)."""
    if settings.token is not None:
        return settings.token.get_secret_value()
    path = settings.token_file
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".token.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    try:
        os.link(fresh, path)  # whole or not at all, also when two start at once
    except FileExistsError:
        return _read(path)
    finally:
        fresh.unlink()
    return _read(path)


def _read(path: Path) -> str:
    token = path.read_text(encoding="ascii").strip()
    if len(token) < 32:
        raise refuse(str(path), "holds no usable token", "Delete the file and start again; a new one is made.")
    return token


class Access:
    """Checks the bearer token in constant time."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def is_token(self, given: str) -> bool:
        """Whether `given` is the admin token."""
        return hmac.compare_digest(given.encode(), self._token)

    def require(self, request: Request) -> None:
        """FastAPI dependency of every API route. Raises HTTPException 401."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.is_token(given.strip()):
            return
        detail = {
            "what": "this route needs the admin token",
            "where": request.url.path,
            "hint": "Send the header 'Authorization: Bearer TOKEN'; the token stands in var/token.",
        }
        raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
