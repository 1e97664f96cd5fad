"""Routes of one's own tokens: for programs that act for a user."""

from datetime import datetime

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict
from sqlmodel import Session

from facility.clock import Clock
from plantroom.access import current
from plantroom.accounts import directory, repository
from plantroom.accounts.caller import Scope
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import Sessions
from plantroom.accounts.tables import TokenRow, UserRow


class NewToken(BaseModel):
    """A token to make: what it is for, what it may at most (read, work, all), and for how many days."""

    model_config = ConfigDict(extra="forbid")
    label: str
    scope: str = "read"
    days: int | None = None


class TokenView(BaseModel):
    """One token; `token` is its text, shown only in the answer to its making. `hint` are its first letters."""

    id: str
    label: str
    scope: Scope
    hint: str
    created_at: datetime
    ends_at: datetime | None
    used_at: datetime | None
    token: str | None = None


def token_router(database: Sessions, clock: Clock) -> APIRouter:
    """The routes; the gate has checked who may."""
    router = APIRouter(prefix="/api", tags=["accounts"])

    @router.get("/me/tokens")
    def my_tokens() -> list[TokenView]:
        """My tokens that were not revoked."""
        with database.reading() as session:
            return [_token(row) for row in repository.list_tokens(session, _me(session).id)]

    @router.post("/me/tokens", status_code=201)
    def make_token(request: Request, body: NewToken) -> TokenView:
        """A token for a program that acts for me; its text is in this answer only."""
        caller = current()
        if caller.scope is not Scope.ALL:
            raise refusal(403, "a token of narrower scope makes no tokens", "Sign in, or use a token of scope all.")
        with database.writing() as session:
            row, text = directory.add_token(
                session,
                actor_of(request),
                clock.now(),
                _me(session),
                label=body.label,
                scope=body.scope,
                days=body.days,
            )
            return _token(row, text)

    @router.delete("/me/tokens/{token_id}", status_code=204)
    def revoke(request: Request, token_id: str) -> None:
        """The token is worth nothing any more."""
        with database.writing() as session:
            row = session.get(TokenRow, token_id)
            if row is None or row.user_id != _me(session).id or row.revoked_at is not None:
                raise refusal(404, f"there is no token {token_id!r} of yours", "GET /api/me/tokens lists them.")
            directory.revoke_token(session, actor_of(request), clock.now(), row)

    return router


def actor_of(request: Request) -> Actor:
    """Who changes something, from where."""
    return Actor(current().name, request.client.host if request.client is not None else "")


def refusal(status: int, what: str, hint: str) -> HTTPException:
    """An answer that says what is wrong and what to do."""
    return HTTPException(status, {"what": what, "where": "accounts", "hint": hint})


def _me(session: Session) -> UserRow:
    caller = current()
    row = session.get(UserRow, caller.user_id) if caller.user_id else None
    if row is None:
        raise refusal(409, "the program's own token belongs to no user", "Use a user's session or token.")
    return row


def _token(row: TokenRow, text: str | None = None) -> TokenView:
    return TokenView(
        id=row.id, label=row.label, scope=Scope(row.scope), hint=row.hint, created_at=row.created_at,
        ends_at=row.ends_at, used_at=row.used_at, token=text,
    )  # fmt: skip
