"""The door of the pages: sessions for browsers, and the one-time link that the first start prints.

A session's name is a random part, its end, and their hash keyed with the admin token: it survives a restart, ends by
itself, and changing the token ends them all.
"""

import hmac
import secrets
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from dashboards.web.pages import SESSION
from facility.clock import RealClock
from plantroom.access import Access

_DAYS_US = 30 * 86_400 * 1_000_000
_WHO = "admin"


class TokenDoor:
    """Lets in whoever owns the admin token, for thirty days."""

    def __init__(self, access: Access, token: str, once_file: Path) -> None:
        self._access, self._key, self._once_file = access, token.encode(), once_file
        self._clock = RealClock()
        self._closed: set[str] = set()

    def open_session(self, token: str) -> str | None:
        """A new session's name; None for a wrong token."""
        return self._new() if self._access.is_token(token) else None

    def who(self, session: str) -> str | None:
        """`admin` while the session is open."""
        nonce, _, rest = session.partition(".")
        until, _, signature = rest.partition(".")
        good = hmac.compare_digest(signature.encode(), self._sign(nonce, until).encode())
        if not good or not until.isdecimal() or int(until) < self._clock.now_us() or session in self._closed:
            return None
        return _WHO

    def close_session(self, session: str) -> None:
        """The session is over, until the program is started again at the latest until it ends by itself."""
        if self.who(session) is not None:
            self._closed.add(session)

    def use_once(self, code: str) -> str | None:
        """A session for the code of the one-time link; None when it is wrong or was used. The first use ends it."""
        try:
            expected = self._once_file.read_text(encoding="ascii")
        except OSError:
            return None
        if not hmac.compare_digest(code.encode(), expected.encode()):
            return None
        self._once_file.unlink(missing_ok=True)
        return self._new()

    def _new(self) -> str:
        nonce, until = secrets.token_urlsafe(18), str(self._clock.now_us() + _DAYS_US)
        return f"{nonce}.{until}.{self._sign(nonce, until)}"

    def _sign(self, nonce: str, until: str) -> str:
        return hmac.new(self._key, f"session {nonce} {until}".encode(), "sha256").hexdigest()


def enter_router(door: TokenDoor) -> APIRouter:
    """`/enter/CODE`: the one-time link."""
    router = APIRouter(include_in_schema=False)

    @router.get("/enter/{code}")
    def enter(code: str, request: Request) -> RedirectResponse:
        """Let in whoever has the code; everyone else goes to the sign-in page."""
        session = door.use_once(code)
        response = RedirectResponse("/" if session else "/login", 303, headers={"Cache-Control": "no-store"})
        if session is not None:
            secure = request.url.scheme == "https"
            response.set_cookie(SESSION, session, httponly=True, samesite="strict", secure=secure)
        return response

    return router
