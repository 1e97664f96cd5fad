"""The gate of every route: who asks, and whether the policy lets it through.

A program sends a bearer token; a page's own script its session's cookie, and then only from our own origin when it
changes something. Whoever asks is known to all that runs within the request, by `current`.
"""

from contextvars import ContextVar

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

from dashboards.web.origin import Origin, judge_origin
from dashboards.web.pages import SESSION
from facility.registry import Registry
from plantroom.accounts.caller import Caller
from plantroom.accounts.door import AccountDoor
from plantroom.accounts.policy import Access, decide_access
from plantroom.accounts.role import Right

_CALLER: ContextVar[Caller] = ContextVar("caller")
_SAFE = ("GET", "HEAD", "OPTIONS")


class Gate:
    """Checks every call of the API."""

    def __init__(self, door: AccountDoor) -> None:
        self._door = door

    async def require(self, request: Request) -> None:
        """FastAPI dependency of every API route. Raises HTTPException 401 and 403."""
        caller = await run_in_threadpool(self._caller, request)
        verdict = decide_access(caller, request.method, route_of(request), request.path_params)
        request.state.language = caller.language if caller is not None else ""
        if caller is None or not verdict.is_allowed:
            raise _refusal(caller, verdict, request)
        _CALLER.set(caller)

    def _caller(self, request: Request) -> Caller | None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._door.by_token(given.strip())
        visit = self._door.visit(request.cookies.get(SESSION, ""))
        if visit is None or (request.method not in _SAFE and judge_origin(request.headers) is not Origin.OWN):
            return None
        request.state.fresh_session = visit.fresh
        return visit.caller


def route_of(request: Request) -> str:
    """The template of the route that answers, such as `/api/work-orders/{id}`."""
    return str(getattr(request.scope.get("route"), "path", request.url.path))


def current() -> Caller:
    """Who asks, within a request behind the gate. Raises LookupError elsewhere: that is a bug."""
    return _CALLER.get()


class CurrentAsker:
    """Who asks, as ticketing wants to know it."""

    def buildings(self) -> frozenset[str] | None:
        """The buildings she may see; None is all of them."""
        return current().buildings

    def name(self) -> str | None:
        """Her name; None for the program's own token, whose owner says for whom it acts."""
        caller = current()
        return caller.name if caller.user_id else None

    def manages(self) -> bool:
        """Whether she may undo what others have done."""
        return Right.MANAGE in current().rights


def who_calls() -> str:
    """What tells one caller from another, within a request."""
    caller = current()
    return caller.user_id or caller.name


def visible(registry: Registry) -> Registry:
    """What of the directory whoever asks may see."""
    buildings = current().buildings
    return registry if buildings is None else registry.within(buildings)


def _refusal(caller: Caller | None, verdict: Access, request: Request) -> HTTPException:
    where = request.url.path
    if caller is None:
        hint = "Send the header 'Authorization: Bearer TOKEN'; the program's own token stands in var/token."
        detail = {"what": "this route needs a token", "where": where, "hint": hint}
        return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
    what = f"{caller.name} ({caller.role}) may not {request.method} this: {verdict}"
    return HTTPException(403, {"what": what, "where": where, "hint": "Ask an admin for another role or token."})
