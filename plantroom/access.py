"""Who may call: one admin token, as a bearer header for programs or a session cookie for the pages.

Users and roles come later; from the first day every route but /healthz, /readyz and the login asks.
"""

import hmac
import os
import secrets
from pathlib import Path

from fastapi import HTTPException, Request

from facility.errors import refuse
from plantroom.settings import Settings

COOKIE = "plantroom_session"


def admin_token(settings: Settings) -> str:
    """The token of the setting, or the one in `var/token`, made at the first start (mode 600)."""
    if settings.token is not None:
        return settings.token.get_secret_value()
    path = settings.token_file
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    return _read(path)


def _read(path: Path) -> str:
    token = path.read_text(encoding="ascii").strip()
    if len(token) < 32:
        raise refuse(str(path), "holds no usable token", "Delete the file and start again; a new one is made.")
    return token


class Access:
    """Checks tokens in constant time. The cookie holds the token's own keyed hash, never the token."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.cookie_value = hmac.new(token.encode(), b"plantroom pages", "sha256").hexdigest()

    def is_token(self, given: str) -> bool:
        """Whether `given` is the admin token."""
        return hmac.compare_digest(given.encode(), self._token.encode())

    def has_cookie(self, request: Request) -> bool:
        """Whether the browser was let in before."""
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self.cookie_value.encode())

    def has_bearer(self, request: Request) -> bool:
        """Whether the request carries the admin token as a bearer token."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.is_token(given.strip())

    def require(self, request: Request) -> None:
        """FastAPI dependency of every API route.

        A cookie is enough to read; what changes something needs the bearer token, or a page of our own origin.
        """
        if self.has_bearer(request):
            return
        if self.has_cookie(request) and (request.method in ("GET", "HEAD") or same_origin(request)):
            return
        detail = {
            "what": "this route needs the admin token",
            "where": request.url.path,
            "hint": "Send the header 'Authorization: Bearer TOKEN'; the token stands in var/token.",
        }
        raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def same_origin(request: Request) -> bool:
    """Whether a browser says that the request comes from our own pages (Origin header, or Sec-Fetch-Site)."""
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.split("://", 1)[-1] == request.headers.get("host", "")
    return request.headers.get("sec-fetch-site") == "same-origin"
