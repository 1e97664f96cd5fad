"""The pages' door over the accounts, and the one-time link that the first start prints."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from dashboards.web.pages import keep_session, source_of
from dashboards.web.visitor import Guest, Knock, Source, Visitor
from facility.clock import Clock
from facility.errors import InputError
from plantroom.accounts import directory, repository
from plantroom.accounts.caller import Caller
from plantroom.accounts.door import AccountDoor, Entry, From, Sessions
from plantroom.accounts.policy import decide_access
from plantroom.accounts.role import Role
from plantroom.accounts.secret import hash_secret
from plantroom.accounts.sign_in import SignIn


class WebDoor:
    """Implements the pages' `Door`."""

    def __init__(self, door: AccountDoor, database: Sessions, clock: Clock) -> None:
        self._door, self._database, self._clock = door, database, clock

    def sign_in(self, name: str, password: str, source: Source) -> Knock:
        """With a name and a password."""
        return _knock(self._door.sign_in(name, password, From(source.address, source.agent)))

    def open_session(self, token: str, source: Source) -> Knock:
        """With the program's token, or a user's whose scope is all of her role."""
        return _knock(self._door.open_session(token, From(source.address, source.agent)))

    def visit(self, session: str, bearer: str) -> Guest | None:
        """By cookie, or by a bearer token for programs that fetch pages."""
        if bearer:
            caller = self._door.by_token(bearer)
            return Guest(visitor_of(caller)) if caller is not None else None
        visit = self._door.visit(session)
        return Guest(visitor_of(visit.caller), visit.fresh) if visit is not None else None

    def may(self, visitor: Visitor, method: str, route: str, path: Mapping[str, object]) -> bool:
        """By the policy. A read-only token's visitor has no right to change anything."""
        caller = Caller(visitor.name, Role(visitor.role), visitor.name, visitor.buildings)
        allowed = decide_access(caller, method, route, path).is_allowed
        return allowed and (method in ("GET", "HEAD") or "change" in visitor.rights)

    def close_session(self, session: str) -> None:
        """The session is over."""
        self._door.close_session(session)

    def link_owner(self, code: str) -> str | None:
        """Whose password the link may set."""
        with self._database.reading() as session:
            row = repository.find_link(session, hash_secret(code), self._clock.now())
            return row.name if row is not None else None

    def use_link(self, code: str, password: str, source: Source) -> Knock:
        """Set the password and come in."""
        try:
            with self._database.writing() as session:
                row = directory.use_link(session, code, password, self._clock.now(), source.address)
        except InputError as error:
            return Knock(refused=error.problems[0].what)
        if row is None:
            return Knock(refused="link")
        return self.sign_in(row.name, password, source)


def visitor_of(caller: Caller) -> Visitor:
    """A caller as the pages know her; `change` is there when she may do more than look."""
    rights = {str(right) for right in caller.rights} | ({"change"} if caller.may_change else set())
    return Visitor(
        caller.name,
        str(caller.role),
        frozenset(rights),
        caller.buildings,
        caller.language,
        caller.units or "metric",
        caller.theme,
    )


def enter_router(door: AccountDoor) -> APIRouter:
    """`/enter/CODE`: the one-time link."""
    router = APIRouter(include_in_schema=False)

    @router.get("/enter/{code}")
    def enter(code: str, request: Request) -> RedirectResponse:
        """Let in whoever has the code; everyone else goes to the sign-in page."""
        source = source_of(request)
        session = door.use_once(code, From(source.address, source.agent))
        response = RedirectResponse("/" if session else "/login", 303, headers={"Cache-Control": "no-store"})
        if session is not None:
            keep_session(request, response, session)
        return response

    return router


def _knock(entry: Entry) -> Knock:
    if entry.why is SignIn.IN:
        return Knock(entry.session)
    return Knock(refused=str(entry.why), left=entry.left)
