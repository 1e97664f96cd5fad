"""Routes of accounts: who I am, users, links to set a password, and the audit."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from facility.clock import Clock
from facility.registry import Registry
from plantroom.access import current
from plantroom.accounts import directory, repository
from plantroom.accounts.api_tokens import actor_of, refusal
from plantroom.accounts.caller import Scope
from plantroom.accounts.door import Sessions
from plantroom.accounts.role import Role
from plantroom.accounts.tables import UserRow


class MeView(BaseModel):
    """Who asks. `buildings` null is all of them."""

    name: str
    role: Role
    rights: list[str]
    buildings: list[str] | None
    scope: Scope


class UserView(BaseModel):
    """One user, without anything secret. `buildings` empty is all of them."""

    name: str
    display_name: str
    role: Role
    buildings: list[str]
    has_password: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime


class NewUser(BaseModel):
    """A user to make. A customer needs at least one building."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=64)
    role: str
    buildings: list[str] = []
    display_name: str = Field(default="", max_length=200)


class UserChange(BaseModel):
    """Another role or other buildings."""

    model_config = ConfigDict(extra="forbid")
    role: str
    buildings: list[str] = []


class LinkView(BaseModel):
    """A link that lets the user set a password once. It is shown this once."""

    path: str
    ends_at: datetime


class AuditView(BaseModel):
    """One thing somebody did to accounts."""

    at: datetime
    who: str
    what: str
    about: str
    detail: str
    address: str


def build_router(database: Sessions, registry: Callable[[], Registry], clock: Clock) -> APIRouter:
    """The routes; the gate has checked who may."""
    router = APIRouter(prefix="/api", tags=["accounts"])

    @router.get("/me")
    def me() -> MeView:
        """Who I am and what I may."""
        caller = current()
        buildings = sorted(caller.buildings) if caller.buildings is not None else None
        rights = sorted(str(right) for right in caller.rights)
        return MeView(name=caller.name, role=caller.role, rights=rights, buildings=buildings, scope=caller.scope)

    @router.get("/users")
    def users() -> list[UserView]:
        """Every user by name."""
        with database.reading() as session:
            return [_user(row) for row in repository.list_users(session)]

    @router.post("/users", status_code=201)
    def add(request: Request, body: NewUser) -> UserView:
        """A new user; POST /api/users/{name}/link lets her set a password."""
        with database.writing() as session:
            row = directory.add_user(
                session, actor_of(request), clock.now(), name=body.name, role=body.role, buildings=body.buildings,
                known_buildings=registry().buildings, display_name=body.display_name,
            )  # fmt: skip
            return _user(row)

    @router.put("/users/{name}")
    def change(request: Request, name: str, body: UserChange) -> UserView:
        """Another role or other buildings; her sessions end."""
        with database.writing() as session:
            row = _found(session, name)
            directory.change_user(
                session, actor_of(request), clock.now(), row, role=body.role, buildings=body.buildings,
                known_buildings=registry().buildings,
            )  # fmt: skip
            return _user(row)

    @router.post("/users/{name}/disable")
    def disable(request: Request, name: str) -> UserView:
        """She may not sign in any more; her sessions and tokens end."""
        with database.writing() as session:
            row = _found(session, name)
            directory.disable_user(session, actor_of(request), clock.now(), row)
            return _user(row)

    @router.post("/users/{name}/enable")
    def enable(request: Request, name: str) -> UserView:
        """She may sign in again and is not locked."""
        with database.writing() as session:
            row = _found(session, name)
            directory.enable_user(session, actor_of(request), clock.now(), row)
            return _user(row)

    @router.post("/users/{name}/link", status_code=201)
    def link(request: Request, name: str) -> LinkView:
        """A link that lets her set a password once within a day."""
        with database.writing() as session:
            now = clock.now()
            code = directory.make_link(session, actor_of(request), now, _found(session, name))
            return LinkView(path=f"/password/{code}", ends_at=now + directory.LINK_LIVES)

    @router.get("/audit")
    def audit(
        about: Annotated[str | None, Query(description="a user name or token id")] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> list[AuditView]:
        """What was done to accounts, the newest first."""
        with database.reading() as session:
            rows = repository.list_audit(session, limit=limit, offset=offset, about=about)
            return [AuditView.model_validate(row, from_attributes=True) for row in rows]

    return router


def _found(session: Session, name: str) -> UserRow:
    row = repository.find_user(session, name, lock=True)
    if row is None:
        raise refusal(404, f"there is no user {name!r}", "GET /api/users lists them.")
    return row


def _user(row: UserRow) -> UserView:
    return UserView(
        name=row.name, display_name=row.display_name, role=Role(row.role), buildings=row.buildings,
        has_password=row.password_hash is not None, locked_until=row.locked_until, disabled_at=row.disabled_at,
        created_at=row.created_at,
    )  # fmt: skip
