"""Signing in through an identity provider: out by `/oidc/login`, back by `/oidc/callback`.

A browser on its way holds a cookie of its own (Lax, for it comes back from another site), so that nobody can finish a
sign-in that another browser began. What it must bring back is kept here for ten minutes and used once.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from dashboards.web.origin import own_path
from dashboards.web.pages import go_on, keep_hint, keep_session, source_of
from facility.clock import Clock
from facility.errors import InputError
from plantroom.accounts import directory, repository
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import AccountDoor, From, Sessions
from plantroom.accounts.oidc_claims import Denied, Known, OidcError, OidcMapping, known_by
from plantroom.accounts.oidc_provider import Errand, Provider
from plantroom.accounts.secret import hash_secret, new_secret
from plantroom.accounts.tables import UserRow

log = structlog.get_logger(__name__)
COOKIE = "plantroom_oidc"
LIVES_S = 600
MOST = 1_000


class Errands:
    """Browsers on their way, by the hash of their cookie; each is taken once, and none after ten minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, Errand]] = OrderedDict()

    def keep(self, errand: Errand) -> str:
        """The cookie for the browser."""
        cookie = new_secret()
        with self._lock:
            self._kept[hash_secret(cookie)] = (self._clock.now_us() + LIVES_S * 1_000_000, errand)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return cookie

    def take(self, cookie: str) -> Errand | None:
        """What this browser must bring back; None when it is on no way, or for too long."""
        with self._lock:
            until_us, errand = self._kept.pop(hash_secret(cookie), (0, None))
        return errand if self._clock.now_us() <= until_us else None


def build_oidc_router(
    provider: Provider,
    mapping: OidcMapping,
    door: AccountDoor,
    sessions: Sessions,
    buildings: Callable[[], Collection[str]],
    clock: Clock,
) -> APIRouter:
    """`/oidc/login` and `/oidc/callback`."""
    router = APIRouter(include_in_schema=False)
    errands = Errands(clock)

    def back(request: Request, why: Denied, text: str) -> RedirectResponse:
        """To the sign-in page, which says why; the log and the audit say more."""
        log.warning("nobody came in through the identity provider", why=str(why), reason=text)
        with sessions.writing() as session:
            directory.note(session, Actor("", source_of(request).address), clock.now(), "sign-in refused", "oidc", text)
        answer = RedirectResponse(f"/login?oidc={why}", 303, headers={"Cache-Control": "no-store"})
        answer.delete_cookie(COOKIE, path="/oidc")
        return answer

    @router.get("/oidc/login")
    def login(request: Request) -> RedirectResponse:
        try:
            url, errand = provider.send(own_path(request.query_params.get("next")))
        except OidcError as error:
            return back(request, error.why, str(error))
        answer = RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            COOKIE, errands.keep(errand), max_age=LIVES_S, path="/oidc", httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    @router.get("/oidc/callback", response_model=None)
    def callback(request: Request) -> HTMLResponse | RedirectResponse:
        errand = errands.take(request.cookies.get(COOKIE, ""))
        if errand is None:
            return back(request, Denied.STALE, "no sign-in was begun by this browser, or too long ago")
        try:
            claims, id_token = provider.take_back(errand, dict(request.query_params))
            known = known_by(claims, mapping, buildings())
            source = source_of(request)
            session = door.enter_as(
                lambda found: admit(found, known, clock, buildings()), From(source.address, source.agent),
                "signed in through the identity provider",
            )  # fmt: skip
        except OidcError as error:
            return back(request, error.why, str(error))
        if session is None:
            return back(request, Denied.DISABLED, f"{known.name!r} is switched off")
        return _enter(request, session, errand.wanted, id_token)

    return router


def admit(session: Session, known: Known, clock: Clock, buildings: Collection[str]) -> UserRow:
    """Her account, as the provider says it should be: made when she comes for the first time.

    One of her name that has a password, or belongs to another subject, is not hers: OidcError.
    """
    actor, now = Actor("identity provider"), clock.now()
    row = repository.find_subject(session, known.subject)
    try:
        if row is None:
            row = repository.find_user(session, known.name, lock=True)
            if row is not None and (row.password_hash is not None or row.oidc_subject is not None):
                msg = f"there is a user {known.name!r} who does not come through the provider"
                raise OidcError(Denied.TAKEN, msg)
            if row is None:
                row = directory.add_user(
                    session, actor, now, name=known.name, role=known.role, buildings=known.buildings,
                    known_buildings=buildings, display_name=known.display_name,
                )  # fmt: skip
            row.oidc_subject = known.subject
            session.add(row)
        if row.disabled_at is None and (row.role != known.role or sorted(row.buildings) != sorted(known.buildings)):
            directory.change_user(
                session, actor, now, row, role=known.role, buildings=known.buildings, known_buildings=buildings
            )
    except InputError as error:
        raise OidcError(Denied.NO_NAME, str(error)) from error
    return row


def _enter(request: Request, session: str, wanted: str, id_token: str) -> HTMLResponse:
    """A page that goes on by itself: a redirect would still count as coming from the provider's site, and the session's
    cookie (Strict) would not go with it."""
    answer = go_on(own_path(wanted))
    keep_session(request, answer, session)
    keep_hint(request, answer, id_token)
    answer.delete_cookie(COOKIE, path="/oidc")
    return answer
