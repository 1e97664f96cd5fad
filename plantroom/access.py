"""Who may call: one admin token, as a bearer header.

Users and roles come later; from the first day every route but /healthz, /readyz and the sign-in asks.
"""

import hmac

from fastapi import HTTPException, Request


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
